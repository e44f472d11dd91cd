//! Random histories of banks in foul weather: branches that stop, and start with all, a part or nothing
//! of what they held; requests that are given up and asked again elsewhere; sessions that are told
//! of a loss, rightly or not. No model of passbook's branches: what they do is left to chance.

use passbook::history::{Fact, Recorded, Terms};
use passbook::model::{
    GuaranteePolicy, Life, LogPosition, Operation, Outcome, Overdraft, Propagation, Receipt,
    RequestError, RequestNumber, Sequence, Write, WriteId,
};
use proptest::prelude::*;

use crate::generate::Choices;
use crate::history_builder::{
    HistoryBuilder, branch, customer, deposit, lost, refused, unknown, withdrawal, write_id,
};

/// How a bank numbers what it accepts, and in which order others get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// Each write is of a life of its own, and comes whenever it comes.
    Loose,
    /// Each branch counts, in each of its lives; others get its writes in that order.
    Counted,
}

/// An accepted write, with its number where branches count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Accepted {
    id: WriteId,
    write: Write,
    dot: (u32, u64, u32),
}

#[derive(Debug, Clone, Default)]
struct Branch {
    log: Vec<Accepted>,
    is_down: bool,
    life: u64,
    /// How many writes it accepted in this life.
    accepted: u32,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    who: u32,
    number: u64,
    at: u32,
    event: u32,
    operation: Operation,
}

#[derive(Debug, Clone, Default)]
struct Session {
    used: u32,
    requests: u64,
    waiting: Option<Request>,
    /// What it has given up last, and not asked again.
    again: Option<Request>,
}

struct Bank {
    numbers: Numbers,
    branches: Vec<Branch>,
    sessions: Vec<Session>,
    history: HistoryBuilder,
    under_way: Vec<(u32, Accepted)>,
    given_up: Vec<Request>,
}

/// A history of up to about 40 requests.
pub(crate) fn foul_tales() -> impl Strategy<Value = HistoryBuilder> {
    prop::collection::vec(any::<u16>(), 8..220).prop_map(tell)
}

fn tell(choices: Vec<u16>) -> HistoryBuilder {
    let mut choices = Choices::new(choices);
    let branches = 1 + choices.next(3).unwrap_or(1);
    let customers = 1 + choices.next(3).unwrap_or(0);
    let end = choices.next(6).unwrap_or(0);
    let numbers = [Numbers::Loose, Numbers::Counted][choices.next(2).unwrap_or(0)];
    let terms = terms(&mut choices);
    let mut bank = Bank {
        numbers,
        branches: vec![Branch::default(); branches],
        sessions: vec![Session::default(); customers],
        history: HistoryBuilder::new(u32::try_from(branches).unwrap(), 3).promising(terms),
        under_way: Vec::new(),
        given_up: Vec::new(),
    };
    while bank.step(&mut choices).is_some() {}
    bank.ends(end);
    bank.history
}

fn terms(choices: &mut Choices) -> Option<Terms> {
    let propagation = match choices.next(4)? {
        0 => return None,
        1 => Propagation::Sync,
        _ => Propagation::Async,
    };
    let mut some = || ["all", "none", "ryw,wfr", "mr,mw"][choices.next(4).unwrap_or(0)].parse();
    let (all, first) = (some().unwrap(), some().unwrap());
    let guarantees = GuaranteePolicy { all, single: [(customer(1), first)].into() };
    let overdraft = [Overdraft::Allow, Overdraft::Reject][choices.next(2).unwrap_or(0)];
    Some(Terms::new(guarantees, propagation, overdraft))
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap() + 1
}

impl Bank {
    fn branch(&mut self, at: u32) -> &mut Branch {
        &mut self.branches[usize::try_from(at).unwrap() - 1]
    }

    fn step(&mut self, choices: &mut Choices) -> Option<()> {
        match choices.next(16)? {
            0..=4 => self.deliver(choices),
            5 => {
                let at = number(choices.next(self.branches.len())?);
                self.stops_or_starts(at, choices)
            }
            6 => self.answers_late(choices),
            7 => self.catches_up(choices),
            8 => {
                let settled = choices.next(4)?;
                if settled == 0 {
                    self.says_settled(choices)?;
                }
                Some(())
            }
            _ => self.serve(choices),
        }
    }

