//! Files that unpack to gigabytes, and lines without an end: each is refused past `--document-max`,
//! by every command, in a process that may have two gigabytes.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::support::bounded::bounded;
use crate::support::program::{passbook, stderr, stdout};

const SCENARIO: &str = r#"[{"id":1,"type":"branch","balance":7},{"id":1,"type":"customer","events":[{"id":1,"interface":"query","dest":1}]}]"#;
const REFUSED: &str = "longer than 64MiB; --document-max allows more";
const HUGE_BYTES: u64 = 5 << 29;
const BLOCK_BYTES: u32 = 128 << 10;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// A file of 2.5 GiB that takes no room on the disk: one line of zeros.
fn huge(folder: &Path, name: &str) {
    let file = File::create(folder.join(name)).expect("a file");
    file.set_len(HUGE_BYTES).expect("a sparse file");
}

/// One block of a zstd frame (RFC 8878, 3.1.1.2): the same byte, so many times.
fn run_of(byte: u8, times: u32) -> [u8; 4] {
    let [low, middle, high, _] = (times << 3 | 1 << 1).to_le_bytes();
    [low, middle, high, byte]
}

/// A zstd frame with these blocks, and an empty last one.
fn zstd(blocks: impl IntoIterator<Item = [u8; 4]>) -> Vec<u8> {
    // Its descriptor: no checksum, no size, and a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    frame.extend(blocks.into_iter().flatten());
    frame.extend([1, 0, 0]);
    frame
}

/// Lines of 128 KiB of spaces: four gigabytes in 256 KB.
fn blank_zstd() -> Vec<u8> {
    let line = [run_of(b' ', BLOCK_BYTES), run_of(b'\n', 1)];
    zstd(std::iter::repeat_n(line, 32 << 10).flatten())
}

/// The same packed by gzip: a member of 16 MiB, again and again.
fn blank_gzip() -> Vec<u8> {
    let line = [&[b' '; 1 << 16][..], b"\n"].concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..256 {
        encoder.write_all(&line).expect("memory");
    }
    encoder.finish().expect("memory").repeat(256)
}

#[test]
fn blank_text_without_end_is_not_gathered() {
    let blank =
        "cannot read on from here: more than 64MiB of blank text; --document-max allows more";
    for packed in [blank_zstd(), blank_gzip()] {
        assert!(packed.len() < 6_000_000, "{}", packed.len());
        let folder = folder(&[("blank.jsonl", &packed)]);
        let done = bounded(folder.path(), &["batch", "blank.jsonl"], Stdio::null()).code(1);
        assert!(stdout(&done).contains(blank), "{}", stdout(&done));
        let stdin = File::open(folder.path().join("blank.jsonl")).expect("a file");
        let done = bounded(folder.path(), &["batch", "-"], stdin).code(1);
        assert!(stdout(&done).contains(blank), "{}", stdout(&done));
        for args in [&["check", "blank.jsonl"][..], &["run", "blank.jsonl:99999999"]] {
            let done = bounded(folder.path(), args, Stdio::null()).code(2);
            let told = "more than 64MiB of blank text; --document-max allows more";
            assert!(stderr(&done).contains(told), "{}", stderr(&done));
        }
    }
}

