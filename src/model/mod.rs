//! The vocabulary: ids, money, operations, outcomes, and how text from elsewhere is shown. Knows no
//! branch, no actor and no file format.

pub(crate) mod blocks;
mod guarantee;
mod id;
mod list;
mod log_entry;
mod loss_reason;
mod money;
pub mod number;
mod operation;
mod outcome;
mod policy;
pub(crate) mod quick_json;
mod random;
mod roster;
mod shown;
mod size;
mod time;
mod version;
mod words;

pub use guarantee::{Guarantee, GuaranteePolicy, Guarantees, GuaranteesError};
pub use id::{
    BranchId, CustomerId, EventId, IdError, Life, LogPosition, MessageNumber, RequestNumber,
    Sequence, WriteId,
};
pub use list::{listed, listed_of, named_in};
pub use log_entry::{Dot, LogEntry};
pub use loss_reason::LossReason;
pub use money::{Amount, Decimal, Money, MoneyError};
pub use operation::{Event, Operation, OperationKind, Write, WriteKind};
pub use outcome::{
    Lag, Lost, NotReached, Outcome, OutcomeClass, Receipt, Refusal, RequestError, Waited,
};
pub use policy::{
    CustomerOrder, Dialect, Durability, EventIds, Overdraft, Propagation, QueryTiming, Seed,
};
pub use random::Random;
pub use roster::{BranchIndex, OriginLife, Roster, RosterError};
pub use shown::{Shown, is_unseen};
pub use size::{ByteSize, SizeError};
pub use time::Time;
pub use version::{UnknownVersion, Versions};
pub use words::{UnknownWord, Word};
pub(crate) use words::{counts, spelled, words};
