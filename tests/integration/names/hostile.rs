//! Names that do harm where they are taken for something else, and how to see that they did not.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::support::program::command;

/// Names, and how each is shown to a person.
pub(crate) const HOSTILE: [(&str, &str); 20] = [
    ("clear\u{1b}[2J\u{1b}[45mred", r"clear\u{1b}[2J\u{1b}[45mred"),
    (
        "\u{1b}]8;;https:evil\u{7}link\u{1b}]8;;\u{1b}\\",
        r"\u{1b}]8;;https:evil\u{7}link\u{1b}]8;;\u{1b}\",
    ),
    ("bell\u{7}", r"bell\u{7}"),
    ("over\rwritten\u{8}", r"over\rwritten\u{8}"),
    ("c1\u{9b}2J\u{85}", r"c1\u{9b}2J\u{85}"),
    ("photo\u{202e}gpj.exe\u{2066}", r"photo\u{202e}gpj.exe\u{2066}"),
    ("line\u{2028}mark\u{feff}\u{200b}", r"line\u{2028}mark\u{feff}\u{200b}"),
    ("del\u{7f}", r"del\u{7f}"),
    ("two\nlines\n::error::x", r"two\nlines\n::error::x"),
    ("tab\there", r"tab\there"),
    ("<script>alert(1)<!--&lt;", "<script>alert(1)<!--&lt;"),
    ("]]>&#27;\"'", "]]>&#27;\"'"),
    ("=cmd|'C:calc'!A0", "=cmd|'C:calc'!A0"),
    ("| a | ![b](c) |", "| a | ![b](c) |"),
    ("`tick` ``two`` \\", "`tick` ``two`` \\"),
    ("$(touch pwned); `touch pwned`", "$(touch pwned); `touch pwned`"),
    ("--option", "--option"),
    ("-dash", "-dash"),
    ("Überweisung 银行", "Überweisung 银行"),
    ("👩‍👩‍👧 ❤️", "👩‍👩‍👧 ❤️"),
];

/// Two branches, and a customer that reads before its deposit has arrived; with a result that is
/// not the expected one.
const STALE: &str = r#""propagation":"async","guarantees":"none","latency":"constant:50ms","processes":[{"id":1,"type":"branch","balance":0},{"id":2,"type":"branch","balance":0},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":400,"dest":1},{"id":2,"interface":"query","dest":2}]}]"#;

/// A scenario called `name` that breaks a guarantee.
pub(crate) fn scenario(name: &str) -> String {
    let name = serde_json::to_string(name).expect("a text");
    format!("{{\"name\":{name},{STALE}}}")
}

/// A folder with a scenario for each hostile name, in a file of that name, and beside it an
/// expected result that is to be noted; and the names of the files.
pub(crate) fn folder() -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (name, _) in HOSTILE {
        put(folder.path(), &format!("{name}.json"), &scenario(name));
        put(folder.path(), &format!("{name}.expected.json"), "[{'id': 1, 'balance': 7}]");
        files.push(format!("./{name}.json"));
    }
    (folder, files)
}

pub(crate) fn put(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

/// What the program with `args` says in `folder`, in colour: where colour is dropped, what a name
/// does to a terminal is dropped with it.
pub(crate) fn said(folder: &Path, args: &[&str]) -> Output {
    let mut program = command(args);
    for variable in ["JOBS", "PARTITION", "BATCH_FORMAT"] {
        program.env_remove(format!("PASSBOOK_{variable}"));
    }
    program.current_dir(folder).env("CLICOLOR_FORCE", "1").env("PASSBOOK_COLOR", "always");
    Command::from_std(program).output().expect("the program runs")
}

/// Both outputs of `said`, which do nothing to a terminal.
pub(crate) fn harmless(said: &Output) -> (String, String) {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        assert_harmless(&text);
        text
    };
    (text(&said.stdout), text(&said.stderr))
}

/// Fails where a terminal would do anything but show `text`, in our colours, or hide part of it.
#[track_caller]
pub(crate) fn assert_harmless(text: &str) {
    let bare = anstream::adapter::strip_str(text).to_string();
    let coloured: usize = text.split('\u{1b}').skip(1).map(colour_len).sum();
    assert_eq!(bare.len() + coloured, text.len(), "more than colours: {text:?}");
    let obeyed = bare.chars().find(|c| is_obeyed(*c));
    assert_eq!(obeyed, None, "{bare:?}");
}

/// How long one of our colours is that `text` begins with after an escape; 0 for anything else.
fn colour_len(text: &str) -> usize {
    let ours = ["0", "1", "2", "4", "30", "31", "32", "33", "34", "35", "36", "37", "39", "90"];
    let Some((code, _)) = text.strip_prefix('[').and_then(|code| code.split_once('m')) else {
        return 0;
    };
    if code.split(';').all(|code| ours.contains(&code)) { code.len() + 3 } else { 0 }
}

/// Controls, marks of direction, ends of lines and what has no width, but for the end of a line.
pub(crate) fn is_obeyed(c: char) -> bool {
    let number = u32::from(c);
    let is_control = number < 0x20 || (0x7f..0xa0).contains(&number);
    let others = [0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0xfeff];
    let is_format = (0x2028..0x202f).contains(&number) || (0x2060..0x2070).contains(&number);
    c != '\n' && (is_control || is_format || others.contains(&number))
}
