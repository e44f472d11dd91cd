//! What can be wrong with an input, as data, and how each is put to a person.

use std::fmt;

use thiserror::Error;

use super::json::Kind;
use super::syntax::SyntaxProblem;
use crate::model::{BranchId, CustomerId, Guarantees, Interface, Money, MoneyError, Roster, Shown};

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The bytes are no text.
    #[error("the text is not UTF-8: the byte 0x{byte:02x} does not belong here")]
    NotUtf8 {
        /// The first byte that does not fit.
        byte: u8,
    },
    /// Nothing, or white space alone.
    #[error("the input is empty")]
    Empty,
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(SyntaxProblem),
    /// The whole document is neither an array nor an object.
    #[error("expected an array of processes or a scenario object, found {found}")]
    NotAScenario {
        /// What it is.
        found: Kind,
    },
    /// Another sort of JSON value.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What belongs here.
        expected: Kind,
        /// What is here.
        found: Kind,
    },
    /// A key that nobody knows.
    #[error("unknown key `{key}` in {of}")]
    UnknownKey {
        /// The key, without the spaces around it.
        key: Excerpt,
        /// What has it.
        of: Thing,
        /// The keys that would do.
        known: Vec<&'static str>,
        /// The one that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// The same key again, perhaps with other spaces around it.
    #[error("the key `{key}` is given twice")]
    DuplicateKey {
        /// The key.
        key: &'static str,
    },
    /// Two keys that mean the same, such as `dest` and `branch`.
    #[error("{of} has both `{first}` and `{second}`, which mean the same")]
    TwoNames {
        /// What has them.
        of: Thing,
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A key that belongs to the other sort of process.
    #[error("{of} has no `{key}`")]
    MisplacedKey {
        /// What has it.
        of: Thing,
        /// The key.
        key: &'static str,
        /// What it belongs to.
        owner: Thing,
    },
    /// A key that must be there.
    #[error("{of} needs `{key}`")]
    MissingKey {
        /// What lacks it.
        of: Thing,
        /// The key.
        key: &'static str,
    },
    /// A word that is none of those that would do.
    #[error("unknown {of} `{found}`")]
    UnknownWord {
        /// What the word says: `interface`, say.
        of: &'static str,
        /// The word.
        found: Excerpt,
        /// The words that would do.
        known: Vec<&'static str>,
        /// The one that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// A number with a fraction or an exponent.
    #[error("{found} is not a whole number")]
    NotWhole {
        /// The number as written.
        found: Excerpt,
    },
    /// A number that cannot be an id.
    #[error("an id is from 1 to {max}, found {found}", max = i32::MAX)]
    IdOutOfRange {
        /// The number as written.
        found: Excerpt,
    },
    /// A number that cannot be a seed.
    #[error("a seed is from 0 to {max}, found {found}", max = u64::MAX)]
    SeedOutOfRange {
        /// The number as written.
        found: Excerpt,
    },
    /// A text that is no latency.
    #[error("`{found}` is no latency")]
    Latency {
        /// The text as written.
        found: Excerpt,
    },
    /// A text that is no span of time.
    #[error("`{found}` is no span of time")]
    Span {
        /// The text as written.
        found: Excerpt,
    },
    /// A latency whose longest span comes first.
    #[error("in `{found}` the longest comes first")]
    SpansReversed {
        /// The text as written.
        found: Excerpt,
    },
    /// A link that leads nowhere.
    #[error("a link leads from one branch to another, not from branch {branch} to itself")]
    LinkToItself {
        /// The branch.
        branch: BranchId,
    },
    /// The same link again.
    #[error("the link from branch {from} to branch {to} is there twice")]
    DuplicateLink {
        /// The sender.
        from: BranchId,
        /// The receiver.
        to: BranchId,
    },
    /// Two visits of a customer that promise it different things.
    #[error("customer {customer} is promised {first} in one entry and {found} in another")]
    GuaranteesDiffer {
        /// The customer.
        customer: CustomerId,
        /// What the first entry says.
        first: Guarantees,
        /// What this one says.
        found: Guarantees,
    },
    /// Money that no deposit or withdrawal can move.
    #[error("{found} is no amount: {reason}")]
    Amount {
        /// The number as written.
        found: Excerpt,
        /// Why not.
        reason: MoneyError,
    },
    /// A number that is no balance.
    #[error("{found} is no balance: {reason}")]
    Balance {
        /// The number as written.
        found: Excerpt,
        /// Why not.
        reason: MoneyError,
    },
    /// A branch cannot open below zero.
    #[error("a branch cannot start with {found}: an opening balance is 0 or more")]
    NegativeBalance {
        /// The balance.
        found: Money,
    },
    /// A name that nobody could see.
    #[error("the name of a scenario cannot be blank")]
    BlankName,
    /// A bank without branches.
    #[error("the bank has no branches")]
    NoBranches,
    /// The same branch again.
    #[error("branch {id} is there twice")]
    DuplicateBranch {
        /// The branch.
        id: BranchId,
    },
    /// Branches that do not agree from the start.
    #[error(
        "unequal balances at the start: {first_balance} at branch {first}, {balance} at branch {id}"
    )]
    UnequalBalances {
        /// The first branch of the input.
        first: BranchId,
        /// What it holds.
        first_balance: Money,
        /// The first that holds something else.
        id: BranchId,
        /// What that is.
        balance: Money,
    },
    /// An event for a branch that is not there.
    #[error("there is no branch {id}")]
    UnknownBranch {
        /// The branch.
        id: BranchId,
        /// Those that are there.
        bank: BranchList,
    },
    /// An event that names no branch, of a customer that has none of its own.
    #[error(
        "the event names no branch, and customer {customer} has no branch {customer} of its own"
    )]
    NoOwnBranch {
        /// The customer.
        customer: CustomerId,
        /// The branches that are there.
        bank: BranchList,
    },
    /// There is no id above the highest for an event without one.
    #[error("the event has no id, and customer {customer} already has the highest that there is")]
    OutOfIds {
        /// The customer.
        customer: CustomerId,
    },
    /// An expected row for a customer that is not in the scenario.
    #[error("customer {id} is not in the scenario")]
    UnknownCustomer {
        /// The customer.
        id: CustomerId,
    },
    /// Rows of more than one output dialect.
    #[error("the rows are of different output dialects")]
    MixedDialects,
    /// An expected query without a balance, or a write with one, and so on.
    #[error("the result of a {interface} is {}", expected_told(*interface))]
    WrongResult {
        /// What was asked.
        interface: Interface,
    },
}

