//! What can be wrong with an input, as data, and how each is put to a person: what is said, the
//! words at the place, and what can be done.

use std::fmt;

use crate::model::{
    BranchId, CustomerId, EventId, Guarantees, Money, MoneyError, OperationKind, Roster, Shown,
};
use crate::network::Impossible;

/// Makes an enum of problems. After each variant stand its message, the words at its place, and its
/// help.
macro_rules! problems {
    ($(#[$meta:meta])* pub enum $Problem:ident { $(
        $name:ident $({ $($field:ident: $type:ty),+ $(,)? })?
            => ($message:literal $(, $value:expr)*), $label:expr, $help:expr;
    )+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "what a field is stands in the message beside it")]
        pub enum $Problem {
            $(#[doc = $message] $name $({ $($field: $type),+ })?),+
        }

        impl $Problem {
            fn wording(&self) -> Wording {
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        $($(let _ = $field;)+)?
                        let message = format!($message $(, $value)*);
                        Wording { message, label: $label.into(), help: $help }
                    })+
                }
            }

            /// The words at its place.
            pub(super) fn label(&self) -> String {
                self.wording().label
            }

            /// What to do about it.
            pub(super) fn help(&self) -> Option<String> {
                self.wording().help
            }
        }

        impl fmt::Display for $Problem {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.wording().message)
            }
        }
    };
}

/// How a problem is put to a person.
struct Wording {
    message: String,
    label: String,
    help: Option<String>,
}

/// A help that does not depend on anything.
fn say(help: &str) -> Option<String> {
    Some(help.to_owned())
}

const A_BRANCH: &str = "{\"type\": \"branch\", \"id\": 1, \"balance\": 0}";

