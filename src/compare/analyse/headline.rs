//! The answer in a sentence.

use super::ladder::Ladder;
use super::name::{all_of, travels, travels_inside};
use super::number::{about, latency, percent, range, rounded, significant};
use super::row::Row;
use super::statistics::{Ratio, Verdict};
use crate::compare::measure::{Load, Transport};
use crate::report::words::count;

/// What the highest transport costs against `base`, and where most of it goes; before that, over
/// which transports the rate was not reached.
pub(super) fn headline(rows: &[Row], base: &Row, ladder: &Ladder, load: Load) -> String {
    match (load, rows.iter().any(Row::is_over_capacity)) {
        (Load::Open { rate }, true) => not_reached(rows, rate),
        (Load::Open { .. }, false) | (Load::Closed, _) => cost(rows, base, ladder),
    }
}

/// Where a queue grows, a latency is not the time of a request, so nothing is said of that.
fn not_reached(rows: &[Row], rate: f64) -> String {
    let answered = rows.iter().filter(|row| row.is_over_capacity()).map(|row| {
        let share = percent(row.share_of_rate.unwrap_or_default());
        format!("{} {} ({share})", travels_inside(row.transport), rounded(row.per_second))
    });
    format!(
        "The rate was not reached: of {} requests/s that were due, {} were answered. A latency then \
         tells how long the queue was, and not how long a request takes.",
        rounded(rate),
        all_of(&answered.collect::<Vec<_>>())
    )
}

fn cost(rows: &[Row], base: &Row, ladder: &Ladder) -> String {
    let others = || rows.iter().filter(|row| row.ratio.is_some());
    let Some(top) = others().max_by_key(|row| row.transport) else {
        return format!(
            "{} a request takes {} on average; nothing else was measured beside it.",
            travels(base.transport),
            latency(base.mean_ns)
        );
    };
    let Some(ratio) = top.ratio else { return String::new() };
    let mut text = sentence(top, base, ratio);
    let is_seen = matches!(ratio.verdict, Verdict::Slower | Verdict::Faster);
    if top.transport != base.transport && is_seen {
        text.push_str(&most_of_it(ladder));
    }
    text.push('.');
    let tcp = others().find(|row| row.transport == Transport::GrpcTcp);
    if let (Transport::Processes, Some(Row { ratio: Some(ratio), .. })) = (top.transport, tcp) {
        let interval = interval(*ratio);
        text.push_str(&format!(
            " Over TCP within one process it is {} times{interval}.",
            significant(ratio.estimate)
        ));
    }
    text
}

fn sentence(top: &Row, base: &Row, ratio: Ratio) -> String {
    let below = if top.transport == base.transport {
        format!("the first time ({})", base.name)
    } else {
        travels_inside(base.transport).to_owned()
    };
    let (over, interval) = (travels(top.transport), interval(ratio));
    let times = significant(ratio.estimate);
    let told = format!("{over} a request takes {times} times as long as {below}{interval}");
    match ratio.verdict {
        Verdict::Slower | Verdict::Faster => told,
        Verdict::NoDifference => {
            let rounds = count(top.rounds.len(), "round");
            format!("{told}, which {rounds} cannot tell from no difference at all")
        }
        Verdict::Undecided => format!("{told}, and a single round cannot tell how sure that is"),
    }
}

fn interval(ratio: Ratio) -> String {
    let texts = ratio.interval.map(|both| format!(" (95%: {})", range(both.low, both.high)));
    texts.unwrap_or_default()
}

fn most_of_it(ladder: &Ladder) -> String {
    let Some(step) = ladder.largest().filter(|step| step.adds_ns > 0.0) else {
        return String::new();
    };
    let part = if step.share() > 0.5 { "most of it" } else { "the largest part of it" };
    format!("; {part}, {}, is {}", about(step.share()), step.name)
}
