//! What is wrong with a run, in one line. Formats nothing for a run that is as it should be.

use crate::report::words::{branches, verb};
use crate::report::{Agreement, Assessment, Difference, Seen};
use crate::run::RunResult;

/// The witness of the first property that is violated; without one, which branches differ.
pub(super) fn violated(result: &RunResult, assessment: &Assessment) -> Option<String> {
    let judged = assessment.verdicts.as_ref();
    let witness = judged.and_then(|verdicts| {
        verdicts.iter().find_map(|(property, verdict)| {
            verdict.witness().map(|witness| format!("{property}: {witness}"))
        })
    });
    witness.or_else(|| {
        let Agreement { dissenters, .. } = &assessment.agreement;
        let first = result.branches.first()?.id;
        let differ = verb(dissenters.len(), "differ");
        Some(format!("at the end {} {differ} from branch {first}", branches(dissenters)))
    })
}

/// The first difference from the expected result.
pub(super) fn unexpected(assessment: &Assessment) -> Option<String> {
    assessment.differences.as_ref()?.first().map(in_words)
}

fn in_words(difference: &Difference) -> String {
    let seen = |seen: Option<Seen>| seen.map_or("nothing".to_owned(), |seen| seen.to_string());
    format!("{difference}: expected {}, got {}", seen(difference.expected), seen(difference.got))
}

#[cfg(test)]
mod tests {
    use super::super::row::{Row, RowHead, Status};
    use super::*;
    use crate::check::Strictness;
    use crate::model::Money;
    use crate::report::fixture::Bank;

    #[test]
    fn branches_that_differ_are_a_violation_even_where_nobody_judges() {
        let mut result = Bank::new("odd", 3).deposit(1, 1, 10, 1).run().result;
        result.branches[1].balance = Money::ZERO;
        let head = RowHead {
            number: 1,
            place: "odd.json".to_owned(),
            packed: None,
            options: "".into(),
            took: Default::default(),
        };
        let row = Row::of(head, &result, &Assessment::of(&result), Strictness::Anything);
        assert_eq!(row.status, Status::Violated);
        assert_eq!(row.problem.as_deref(), Some("at the end branch 2 differs from branch 1"));
    }
}
