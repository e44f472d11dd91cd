//! The answer in a sentence.

use super::ladder::Ladder;
use super::name::{travels, travels_inside};
use super::number::{about, latency, range, significant};
use super::row::Row;
use super::statistics::{Ratio, Verdict};
use crate::report::phrase::count;
use crate::runner::compare::Transport;

/// What the highest transport costs against `base`, and where most of it goes.
pub(super) fn headline(rows: &[Row], base: &Row, ladder: &Ladder) -> String {
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
