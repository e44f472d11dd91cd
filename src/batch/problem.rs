//! What is wrong with an input, in a sentence.

use miette::Diagnostic;

use crate::scenario::ScenarioError;
use crate::source::InputError;

/// Why nothing can be expected of a scenario by what stands beside it.
pub(super) fn not_expected(error: &InputError) -> String {
    match error {
        InputError::Scenario(error) => {
            format!("{}:{}:{}", error.source_name(), error.line(), told(error))
        }
        InputError::Directory { .. }
        | InputError::Missing { .. }
        | InputError::Unreadable { .. }
        | InputError::StandardInput { .. }
        | InputError::Unfit { .. } => error.to_string(),
        InputError::OtherKind(error) => error.summary(),
    }
}

/// In which column what is wrong with an input, and what to do, on one line.
pub(super) fn told(error: &ScenarioError) -> String {
    let (column, problem) = (error.column(), error.summary());
    match error.help() {
        Some(help) => format!("{column}: {problem}; {help}"),
        None => format!("{column}: {problem}"),
    }
}
