//! What `passbook compare` shows, mostly of comparisons that nobody measured.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use assert_cmd::assert::Assert;

use crate::support::comparison::{comparison, whole_ladder};
use crate::support::program::{passbook, stderr, stdout};
use Transport::{GrpcMemory, GrpcTcp, GrpcUnix, Mailbox, Processes};
use passbook::compare::{
    Baseline, BaselineError, Earlier, Latencies, Report, write_csv, write_html, write_json,
    write_markdown, write_text,
};
use passbook::compare::{Comparison, Load, Transport};
use passbook::model::Propagation;
use serde_json::Value;

const COMMAND: &str = "passbook compare input/monotonic_writes.json";

fn report(comparison: &Comparison) -> Report {
    Report::of(comparison, COMMAND, None)
}

fn written(report: &Report, write: fn(&mut dyn Write, &Report) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out, report).expect("a report that is whole");
    String::from_utf8(out).expect("a report that is whole")
}

const PROGRAM: &str = concat!("passbook ", env!("CARGO_PKG_VERSION"));

fn text(report: &Report) -> String {
    let text = anstream::adapter::strip_str(&written(report, write_text)).to_string();
    let text = text.replace(PROGRAM, "passbook 0.0.0");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}\n{text}");
        assert_eq!(line, line.trim_end(), "no line ends in spaces");
    }
    text
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&written(report, write_json)).expect("a report that is whole")
}

fn earlier(comparison: &Comparison) -> Earlier {
    Earlier::parse(written(&report(comparison), write_json).as_bytes())
        .expect("a report that is whole")
}

fn baseline(then: &Comparison, now: &Comparison) -> Baseline {
    earlier(then).of_the_same(&now.subject, now.load).expect("a report that is whole")
}

/// Mailboxes twice, and rounds that differ much.
fn noisy() -> Comparison {
    let transports =
        [(Mailbox, 500.0), (Mailbox, 500.0), (GrpcUnix, 61_000.0), (GrpcTcp, 60_000.0)];
    comparison(&transports, 0.15, 3)
}

#[test]
fn a_person_reads_this() {
    insta::assert_snapshot!(text(&report(&whole_ladder())));
}

#[test]
fn noise_is_told_and_the_same_transport_is_no_different_from_itself() {
    let then = comparison(&[(Mailbox, 500.0), (GrpcTcp, 80_000.0)], 0.03, 5);
    let now = noisy();
    let baseline = baseline(&then, &now);
    insta::assert_snapshot!(text(&Report::of(&now, COMMAND, Some(&baseline))));
}

#[test]
fn markdown_and_csv_say_the_same() {
    let report = report(&whole_ladder());
    insta::assert_snapshot!(written(&report, write_markdown).replace(PROGRAM, "passbook 0.0.0"));
    let version = format!(",{}\n", env!("CARGO_PKG_VERSION"));
    insta::assert_snapshot!(written(&report, write_csv).replace(&version, ",0.0.0\n"));
}

/// A million requests a second were due; mailboxes answered them, TCP 7.7% of them.
fn above_capacity() -> Comparison {
    let mut comparison = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    comparison.load = Load::Open { rate: 1e6 };
    for (measured, rate) in comparison.measured.iter_mut().zip([1_000_000, 77_000]) {
        for round in &mut measured.rounds {
            round.elapsed_ns = round.requests * 1_000_000_000 / rate;
        }
    }
    comparison
}

