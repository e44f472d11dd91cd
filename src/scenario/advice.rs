//! What a person can do about a problem, and the words at the places that it points to.

use super::json::Kind;
use super::problem::{Problem, Thing};
use super::process::PROCESS_KEYS;
use crate::model::MoneyError;

impl Problem {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::NotUtf8 { byte: 0xfe | 0xff } => {
                Some("the file looks like UTF-16; save it as UTF-8".to_owned())
            }
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::Empty => Some("a scenario is a JSON array of processes: `[{\"type\": \"branch\", \"id\": 1, \"balance\": 0}]`".to_owned()),
            Self::Syntax(problem) => problem.help(),
            Self::NotAScenario { .. } => Some("write `[ … ]` with branches and customers, or `{\"processes\": [ … ]}`; `passbook schema` prints the format".to_owned()),
            Self::WrongType { expected: Kind::Number, found: Kind::String } => {
                Some("write the number without quotes".to_owned())
            }
            Self::WrongType { .. } => None,
            Self::UnknownKey { of: Thing::Scenario, key, .. }
                if PROCESS_KEYS.names.contains(&key.as_str()) =>
            {
                Some("a process stands in an array, even alone: `[ … ]`".to_owned())
            }
            Self::UnknownKey { known, nearest, .. } => {
                Some(suggestion(*nearest, known, "known keys"))
            }
            Self::UnknownWord { known, nearest, .. } => {
                Some(suggestion(*nearest, known, "known words"))
            }
            Self::DuplicateKey { .. } => Some("keep one of the two".to_owned()),
            Self::TwoNames { first, second, .. } => {
                Some(format!("keep either `{first}` or `{second}`"))
            }
            Self::MisplacedKey { key, owner, .. } => Some(format!("`{key}` belongs to {owner}")),
            Self::MissingKey { of, key } => missing(*of, key),
            Self::NotWhole { .. } => Some("write the digits alone".to_owned()),
            Self::Amount { found, reason: MoneyError::NotPositive }
                if found.as_str().starts_with('-') =>
            {
                Some("to take money out, use the interface `withdraw`".to_owned())
            }
            Self::Amount { .. } => None,
            Self::IdOutOfRange { .. }
            | Self::SeedOutOfRange { .. }
            | Self::Balance { .. }
            | Self::NegativeBalance { .. } => None,
            Self::BlankName => Some("leave `name` out to name it after the file".to_owned()),
            Self::NoBranches => Some("add at least one: `{\"type\": \"branch\", \"id\": 1, \"balance\": 0}`".to_owned()),
            Self::DuplicateBranch { .. } => Some("give each branch an id of its own".to_owned()),
            Self::UnequalBalances { .. } => Some("all branches hold the same account, so all start with the same balance".to_owned()),
            Self::UnknownBranch { bank, .. } => Some(bank.to_string()),
            Self::NoOwnBranch { bank, .. } => Some(format!("say which branch with `dest`; {bank}")),
            Self::OutOfIds { .. } => Some("give the event an `id`".to_owned()),
            Self::UnknownCustomer { .. } => Some("expect results of the scenario's own customers".to_owned()),
            Self::DuplicateRow { .. } => Some("put all that the customer is to see into one row".to_owned()),
            Self::MixedDialects => Some("a row per customer with `balance`; or a row per event, each with `branch`; or a row per customer with `recv` and no `branch`".to_owned()),
            Self::WrongResult { .. } => None,
        }
    }

    /// The words at the place that it is about.
    pub(super) fn label(&self) -> String {
        match self {
            Self::NotUtf8 { .. } => "the first byte that is not text".to_owned(),
            Self::Empty => "nothing here".to_owned(),
            Self::Syntax(problem) => problem.label().to_owned(),
            Self::NotAScenario { found } => format!("this is {found}"),
            Self::WrongType { expected, .. } => format!("must be {expected}"),
            Self::UnknownKey { .. } => "not a known key".to_owned(),
            Self::DuplicateKey { .. } => "again here".to_owned(),
            Self::TwoNames { .. } => "and here".to_owned(),
            Self::MisplacedKey { .. } => "does not belong here".to_owned(),
            Self::MissingKey { key, .. } => format!("`{key}` is missing here"),
            Self::UnknownWord { of, .. } => format!("not a known {of}"),
            Self::NotWhole { .. } => "must be a whole number".to_owned(),
            Self::IdOutOfRange { .. } | Self::SeedOutOfRange { .. } => "out of range".to_owned(),
            Self::Amount { .. } => "must be an amount".to_owned(),
            Self::Balance { .. } | Self::NegativeBalance { .. } => "must be a balance".to_owned(),
            Self::BlankName => "blank".to_owned(),
            Self::NoBranches => "no branch in here".to_owned(),
            Self::DuplicateBranch { .. } => "again here".to_owned(),
            Self::UnequalBalances { id, .. } => format!("branch {id}"),
            Self::UnknownBranch { .. } => "no such branch".to_owned(),
            Self::NoOwnBranch { .. } => "for which branch?".to_owned(),
            Self::OutOfIds { .. } => "needs an id".to_owned(),
            Self::UnknownCustomer { .. } => "no such customer".to_owned(),
            Self::DuplicateRow { .. } => "again here".to_owned(),
            Self::MixedDialects => "of another dialect".to_owned(),
            Self::WrongResult { interface } => format!("does not fit a {interface}"),
        }
    }

    /// The words at the other place, where there are two.
    pub(super) fn other_label(&self) -> String {
        if let Self::UnequalBalances { first, .. } = self {
            return format!("branch {first}");
        }
        let opened = matches!(self, Self::Syntax(_));
        if opened { "opened here".to_owned() } else { "first here".to_owned() }
    }
}

fn suggestion(nearest: Option<&str>, known: &[&str], lead: &str) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("{lead}: {}", known.join(", ")),
    }
}

fn missing(of: Thing, key: &str) -> Option<String> {
    let help = match key {
        "type" => "a process is of type `branch` or `customer`",
        "balance" if of == Thing::Branch => "write `\"balance\": 0` for an empty account",
        "balance" if of == Thing::Row => "a row has `balance` or `recv`",
        "money" => "a deposit or withdrawal moves an amount: `\"money\": 400`",
        "interface" => "it is `deposit`, `withdraw` or `query`",
        "events" => "write `\"events\": []` for a customer that asks nothing",
        "processes" => "the branches and customers go into `\"processes\": [ … ]`",
        _ => return None,
    };
    Some(help.to_owned())
}
