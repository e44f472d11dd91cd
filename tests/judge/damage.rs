//! Damaged histories: what no run can have recorded is a typed error, one fact that is changed is
//! noticed, and nothing panics.

use passbook::check::{CheckError, InvalidHistory, JudgeOptions, Overall, Verdicts, judge_history};
use passbook::history::{Fact, Header, Reader, Recorded, Writer};
use passbook::model::{LogPosition, Money, Operation, Receipt, RequestNumber};
use proptest::prelude::*;

use crate::generate::{Damage, Style, damages, styles, tales};
use crate::history_builder::{HistoryBuilder, branch, customer, deposit, unknown, write_id};

fn impossible(history: &HistoryBuilder) -> InvalidHistory {
    let error = history.judge().unwrap_err();
    let last = u64::try_from(history.facts.len()).unwrap();
    assert_eq!(error.fact, last, "the last fact is the one that cannot be: {error}");
    error.problem
}

/// A deposit and a read by customer 1, both at branch 1 of 2.
fn sound() -> HistoryBuilder {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).reads(1, 1, 2);
    history
}

fn reply_received(request: u64, at: u32) -> Fact {
    let request = RequestNumber::new(request);
    Fact::ReplyReceived { customer: customer(1), request, branch: branch(at) }
}

fn asked(request: u64) -> Fact {
    Fact::RequestSent {
        customer: customer(1),
        request: RequestNumber::new(request),
        branch: branch(1),
        event: write_id(1, 9).event,
        operation: Operation::Query,
    }
}

fn answered(at: u32, position: u64) -> Fact {
    Fact::ReplySent {
        branch: branch(at),
        customer: customer(1),
        request: RequestNumber::new(3),
        position: LogPosition::new(position),
        outcome: Ok(Receipt::Balance(Money::from_minor(400))),
    }
}

#[test]
fn a_branch_that_is_not_there_is_an_error() {
    let unknown_branch = InvalidHistory::UnknownBranch { branch: branch(3) };
    let mut history = sound();
    history.asks(1, 3, 3, Operation::Query);
    assert_eq!(impossible(&history), unknown_branch);
    let mut history = sound();
    history.applies_as(3, write_id(1, 1), deposit(4));
    assert_eq!(impossible(&history), unknown_branch);
}

#[test]
fn requests_of_a_customer_come_one_by_one() {
    let (customer, expected) = (customer(1), RequestNumber::new(3));
    for number in [0, 1, 2, 4, u64::MAX] {
        let request = RequestNumber::new(number);
        let mut history = sound();
        history.add(asked(number));
        assert_eq!(
            impossible(&history),
            InvalidHistory::RequestOutOfOrder { customer, request, expected }
        );
    }
    let request = RequestNumber::new(4);
    let mut history = sound();
    history.add(asked(3)).add(asked(4));
    assert_eq!(impossible(&history), InvalidHistory::RequestsOverlap { customer, request });
    let mut history = sound();
    history.asks(1, 1, 3, Operation::Query).answers(1, unknown()).add(asked(4));
    assert_eq!(impossible(&history), InvalidHistory::RequestsOverlap { customer, request });
}

#[test]
fn a_reply_belongs_to_a_request() {
    let customer = customer(1);
    let request = RequestNumber::new(3);
    let mut history = sound();
    history.add(answered(1, 1));
    assert_eq!(impossible(&history), InvalidHistory::NeverSent { customer, request });
    let mut history = sound();
    history.add(asked(3)).add(answered(2, 0));
    let (asked_at, found) = (branch(1), branch(2));
    assert_eq!(
        impossible(&history),
        InvalidHistory::OtherBranch { customer, request, asked: asked_at, found }
    );
    let mut history = sound();
    history.add(asked(3)).add(answered(1, 1)).add(answered(1, 1));
    assert_eq!(impossible(&history), InvalidHistory::AnsweredTwice { customer, request });
    let mut history = sound();
    history.add(asked(3)).add(reply_received(3, 1));
    assert_eq!(impossible(&history), InvalidHistory::NoReply { customer, request });
    let mut history = sound();
    history.add(reply_received(2, 1));
    let request = RequestNumber::new(2);
    assert_eq!(impossible(&history), InvalidHistory::NoReply { customer, request });
}

