//! Rows of real runs, as a result file holds them, and that file read back.

use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use passbook::batch::{
    BatchStats, Counts, JsonLines, Overview, Packing, Reader, Record, Row, RowHead, RowKind,
    RowWriter, RowsError, RowsProblem, Status, Stopped, Summary,
};
use passbook::check::{ByProperty, Overall as Verdict, Strictness};
use passbook::model::{CustomerId, Guarantees, Money, Propagation, Seed};
use passbook::network::{FaultCounts, FaultKind, Latency};
use passbook::report::Assessment;
use passbook::run::{Judging, RunOptions, run};
use passbook::scenario::{BalanceRow, Scenario, Settings, Source};
use proptest::prelude::*;

const TWO_BRANCHES: &str =
    r#"{"type":"branch","id":1,"balance":0},{"type":"branch","id":2,"balance":0}"#;

fn head(number: u64) -> RowHead {
    let place = format!("many.jsonl:{number}");
    let options = Arc::from("--propagation async");
    RowHead { number, place, packed: None, options, took: Duration::from_micros(12) }
}

/// Customer 1 deposits 400 at branch 1 and asks branch 2; `more` stands beside the processes.
fn deposit_and_query(more: &str) -> Scenario {
    let text = format!(
        r#"{{"name":"hop"{more},"processes":[{TWO_BRANCHES},{{"type":"customer","id":1,"events":[
            {{"id":1,"interface":"deposit","money":400,"branch":1}},
            {{"id":2,"interface":"query","branch":2}}]}}]}}"#
    );
    Scenario::parse(&Source::new("test", text)).expect("a scenario")
}

fn lagging(guarantees: Guarantees) -> RunOptions {
    let overrides = Settings {
        propagation: Some(Propagation::Async),
        latency: Some("constant:50ms".parse::<Latency>().expect("a latency")),
        guarantees: Some(guarantees),
        ..Settings::default()
    };
    RunOptions { overrides, ..RunOptions::default() }
}

fn row_of(scenario: &Scenario, options: &RunOptions, demand: Strictness) -> Row {
    let result = run(scenario, options).expect("a run").result;
    Row::of(head(17), &result, &Assessment::of(&result), demand)
}

fn lines(rows: &[Row], summary: Option<&Summary>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = JsonLines::new(&mut out);
    for row in rows {
        writer.write(row).expect("memory");
    }
    if let Some(summary) = summary {
        writer.finish(summary).expect("memory");
    }
    out
}

fn line(row: &Row) -> String {
    String::from_utf8(lines(std::slice::from_ref(row), None)).expect("text")
}

fn read(text: &[u8]) -> Result<Vec<Record>, RowsError> {
    Reader::new(BufReader::new(text)).map(|entry| Ok(entry?.record)).collect()
}

