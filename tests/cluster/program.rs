//! The program as a shell sees it, and what it wrote, without times.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

/// A process that is killed when it is dropped. What it says goes to files, for nobody reads it until it ends.
pub(crate) struct Process {
    child: Child,
    said: [File; 2],
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let said = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
        let [out, err] = said.each_ref().map(|file| file.try_clone().unwrap());
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Self { child: command.spawn().unwrap(), said }
    }

    pub(crate) fn kill(&mut self) {
        if self.code().is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }

    /// The code that it ended with, if it has.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
    }

    fn said(&mut self) -> [String; 2] {
        self.said.each_mut().map(|file| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let mut waited = Duration::ZERO;
        loop {
            let code = self.code();
            let [stdout, stderr] = match code {
                Some(_) => self.said(),
                None => Default::default(),
            };
            if let Some(code) = code {
                return Ended { code, stdout, stderr };
            }
            waited += pause(Duration::from_millis(5));
            if waited > LIMIT {
                panic!("it does not end: {:?}", self.said());
            }
        }
    }
}

/// What a process came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `command` to its end.
pub(crate) fn done(command: Command) -> Ended {
    Process::start(command).end()
}

/// Starts a worker of one thread.
pub(crate) fn worker(url: &str) -> Process {
    Process::start(passbook(&["worker", "--threads", "1", "--nats", url]))
}

/// `text` of rows and a summary, with each time, and how many worked, as 0.
pub(crate) fn timeless(text: &str) -> String {
    without_numbers(text, &["\"microseconds\":", "\"wall_microseconds\":", "\"jobs\":"])
}

/// JUnit of rows, with each time as 0.
pub(crate) fn timeless_junit(text: &str) -> String {
    without_numbers(text, &[" time=\""])
}

/// `text` with each number that follows one of `keys` as 0.
fn without_numbers(text: &str, keys: &[&str]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let first = |rest: &str| keys.iter().filter_map(|key| Some((rest.find(key)?, *key))).min();
    while let Some((at, key)) = first(rest) {
        kept.push_str(&rest[..at + key.len()]);
        kept.push('0');
        rest = rest[at + key.len()..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    kept.push_str(rest);
    kept
}

/// CSV of rows without what stands in the column of times.
pub(crate) fn timeless_csv(text: &str) -> String {
    let header = text.lines().next().unwrap();
    let times = header.split(',').position(|name| name == "microseconds").unwrap();
    let (mut column, mut is_quoted) = (0, false);
    let is_kept = |&c: &char| {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => column += 1,
            '\n' if !is_quoted => column = 0,
            _ => {}
        }
        column != times || !c.is_ascii_digit()
    };
    text.chars().filter(is_kept).collect()
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
