//! A history of Jepsen: EDN, a map for each step of an operation, a line each.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use super::converter::{ConvertError, Converter};
use super::requests::{Ended, Request, Requests, Step};
use super::timeline::nanos;
use crate::history::{Entry, Fact, Header};
use crate::model::{BranchId, CustomerId, Operation, OperationKind, OutcomeClass, Receipt, Time};

#[derive(Debug, Default)]
pub(super) struct Jepsen {
    requests: Requests,
    /// A process whose operation has no known end does nothing more: its customer goes on as
    /// another.
    processes: BTreeMap<CustomerId, u64>,
    next_process: u64,
    steps: u64,
}

/// What a step says of one of its keys.
type Pair<'a> = (&'static str, Edn<'a>);

/// A value in EDN.
enum Edn<'a> {
    Nil,
    Number(i128),
    Keyword(&'static str),
    Text(&'a str),
    Sides(&'a [Vec<BranchId>]),
}

impl fmt::Display for Edn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Number(number) => number.fmt(f),
            Self::Keyword(word) => write!(f, ":{word}"),
            Self::Text(text) => {
                f.write_char('"')?;
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        f.write_char('\\')?;
                    }
                    f.write_char(c)?;
                }
                f.write_char('"')
            }
            Self::Sides(sides) => {
                f.write_char('[')?;
                for (place, side) in sides.iter().enumerate() {
                    f.write_str(if place == 0 { "[" } else { " [" })?;
                    for (place, branch) in side.iter().enumerate() {
                        write!(f, "{}{branch}", if place == 0 { "" } else { " " })?;
                    }
                    f.write_char(']')?;
                }
                f.write_char(']')
            }
        }
    }
}

impl Converter for Jepsen {
    fn begin(&mut self, _out: &mut dyn Write, _header: &Header) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let at = entry.recorded.at;
        match self.requests.add(entry) {
            Some(Step::Sent(request)) => self.invoked(out, &request)?,
            Some(Step::Ended(ended)) => self.ended(out, &ended)?,
            Some(Step::Replied(_)) | None => {}
        }
        if let Some(fault) = fault(&entry.recorded.fact) {
            let nemesis = [("type", Edn::Keyword("info")), ("process", Edn::Keyword("nemesis"))];
            self.step(out, at, nemesis.into_iter().chain(fault))?;
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> Result<(), ConvertError> {
        Ok(())
    }
}

impl Jepsen {
    fn invoked(&mut self, out: &mut dyn Write, request: &Request) -> io::Result<()> {
        let value = match request.operation {
            Operation::Write(write) => Edn::Number(write.amount.money().minor().into()),
            Operation::Query => Edn::Nil,
        };
        let about = self.about(request);
        let operation = [("type", Edn::Keyword("invoke")), ("value", value)];
        self.step(out, request.sent_at, operation.into_iter().chain(about))
    }

    fn ended(&mut self, out: &mut dyn Write, ended: &Ended) -> io::Result<()> {
        let request = &ended.request;
        let about = self.about(request);
        let outcome = ended.answer().map(|reply| &reply.outcome);
        let value = match (outcome, request.operation) {
            (Some(Ok(Receipt::Balance(balance))), Operation::Query) => {
                Edn::Number(balance.minor().into())
            }
            (_, Operation::Write(write)) => Edn::Number(write.amount.money().minor().into()),
            (_, Operation::Query) => Edn::Nil,
        };
        let class = ended.class();
        let how = match class {
            OutcomeClass::Ok => "ok",
            OutcomeClass::Refused => "fail",
            OutcomeClass::Unknown => "info",
        };
        let problem = ended.problem();
        let problem = problem.as_deref().map(|problem| ("error", Edn::Text(problem)));
        let position = ended.answer().map(|reply| reply.position.get());
        let position = position.map(|position| ("position", Edn::Number(position.into())));
        let operation = [("type", Edn::Keyword(how)), ("value", value)];
        let all = operation.into_iter().chain(about).chain(position).chain(problem);
        self.step(out, ended.at, all)?;
        if class == OutcomeClass::Unknown {
            self.processes.remove(&request.customer);
        }
        Ok(())
    }

    /// Who asks whom for what.
    fn about(&mut self, request: &Request) -> [Pair<'static>; 5] {
        let process = *self.processes.entry(request.customer).or_insert_with(|| {
            self.next_process += 1;
            self.next_process - 1
        });
        let f = match request.operation.interface() {
            OperationKind::Deposit => "deposit",
            OperationKind::Withdraw => "withdraw",
            OperationKind::Query => "read",
        };
        [
            ("process", Edn::Number(process.into())),
            ("f", Edn::Keyword(f)),
            ("customer", Edn::Number(request.customer.get().into())),
            ("branch", Edn::Number(request.branch.get().into())),
            ("event", Edn::Number(request.event.get().into())),
        ]
    }