/// What an object of the input stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// The outermost object.
    Scenario,
    /// A branch or a customer; nobody knows yet.
    Process,
    /// A branch.
    Branch,
    /// A customer.
    Customer,
    /// One event of a customer.
    Event,
    /// One direction between two branches.
    Link,
    /// A row of an expected result.
    Row,
    /// What became of one event.
    EventResult,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scenario => "a scenario",
            Self::Process => "a process",
            Self::Branch => "a branch",
            Self::Customer => "a customer",
            Self::Event => "an event",
            Self::Link => "a link",
            Self::Row => "a row of an expected result",
            Self::EventResult => "the result of an event",
        })
    }
}

/// Part of the input as an error quotes it: on one line, not long, nothing that moves a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    const CHARACTERS_MAX: usize = 40;

    pub(super) fn new(text: &str) -> Self {
        Self(Shown::brief(text, Self::CHARACTERS_MAX).to_string())
    }

    /// What is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The branches of a bank, to be shown; shortened where there are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchList {
    shown: Vec<BranchId>,
    count: usize,
    last: Option<BranchId>,
}

impl BranchList {
    const SHOWN_MAX: usize = 10;

    pub(super) fn of(roster: &Roster) -> Self {
        let shown = roster.ids().iter().take(Self::SHOWN_MAX).copied().collect();
        Self { shown, count: roster.len(), last: roster.ids().last().copied() }
    }
}

impl fmt::Display for BranchList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.shown.iter().map(BranchId::to_string).collect();
        match self.last {
            Some(last) if self.count > self.shown.len() => {
                write!(f, "the {} branches are {}, …, {last}", self.count, ids.join(", "))
            }
            Some(_) if self.count > 1 => write!(f, "the branches are {}", ids.join(", ")),
            Some(_) | None => write!(f, "the only branch is {}", ids.join(", ")),
        }
    }
}

fn expected_told(interface: Interface) -> &'static str {
    match interface {
        Interface::Query => "its `balance`, or a `result` of `fail` or `unknown`",
        Interface::Deposit | Interface::Withdraw => "its `result`: `success`, `fail` or `unknown`",
    }
}

/// The known word that `word` was perhaps meant to be.
pub(super) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    // A long word is no slip of the pen, and the distance is quadratic.
    if word.len() > 40 {
        return None;
    }
    let plain = |text: &str| text.trim().to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let near = known.into_iter().map(|name| {
        let name_plain = plain(name);
        let slips = strsim::damerau_levenshtein(&word, &name_plain);
        let longest = word.chars().count().max(name_plain.chars().count());
        let longer_form =
            word.len() >= 3 && (name_plain.starts_with(&word) || word.starts_with(&name_plain));
        (slips * 3 <= longest || longer_form, slips, name)
    });
    near.filter(|(is_near, ..)| *is_near)
        .min_by_key(|(_, slips, _)| *slips)
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_could_be_meant() {
        let keys = ["id", "interface", "money", "dest", "branch", "customer-requests"];
        for (word, expected) in [
            ("mony", Some("money")),
            ("Money", Some("money")),
            ("interfce", Some("interface")),
            ("destination", Some("dest")),
            ("customer_requests", Some("customer-requests")),
            ("brnach", Some("branch")),
            ("ID", Some("id")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), expected, "{word}");
        }
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(Excerpt::new("a\u{1b}[31m\nb").to_string(), "a\\u{1b}[31m\\nb");
        assert_eq!(Excerpt::new(&"é".repeat(41)).to_string(), format!("{}…", "é".repeat(40)));
    }
}