#[test]
fn a_rate_that_was_not_reached_is_told_with_what_was() {
    let report = report(&above_capacity());
    let headline = "The rate was not reached: of 1,000,000 requests/s that were due, over TCP \
                    77,000 (7.7%) were answered.";
    let warning = "the rate was not reached: of 1,000,000 requests/s that were due, grpc-tcp \
                   answered 77,000 (7.7%)";
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = joined(text(&report));
    assert!(shown.contains(headline) && shown.contains(warning), "{shown}");
    assert!(!shown.contains("Where the time goes"), "{shown}");
    let markdown = written(&report, write_markdown);
    assert!(markdown.contains(headline) && markdown.contains(warning), "{markdown}");
    let page = written(&report, write_html);
    assert!(page.contains(headline) && page.contains(warning), "{page}");
    let export = json(&report);
    assert!(export["headline"].as_str().unwrap().starts_with(headline), "{export}");
    assert!(export["warnings"][0].as_str().unwrap().starts_with(warning), "{export}");
    let share = |row: usize| export["transports"][row]["share_of_rate"].as_f64().unwrap();
    assert!((share(0) - 1.0).abs() < 1e-6 && (share(1) - 0.077).abs() < 1e-6, "{export}");
    let table = written(&report, write_csv);
    assert!(table.contains(&format!(",0.0770,{}\n", env!("CARGO_PKG_VERSION"))), "{table}");
    let mut reached = above_capacity();
    reached.load = Load::Open { rate: 80_000.0 };
    assert!(!text(&self::report(&reached)).contains("not reached"));
}

#[test]
fn a_percentile_with_fewer_than_ten_requests_beyond_it_has_a_doubt_in_every_format() {
    let mut few = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    let mut all_at = |ns: u64, deposits: u64| {
        let latencies = &mut few.measured[usize::from(ns > 1_000)].latencies;
        *latencies = Latencies::default();
        (0..deposits).for_each(|_| latencies.deposit.record(ns));
    };
    // Nine and a half lie beyond p99 of the one, and twice that of the other.
    all_at(500, 950);
    all_at(60_000, 1_900);
    let report = report(&few);
    let cells = |text: &str, from: &str, name: &str| -> Vec<String> {
        let part = &text[text.find(from).unwrap()..];
        let line = part.lines().find(|line| line.contains(name) && line.contains("s?")).unwrap();
        let marks = line.split(['|', '<', '>']).flat_map(|cell| cell.split("  "));
        marks.map(str::trim).filter(|cell| cell.ends_with("s?")).map(str::to_owned).collect()
    };
    for (shown, from) in [
        (text(&report), "Latency of a request"),
        (written(&report, write_markdown), "| transport"),
        (written(&report, write_html), "<table>"),
    ] {
        assert_eq!(cells(&shown, from, "mailbox"), ["500 ns?", "500 ns?"], "{shown}");
        assert_eq!(cells(&shown, from, "grpc-tcp").len(), 1, "{shown}");
        let told = "p99 and p99.9 over mailbox; p99.9 over grpc-tcp";
        assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(told), "{shown}");
    }
    let export = json(&report);
    let doubtful = |row: usize| &export["transports"][row]["latencies"]["deposit"]["doubtful"];
    assert_eq!(*doubtful(0), serde_json::json!(["p99_ns", "p999_ns"]));
    assert_eq!(*doubtful(1), serde_json::json!(["p999_ns"]));
    let table = written(&report, write_csv);
    assert_eq!(table.matches(",p99_ns;p999_ns,").count(), 2, "{table}");
    assert_eq!(table.matches(",p999_ns,").count(), 2 + 1, "{table}");
}

#[test]
fn every_choice_of_transports_is_shown_in_a_hundred_columns() {
    let all = [Mailbox, GrpcMemory, GrpcUnix, GrpcTcp, Processes];
    for subset in 1_u32..32 {
        let chosen = all.iter().zip(0..).filter(|(_, bit)| subset >> bit & 1 == 1);
        let transports: Vec<(Transport, f64)> =
            chosen.map(|(transport, bit)| (*transport, 400.0 * 11_f64.powi(bit))).collect();
        let report = report(&comparison(&transports, 0.05, u64::from(subset)));
        let shown = text(&report);
        let page = written(&report, write_html);
        for (transport, _) in transports {
            assert!(shown.contains(transport.word()), "{shown}");
            assert!(page.contains(transport.word()));
        }
    }
}

#[test]
fn a_comparison_in_which_nothing_was_answered_says_so() {
    let mut nothing = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    for measured in &mut nothing.measured {
        measured.rounds.clear();
    }
    let report = report(&nothing);
    let shown = text(&report);
    assert!(shown.contains("Nothing was measured: no request was answered."), "{shown}");
    assert!(shown.contains("no request was answered over mailbox and grpc-tcp"), "{shown}");
    assert!(written(&report, write_html).ends_with("</html>\n"));
    assert_eq!(json(&report)["transports"], Value::Array(Vec::new()));
}

