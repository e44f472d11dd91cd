//! How what is kept stands in the tables of a file.

use redb::TableDefinition;

use crate::bank::Refused;
use crate::model::{
    Amount, BranchId, CustomerId, Dot, EventId, Life, LogEntry, Money, Refusal, Sequence, Write,
    WriteId,
};

/// What the file is: names and values.
pub(super) const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");

/// What came, by its place among all that did, from 0.
pub(super) const CAME: TableDefinition<'_, u64, Came> = TableDefinition::new("came");

/// What was refused, by its number.
pub(super) const REFUSED: TableDefinition<'_, u64, RefusedRow> = TableDefinition::new("refused");

/// The newest known life of each branch, by the branch.
pub(super) const LIVES: TableDefinition<'_, u32, u64> = TableDefinition::new("lives");

/// Origin, life and sequence; customer and event; by how many cents the balance changes.
pub(super) type Came = (u32, u64, u32, u32, u32, i64);

/// Customer and event; by how many cents the balance would have changed; what it was; and what was
/// asked for, where that was more.
pub(super) type RefusedRow = (u32, u32, i64, i64, Option<i64>);

/// What stands in a row is nothing that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonsense;

pub(super) fn came_row(entry: &LogEntry) -> Came {
    let &LogEntry { dot, id, write } = entry;
    let Dot { origin, life, sequence } = dot;
    let (customer, event) = (id.customer.get(), id.event.get());
    (origin.get(), life.get(), sequence.into(), customer, event, write.delta().minor())
}

pub(super) fn came_in(row: Came) -> Result<LogEntry, Nonsense> {
    let (origin, life, sequence, customer, event, delta) = row;
    let origin = BranchId::new(origin.into()).map_err(|_| Nonsense)?;
    let dot = Dot { origin, life: Life::new(life), sequence: Sequence::new(sequence) };
    Ok(LogEntry { dot, id: write_id(customer, event)?, write: write(delta)? })
}

/// `None` for a refusal that is not for want of money or of room: no branch remembers such.
pub(super) fn refused_row(refused: &Refused) -> Option<RefusedRow> {
    let Refused { id, write, refusal, .. } = refused;
    let (balance, requested) = match refusal {
        Refusal::InsufficientFunds { balance, requested } => (balance, Some(requested.minor())),
        Refusal::BalanceOutOfRange { balance } => (balance, None),
        Refusal::OutOfOrder { .. } | Refusal::EventReused { .. } => return None,
    };
    let delta = write.delta().minor();
    Some((id.customer.get(), id.event.get(), delta, balance.minor(), requested))
}

pub(super) fn refused_in(number: u64, row: RefusedRow) -> Result<Refused, Nonsense> {
    let (customer, event, delta, balance, requested) = row;
    let balance = Money::from_minor(balance);
    let refusal = match requested.map(Money::from_minor) {
        Some(requested) => Refusal::InsufficientFunds { balance, requested },
        None => Refusal::BalanceOutOfRange { balance },
    };
    Ok(Refused { number, id: write_id(customer, event)?, write: write(delta)?, refusal })
}

fn write_id(customer: u32, event: u32) -> Result<WriteId, Nonsense> {
    let customer = CustomerId::new(customer.into()).map_err(|_| Nonsense)?;
    Ok(WriteId { customer, event: EventId::new(event.into()).map_err(|_| Nonsense)? })
}

fn write(delta: i64) -> Result<Write, Nonsense> {
    let amount = |minor: i64| Amount::try_from(Money::from_minor(minor)).map_err(|_| Nonsense);
    if delta > 0 {
        return Ok(Write::deposit(amount(delta)?));
    }
    Ok(Write::withdraw(amount(delta.checked_neg().ok_or(Nonsense)?)?))
}
