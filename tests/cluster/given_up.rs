//! What no worker can run is given up after five answers: the job ends, and says of what and why.

use std::fs;

use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::{self, Context};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Process, assert_same, done, passbook, timeless, timeless_file, worker};
use crate::server::Server;

/// A worker with less memory than a bank of a thousand branches takes, which is 38 MiB.
fn small_worker(url: &str) -> Process {
    let memory = ["--memory-max", "33MiB"];
    Process::start(passbook(&[&["worker", "--threads", "1", "--nats", url][..], &memory].concat()))
}

const WHY: &str = "given up, for five workers could not run it: this takes about 38MiB of memory, \
                   and may take 33MiB";

/// The rows in `text`, and the summary at its end.
fn rows(text: &str) -> (Vec<Value>, Value) {
    let text = timeless(text);
    let mut rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = rows.pop().unwrap();
    (rows, summary)
}

#[test]
fn a_share_that_no_worker_can_run_becomes_rows_that_say_so() {
    let server = Server::start();
    let url = server.url();
    let worker = small_worker(&url);
    let folder = TempDir::new().unwrap();
    let made = |args: &[&str]| done(passbook(&[&["generate"], args].concat())).stdout;
    let small = made(&["--count", "300", "--seed", "3"]);
    let large = made(&["--branches", "1000", "--customers", "1", "--events", "3", "--count", "1"]);
    // It is the 301st.
    let many = folder.path().join("many.jsonl");
    fs::write(&many, [small.as_str(), &large, &small].concat()).unwrap();
    let many = many.display().to_string();
    let run = |more: &[&str]| {
        let args = ["batch", &many, "--format", "json", "--memory-max", "1GiB"];
        done(passbook(&[&args, more].concat()))
    };
    let (here, elsewhere) = (run(&[]), run(&["--nats", &url]));
    assert_eq!((here.code, elsewhere.code), (0, 1), "{}{}", here.stderr, elsewhere.stderr);
    let told = |what: &str| elsewhere.stderr.matches(what).count();
    assert_eq!((told("it is tried again"), told("it is given up")), (4, 1), "{}", elsewhere.stderr);
    let ((here, _), (elsewhere, summary)) = (rows(&here.stdout), rows(&elsewhere.stdout));
    assert_eq!((here.len(), elsewhere.len()), (601, 601));
    let mut given_up = Vec::new();
    for (here, elsewhere) in here.iter().zip(&elsewhere) {
        if elsewhere["status"] != "error" {
            assert_eq!(here, elsewhere);
            continue;
        }
        let problem = elsewhere["problem"].as_str().unwrap();
        assert!(problem.starts_with(WHY), "{problem}");
        assert_eq!((&here["number"], &here["place"]), (&elsewhere["number"], &elsewhere["place"]));
        given_up.push(elsewhere["number"].as_u64().unwrap());
    }
    // The large one, and what is in one share with it.
    let (first, last) = (*given_up.first().unwrap(), *given_up.last().unwrap());
    assert!((2..=301).contains(&first) && (301..601).contains(&last), "{first} to {last}");
    assert_eq!(given_up, Vec::from_iter(first..=last));
    assert_eq!(summary["statuses"]["error"], given_up.len());
    // The worker that could not goes on.
    worker.terminate();
    let ended = worker.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("this takes about 38MiB of memory"), "{}", ended.stderr);
}

#[test]
fn seeds_that_no_worker_can_run_have_failed_and_are_a_finding_of_the_first() {
    let server = Server::start();
    let url = server.url();
    let _worker = small_worker(&url);
    let load = ["--seeds", "7..12", "--branches", "1000", "--events", "3", "--memory-max", "1GiB"];
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.json");
    let json = format!("--export-json={}", file.display());
    let form = ["simulate", &json, "--output", "/dev/null", "--nats", &url];
    let ended = done(passbook(&[&form[..], &load].concat()));
    assert_eq!(ended.code, 70, "{}", ended.stderr);
    let told = |what: &str| ended.stderr.matches(what).count();
    assert_eq!((told("it is tried again"), told("it is given up")), (4, 1), "{}", ended.stderr);
    assert!(ended.stdout.ends_with("\n  ✗ 5 of 5 seeds failed\n"), "{}", ended.stdout);
    let report: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let counted = ["seeds", "violated", "failed"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(counted, [5, 0, 5], "nobody has judged them");
    let finding = &report["findings"][0];
    assert_eq!((&finding["seed"], report["findings"].as_array().unwrap().len()), (&7.into(), 1));
    let problem = finding["problem"].as_str().unwrap();
    let why = "given up, for five workers could not run seeds 7 to 11: ";
    assert!(problem.starts_with(why), "{problem}");
    assert!(problem.contains("may take 33MiB"), "{problem}");
}

/// What happens at the server to the input of the second share.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Something else is put in its place.
    Replaced,
    /// The input of the first share is put in its place.
    Exchanged,
    /// Its bytes are others, and what is said of them is not.
    Overwritten,
    /// Its bytes are gone, and what is said of them is not.
    Emptied,
    /// It is gone.
    Removed,
}

