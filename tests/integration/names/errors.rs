//! Hostile words in inputs, paths and arguments that are wrong: an error shows them, and where they
//! stand.

use serde_json::Value;

use crate::names::hostile::*;

/// Files that are wrong, each with `name` in the place that is.
fn wrong(name: &str) -> Vec<String> {
    let name = serde_json::to_string(name).expect("a text");
    let with =
        |key: &str, value: &str| scenario("a").replacen('{', &format!("{{{key}:{value},"), 1);
    vec![
        with(&name, "1"),
        with("\"overdraft\"", &name),
        with("\"latencies\"", &name),
        with("\"seed\"", &name),
        with("\"queries\"", &format!("[{name}]")),
        scenario("a").replace("\"query\"", &name),
        scenario("a").replace("\"customer\"", &name),
        scenario("a").replace("\"money\":400", &format!("\"money\":{name}")),
        format!("[{{\"id\":{name}}}]"),
        format!("[{{\"type\":\"branch\",{name}:{name}}}]"),
        format!("{{\"processes\":[],\"expected\":[{name}]}}"),
        name,
    ]
}

#[test]
fn a_wrong_scenario_is_shown_with_what_is_wrong_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in HOSTILE {
        // Once as JSON has it, and once with every character as it is.
        let mut texts = wrong(name);
        texts.extend([name.to_owned(), format!("[{name}]"), format!("[{{\"{name}\": 1}}]")]);
        let mut args = vec!["run".to_owned()];
        for (place, text) in texts.iter().enumerate() {
            put(folder.path(), &format!("{place}.json"), text);
            args.push(format!("{place}.json"));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (text, errors) = harmless(&said(folder.path(), &args));
        assert_eq!(text, "", "{name:?}");
        let bare = anstream::adapter::strip_str(&errors).to_string();
        for place in 0..texts.len() {
            assert!(bare.contains(&format!("[{place}.json:")), "{place}: {bare}");
        }
        // An error is told on lines that are its own.
        assert!(bare.lines().all(|line| line.is_empty() || line.starts_with(' ')), "{bare}");
        let (rows, _) = harmless(&said(folder.path(), &["batch", "--format", "json", "."]));
        let problems = rows.lines().filter_map(|row| {
            let row: Value = serde_json::from_str(row).expect("JSON");
            Some(row.get("problem")?.as_str()?.len())
        });
        assert!(problems.clone().count() == texts.len() && problems.max() < Some(600), "{rows}");
        harmless(&said(folder.path(), &["batch", "--format", "text", "."]));
    }
}

#[test]
fn a_wrong_path_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.json", &scenario("a"));
    for (name, shown) in HOSTILE {
        let path = format!("./{name}");
        let within = format!("./{name}/out");
        for args in [
            &["run", &path][..],
            &["run", "a.json", "--history", &within],
            &["batch", &path],
            &["batch", &format!("{path}/[")],
            &["batch", "a.json", "--resume", &within],
            &["batch", "a.json", "--export-csv", &within],
            &["check", &path],
            &["check", "--format", "json", &path],
            &["merge", &path],
            &["compare", &path],
            &["compare", "a.json", "--export-html", &within],
            &["compare", "a.json", "--baseline", &within],
            &["serve", &path],
            &["generate", &format!("x{name}")],
            &["run", "a.json", &format!("--format={name}")],
            &["run", "a.json", &format!("--latency={name}")],
            &["run", "a.json", &format!("--connect=1={name}")],
        ] {
            let (text, errors) = harmless(&said(folder.path(), args));
            assert_eq!(text, "", "{args:?}");
            let bare = anstream::adapter::strip_str(&errors).to_string();
            assert!(bare.lines().filter(|line| line.contains("error")).count() <= 1, "{bare}");
            // A long line is broken between words.
            let joined = |text: &str| text.replace(['│', '\n', ' '], "");
            assert!(joined(&bare).contains(&joined(shown)), "{args:?}\n{bare}");
        }
    }
}

#[test]
fn a_folder_is_told_with_a_command_for_the_files_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("it's\u{1b}[2J $(x)")).expect("a folder");
    let (_, errors) = harmless(&said(folder.path(), &["run", "it's\u{1b}[2J $(x)"]));
    let bare = anstream::adapter::strip_str(&errors).to_string();
    let words = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let command = r#"passbook run "$(printf %b 'it'\''s\0033[2J $(x)')"/*.json"#;
    assert!(words.contains(command), "{bare}");
}

#[test]
fn a_wrong_history_or_row_is_told_with_its_words_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.json", &scenario("a"));
    said(folder.path(), &["run", "--history", "a.history", "a.json"]);
    said(folder.path(), &["batch", "a.json", "--export-jsonl", "a.rows"]);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("text");
    let (history, rows) = (read("a.history"), read("a.rows"));
    for (name, _) in HOSTILE {
        let name = serde_json::to_string(name).expect("a text");
        let broken = |text: &str, key: &str| {
            [
                text.replacen('{', &format!("{{{name}:{name},"), 1),
                text.replacen(&format!("{{\"{key}\":"), &format!("{{\"{key}\":{name},\"x\":"), 1),
                format!("{name}\n{text}"),
                format!("{text}{{{name}:{name}}}\n"),
            ]
        };
        for text in broken(&history, "history") {
            put(folder.path(), "b.history", &text);
            let (said, errors) = harmless(&said(folder.path(), &["check", "b.history"]));
            assert!(said.is_empty() != errors.is_empty(), "{said}{errors}");
            assert!(errors.lines().count() <= 1, "{errors}");
        }
        for text in broken(&rows, "format") {
            put(folder.path(), "b.rows", &text);
            for args in [&["merge", "b.rows"][..], &["batch", "a.json", "--resume", "b.rows"]] {
                let done = said(folder.path(), args);
                let is_refused = done.status.code() == Some(2);
                assert_eq!(harmless(&done).1.lines().count(), usize::from(is_refused), "{done:?}");
            }
        }
    }
}

#[test]
fn a_word_of_a_million_characters_is_no_flood() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = serde_json::to_string(&"\u{1b}".repeat(1_000_000)).expect("a text");
    put(folder.path(), "a.history", &format!("{{\"history\":{name},\"version\":1}}\n"));
    put(folder.path(), "a.rows", &format!("{{\"kind\":{name}}}\n"));
    put(folder.path(), "a.json", &format!("[{{{name}:1}}]"));
    for args in [["check", "a.history"], ["merge", "a.rows"], ["run", "a.json"]] {
        let (text, errors) = harmless(&said(folder.path(), &args));
        assert!(text.is_empty() && errors.len() < 50_000, "{args:?} {}", errors.len());
    }
}