#[test]
fn an_outcome_fits_its_request() {
    let (customer, request) = (customer(1), RequestNumber::new(3));
    let mut history = sound();
    history.asks(1, 1, 3, Operation::Query).answers(1, Ok(Receipt::Written));
    assert_eq!(impossible(&history), InvalidHistory::OtherKind { customer, request });
    let mut history = sound();
    history.asks(1, 1, 3, Operation::Write(deposit(1))).add(answered(1, 1));
    assert_eq!(impossible(&history), InvalidHistory::OtherKind { customer, request });
}

#[test]
fn a_position_is_not_taken_on_trust() {
    for said in [0, 2, u64::MAX] {
        let mut history = sound();
        history.add(asked(3)).add(answered(1, said));
        let (said, held) = (LogPosition::new(said), LogPosition::new(1));
        assert_eq!(
            impossible(&history),
            InvalidHistory::OtherLogLength { branch: branch(1), said, held }
        );
    }
    let mut history = sound();
    history.applies(2, 1, 1).applies(2, 1, 1);
    let Some(Recorded { fact: Fact::WriteApplied { position, .. }, .. }) = history.facts.last_mut()
    else {
        panic!("an apply");
    };
    *position = LogPosition::new(1);
    let (said, expected) = (LogPosition::new(1), LogPosition::new(2));
    assert_eq!(
        impossible(&history),
        InvalidHistory::ApplyOutOfPlace { branch: branch(2), said, expected }
    );
}

#[test]
fn after_an_error_there_is_no_verdict() {
    let history = sound();
    let mut judge = passbook::check::Judge::new(history.case(), JudgeOptions::default());
    let bad = Recorded { at: history.facts[0].at, fact: answered(1, 1) };
    let error = judge.observe(&bad).unwrap_err();
    for recorded in &history.facts {
        assert_eq!(judge.observe(recorded), Err(error));
    }
    assert_eq!(judge.finish(), Err(error));
}

#[test]
fn sums_beyond_what_money_can_hold_are_judged_all_the_same() {
    let mut history = HistoryBuilder::new(1, 0);
    history.opening = Money::from_minor(i64::MAX);
    let id = write_id(1, 1);
    history.asks(1, 1, 1, Operation::Write(deposit(1)));
    history.add(Fact::WriteApplied {
        branch: branch(1),
        id,
        write: deposit(1),
        origin: branch(1),
        life: None,
        sequence: Default::default(),
        position: LogPosition::new(1),
        balance: Money::from_minor(i64::MIN),
    });
    let verdicts = history.judge().unwrap();
    assert_eq!(
        verdicts.by_property.balances.witness().unwrap().sentence,
        "branch 1 gave its balance as -92233720368547758.08 after customer 1's deposit of 1 \
         (event 1) at position 1 of its log, but the opening balance and the log come to \
         9223372036854775907 cents, which no balance can hold"
    );
}

pub(crate) fn file(history: &HistoryBuilder) -> Vec<u8> {
    let roster = history.roster.as_ref().clone();
    let mut header = Header::new("history", roster, history.opening);
    header.terms = history.terms.clone();
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for recorded in &history.facts {
        writer.record(recorded).unwrap();
    }
    writer.finish().unwrap()
}

fn check(file: &[u8]) -> Result<Verdicts, CheckError> {
    judge_history(Reader::new(file)?, JudgeOptions::default(), u64::MAX)
}

