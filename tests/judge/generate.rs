//! Random histories: a bank with lag, made of choices that proptest can shrink. It is no model of
//! passbook's branches: deliveries come in any order, or never, and an odd bank also lies.

use passbook::history::{Fact, Recorded, Terms};
use passbook::model::{
    BranchId, GuaranteePolicy, LogPosition, Money, Operation, Outcome, Overdraft, Propagation,
    Receipt, RequestNumber, Write, WriteId,
};
use proptest::prelude::*;

use crate::history_builder::{
    HistoryBuilder, branch, customer, deposit, refused, unknown, withdrawal, write_id,
};

/// How a bank treats its customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Every write is everywhere before anything else happens.
    Prompt,
    /// Writes reach each branch in the order in which they were accepted, but late.
    Late,
    /// Writes reach each branch late and in any order, or never.
    Unordered,
    /// The same, and the bank does what no bank should.
    Odd,
}

/// Choices, each a number from which a decision is taken by remainder.
#[derive(Debug)]
pub(crate) struct Choices {
    left: std::vec::IntoIter<u16>,
}

impl Choices {
    pub(crate) fn new(choices: Vec<u16>) -> Self {
        Self { left: choices.into_iter() }
    }

    /// A number below `bound`, or `None` when all choices are taken.
    pub(crate) fn next(&mut self, bound: usize) -> Option<usize> {
        self.left.next().map(|choice| usize::from(choice) % bound)
    }
}

/// What a branch does with a write that it is asked for.
#[derive(Debug, Clone, Copy)]
enum Does {
    Nothing,
    Apply,
}

/// A request that a branch has.
#[derive(Debug, Clone, Copy)]
struct Asked {
    who: u32,
    at: u32,
    event: u32,
    operation: Operation,
}

#[derive(Debug, Clone, Default)]
struct Session {
    /// How many event ids are used.
    used: u32,
    waiting: Option<Asked>,
}

struct World {
    style: Style,
    branches: usize,
    customers: usize,
    history: HistoryBuilder,
    /// Writes on their way to a branch.
    under_way: Vec<(u32, WriteId, Write)>,
    sessions: Vec<Session>,
}

pub(crate) fn styles() -> impl Strategy<Value = Style> {
    prop::sample::select(vec![Style::Prompt, Style::Late, Style::Unordered, Style::Odd])
}

/// A history of up to about 40 requests.
pub(crate) fn tales(style: Style) -> impl Strategy<Value = HistoryBuilder> {
    prop::collection::vec(any::<u16>(), 8..160).prop_map(move |choices| tell(style, choices))
}

fn tell(style: Style, choices: Vec<u16>) -> HistoryBuilder {
    let mut choices = Choices::new(choices);
    let branches = 1 + choices.next(4).unwrap_or(1);
    let customers = 1 + choices.next(3).unwrap_or(0);
    let is_flushed = choices.next(4) != Some(0);
    let terms = terms(&mut choices);
    let mut world = World {
        style,
        branches,
        customers,
        history: HistoryBuilder::new(u32::try_from(branches).unwrap(), 3).promising(terms),
        under_way: Vec::new(),
        sessions: vec![Session::default(); customers],
    };
    while world.step(&mut choices).is_some() {}
    if is_flushed {
        for (at, id, write) in std::mem::take(&mut world.under_way) {
            world.history.applies_as(at, id, write);
        }
    }
    world.history
}

/// What is promised: of one history in four nobody says.
fn terms(choices: &mut Choices) -> Option<Terms> {
    let mut some = || ["all", "none", "ryw,wfr", "mr,mw"][choices.next(4).unwrap_or(0)].parse();
    let (all, first) = (some().unwrap(), some().unwrap());
    let guarantees = GuaranteePolicy { all, single: [(customer(1), first)].into() };
    let overdraft = match choices.next(4).unwrap_or(0) {
        0 => return None,
        1 => Overdraft::Allow,
        _ => Overdraft::Reject,
    };
    Some(Terms::new(guarantees, Propagation::Async, overdraft))
}

impl World {
    fn step(&mut self, choices: &mut Choices) -> Option<()> {
        match choices.next(10)? {
            0..=2 => self.deliver(choices),
            9 if self.style == Style::Odd => self.misbehave(choices),
            _ => self.serve(choices),
        }
    }

    /// One write that is under way arrives, or is lost.
    fn deliver(&mut self, choices: &mut Choices) -> Option<()> {
        if self.under_way.is_empty() {
            return Some(());
        }
        let which = match self.style {
            Style::Prompt | Style::Late => 0,
            Style::Unordered | Style::Odd => choices.next(self.under_way.len())?,
        };
        let (at, id, write) = self.under_way.remove(which);
        if self.style == Style::Odd && choices.next(12)? == 0 {
            return Some(());
        }
        self.history.applies_as(at, id, write);
        Some(())
    }

