//! `passbook health`: who watches over a bank is told whether it takes requests, and why not.

use crate::fakes::{hangs, idle, not_serving, says};
use crate::process::{Process, free_ports, passbook};

/// The exit code, and what is said of the bank at `address`.
fn health(address: &str, options: &[&str]) -> (Option<i32>, String) {
    let url = format!("http://{address}");
    let args = ["health", &url].into_iter().chain(options.iter().copied());
    let args: Vec<String> = args.map(str::to_owned).collect();
    let output = passbook(&args).output().expect("the program runs");
    let told = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    (output.status.code(), told.replace(&url, "URL"))
}

#[test]
fn a_bank_that_is_served_takes_requests_at_each_of_its_ports() {
    for (option, listeners) in [("--base-port=0", 2), ("--single-port=0", 1)] {
        let process = Process::serve(&[option.to_owned()], listeners);
        for address in &process.addresses {
            assert_eq!(health(address, &[]), (Some(0), "URL takes requests\n".to_owned()));
        }
    }
}

#[test]
fn what_takes_no_requests_is_told_and_exits_with_1() {
    let bare = |address: String| address.trim_start_matches("http://").to_owned();
    let http = says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    for (address, told) in [
        (format!("127.0.0.1:{}", free_ports(1)), "cannot be reached: nothing listens there"),
        (not_serving(), "takes no requests now: it says NOT_SERVING"),
        (idle(0.0), "has no service grpc.health.v1.Health"),
        (http, "speaks HTTP/1.1, not gRPC"),
    ] {
        let expected = format!("error: URL {told}\n");
        assert_eq!(health(&bare(address), &[]), (Some(1), expected));
    }
    let late = health(&bare(hangs()), &["--limit=50ms"]);
    assert_eq!(late, (Some(1), "error: URL did not answer within 50ms\n".to_owned()));
}

#[test]
fn a_bank_that_closes_is_gone_when_it_has_ended() {
    let process = Process::serve(&["--single-port=0".to_owned()], 1);
    let address = process.addresses[0].clone();
    assert_eq!(health(&address, &[]).0, Some(0));
    assert!(process.close("TERM").status.success());
    assert_eq!(health(&address, &[]).0, Some(1));
}

#[test]
fn what_is_no_address_is_refused() {
    let output = passbook(&["health".to_owned(), "localhost".to_owned()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("write it as http://127.0.0.1:50051"), "{told}");
}