impl Damage {
    async fn strike(self, context: &Context, [first, second]: [&str; 2]) {
        const BUCKET: &str = "passbook-night";
        let bucket: ObjectStore = context.get_object_store(BUCKET).await.unwrap();
        let chunks = bucket.info(second).await.unwrap().nuid;
        let chunks = format!("$O.{BUCKET}.C.{chunks}");
        match self {
            Self::Replaced => drop(bucket.put(second, &mut &b"something else"[..]).await.unwrap()),
            Self::Exchanged => {
                let mut other = bucket.get(first).await.unwrap();
                bucket.put(second, &mut other).await.unwrap();
            }
            Self::Overwritten | Self::Emptied => {
                let stream = context.get_stream(format!("OBJ_{BUCKET}")).await.unwrap();
                stream.purge().filter(chunks.as_str()).await.unwrap();
                if let Self::Overwritten = self {
                    let stored = context.publish(chunks, "something else".into()).await.unwrap();
                    stored.await.unwrap();
                }
            }
            Self::Removed => bucket.delete(second).await.unwrap(),
        }
    }
}

/// The digest of the parcel of share `number` of the job `night`, when it waits.
fn parcel_of(server: &Server, number: u64) -> String {
    let share: Value = serde_json::from_slice(&server.waiting_share(number)).unwrap();
    let parcel = &share["work"]["batch"]["scenarios"]["parcel"]["digest"];
    parcel.as_str().unwrap().to_owned()
}

/// A batch whose second share has lost its input ends with `reason`, and goes on when its job is removed.
fn is_told_and_goes_on(damage: Damage, reason: &str) {
    let server = Server::start();
    let url = server.url();
    let folder = TempDir::new().unwrap();
    let [many, here, there] = ["many", "here", "there"].map(|name| folder.path().join(name));
    fs::write(&many, done(passbook(&["generate", "--count", "600", "--seed", "3"])).stdout)
        .unwrap();
    let (many, resume) = (many.display().to_string(), format!("--resume={}", there.display()));
    let command = ["batch", &many, &resume, "--nats", &url, "--job", "night"];
    let coordinator = Process::start(passbook(&command));
    let parcels = [0, 1].map(|number| parcel_of(&server, number));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let context = jetstream::new(async_nats::connect(&url).await.unwrap());
        damage.strike(&context, parcels.each_ref().map(String::as_str)).await;
    });
    let _worker = worker(&url);
    let ended = coordinator.end();
    assert_eq!(ended.code, 70, "{}", ended.stderr);
    let errors: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{}", ended.stderr);
    let rows = timeless_file(&there).lines().count();
    let told = format!("share 1 of job night, scenarios {} to ", rows + 1);
    let advice = "remove the job with passbook jobs remove night";
    for told in [&told, reason, advice] {
        assert!(errors[0].contains(told), "{told}: {}", ended.stderr);
    }
    assert!((1..600).contains(&rows), "{rows} rows are there");
    assert_eq!(done(passbook(&["jobs", "--nats", &url, "remove", "night"])).code, 0);
    let again = done(passbook(&command));
    assert_eq!(again.code, 0, "{}", again.stderr);
    let resume = format!("--resume={}", here.display());
    assert_eq!(done(passbook(&["batch", &many, &resume])).code, 0);
    assert_same(&timeless_file(&here), &timeless_file(&there));
}

#[test]
fn a_share_whose_input_is_another_ends_the_job_and_names_it() {
    is_told_and_goes_on(Damage::Replaced, "its input at the NATS server is not what it was");
}

#[test]
fn a_share_whose_input_is_that_of_another_share_has_no_rows_of_that() {
    is_told_and_goes_on(Damage::Exchanged, "its input at the NATS server is not what it was");
}

#[test]
fn a_share_whose_input_is_overwritten_ends_the_job_and_names_it() {
    is_told_and_goes_on(Damage::Overwritten, "its input at the NATS server is damaged");
}

#[test]
fn a_share_whose_input_has_lost_its_bytes_ends_the_job_and_names_it() {
    is_told_and_goes_on(Damage::Emptied, "its input at the NATS server is damaged");
}

#[test]
fn a_share_whose_input_is_gone_ends_the_job_and_names_it() {
    is_told_and_goes_on(Damage::Removed, "its input is not at the NATS server");
}
