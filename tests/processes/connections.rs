//! Connections that are kept open for nothing, and requests that do not come whole: they take
//! little, they end, and whoever is served beside them does not notice.

use std::error::Error;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use passbook::grpc::proto::v1;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response, Uri};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::process::{Process, channel, free_ports, one, state, typed, with_clients};

/// The connection preface of HTTP/2 and an empty frame of settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A message of 4 MiB begins, in five bytes.
const FOUR_MIB: &[u8] = &[0, 0, 0x40, 0, 0];

/// How long whoever behaves waits at most while others do not.
const GOOD_WAIT_MAX: Duration = Duration::from_secs(5);

fn serve(args: &[&str]) -> Process {
    let args = ["--branches=1", "--base-port=0"].iter().chain(args);
    Process::serve(&args.map(|&arg| arg.to_owned()).collect::<Vec<_>>(), 1)
}

/// A call whose request is `bytes` and then no more, for ever.
async fn half_sent(mut channel: Channel, bytes: &'static [u8]) -> Status {
    let begin = Ok::<_, Status>(Frame::data(bytes.into()));
    let body = tokio_stream::iter([begin]).chain(tokio_stream::pending());
    let request = Request::post("http://branch/passbook.v1.BankService/Deposit")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::StreamBody::new(body)))
        .expect("a request");
    std::future::poll_fn(|cx| Service::poll_ready(&mut channel, cx)).await.expect("it listens");
    match channel.call(request).await {
        Ok(response) => told(&response),
        Err(error) => Status::unavailable(error.to_string()),
    }
}

/// What a call comes to whose connection the other side closes: nobody answers it.
#[track_caller]
fn assert_closed(refused: &Status) {
    let mut cause = refused.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let is_reset = matches!(io, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe));
        // It may be closed before the call is begun.
        if is_reset || error.downcast_ref().is_some_and(hyper::Error::is_canceled) {
            return;
        }
        cause = error.source();
    }
    panic!("the server answered: {refused:?}");
}

fn told(response: &Response<Body>) -> Status {
    Status::from_header_map(response.headers()).expect("no answer but an error")
}

#[track_caller]
fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().map(|info| info.reason).unwrap_or_default())
}

/// A client that behaves deposits 1; how long that takes.
async fn good_deposit(address: &str) -> Duration {
    let begun = Instant::now();
    typed(channel(address)).deposit(one(1, 1, None)).await.expect("whoever behaves is served");
    begun.elapsed()
}

async fn watch(channel: Channel) -> Result<Streaming<v1::WatchBranchResponse>, Status> {
    let request = v1::WatchBranchRequest { branch_id: 1, from_position: 0 };
    Ok(typed(channel).watch_branch(request).await?.into_inner())
}

