//! The branches at the end, the result of each customer, and what was expected.

use std::io::{self, Write};
use std::ops::Range;
use std::{fmt, iter};

use super::verbosity::{Verbosity, items, rows};
use crate::model::{CustomerId, Dialect, Operation, OutcomeClass, RequestError, Time};
use crate::report::arrival::{Arrival, Arrivals, Holding, Source};
use crate::report::elide::Limit;
use crate::report::palette::{BAD, GOOD, MAYBE, NO, QUIET, STRONG, UNSURE, YES};
use crate::report::table::{Cell, Row, write_table};
use crate::report::words::{self, count, every_branch, grouped, listed, verb, write_set};
use crate::report::{Agreement, Assessment, Difference, Seen, broken, shortfall};
use crate::run::{BranchResult, RequestCounts, RunResult};
use crate::scenario::{BalanceRow, Output};

pub(super) fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{text}{STRONG:#}\n")
}

fn more(skipped: usize, noun: &str) -> Row {
    let text = format!("… {}; -v shows all", count(skipped, &format!("more {noun}")));
    vec![Cell::new(QUIET, text)]
}

fn head(text: &str) -> Cell {
    Cell::new(QUIET, text)
}

fn number(text: impl ToString) -> Cell {
    Cell::plain(text.to_string()).right()
}

/// A row of the table of branches; without a customer where the bank has none.
#[derive(Debug, Clone, Copy)]
struct BranchRow<'a> {
    branch: &'a BranchResult,
    customer: Option<CustomerId>,
}

/// What each branch holds of each customer, and whether all agree.
pub(super) fn branches(
    out: &mut dyn Write,
    result: &RunResult,
    agreement: &Agreement,
    verbosity: Verbosity,
) -> io::Result<()> {
    heading(out, "Branches at the end")?;
    let mut customers: Vec<_> = result.customers.iter().map(|of| Some(of.id)).collect();
    if customers.is_empty() {
        customers.push(None);
    }
    // A row per branch and customer: in a large bank only those that are shown are gathered.
    let number = result.branches.len() * customers.len();
    let skipped = rows(verbosity).skipped(number);
    let place = |row: usize| BranchRow {
        branch: &result.branches[row / customers.len()],
        customer: customers[row % customers.len()],
    };
    let places = |shown: Range<usize>| -> Vec<BranchRow<'_>> { shown.map(place).collect() };

    let arrivals = Arrivals::of(result);
    let mut lines = vec![vec![
        head("branch").right(),
        head("balance").right(),
        head("customer").right(),
        head("write set"),
        head("events as they arrived"),
    ]];
    place_rows(&mut lines, &places(0..skipped.start), &arrivals, verbosity);
    if !skipped.is_empty() {
        lines.push(more(skipped.len(), "row"));
    }
    place_rows(&mut lines, &places(skipped.end..number), &arrivals, verbosity);
    write_table(out, 2, &lines)?;
    writeln!(out)?;
    agreement_line(out, result, agreement)
}

fn place_rows(
    lines: &mut Vec<Row>,
    places: &[BranchRow<'_>],
    arrivals: &Arrivals<'_>,
    verbosity: Verbosity,
) {
    for of_branch in places.chunk_by(|one, next| one.branch.id == next.branch.id) {
        let Some(BranchRow { branch, .. }) = of_branch.first() else { continue };
        let holdings = arrivals.at(branch);
        let named = vec![number(branch.id), number(branch.balance)];
        let unnamed = vec![number(""), number("")];
        let firsts = iter::once(named).chain(iter::repeat(unnamed));
        for (mut row, place) in firsts.zip(of_branch) {
            let holding = place.customer.and_then(|customer| holdings.get(&customer));
            if let (Some(customer), Some(holding)) = (place.customer, holding) {
                row.push(number(customer));
                row.extend(holding_cells(holding, verbosity));
            }
            lines.push(row);
        }
    }
}

fn holding_cells(holding: &Holding<'_>, verbosity: Verbosity) -> [Cell; 2] {
    let limit = items(verbosity);
    let events = if holding.arrivals.is_empty() {
        Cell::new(QUIET, "none")
    } else {
        Cell::plain(listed(&holding.arrivals, limit))
    };
    [Cell::plain(write_set(&holding.write_set, limit)), events]
}

impl fmt::Display for Arrival<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, operation, source } = self;
        write!(f, "{event} {operation}")?;
        match source {
            Source::Accepted | Source::Branch(_) => Ok(()),
            Source::Answered(request) => match (OutcomeClass::of(&request.outcome), operation) {
                (OutcomeClass::Refused, _) => f.write_str(" (refused)"),
                (OutcomeClass::Ok | OutcomeClass::Unknown, Operation::Write(_)) => {
                    f.write_str(" (again)")
                }
                (OutcomeClass::Ok | OutcomeClass::Unknown, Operation::Query) => Ok(()),
            },
        }
    }
}