    /// A customer asks, or the answer that it waits for comes.
    fn serve(&mut self, choices: &mut Choices) -> Option<()> {
        let index = choices.next(self.customers)?;
        let who = u32::try_from(index).unwrap() + 1;
        if let Some(asked) = self.sessions[index].waiting.take() {
            return self.answer(asked, choices);
        }
        let at = u32::try_from(choices.next(self.branches)?).unwrap() + 1;
        let used = &mut self.sessions[index].used;
        // Now and then a customer tries an event id again.
        if *used == 0 || choices.next(8)? > 0 {
            *used += 1;
        }
        let event = *used;
        let units = i64::from(event % 3 + 1);
        let operation = match choices.next(5)? {
            0 | 1 => Operation::Write(deposit(units)),
            2 => Operation::Write(withdrawal(units)),
            _ => Operation::Query,
        };
        let asked = Asked { who, at, event, operation };
        self.history.asks(who, at, event, operation);
        // Mostly the answer comes at once.
        if choices.next(5)? == 0 {
            self.sessions[index].waiting = Some(asked);
            return Some(());
        }
        self.answer(asked, choices)
    }

    fn answer(&mut self, asked: Asked, choices: &mut Choices) -> Option<()> {
        let outcome = match asked.operation {
            Operation::Write(write) => self.write(asked, write, choices)?,
            Operation::Query => Ok(Receipt::Balance(self.balance(asked.at))),
        };
        self.history.answers(asked.who, outcome).hears(asked.who);
        Some(())
    }

    /// What a branch does with a write: a retry gets the first result, another content under a
    /// used id is refused.
    fn write(&mut self, asked: Asked, write: Write, choices: &mut Choices) -> Option<Outcome> {
        let id = write_id(asked.who, asked.event);
        let mut applied = self.history.facts.iter().filter_map(|recorded| applied(&recorded.fact));
        let applied = applied.find(|(_, found, _, _)| *found == id).map(|(_, _, write, _)| write);
        let chance = choices.next(if self.style == Style::Odd { 16 } else { 10 })?;
        let (does, told) = match (applied, chance) {
            (Some(applied), 0..=12) if applied == write => (Does::Nothing, Ok(Receipt::Written)),
            (Some(_), 0..=12) | (None, 0) => (Does::Nothing, refused()),
            (None, 1) => (Does::Nothing, unknown()),
            (None, 2) => (Does::Apply, unknown()),
            // An odd bank confirms what it does not do, does what it refuses, does things twice.
            (_, 13) => (Does::Nothing, Ok(Receipt::Written)),
            (_, 14) => (Does::Apply, refused()),
            (_, _) => (Does::Apply, Ok(Receipt::Written)),
        };
        match does {
            Does::Nothing => {}
            Does::Apply => self.accept(asked.at, id, write),
        }
        Some(told)
    }

    fn accept(&mut self, at: u32, id: WriteId, write: Write) {
        self.history.applies_as(at, id, write);
        for other in (1..=u32::try_from(self.branches).unwrap()).filter(|b| *b != at) {
            self.under_way.push((other, id, write));
        }
        if self.style == Style::Prompt {
            for (at, id, write) in std::mem::take(&mut self.under_way) {
                self.history.applies_as(at, id, write);
            }
        }
    }

    fn balance(&self, at: u32) -> Money {
        let mut applied =
            self.history.facts.iter().filter_map(|recorded| applied(&recorded.fact)).rev();
        let last =
            applied.find(|(found, _, _, _)| *found == branch(at)).map(|(_, _, _, last)| last);
        last.unwrap_or(self.history.opening)
    }

    /// A branch applies something that it should not.
    fn misbehave(&mut self, choices: &mut Choices) -> Option<()> {
        let at = u32::try_from(choices.next(self.branches)?).unwrap() + 1;
        let who = u32::try_from(choices.next(self.customers)?).unwrap() + 1;
        let event = u32::try_from(choices.next(4)?).unwrap() + 1;
        let units = i64::try_from(choices.next(3)?).unwrap() + 1;
        self.history.applies_as(at, write_id(who, event), deposit(units));
        Some(())
    }
}

/// Of a fact that a write was applied: where, which, what, and the balance after it.
fn applied(fact: &Fact) -> Option<(BranchId, WriteId, Write, Money)> {
    if let Fact::WriteApplied { branch, id, write, balance, .. } = fact {
        Some((*branch, *id, *write, *balance))
    } else {
        None
    }
}

/// How a history is damaged. The places are taken by remainder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Damage {
    Remove(prop::sample::Index),
    Duplicate(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    /// Two applies at one branch change places; positions and balances are put right again.
    SwapApplies(prop::sample::Index, prop::sample::Index),
    Balance(prop::sample::Index, i8),
    Position(prop::sample::Index, i8),
    Branch(prop::sample::Index, u8),
    Request(prop::sample::Index, u8),
    Outcome(prop::sample::Index, u8),
}

