//! The `Containerfile`: what it says to build, to run and to ask is there, and works. No container is
//! made here: its commands are run as they stand, by the program that the tests have.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::process::{Process, free_ports, passbook};

/// The port of branch 1, unless something else is asked for.
const PORT: &str = "50051";

/// The instructions, with those that are continued on one line.
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string("Containerfile").expect("the file").replace("\\\n", " ");
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parts = lines.map(|line| line.split_once(' ').expect("an instruction and more"));
    parts.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// What the last stage says by `word`, which it says once.
fn only(word: &str) -> String {
    let all = instructions();
    let last_stage = all.iter().rposition(|(word, _)| word == "FROM").expect("a stage");
    let mut said = all[last_stage..].iter().filter(|(found, _)| found == word);
    let (_, rest) = said.next().unwrap_or_else(|| panic!("no {word}"));
    assert_eq!(said.next(), None, "{word} is said twice");
    rest.clone()
}

/// A command in the form that needs no shell.
fn arguments(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_container_serves_is_healthy_and_closes_in_order_when_it_is_stopped() {
    assert_eq!(arguments(&only("ENTRYPOINT")), ["passbook"]);
    let command = arguments(&only("CMD"));
    assert_eq!(command[0], "serve");
    let ports = only("EXPOSE");
    assert!(ports.split(' ').any(|port| port == PORT), "{ports}");
    let base = free_ports(2) - 1;
    // As the container's environment says, but for the ports, which others may have.
    let mut options = command[1..].to_vec();
    options.push(format!("--base-port={base}"));
    let environment = only("ENV");
    let listen = environment.strip_prefix("PASSBOOK_LISTEN=").expect("the address");
    options.push(format!("--listen={listen}"));
    let process = Process::serve(&options, 2);
    assert_eq!(process.addresses[0], format!("0.0.0.0:{}", base + 1));

    let check = only("HEALTHCHECK");
    let (_, asked) = check.split_once("CMD ").expect("a command");
    let asked = arguments(asked);
    assert_eq!(asked[0], "passbook");
    let asked: Vec<String> =
        asked[1..].iter().map(|part| part.replace(PORT, &(base + 1).to_string())).collect();
    let healthy = passbook(&asked).output().expect("the program runs");
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");

    let signal = only("STOPSIGNAL");
    let closed = process.close(signal.strip_prefix("SIG").expect("a signal by its name"));
    assert_eq!(closed.status.code(), Some(0));
    assert_eq!(closed.told()["turned_away"], 0);
    let unhealthy = passbook(&asked).output().expect("the program runs");
    assert_eq!(unhealthy.status.code(), Some(1), "{unhealthy:?}");
}

#[test]
fn it_runs_as_nobody_in_particular() {
    let user = only("USER");
    assert!(user.parse().is_ok_and(|number: u32| number > 0), "{user}");
}

#[test]
fn what_it_copies_and_builds_is_there() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let mut stages = BTreeMap::new();
    let (mut profile, mut built) = (None, Vec::new());
    for (word, rest) in instructions() {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match word.as_str() {
            "FROM" => {
                if let [image, "AS", name] = words[..] {
                    stages.insert(name.to_owned(), image.to_owned());
                }
            }
            "RUN" => {
                let at = words.iter().position(|&word| word == "--profile");
                profile = at.map(|at| words[at + 1].to_owned()).or(profile);
            }
            "COPY" => match words[0].strip_prefix("--from=") {
                Some(stage) => {
                    assert!(stages.contains_key(stage), "{stage}");
                    let copied = words[1..words.len() - 1].iter();
                    built.extend(copied.map(|path| path.trim_start_matches("/source/").to_owned()));
                }
                None => {
                    for path in &words[..words.len() - 1] {
                        assert!(Path::new(path).exists(), "{path}");
                    }
                }
            },
            _ => {}
        }
    }
    let profile = profile.expect("a profile");
    let (programs, files): (Vec<_>, Vec<_>) =
        built.into_iter().partition(|path| path.starts_with("target/"));
    assert_eq!(programs, [format!("target/{profile}/passbook")]);
    assert!(!files.is_empty() && files.iter().all(|path| Path::new(path).exists()), "{files:?}");
    assert!(manifest.contains(&format!("[profile.{profile}]")), "{profile}");
    // The toolchain is as new as the package asks for.
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.expect("a version").trim_matches('"');
    assert!(
        stages["build"].starts_with(&format!("docker.io/library/rust:{version}")),
        "{stages:?}"
    );
}
