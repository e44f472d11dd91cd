//! What goes wrong for good is told in one clear sentence, with a code, and within a bound.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::program::{Process, assert_same, done, passbook, pause, timeless_file, worker};
use crate::server::Server;

const SMALL: &str = "--count 200 --seed 3";

fn batch(url: &str) -> [&str; 5] {
    ["batch", "--generate", SMALL, "--nats", url]
}

/// What `args` end with, and what they say.
fn told(args: &[&str]) -> (i32, String) {
    let output = done(passbook(args));
    (output.code, output.stderr)
}

#[test]
fn a_server_that_is_not_there_is_told_and_one_that_comes_back_goes_on() {
    let mut server = Server::start();
    let url = server.url();
    let patient = ["--nats-patience", "1s"];
    let folder = TempDir::new().unwrap();
    let (here, elsewhere) = (folder.path().join("here"), folder.path().join("elsewhere"));
    let generate = "--count 6000 --seed 5 --customers 2 --events 40";
    let resume = |path: &Path| format!("--resume={}", path.display());
    let code = told(&["batch", "--generate", generate, &resume(&here)]).0;
    let there = resume(&elsewhere);
    let command = ["batch", "--generate", generate, &there, "--nats", &url];
    let coordinator = Process::start(passbook(&[&command[..], &patient].concat()));
    let busy = worker(&url);
    while fs::metadata(&elsewhere).map_or(0, |rows| rows.len()) == 0 {
        pause(Duration::from_millis(5));
    }
    drop(busy);
    let idle = Process::start(passbook(&[&["worker", "--nats", &url][..], &patient].concat()));
    pause(Duration::from_millis(300));
    server.kill();
    for process in [coordinator, idle] {
        let ended = process.end();
        let stderr = ended.stderr;
        assert_eq!(ended.code, 69, "{stderr}");
        // On a busy machine it may be gone before one of them has come to it.
        let is_told = ["did not answer for 1s", "cannot be reached"];
        assert!(is_told.iter().any(|told| stderr.contains(told)), "{stderr}");
    }
    let (code_without, stderr) = told(&[&["jobs", "--nats", &url][..], &patient].concat());
    assert_eq!(code_without, 69);
    assert!(stderr.contains("cannot be reached"), "{stderr}");
    server.restart();
    let _worker = worker(&url);
    assert_eq!(told(&command).0, code);
    assert_same(&timeless_file(&here), &timeless_file(&elsewhere));
}

#[test]
fn who_is_not_let_in_is_told_and_no_secret_is() {
    let server = Server::with("authorization { user: ann, password: s3cr3t }", &[]);
    let url = server.url();
    let (code, stderr) = told(&batch(&url));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("refuses the connection"), "{stderr}");
    let with = |password: &str| {
        let mut command = passbook(&["jobs", "--nats", &url, "--nats-user", "ann"]);
        command.env("PASSBOOK_NATS_PASSWORD", password).env("PASSBOOK_LOG", "trace");
        let output = done(command);
        (output.code, output.stderr)
    };
    let (code, stderr) = with("wr0ng");
    assert_eq!(code, 2, "{stderr}");
    assert!(!stderr.contains("wr0ng"), "{stderr}");
    let (code, stderr) = with("s3cr3t");
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("s3cr3t"), "{stderr}");
    let inside = url.replace("nats://", "nats://ann:s3cr3t@");
    let (code, stderr) = told(&["jobs", "--nats", &inside]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("others see arguments"), "{stderr}");
    assert!(!stderr.contains("s3cr3t"), "{stderr}");
    let (code, stderr) = told(&["jobs", "--nats", &url, "--nats-user", "ann"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("needs its password in PASSBOOK_NATS_PASSWORD"), "{stderr}");
}

#[test]
fn a_token_in_the_environment_lets_in() {
    let server = Server::with("authorization { token: t0ken }", &[]);
    for (token, code) in [("t0ken", 0), ("wr0ng", 2)] {
        let mut command = passbook(&["jobs", "--nats", &server.url()]);
        command.env("PASSBOOK_NATS_TOKEN", token).env("PASSBOOK_LOG", "trace");
        let output = done(command);
        assert_eq!(output.code, code, "{}", output.stderr);
        assert!(!output.stderr.contains(token), "{}", output.stderr);
    }
}

