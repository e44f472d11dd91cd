//! What a person can do about a problem, and the words at the places that it points to.

use super::json::Kind;
use super::problem::{Problem, Thing};
use super::process::PROCESS_KEYS;
use crate::model::MoneyError;

const A_BRANCH: &str = "{\"type\": \"branch\", \"id\": 1, \"balance\": 0}";
const TOP_LEVEL: &str = "write `[ … ]` with branches and customers, or `{\"processes\": [ … ]}`; \
                         `passbook schema` prints the format";
const OUTPUT_DIALECTS: &str = "either all rows have `balance` alone, or all have `recv`";
const ONE_ACCOUNT: &str = "all branches hold the same account, so all start with the same balance";

impl Problem {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        let fixed = match self {
            Self::Empty => return Some(format!("a scenario is a JSON array: `[{A_BRANCH}, … ]`")),
            Self::NoBranches => return Some(format!("add at least one: `{A_BRANCH}`")),
            Self::Syntax(problem) => return problem.help(),
            Self::MissingKey { of, key } => return missing(*of, key),
            Self::UnknownKey { .. } | Self::UnknownWord { .. } => return self.suggestion(),
            Self::UnknownBranch { bank, .. } => return Some(bank.to_string()),
            Self::NoOwnBranch { bank, .. } => {
                return Some(format!("say which branch with `dest`; {bank}"));
            }
            Self::TwoNames { first, second, .. } => {
                return Some(format!("keep either `{first}` or `{second}`"));
            }
            Self::MisplacedKey { key, owner, .. } => {
                return Some(format!("`{key}` belongs to {owner}"));
            }
            Self::NotUtf8 { byte: 0xfe | 0xff } => "it looks like UTF-16; save the file as UTF-8",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::NotAScenario { .. } => TOP_LEVEL,
            Self::WrongType { expected: Kind::Number, found: Kind::String } => {
                "write the number without quotes"
            }
            Self::DuplicateKey { .. } => "keep one of the two",
            Self::NotWhole { .. } => "write the digits alone",
            Self::Amount { found, reason: MoneyError::NotPositive }
                if found.as_str().starts_with('-') =>
            {
                "to take money out, use the interface `withdraw`"
            }
            Self::Latency { .. } => {
                "write none, constant:20ms, uniform:1ms..50ms or exponential:10ms"
            }
            Self::Span { .. } => "write a whole number with us, ms, s, min or h, up to 12h: `2s`",
            Self::SpansReversed { .. } => "write the shorter span on the left",
            Self::LinkToItself { .. } => "what a branch tells itself takes no time",
            Self::DuplicateLink { .. } => {
                "keep one of the two; a link is one direction, so the way back is another"
            }
            Self::GuaranteesDiffer { .. } => {
                "a customer is one session: say it once, and leave it out in its other entries"
            }
            Self::BlankName => "leave `name` out to name it after the file",
            Self::DuplicateBranch { .. } => "give each branch an id of its own",
            Self::UnequalBalances { .. } => ONE_ACCOUNT,
            Self::OutOfIds { .. } => "give the event an `id`, or the events before it lower ones",
            Self::UnknownCustomer { .. } => "expect results of the scenario's own customers",
            Self::MixedDialects => OUTPUT_DIALECTS,
            Self::WrongType { .. }
            | Self::Amount { .. }
            | Self::Balance { .. }
            | Self::NegativeBalance { .. }
            | Self::IdOutOfRange { .. }
            | Self::SeedOutOfRange { .. }
            | Self::WrongResult { .. } => return None,
        };
        Some(fixed.to_owned())
    }

    /// What was perhaps meant instead of an unknown key or word.
    fn suggestion(&self) -> Option<String> {
        if let Self::UnknownKey { of: Thing::Scenario, key, .. } = self
            && PROCESS_KEYS.names.contains(&key.as_str())
        {
            return Some("a process stands in an array, even alone: `[ … ]`".to_owned());
        }
        let (Self::UnknownKey { known, nearest, .. } | Self::UnknownWord { known, nearest, .. }) =
            self
        else {
            return None;
        };
        Some(match nearest {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        })
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
            Self::Latency { .. } => "must be a latency".to_owned(),
            Self::Span { .. } => "must be a span of time".to_owned(),
            Self::SpansReversed { .. } => "the wrong way round".to_owned(),
            Self::LinkToItself { .. } => "the same branch".to_owned(),
            Self::DuplicateLink { .. } => "again here".to_owned(),
            Self::GuaranteesDiffer { .. } => "something else here".to_owned(),
            Self::BlankName => "blank".to_owned(),
            Self::NoBranches => "no branch in here".to_owned(),
            Self::DuplicateBranch { .. } => "again here".to_owned(),
            Self::UnequalBalances { id, .. } => format!("branch {id}"),
            Self::UnknownBranch { .. } => "no such branch".to_owned(),
            Self::NoOwnBranch { .. } => "for which branch?".to_owned(),
            Self::OutOfIds { .. } => "needs an id".to_owned(),
            Self::UnknownCustomer { .. } => "no such customer".to_owned(),
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

fn missing(of: Thing, key: &str) -> Option<String> {
    let help = match key {
        "type" => "a process is of type `branch` or `customer`",
        "balance" if of == Thing::Branch => "write `\"balance\": 0` for an empty account",
        "balance" if of == Thing::Row => "a row has `balance` or `recv`",
        "money" => "a deposit or withdrawal moves an amount: `\"money\": 400`",
        "interface" => "it is `deposit`, `withdraw` or `query`",
        "events" => "write `\"events\": []` for a customer that asks nothing",
        "latency" => "say how long messages take: `\"latency\": \"constant:20ms\"`",
        "processes" => "the branches and customers go into `\"processes\": [ … ]`",
        _ => return None,
    };
    Some(help.to_owned())
}
