//! Processes that serve a bank, and clients of them.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use passbook::grpc::Endpoint;
use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use tonic::Status;
use tonic::transport::Channel;

/// Longer than anything here takes on a busy machine; only a defect takes as long.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the client's side of a test.
pub(crate) fn with_clients<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(LIMIT, test).await.expect("it ends in time") })
}

/// The first of `count` ports in a row that are free. They are below those that connections get by
/// themselves, so that nobody takes them while a process is away.
pub(crate) fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 1000).expect("less than 1000") * 10;
    loop {
        let first = 20_000 + (start + NEXT.fetch_add(count, Ordering::Relaxed)) % 11_000;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

/// The program with `args`, and nothing from the environment.
pub(crate) fn passbook(args: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    for variable in ["BASE_PORT", "LISTEN", "FORMAT", "COLOR", "LOG"] {
        command.env_remove(format!("PASSBOOK_{variable}"));
    }
    command.args(args);
    command
}

fn serving(args: &[String]) -> Vec<String> {
    [&["serve", "--format", "json"].map(str::to_owned), args].concat()
}

/// A process that serves, and is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where it listens, in the order told.
    pub(crate) addresses: Vec<String>,
}

impl Process {
    /// Serves with `args`; returns when it says that it is ready on all of its `listeners`.
    pub(crate) fn serve(args: &[String], listeners: usize) -> Self {
        Self::serve_with(args, listeners, Stdio::null())
    }

    /// The same with this standard input.
    pub(crate) fn serve_with(args: &[String], listeners: usize, stdin: impl Into<Stdio>) -> Self {
        Self::start(passbook(&serving(args)), listeners, stdin)
    }

    /// The same within what the shell's `ulimit` says.
    pub(crate) fn serve_within(ulimit: &str, args: &[String], listeners: usize) -> Self {
        let program = passbook(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")]);
        shell.arg(program.get_program()).args(serving(args));
        for (variable, _) in program.get_envs() {
            shell.env_remove(variable);
        }
        Self::start(shell, listeners, Stdio::null())
    }

    pub(crate) fn start(mut command: Command, listeners: usize, stdin: impl Into<Stdio>) -> Self {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut addresses = Vec::new();
        while addresses.len() < listeners {
            let mut line = String::new();
            if out.read_line(&mut line).expect("text") == 0 {
                let mut told = String::new();
                let mut stderr = child.stderr.take().expect("piped");
                stderr.read_to_string(&mut told).expect("text");
                panic!("it does not serve: {told}");
            }
            let ready: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
            addresses.push(ready["address"].as_str().expect("an address").to_owned());
        }
        Self { child, out, addresses }
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it can say and save nothing.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends `signal`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Sends `signal`, and waits for the end; what it printed after it was ready, and its log.
    pub(crate) fn close(self, signal: &str) -> Closed {
        self.signal(signal);
        self.wait()
    }

    /// Waits for the end, as above.
    pub(crate) fn wait(mut self) -> Closed {
        let (mut printed, mut log) = (String::new(), String::new());
        self.out.read_to_string(&mut printed).expect("text");
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("text");
        Closed { status: self.child.wait().expect("it ends"), printed, log }
    }

    /// Waits for a line of the log with `text` in it, and kills the process; that line.
    pub(crate) fn log_until(mut self, text: &str) -> String {
        let stderr = BufReader::new(self.child.stderr.take().expect("piped"));
        let mut lines = stderr.lines().map(|line| line.expect("text"));
        lines.find(|line| line.contains(text)).expect("it is told")
    }

    pub(crate) fn channel(&self) -> Channel {
        channel(&self.addresses[0])
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind; one that did not has seen the end.
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().expect("it runs");
            self.child.wait().expect("it ends");
        }
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) status: ExitStatus,
    pub(crate) printed: String,
    pub(crate) log: String,
}

impl Closed {
    /// The last line, which tells the balances.
    pub(crate) fn told(&self) -> serde_json::Value {
        serde_json::from_str(&self.printed).expect("one line of JSON")
    }
}

pub(crate) fn channel(address: &str) -> Channel {
    Endpoint::new(&format!("http://{address}")).expect("an address").channel()
}

pub(crate) fn typed(channel: Channel) -> BankServiceClient<Channel> {
    BankServiceClient::new(channel)
}

/// A deposit of 1 by `customer`.
pub(crate) fn one(branch_id: u32, customer_id: u32, event_id: Option<u32>) -> v1::DepositRequest {
    let amount = "1".to_owned();
    v1::DepositRequest { branch_id, customer_id, event_id, amount, passbook: None }
}

/// Asks in the classic contract.
pub(crate) async fn classic(
    channel: Channel,
    request: BranchRequest,
) -> Result<BranchReply, Status> {
    Ok(BranchClient::new(channel).msg_delivery(request).await?.into_inner())
}

/// All about a branch; its events in an order of their own, as concurrent ones come in any.
pub(crate) async fn state(channel: Channel, branch_id: u32) -> v1::GetBranchResponse {
    let request = v1::GetBranchRequest { branch_id, view: v1::BranchView::Full.into() };
    let mut state = typed(channel).get_branch(request).await.expect("it answers").into_inner();
    assert_eq!(state.writes_left_out, 0, "a test of few writes");
    state.events.sort_by_key(|event| (event.customer_id, event.event_id));
    state
}

/// Asks until `is_so` says yes.
pub(crate) async fn until<T, F: Future<Output = T>>(
    mut ask: impl FnMut() -> F,
    is_so: impl Fn(&T) -> bool,
) -> T {
    loop {
        let answer = ask().await;
        if is_so(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
