//! Single values of an input: ids, money, words. Knows no object that they stand in.

use std::borrow::Cow;

use super::error::Checked;
use super::json::{Keys, Kind, Member, Node};
use super::problem::{Excerpt, Problem, nearest};
use std::time::Duration;

use crate::fault::{Latency, LatencyError, parse_span};
use crate::model::{
    Amount, Guarantee, Guarantees, GuaranteesError, IdError, Money, MoneyError, Seed,
};

/// A choice that an input makes by a word.
pub(super) struct Words<T: 'static> {
    /// What the word says.
    pub(super) of: &'static str,
    pub(super) choices: &'static [Choice<T>],
}

/// A word and what it stands for.
pub(super) struct Choice<T> {
    pub(super) word: &'static str,
    pub(super) means: T,
}

impl<T: Copy> Words<T> {
    /// What `word` stands for.
    pub(super) fn meaning(&self, word: &str) -> Option<T> {
        self.choices.iter().find(|choice| choice.word == word).map(|choice| choice.means)
    }

    /// What the word `node` stands for.
    pub(super) fn read(&self, node: Node<'_>) -> Checked<T> {
        let found = node.string()?;
        match self.meaning(&found) {
            Some(meaning) => Ok(meaning),
            None => {
                let known: Vec<_> = self.choices.iter().map(|choice| choice.word).collect();
                Err(node.fault(Problem::UnknownWord {
                    of: self.of,
                    found: Excerpt::new(&found),
                    nearest: nearest(&found, known.iter().copied()),
                    known,
                }))
            }
        }
    }
}

/// The value of a key that must be there.
pub(super) fn required<'a, const N: usize>(
    object: Node<'a>,
    keys: &Keys<N>,
    key: &'static str,
    member: Option<Member<'a>>,
) -> Checked<Node<'a>> {
    match member {
        Some(member) => Ok(member.value),
        None => Err(object.fault_at_start(Problem::MissingKey { of: keys.of, key })),
    }
}

/// The one of two keys that mean the same.
pub(super) fn either<'a, const N: usize>(
    keys: &Keys<N>,
    names: [&'static str; 2],
    members: [Option<Member<'a>>; 2],
) -> Checked<Option<Member<'a>>> {
    let [first, second] = names;
    match members {
        [Some(one), Some(other)] => {
            let problem = Problem::TwoNames { of: keys.of, first, second };
            Err(other.key.fault(problem).and(one.key.span()))
        }
        [one, other] => Ok(one.or(other)),
    }
}

/// A branch, customer or event id.
pub(super) fn id<T: TryFrom<i64, Error = IdError>>(node: Node<'_>) -> Checked<T> {
    id_of(node, node.number()?)
}

/// The id that `digits` are, which stand at `node`.
pub(super) fn id_of<T: TryFrom<i64, Error = IdError>>(node: Node<'_>, digits: &str) -> Checked<T> {
    let number: Option<i64> = whole_number(node, digits)?.parse().ok();
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| node.fault(Problem::IdOutOfRange { found: Excerpt::new(digits) }))
}

pub(super) fn seed(node: Node<'_>) -> Checked<Seed> {
    let digits = whole_number(node, node.number()?)?;
    digits
        .parse()
        .map(Seed)
        .map_err(|_| node.fault(Problem::SeedOutOfRange { found: Excerpt::new(digits) }))
}

/// What a customer is promised: `all`, `none`, or abbreviations with commas between.
pub(super) fn guarantees(node: Node<'_>) -> Checked<Guarantees> {
    node.string()?.parse().map_err(|GuaranteesError { found }| {
        let words = ["all", "none"].into_iter();
        let known: Vec<_> = words.chain(Guarantee::ALL.map(Guarantee::short)).collect();
        let nearest = nearest(&found, known.iter().copied());
        let found = Excerpt::new(&found);
        node.fault(Problem::UnknownWord { of: "guarantee", found, known, nearest })
    })
}

/// How long messages take.
pub(super) fn latency(node: Node<'_>) -> Checked<Latency> {
    node.string()?.parse().map_err(|error| node.fault(no_latency(&error)))
}

/// A span of time: `2s`.
pub(super) fn span(node: Node<'_>) -> Checked<Duration> {
    parse_span(&node.string()?).map_err(|error| node.fault(no_latency(&error)))
}

fn no_latency(error: &LatencyError) -> Problem {
    match error {
        LatencyError::Kind { found } => Problem::Latency { found: Excerpt::new(found) },
        LatencyError::Span { found } => Problem::Span { found: Excerpt::new(found) },
        LatencyError::Order { found } => Problem::SpansReversed { found: Excerpt::new(found) },
    }
}

/// What a deposit or withdrawal moves.
pub(super) fn amount(node: Node<'_>) -> Checked<Amount> {
    let digits = digits(node)?;
    digits
        .parse()
        .map_err(|reason| node.fault(Problem::Amount { found: Excerpt::new(&digits), reason }))
}

pub(super) fn balance(node: Node<'_>) -> Checked<Money> {
    let digits = digits(node)?;
    digits.parse().map_err(|reason: MoneyError| {
        node.fault(Problem::Balance { found: Excerpt::new(&digits), reason })
    })
}

/// The digits of a number, which may stand in quotes. Whoever takes them says so.
pub(super) fn digits(node: Node<'_>) -> Checked<Cow<'_, str>> {
    Ok(match node.kind() {
        Kind::String => match node.string()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        },
        Kind::Object | Kind::Array | Kind::Number | Kind::Boolean | Kind::Null => {
            Cow::Borrowed(node.number()?)
        }
    })
}

/// What a branch holds at the start.
pub(super) fn opening_balance(node: Node<'_>) -> Checked<Money> {
    match balance(node)? {
        found if found < Money::ZERO => Err(node.fault(Problem::NegativeBalance { found })),
        found => Ok(found),
    }
}

fn whole_number<'a>(node: Node<'_>, digits: &'a str) -> Checked<&'a str> {
    if digits.contains(['.', 'e', 'E']) {
        return Err(node.fault(Problem::NotWhole { found: Excerpt::new(digits) }));
    }
    Ok(digits)
}

/// Checks that a remark is text, and forgets it.
pub(super) fn remark(member: Option<Member<'_>>) -> Checked<()> {
    match member {
        Some(member) if member.value.kind() != Kind::String => {
            let found = member.value.kind();
            Err(member.value.fault(Problem::WrongType { expected: Kind::String, found }))
        }
        Some(_) | None => Ok(()),
    }
}
