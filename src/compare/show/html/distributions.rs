//! How latencies are distributed: a hill for each transport, all over one logarithmic axis.

use super::frame::Frame;
use super::scale::LogScale;
use super::svg::{About, Anchor, At, Drawing, at, color};
use crate::compare::analyse::{Distribution, Row};
use crate::model::number::{float, float_len};

const HILL: f64 = 52.0;
const TOP: f64 = 26.0;
const AXIS: f64 = 44.0;

pub(super) fn draw(rows: &[Row], frame: Frame) -> String {
    let (left, gap) = match frame {
        Frame::Wide => (120.0, 22.0),
        Frame::Narrow => (10.0, 40.0),
    };
    let step = HILL + gap;
    let bottom = TOP + step * float_len(rows.len());
    let mut drawing = Drawing::new("distributions", frame, bottom + AXIS);
    let scale = LogScale::new(ends(rows), (left, frame.width() - 16.0));
    axis(&mut drawing, &scale, (TOP - 12.0, bottom));
    for (place, row) in rows.iter().enumerate() {
        let base = TOP + step * float_len(place) + step - 6.0;
        let name_at = match frame {
            Frame::Wide => at(24.0, base - 4.0),
            Frame::Narrow => at(24.0, base - HILL - 10.0),
        };
        drawing.mark(place, at(name_at.x - 12.0, name_at.y - 4.0), 4.5);
        drawing.text(name_at, Anchor::Start, "name", &row.name);
        if frame == Frame::Narrow {
            let [p50, _, p99, ..] = row.latencies.all.percentiles();
            let text = format!("p50 {p50}, p99 {p99}");
            drawing.text(at(frame.width() - 6.0, name_at.y), Anchor::End, "small", &text);
        }
        hill(&mut drawing, &row.latencies.all, (place, base), &scale);
        if frame == Frame::Wide {
            values(&mut drawing, &row.latencies.all, base, &scale);
        }
    }
    let title = at((left + frame.width()) / 2.0, bottom + AXIS - 6.0);
    drawing.text(title, Anchor::Middle, "axis", "latency of a request (logarithmic)");
    drawing.finish(&About { title: "Distribution of latencies", description: &description(rows) })
}

fn ends(rows: &[Row]) -> (f64, f64) {
    let buckets = || rows.iter().flat_map(|row| &row.latencies.all.buckets);
    let low = buckets().map(|bucket| bucket.from_ns).fold(f64::INFINITY, f64::min);
    let high = rows.iter().map(|row| float(row.latencies.all.max_ns)).fold(1.0, f64::max);
    (low.min(high), high)
}

fn axis(drawing: &mut Drawing, scale: &LogScale, (top, bottom): (f64, f64)) {
    for tick in scale.ticks(48.0) {
        let class = if tick.label.is_empty() { "grid faint" } else { "grid" };
        drawing.line(at(tick.place, top), at(tick.place, bottom), class);
        drawing.text(at(tick.place, bottom + 16.0), Anchor::Middle, "tick", &tick.label);
    }
}

/// As high as the fullest bucket of its own: hills tell shapes, and areas are not compared.
fn hill(drawing: &mut Drawing, all: &Distribution, (row, base): (usize, f64), scale: &LogScale) {
    let color = color(row);
    let most = all.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1).max(1);
    let (mut points, mut last): (Vec<At>, f64) = (Vec::new(), scale.place(0.0));
    for bucket in &all.buckets {
        let (from, to) = (scale.place(bucket.from_ns), scale.place(bucket.to_ns));
        if points.is_empty() {
            points.push(at(from, base));
        }
        let height = float(bucket.count) / float(most) * HILL;
        points.push(at(f64::midpoint(from, to), base - height));
        last = to;
    }
    points.push(at(last, base));
    drawing.path(&points, &format!("area {color}"));
    let (low, high) = (points[0].x, scale.place(float(all.max_ns)));
    drawing.line(at(low, base), at(high, base), &format!("curve {color}"));
    for (ns, height, class) in [(all.p50_ns, HILL + 4.0, "median"), (all.p99_ns, 16.0, "late")] {
        let x = scale.place(float(ns));
        drawing.line(at(x, base), at(x, base - height), class);
    }
    drawing.mark(row, at(high, base), 3.6);
}

/// The names of the lines, as far apart as they must be.
fn values(drawing: &mut Drawing, all: &Distribution, base: f64, scale: &LogScale) {
    let (median, late, most) = (
        scale.place(float(all.p50_ns)),
        scale.place(float(all.p99_ns)),
        scale.place(float(all.max_ns)),
    );
    let [p50, _, p99, _, slowest] = all.percentiles();
    let text = format!("p50 {p50}");
    drawing.text(at(median - 6.0, base - HILL + 4.0), Anchor::End, "small", &text);
    let text = format!("p99 {p99}");
    let late_at = late.max(median + 8.0) + 5.0;
    drawing.text(at(late_at, base - 20.0), Anchor::Start, "small", &text);
    if most > late_at + 130.0 {
        let text = format!("max {slowest}");
        drawing.text(at(most, base - 8.0), Anchor::End, "small", &text);
    }
}

fn description(rows: &[Row]) -> String {
    let told = rows.iter().map(|row| {
        let [p50, _, p99, _, most] = row.latencies.all.percentiles();
        format!(
            "{}: half of the requests take at most {p50}, 99% at most {p99}, the slowest {most}",
            row.name
        )
    });
    told.collect::<Vec<_>>().join(". ")
}
