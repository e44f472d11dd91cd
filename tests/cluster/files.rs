//! Scenarios in files: they come to the workers as they are read here, with what stands beside them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::program::{assert_same, done, passbook, timeless, worker};
use crate::server::Server;

fn rows(args: &[&str], folder: &Path) -> String {
    let mut command = passbook(&[&["batch", "--format", "json"], args].concat());
    command.current_dir(folder);
    let output = done(command);
    assert_eq!(output.code, 1, "{}", output.stderr);
    timeless(&output.stdout)
}

#[test]
fn files_lines_and_what_stands_beside_them_come_to_the_same() {
    let server = Server::start();
    let url = server.url();
    let _workers = [worker(&url), worker(&url)];
    let folder = TempDir::new().unwrap();
    let cases = folder.path().join("cases");
    fs::create_dir(&cases).unwrap();
    for file in fs::read_dir("input").unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            fs::copy(&file, cases.join(file.file_name().unwrap())).unwrap();
        }
    }
    let made = done(passbook(&["generate", "--count", "2500", "--expected", "balances"]));
    fs::write(folder.path().join("many.jsonl"), &made.stdout).unwrap();
    fs::write(cases.join("broken.json"), "[{\"id\": 1, \"type\": \"bransh\"}]").unwrap();
    fs::write(cases.join("bad.json"), fs::read("input/read_your_writes.json").unwrap()).unwrap();
    fs::write(cases.join("bad.expected.json"), "nonsense").unwrap();
    fs::write(folder.path().join("odd.jsonl"), [b"{}\n\xff\xfe\n[]\n".as_slice(), b"x"].concat())
        .unwrap();
    for args in [
        &["cases", "many.jsonl", "odd.jsonl"][..],
        &["cases", "many.jsonl:17", "--filter", "read*", "--filter", "bad"],
        &["many.jsonl", "odd.jsonl", "--strict", "--seed", "5", "--propagation", "async"],
    ] {
        let here = rows(args, folder.path());
        let elsewhere = rows(&[args, &["--nats", &url]].concat(), folder.path());
        assert_same(&here, &elsewhere);
    }
}

#[test]
fn a_row_that_no_message_holds_comes_all_the_same() {
    let server = Server::with("max_payload: 64KB", &[]);
    let url = server.url();
    let _worker = worker(&url);
    let folder = TempDir::new().unwrap();
    // A row tells the balance of each customer.
    let made =
        done(passbook(&["generate", "--count", "3", "--customers", "5000", "--events", "1"]));
    fs::write(folder.path().join("wide.jsonl"), made.stdout + "x\n").unwrap();
    let here = rows(&["wide.jsonl"], folder.path());
    assert!(here.lines().any(|line| line.len() > 64 << 10), "too short to show anything");
    assert_same(&here, &rows(&["wide.jsonl", "--nats", &url], folder.path()));
}

#[test]
fn a_batch_goes_on_with_a_file_of_rows() {
    let server = Server::start();
    let url = server.url();
    let _worker = worker(&url);
    let folder = TempDir::new().unwrap();
    let made = done(passbook(&["generate", "--count", "3000"]));
    fs::write(folder.path().join("many.jsonl"), made.stdout + "x\n").unwrap();
    let here = rows(&["many.jsonl"], folder.path());
    // As if it had been killed while it wrote.
    let cut: String = here.chars().take(here.len() / 2).collect();
    fs::write(folder.path().join("rows.jsonl"), cut).unwrap();
    rows(&["many.jsonl", "--resume", "rows.jsonl", "--nats", &url], folder.path());
    let resumed = fs::read_to_string(folder.path().join("rows.jsonl")).unwrap();
    assert_same(&here, &timeless(&resumed));
}
