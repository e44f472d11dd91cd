//! Ends before the end: failures, signals, a reader that goes away, a disk that is full.

use std::fs::{DirEntry, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::batch::fixture::*;
use crate::support::program::{command, stderr, stdout};

fn spawn(args: &[&str], folder: &std::path::Path) -> Child {
    let mut command = command(&["batch"]);
    command.args(args).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(done.expect("kill").success());
}

fn text_of(stream: Option<impl Read>) -> String {
    let mut text = String::new();
    stream.expect("a pipe").read_to_string(&mut text).expect("text");
    text
}

#[test]
fn failures_stop_a_batch_where_they_are() {
    let lines = [HOLDS, VIOLATED, HOLDS, UNDECIDED, BROKEN, HOLDS].join("\n");
    let folder = folder(&[("many.jsonl", &lines)]);
    for (args, rows_left) in
        [(&["--fail-fast"][..], 2), (&["--max-fail", "2"], 5), (&["--max-fail", "3"], 6)]
    {
        let args = [&["many.jsonl", "-j", "4"], args].concat();
        let done = batch(folder.path(), &args).code(1);
        let (rows, summary) = rows_and_summary(stdout(&done));
        assert_eq!(numbers(&rows), (1..=rows_left).collect::<Vec<_>>());
        let stopped = if rows_left == 6 { serde_json::Value::Null } else { "failures".into() };
        assert_eq!(summary["stopped"], stopped);
        assert_eq!(summary["rows"], rows_left);
    }
}

#[test]
fn an_interrupt_leaves_whole_lines_and_a_summary() {
    for name in ["-INT", "-TERM"] {
        let folder = folder(&[]);
        let args = ["-", "--format", "json", "--export-csv", "rows.csv", "--export-junit", "j.xml"];
        let mut child = spawn(&args, folder.path());
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(many(200).as_bytes()).expect("it reads");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        for _ in 0..200 {
            output.read_line(&mut text).expect("a row");
        }
        // All rows are here, and it waits for more.
        signal(&child, name);
        output.read_to_string(&mut text).expect("text");
        let code = if name == "-INT" { 130 } else { 143 };
        assert_eq!(child.wait().expect("an end").code(), Some(code));
        let (rows, summary) = rows_and_summary(&text);
        assert_eq!(rows.len(), 200);
        assert_eq!((&summary["rows"], &summary["stopped"]), (&200.into(), &"interrupted".into()));
        assert_eq!(summary["statuses"]["holds"], 200);
        let told = text_of(child.stderr.take());
        assert_eq!(told, "warning: interrupted; --resume goes on with a file of rows\n");
        assert_eq!(read(folder.path(), "rows.csv").lines().count(), 201);
        let xml = read(folder.path(), "j.xml");
        let document = roxmltree::Document::parse(&xml).expect("XML");
        let errors: Vec<_> =
            document.descendants().filter(|node| node.has_tag_name("error")).collect();
        let message = errors[0].attribute("message");
        assert_eq!(message, Some("the batch was interrupted after 200 scenarios"));
        assert_eq!(errors.len(), 1);
        drop(input);
    }
}

#[test]
fn without_a_terminal_a_line_now_and_then_says_how_far_it_is() {
    let folder = folder(&[]);
    let mut child = spawn(&["-", "--progress-every", "1ms"], folder.path());
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(many(20).as_bytes()).expect("it reads");
    // It waits for more, so there is a line with all of these in the end.
    let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("note: 20 scenarios, ") {
        line.clear();
        assert_ne!(told.read_line(&mut line).expect("a line"), 0, "it ended");
        assert!(line.starts_with("note: ") && line.ends_with(" a second, 0 failed\n"), "{line}");
    }
    drop(input);
    assert_eq!(text_of(child.stdout.take()).lines().count(), 21);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let folder = folder(&[("one.json", HOLDS)]);
    let (full, _reader) = full_pipe();
    let args = ["batch", "one.json", "--format", "json", "--export-csv", "rows.csv"];
    let mut command = command(&args);
    command.current_dir(folder.path()).stdout(full);
    let mut child = command.spawn().expect("the program starts");
    // It listens before it writes anything.
    let begun = |entry: &DirEntry| entry.file_name().to_string_lossy().starts_with("rows.csv");
    while !folder.path().read_dir().expect("a folder").flatten().any(|entry| begun(&entry)) {
        thread::yield_now();
    }
    // Nobody takes its row, so it cannot come to its end by itself.
    let status = loop {
        signal(&child, "-INT");
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
}

/// A standard output that takes no more, and the end that nobody reads.
fn full_pipe() -> (OwnedFd, UnixStream) {
    let (mut writer, reader) = UnixStream::pair().expect("a pair");
    writer.set_nonblocking(true).expect("a pair");
    for piece in [&[b'x'; 4096][..], b"x"] {
        let full = loop {
            if let Err(error) = writer.write(piece) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
    }
    writer.set_nonblocking(false).expect("a pair");
    (OwnedFd::from(writer), reader)
}

#[test]
fn a_reader_that_goes_away_ends_a_batch_quietly() {
    let folder = folder(&[("many.jsonl", &many(6000))]);
    for args in [&["many.jsonl", "--export-csv", "rows.csv"][..], &["many.jsonl", "--list"]] {
        let mut child = spawn(args, folder.path());
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        output.read_line(&mut String::new()).expect("a row");
        drop(output);
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{args:?}");
        assert_eq!(text_of(child.stderr.take()), "", "{args:?}");
    }
    let csv = read(folder.path(), "rows.csv");
    assert!(csv.ends_with('\n') && csv.lines().count() > 1, "whole lines");
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = folder(&[("many.jsonl", &many(2000)), ("one.json", HOLDS)]);
    for input in ["many.jsonl", "one.json"] {
        for export in ["--export-jsonl", "--export-csv", "--export-junit"] {
            let done = batch(folder.path(), &[input, export, "/dev/full"]).code(70);
            let told = "cannot write the results: /dev/full: No space left on device";
            assert!(stderr(&done).contains(told), "{export}: {}", stderr(&done));
        }
        for format in ["json", "text"] {
            let full = File::options().write(true).open("/dev/full").expect("/dev/full");
            let mut command = command(&["batch", input, "--format", format]);
            command.current_dir(folder.path()).stdout(full).stderr(Stdio::piped());
            let done = command.output().expect("the program starts");
            assert_eq!(done.status.code(), Some(70), "{format}");
            let told = String::from_utf8(done.stderr).expect("text");
            assert!(told.starts_with("error: cannot write the results: No space left"), "{told}");
        }
    }
}