problems! {
    /// What is wrong with an input.
    pub enum Problem {
        NotUtf8 { byte: u8 } => ("the text is not UTF-8: the byte 0x{byte:02x} does not belong here"),
            "the first byte that is not text",
            match byte {
                0xfe | 0xff => say("it looks like UTF-16; save the file as UTF-8"),
                _ => say("save the file as UTF-8"),
            };
        Empty => ("the input is empty"), "nothing here",
            Some(format!("a scenario is a JSON array: `[{A_BRANCH}, … ]`"));
        Syntax { problem: SyntaxProblem } => ("not JSON: {problem}"), problem.label(), problem.help();
        NotAScenario { found: Kind } =>
            ("expected an array of processes or a scenario object, found {found}"),
            format!("this is {found}"),
            say("write `[ … ]` with branches and customers, or `{\"processes\": [ … ]}`; \
                 `passbook schema` prints the format");
        WrongType { expected: Kind, found: Kind } => ("expected {expected}, found {found}"),
            format!("must be {expected}"),
            match (expected, found) {
                (Kind::Number, Kind::String) => say("write the number without quotes"),
                _ => None,
            };
        UnknownKey { key: Excerpt, of: &'static str, known: &'static [&'static str] } =>
            ("unknown key `{key}` in {of}"), "not a known key",
            match (*of, key.as_str()) {
                ("a scenario", "id" | "type" | "balance" | "events" | "customer-requests") => {
                    say("a process stands in an array, even alone: `[ … ]`")
                }
                (_, key) => suggestion(key, known),
            };
        DuplicateKey { key: &'static str } => ("the key `{key}` is given twice"), "again here",
            say("keep one of the two");
        TwoNames { of: &'static str, first: &'static str, second: &'static str } =>
            ("{of} has both `{first}` and `{second}`, which mean the same"), "and here",
            Some(format!("keep either `{first}` or `{second}`"));
        MisplacedKey { of: &'static str, key: &'static str, owner: &'static str } =>
            ("{of} has no `{key}`"), "does not belong here",
            Some(format!("`{key}` belongs to {owner}"));
        MissingKey { of: &'static str, key: &'static str } => ("{of} needs `{key}`"),
            format!("`{key}` is missing here"),
            missing(of, key);
        UnknownWord { of: &'static str, found: Excerpt, known: Vec<&'static str> } =>
            ("unknown {of} `{found}`"), format!("not a known {of}"),
            suggestion(found.as_str(), known);
        NotWhole { found: Excerpt } => ("{found} is not a whole number"), "must be a whole number",
            say("write the digits alone");
        IdOutOfRange { found: Excerpt } => ("an id is from 1 to {}, found {found}", i32::MAX),
            "out of range", None;
        SeedOutOfRange { found: Excerpt } => ("a seed is from 0 to {}, found {found}", u64::MAX),
            "out of range", None;
        Latency { found: Excerpt } => ("`{found}` is no latency"), "must be a latency",
            say("write none, constant:20ms, uniform:1ms..50ms or exponential:10ms");
        Span { found: Excerpt } => ("`{found}` is no span of time"), "must be a span of time",
            say("write a whole number with us, ms, s, min or h, up to 12h: `2s`");
        SpansReversed { found: Excerpt } => ("in `{found}` the longest comes first"),
            "the wrong way round", say("write the shorter span on the left");
        LongSpan { found: Excerpt } => ("`{found}` is no span of time"), "must be a span of time",
            say("write a whole number with us, ms, s, min or h, up to 1000h: `2s`");
        Interval { found: Excerpt } => ("`{found}` is no interval of a nemesis"),
            "must be a span of time", say("write a span from 1ms to 12h: `50ms`");
        Rate { found: Excerpt } => ("{found} is no rate"), "must be a rate",
            say("write a number from 0 to 1 with at most six decimals: 0.02");
        NoHarm => ("a nemesis does something"), "nothing in here",
            say("name some of partition, crash, amnesia, slow, or leave `nemesis` out");
        HarmTwice { word: &'static str } => ("`{word}` is there twice"), "again here",
            say("a nemesis does each thing as often as the others");
        KeptOutOfRange { found: Excerpt } =>
            ("a branch keeps a number of writes, from 0 to {}, found {found}", u64::MAX),
            "out of range", None;
        AttemptOutOfRange { found: Excerpt } =>
            ("attempts are counted from 1 to {}, found {found}", u32::MAX), "out of range", None;
        NotTwoSpans => ("a message that arrives twice takes two spans of time"), "not two",
            say("write `[\"5ms\", \"9ms\"]`");
        NotOneFate => ("the fate of a message is one of `fate`, `arrives` and `arrives_twice`"),
            "which of them?",
            say("write `\"fate\": \"lost\"`, `\"arrives\": \"5ms\"` or `\"arrives_twice\": [\"5ms\", \"9ms\"]`");
        NoSuchCustomer { customer: CustomerId } => ("customer {customer} is not in the scenario"),
            "no such customer", say("a message is about an event of one of the scenario's customers");
        NoSuchEvent { customer: CustomerId, event: EventId } =>
            ("customer {customer} has no event {event}"), "no such event",
            say("name an event as the report does: where events are numbered anew, by its new number");
        MessageOfQuery { customer: CustomerId, event: EventId } =>
            ("event {event} of customer {customer} is a query, which no message between branches is about"),
            "a query", say("name a deposit or withdrawal");
        Impossible { why: Impossible } => ("{why}"), "this cannot be", impossible(why);
        LinkToItself { branch: BranchId } =>
            ("a link leads from one branch to another, not from branch {branch} to itself"),
            "the same branch", say("what a branch tells itself takes no time");
        DuplicateLink { from: BranchId, to: BranchId } =>
            ("the link from branch {from} to branch {to} is there twice"), "again here",
            say("keep one of the two; a link is one direction, so the way back is another");
        GuaranteesDiffer { customer: CustomerId, first: Guarantees, found: Guarantees } =>
            ("customer {customer} is promised {first} in one entry and {found} in another"),
            "something else here",
            say("a customer is one session: say it once, and leave it out in its other entries");
        Amount { found: Excerpt, reason: MoneyError } => ("{found} is no amount: {reason}"),
            "must be an amount",
            (*reason == MoneyError::NotPositive && found.as_str().starts_with('-'))
                .then(|| "to take money out, use the interface `withdraw`".to_owned());
        Balance { found: Excerpt, reason: MoneyError } => ("{found} is no balance: {reason}"),
            "must be a balance", None;
        NegativeBalance { found: Money } =>
            ("a branch cannot start with {found}: an opening balance is 0 or more"),
            "must be a balance", None;
        BlankName => ("the name of a scenario cannot be blank"), "blank",
            say("leave `name` out to name it after the file");
        NoBranches => ("the bank has no branches"), "no branch in here",
            Some(format!("add at least one: `{A_BRANCH}`"));
        DuplicateBranch { id: BranchId } => ("branch {id} is there twice"), "again here",
            say("give each branch an id of its own");
        UnequalBalances { first: BranchId, first_balance: Money, id: BranchId, balance: Money } =>
            ("unequal balances at the start: {first_balance} at branch {first}, {balance} at branch {id}"),
            format!("branch {id}"),
            say("all branches hold the same account, so all start with the same balance");
        UnknownBranch { id: BranchId, bank: BranchList } => ("there is no branch {id}"),
            "no such branch", Some(bank.to_string());
        NoOwnBranch { customer: CustomerId, bank: BranchList } =>
            ("the event names no branch, and customer {customer} has no branch {customer} of its own"),
            "for which branch?", Some(format!("say which branch with `dest`; {bank}"));
        OutOfIds { customer: CustomerId } =>
            ("the event has no id, and customer {customer} already has the highest that there is"),
            "needs an id", say("give the event an `id`, or the events before it lower ones");
        UnknownCustomer { id: CustomerId } => ("customer {id} is not in the scenario"),
            "no such customer", say("expect results of the scenario's own customers");
        MixedDialects => ("the rows are of different output dialects"), "of another dialect",
            say("either all rows have `balance` alone, or all have `recv`");
        WrongResult { interface: OperationKind } =>
            ("the result of a {interface} is {}", expected_told(*interface)),
            format!("does not fit a {interface}"), None;
        Other { message: Excerpt } => ("{message}"), "here", None;
    }
}

problems! {
    /// Why a text is not JSON.
    pub enum SyntaxProblem {
        Unfinished => ("the text ends before the document does"), "ends here",
            say("close what is open, or look whether the file was cut off");
        SecondDocument => ("a second document after the end of the first"), "the second starts here",
            say("put one scenario in each file, or one on each line for `passbook batch`");
        TextAfterEnd => ("text after the end of the document"), "after the end", say("remove it");
        TrailingComma => ("a comma before the closing bracket"), "one comma too many",
            say("remove the comma before the bracket");
        ExtraComma => ("a comma with nothing before it"), "one comma too many",
            say("remove the comma");
        MissingComma => ("a comma is missing"), "no comma before this",
            say("put a comma before this");
        MissingColon => ("a colon is missing after the key"), "no `:` before this",
            say("put `:` between the key and its value");
        WrongBracket { found: char } =>
            ("the closing bracket `{found}` does not match the opening one"), "does not match",
            say(if *found == ']' { "an object ends with `}`" } else { "an array ends with `]`" });
        WrongQuote { found: char } => ("text is put in double quotes, found `{found}`"),
            "not a double quote", say("write `\"` instead");
        Comment => ("JSON has no comments"), "a comment",
            say("put the remark into `description` of a scenario object");
        BareWord { word: Excerpt } => ("`{word}` is no JSON value"), "not a JSON value",
            say("put text in double quotes; `true`, `false` and `null` are written in small letters");
        KeyNotString => ("a key must be text in double quotes"), "must be a key in double quotes",
            say("put the key in double quotes");
        BadNumber { found: Excerpt } => ("`{found}` is not written as JSON writes numbers"),
            "not a JSON number",
            say("write it like 400 or 400.50: no leading zeros, plus sign or bare point");
        ControlInString => ("a line break or control character inside quoted text"),
            "inside quoted text",
            say("close the quotes before the end of the line, or write `\\n`");
        BadEscape => ("an escape that JSON does not have"), "not an escape",
            say("write `\\\\` for a backslash");
        Unexpected { found: Excerpt } => ("`{found}` does not belong here"), "unexpected", None;
    }
}

impl Problem {
    /// The words at the other place, where there are two.
    pub(super) fn other_label(&self) -> String {
        if let Self::UnequalBalances { first, .. } = self {
            return format!("branch {first}");
        }
        let opened = matches!(self, Self::Syntax { .. });
        if opened { "opened here".to_owned() } else { "first here".to_owned() }
    }
}

impl From<SyntaxProblem> for Problem {
    fn from(problem: SyntaxProblem) -> Self {
        Self::Syntax { problem }
    }
}

/// What sort of JSON value something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Digits.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`
    Null,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        })
    }
}

fn missing(of: &str, key: &str) -> Option<String> {
    say(match key {
        "type" => "a process is of type `branch` or `customer`",
        "balance" if of == "a branch" => "write `\"balance\": 0` for an empty account",
        "balance" => "a row has `balance` or `recv`",
        "money" => "a deposit or withdrawal moves an amount: `\"money\": 400`",
        "interface" => "it is `deposit`, `withdraw` or `query`",
        "events" => "write `\"events\": []` for a customer that asks nothing",
        "latency" => "say how long messages take: `\"latency\": \"constant:20ms\"`",
        "processes" => "the branches and customers go into `\"processes\": [ … ]`",
        _ => return None,
    })
}

fn impossible(why: &Impossible) -> Option<String> {
    say(match why {
        Impossible::Sides => "write `[[1], [2, 3]]`",
        Impossible::Twice { .. } => "name each branch once",
        Impossible::EndsFirst { .. } => {
            "write a later `until`; both count from the start of the run"
        }
        Impossible::TooLate => "write an earlier `until`",
        Impossible::CrashesOverlap { .. } => {
            "a branch that is down stops only after it has started again"
        }
        Impossible::SlownessesOverlap { .. } => "let one end where the other begins",
        Impossible::TwoFates { .. } => "keep one of the two, or count the `attempt` up",
        Impossible::TooManyBranches { .. } => "let branches keep all, or take fewer branches",
        Impossible::NoBranch { .. } | Impossible::ToItself | Impossible::NoAttempt => return None,
    })
}

/// What was perhaps meant by an unknown key or word, or all that would do.
fn suggestion(found: &str, known: &[&'static str]) -> Option<String> {
    Some(match nearest(found, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    })
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

fn expected_told(interface: OperationKind) -> &'static str {
    match interface {
        OperationKind::Query => "its `balance`, or a `result` of `fail` or `unknown`",
        OperationKind::Deposit | OperationKind::Withdraw => {
            "its `result`: `success`, `fail` or `unknown`"
        }
    }
}

/// The known word that `word` was perhaps meant to be.
fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    // A long word is no slip of the pen, and the distance is quadratic.
    if word.len() > 40 {
        return None;
    }
    let plain = |text: &str| text.trim().to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let near = known.iter().map(|name| {
        let name_plain = plain(name);
        let slips = strsim::damerau_levenshtein(&word, &name_plain);
        let longest = word.chars().count().max(name_plain.chars().count());
        let longer_form =
            word.len() >= 3 && (name_plain.starts_with(&word) || word.starts_with(&name_plain));
        (slips * 3 <= longest || longer_form, slips, *name)
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
            assert_eq!(nearest(word, &keys), expected, "{word}");
        }
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(Excerpt::new("a\u{1b}[31m\nb").to_string(), "a\\u{1b}[31m\\nb");
        assert_eq!(Excerpt::new(&"é".repeat(41)).to_string(), format!("{}…", "é".repeat(40)));
    }
}