#[test]
fn an_nkey_from_a_file_lets_in() {
    // A pair that documentation shows: nobody's secret.
    let config = "authorization { users: [ { nkey: \
                  UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4 } ] }";
    let server = Server::with(config, &[]);
    let seed = server.folder.path().join("seed");
    let secret = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    fs::write(&seed, format!("{secret}\n")).unwrap();
    let url = server.url();
    let with = |more: &[&str]| {
        let mut command = passbook(&[&["jobs", "--nats", &url][..], more].concat());
        let output = done({
            command.env("PASSBOOK_LOG", "trace");
            command
        });
        assert!(!output.stderr.contains(&secret[..8]), "{}", output.stderr);
        (output.code, output.stderr)
    };
    let option = |name: &str| format!("{name}={}", seed.display());
    let (code, stderr) = with(&[&option("--nats-nkey")]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(with(&[]).0, 2);
    // Neither is it shown where it is no file of credentials, or no seed any more.
    assert_eq!(with(&[&option("--nats-creds")]).0, 2);
    fs::write(&seed, &secret[..40]).unwrap();
    assert_eq!(with(&[&option("--nats-nkey")]).0, 2);
}

/// A certificate for 127.0.0.1 that vouches for itself, and its key.
fn certificate(folder: &Path) -> [String; 2] {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=nats"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    [certificate, key].map(|path| path.display().to_string())
}

#[test]
fn both_ends_show_certificates_where_the_server_wants_it() {
    let folder = TempDir::new().unwrap();
    let [certificate, key] = certificate(folder.path());
    let config = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {certificate:?}, verify: true }}"
    );
    let server = Server::with(&config, &[]);
    let url = server.url().replace("nats://", "tls://");
    let with = |more: &[&str]| {
        told(&[&["jobs", "--nats", &url, "--nats-patience", "1s"][..], more].concat())
    };
    let (code, stderr) = with(&[]);
    assert_ne!(code, 0, "nobody vouches for the server");
    assert!(stderr.contains("certificate") || stderr.contains("TLS"), "{stderr}");
    let trusting = ["--nats-ca", &certificate];
    assert_ne!(with(&trusting).0, 0, "the server wants to know who comes");
    let shown = ["--nats-cert", &certificate, "--nats-key", &key];
    let (code, stderr) = with(&[trusting, [shown[0], shown[1]], [shown[2], shown[3]]].concat());
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn streams_of_others_are_left_alone() {
    let server = Server::start();
    let url = server.url();
    let made = server.ask(
        "$JS.API.STREAM.CREATE.PASSBOOK_SHARES",
        r#"{"name":"PASSBOOK_SHARES","subjects":["other.>"],"retention":"limits","storage":"file"}"#,
    );
    assert!(made.contains("\"did_create\":true"), "{made}");
    for args in [&batch(&url)[..], &["worker", "--nats", &url]] {
        let (code, stderr) = told(args);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("made by something else than passbook"), "{stderr}");
    }
}

#[test]
fn a_server_without_jetstream_or_without_room_is_told() {
    let small = Server::with("jetstream { store_dir: \"STORE\", max_file_store: 1MB }", &[]);
    let (code, stderr) = told(&batch(&small.url()));
    assert_eq!(code, 69, "{stderr}");
    assert!(stderr.contains("no room"), "{stderr}");
    let without = Server::with("jetstream: disabled", &[]);
    let url = without.url();
    let args = [&batch(&url)[..], &["--nats-patience", "1s"]].concat();
    let (code, stderr) = told(&args);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("no JetStream"), "{stderr}");
}

#[test]
fn a_full_stream_of_results_holds_workers_back_and_loses_nothing() {
    let server = Server::start();
    let url = server.url();
    let _workers = [worker(&url), worker(&url)];
    let run = |more: &[&str]| {
        let generate = "--count 8000 --seed 4";
        let args = ["batch", "--format", "json", "--generate", generate];
        let output = done(passbook(&[&args, more].concat()));
        assert_eq!(output.code, 0, "{}", output.stderr);
        crate::program::timeless(&output.stdout)
    };
    // Room for two results.
    let small = run(&["--nats", &url, "--nats-store-max", "1500KB"]);
    assert_same(&run(&[]), &small);
}

#[test]
fn a_worker_of_another_version_is_refused_with_one_line() {
    let server = Server::start();
    let url = server.url();
    assert_eq!(told(&["jobs", "--nats", &url]).0, 0);
    let idle = worker(&url);
    // The stream is there as soon as a worker is.
    let share = r#"{"format":1,"passbook":"9.9.9","job":"night","number":0,"work":{}}"#;
    let mut waited = Duration::ZERO;
    while !server.ask("$JS.API.STREAM.INFO.PASSBOOK_SHARES", "").contains("\"state\"") {
        waited += pause(Duration::from_millis(20));
        assert!(waited < Duration::from_secs(30), "there is no stream of shares");
    }
    drop(idle);
    let published = server.ask("passbook.shares.night.0", share);
    assert!(published.contains("\"seq\""), "{published}");
    let (code, stderr) = told(&["worker", "--nats", &url]);
    assert_eq!((code, stderr.lines().count()), (2, 1), "{stderr}");
    assert!(stderr.contains("is for passbook 9.9.9"), "{stderr}");
}

