//! The vocabulary: ids, money, operations, outcomes. Knows no branch, no actor and no file format.

mod guarantee;
mod id;
mod money;
mod operation;
mod outcome;
mod policy;
mod roster;
mod size;
mod time;

pub use guarantee::{Guarantee, Guarantees, GuaranteesError, Promises};
pub use id::{
    BranchId, CustomerId, EventId, IdError, Life, LogPosition, MessageNumber, RequestNumber,
    Sequence, WriteId,
};
pub use money::{Amount, Decimal, Money, MoneyError};
pub use operation::{Event, Interface, Operation, Write, WriteKind};
pub use outcome::{Lag, Outcome, Receipt, Refusal, RequestError, Waited};
pub use policy::{CustomerOrder, EventIds, Overdraft, Propagation, QueryTiming, Seed};
pub use roster::{BranchIndex, Roster, RosterError};
pub use size::{ByteSize, SizeError};
pub use time::Time;