fn agreement_line(
    out: &mut dyn Write,
    result: &RunResult,
    agreement: &Agreement,
) -> io::Result<()> {
    let silent = result.remote.iter().flat_map(|remote| &remote.silent);
    for (branch, problem) in silent {
        writeln!(
            out,
            "  {BAD}{NO} branch {branch} does not say how it stands: it {problem}{BAD:#}"
        )?;
    }
    let Some(first) = result.branches.first() else { return Ok(()) };
    let number = result.branches.len();
    if agreement.is_whole() && result.remote.as_ref().is_some_and(|of| !of.silent.is_empty()) {
        return Ok(());
    }
    if !agreement.is_whole() {
        let dissenters = words::branches(&agreement.dissenters);
        let differ = verb(agreement.dissenters.len(), "differ");
        return writeln!(out, "  {BAD}{NO} {dissenters} {differ} from branch {}{BAD:#}", first.id);
    }
    let rest = match (number, agreement.reordered.as_slice()) {
        (1, _) => String::new(),
        (_, []) => " and the same write sets".to_owned(),
        (_, reordered) => {
            let who = words::branches(reordered);
            format!(" and the same writes, {who} in another order than branch {}", first.id)
        }
    };
    let (all, hold) = (every_branch(number), verb(number, "hold"));
    writeln!(out, "  {GOOD}{YES}{GOOD:#} {all} {hold} {}{rest}", first.balance)
}

/// A row per customer.
pub(super) fn result(out: &mut dyn Write, result: &RunResult, limit: Limit) -> io::Result<()> {
    if result.customers.is_empty() {
        return writeln!(out, "  {QUIET}no customers{QUIET:#}");
    }
    let balances = match result.output(Dialect::Balances) {
        Output::Balances(balances) => balances,
        Output::Events(_) | Output::Customers(_) | Output::Classic(_) => Vec::new(),
    };
    let told: Vec<_> = balances
        .into_iter()
        .zip(result.customers.iter().map(|of| RequestCounts::of([of])))
        .collect();
    let columns = Outcomes {
        refused: told.iter().any(|(_, counts)| counts.refused() > 0),
        unknown: told.iter().any(|(_, counts)| counts.unknown() > 0),
    };
    let shown = limit.apply(&told);
    let mut lines = vec![columns.head()];
    lines.extend(shown.head.iter().map(|(row, counts)| columns.row(row, counts)));
    if !shown.skipped.is_empty() {
        lines.push(more(shown.skipped.len(), "customer"));
    }
    lines.extend(shown.tail.iter().map(|(row, counts)| columns.row(row, counts)));
    write_table(out, 2, &lines)?;
    not_done(out, result, limit)
}

/// A line for each customer of whose requests the bank did not do all.
fn not_done(out: &mut dyn Write, result: &RunResult, limit: Limit) -> io::Result<()> {
    let told = result.customers.iter().filter_map(|of| Some((of.id, shortfall(of)?)));
    let told: Vec<(CustomerId, String)> = told.collect();
    if told.is_empty() {
        return Ok(());
    }
    let shown = limit.apply(&told);
    let line =
        |(id, text): &(CustomerId, String)| vec![Cell::plain(format!("customer {id}: {text}"))];
    let mut lines: Vec<Row> = shown.head.iter().map(line).collect();
    if !shown.skipped.is_empty() {
        lines.push(more(shown.skipped.len(), "customer"));
    }
    lines.extend(shown.tail.iter().map(line));
    writeln!(out)?;
    write_table(out, 2, &lines)
}

/// Which of the rarer outcomes get a column.
#[derive(Debug)]
struct Outcomes {
    refused: bool,
    unknown: bool,
}

impl Outcomes {
    fn head(&self) -> Row {
        let mut row = vec!["customer", "balance", "writes ok", "queries"];
        row.extend(self.refused.then_some("refused"));
        row.extend(self.unknown.then_some("unknown"));
        row.into_iter().map(|text| head(text).right()).collect()
    }

