//! A simulation as JUnit XML, for CI servers: a test case for each property, one for each finding,
//! and one for the way to its end.

use std::io::{self, Write};
use std::time::Duration;

use crate::report::junit::{self, Case, CaseProblem, Outcome, Suite};
use crate::report::words::count;
use crate::simulate::{Finding, FindingRow, Stopped, Summary};

const PROGRAM: &str = "passbook simulate";

/// Writes `summary`.
pub fn write_junit(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let mut out = out;
    junit::open(&mut out, PROGRAM)?;
    let mut suite = Suite::default();
    let took = summary.wall();
    for (property, counts) in &summary.tally.verdicts {
        let of_it = |row: &&FindingRow| row.finding.property() == Some(*property);
        let first = summary.findings.iter().find(of_it);
        let outcome = match first {
            Some(finding) => Outcome::Failure(problem(finding)),
            None if counts.holds == 0 => Outcome::Skipped("no seed tested it".to_owned()),
            None => Outcome::Passed,
        };
        let name = property.to_string();
        suite.add(&Case { name: &name, class: PROGRAM, took: Duration::ZERO, outcome });
    }
    let name = format!("seeds {} to {}", summary.first_seed, summary.end_seed.saturating_sub(1));
    suite.add(&Case { name: &name, class: PROGRAM, took, outcome: whole(summary) });
    suite.write("properties", &mut out)?;
    junit::close(&mut out)
}

/// Whether every seed was run to its end.
fn whole(summary: &Summary) -> Outcome {
    let failed = summary.findings.iter().find(|row| row.finding.property().is_none());
    if let Some(finding) = failed {
        return Outcome::Error(problem(finding));
    }
    let seeds = count(summary.tally.seeds, "seed");
    match summary.stopped {
        None | Some(Stopped::Time) => Outcome::Passed,
        Some(Stopped::Violation) => Outcome::Skipped(format!(
            "stopped at what was found after {seeds}; those behind it were not run"
        )),
        Some(Stopped::Interrupted) => Outcome::Error(CaseProblem {
            kind: "interrupted",
            message: format!("interrupted after {seeds}"),
            more: "the others were not run".to_owned(),
        }),
    }
}

fn problem(FindingRow { seed, finding, again }: &FindingRow) -> CaseProblem {
    let kind = match finding {
        Finding::Violated(_) => "violated",
        Finding::Failed { .. } => "error",
    };
    let message = format!("seed {seed}: {}", finding.told());
    CaseProblem { kind, message, more: format!("to see it again: {again}") }
}
