//! Takes facts one by one, and gives the verdicts when all are in.

use super::guarantees::GuaranteeTests;
use super::ledger::Ledger;
use super::options::{Case, JudgeOptions};
use super::sentence::Sentences;
use super::verdict::Undecided;
use super::{ByProperty, JudgeError, Verdicts, bank_wide, guarantees};
use crate::history::{Extent, Recorded};

/// Judges one history. [`Judge::bytes`] says what it takes.
#[derive(Debug)]
pub struct Judge {
    ledger: Box<Ledger>,
    options: JudgeOptions,
    failed: Option<JudgeError>,
}

impl Judge {
    /// A judge of `case`.
    pub fn new(case: Case, options: JudgeOptions) -> Self {
        let ledger = Box::new(Ledger::new(case, options.witnesses.get()));
        Self { ledger, options, failed: None }
    }

    /// Takes the next fact. After an error there will be no verdict: every later call returns the
    /// same error.
    pub fn observe(&mut self, recorded: &Recorded) -> Result<(), JudgeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.ledger.add(recorded).map_err(|problem| {
            let error = JudgeError { fact: self.ledger.facts(), problem };
            self.failed = Some(error);
            error
        })
    }

    /// How many bytes it takes for what it has observed, until it has given its verdicts. No less
    /// than it does take.
    pub fn bytes(&self) -> u64 {
        self.ledger.amounts().bytes()
    }

    /// Takes note that there were more facts, which are lost, or that more are to come: what needs
    /// the end is undecided then.
    pub fn cut_off(&mut self) {
        self.ledger.extent = Extent::CutOff;
    }

    /// The verdicts on all facts that were observed. They are taken for a settled history, as
    /// [`judge()`] says, unless [`Judge::cut_off`] was called. A request without a reply may have
    /// taken effect or not.
    pub fn finish(mut self) -> Result<Verdicts, JudgeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.ledger.close();
        let balances = self.ledger.take_balances();
        let overdrafts = self.ledger.take_overdrafts();
        let settlings = self.ledger.settlings.take();
        let ledger = &*self.ledger;
        let tell = Sentences { ledger, lines: self.options.lines };
        let untested = Undecided::NothingToTest;
        let open = ledger.open;
        let GuaranteeTests {
            read_your_writes,
            monotonic_reads,
            monotonic_writes,
            writes_follow_reads,
            failed,
            told,
            ..
        } = guarantees::judge(ledger, self.options);
        let (exactly_once, lost) = bank_wide::exactly_once(ledger, &told);
        let by_property = ByProperty {
            read_your_writes: read_your_writes
                .map(|read| ledger.find_read_your_writes(read))
                .verdict(untested, |promised, found| tell.read_your_writes(promised, found)),
            monotonic_reads: monotonic_reads
                .map(|read| ledger.find_monotonic_reads(read))
                .verdict(untested, |promised, found| tell.monotonic_reads(promised, found)),
            monotonic_writes: monotonic_writes
                .map(|(written, log)| ledger.find_monotonic_writes(written, log))
                .verdict(untested, |promised, found| tell.monotonic_writes(promised, found)),
            writes_follow_reads: writes_follow_reads
                .map(|(written, log)| ledger.find_writes_follow_reads(written, log))
                .verdict(untested, |promised, found| tell.writes_follow_reads(promised, found)),
            balances: balances.verdict(untested, |promised, found| tell.balance(promised, found)),
            convergence: bank_wide::convergence(ledger)
                .verdict(open.unwrap_or(untested), |promised, found| {
                    tell.divergence(promised, found)
                }),
            exactly_once: exactly_once
                .verdict(open.unwrap_or(untested), |promised, found| tell.flaw(promised, found)),
            no_overdraft: overdrafts.map(|test_counter| {
                test_counter.verdict(untested, |promised, found| tell.overdrawn(promised, &found))
            }),
            settles: settlings.map(|test_counter| {
                test_counter.verdict(untested, |promised, found| tell.unsettled(promised, &found))
            }),
        };
        Ok(Verdicts {
            by_property,
            failed_steps: failed.into_iter().map(|failed| tell.failed(failed)).collect(),
            extent: ledger.extent,
            lost,
        })
    }
}

/// Judges a whole history, whose facts are all at hand.
///
/// It must be *settled*: every request is answered or given up, and every write has come to every
/// branch that it will ever come to. A write that was acknowledged, and is missing at some branch
/// when the facts end, is a violation of `convergence` and `exactly_once`. [`judge_cut_off`]
/// judges a history that stops before that.
///
/// # Errors
///
/// No run can have had these facts.
pub fn judge<'a>(
    case: Case,
    options: JudgeOptions,
    facts: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Verdicts, JudgeError> {
    observe_all(case, options, facts)?.finish()
}

/// Judges a history that was cut off, or is not settled yet, as far as it goes.
///
/// Nothing is said of what may still come: `convergence` is undecided, `exactly_once` has no test of
/// a write that is missing somewhere, and the whole is undecided unless something is violated. That
/// stands, whatever comes after it.
///
/// # Errors
///
/// No run can have had these facts.
pub fn judge_cut_off<'a>(
    case: Case,
    options: JudgeOptions,
    facts: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Verdicts, JudgeError> {
    let mut judge = observe_all(case, options, facts)?;
    judge.cut_off();
    judge.finish()
}

fn observe_all<'a>(
    case: Case,
    options: JudgeOptions,
    facts: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Judge, JudgeError> {
    let mut judge = Judge::new(case, options);
    for recorded in facts {
        judge.observe(recorded)?;
    }
    Ok(judge)
}
