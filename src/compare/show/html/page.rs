//! The page: the answer first, then what it rests on.

use std::io;
use std::io::Write;

use super::frame::Frame;
use super::svg::{Drawing, at};
use super::{curves, distributions, dots, steps};
use crate::compare::analyse::{Report, Row, Verdict, latency, name, range, times};
use crate::compare::show::tables;
use crate::compare::show::tables::{Column, Holds, Table, Value};
use crate::report::markup::escaped;
use crate::report::page::{Sheet, section};

/// `table` as markup; its title is for those who cannot see it.
pub(super) fn html(table: &Table) -> String {
    let Table { title, columns, rows } = table;
    let class = |column: &Column| match column.holds {
        Holds::Words => "",
        Holds::Numbers => " class=\"number\"",
    };
    let cells = |row: &Vec<Value>| -> String {
        let cells = row.iter().zip(columns).enumerate().map(|(place, (value, column))| {
            let text = escaped(&told(value));
            match place {
                0 => format!("<th scope=\"row\">{text}</th>"),
                _ => format!("<td{}>{text}</td>", class(column)),
            }
        });
        cells.collect()
    };
    let head = columns
        .iter()
        .map(|column| format!("<th scope=\"col\"{}>{}</th>", class(column), escaped(column.title)));
    let (head, title) = (head.collect::<String>(), escaped(title));
    let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n<table>\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn told(value: &Value) -> String {
    let (Value::Verdict(verdict) | Value::Change(verdict)) = value else {
        return value.to_string();
    };
    let sign = match verdict {
        Verdict::Faster => '▼',
        Verdict::Slower => '▲',
        Verdict::NoDifference => '≈',
        Verdict::Undecided => '?',
    };
    format!("{sign} {verdict}")
}

/// Writes `report` as one HTML page with everything in it.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_html(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let sheet = Sheet {
        program: "passbook compare",
        title: &report.subject.scenario,
        answer: &report.headline,
        has_pictures: false,
    };
    sheet.begin(out)?;
    if !report.rows.is_empty() {
        tiles(out, report)?;
    }
    warnings(out, report)?;
    if !report.rows.is_empty() {
        charts(out, report)?;
    }
    origin(out, report)?;
    sheet.end(out)
}

/// Each transport at a glance.
fn tiles(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let base = report.base().map_or("", |row| row.name.as_str());
    writeln!(
        out,
        "<p class=\"tiles-are\">On average, a request takes so many times as long as over {}:</p>\n\
         <ul class=\"tiles\">",
        escaped(base)
    )?;
    for (place, row) in report.rows.iter().enumerate() {
        let interval = row.ratio.and_then(|ratio| ratio.interval);
        let below = match interval {
            Some(both) => format!("95%: {}×", range(both.low, both.high)),
            None => String::new(),
        };
        let factor = row.ratio.map_or("1×".to_owned(), |ratio| times(ratio.estimate));
        writeln!(
            out,
            "<li>{}<span class=\"transport\">{}</span><strong>{}</strong>\
             <span class=\"quiet\">{below}</span><span class=\"quiet\">mean {}</span></li>",
            sign(place),
            escaped(&row.name),
            factor,
            latency(row.mean_ns)
        )?;
    }
    writeln!(out, "</ul>")
}

/// The mark of the row in this place, by itself.
fn sign(place: usize) -> String {
    let mut body = Drawing::new("sign", Frame::Narrow, 14.0);
    body.mark(place, at(7.0, 7.0), 5.0);
    body.inline(14.0)
}

