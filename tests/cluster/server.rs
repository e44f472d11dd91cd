//! A NATS server of its own for each test, with its store in a folder that goes away with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::pause;

/// `tests/cluster/run` says where it is.
const PROGRAM: &str = "PASSBOOK_NATS_SERVER";

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A server, which is killed when it is dropped.
pub(crate) struct Server {
    child: Option<Child>,
    port: u16,
    config: String,
    args: Vec<String>,
    pub(crate) folder: TempDir,
}

/// The first free port below those that connections get by themselves.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 1000).unwrap() * 10;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 11_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Server {
    /// One that lets everybody in.
    pub(crate) fn start() -> Self {
        Self::with("", &[])
    }

    /// One with these lines in its configuration, and these arguments.
    pub(crate) fn with(config: &str, args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut server = Self {
            child: None,
            port: free_port(),
            config: config.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            folder,
        };
        server.restart();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it on its store, where it does not run.
    pub(crate) fn restart(&mut self) {
        let program = std::env::var_os(PROGRAM)
            .unwrap_or_else(|| panic!("{PROGRAM} is not set: tests/cluster/run sets it"));
        let config = self.path("nats.conf");
        let jetstream = if self.config.contains("jetstream") {
            String::new()
        } else {
            format!("jetstream {{ store_dir: {:?} }}\n", self.path("store"))
        };
        let text = format!("listen: 127.0.0.1:{}\n{jetstream}{}\n", self.port, self.config);
        let text = text.replace("STORE", &self.path("store").display().to_string());
        fs::write(&config, text).unwrap();
        let log = File::create(self.path("nats.log")).unwrap();
        let mut command = Command::new(program);
        command.arg("--config").arg(&config).args(&self.args);
        command.stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let mut waited = Duration::ZERO;
        while !self.answers() {
            waited += pause(Duration::from_millis(5));
            assert!(waited < LIMIT, "{}", fs::read_to_string(self.path("nats.log")).unwrap());
        }
    }

    fn answers(&self) -> bool {
        let log = fs::read_to_string(self.path("nats.log")).unwrap();
        log.contains("Server is ready") && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Kills it at once; its store stays.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Share `number` of the job `night` as it was sent, when it waits.
    pub(crate) fn waiting_share(&self, number: u64) -> Vec<u8> {
        let ask = format!(r#"{{"last_by_subj":"passbook.shares.night.{number}"}}"#);
        let mut waited = Duration::ZERO;
        loop {
            let told = self.ask("$JS.API.STREAM.MSG.GET.PASSBOOK_SHARES", &ask);
            let told: Value = serde_json::from_str(&told).unwrap();
            if let Some(data) = told["message"]["data"].as_str() {
                return STANDARD.decode(data).unwrap();
            }
            waited += pause(Duration::from_millis(50));
            assert!(waited < LIMIT, "share {number} does not wait: {told}");
        }
    }

    /// Asks `subject` with `payload`, as any client does, and returns the answer.
    pub(crate) fn ask(&self, subject: &str, payload: &str) -> String {
        self.ask_with(subject, "", payload.as_bytes())
    }

    /// The same with `headers`, a line each.
    pub(crate) fn ask_with(&self, subject: &str, headers: &str, payload: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let connect = r#"CONNECT {"verbose":false,"pedantic":false,"headers":true}"#;
        let (headers, total) = match headers {
            "" => (String::new(), payload.len()),
            lines => {
                let headers = format!("NATS/1.0\r\n{lines}\r\n\r\n");
                let total = headers.len() + payload.len();
                (headers, total)
            }
        };
        let publish = match headers.len() {
            0 => format!("PUB {subject} answer {total}"),
            of_headers => format!("HPUB {subject} answer {of_headers} {total}"),
        };
        write!(stream, "{connect}\r\nSUB answer 1\r\n{publish}\r\n{headers}").unwrap();
        stream.write_all(payload).unwrap();
        stream.write_all(b"\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        loop {
            let line = lines.next().expect("an answer").unwrap();
            assert!(!line.starts_with("-ERR"), "{line}");
            if line.starts_with("MSG ") {
                return lines.next().unwrap().unwrap();
            }
            if line.starts_with("HMSG ") {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