pub(crate) fn damages() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Damage::Remove),
        (at(), at()).prop_map(|(a, b)| Damage::Duplicate(a, b)),
        (at(), at()).prop_map(|(a, b)| Damage::Swap(a, b)),
        (at(), at()).prop_map(|(a, b)| Damage::SwapApplies(a, b)),
        (at(), any::<i8>()).prop_map(|(a, by)| Damage::Balance(a, by)),
        (at(), -2..=2_i8).prop_map(|(a, by)| Damage::Position(a, by)),
        (at(), 1..6_u8).prop_map(|(a, to)| Damage::Branch(a, to)),
        (at(), 1..6_u8).prop_map(|(a, to)| Damage::Request(a, to)),
        (at(), 0..3_u8).prop_map(|(a, to)| Damage::Outcome(a, to)),
    ]
}

impl HistoryBuilder {
    pub(crate) fn damage(&mut self, damage: Damage) {
        let facts = &mut self.facts;
        if facts.is_empty() {
            return;
        }
        match damage {
            Damage::Remove(at) => {
                facts.remove(at.index(facts.len()));
            }
            Damage::Duplicate(at, to) => {
                let copy = facts[at.index(facts.len())].clone();
                facts.insert(to.index(facts.len()), copy);
            }
            Damage::Swap(a, b) => {
                let len = facts.len();
                facts.swap(a.index(len), b.index(len));
            }
            Damage::SwapApplies(a, b) => swap_applies(facts, a, b),
            Damage::Balance(at, by) => change_balance(&mut at.get_mut(facts).fact, by),
            Damage::Position(at, by) => change_position(&mut at.get_mut(facts).fact, by),
            Damage::Branch(at, to) => {
                if let Fact::RequestSent { branch: found, .. }
                | Fact::WriteApplied { branch: found, .. }
                | Fact::ReplySent { branch: found, .. }
                | Fact::ReplyReceived { branch: found, .. }
                | Fact::RequestGivenUp { branch: found, .. }
                | Fact::BranchStopped { branch: found }
                | Fact::BranchStarted { branch: found, .. } = &mut at.get_mut(facts).fact
                {
                    *found = branch(to.into());
                }
            }
            Damage::Request(at, to) => {
                let fact = &mut at.get_mut(facts).fact;
                if let Fact::RequestSent { request, .. }
                | Fact::ReplySent { request, .. }
                | Fact::ReplyReceived { request, .. } = fact
                {
                    *request = RequestNumber::new(to.into());
                } else if let Fact::WriteApplied { id, .. } = fact {
                    id.customer = customer(to.into());
                }
            }
            Damage::Outcome(at, to) => {
                if let Fact::ReplySent { outcome, .. } = &mut at.get_mut(facts).fact {
                    *outcome = match to {
                        0 => Ok(Receipt::Written),
                        1 => refused(),
                        _ => unknown(),
                    };
                }
            }
        }
    }
}

fn change_balance(fact: &mut Fact, by: i8) {
    if let Fact::WriteApplied { balance, .. }
    | Fact::BranchStarted { balance, .. }
    | Fact::ReplySent { outcome: Ok(Receipt::Balance(balance)), .. } = fact
    {
        *balance = balance.checked_add(Money::from_minor(by.into())).unwrap();
    }
}

fn change_position(fact: &mut Fact, by: i8) {
    if let Fact::WriteApplied { position, .. }
    | Fact::ReplySent { position, .. }
    | Fact::BranchStarted { kept: position, .. } = fact
    {
        *position = LogPosition::new(position.get().saturating_add_signed(by.into()));
    }
}

fn swap_applies(facts: &mut [Recorded], a: prop::sample::Index, b: prop::sample::Index) {
    let Fact::WriteApplied { branch, .. } = a.get(facts).fact else { return };
    let there: Vec<usize> = (0..facts.len())
        .filter(|at| matches!(facts[*at].fact, Fact::WriteApplied { branch: b, .. } if b == branch))
        .collect();
    let (first, second) = (a.index(facts.len()), *b.get(&there));
    let (low, high) = (first.min(second), first.max(second));
    if low == high {
        return;
    }
    let (head, tail) = facts.split_at_mut(high);
    let (
        Fact::WriteApplied { id, write, origin, life, .. },
        Fact::WriteApplied {
            id: other_id,
            write: other_write,
            origin: other_origin,
            life: other_life,
            ..
        },
    ) = (&mut head[low].fact, &mut tail[0].fact)
    else {
        return;
    };
    let shift = other_write.delta().minor() - write.delta().minor();
    std::mem::swap(id, other_id);
    std::mem::swap(write, other_write);
    std::mem::swap(origin, other_origin);
    std::mem::swap(life, other_life);
    for recorded in &mut facts[low..high] {
        if let Fact::WriteApplied { branch: at, balance, .. }
        | Fact::ReplySent { branch: at, outcome: Ok(Receipt::Balance(balance)), .. } =
            &mut recorded.fact
            && *at == branch
        {
            *balance = Money::from_minor(balance.minor() + shift);
        }
    }
}
