//! The closed lists of words as the values of options.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::check::foreign::ForeignForm;
use crate::model::{CustomerOrder, Dialect, EventIds, Overdraft, Propagation, UnknownWord, Word};
use crate::report::convert::Target;

/// What an option takes one of.
pub(super) trait Choice: Word {
    /// What is said of each word in the help, in their order.
    const HELP: &'static [&'static str];
}

impl Choice for Propagation {
    const HELP: &'static [&'static str] = &["Before the reply", "After it"];
}

impl Choice for Overdraft {
    const HELP: &'static [&'static str] = &["Apply it: the balance goes below zero", "Refuse it"];
}

impl Choice for CustomerOrder {
    const HELP: &'static [&'static str] =
        &["One visit after the other, in the order of the file", "All customers at once"];
}

impl Choice for EventIds {
    const HELP: &'static [&'static str] = &[
        "Number the events from 1 where the ids of the writes do not rise",
        "Keep them: a repeated id is a retry, and a lower one is refused",
    ];
}

impl Choice for Dialect {
    const HELP: &'static [&'static str] = &[
        "A row per customer with its balance",
        "A row per event",
        "A row per visit with all its events",
        "The same in the oldest form",
    ];
}

impl Choice for ForeignForm {
    const HELP: &'static [&'static str] =
        &["Plume's text, a key per write that is 0 or 1", "Elle's list-append, as JSON"];
}

impl Choice for Target {
    const HELP: &'static [&'static str] = &[
        "A sequence diagram, for issues and pull requests",
        "A trace for ui.perfetto.dev, binary",
        "Trace events of Chrome (JSON), for Perfetto and chrome://tracing",
        "A log with vector clocks, for ShiViz",
        "A history of Jepsen (EDN)",
        "A history of elle-cli's model list-append (JSON)",
        "Plume's text, for checkers of transactions such as AWDIT",
        "Traces of OpenTelemetry (JSON), for Jaeger, Tempo and others",
        "A row for each operation, for spreadsheets",
    ];
}

/// Reads one of the words of `T`.
pub(super) fn one_of<T: Choice>() -> impl TypedValueParser<Value = T> {
    let values = T::ALL.iter().zip(T::HELP);
    let values = values.map(|(value, help)| PossibleValue::new(value.word()).help(*help));
    PossibleValuesParser::new(values).try_map(|text| UnknownWord::or_find(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_said<T: Choice>() -> bool {
        T::ALL.len() == T::HELP.len()
    }

    #[test]
    fn each_word_is_offered() {
        assert!(is_said::<Propagation>() && is_said::<Overdraft>() && is_said::<CustomerOrder>());
        assert!(is_said::<EventIds>() && is_said::<Dialect>());
        assert!(is_said::<ForeignForm>() && is_said::<Target>());
    }
}
