//! What a person sees, without colour.

use std::time::Duration;

use super::{EventOrder, Telling, Verbosity, write};
use crate::model::{CustomerOrder, LogEntry, Overdraft, QueryTiming, Seed, Time};
use crate::network::{
    Crash, FaultKind, Faults, Keeps, Nemesis, NemesisKind, ScheduledFault, Struck,
};
use crate::report::fixture::{Bank, branch, customer, money};
use crate::report::{Assessment, Width};
use crate::run::{Run, RunConfig, WeatherReport};
use crate::scenario::{BalanceRow, Output};

fn coloured(run: &Run, verbosity: Verbosity) -> String {
    let mut out = Vec::new();
    let telling = Telling { verbosity, order: EventOrder::Customer, width: Width::Unknown };
    write(&mut out, run, &Assessment::of(&run.result), &telling).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(run: &Run, verbosity: Verbosity) -> String {
    let plain = anstream::adapter::strip_str(&coloured(run, verbosity)).to_string();
    assert!(plain.lines().all(|line| line.trim_end() == line), "no line ends in spaces:\n{plain}");
    plain.replace(concat!("passbook ", env!("CARGO_PKG_VERSION")), "passbook (version)")
}

fn monotonic_writes() -> Bank {
    Bank::new("monotonic_writes", 2).deposit(1, 1, 400, 1).withdraw(1, 2, 400, 2).query(1, 3, 2)
}

fn balances(rows: &[(i64, i64)]) -> Output {
    let row = |&(id, units)| BalanceRow { id: customer(id), balance: Some(money(units)) };
    Output::Balances(rows.iter().map(row).collect())
}

#[test]
fn monotonic_writes_as_a_person_reads_it() {
    let run = monotonic_writes().expect(balances(&[(1, 0)])).run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn read_your_writes_as_a_person_reads_it() {
    let run = Bank::new("read_your_writes", 2).deposit(1, 1, 400, 1).query(1, 2, 2).run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn quiet_is_the_result_alone() {
    let run = monotonic_writes().expect(balances(&[(1, 0)])).run();
    insta::assert_snapshot!(text(&run, Verbosity::Quiet));
}

#[test]
fn verbose_has_every_message() {
    insta::assert_snapshot!(text(&monotonic_writes().run(), Verbosity::Verbose));
}

#[test]
fn what_is_not_as_expected_is_shown_in_every_verbosity() {
    let run = monotonic_writes().expect(balances(&[(1, 400), (2, 7)])).run();
    insta::assert_snapshot!(text(&run, Verbosity::Quiet));
}

#[test]
fn refused_repeated_and_unknown_events_are_shown_as_such() {
    let config = RunConfig { overdraft: Overdraft::Reject, ..RunConfig::default() };
    let run = Bank::new("rough day", 3)
        .config(config)
        .deposit(1, 1, 400, 1)
        .refuse(1, 2, 900, 2)
        .retry(1, 1, 400, 3)
        .unconfirmed(1, 3, 50, 2)
        .query(1, 4, 3)
        .run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn many_branches_are_drawn_together() {
    let run =
        Bank::new("twelve", 12).deposit(1, 1, 400, 3).withdraw(1, 2, 100, 12).query(1, 3, 1).run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn customers_that_come_back_are_told_as_it_happened() {
    let run = Bank::new("visits", 2)
        .deposit(1, 1, 400, 1)
        .withdraw(2, 1, 25, 2)
        .query(1, 2, 2)
        .query(1, 3, 1)
        .run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn concurrent_customers_are_told_one_by_one() {
    let config = RunConfig {
        customers: CustomerOrder::Concurrent,
        queries: QueryTiming::AfterSettling,
        seed: Seed(8877),
        ..RunConfig::default()
    };
    let run = Bank::new("market day", 3)
        .config(config)
        .deposit(1, 1, 400, 1)
        .deposit(2, 1, 1250, 2)
        .withdraw(1, 2, 75, 2)
        .query(3, 1, 3)
        .withdraw(2, 2, 300, 1)
        .query(1, 3, 3)
        .run();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn a_long_run_is_cut_in_the_middle() {
    let mut bank = Bank::new("long", 10);
    for number in 1..=300 {
        bank = match number % 3 {
            0 => bank.query(1, number, 1 + number % 10),
            _ => bank.deposit(1, number, number, 1 + number % 10),
        };
    }
    let mut run = bank.run();
    run.facts.clear();
    insta::assert_snapshot!(text(&run, Verbosity::Normal));
}

#[test]
fn a_bank_with_many_customers_is_cut_in_the_middle() {
    let bank =
        (1..=40).fold(Bank::new("crowd", 4), |bank, who| bank.deposit(who, 1, who, 1 + who % 4));
    let mut run = bank.run();
    run.facts.clear();
    let text = text(&run, Verbosity::Normal);
    insta::assert_snapshot!(text[text.find("Branches at the end").unwrap()..]);
}

#[test]
fn a_bank_without_customers_or_peers_is_told_too() {
    insta::assert_snapshot!(text(&Bank::new("empty", 2).run(), Verbosity::Normal));
    insta::assert_snapshot!(text(
        &Bank::new("alone", 1).deposit(1, 1, 5, 1).run(),
        Verbosity::Normal
    ));
}

#[test]
fn branches_that_disagree_are_named() {
    let last_line_of_branches = |change: fn(&mut Vec<LogEntry>)| {
        let mut run = monotonic_writes().run();
        change(std::sync::Arc::make_mut(&mut run.result.branches[1].log));
        let text = text(&run, Verbosity::Normal);
        let lines = text.lines().take_while(|line| *line != "Result");
        lines.filter(|line| !line.is_empty()).last().map(str::to_owned)
    };
    assert_eq!(
        last_line_of_branches(|log| log.truncate(1)),
        Some("  ✗ branch 2 differs from branch 1".to_owned())
    );
    assert_eq!(
        last_line_of_branches(|log| log.swap(0, 1)),
        Some(
            "  ✓ both branches hold 0 and the same writes, branch 2 in another order than branch 1"
                .to_owned()
        )
    );
}

#[test]
fn what_went_wrong_is_told_and_what_struck_nothing() {
    let crash = |at| {
        let [at, until] = [at, 9_000].map(Time::from_us);
        ScheduledFault::Crash(Crash { branch: branch(1), keeps: Keeps::All, at, until })
    };
    let mut weather = WeatherReport {
        struck: Struck::default(),
        last_request_at: Time::START,
        has_settled: true,
        idle: Vec::new(),
    };
    let faults = Faults {
        rates: "loss=0.02,duplicate=0.01,reorder".parse().unwrap(),
        nemesis: Some(Nemesis {
            kinds: vec![NemesisKind::Amnesia, NemesisKind::Slow],
            interval: Nemesis::INTERVAL,
            duration: Nemesis::DURATION,
        }),
        schedule: vec![crash(1), crash(10)],
    };
    let told = |weather: &WeatherReport| {
        let faults = Some(Box::new(faults.clone()));
        let settle_limit = Some(Duration::from_mins(1));
        let config = RunConfig { faults, settle_limit, ..RunConfig::default() };
        let mut run = monotonic_writes().config(config).run();
        run.result.weather = Some(Box::new(weather.clone()));
        run.result.ended = Time::from_us(2_500);
        text(&run, Verbosity::Normal)
    };
    insta::assert_snapshot!(told(&weather));
    for (kind, times) in [(FaultKind::Loss, 1), (FaultKind::Crash, 2), (FaultKind::Slow, 1200)] {
        (0..times).for_each(|_| weather.struck.counts.add(kind));
    }
    weather.idle = vec![crash(10)];
    weather.has_settled = false;
    insta::assert_snapshot!(told(&weather));
}

#[test]
fn colour_is_sparing() {
    let run = monotonic_writes().run();
    insta::assert_debug_snapshot!(coloured(&run, Verbosity::Quiet).lines().collect::<Vec<_>>());
}
