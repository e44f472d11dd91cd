//! The documents show what the program prints: each `console` block is run as it stands.
//!
//! A block is a shell session: a line that begins with `$ ` is a command (`> ` goes on with it), `? 2`
//! below it is the exit code that it ends with, and what follows is what it prints, on both streams. In
//! that, `[..]` stands for any text within a line, and a line `...` for any lines. All blocks of a
//! document are one session, in an empty folder with the project's `input/`. A block `console interop`
//! needs clients that others made: `tests/interop/run` runs it, against the bank of the comment before
//! it (`<!-- passbook serve … -->`). A block of Python that begins with `# name.py` is that file. Every other block says what it is: `text`, `json`, …
//!
//! `DOCS=write cargo test --test docs` writes what was printed into the documents: read the diff.

mod block;
mod pattern;
mod session;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use block::{Block, Kind};
use session::Session;

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [root.to_owned(), root.join("docs")] {
        let entries = fs::read_dir(folder).expect("a folder of documents");
        found.extend(entries.map(|entry| entry.expect("a document").path()));
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

/// Runs the blocks of `kind` in all documents. What is not as it is printed, place by place.
fn wrong(kind: Kind) -> (usize, Vec<String>) {
    let (mut commands, mut wrong) = (0, Vec::new());
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        let blocks = block::blocks(&text);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut written: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut session = Session::new();
        let mut rewritten = Vec::new();
        for block in &blocks {
            if let Some(file) = block.file() {
                session.write(file, &block.text);
            }
            if block.kind != kind {
                continue;
            }
            session.serve(block.served.as_deref());
            for step in &block.steps {
                commands += 1;
                let ran = session.run(&step.command);
                if ran.code != step.code || !pattern::matches(&step.prints, &ran.prints) {
                    wrong.push(format!(
                        "{name}:{}: $ {}\nit prints, and ends with {}:\n{}\n",
                        step.line, step.command, ran.code, ran.prints
                    ));
                    rewritten.push((step, ran));
                }
            }
        }
        if env::var_os("DOCS").is_some_and(|how| how == "write") && !rewritten.is_empty() {
            for (step, ran) in rewritten.iter().rev() {
                let code = (ran.code != 0).then(|| format!("? {}", ran.code));
                let lines = code.into_iter().chain(ran.prints.lines().map(str::to_owned));
                written.splice(step.output.clone(), lines);
            }
            fs::write(&path, written.join("\n") + "\n").expect("it is written");
        }
    }
    (commands, wrong)
}

#[test]
fn documents_show_what_the_program_prints() {
    let (commands, wrong) = wrong(Kind::Console);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands >= 20, "only {commands} commands in all documents");
}

#[test]
#[ignore = "run by tests/interop/run, which has the clients"]
fn documents_show_what_clients_print() {
    assert!(env::var_os("DOCS_TOOLS").is_some(), "tests/interop/run says where the clients are");
    let (commands, wrong) = wrong(Kind::Interop);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands >= 5, "only {commands} commands in all documents");
}

#[test]
fn every_block_says_what_it_is() {
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        for Block { kind, line, steps, .. } in block::blocks(&text) {
            let place = format!("{}:{line}", path.display());
            assert_ne!(kind, Kind::Unnamed, "{place}: a block without a word after its ```");
            let is_session = matches!(kind, Kind::Console | Kind::Interop);
            assert_eq!(is_session, !steps.is_empty(), "{place}: commands are in console blocks");
        }
    }
}

/// What `--help` of `command` names that begins with `prefix`.
fn named(command: &str, prefix: &str) -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_passbook")).args([command, "--help"]).output();
    let help = String::from_utf8(help.expect("it runs").stdout).expect("text");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words = help.split(|c| !is_part(c)).filter(|word| word.starts_with(prefix));
    words.map(str::to_owned).collect()
}

fn missing(names: BTreeSet<String>, documents: &[&str]) -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name: &&str| fs::read_to_string(docs.join(name)).expect("a document");
    let text: String = documents.iter().map(read).collect();
    names.into_iter().filter(|name| !text.contains(&format!("`{name}"))).collect()
}

#[test]
fn every_variable_of_the_environment_is_in_the_table() {
    let commands = ["run", "batch", "merge", "check", "serve", "secret", "compare", "generate"];
    let names: BTreeSet<_> = commands.iter().flat_map(|it| named(it, "PASSBOOK_")).collect();
    assert!(names.len() >= 15, "{names:?}");
    assert_eq!(missing(names, &["SERVE.md"]), [""; 0]);
}

#[test]
fn every_option_of_a_served_bank_is_explained() {
    let mut names = named("serve", "--");
    assert!(names.len() >= 35, "{names:?}");
    names.remove("--help");
    assert_eq!(missing(names, &["SERVE.md", "LIMITS.md"]), [""; 0]);
}

/// What a heading's link is, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_';
    heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// The links of `text` to places of this project.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target).filter(|target| !target.contains("://"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a document");
        let folder = path.parent().expect("a folder");
        for link in links(&text) {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if !part.is_empty() {
                let text = fs::read_to_string(&target).expect("a document");
                let headings = text.lines().filter_map(|line| line.split_once("# "));
                let mut headings = headings.filter(|(marks, _)| marks.chars().all(|c| c == '#'));
                let is_there = headings.any(|(_, heading)| anchor(heading) == part);
                assert!(is_there, "{}: {link} names no heading", path.display());
            }
            found += 1;
        }
    }
    assert!(found > 50, "only {found} links");
}

#[test]
fn a_block_is_read_and_compared_as_it_says() {
    let text = "x\n<!-- passbook serve --balance 7 -->\n```console interop\n$ a \\\n> b\n? 2\none\n\n...\nlast [..] s\n$ c\n```\n```\n```\n";
    let blocks = block::blocks(text);
    let [Block { kind, served, steps, .. }, Block { kind: Kind::Unnamed, .. }] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!((*kind, served.as_deref()), (Kind::Interop, Some("--balance 7")));
    let [first, second] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((first.command.as_str(), first.code, first.line), ("a \\\nb", 2, 4));
    assert_eq!((second.command.as_str(), second.code, second.prints.as_str()), ("c", 0, ""));
    assert!(pattern::matches(&first.prints, "one\n\nx\ny\nlast 17 s\n"));
    assert!(pattern::matches(&first.prints, "one\n\nlast of all s\n"));
    for other in ["one\n\nlast 17 min\n", "one\nlast 1 s\n", "one\n\nlast 1 s\nmore\n", ""] {
        assert!(!pattern::matches(&first.prints, other), "{other}");
    }
    assert!(pattern::matches("", "") && !pattern::matches("", "x\n"));
}
