//! No error and no log shows the user or the password of a URL, wherever the URL came from and whatever else
//! is wrong with it.

use crate::support::program::command;

/// What a URL has before its host, and what comes after.
const SECRETS: [&str; 2] = ["ann:s3cr3t", "ann:p@s3cr3t=://x"];
const HOSTS: [&str; 3] = ["127.0.0.1:1", "[", "host:port"];

fn told(args: &[String], variable: Option<(&str, &str)>) -> String {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = command(&args);
    let output = command.env("PASSBOOK_LOG", "trace").envs(variable).output().expect("it runs");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).expect("text");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
    assert!(!told.is_empty() && !told.contains("s3cr3t"), "{args:?}: {told}");
    told
}

#[test]
fn no_url_is_shown_with_its_user() {
    for secret in SECRETS {
        for host in HOSTS {
            for scheme in ["http://", "https://", ""] {
                let url = format!("{scheme}{secret}@{host}");
                for option in ["--peer=2=", "--peer="] {
                    told(
                        &["serve", "--branch=1", &format!("{option}{url}")].map(str::to_owned),
                        None,
                    );
                }
                told(&["serve", &format!("--cors-origin={url}")].map(str::to_owned), None);
                told(&["health", &url].map(str::to_owned), None);
                if scheme.contains(':') {
                    told(&["jobs", &url].map(str::to_owned), None);
                    told(&[url], None);
                }
            }
            for scheme in ["nats://", "tls://", "http://", ""] {
                let url = format!("{scheme}{secret}@{host}");
                let nats = ["jobs", "--nats-patience=1ms"].map(str::to_owned);
                let given = told(&[&nats[..], &[format!("--nats={url}")]].concat(), None);
                assert_eq!(given, told(&nats, Some(("PASSBOOK_NATS_URL", &url))));
            }
        }
    }
}

#[test]
fn a_url_that_lacks_the_end_of_its_user_is_not_shown() {
    for url in ["nats://ann:s3cr3t", "ann:s3cr3t", "nats://ann:s3cr3t%40127.0.0.1:1"] {
        let nats = ["jobs", "--nats-patience=1ms"].map(str::to_owned);
        let told = told(&nats, Some(("PASSBOOK_NATS_URL", url)));
        assert!(told.contains("write it as nats://10.0.0.1:4222"), "{told}");
    }
}