#[test]
fn an_impossible_fact_in_a_file_is_named_by_its_line() {
    let mut history = sound();
    history.add(reply_received(7, 1)).add(reply_received(2, 1));
    let line = history.facts.len();
    assert_eq!(
        check(&file(&history)).unwrap_err().to_string(),
        format!("line {line}: request 7 of customer 1 was never sent")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_balance_is_always_found(
        history in styles().prop_flat_map(tales),
        at in any::<prop::sample::Index>(),
        by in prop_oneof![-3..=-1_i8, 1..=3_i8],
    ) {
        let (before, mut history) = (history.clone(), history);
        history.damage(Damage::Balance(at, by));
        if history.facts != before.facts {
            prop_assert_eq!(history.judge().unwrap().by_property.balances.summary(), Overall::Violated);
        }
    }

    /// What a prompt bank acknowledged is everywhere, so that no apply of it can go unnoticed.
    #[test]
    fn an_apply_or_a_request_taken_out_is_always_found(
        history in tales(Style::Prompt),
        at in any::<prop::sample::Index>(),
    ) {
        let mut history = history;
        let places: Vec<usize> = (0..history.facts.len())
            .filter(|place| matches!(
                history.facts[*place].fact,
                Fact::WriteApplied { .. } | Fact::RequestSent { .. }
            ))
            .collect();
        prop_assume!(history.roster.len() > 1 && !places.is_empty());
        let taken = history.facts.remove(*at.get(&places));
        let is_found = match history.judge() {
            Ok(verdicts) => verdicts.summary() == Overall::Violated,
            Err(_) => true,
        };
        // The very last request, if nobody answered it and nobody applied it, leaves no trace.
        let leaves_a_trace = history.facts.iter().any(|recorded| match (&recorded.fact, &taken.fact) {
            (Fact::WriteApplied { .. }, Fact::WriteApplied { .. }) => true,
            (
                Fact::ReplySent { customer, request, .. },
                Fact::RequestSent { customer: who, request: which, .. },
            ) => customer == who && request == which,
            (_, _) => false,
        });
        prop_assert!(is_found || !leaves_a_trace, "{taken:?}");
    }

    #[test]
    fn a_file_is_judged_as_its_facts_are(
        history in styles().prop_flat_map(tales),
        damage in prop::collection::vec(damages(), 0..2),
    ) {
        let mut history = history;
        for damage in damage {
            history.damage(damage);
        }
        // Damage may move facts in time; the file keeps their order.
        for (at, recorded) in (0..).zip(&mut history.facts) {
            recorded.at = passbook::model::Time::from_us(at);
        }
        match (check(&file(&history)), history.judge()) {
            (Ok(from_file), Ok(from_facts)) => prop_assert_eq!(from_file, from_facts),
            (Err(CheckError::InvalidHistory { line, problem }), Err(error)) => {
                prop_assert_eq!((line, problem), (error.fact + 1, error.problem));
            }
            (from_file, from_facts) => prop_assert!(false, "{from_file:?}, {from_facts:?}"),
        }
    }

    #[test]
    fn damaged_bytes_never_panic_and_a_cut_never_holds(
        history in styles().prop_flat_map(tales),
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        lines in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = file(&history);
        let cut = cut.index(file.len() - 1);
        if let Ok(verdicts) = check(&file[..cut]) {
            prop_assert!(verdicts.summary() != Overall::Holds);
        }
        for (at, byte) in bytes {
            *at.get_mut(&mut file) = byte;
        }
        if let Some((a, b)) = lines {
            let mut lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
            file = lines.join(&b'\n');
        }
        if let Ok(verdicts) = check(&file) {
            prop_assert!(verdicts.iter().all(|(_, verdict)| verdict.tested() < 10_000));
        }
    }
}

#[test]
fn damage_leaves_both_errors_and_verdicts_of_each_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut errors, mut violated, mut holds) = (0, 0, 0);
    for _ in 0..2000 {
        let (mut history, damage) =
            (tales(Style::Prompt), damages()).new_tree(&mut runner).unwrap().current();
        history.damage(damage);
        match history.judge().map(|verdicts| verdicts.summary()) {
            Ok(Overall::Violated) => violated += 1,
            Ok(Overall::Holds) => holds += 1,
            Ok(Overall::Undecided) => {}
            Err(_) => errors += 1,
        }
    }
    assert!(errors.min(violated).min(holds) > 100, "{errors} errors, {violated}, {holds}");
}