#[test]
fn many_blank_lines_before_a_scenario_are_passed_over() {
    let blank = run_of(b'\n', BLOCK_BYTES);
    let packed = zstd([blank; 24]);
    let text = [&packed[..], &ruzstd_of(SCENARIO)].concat();
    let folder = folder(&[("late.jsonl.zst", &text)]);
    let done = bounded(folder.path(), &["batch", "late.jsonl.zst"], Stdio::null()).code(0);
    let first = stdout(&done).lines().next().expect("a row");
    assert!(first.contains(r#""place":"late.jsonl.zst:3145729""#), "{first}");
}

fn ruzstd_of(text: &str) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

#[test]
fn a_scenario_that_unpacks_to_gigabytes_is_refused() {
    let packed = zstd(std::iter::repeat_n(run_of(b' ', BLOCK_BYTES), 32 << 10));
    let folder = folder(&[("bomb.json.zst", &packed), ("a.json", SCENARIO.as_bytes())]);
    fs::write(folder.path().join("a.expected.json"), &packed).expect("a file");
    let args = ["batch", "--format", "json", "bomb.json.zst", "a.json"];
    let done = bounded(folder.path(), &args, Stdio::null()).code(1);
    let refused: Vec<bool> = stdout(&done).lines().map(|line| line.contains(REFUSED)).collect();
    assert_eq!(refused, [true, true, false], "{}", stdout(&done));
    let done = bounded(folder.path(), &["run", "bomb.json.zst"], Stdio::null()).code(2);
    assert!(stderr(&done).contains(REFUSED), "{}", stderr(&done));
}

/// Each command with a file of one line of 2.5 GiB, and where it says so.
#[test]
fn a_line_without_end_is_refused_by_every_command() {
    let folder = folder(&[("a.json", SCENARIO.as_bytes()), ("b.json", SCENARIO.as_bytes())]);
    for name in ["huge.json", "huge.jsonl", "b.expected.json"] {
        huge(folder.path(), name);
    }
    for (args, code) in [
        (&["run", "huge.json"][..], 2),
        (&["run", "-"], 2),
        (&["check", "huge.jsonl"], 2),
        (&["check", "-"], 2),
        (&["merge", "huge.jsonl"], 2),
        (&["serve", "huge.json", "--base-port", "0"], 2),
        (&["compare", "huge.json"], 2),
        (&["compare", "a.json", "--baseline", "huge.json"], 2),
        (&["batch", "a.json", "--resume", "huge.jsonl"], 2),
        (&["batch", "huge.json"], 1),
        (&["batch", "huge.jsonl"], 1),
        (&["batch", "-"], 1),
        (&["run", "b.json"], 2),
        (&["batch", "b.json"], 1),
    ] {
        let stdin = File::open(folder.path().join("huge.json")).expect("a file");
        let done = bounded(folder.path(), args, stdin);
        let told = [stdout(&done), stderr(&done)].concat();
        assert!(told.contains(REFUSED), "{args:?}: {told}");
        done.code(code);
    }
    let length = fs::metadata(folder.path().join("huge.jsonl")).expect("a file").len();
    assert_eq!(length, HUGE_BYTES, "what cannot be gone on with stays as it is");
}

#[test]
fn the_limit_is_what_the_flag_says() {
    let long = format!("{SCENARIO}{}\n", " ".repeat(2000));
    let folder = folder(&[("a.json", long.as_bytes()), ("many.jsonl", long.as_bytes())]);
    let run = |args: &[&str]| bounded(folder.path(), args, Stdio::null());
    let told = "a.json is longer than 1kB; --document-max allows more";
    let done = run(&["run", "--document-max", "1kB", "a.json"]).code(2);
    assert!(stderr(&done).contains(told), "{}", stderr(&done));
    run(&["run", "-q", "--document-max", "4KiB", "a.json"]).code(0);
    for input in ["a.json", "many.jsonl"] {
        let done = run(&["batch", "--document-max=1kB", input]).code(1);
        assert!(stdout(&done).contains("longer than 1kB; --document-max"), "{}", stdout(&done));
        run(&["batch", "--document-max=4KiB", input]).code(0);
    }
    let done = passbook(&["run", "--document-max", "0", "a.json"]).code(2);
    assert!(stderr(&done).contains("0 bytes hold nothing"), "{}", stderr(&done));
}

#[test]
fn documents_that_no_parcel_holds_are_refused_before_a_server_is_asked() {
    let folder = folder(&[("bank.json", SCENARIO.as_bytes())]);
    let path = folder.path().join("bank.json").display().to_string();
    for command in ["batch", "simulate"] {
        let args = [command, &path, "--nats=nats://127.0.0.1:1", "--document-max=257MiB"];
        let refused = passbook(&args).code(2);
        let told = "--document-max is 257MiB, and with --nats it is at most 256MiB";
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }
}