    fn deliver(&mut self, choices: &mut Choices) -> Option<()> {
        if self.under_way.is_empty() {
            return Some(());
        }
        let which = match self.numbers {
            Numbers::Loose => choices.next(self.under_way.len())?,
            Numbers::Counted => 0,
        };
        let (at, accepted) = self.under_way.remove(which);
        // Some are lost on their way.
        if choices.next(8)? > 0 {
            self.applies(at, accepted);
        }
        Some(())
    }

    /// A branch that is up and lacks a write applies it.
    fn applies(&mut self, at: u32, accepted: Accepted) {
        let Accepted { id, write, dot } = accepted;
        let numbers = self.numbers;
        let held = self.branch(at);
        let is_known = held.log.iter().any(|other| (other.id, other.write) == (id, write));
        let falls = numbers == Numbers::Counted
            && held
                .log
                .iter()
                .any(|other| (other.dot.0, other.dot.1) == (dot.0, dot.1) && other.dot.2 > dot.2);
        if held.is_down || is_known || falls {
            return;
        }
        held.log.push(accepted);
        self.history.applies_as(at, id, write);
        if numbers == Numbers::Counted
            && let Some(Recorded {
                fact: Fact::WriteApplied { origin, life, sequence, .. }, ..
            }) = self.history.facts.last_mut()
        {
            let lived = (dot.1 > 1).then_some(Life::new(dot.1));
            (*origin, *life, *sequence) = (branch(dot.0), lived, Sequence::new(dot.2));
        }
    }

    fn stops_or_starts(&mut self, at: u32, choices: &mut Choices) -> Option<()> {
        let held = self.branch(at);
        if !held.is_down {
            held.is_down = true;
            self.history.stops(at);
            // Mostly it is not down for long.
            if choices.next(4)? == 0 {
                return Some(());
            }
        }
        let len = self.branch(at).log.len();
        let kept = match choices.next(4)? {
            0 => len,
            1 => 0,
            _ => choices.next(len + 1)?,
        };
        self.starts(at, kept);
        Some(())
    }

    fn starts(&mut self, at: u32, kept: usize) {
        let held = self.branch(at);
        held.log.truncate(kept);
        (held.is_down, held.life, held.accepted) = (false, held.life + 1, 0);
        self.history.starts(at, kept);
    }

    /// A branch is sent what another holds.
    fn catches_up(&mut self, choices: &mut Choices) -> Option<()> {
        let from = number(choices.next(self.branches.len())?);
        let to = number(choices.next(self.branches.len())?);
        let log = self.branch(from).log.clone();
        self.under_way.extend(log.into_iter().map(|accepted| (to, accepted)));
        Some(())
    }

    fn serve(&mut self, choices: &mut Choices) -> Option<()> {
        let index = choices.next(self.sessions.len())?;
        let who = number(index);
        if let Some(request) = self.sessions[index].waiting.take() {
            let is_down = self.branch(request.at).is_down;
            return if is_down || choices.next(4)? == 0 {
                self.gives_up(request);
                Some(())
            } else {
                self.answer(request, choices)
            };
        }
        let at = number(choices.next(self.branches.len())?);
        let session = &mut self.sessions[index];
        let (event, operation) = match session.again.take() {
            Some(Request { event, operation, .. }) if choices.next(6)? > 0 => (event, operation),
            Some(_) | None => {
                if session.used == 0 || choices.next(8)? > 0 {
                    session.used += 1;
                }
                let units = i64::from(session.used % 3 + 1);
                let operation = match choices.next(5)? {
                    0 | 1 => Operation::Write(deposit(units)),
                    2 => Operation::Write(withdrawal(units)),
                    _ => Operation::Query,
                };
                (session.used, operation)
            }
        };
        session.requests += 1;
        let request = Request { who, number: session.requests, at, event, operation };
        self.history.asks(who, at, event, operation);
        if self.branch(at).is_down || choices.next(5)? == 0 {
            self.sessions[index].waiting = Some(request);
            return Some(());
        }
        self.answer(request, choices)
    }

