//! Histories made by hand, one for each way to keep or to break each property. The expected
//! verdicts and sentences are worked out on paper.

use passbook::check::{
    Overall, Promised, Property, Split, Undecided, Verdict, Witness, WitnessKind,
};
use passbook::model::{LogPosition, Money, Operation, Receipt, RequestNumber};

use crate::history_builder::{
    HistoryBuilder, branch, customer, deposit, refused, unknown, withdrawal, write_id,
};

fn verdict(history: &HistoryBuilder, property: Property) -> Verdict {
    history.judge().unwrap().of(property).expect("judged").clone()
}

const UNTESTED: Verdict = Verdict::Undecided(Undecided::NothingToTest);

/// So many tests, of what nobody says whether it was promised.
fn holds(tests: u64) -> Verdict {
    Verdict::Holds { tests: Split { unknown: tests, ..Split::default() } }
}

/// How many tests there were, how many failed, and the first that did.
fn violated(history: &HistoryBuilder, property: Property) -> (u64, u64, Witness) {
    let verdict = verdict(history, property);
    (verdict.tested(), verdict.violations().total(), verdict.witness().expect("violated").clone())
}

fn witness(history: &HistoryBuilder, property: Property) -> Witness {
    verdict(history, property).witness().expect("violated").clone()
}

fn sentence(history: &HistoryBuilder, property: Property) -> String {
    witness(history, property).sentence
}

/// The four session guarantees, then balances, convergence, exactly once: `h`, `v` or `u` each.
fn letters(history: &HistoryBuilder) -> String {
    let verdicts = history.judge().unwrap();
    let letter = |summary| match summary {
        Overall::Holds => 'h',
        Overall::Violated => 'v',
        Overall::Undecided => 'u',
    };
    verdicts.iter().map(|(_, verdict)| letter(verdict.summary())).collect()
}

#[test]
fn an_empty_history_decides_nothing() {
    let verdicts = HistoryBuilder::new(2, 0).judge().unwrap();
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == UNTESTED));
    assert_eq!(verdicts.summary(), Overall::Undecided);
}

#[test]
fn reads_alone_decide_no_guarantee() {
    let mut history = HistoryBuilder::new(2, 5);
    history.reads(1, 1, 1).reads(1, 2, 2);
    // That the two balances are the same is what there is to converge.
    assert_eq!(letters(&history), "uuuuhhu");
    assert_eq!(history.judge().unwrap().summary(), Overall::Undecided);
}

#[test]
fn a_read_at_a_branch_without_my_deposit_breaks_read_your_writes() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(400)).reads(1, 2, 2).applies(2, 1, 1);
    assert_eq!(letters(&history), "vuuuhhh");
    let witness = witness(&history, Property::ReadYourWrites);
    assert_eq!(
        witness.sentence,
        "customer 1 deposited 400 at branch 1 (event 1), then read the balance 0 at branch 2 \
         (event 2), whose log did not yet hold that deposit: it was owed at least its own deposit"
    );
    assert_eq!(witness.customer, Some(customer(1)));
    assert_eq!((witness.branch, witness.write), (branch(2), Some(write_id(1, 1))));
    let (earlier, later) = (witness.earlier.unwrap(), witness.later.unwrap());
    assert_eq!((earlier.request.get(), earlier.event.get(), earlier.branch), (1, 1, branch(1)));
    assert_eq!(earlier.operation, Operation::Write(deposit(400)));
    assert_eq!(earlier.position, Some(LogPosition::new(1)));
    assert_eq!((later.request, later.branch), (RequestNumber::new(2), branch(2)));
    assert_eq!((later.position, later.balance), (Some(LogPosition::new(0)), Some(Money::ZERO)));
}

#[test]
fn a_read_where_my_deposit_has_arrived_holds() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(400)).applies(2, 1, 1).reads(1, 2, 2);
    assert_eq!(letters(&history), "huuuhhh");
    assert_eq!(verdict(&history, Property::ReadYourWrites), holds(1));
    assert_eq!(history.judge().unwrap().summary(), Overall::Holds);
}

#[test]
fn the_first_of_several_violations_is_the_witness() {
    let mut history = HistoryBuilder::new(3, 0);
    history.writes(2, 1, 1, withdrawal(7)).writes(1, 1, 1, deposit(400));
    history.reads(2, 3, 2).reads(1, 2, 2).reads(1, 3, 3).reads(1, 1, 4);
    let (tested, violations, witness) = violated(&history, Property::ReadYourWrites);
    assert_eq!((tested, violations), (4, 3));
    assert_eq!(
        witness.sentence,
        "customer 2 withdrew 7 at branch 1 (event 1), then read the balance 0 at branch 3 \
         (event 2), whose log never held that withdrawal: it was owed at least its own withdrawal"
    );
}

