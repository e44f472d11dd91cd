//! Whose file it is.

use std::str::FromStr;

use crate::model::{BranchId, Life, Money, Roster, UnknownVersion, Versions};

/// The forms of the file of a branch that are read.
const VERSIONS: Versions = Versions {
    what: "the file of a branch",
    oldest: 1,
    newest: 1,
    otherwise: "use the passbook that made it, or another folder",
};

/// What the file of a branch says of its bank, from the beginning on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name of the bank.
    pub bank: String,
    /// Whose file it is.
    pub branch: BranchId,
    /// All branches of the bank, and the life in which they were when it began.
    pub roster: Roster,
    /// What each branch held before the first write.
    pub opening_balance: Money,
}

/// The file is of another bank, or none of a branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AboutError {
    /// It holds something, and not what this program writes.
    #[error("it is no file of a branch: it does not say '{0}' as one does")]
    Missing(&'static str),
    /// Made by another passbook.
    #[error(transparent)]
    OtherVersion(#[from] UnknownVersion),
    /// Of another bank or branch.
    #[error("it is of {there}, and not of {asked}; name another folder, or ask for what it is of")]
    Other {
        /// What it says of itself.
        there: String,
        /// What was asked for.
        asked: String,
    },
}

impl About {
    /// Names and values, as they are written.
    pub(super) fn values(&self) -> [(&'static str, String); 6] {
        let branches: Vec<String> = self.roster.ids().iter().map(BranchId::to_string).collect();
        [
            ("format", VERSIONS.newest.to_string()),
            ("bank", self.bank.clone()),
            ("branch", self.branch.to_string()),
            ("branches", branches.join(",")),
            ("opening_balance_minor", self.opening_balance.minor().to_string()),
            ("first_life", self.roster.first_life().get().to_string()),
        ]
    }

    /// What is written under each name, which `read` gives.
    pub(super) fn read(read: impl Fn(&str) -> Option<String>) -> Result<Self, AboutError> {
        let text = |name: &'static str| read(name).ok_or(AboutError::Missing(name));
        VERSIONS.check(number(text("format")?, "format")?)?;
        let id = |text: &str, name| {
            let id: i64 = number(text.to_owned(), name)?;
            BranchId::new(id).map_err(|_| AboutError::Missing(name))
        };
        let ids = text("branches")?;
        let ids: Result<Vec<_>, _> = ids.split(',').map(|one| id(one, "branches")).collect();
        let roster = Roster::new(ids?).map_err(|_| AboutError::Missing("branches"))?;
        let first_life = Life::new(number(text("first_life")?, "first_life")?);
        let name = "opening_balance_minor";
        Ok(Self {
            bank: text("bank")?,
            branch: id(&text("branch")?, "branch")?,
            roster: roster.beginning_in(first_life),
            opening_balance: Money::from_minor(number(text(name)?, name)?),
        })
    }

    /// Refuses to be taken for `asked` if it is another. In which life a bank began is not asked.
    pub(super) fn check(&self, asked: &Self) -> Result<(), AboutError> {
        let is_same = self.bank == asked.bank
            && self.branch == asked.branch
            && self.roster.ids() == asked.roster.ids()
            && self.opening_balance == asked.opening_balance;
        if is_same {
            return Ok(());
        }
        Err(AboutError::Other { there: self.in_words(), asked: asked.in_words() })
    }

    fn in_words(&self) -> String {
        let Self { bank, branch, roster, opening_balance } = self;
        let branches: Vec<String> = roster.ids().iter().map(BranchId::to_string).collect();
        let branches = branches.join(", ");
        format!(
            "branch {branch} of the bank '{bank}' of {branches}, which opened with {opening_balance}"
        )
    }
}

fn number<N: FromStr>(text: String, name: &'static str) -> Result<N, AboutError> {
    text.parse().map_err(|_| AboutError::Missing(name))
}