    fn gives_up(&mut self, request: Request) {
        self.history.gives_up(request.who);
        self.given_up.push(request);
        self.sessions[usize::try_from(request.who).unwrap() - 1].again = Some(request);
    }

    fn answer(&mut self, request: Request, choices: &mut Choices) -> Option<()> {
        let outcome = self.outcome(request, choices)?;
        self.history.answers(request.who, outcome);
        // Some answers do not arrive.
        if choices.next(8)? == 0 {
            self.history.gives_up(request.who);
            self.sessions[usize::try_from(request.who).unwrap() - 1].again = Some(request);
        } else {
            self.history.hears(request.who);
        }
        Some(())
    }

    /// A request that was given up is answered all the same.
    fn answers_late(&mut self, choices: &mut Choices) -> Option<()> {
        let Some(request) = self.given_up.pop() else { return Some(()) };
        if self.branch(request.at).is_down {
            return Some(());
        }
        let outcome = self.outcome(request, choices)?;
        let position = LogPosition::new(u64::try_from(self.branch(request.at).log.len()).unwrap());
        self.history.add(Fact::ReplySent {
            branch: branch(request.at),
            customer: customer(request.who),
            request: RequestNumber::new(request.number),
            position,
            outcome,
        });
        Some(())
    }

    fn outcome(&mut self, request: Request, choices: &mut Choices) -> Option<Outcome> {
        let chance = choices.next(12)?;
        let Request { who, at, event, operation, .. } = request;
        if chance == 0 {
            return Some(lost());
        }
        let Operation::Write(write) = operation else {
            return Some(Ok(Receipt::Balance(self.history.balance(at))));
        };
        let id = write_id(who, event);
        let log = &self.branch(at).log;
        let is_known = log.iter().any(|other| (other.id, other.write) == (id, write));
        let no_answer = Err(RequestError::NoAnswer { branch: branch(at), problem: String::new() });
        Some(match chance {
            1 => return Some(refused()),
            2 if !is_known => return Some(unknown()),
            // Confirmed, and not done.
            3 if choices.next(6)? == 0 => return Some(Ok(Receipt::Written)),
            _ => {
                if !is_known {
                    self.accepts(at, id, write);
                }
                match chance {
                    4 => unknown(),
                    5 => no_answer,
                    6 if choices.next(6)? == 0 => refused(),
                    _ => Ok(Receipt::Written),
                }
            }
        })
    }

    fn accepts(&mut self, at: u32, id: WriteId, write: Write) {
        let held = self.branch(at);
        held.accepted += 1;
        let dot = (at, held.life + 1, held.accepted);
        let accepted = Accepted { id, write, dot };
        self.applies(at, accepted);
        for other in (1..=number(self.branches.len() - 1)).filter(|other| *other != at) {
            self.under_way.push((other, accepted));
        }
    }

    fn says_settled(&mut self, choices: &mut Choices) -> Option<()> {
        let fact = match choices.next(3)? {
            0 => {
                let at = number(choices.next(self.branches.len())?);
                let (branch, origin, life) = (branch(at), branch(1), Life::new(1));
                Fact::Unsettled { branch, origin, life, writes: 1 }
            }
            _ => Fact::Settled {},
        };
        self.history.add(fact);
        Some(())
    }

    /// Mostly all branches are up in the end, and hold the same.
    fn ends(&mut self, end: usize) {
        if end == 0 {
            return;
        }
        for at in 1..=number(self.branches.len() - 1) {
            if self.branch(at).is_down {
                let len = self.branch(at).log.len();
                self.starts(at, len);
            }
        }
        if end > 1 {
            let all: Vec<Accepted> =
                self.branches.iter().flat_map(|branch| branch.log.clone()).collect();
            for at in 1..=number(self.branches.len() - 1) {
                all.iter().for_each(|accepted| self.applies(at, *accepted));
            }
        }
        if end > 3 {
            self.history.add(Fact::Settled {});
        }
    }
}