#[test]
fn a_write_that_nobody_acknowledged_is_not_owed_to_a_read() {
    for outcome in [refused(), unknown()] {
        let mut history = HistoryBuilder::new(2, 0);
        history.asks(1, 1, 1, Operation::Write(deposit(1))).answers(1, outcome).hears(1);
        history.reads(1, 2, 2);
        assert_eq!(verdict(&history, Property::ReadYourWrites), UNTESTED);
    }
}

#[test]
fn a_query_that_was_not_answered_tests_nothing() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).asks(1, 2, 2, Operation::Query);
    assert_eq!(verdict(&history, Property::ReadYourWrites), UNTESTED);
    history.answers(1, unknown()).hears(1);
    assert_eq!(verdict(&history, Property::ReadYourWrites), UNTESTED);
}

#[test]
fn a_read_that_falls_behind_the_read_before_it_breaks_monotonic_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 1, 1, deposit(400)).reads(1, 1, 1).reads(1, 2, 2).applies(2, 2, 1);
    assert_eq!(letters(&history), "uvuuhhh");
    assert_eq!(
        sentence(&history, Property::MonotonicReads),
        "customer 1 read the balance 400 at branch 1 (event 1), with customer 2's deposit of 400 \
         (event 1) in it, then read the balance 0 at branch 2 (event 2), whose log did not yet \
         hold that deposit: it was owed at least all that it had already seen"
    );
}

#[test]
fn a_read_at_an_equally_long_log_of_other_writes_breaks_monotonic_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 1, 1, deposit(4)).writes(3, 2, 1, deposit(4)).reads(1, 1, 1).reads(1, 2, 2);
    history.applies(2, 2, 1).applies(1, 3, 1);
    assert_eq!(letters(&history), "uvuuhhh");
}

#[test]
fn a_read_of_more_in_another_order_keeps_monotonic_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 1, 1, deposit(4)).writes(3, 2, 1, deposit(5)).reads(1, 1, 1);
    history.applies(2, 2, 1).reads(1, 2, 2).applies(1, 3, 1);
    assert_eq!(verdict(&history, Property::MonotonicReads), holds(1));
}

#[test]
fn a_read_before_any_write_tests_no_monotonic_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.reads(1, 1, 1).writes(2, 1, 1, deposit(4)).reads(1, 1, 2).applies(2, 2, 1);
    assert_eq!(verdict(&history, Property::MonotonicReads), UNTESTED);
}

#[test]
fn a_branch_that_applies_my_second_write_first_breaks_monotonic_writes() {
    let mut history = HistoryBuilder::new(3, 0);
    history.writes(1, 1, 1, deposit(400)).writes(1, 2, 2, withdrawal(400));
    history.applies(3, 1, 1).applies(3, 1, 2).applies(1, 1, 2).applies(2, 1, 1);
    assert_eq!(letters(&history), "uuvuhhh");
    let (tested, violations, witness) = violated(&history, Property::MonotonicWrites);
    assert_eq!((tested, violations), (3, 1));
    assert_eq!(
        witness.sentence,
        "customer 1 deposited 400 at branch 1 (event 1), then withdrew 400 at branch 2 (event 2), \
         but branch 2 applied the second before the first: its writes were owed the order in \
         which it made them, at every branch"
    );
    let positions = [witness.earlier, witness.later].map(|step| step.unwrap().position.unwrap());
    assert_eq!(positions, [2, 1].map(LogPosition::new), "both in the log of branch 2");
}

#[test]
fn a_branch_with_my_second_write_alone_breaks_monotonic_writes() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).writes(1, 2, 2, deposit(1));
    assert!(sentence(&history, Property::MonotonicWrites).contains("the second without the first"));
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).writes(1, 1, 2, deposit(1));
    assert_eq!(
        verdict(&history, Property::MonotonicWrites),
        holds(1),
        "a branch that has neither breaks nothing"
    );
}

#[test]
fn an_unknown_write_is_ordered_if_and_only_if_it_took_effect() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(1))).answers(1, unknown()).hears(1);
    history.writes(1, 2, 2, deposit(1));
    assert_eq!(verdict(&history, Property::MonotonicWrites), UNTESTED);
    history.applies(1, 1, 1);
    assert_eq!(verdict(&history, Property::MonotonicWrites).summary(), Overall::Violated);
}

