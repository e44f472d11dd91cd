//! What the things of a comparison are called.

use crate::compare::measure::{Kind, Load, Machine, Subject, Transport};

use super::number::rounded;
use crate::model::Shown;
use crate::report::words::count;

pub(crate) const KINDS: [Kind; 4] = [Kind::Deposit, Kind::Withdraw, Kind::Query, Kind::Propagation];

pub(crate) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Deposit => "deposit",
        Kind::Withdraw => "withdraw",
        Kind::Query => "query",
        Kind::Propagation => "propagation",
    }
}

/// What a transport has that the one below it has not.
pub(crate) const fn adds(transport: Transport) -> &'static str {
    match transport {
        Transport::Mailbox => "actors and mailboxes",
        Transport::GrpcMemory => "HTTP/2 and wake-ups",
        Transport::GrpcUnix => "a socket",
        Transport::GrpcTcp => "TCP",
        Transport::Processes => "processes apart",
    }
}

/// How a request travels, at the start of a sentence.
pub(crate) fn travels(transport: Transport) -> String {
    let words = travels_inside(transport);
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

/// The same within a sentence.
pub(crate) const fn travels_inside(transport: Transport) -> &'static str {
    match transport {
        Transport::Mailbox => "by mailbox",
        Transport::GrpcMemory => "over gRPC in memory",
        Transport::GrpcUnix => "over a Unix socket",
        Transport::GrpcTcp => "over TCP",
        Transport::Processes => "between processes",
    }
}

/// `2 branches, 1 customer, 3 requests, sync propagation`.
pub(crate) fn subject(subject: &Subject) -> String {
    let branches = match subject.branches {
        1 => "1 branch".to_owned(),
        branches => format!("{branches} branches"),
    };
    format!(
        "{branches}, {}, {}, {} propagation",
        count(subject.customers, "customer"),
        count(subject.requests, "request"),
        subject.propagation
    )
}

/// `AMD EPYC, 2 threads, linux x86_64`.
pub(crate) fn machine(Machine { system, processor, threads }: &Machine) -> String {
    let processor = Shown::name(processor.as_deref().unwrap_or("a processor without a name"));
    format!("{processor}, {}, {}", count(threads, "thread"), Shown::name(system))
}

/// `closed: …`.
pub(crate) fn load(load: Load) -> String {
    match load {
        Load::Closed => "closed loop: a customer asks again as soon as it is answered".to_owned(),
        Load::Open { rate } => {
            format!("open loop: {} requests/s are due; a latency counts from then", rounded(rate))
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn all_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