    fn row(&self, BalanceRow { id, balance }: &BalanceRow, counts: &RequestCounts) -> Row {
        let mut row = vec![
            number(id),
            Cell::new(STRONG, balance.map_or("—".to_owned(), |told| told.to_string())).right(),
            number(grouped(counts.writes.ok)),
            number(grouped(counts.queries.ok)),
        ];
        row.extend(self.refused.then(|| number(grouped(counts.refused()))));
        row.extend(self.unknown.then(|| number(grouped(counts.unknown()))));
        row
    }
}

/// When the last acknowledgement was there, in a run that took any time.
pub(super) fn ended(out: &mut dyn Write, result: &RunResult) -> io::Result<()> {
    let took = result.ended.since(Time::START);
    if took.is_zero() {
        return Ok(());
    }
    let took = words::span(took);
    let says = match result.remote {
        None if !result.has_settled() => format!("the run ended after {took}"),
        None => format!("all is settled after {took}"),
        Some(_) => format!("the last answer came after {took}; the branches cannot tell more"),
    };
    writeln!(out, "\n  {QUIET}{says}{QUIET:#}")
}

/// Why a run failed that is not judged, where nothing else is told of it.
pub(super) fn failures(
    out: &mut dyn Write,
    result: &RunResult,
    assessment: &Assessment,
) -> io::Result<()> {
    let without_answer = result.customers.iter().flat_map(|customer| {
        let requests = customer.requests.iter();
        let problems = requests.filter_map(|request| match &request.outcome {
            Err(error @ RequestError::NoAnswer { .. }) => Some((request, error)),
            Ok(_) | Err(_) => None,
        });
        problems.map(move |(request, error)| {
            let (event, what) = (request.event, request.operation);
            format!("customer {}, event {event}, {what}: {error}", customer.id)
        })
    });
    let lines: Vec<String> = without_answer.collect();
    let shown = rows(Verbosity::Normal).apply(&lines);
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for line in shown.head {
        writeln!(out, "  {UNSURE}{MAYBE} {line}{UNSURE:#}")?;
    }
    if !shown.skipped.is_empty() {
        let more = count(shown.skipped.len(), "more request");
        writeln!(out, "  {QUIET}… {more} without an answer{QUIET:#}")?;
    }
    for line in shown.tail {
        writeln!(out, "  {UNSURE}{MAYBE} {line}{UNSURE:#}")?;
    }
    let is_told = assessment.verdicts.is_some();
    let all_tell = result.remote.as_ref().is_none_or(|remote| remote.silent.is_empty());
    if (is_told || assessment.agreement.is_whole()) && all_tell {
        return Ok(());
    }
    writeln!(out)?;
    agreement_line(out, result, &assessment.agreement)
}

/// Whether the customers saw what the scenario expects, and where not.
pub(super) fn expected(
    out: &mut dyn Write,
    assessment: &Assessment,
    limit: Limit,
) -> io::Result<()> {
    let Some(differences) = &assessment.differences else { return Ok(()) };
    if differences.is_empty() {
        let broken = assessment.verdicts.as_deref().map(broken::in_words).unwrap_or_default();
        if broken.is_empty() {
            return writeln!(out, "\n  {GOOD}{YES}{GOOD:#} as expected");
        }
        write!(out, "\n  {GOOD}{YES}{GOOD:#} results as expected")?;
        broken.iter().try_for_each(|broken| write!(out, "; {BAD}{NO} {broken}{BAD:#}"))?;
        return writeln!(out);
    }
    let number = count(differences.len(), "difference");
    writeln!(out, "\n  {BAD}{NO} not as expected: {number}{BAD:#}\n")?;
    let mut lines = vec![vec![head("where"), head("expected"), head("got")]];
    let row = |difference: &Difference| {
        let seen = |seen: Option<Seen>| seen.map_or("nothing".to_owned(), |seen| seen.to_string());
        vec![
            Cell::plain(difference.to_string()),
            Cell::new(GOOD, seen(difference.expected)),
            Cell::new(BAD, seen(difference.got)),
        ]
    };
    let shown = limit.apply(differences);
    lines.extend(shown.head.iter().map(row));
    if !shown.skipped.is_empty() {
        lines.push(more(shown.skipped.len(), "difference"));
    }
    lines.extend(shown.tail.iter().map(row));
    write_table(out, 4, &lines)
}