#[test]
fn a_refused_write_is_no_write() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(1))).answers(1, refused()).hears(1);
    history.writes(1, 2, 2, deposit(1)).applies(1, 1, 2);
    assert_eq!(letters(&history), "uuuuhhh");
}

#[test]
fn a_retry_is_the_same_write_at_its_first_place() {
    let retry = |history: &mut HistoryBuilder| {
        history.asks(1, 2, 1, Operation::Write(deposit(1)));
        history.answers(1, Ok(Receipt::Written)).hears(1);
    };
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).applies(2, 1, 1);
    retry(&mut history);
    assert_eq!(letters(&history), "uuuuhhh", "one write, so no order");
    history.writes(1, 1, 2, deposit(2)).applies(2, 1, 2);
    retry(&mut history);
    assert_eq!(verdict(&history, Property::MonotonicWrites), holds(2));
}

#[test]
fn a_branch_that_applies_my_answer_before_what_i_read_breaks_writes_follow_reads() {
    let mut history = HistoryBuilder::new(3, 0);
    history.writes(1, 1, 1, deposit(400)).reads(2, 1, 1).writes(2, 1, 2, withdrawal(100));
    history.applies(2, 1, 1).applies(2, 2, 2).applies(3, 2, 2).applies(3, 1, 1);
    assert_eq!(letters(&history), "uuuvhhh");
    let witness = witness(&history, Property::WritesFollowReads);
    assert_eq!(
        witness.sentence,
        "customer 2 read the balance 400 at branch 1 (event 1), with customer 1's deposit of 400 \
         (event 1) in it, then withdrew 100 at branch 1 (event 2), but branch 3 applied this \
         write before the one that was seen: it was owed a place after all that the customer had \
         seen, at every branch"
    );
    assert_eq!((witness.branch, witness.write), (branch(3), Some(write_id(1, 1))));
}

#[test]
fn a_branch_that_applies_my_answer_after_what_i_read_keeps_writes_follow_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(400)).reads(2, 1, 1).writes(2, 1, 2, withdrawal(100));
    history.applies(2, 1, 1).applies(2, 2, 2);
    assert_eq!(letters(&history), "uuuhhhh");
    assert_eq!(verdict(&history, Property::WritesFollowReads), holds(2));
}

#[test]
fn a_write_follows_all_reads_before_it_and_not_the_last_alone() {
    let mut history = HistoryBuilder::new(2, 0);
    // The second read sees nothing, so it asks for nothing; the first still does.
    history.writes(1, 1, 1, deposit(4)).reads(2, 1, 1).reads(2, 2, 2).writes(2, 2, 3, deposit(1));
    assert_eq!(letters(&history), "uvuvhvv");
}

#[test]
fn a_write_follows_reads_even_where_the_write_between_is_missing() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).reads(2, 1, 1).writes(2, 1, 2, deposit(1));
    history.writes(2, 2, 3, deposit(1));
    let (_, violations, witness) = violated(&history, Property::WritesFollowReads);
    assert_eq!((violations, witness.later.unwrap().event), (1, write_id(2, 3).event));
    assert!(witness.sentence.contains("without the one that was seen"), "{witness}");
}

#[test]
fn a_balance_that_is_not_the_sum_of_the_log_is_found() {
    let mut history = HistoryBuilder::new(2, 10);
    history.writes(1, 1, 1, deposit(4)).applies(2, 1, 1).asks(1, 2, 2, Operation::Query);
    history.answers(1, Ok(Receipt::Balance(Money::from_minor(1399)))).hears(1);
    // Branch 1 gave 14 last, and branch 2 gave 13.99.
    assert_eq!(letters(&history), "huuuvvh");
    assert_eq!(
        sentence(&history, Property::Balances),
        "customer 1 read the balance 13.99 at branch 2 (event 2), but the opening balance and the \
         1 write in that branch's log come to 14"
    );
}

#[test]
fn branches_that_end_with_other_writes_have_not_converged() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).writes(2, 2, 1, deposit(4));
    assert_eq!(letters(&history), "uuuuhvv");
    assert_eq!(
        sentence(&history, Property::Convergence),
        "at the end branch 1 holds customer 1's deposit of 4 (event 1), and branch 2 does not: \
         all branches were owed the same writes"
    );
    assert_eq!(
        sentence(&history, Property::ExactlyOnce),
        "customer 1 was told that its own deposit of 4 (event 1) was done, but branch 2 \
         never applied it: an acknowledged write is owed everywhere"
    );
}

#[test]
fn a_bank_of_one_branch_cannot_diverge() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4)).reads(1, 1, 2);
    assert_eq!(letters(&history), "huuuhuh");
}