#[test]
fn a_run_that_came_to_what_it_should_is_one_line() {
    let scenario = deposit_and_query(r#","expected":[{"id":1,"balance":400}]"#);
    let row = row_of(&scenario, &RunOptions::default(), Strictness::Anything);
    let expected = concat!(
        r#"{"kind":"scenario","format":2,"number":17,"place":"many.jsonl:17","name":"hop","#,
        r#""status":"holds","#,
        r#""expected":true,"verdicts":{"read_your_writes":"holds","monotonic_reads":"undecided","#,
        r#""monotonic_writes":"undecided","writes_follow_reads":"undecided","balances":"holds","#,
        r#""convergence":"holds","exactly_once":"holds"},"balances":[{"id":1,"balance":400}],"#,
        r#""counts":{"branches":2,"customers":1,"writes":1,"queries":1,"refused":0,"unknown":0,"#,
        r#""refused_writes":0},"microseconds":12,"seed":0,"options":"--propagation async","#,
        r#""passbook":""#,
        env!("CARGO_PKG_VERSION"),
        "\"}\n"
    );
    assert_eq!(line(&row), expected);
}

#[test]
fn a_violation_is_told_in_a_sentence() {
    let row = row_of(&deposit_and_query(""), &lagging(Guarantees::NONE), Strictness::Anything);
    assert_eq!((row.status, row.expected), (Status::Violated, None));
    assert_eq!(row.verdicts.expect("verdicts").read_your_writes, Verdict::Violated);
    assert_eq!(
        row.problem.as_deref(),
        Some(
            "read your writes: customer 1 deposited 400 at branch 1 (event 1), then read the \
             balance 0 at branch 2 (event 2), whose log did not yet hold that deposit: it was owed \
             at least its own deposit"
        )
    );
}

#[test]
fn a_violation_is_worse_than_a_result_that_was_not_expected() {
    let scenario = deposit_and_query(r#","expected":[{"id":1,"balance":400}]"#);
    let row = row_of(&scenario, &lagging(Guarantees::NONE), Strictness::Anything);
    assert_eq!((row.status, row.expected), (Status::Violated, Some(false)));
}

#[test]
fn the_first_difference_from_what_was_expected_is_told_in_words() {
    let scenario = deposit_and_query(r#","expected":[{"id":1,"balance":399.5}]"#);
    let row = row_of(&scenario, &RunOptions::default(), Strictness::Anything);
    assert_eq!((row.status, row.expected), (Status::Unexpected, Some(false)));
    assert_eq!(row.problem.as_deref(), Some("customer 1: expected balance 399.5, got balance 400"));
}

#[test]
fn what_is_undecided_is_a_matter_of_what_is_demanded() {
    let scenario = deposit_and_query("");
    let row = row_of(&scenario, &RunOptions::default(), Strictness::Everything);
    assert_eq!((row.status, row.problem), (Status::Undecided, None));
}

#[test]
fn a_run_that_nobody_judged_has_no_verdicts() {
    let options = RunOptions { judging: Judging::Off, ..RunOptions::default() };
    let row = row_of(&deposit_and_query(""), &options, Strictness::Anything);
    assert_eq!((row.status, row.verdicts), (Status::Holds, None));
    assert!(!line(&row).contains("verdicts"));
}

#[test]
fn what_never_ran_has_its_error_and_no_numbers() {
    let row = Row::failed(head(4), None, "many.jsonl:4:3: not JSON".to_owned());
    assert_eq!(
        line(&row),
        concat!(
            r#"{"kind":"scenario","format":2,"number":4,"place":"many.jsonl:4","status":"error","#,
            r#""microseconds":12,"problem":"many.jsonl:4:3: not JSON","#,
            r#""options":"--propagation async","passbook":""#,
            env!("CARGO_PKG_VERSION"),
            "\"}\n"
        )
    );
}

#[test]
fn the_summary_is_the_last_line() {
    let mut overview = Overview::default();
    overview.add(&Row::failed(head(1), None, "wrong".to_owned()));
    let summary = overview.summary(&BatchStats {
        inputs: Some(9),
        filtered_out: 2,
        partition: Some("count:1/3".parse().expect("a partition")),
        stopped: Some(Stopped::Interrupted),
        wall: Duration::from_millis(1_500),
        jobs: 2,
    });
    let text = String::from_utf8(lines(&[], Some(&summary))).expect("text");
    assert_eq!(
        text,
        concat!(
            r#"{"kind":"summary","inputs":9,"rows":1,"#,
            r#""statuses":{"holds":0,"undecided":0,"unexpected":0,"violated":0,"error":1},"#,
            r#""as_expected":0,"not_as_expected":0,"filtered_out":2,"#,
            r#""refused_writes":0,"partition":"count:1/3","stopped":"interrupted","#,
            r#""wall_microseconds":1500000,"jobs":2,"passbook":""#,
            env!("CARGO_PKG_VERSION"),
            "\"}\n"
        )
    );
    assert_eq!(read(text.as_bytes()).expect("a summary"), [Record::Summary(summary)]);
}

#[test]
fn a_torn_line_is_not_a_broken_one() {
    let first = line(&Row::failed(head(1), None, "wrong".to_owned()));
    let second = line(&Row::failed(head(2), None, "wrong".to_owned()));
    let whole = second.trim_end();
    for torn in [whole, &whole[..20], "{"] {
        let mut reader = Reader::new(BufReader::new(first.as_bytes()).chain(torn.as_bytes()));
        assert_eq!(reader.next().expect("a line").expect("a row").line, 1);
        let error = reader.next().expect("a line").expect_err("torn");
        assert!(matches!(error.problem, RowsProblem::Torn), "{error}");
        // Cut there, the file is whole again.
        assert_eq!((error.line, error.offset), (2, u64::try_from(first.len()).expect("small")));
        assert!(reader.next().is_none());
    }
    let broken = format!("{first}{}\n{second}", &whole[..20]);
    let error = read(broken.as_bytes()).expect_err("broken");
    assert!(matches!(error.problem, RowsProblem::NotJson { .. }), "{error}");
    assert_eq!(error.line, 2);
}

#[test]
fn what_is_no_row_says_why_and_where() {
    let row = line(&Row::failed(head(1), None, "wrong".to_owned()));
    let summary =
        String::from_utf8(lines(&[], Some(&Overview::default().summary(&BatchStats::default()))));
    let summary = summary.expect("text");
    for (text, said) in [
        ("[]\n".to_owned(), "line 1: neither a row nor the summary of a batch: "),
        (
            "{}\n".to_owned(),
            "line 1: neither a row nor the summary of a batch: missing field `kind`",
        ),
        ("\n".to_owned(), "line 1: not JSON: EOF while parsing a value"),
        (row.replace("\"number\":1,", ""), "missing field `number`"),
        (row.replace("\"error\"", "\"fine\""), "unknown variant `fine`"),
        (row.replace("\"number\"", "\"nummer\""), "unknown field `nummer`"),
        (
            row.replace(
                "\"microseconds\"",
                "\"balances\":[{\"id\":7,\"balance\":1e3}],\"microseconds\"",
            ),
            "1e3 is no balance: written with an exponent; write the digits out (column 115)",
        ),
        (
            row.replace("\"format\":2", "\"format\":3"),
            "line 1: a row of version 3, and this passbook takes versions 1 and 2; \
             use the passbook that made it",
        ),
        (format!("{summary}{row}"), "line 2: a line after the summary"),
    ] {
        let error = read(text.as_bytes()).expect_err("no row").to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

/// What the first passbook wrote, of five scenarios and `--overdraft reject`.
#[test]
fn a_file_of_the_first_format_is_read() {
    let text = include_str!("../golden/row-1.jsonl");
    let records = read(text.as_bytes()).expect("rows");
    let Some((Record::Summary(summary), rows)) = records.split_last() else { panic!("a summary") };
    let rows: Vec<&Row> = rows
        .iter()
        .map(|record| match record {
            Record::Scenario(row) => row,
            Record::Summary(_) => panic!("two summaries"),
        })
        .collect();
    let statuses: Vec<Status> = rows.iter().map(|row| row.status).collect();
    let expected =
        [Status::Holds, Status::Violated, Status::Unexpected, Status::Undecided, Status::Error];
    assert_eq!(statuses, expected);
    assert_eq!(summary.statuses.total(), 5);
    assert_eq!(rows[2].balances[0].balance, Some(Money::from_minor(40_050)));
    let counts = rows[2].counts.expect("it ran");
    assert_eq!((counts.writes, counts.refused, counts.refused_writes), (2, 1, None));
    let unsaid = |row: &Row| {
        row.format == 1 && (&row.options, row.seed, &row.passbook) == (&None, None, &None)
    };
    assert!(rows.iter().all(|row| unsaid(row)), "{rows:?}");
    // As it is, it goes into another file.
    let old = text.lines().take(5).map(|line| format!("{line}\n")).collect::<String>();
    let rows: Vec<Row> = rows.into_iter().cloned().collect();
    assert_eq!(String::from_utf8(lines(&rows, None)).expect("text"), old);
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Holds), Just(Verdict::Violated), Just(Verdict::Undecided)]
}

fn any_verdicts() -> impl Strategy<Value = ByProperty<Verdict>> {
    let sometimes = || prop::option::of(any_verdict());
    (prop::array::uniform7(any_verdict()), sometimes(), sometimes()).prop_map(
        |([a, b, c, d, e, f, g], no_overdraft, settles)| ByProperty {
            read_your_writes: a,
            monotonic_reads: b,
            monotonic_writes: c,
            writes_follow_reads: d,
            balances: e,
            convergence: f,
            exactly_once: g,
            no_overdraft,
            settles,
        },
    )
}

fn any_faults() -> impl Strategy<Value = FaultCounts> {
    prop::array::uniform7(0..3_u64).prop_map(|times| {
        let mut counts = FaultCounts::default();
        for (kind, times) in FaultKind::ALL.into_iter().zip(times) {
            (0..times).for_each(|_| counts.add(kind));
        }
        counts
    })
}

fn any_row() -> impl Strategy<Value = Row> {
    let text = || any::<String>();
    let balance = (1..=i64::from(i32::MAX), any::<Option<i64>>()).prop_map(|(id, minor)| {
        let id = CustomerId::new(id).expect("a fit number");
        BalanceRow { id, balance: minor.map(Money::from_minor) }
    });
    let remarks = || prop::collection::vec(any::<String>(), 0..3);
    let told = (text(), prop::option::of(text()), prop::option::of(text()));
    let numbers =
        (any::<u64>(), any::<u64>(), prop::option::of(prop::array::uniform6(any::<u64>())));
    let packed = prop::sample::select(&[None, Some(Packing::Gzip), Some(Packing::Zstd)][..]);
    let again = (packed, prop::option::of(text()), prop::option::of(text()), any::<Option<u64>>());
    let judged = (prop::sample::select(&Status::ALL), any::<Option<bool>>());
    let balances = prop::collection::vec(balance, 0..4);
    let rest = (prop::option::of(any_verdicts()), balances, remarks(), remarks());
    let parts = (told, numbers, judged, rest, 1..=2_u64, again, prop::option::of(any_faults()));
    parts.prop_map(|(told, numbers, judged, rest, format, again, faults)| Row {
        kind: RowKind::Scenario,
        format,
        number: numbers.0,
        place: told.0,
        packed: again.0,
        name: told.1,
        status: judged.0,
        expected: judged.1,
        verdicts: rest.0,
        balances: rest.1,
        counts: numbers.2.map(|[branches, customers, writes, queries, refused, unknown]| Counts {
            branches,
            customers,
            writes,
            queries,
            refused,
            unknown,
            refused_writes: again.3,
        }),
        faults: faults.map(Box::new),
        warnings: rest.2,
        microseconds: numbers.1,
        problem: told.2,
        notes: rest.3,
        seed: again.3.map(Seed),
        options: again.1.map(Arc::from),
        passbook: again.2.map(Cow::Owned),
    })
}

proptest! {
    #[test]
    fn every_row_reads_back_as_it_was_written(rows in prop::collection::vec(any_row(), 0..5)) {
        let text = lines(&rows, None);
        prop_assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), rows.len());
        let back = read(&text).expect("rows");
        prop_assert_eq!(back, rows.into_iter().map(Record::Scenario).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_is_what_serde_writes(row in any_row()) {
        let mut line = serde_json::to_vec(&row).expect("a row");
        line.push(b'\n');
        prop_assert_eq!(String::from_utf8(lines(&[row], None)), String::from_utf8(line));
    }
}
