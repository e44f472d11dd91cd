//! What a run looks like, on a terminal, as a file and on a page.

use std::path::{Path, PathBuf};
use std::{env, fs};

use tempfile::TempDir;

use crate::support::program::{passbook, stderr, stdout};

/// The guarantees, each with the scenario that breaks without it and what is left on.
const BREAKS: [(&str, &str, &str); 4] = [
    ("read your writes", "read_your_writes_lag", "mr,mw,wfr"),
    ("monotonic reads", "monotonic_reads_lag", "ryw,mw,wfr"),
    ("monotonic writes", "monotonic_writes_lag", "ryw,mr,wfr"),
    ("writes follow reads", "writes_follow_reads_lag", "ryw,mr,mw"),
];

/// Where the documents have pictures; `DOCS=write` draws them anew.
const PICTURES: &str = "docs/pictures";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).into_os_string().into_string().expect("a path of text")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("a file of text")
    }

    /// The history of `scenario` with these `options`.
    fn history(&self, scenario: &str, options: &[&str]) -> String {
        let history = self.path("history.jsonl");
        let run = ["run", "-q", scenario, "--history", &history];
        passbook(&[&run, options].concat());
        history
    }

    /// A scenario of so many events that is violated.
    fn violated(&self, customers: &str, events: &str) -> String {
        let path = self.path("many.json");
        let load = ["--seed", "5", "--branches", "3", "--customers", customers, "--events", events];
        let lag = ["--propagation", "async", "--latency", "uniform:1ms..20ms"];
        let free = ["--guarantees", "none", "--force", "-o", &path];
        passbook(&[&["generate"], &load[..], &lag, &free].concat()).code(0);
        path
    }
}

fn scenario(name: &str) -> String {
    format!("input/guarantees/{name}.json")
}

#[test]
fn the_pictures_of_the_documents_are_those_of_the_program() {
    let folder = Folder::new();
    for (guarantee, name, on) in BREAKS {
        let history = folder.history(&scenario(name), &["--guarantees", on]);
        let drawn = folder.path("picture.svg");
        passbook(&["draw", &history, "-o", &drawn]).code(0).stdout("");
        let drawn = folder.read("picture.svg");
        let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(PICTURES)
            .join(format!("{}.svg", guarantee.replace(' ', "_")));
        if env::var_os("DOCS").is_some_and(|how| how == "write") {
            fs::write(&kept, &drawn).expect("the documents can be written");
        }
        let known = fs::read_to_string(&kept).unwrap_or_default();
        assert!(known == drawn, "{}: DOCS=write draws it anew", kept.display());
        assert!(drawn.contains(&format!("✗ {guarantee}")) && drawn.contains("on its way"));
    }
}

#[test]
fn the_lines_of_a_picture_fit_the_terminal() {
    let folder = Folder::new();
    let scenarios = BREAKS.map(|(_, name, _)| scenario(name));
    let large = folder.violated("2", "30");
    for scenario in scenarios.iter().chain([&large]) {
        let history = folder.history(scenario, &["--guarantees", "none"]);
        for columns in [60, 80, 120] {
            let mut draw = crate::support::program::command(&["draw", &history]);
            draw.env("COLUMNS", columns.to_string());
            let drawn = draw.output().expect("the program runs");
            let text = String::from_utf8(drawn.stdout).expect("text");
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{columns}: {text}");
            assert!(text.contains("customer 1") && text.contains('▶'), "{text}");
        }
    }
}

#[test]
fn a_break_is_told_where_it_shows_and_the_write_where_it_was() {
    let done = passbook(&[
        "run",
        "-q",
        "--diagram",
        "input/guarantees/read_your_writes_lag.json",
        "--guarantees",
        "none",
    ]);
    let picture = [
        "           customer 1          branch 1            branch 2",
        "           │                   │ 0                 │ 0",
        "     0 ms  ● deposit 400 ────▶ ● 400               │",
        "           ◀ ok ───────────────┤                   │",
        "           ● query ────────────┼─────────────────▶ ○ reads 0  ✗ read your writes",
        "    50 ms  │                   ├╌╌╌╌╌╌╌ 50 ms ╌╌╌▶ ● 400  ← the write it lacked",
    ];
    let done = done.code(1);
    assert!(stdout(&done).contains(&picture.join("\n")), "{}", stdout(&done));
}

