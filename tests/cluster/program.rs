//! The program as a shell sees it, and what it wrote, without times.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Lets time pass: what is waited for is in another process.
#[expect(clippy::disallowed_methods, reason = "other processes have no event to wait for")]
pub(crate) fn pause(span: Duration) -> Duration {
    std::thread::sleep(span);
    span
}

/// The program with `args`, and nothing from the environment.
pub(crate) fn passbook(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PASSBOOK_") {
            command.env_remove(name);
        }
    }
    command.args(args);
    command
}

/// A process that is killed when it is dropped.
pub(crate) struct Process(Option<Child>);

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    /// One of which nobody reads what it says.
    pub(crate) fn start_silent(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(Some(command.spawn().unwrap()))
    }

    pub(crate) fn kill(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The code that it ended with, if it has.
    pub(crate) fn code(&mut self) -> Option<i32> {
        let child = self.0.as_mut().unwrap();
        child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Output {
        let mut waited = Duration::ZERO;
        while self.code().is_none() {
            waited += pause(Duration::from_millis(5));
            if waited > LIMIT {
                self.kill();
                let output = self.0.take().unwrap().wait_with_output().unwrap();
                panic!("it does not end: {}", text(&output.stderr));
            }
        }
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `command` to its end.
pub(crate) fn done(command: Command) -> Output {
    Process::start(command).end()
}

/// Starts a worker of one thread.
pub(crate) fn worker(url: &str) -> Process {
    Process::start_silent(passbook(&["worker", "--threads", "1", "--nats", url]))
}

/// `text` of rows and a summary, with each time, and how many worked, as 0.
pub(crate) fn timeless(text: &str) -> String {
    const TIMES: [&str; 3] = ["\"microseconds\":", "\"wall_microseconds\":", "\"jobs\":"];
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let first = |rest: &str| TIMES.iter().filter_map(|key| Some((rest.find(key)?, *key))).min();
    while let Some((at, key)) = first(rest) {
        kept.push_str(&rest[..at + key.len()]);
        kept.push('0');
        rest = rest[at + key.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    kept.push_str(rest);
    kept
}

/// The file at `path`, without times.
pub(crate) fn timeless_file(path: &Path) -> String {
    timeless(&fs::read_to_string(path).unwrap())
}

/// The first line in which two texts differ; they are too long to be shown.
pub(crate) fn assert_same(one: &str, other: &str) {
    if one == other {
        return;
    }
    let differs = one.lines().zip(other.lines()).zip(1..).find(|((one, other), _)| one != other);
    match differs {
        Some(((one, other), line)) => panic!("line {line} differs:\n{one}\n{other}"),
        None => panic!("{} lines and {} lines", one.lines().count(), other.lines().count()),
    }
}