#[test]
fn a_job_is_listed_gone_on_with_by_its_name_alone_and_removed() {
    let server = Server::start();
    let url = server.url();
    let named = [&batch(&url)[..], &["--job", "night"]].concat();
    let mut first = Process::start(passbook(&named));
    let jobs = || done(passbook(&["jobs", "--nats", &url])).stdout;
    let mut waited = Duration::ZERO;
    while !jobs().contains("night\truns\t1 shares") {
        waited += pause(Duration::from_millis(50));
        assert!(waited < Duration::from_secs(30), "{}", jobs());
    }
    let (code, stderr) = told(&named);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("job night is run by another process"), "{stderr}");
    first.kill();
    let (code, stderr) =
        told(&["batch", "--generate", "--count 9", "--nats", &url, "--job", "night"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("there is a job night with other arguments"), "{stderr}");
    assert!(jobs().contains("night\twaits\t1 shares, 0 results"), "{}", jobs());
    let (code, stderr) = told(&["jobs", "--nats", &url, "remove", "night"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(jobs(), "");
    let (code, stderr) = told(&["jobs", "--nats", &url, "remove", "night"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no job night"), "{stderr}");
}

#[test]
fn a_removed_job_ends_whoever_runs_it() {
    let server = Server::start();
    let url = server.url();
    let named = [&batch(&url)[..], &["--job", "night", "--nats-lease", "1s"]].concat();
    let coordinator = Process::start(passbook(&named));
    let mut waited = Duration::ZERO;
    while told(&["jobs", "--nats", &url, "remove", "night"]).0 != 0 {
        waited += pause(Duration::from_millis(50));
        assert!(waited < Duration::from_secs(30), "there is no job");
    }
    let ended = coordinator.end();
    let stderr = ended.stderr;
    assert_eq!(ended.code, 69, "{stderr}");
    assert!(stderr.contains("job night was removed while it ran"), "{stderr}");
}

/// What a result says which share it is of.
fn digest(share: &[u8]) -> String {
    Sha256::digest(share)[..16].iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn two_results_of_one_share_are_a_defect_and_both_are_shown() {
    let server = Server::start();
    let url = server.url();
    let named = [&batch(&url)[..], &["--job", "night"]].concat();
    let mut coordinator = Process::start(passbook(&named));
    let digest = digest(&server.waiting_share(0));
    coordinator.kill();
    // The rows of another machine, one of which is wrong.
    let rows = done(passbook(&["batch", "--generate", SMALL, "--format", "json"]));
    let rows = rows.stdout;
    let mut lines: Vec<&str> = rows.lines().take(200).collect();
    let wrong = lines[41].replace("\"status\":\"holds\"", "\"status\":\"undecided\"");
    assert_ne!(wrong, lines[41]);
    lines[41] = &wrong;
    let about = r#"{"rows":{"overview":{},"filtered_out":0}}"#;
    let result = format!("{}\n{about}", lines.join("\n"));
    let payload = lz4_flex::compress_prepend_size(result.as_bytes());
    let headers = format!("Passbook-Share: {digest}\r\nPassbook-Worker: x\r\nPassbook-Threads: 1");
    let stored = server.ask_with("passbook.rows.night.0", &headers, &payload);
    assert!(stored.contains("\"seq\""), "{stored}");
    let (code, stderr) = told(&["worker", "--nats", &url]);
    assert_eq!(code, 70, "{stderr}");
    assert!(stderr.contains("share 0 of job night came to two results"), "{stderr}");
    assert!(stderr.contains("\"status\":\"holds\"") && stderr.contains("\"status\":\"undecided\""));
    let (code, stderr) = told(&named);
    assert_eq!(code, 70, "{stderr}");
    assert!(stderr.contains("share 0 of job night came to two results"), "{stderr}");
}

#[test]
fn a_result_whose_bytes_are_gone_is_made_again() {
    let server = Server::start();
    let url = server.url();
    let named = [&batch(&url)[..], &["--format", "json", "--job", "night"]].concat();
    let coordinator = Process::start(passbook(&named));
    let digest = digest(&server.waiting_share(0));
    let headers = format!("Passbook-Share: {digest}\r\nPassbook-Object: 0.gone");
    let stored = server.ask_with("passbook.rows.night.0", &headers, b"");
    assert!(stored.contains("\"seq\""), "{stored}");
    let _worker = worker(&url);
    let elsewhere = coordinator.end();
    assert_eq!(elsewhere.code, 0, "{}", elsewhere.stderr);
    let here = done(passbook(&["batch", "--generate", SMALL, "--format", "json"]));
    let [here, elsewhere] =
        [here, elsewhere].map(|output| crate::program::timeless(&output.stdout));
    assert_same(&here, &elsewhere);
}

#[test]
fn a_worker_that_is_told_to_end_gives_back_what_it_holds() {
    let server = Server::start();
    let url = server.url();
    let first = worker(&url);
    let generate = "--count 4000 --seed 6 --customers 2 --events 40";
    let args = ["batch", "--format", "json", "--generate", generate];
    let coordinator = Process::start(passbook(&[&args[..], &["--nats", &url]].concat()));
    pause(Duration::from_millis(600));
    first.terminate();
    assert_eq!(first.end().code, 0);
    let _second = worker(&url);
    let elsewhere = coordinator.end();
    let here = done(passbook(&args));
    let [here, elsewhere] =
        [here, elsewhere].map(|output| crate::program::timeless(&output.stdout));
    assert_same(&here, &elsewhere);
}
