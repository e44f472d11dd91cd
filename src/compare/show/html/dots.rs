//! Round by round: how far each is from what is typical of its transport.

use super::frame::Frame;
use super::svg::{About, Anchor, Drawing, at};
use crate::compare::analyse::{Row, about, latency};
use crate::model::number::float_len;

const TOP: f64 = 12.0;
const STRIP: f64 = 60.0;
const AXIS: f64 = 30.0;
/// The logarithm that strips show at least, so that noise does not look large because there is
/// little of it.
const SPREAD_LEAST: f64 = 0.05;

pub(super) fn draw(rows: &[Row], frame: Frame) -> String {
    let (left, gap) = match frame {
        Frame::Wide => (180.0, 14.0),
        Frame::Narrow => (48.0, 30.0),
    };
    let right = frame.width() - 14.0;
    let step = STRIP + gap;
    let bottom = TOP + step * float_len(rows.len());
    let mut drawing = Drawing::new("rounds", frame, bottom + AXIS);
    let most = rows.iter().flat_map(deviations).map(|(_, log)| log.abs());
    let most = most.fold(SPREAD_LEAST, f64::max) * 1.08;
    let ends = [(most, "+"), (-most, "−")]
        .map(|(log, sign)| (log, format!("{sign}{}", about((libm::exp(log) - 1.0).abs()))));
    let places = rows.iter().flat_map(|row| row.rounds.iter().map(|of| of.round.place));
    let last = float_len(places.max().unwrap_or_default()).max(1.0);
    for (place, row) in rows.iter().enumerate() {
        let top = TOP + step * float_len(place) + gap;
        let middle = top + STRIP / 2.0;
        let y = |log: f64| middle - log / most * STRIP / 2.0;
        drawing.bar(at(left, top), at(right, top + STRIP), "strip");
        drawing.line(at(left, middle), at(right, middle), "grid");
        for (log, label) in &ends {
            let down = if *log > 0.0 { 10.0 } else { -2.0 };
            drawing.text(at(left - 6.0, y(*log) + down), Anchor::End, "tick", label);
        }
        drawing.text(at(left - 6.0, middle + 4.0), Anchor::End, "tick", &latency(row.mean_ns));
        let name_at = match frame {
            Frame::Wide => at(24.0, middle + 4.0),
            Frame::Narrow => at(24.0, top - 8.0),
        };
        drawing.mark(place, at(name_at.x - 12.0, name_at.y - 4.0), 4.5);
        drawing.text(name_at, Anchor::Start, "name", &row.name);
        for (round, log) in deviations(row) {
            let x = left + 10.0 + float_len(round) / last * (right - left - 20.0);
            drawing.mark(place, at(x, y(log)), 3.4);
        }
    }
    let title = match frame {
        Frame::Wide => "rounds of all transports, in the order they were run →",
        Frame::Narrow => "rounds, in the order they were run →",
    };
    drawing.text(at(f64::midpoint(left, right), bottom + 20.0), Anchor::Middle, "axis", title);
    drawing.finish(&About { title: "Round by round", description: &description(rows) })
}

/// The place of each round, and how much more or less than usual it took: logarithms, so that half
/// as long is as far away as twice as long.
fn deviations(row: &Row) -> impl Iterator<Item = (usize, f64)> {
    row.rounds.iter().map(|of| (of.round.place, libm::log(of.round.mean_ns / row.mean_ns)))
}

fn description(rows: &[Row]) -> String {
    let told = rows.iter().map(|row| {
        let shares = || deviations(row).map(|(_, log)| libm::exp(log) - 1.0);
        let (low, high) = (shares().fold(0.0, f64::min).abs(), shares().fold(0.0, f64::max));
        format!(
            "{}: {} rounds around {}, from {} below to {} above",
            row.name,
            row.rounds.len(),
            latency(row.mean_ns),
            about(low),
            about(high)
        )
    });
    told.collect::<Vec<_>>().join(". ")
}