#[test]
fn each_way_not_to_apply_a_write_exactly_once_has_its_sentence() {
    let asked = |who, write| {
        let mut history = HistoryBuilder::new(1, 0);
        history.asks(who, 1, 1, Operation::Write(write));
        history
    };
    let ok = || Ok(Receipt::Written);
    let mut twice = asked(1, deposit(4));
    twice.applies(1, 1, 1).applies(1, 1, 1).answers(1, ok());
    let mut refused_but_applied = asked(1, deposit(4));
    refused_but_applied.applies(1, 1, 1).answers(1, refused());
    let mut content = asked(1, deposit(4));
    content.applies_as(1, write_id(1, 1), deposit(5));
    let mut unasked = HistoryBuilder::new(1, 0);
    unasked.applies_as(1, write_id(1, 1), withdrawal(5));
    let mut too_soon = unasked.clone();
    too_soon.asks(1, 1, 1, Operation::Write(withdrawal(5))).answers(1, ok());
    for (history, expected) in [
        (
            twice,
            "branch 1 applied customer 1's deposit of 4 (event 1) twice: a write is owed to be \
             applied once",
        ),
        (
            refused_but_applied,
            "customer 1 was told that its own deposit of 4 (event 1) was refused, but branch \
             1 applied it: a refused write was owed to have no effect",
        ),
        (
            content,
            "branch 1 applied customer 1's deposit of 5 (event 1), but under that id the customer \
             asked for a deposit of 4",
        ),
        (
            unasked,
            "branch 1 applied customer 1's withdrawal of 5 (event 1), but nobody had asked for it",
        ),
        (
            too_soon,
            "branch 1 applied customer 1's withdrawal of 5 (event 1), but nobody had asked for it",
        ),
    ] {
        assert_eq!(sentence(&history, Property::ExactlyOnce), expected);
    }
}

#[test]
fn two_contents_that_a_customer_gave_one_id_are_its_own_fault() {
    let mut history = HistoryBuilder::new(2, 0);
    for (units, at) in [(4, 1), (5, 2)] {
        history.asks(1, at, 1, Operation::Write(deposit(units)));
        history
            .applies_as(at, write_id(1, 1), deposit(units))
            .answers(1, Ok(Receipt::Written))
            .hears(1);
    }
    history.applies_as(2, write_id(1, 1), deposit(4)).applies_as(1, write_id(1, 1), deposit(5));
    assert_eq!(letters(&history), "uuvuhhv");
    assert_eq!(
        sentence(&history, Property::ExactlyOnce),
        "customer 1 gave the id 1 to a deposit of 4 and to a deposit of 5, and both were applied: \
         the customer's fault, for an id names one write"
    );
    let verdict = verdict(&history, Property::ExactlyOnce);
    // Of two tests one failed, and that is no broken promise.
    assert_eq!((verdict.tested(), verdict.violations().total()), (2, 1));
    assert_eq!(verdict.promised(), Some(Promised::No));
    assert_eq!(verdict.witness().unwrap().kind, WitnessKind::IdNotUnique);
}

#[test]
fn verdicts_are_serialized_under_their_keys() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(400)).reads(1, 2, 2).applies(2, 1, 1);
    let json = serde_json::to_value(history.judge().unwrap()).unwrap();
    // Overdraft is not judged where nobody says that it is refused.
    let keys: Vec<&str> = Property::ALL[..7].iter().map(|property| property.word()).collect();
    let object = json.as_object().unwrap();
    assert_eq!(object.len(), keys.len());
    assert!(keys.iter().all(|key| object.contains_key(*key)), "{json}");
    assert_eq!(
        json["monotonic_reads"],
        serde_json::json!({"verdict": "undecided", "reason": "nothing_to_test", "tested": 0})
    );
    let promised = serde_json::json!({"promised": 3});
    assert_eq!(
        json["balances"],
        serde_json::json!({"verdict": "holds", "tested": 3, "tested_by": promised})
    );
    assert_eq!(json["read_your_writes"]["promised"], "unknown");
    assert_eq!(json["read_your_writes"]["violations_by"], serde_json::json!({"unknown": 1}));
    assert_eq!(json["read_your_writes"]["witness"]["kind"], "own_write_missing");
    assert_eq!(json["read_your_writes"]["verdict"], "violated");
    assert_eq!(
        json["read_your_writes"]["witness"]["later"],
        serde_json::json!({
            "request": 2, "event": 2, "branch": 2, "operation": "query", "position": 0,
            "balance_minor": 0, "sent": {"line": 6, "at_us": 4}, "answered": {"line": 7, "at_us": 5},
        })
    );
}
