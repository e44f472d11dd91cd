//! What clients saw and what folders hold, as one history.

use std::collections::BTreeSet;
use std::path::Path;

use passbook::history::{Fact, Header, HistoryBuilder, Recorded, Terms};
use passbook::model::{
    Amount, BranchId, CustomerId, Durability, GuaranteePolicy, LogEntry, LogPosition, Money,
    Operation, Overdraft, Propagation, Receipt, RequestNumber, Roster, Write, WriteId,
};
use passbook::storage::DataFolder;

use crate::client::{Asked, Session, Told};

/// What one branch holds in the end.
#[derive(Debug)]
pub(crate) struct Folder {
    branch: BranchId,
    /// Its apply log.
    pub(crate) came: Vec<LogEntry>,
}

impl Folder {
    pub(crate) fn read(path: &Path, branch: u16) -> Self {
        let branch = BranchId::new(branch.into()).unwrap();
        let [file] = <[_; 1]>::try_from(DataFolder::existing(path).unwrap().read_all().unwrap())
            .expect("a branch has a folder");
        let mut came = file.memory.unwrap().came;
        // A write that two branches accepted came twice, and is applied once.
        let mut seen = BTreeSet::new();
        came.retain(|entry| seen.insert(entry.id));
        Self { branch, came }
    }
}

pub(crate) fn header(propagation: Propagation) -> Header {
    let roster = Roster::new([1, 2, 3].map(|id| BranchId::new(id).unwrap())).unwrap();
    let mut header = Header::new("killed", roster, Money::ZERO);
    let guarantees = GuaranteePolicy::default();
    let terms = Terms::new(guarantees, propagation, Overdraft::Allow).kept(Durability::Disk);
    header.terms = Some(terms);
    header
}

/// The requests of a session that are told next.
struct Teller<'a> {
    customer: CustomerId,
    asked: &'a [Asked],
    /// How many requests were sent.
    sent: usize,
    /// How many of them are over.
    over: usize,
}

/// Facts in an order that can have been: a reply is told where its branch's log is as long as it says,
/// and each customer asks one thing after the other. An error where there is no such order.
pub(crate) fn joined(
    header: &Header,
    sessions: &[Session],
    folders: &[Folder],
) -> Result<Vec<Recorded>, String> {
    let mut history = HistoryBuilder::new(header);
    let mut told: Vec<Teller<'_>> = sessions
        .iter()
        .map(|session| Teller {
            customer: session.customer,
            asked: &session.asked,
            sent: 0,
            over: 0,
        })
        .collect();
    let sync = header.terms.as_ref().is_some_and(|terms| terms.propagation == Propagation::Sync);
    let mut applied = vec![0_usize; folders.len()];
    let mut balances = vec![header.opening_balance; folders.len()];
    loop {
        let mut goes_on = false;
        for one in &mut told {
            while tell_next(&mut history, one, &applied, folders, sync) {
                goes_on = true;
            }
        }
        for (at, folder) in folders.iter().enumerate() {
            while let Some(&entry) = folder.came.get(applied[at])
                && may_apply(entry, (at, folder), &applied, (&told, folders))
            {
                apply(&mut history, folder.branch, entry, (&mut applied[at], &mut balances[at]));
                goes_on = true;
            }
        }
        if !goes_on {
            break;
        }
    }
    let untold = told.iter().find(|one| one.over < one.asked.len());
    if let Some(one) = untold {
        return Err(format!(
            "customer {} was told what no log holds: {:?}, with {applied:?} applied",
            one.customer, one.asked[one.over],
        ));
    }
    for (folder, &applied) in folders.iter().zip(&applied) {
        if applied < folder.came.len() {
            let entry = folder.came[applied];
            return Err(format!(
                "branch {} holds {entry:?}, for which nobody asked",
                folder.branch
            ));
        }
    }
    Ok(history.into_facts())
}

/// Whether every branch has applied the write by now.
fn is_everywhere(id: WriteId, applied: &[usize], folders: &[Folder]) -> bool {
    let holds = |(folder, &applied): (&Folder, &usize)| {
        folder.came[..applied].iter().any(|entry| entry.id == id)
    };
    folders.iter().zip(applied).all(holds)
}

fn tell_next(
    history: &mut HistoryBuilder,
    one: &mut Teller<'_>,
    applied: &[usize],
    folders: &[Folder],
    sync: bool,
) -> bool {
    let Some(asked) = one.asked.get(one.over) else { return false };
    let branch = BranchId::new(asked.branch.into()).unwrap();
    let id = WriteId { customer: one.customer, event: asked.event };
    if one.sent == one.over {
        let operation =
            asked.delta.map_or(Operation::Query, |delta| Operation::Write(write(delta)));
        history.asks(id, branch, operation);
        one.sent += 1;
        return true;
    }
    let request = RequestNumber::new(u64::try_from(one.sent).unwrap());
    match asked.told {
        Told::Done { position, balance } => {
            if applied[usize::from(asked.branch) - 1] != usize::try_from(position).unwrap() {
                return false;
            }
            // With sync propagation who is told that it is done is told so after that.
            if sync && asked.delta.is_some() && !is_everywhere(id, applied, folders) {
                return false;
            }
            let outcome = Ok(match asked.delta {
                Some(_) => Receipt::Written,
                None => Receipt::Balance(balance),
            });
            let position = LogPosition::new(position);
            let customer = one.customer;
            history.add(Fact::ReplySent { branch, customer, request, position, outcome });
            history.hears(customer);
        }
        Told::Nothing => {
            // What it asked for may be applied at any time from now on.
            history.gives_up(one.customer);
        }
    }
    one.over += 1;
    true
}

/// Whether the next write of a branch can be told now: it was asked for, its origin holds it, and
/// nobody has yet to be told what the branch holds without it.
fn may_apply(
    entry: LogEntry,
    (at, folder): (usize, &Folder),
    applied: &[usize],
    (told, folders): (&[Teller<'_>], &[Folder]),
) -> bool {
    let is_asked = told.iter().any(|one| {
        one.customer == entry.id.customer
            && one.asked[..one.sent].iter().any(|asked| asked.event == entry.id.event)
    });
    let origin = folders.iter().position(|of| of.branch == entry.dot.origin).unwrap();
    let holds = |of: usize| folders[of].came[..applied[of]].iter().any(|held| held.id == entry.id);
    let is_there = origin == at || holds(origin);
    let branch = folder.branch.get();
    let waits = told.iter().any(|one| {
        one.asked[one.over..].iter().any(|asked| {
            let here = u32::from(asked.branch) == branch;
            matches!(asked.told, Told::Done { position, .. }
                if here && usize::try_from(position).unwrap() == applied[at])
        })
    });
    is_asked && is_there && !waits
}

fn apply(
    history: &mut HistoryBuilder,
    branch: BranchId,
    entry: LogEntry,
    (applied, balance): (&mut usize, &mut Money),
) {
    let LogEntry { dot, id, write } = entry;
    *applied += 1;
    *balance = Money::from_minor(balance.minor() + write.delta().minor());
    history.add(Fact::WriteApplied {
        branch,
        id,
        write,
        origin: dot.origin,
        life: Some(dot.life),
        sequence: dot.sequence,
        position: LogPosition::new(u64::try_from(*applied).unwrap()),
        balance: *balance,
    });
}

fn write(delta: i64) -> Write {
    let amount = Amount::try_from(Money::from_minor(delta.abs() * 100)).unwrap();
    if delta > 0 { Write::deposit(amount) } else { Write::withdraw(amount) }
}