    fn step<'a>(
        &mut self,
        out: &mut dyn Write,
        at: Time,
        pairs: impl IntoIterator<Item = Pair<'a>>,
    ) -> io::Result<()> {
        write!(out, "{{:index {}, :time {}", self.steps, nanos(at))?;
        self.steps += 1;
        for (key, value) in pairs {
            write!(out, ", :{key} {value}")?;
        }
        out.write_all(b"}\n")
    }
}

/// What Jepsen's nemesis does, and to whom. What happens to a single message is no operation.
fn fault(fact: &Fact) -> Option<[Pair<'_>; 2]> {
    let (f, value) = match fact {
        Fact::BranchStopped { branch } => ("stop-branch", Edn::Number(branch.get().into())),
        Fact::BranchStarted { branch, .. } => ("start-branch", Edn::Number(branch.get().into())),
        Fact::PartitionBegan { sides, .. } => ("start-partition", Edn::Sides(sides)),
        Fact::PartitionHealed { partition } => ("stop-partition", Edn::Number((*partition).into())),
        Fact::SlownessBegan { branch, .. } => ("start-slowness", Edn::Number(branch.get().into())),
        Fact::SlownessEnded { branch } => ("stop-slowness", Edn::Number(branch.get().into())),
        Fact::RequestSent { .. }
        | Fact::RequestReceived { .. }
        | Fact::WriteApplied { .. }
        | Fact::MessageSent { .. }
        | Fact::MessageReceived { .. }
        | Fact::MessageLost { .. }
        | Fact::MessageDuplicated { .. }
        | Fact::WriteSetCompared { .. }
        | Fact::RequestParked { .. }
        | Fact::ReplySent { .. }
        | Fact::ReplyReceived { .. }
        | Fact::RequestGivenUp { .. }
        | Fact::Settled {}
        | Fact::Unsettled { .. } => return None,
    };
    Some([("f", Edn::Keyword(f)), ("value", value)])
}

#[cfg(test)]
mod tests {
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, text};

    #[test]
    fn an_operation_without_a_known_end_ends_its_process_and_a_fault_is_the_nemesis() {
        let problem = SHOWN.replace('\\', r"\\").replace('"', "\\\"");
        let expected = [
            "0, :time 0, :type :invoke, :value 40000, :process 0, :f :deposit, :customer 1, :branch 1, :event 1",
            "1, :time 3000, :type :ok, :value 40000, :process 0, :f :deposit, :customer 1, :branch 1, :event 1, :position 1",
            "2, :time 10000, :type :info, :process :nemesis, :f :start-partition, :value [[1] [2]]",
            "3, :time 12000, :type :info, :process :nemesis, :f :start-slowness, :value 1",
            "4, :time 13000, :type :info, :process :nemesis, :f :stop-partition, :value 1",
            "5, :time 14000, :type :info, :process :nemesis, :f :stop-slowness, :value 1",
            "6, :time 15000, :type :invoke, :value nil, :process 0, :f :read, :customer 1, :branch 2, :event 2",
            "7, :time 19000, :type :ok, :value 40000, :process 0, :f :read, :customer 1, :branch 2, :event 2, :position 1",
            "8, :time 20000, :type :info, :process :nemesis, :f :stop-branch, :value 2",
            "9, :time 21000, :type :info, :process :nemesis, :f :start-branch, :value 2",
            "10, :time 22000, :type :invoke, :value 10000, :process 0, :f :withdraw, :customer 1, :branch 2, :event 3",
            "11, :time 23000, :type :info, :value 10000, :process 0, :f :withdraw, :customer 1, :branch 2, :event 3, :error \"no answer came in time\"",
            "12, :time 24000, :type :invoke, :value nil, :process 1, :f :read, :customer 2, :branch 1, :event 1",
            &format!(
                "13, :time 26000, :type :info, :value nil, :process 1, :f :read, :customer 2, :branch 1, :event 1, \
                 :position 1, :error \"outcome unknown: branch 1 {problem}\""
            ),
            "14, :time 32000, :type :invoke, :value nil, :process 2, :f :read, :customer 2, :branch 1, :event 2",
        ];
        let expected: String = expected.iter().map(|step| format!("{{:index {step}}}\n")).collect();
        assert_eq!(text(Target::Jepsen), expected);
    }
}