#[test]
fn a_transport_without_answers_is_left_out_and_named() {
    let mut some = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    some.measured[1].rounds.iter_mut().for_each(|round| round.requests = 0);
    let shown = text(&report(&some));
    assert!(shown.contains("no request was answered over grpc-tcp"), "{shown}");
    assert!(shown.contains("nothing else was measured beside it"), "{shown}");
}

#[test]
fn the_json_export_has_everything() {
    let whole = whole_ladder();
    let export = json(&report(&whole));
    assert_eq!(export["format"], 1);
    assert_eq!(export["command"], COMMAND);
    assert_eq!(export["load"]["loop"], "closed");
    assert_eq!(export["machine"]["processor"], "AMD EPYC 9R14");
    assert_eq!(export["compared_with"], "mailbox");
    for (row, measured) in export["transports"].as_array().unwrap().iter().zip(&whole.measured) {
        assert_eq!(row["transport"], measured.transport.word());
        assert_eq!(row["rounds"].as_array().unwrap().len(), measured.rounds.len());
        assert_eq!(row["rounds"][3]["mean_ns"], measured.rounds[3].mean_ns);
        for (kind, latencies) in [
            ("deposit", &measured.latencies.deposit),
            ("query", &measured.latencies.query),
            ("propagation", &measured.latencies.propagation),
        ] {
            let exported = &row["latencies"][kind];
            assert_eq!(exported["count"], latencies.count());
            assert_eq!(exported["p99_ns"], latencies.quantile_ns(0.99));
            let buckets = exported["histogram"].as_array().unwrap();
            let held: u64 = buckets.iter().map(|bucket| bucket[2].as_u64().unwrap()).sum();
            assert_eq!(held, latencies.count(), "every latency is in a bucket");
        }
    }
    let steps = export["ladder"]["steps"].as_array().unwrap();
    let sum = |key: &str| steps.iter().map(|step| step[key].as_f64().unwrap()).sum::<f64>();
    assert_eq!(Some(sum("adds_ns")), export["ladder"]["total_ns"].as_f64());
    assert!((sum("share") - 1.0).abs() < 1e-9);
}

#[test]
fn the_ratio_is_of_the_means_and_its_interval_holds_it() {
    let export = json(&report(&whole_ladder()));
    let rows = export["transports"].as_array().unwrap();
    assert_eq!(rows[0]["ratio"], Value::Null, "what all are compared with");
    // 63 µs to 480 ns, and noise of 2% in ten rounds of each.
    let ratio = &rows[3]["ratio"];
    let (low, high) = (&ratio["interval"]["low"], &ratio["interval"]["high"]);
    let (low, high) = (low.as_f64().unwrap(), high.as_f64().unwrap());
    assert!(low < 131.25 && 131.25 < high && high - low < 10.0, "{low} to {high}");
    assert_eq!(ratio["verdict"], "slower");
}

#[test]
fn a_comparison_with_itself_has_no_difference() {
    let now = whole_ladder();
    let baseline = baseline(&now, &now);
    let export = json(&Report::of(&now, COMMAND, Some(&baseline)));
    for row in export["transports"].as_array().unwrap() {
        assert_eq!(row["baseline"]["ratio"]["estimate"], 1.0);
        assert_eq!(row["baseline"]["ratio"]["verdict"], "no_difference");
    }
}

#[test]
fn a_baseline_shows_what_got_slower_and_what_did_not() {
    let then = comparison(&[(Mailbox, 500.0), (GrpcTcp, 50_000.0)], 0.02, 8);
    let now = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 9);
    let baseline = baseline(&then, &now);
    let export = json(&Report::of(&now, COMMAND, Some(&baseline)));
    let verdict = |row: usize| &export["transports"][row]["baseline"]["ratio"]["verdict"];
    assert_eq!((verdict(0), verdict(1)), (&"no_difference".into(), &"slower".into()));
}

#[test]
fn a_baseline_of_another_machine_is_read_with_a_warning() {
    let now = whole_ladder();
    let mut then = whole_ladder();
    then.machine.threads = 64;
    let shown = text(&Report::of(&now, COMMAND, Some(&baseline(&then, &now))));
    assert!(shown.contains("the baseline is of another machine"), "{shown}");
    assert!(shown.contains("64 threads"), "{shown}");
}