#[test]
fn a_request_that_waits_is_a_double_line_until_it_is_served() {
    let done = passbook(&["run", "-q", "--diagram", "input/guarantees/read_your_writes_lag.json"]);
    let done = done.code(0);
    let rows: Vec<&str> = stdout(&done).lines().collect();
    let at = rows.iter().position(|row| row.ends_with("║ waits")).expect("a wait");
    assert!(rows[at + 1].contains("50 ms") && rows[at + 1].ends_with("● 400"), "{rows:#?}");
    assert!(rows[at + 2].ends_with("○ reads 400"), "{rows:#?}");
}

#[test]
fn ascii_is_ascii() {
    let folder = Folder::new();
    for (_, name, _) in BREAKS {
        let history = folder.history(&scenario(name), &["--guarantees", "none"]);
        let done = passbook(&["draw", "--ascii", &history]).code(0);
        assert!(stdout(&done).is_ascii(), "{}", stdout(&done));
        assert!(stdout(&done).contains("<- the write it lacked"));
    }
    passbook(&["run", "--ascii", "input/read_your_writes.json"]).code(2);
}

#[test]
fn of_many_messages_the_cones_are_drawn_and_the_rest_is_counted() {
    let folder = Folder::new();
    let history = folder.history(&folder.violated("2", "60"), &[]);
    let done = passbook(&["draw", &history]).code(0);
    let text = stdout(&done);
    assert!(text.lines().count() < 60, "{text}");
    assert!(text.contains("left out: ") && text.contains(" messages"), "{text}");
    assert!(text.contains("← the write it lacked"), "{text}");
    let cone = passbook(&["draw", "--cone", &history]).code(0);
    assert_eq!(stdout(&cone), text);
    let quiet = folder.history("input/stale_reads.json", &[]);
    let done = passbook(&["draw", &quiet]).code(0);
    assert!(stdout(&done).contains("left out: "), "{}", stdout(&done));
}

#[test]
fn where_nothing_is_broken_there_is_no_cone_and_all_is_drawn() {
    let folder = Folder::new();
    let history = folder.history("input/read_your_writes.json", &[]);
    let whole = passbook(&["draw", &history]).code(0).stderr("");
    let cone = passbook(&["draw", "--cone", &history]).code(0);
    assert_eq!(stdout(&cone), stdout(&whole));
    assert!(stdout(&whole).contains("deposit 400"), "{}", stdout(&whole));
    assert!(stderr(&cone).contains("is broken, so all of it is drawn"), "{}", stderr(&cone));
}

#[test]
fn the_name_of_a_file_says_what_is_drawn() {
    let folder = Folder::new();
    let history = folder.history(&scenario("monotonic_reads_lag"), &["--guarantees", "none"]);
    for (name, begins, holds) in [
        ("a.svg", "<svg xmlns", "reads 400</text>"),
        ("a.html", "<!doctype html>", "<figure class=\"picture\">"),
        ("a.mmd", "sequenceDiagram\n", "C2->>B1: query"),
        ("a.txt", "✗ monotonic reads\n", "○ reads 400"),
        ("A.SVG", "<svg xmlns", "reads 400</text>"),
    ] {
        passbook(&["draw", &history, "-o", &folder.path(name)]).code(0).stdout("");
        let drawn = folder.read(name);
        assert!(drawn.starts_with(begins) && drawn.contains(holds), "{name}: {drawn}");
        assert!(!drawn.contains('\u{1b}'), "{name}");
    }
    for name in ["a.gif", "a"] {
        let done = passbook(&["draw", &history, "-o", &folder.path(name)]).code(2);
        assert!(stderr(&done).contains("use .svg, .html,"), "{}", stderr(&done));
        assert!(!Path::new(&folder.path(name)).exists());
    }
    let done = passbook(&["draw", &history, "-o", &history]).code(2);
    assert!(!stderr(&done).is_empty());
    let done = passbook(&["draw", "input/read_your_writes.json"]).code(2);
    assert!(stderr(&done).contains("a scenario"), "{}", stderr(&done));
}

#[cfg(not(feature = "png"))]
#[test]
fn a_program_that_draws_no_pixels_says_so() {
    let folder = Folder::new();
    let history = folder.history(&scenario("monotonic_reads_lag"), &[]);
    let done = passbook(&["draw", &history, "-o", &folder.path("a.png")]).code(2);
    assert!(stderr(&done).contains("without the feature `png`"), "{}", stderr(&done));
}