/// What `/proc` says of a process under `key`, in kB.
fn memory_kb(process: &Process, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line of it");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How much of a core it has used, in hundredths of a second.
fn cpu_ticks(process: &Process) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("it runs");
    let (_, numbers) = stat.rsplit_once(") ").expect("its name");
    let numbers: Vec<&str> = numbers.split(' ').collect();
    // utime and stime are the 14th and 15th field of the line, and two are before these.
    numbers[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// A connection that sends `bytes` and no more.
fn silent(address: &str, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket.write_all(bytes).expect("it is open");
    socket
}

/// Reads until the server closes the connection, and fails where it does not.
#[track_caller]
fn assert_closes(socket: &mut TcpStream, within: Duration) {
    socket.set_read_timeout(Some(within)).expect("a timeout");
    let mut told = Vec::new();
    if let Err(error) = socket.read_to_end(&mut told) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[test]
fn what_is_announced_takes_no_memory_before_it_comes() {
    with_clients(async {
        let process = serve(&["--body-time-max=30s"]);
        good_deposit(&process.addresses[0]).await;
        let before = memory_kb(&process, "VmHWM");
        let stranger = process.channel();
        let mut calls = JoinSet::new();
        for _ in 0..300 {
            calls.spawn(half_sent(stranger.clone(), FOUR_MIB));
        }
        let mut waited = Duration::ZERO;
        for _ in 0..10 {
            waited = waited.max(good_deposit(&process.addresses[0]).await);
            pause(50).await;
        }
        assert!(waited < GOOD_WAIT_MAX, "{waited:?}");
        // Announced are 1.2 GB.
        let grown = memory_kb(&process, "VmHWM").saturating_sub(before);
        assert!(grown < 100_000, "{grown} kB");
        assert!(calls.try_join_next().is_none(), "all of them are under way");
    });
}

#[test]
fn requests_that_do_not_come_whole_share_a_budget_and_small_ones_need_none() {
    with_clients(async {
        // Of this, each takes 16 KiB and five bytes.
        let process = serve(&["--unread-bytes-max=100000", "--message-bytes-max=50000"]);
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            calls.spawn(half_sent(process.channel(), &[0, 0, 0, 100, 0]));
        }
        let mut refused = Vec::new();
        while refused.len() < 14 {
            refused.push(calls.join_next().await.expect("more").expect("no panic"));
        }
        for status in &refused {
            let full = (Code::ResourceExhausted, "UNREAD_FULL".to_owned());
            assert_eq!(reason(status), full, "{status:?}");
        }
        assert!(good_deposit(&process.addresses[0]).await < GOOD_WAIT_MAX);
        assert!(calls.try_join_next().is_none(), "six of them are under way");
        // When they are gone, there is room again.
        calls.shutdown().await;
        let large = "x".repeat(40_000);
        let request = v1::DepositRequest { amount: large, ..one(1, 1, None) };
        let status = typed(process.channel()).deposit(request).await.unwrap_err();
        assert_eq!(reason(&status), (Code::InvalidArgument, "BAD_FIELD".to_owned()), "{status:?}");
    });
}

#[test]
fn a_request_that_does_not_come_whole_is_ended() {
    with_clients(async {
        let process = serve(&["--body-time-max=300ms"]);
        for begin in [FOUR_MIB, &[0, 0, 0][..], &[]] {
            let begun = Instant::now();
            let status = half_sent(process.channel(), begin).await;
            let late = (Code::DeadlineExceeded, "HALF_SENT".to_owned());
            assert_eq!(reason(&status), late, "{status:?}");
            assert!(begun.elapsed() < GOOD_WAIT_MAX);
        }
        assert!(good_deposit(&process.addresses[0]).await < GOOD_WAIT_MAX);
    });
}

#[test]
fn who_does_not_say_what_it_speaks_is_hung_up_on() {
    with_clients(async {
        let process = serve(&["--header-time-max=300ms"]);
        let address = &process.addresses[0];
        let good = process.channel();
        typed(good.clone()).deposit(one(1, 1, None)).await.unwrap();
        let begins =
            [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"POST /x HTTP/1.1\r\nhost: here\r\nx-"];
        let mut strangers = begins.map(|begin| silent(address, begin));
        for stranger in &mut strangers {
            assert_closes(stranger, GOOD_WAIT_MAX);
        }
        // One that has made a call has time for the next.
        pause(400).await;
        typed(good).deposit(one(1, 1, None)).await.unwrap();
    });
}

#[test]
fn a_connection_without_a_call_is_closed_and_a_watch_is_a_call() {
    with_clients(async {
        let process = serve(&["--idle-time-max=400ms"]);
        let address = &process.addresses[0];
        let mut watched = watch(process.channel()).await.unwrap();
        let client = process.channel();
        typed(client.clone()).deposit(one(1, 1, None)).await.unwrap();
        let mut strangers = [silent(address, PREFACE), silent(address, b"")];
        tokio::task::spawn_blocking(move || {
            // One that does not answer is given five seconds to take leave.
            strangers.iter_mut().for_each(|one| assert_closes(one, Duration::from_secs(15)));
        })
        .await
        .unwrap();
        // A client that was told connects anew by itself.
        typed(client).deposit(one(1, 1, None)).await.unwrap();
        for _ in 0..2 {
            watched.message().await.unwrap().expect("a write");
        }
    });
}

#[test]
fn a_client_that_does_not_read_its_answer_is_hung_up_on() {
    with_clients(async {
        let process = serve(&["--idle-time-max=400ms"]);
        let endpoint = Endpoint::from_shared(format!("http://{}", process.addresses[0])).unwrap();
        // So many bytes of an answer are sent before the client reads them.
        let narrow = endpoint.initial_stream_window_size(100).connect().await.unwrap();
        let mut unread = watch(narrow).await.unwrap();
        let mut read = watch(process.channel()).await.unwrap();
        for event in 1..=50 {
            typed(process.channel()).deposit(one(1, 1, Some(event))).await.unwrap();
            read.message().await.unwrap().expect("a write");
        }
        pause(1500).await;
        let mut told = 0;
        while let Ok(next) = unread.message().await {
            assert!(next.is_some(), "it does not end as if there were no more");
            told += 1;
        }
        assert!(told < 50, "{told}");
        // Who reads and waits for more is no such client.
        typed(process.channel()).deposit(one(1, 1, Some(51))).await.unwrap();
        assert_eq!(read.message().await.unwrap().unwrap().position, 51);
    });
}

#[test]
fn branches_in_several_processes_live_with_the_idle_time() {
    with_clients(async {
        let first = free_ports(2);
        let serve = |branch: u16| {
            let peer = 3 - branch;
            let args = [
                format!("--branch={branch}"),
                format!("--base-port={}", first - 1),
                format!("--peer={peer}=http://127.0.0.1:{}", first - 1 + peer),
                "--idle-time-max=200ms".to_owned(),
            ];
            Process::serve(&args, 1)
        };
        let processes = [serve(1), serve(2)];
        for event in 1..=4 {
            for (branch, process) in (1..).zip(&processes) {
                let deposit = one(branch, branch, Some(event));
                let answer = typed(process.channel()).deposit(deposit).await;
                answer.expect("confirmed by the other");
            }
            pause(600).await;
        }
        for (branch, process) in (1..).zip(&processes) {
            assert_eq!(state(process.channel(), branch).await.events.len(), 8);
        }
        // So that these clients, who are done, take leave.
        pause(100).await;
        for closed in processes.map(|process| process.close("TERM")) {
            // Before both are there and have proved who they are, they say so.
            let is_of_start = |line: &&str| line.contains("tcp connect") || line.contains("ticket");
            let lost = closed.log.lines().filter(|line| line.contains("cannot reach"));
            let lost: Vec<&str> = lost.filter(|line| !is_of_start(line)).collect();
            assert!(lost.is_empty(), "{lost:?}");
        }
    });
}

#[test]
fn of_too_many_connections_idle_ones_make_room_and_others_are_refused() {
    with_clients(async {
        let process = serve(&["--connections-max=3"]);
        let address = &process.addresses[0];
        let mut idle = [(); 5].map(|()| silent(address, PREFACE));
        assert!(good_deposit(address).await < GOOD_WAIT_MAX);
        assert_closes(&mut idle[0], GOOD_WAIT_MAX);
        let mut busy = Vec::new();
        for _ in 0..3 {
            busy.push(watch(process.channel()).await.unwrap());
        }
        let refused = typed(process.channel()).deposit(one(1, 1, None)).await.unwrap_err();
        assert_closed(&refused);
        // A watch goes on, and who ends one makes room.
        assert!(busy[0].message().await.unwrap().is_some());
        busy.pop();
        while typed(process.channel()).deposit(one(1, 1, None)).await.is_err() {
            pause(10).await;
        }
    });
}

/// A channel from this address of this machine.
async fn channel_from(from: &str, to: &str) -> Result<Channel, tonic::transport::Error> {
    let from: SocketAddr = format!("{from}:0").parse().expect("an address");
    let to: SocketAddr = to.parse().expect("an address");
    let connector = tower::service_fn(move |_: Uri| async move {
        let socket = TcpSocket::new_v4()?;
        socket.bind(from)?;
        Ok::<_, std::io::Error>(TokioIo::new(socket.connect(to).await?))
    });
    Endpoint::from_static("http://branch").connect_with_connector(connector).await
}

#[test]
fn one_address_does_not_take_all_connections() {
    with_clients(async {
        let process = serve(&["--address-connections-max=2"]);
        let address = &process.addresses[0];
        let mut busy = Vec::new();
        for _ in 0..2 {
            busy.push(watch(channel_from("127.0.0.1", address).await.unwrap()).await.unwrap());
        }
        let third = channel_from("127.0.0.1", address).await;
        let refused = match third {
            Ok(third) => typed(third).deposit(one(1, 1, None)).await.unwrap_err(),
            Err(error) => Status::from_error(error.into()),
        };
        assert_closed(&refused);
        let other = channel_from("127.0.0.2", address).await.unwrap();
        typed(other.clone()).deposit(one(1, 1, None)).await.unwrap();
        assert_eq!(busy[0].message().await.unwrap().unwrap().position, 1);
        let asked = v1::GetStatisticsRequest {};
        let told = typed(other.clone()).get_statistics(asked).await.unwrap().into_inner();
        let limit = told.limits.iter().find(|limit| limit.flag == "--address-connections-max");
        assert!(limit.unwrap().hits >= 1, "it is this limit that refused the third");
        assert_eq!(state(other, 1).await.events.len(), 1, "the third has brought nothing");
    });
}

#[test]
fn at_the_file_limit_idle_connections_are_closed_and_the_log_says_so_once() {
    with_clients(async {
        let args = ["--branches=1", "--base-port=0", "--body-time-max=60s"].map(str::to_owned);
        let process = Process::serve_within("-n 48", &args, 1);
        let address = process.addresses[0].clone();
        let idle: Vec<TcpStream> = (0..100).map(|_| silent(&address, PREFACE)).collect();
        let waited = good_deposit(&address).await;
        assert!(waited < GOOD_WAIT_MAX, "{waited:?}");
        drop(idle);
        // All that it can have, each with a call under way that cannot be closed for others.
        let mut calls = JoinSet::new();
        for _ in 0..60 {
            calls.spawn(half_sent(channel(&address), FOUR_MIB));
        }
        pause(500).await;
        let before = cpu_ticks(&process);
        pause(1000).await;
        let used = cpu_ticks(&process) - before;
        assert!(used < 50, "{used} hundredths of a second in one");
        calls.shutdown().await;
        assert!(good_deposit(&address).await < GOOD_WAIT_MAX);
        let closed = process.close("TERM");
        let told = closed.log.matches("no more connections can be taken").count();
        assert_eq!(told, 1, "{}", closed.log);
    });
}