#[test]
fn what_is_no_baseline_is_refused_with_the_reason() {
    let refusals = [
        "",
        "transport,p50\nmailbox,3\n",
        "[{\"id\": 1, \"type\": \"branch\"}]",
        "{\"format\": 2}",
        "{\"format\": \"yes\"}",
        "{\"format\": 1, \"subject\": 7}",
    ];
    let told = refusals.map(|refused| {
        let error = Earlier::parse(refused.as_bytes()).unwrap_err();
        format!("{refused:?}\n  {error}\n")
    });
    insta::assert_snapshot!(told.concat());
}

#[test]
fn a_baseline_of_other_work_is_refused_with_what_differs() {
    let now = whole_ladder();
    let mut then = whole_ladder();
    then.subject.scenario = "read_your_writes".to_owned();
    then.subject.propagation = Propagation::Async;
    then.subject.customers = 64;
    then.load = Load::Open { rate: 2_000.0 };
    let error = earlier(&then).of_the_same(&now.subject, now.load).unwrap_err();
    assert!(matches!(error, BaselineError::OtherWork { .. }));
    assert_eq!(
        error.to_string(),
        "it is of something else: the scenario is `read_your_writes` there and `monotonic_writes` \
         here; propagation is async there and sync here; the number of customers is 64 there and 1 \
         here; the load is open loop with 2000 requests/s there and closed loop here"
    );
}

#[test]
fn a_page_is_small_and_needs_nothing_else() {
    let page = written(&report(&whole_ladder()), write_html);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for outside in ["<script", "http:", "https:", "<link", "@import", "url(", "<img", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for chart in ["ladder", "distributions", "percentiles", "rounds"] {
        for frame in ["wide", "narrow"] {
            let labelled =
                format!("aria-labelledby=\"{chart}-{frame}-title {chart}-{frame}-desc\"");
            assert!(page.contains(&labelled), "{labelled}");
        }
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("<svg") && page.contains("</html>"));
}

#[test]
fn every_element_of_a_page_is_closed_and_every_id_is_its_own() {
    for comparison in [whole_ladder(), noisy()] {
        let page = written(&report(&comparison), write_html);
        let mut open: Vec<&str> = Vec::new();
        let body = &page[page.find("<main>").unwrap()..page.find("</body>").unwrap()];
        for tag in body.split('<').skip(1) {
            let (inside, _) = tag.split_once('>').expect("a tag ends");
            let name = inside.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
            if inside.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !inside.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let number = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), number);
        assert!(!body.contains("NaN") && !body.contains("inf\""), "every place is a number");
    }
}

#[test]
fn names_from_outside_are_text_everywhere() {
    let mut hostile = whole_ladder();
    hostile.subject.scenario = "<script>alert(\"1\")</script>,|`*".to_owned();
    hostile.machine.processor = Some("<b>&amp;".to_owned());
    let report = Report::of(&hostile, "passbook compare '<img src=x>'", None);
    let page = written(&report, write_html);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"));
    assert!(page.contains("&lt;img src=x&gt;") && page.contains("&lt;b&gt;&amp;amp;"));
    let table = written(&report, write_csv);
    assert!(table.contains("\n\"<script>alert(\"\"1\"\")</script>,|`*\",mailbox,all,"), "{table}");
    let markdown = written(&report, write_markdown);
    assert!(
        markdown.starts_with("### \\<script\\>alert(\"1\")\\</script\\>,\\|\\`\\*\n"),
        "{markdown}"
    );
}

#[test]
fn a_single_round_decides_nothing() {
    let mut short = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    short.measured.iter_mut().for_each(|measured| measured.rounds.truncate(1));
    let shown = text(&report(&short));
    assert!(shown.contains("and a single round cannot tell"), "{shown}");
    assert!(shown.contains("undecided"), "{shown}");
    assert!(shown.contains("1 round of mailbox and grpc-tcp: too few"), "{shown}");
}

