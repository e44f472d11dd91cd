//! What the files of a bank hold, looked at while nobody serves it: sums, order, and what is missing
//! where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::order::out_of_order;
use super::{About, BranchFile};
use crate::bank::{Branch, BranchConfig, Start};
use crate::history::{Fact, Header, Recorded};
use crate::model::{
    BranchId, CustomerId, Dot, EventId, Lag, Life, LogEntry, LogPosition, Money, Operation,
    RequestNumber, Roster, Time, Write, WriteId,
};

/// What the files of one bank hold.
#[derive(Debug)]
pub struct Audit {
    /// The name of the bank.
    pub bank: String,
    /// All branches, those without a file too.
    pub roster: Arc<Roster>,
    /// What each branch held before the first write.
    pub opening_balance: Money,
    /// The branches that have a file, ascending.
    pub branches: Vec<AuditedBranch>,
    /// What is not as a branch leaves it: sentences.
    pub flaws: Vec<String>,
}

/// What the file of one branch holds.
#[derive(Debug)]
pub struct AuditedBranch {
    /// The branch.
    pub id: BranchId,
    /// In which life it is.
    pub life: Life,
    /// How long its apply log is.
    pub writes: LogPosition,
    /// How many writes it has refused and remembers.
    pub refused: usize,
    /// Its balance: the sum of its log. `None` where that is out of range.
    pub balance: Option<Money>,
    /// What another branch holds and this one does not.
    pub lacks: Vec<Lag>,
    log: Vec<LogEntry>,
}

impl Audit {
    /// Looks at what `files` hold, which are of one bank.
    ///
    /// Panics if there are none.
    pub fn of(files: Vec<BranchFile>) -> Self {
        let about = files.first().expect("somebody looks at a file").about.clone();
        let roster = Arc::new(about.roster);
        let mut flaws = Vec::new();
        let mut names: BTreeMap<Dot, (WriteId, Write, BranchId)> = BTreeMap::new();
        let (mut branches, mut versions) = (Vec::new(), Vec::new());
        for BranchFile { about: About { branch: id, .. }, memory } in files {
            let memory = memory.unwrap_or_default();
            flaws.extend(out_of_order(id, &memory.came));
            for &LogEntry { dot, id: name, write } in &memory.came {
                let (first, content, at) = names.entry(dot).or_insert((name, write, id));
                if (*first, *content) != (name, write) {
                    flaws.push(format!(
                        "write {} of branch {} is {first} at branch {at}, and {name} at branch {id}",
                        dot.sequence, dot.origin,
                    ));
                }
            }
            let refused = memory.refused.len();
            let start = Start::SameLife(memory);
            let config = BranchConfig::default();
            let opening = about.opening_balance;
            let branch = Branch::again(id, Arc::clone(&roster), opening, config, start);
            versions.push(branch.version().clone());
            branches.push(AuditedBranch {
                id,
                life: branch.life(),
                writes: branch.position(),
                refused,
                balance: branch.balance(),
                lacks: Vec::new(),
                log: branch.log().collect(),
            });
        }
        let mut all = versions[0].clone();
        versions.iter().for_each(|version| all.merge(version));
        for (branch, version) in branches.iter_mut().zip(&versions) {
            branch.lacks = all.lags(version, &roster).collect();
        }
        same_write_sets(&branches, &mut flaws);
        let opening_balance = about.opening_balance;
        Self { bank: about.bank, roster, opening_balance, branches, flaws }
    }

    /// Whether all branches are here, and none lacks what another one holds.
    pub fn is_settled(&self) -> bool {
        let is_settled = self.branches.iter().all(|branch| branch.lacks.is_empty());
        is_settled && self.branches.len() == self.roster.len()
    }

    /// What the history of this bank says before its first fact.
    pub fn header(&self) -> Header {
        Header::new(self.bank.clone(), Roster::clone(&self.roster), self.opening_balance)
    }

    /// The facts that are left of its history: that each write was asked for, and what each branch has
    /// applied, in the order of its log. When that was, and what anybody was told, no file says.
    pub fn facts(&self) -> Vec<Recorded> {
        let mut facts = Vec::new();
        let mut add = |fact| facts.push(Recorded { at: Time::START, fact });
        let mut asked: BTreeMap<CustomerId, u64> = BTreeMap::new();
        let mut known: BTreeSet<(EventId, CustomerId, Money)> = BTreeSet::new();
        for &LogEntry { dot, id, write } in self.branches.iter().flat_map(|branch| &branch.log) {
            if !known.insert((id.event, id.customer, write.delta())) {
                continue;
            }
            let (customer, branch) = (id.customer, dot.origin);
            let number = asked.entry(customer).or_default();
            *number += 1;
            let request = RequestNumber::new(*number);
            let operation = Operation::Write(write);
            add(Fact::RequestSent { customer, request, branch, event: id.event, operation });
            add(Fact::RequestGivenUp { customer, request, branch });
        }
        for AuditedBranch { id: branch, log, .. } in &self.branches {
            let (mut position, mut balance) = (LogPosition::default(), self.opening_balance);
            for &LogEntry { dot, id, write } in log {
                position = position.next();
                balance = balance.saturating_add(write.delta());
                let (origin, sequence) = (dot.origin, dot.sequence);
                let life = (dot.life != self.roster.first_life()).then_some(dot.life);
                let branch = *branch;
                add(Fact::WriteApplied {
                    branch,
                    id,
                    write,
                    origin,
                    life,
                    sequence,
                    position,
                    balance,
                });
            }
        }
        facts
    }
}

/// Branches that lack nothing of each other hold the same writes of each customer.
fn same_write_sets(branches: &[AuditedBranch], flaws: &mut Vec<String>) {
    let sorted = |branch: &AuditedBranch| {
        let mut ids: Vec<WriteId> = branch.log.iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut whole = branches.iter().filter(|branch| branch.lacks.is_empty());
    let Some(first) = whole.next() else { return };
    let held = sorted(first);
    for other in whole.filter(|other| sorted(other) != held) {
        let (one, other) = (first.id, other.id);
        flaws.push(format!(
            "branches {one} and {other} have heard of the same, and hold other writes"
        ));
    }
}