fn warnings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section class=\"warnings\">\n<h2>Before you believe it</h2>\n<ul>")?;
    for warning in &report.warnings {
        writeln!(out, "<li>{}</li>", escaped(&warning.to_string()))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn charts(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let base = report.base().map_or("", |row| row.name.as_str());
    section(
        out,
        "Latency of a request",
        &format!(
            "The ratio is of mean latencies, to {base}; with 95% it is in the interval beside it. A \
             verdict asks for 99%."
        ),
        &html(&tables::latencies(report).with_ratio_first()),
    )?;
    if let Some(changes) = tables::changes(report) {
        let text = "Mean latency of a request, then and now. A verdict asks for 99%, so it may say no \
                    difference where the interval just misses 1.";
        section(out, "Against the baseline", text, &html(&changes))?;
    }
    if report.ladder.steps.len() > 1 {
        let drawn = both(|frame| steps::draw(&report.ladder, frame));
        // The table says what a chart has no room for.
        let merged = report.ladder.steps.iter().any(|step| !step.merged.is_empty());
        let table = if merged { html(&tables::steps(report)) } else { String::new() };
        section(
            out,
            "Where the time goes",
            "What each step adds to the mean latency of a request, from the bottom of the ladder \
             to the top; the grey bar is all of them. A step down, with a dashed outline, takes less \
             time than the one below it.",
            &format!("{drawn}{table}"),
        )?;
    }
    let rows: &[Row] = &report.rows;
    section(
        out,
        "How latencies are distributed",
        "How many requests took how long. Heights count within a hill alone: the fullest part of \
         each is as high as that of the others. The whole line is the median, the dashed one p99, \
         and the mark at the right end the slowest request.",
        &both(|frame| distributions::draw(rows, frame)),
    )?;
    section(
        out,
        "How late the late ones are",
        "Percentiles: a mark at each that the axis names. To the right are ever fewer, ever slower \
         requests, and a curve ends where fewer than ten are left.",
        &both(|frame| curves::draw(rows, frame)),
    )?;
    section(
        out,
        "Round by round",
        "Each mark is the mean of a round. The line in the middle of a strip is the mean of all \
         rounds of its transport, its edges are so much more and less. Marks that scatter are \
         noise; marks that climb or fall are a machine that changed underneath.",
        &both(|frame| dots::draw(rows, frame)),
    )?;
    let text = "On average, all rounds together. A dash stands where nobody counts.";
    section(out, "What a request costs", text, &html(&tables::costs(report)))?;
    if rows.iter().any(|row| row.latencies.kinds.len() > 1) {
        let text = "Propagation is no request: it is from a write's being applied where it was \
                    accepted to its being applied at the last branch.";
        let tables = tables::kinds(report);
        let kinds = tables.iter().map(|kind| format!("<h3>{}</h3>\n{}", kind.title, html(kind)));
        section(out, "Latency of each kind", text, &kinds.collect::<String>())?;
    }
    Ok(())
}

fn both(draw: impl Fn(Frame) -> String) -> String {
    let drawn: String = Frame::ALL.into_iter().map(draw).collect();
    format!("<figure>\n{drawn}</figure>\n")
}

/// Where the numbers come from.
fn origin(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "<section class=\"origin\">\n<h2>How this was measured</h2>\n<dl>")?;
    let rounds: Vec<String> =
        report.rows.iter().map(|row| format!("{} of {}", row.rounds.len(), row.name)).collect();
    for (label, value) in [
        ("work", name::subject(&report.subject)),
        ("load", name::load(report.load)),
        ("rounds", format!("{}; seed {}", name::all_of(&rounds), report.subject.seed)),
        ("machine", name::machine(&report.machine)),
        (
            "intervals",
            "Student's t over logarithms of rounds, with Welch's degrees of freedom; a verdict asks \
             for 99%"
                .to_owned(),
        ),
    ] {
        writeln!(out, "<div><dt>{label}</dt><dd>{}</dd></div>", escaped(&value))?;
    }
    writeln!(
        out,
        "</dl>\n<pre><code>{}</code></pre>\n<p class=\"quiet\">\
         passbook {}</p>\n</section>",
        escaped(&report.command),
        env!("CARGO_PKG_VERSION")
    )
}