#[test]
fn a_transport_that_nothing_counts_for_has_dashes() {
    let mut bare = comparison(&[(Mailbox, 500.0), (GrpcTcp, 60_000.0)], 0.02, 1);
    bare.codec = Duration::ZERO;
    for round in bare.measured.iter_mut().flat_map(|measured| &mut measured.rounds) {
        (round.processor_ns, round.context_switches) = (None, None);
        (round.messages, round.bytes) = (None, None);
    }
    let shown = text(&report(&bare));
    let costs = shown.split("What a request costs").nth(1).unwrap();
    let tcp = costs.lines().find(|line| line.contains("grpc-tcp")).unwrap();
    assert_eq!(tcp.matches('–').count(), 4, "{shown}");
    assert!(shown.contains("encoding and decoding through TCP"), "{shown}");
}

/// A comparison that takes no time worth mentioning, with options that name files in `folder`.
fn compare(folder: &Path, more: &[(&str, &str)], words: &[&str]) -> Assert {
    let options: Vec<String> = more
        .iter()
        .map(|(option, file)| format!("{option}={}", folder.join(file).display()))
        .collect();
    let mut args =
        vec!["compare", "--transports=mailbox,mailbox", "--rounds=2", "--round-time=1ms"];
    args.extend(options.iter().map(String::as_str));
    args.extend(words);
    args.push("input/monotonic_writes.json");
    passbook(&args)
}

#[test]
fn the_command_writes_what_is_asked_for_and_reads_its_own_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let exports = [
        ("--export-json", "a.json"),
        ("--export-csv", "a.csv"),
        ("--export-markdown", "a.md"),
        ("--export-html", "a.html"),
    ];
    compare(folder.path(), &exports, &[]).success();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("a.csv").starts_with("scenario,transport,kind,"));
    assert!(read("a.md").starts_with("### monotonic\\_writes\n"));
    let page = read("a.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("--round-time=1ms"));
    let baseline = [("--baseline", "a.json")];
    let again = compare(folder.path(), &baseline, &["--format=json"]).success();
    let export: Value = serde_json::from_str(stdout(&again)).unwrap();
    assert!(export["transports"][1]["baseline"]["ratio"]["estimate"].is_f64());
}

#[test]
fn a_rate_beyond_all_capacity_is_not_taken_for_slowness() {
    let folder = tempfile::tempdir().unwrap();
    let shown = compare(folder.path(), &[], &["--rate=10000000", "--format=json"]).success();
    let export: Value = serde_json::from_str(stdout(&shown)).unwrap();
    let headline = export["headline"].as_str().unwrap();
    let due = "The rate was not reached: of 10,000,000 requests/s that were due, ";
    assert!(headline.starts_with(due), "{headline}");
    let warning = export["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("the rate was not reached: "), "{warning}");
}

#[test]
fn each_propagation_is_exported_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let both = ["--propagation=both"];
    compare(folder.path(), &[("--export-json", "a.json")], &both).success();
    for propagation in ["sync", "async"] {
        let file = folder.path().join(format!("a-{propagation}.json"));
        let export: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(export["subject"]["propagation"], propagation);
    }
    compare(folder.path(), &[("--baseline", "a.json")], &both).success();
}

#[test]
fn files_that_cannot_be_are_told_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "no JSON").unwrap();
    for (option, file, told) in [
        ("--export-html", "not/there.html", "/not/there.html: its directory does not exist"),
        ("--export-csv", "", "/: it is a directory"),
        ("--baseline", "not_there.json", "/not_there.json: No such file"),
        ("--baseline", "text", "/text: it is not JSON"),
    ] {
        let refused = compare(folder.path(), &[(option, file)], &[]).code(2);
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "nothing was measured");
    }
}

#[test]
fn a_baseline_of_other_work_does_not_cost_the_measurement() {
    let folder = tempfile::tempdir().unwrap();
    let export = [("--export-json", "a.json")];
    compare(folder.path(), &export, &["--propagation=async"]).success();
    let baseline = [("--baseline", "a.json")];
    let shown = compare(folder.path(), &baseline, &["--propagation=sync"]).code(2);
    assert!(stdout(&shown).contains("Latency of a request"));
    assert!(stderr(&shown).contains("propagation is async there and sync here"));
}