#[cfg(feature = "png")]
#[test]
fn a_picture_of_pixels_has_the_letters_of_its_own_fonts() {
    let folder = Folder::new();
    let history = folder.history(&scenario("monotonic_reads_lag"), &["--guarantees", "none"]);
    passbook(&["draw", &history, "-o", &folder.path("a.png")]).code(0).stdout("").stderr("");
    let drawn = fs::read(folder.path("a.png")).expect("a file");
    assert!(drawn.starts_with(b"\x89PNG\r\n") && drawn.len() > 20_000, "{}", drawn.len());
}

#[test]
fn text_of_a_scenario_is_harmless_in_every_picture() {
    let folder = Folder::new();
    let name = "<script>alert(1)</script>\"'&#; %%{init}%%\u{1b}[31m\u{202e}]]>--";
    let processes: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(scenario("read_your_writes_lag")).expect("text"))
            .expect("JSON");
    let mut named = processes;
    named["name"] = name.into();
    named["description"] = name.into();
    let path = folder.path("named.json");
    fs::write(&path, named.to_string()).expect("a file");
    let history = folder.history(&path, &["--guarantees", "none"]);
    for file in ["a.svg", "a.html", "a.mmd", "a.txt"] {
        passbook(&["draw", &history, "-o", &folder.path(file)]).code(0);
        let drawn = folder.read(file);
        assert!(!drawn.contains("<script>alert"), "{file}: {drawn}");
        assert!(!drawn.contains(['\u{1b}', '\u{202e}']), "{file}");
    }
}

#[test]
fn pages_are_written_by_run_check_and_batch() {
    let folder = Folder::new();
    let (page, scenario) = (folder.path("page.html"), scenario("writes_follow_reads_lag"));
    let off = ["--guarantees", "none"];
    passbook(&[&["run", "-q", &scenario, "--export-html", &page], &off[..]].concat()).code(1);
    let of_run = folder.read("page.html");
    let history = folder.history(&scenario, &off);
    passbook(&["check", "-q", &history, "--export-html", &page]).code(1);
    let of_check = folder.read("page.html");
    for of in [&of_run, &of_check] {
        for part in ["id=\"writes-follow-reads\"", "1 of 1", "All 10 messages"] {
            assert!(of.contains(part), "{part}: {of}");
        }
        for link in ["src=", "href=\"http", "url(http", "@import", "<link"] {
            assert!(!of.contains(link), "{link}");
        }
    }
    let many = folder.path("many.jsonl");
    let load = ["generate", "--count", "130", "--seed", "5", "--branches", "3", "-o", &many];
    let lag = ["--propagation", "async", "--latency", "uniform:1ms..20ms", "--guarantees", "none"];
    passbook(&[&load[..], &["--events", "9"], &lag].concat()).code(0);
    let batch = ["batch", "-f", "text", &many, "--export-html", &page];
    passbook(&batch).code(1);
    let of_batch = folder.read("page.html");
    assert_eq!(of_batch.matches("<figure class=\"picture\">").count(), 100);
    assert!(of_batch.contains("without a picture</h2>"));
    assert!(of_batch.contains(&format!("passbook run {many}:1</code>")));
    for jobs in ["1", "8"] {
        passbook(&[&batch[..], &["--jobs", jobs]].concat()).code(1);
        assert_eq!(folder.read("page.html"), of_batch, "--jobs {jobs}");
    }
}

#[test]
fn a_page_of_a_thousand_messages_is_small_and_a_larger_one_has_an_overview() {
    let folder = Folder::new();
    let page = folder.path("page.html");
    passbook(&["run", "-q", &folder.violated("2", "180"), "--export-html", &page]).code(1);
    let drawn = folder.read("page.html");
    assert!(drawn.contains("All 9") || drawn.contains("All 1,0"), "about a thousand messages");
    assert!(drawn.len() < 300_000, "{}", drawn.len());
    passbook(&["run", "-q", &folder.violated("5", "500"), "--export-html", &page]).code(1);
    let drawn = folder.read("page.html");
    assert!(drawn.contains("class=\"overview\"") && drawn.len() < 250_000, "{}", drawn.len());
}

#[test]
fn what_is_not_known_is_not_drawn() {
    for options in
        [&["--diagram", "-f", "json"][..], &["--diagram", "--connect", "1=http://[::1]:1"]]
    {
        let done = passbook(&[&["run", "input/read_your_writes.json"], options].concat()).code(2);
        assert!(stderr(&done).contains("--diagram"), "{}", stderr(&done));
    }
}
