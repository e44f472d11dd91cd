//! Percentiles: how late the late ones are.

use super::frame::Frame;
use super::scale::LogScale;
use super::svg::{About, Anchor, At, Drawing, at, color};
use crate::compare::analyse::{Point, Row};
use crate::model::number::{float, float_len};

const TOP: f64 = 14.0;
const AXIS: f64 = 46.0;
const LABELS: [(f64, &str); 6] =
    [(0.0, "0%"), (0.5, "50%"), (0.9, "90%"), (0.99, "99%"), (0.999, "99.9%"), (0.9999, "99.99%")];
const APART: f64 = 16.0;

/// The plane that curves are drawn on.
struct Plane {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    latencies: LogScale,
    /// How many nines the farthest curve reaches.
    nines: f64,
}

pub(super) fn draw(rows: &[Row], frame: Frame) -> String {
    let (left, right, tall) = match frame {
        Frame::Wide => (74.0, frame.width() - 128.0, 360.0),
        Frame::Narrow => (52.0, frame.width() - 20.0, 260.0),
    };
    let legend = match frame {
        Frame::Wide => 0.0,
        Frame::Narrow => legend_height(rows.len()) + 8.0,
    };
    let (top, bottom) = (TOP + legend, TOP + legend + tall);
    let mut drawing = Drawing::new("percentiles", frame, bottom + AXIS);
    if frame == Frame::Narrow {
        draw_legend(&mut drawing, rows);
    }
    let points = || rows.iter().flat_map(|row| &row.latencies.all.curve);
    let low = points().map(|point| float(point.ns)).fold(f64::INFINITY, f64::min);
    let high = points().map(|point| float(point.ns)).fold(1.0, f64::max);
    let nines = points().map(|point| nines(point.quantile)).fold(1.0, f64::max);
    let latencies = LogScale::new((low.min(high), high), (bottom, top));
    let plane = Plane { left, right, top, bottom, latencies, nines };
    plane.axes(&mut drawing, frame);
    let ends = rows.iter().enumerate().map(|(place, row)| plane.curve(&mut drawing, place, row));
    let ends: Vec<(usize, At)> = ends.flatten().collect();
    if frame == Frame::Wide {
        names(&mut drawing, rows, &plane, ends);
    }
    drawing.finish(&About { title: "Percentiles of latency", description: &description(rows) })
}

impl Plane {
    fn at(&self, point: Point) -> At {
        at(self.x(point.quantile), self.latencies.place(float(point.ns)))
    }

    fn x(&self, quantile: f64) -> f64 {
        self.left + nines(quantile) / self.nines * (self.right - self.left)
    }

    fn axes(&self, drawing: &mut Drawing, frame: Frame) {
        for tick in self.latencies.ticks(15.0) {
            let class = if tick.label.is_empty() { "grid faint" } else { "grid" };
            drawing.line(at(self.left, tick.place), at(self.right, tick.place), class);
            let label_at = at(self.left - 6.0, tick.place + 4.0);
            drawing.text(label_at, Anchor::End, "tick", &tick.label);
        }
        for (quantile, label) in LABELS {
            if nines(quantile) > self.nines + 0.01 {
                continue;
            }
            let x = self.x(quantile);
            drawing.line(at(x, self.top), at(x, self.bottom), "grid");
            // On a phone there is no room for it beside its neighbour.
            let is_crowded = frame == Frame::Narrow && quantile == 0.5;
            if !is_crowded {
                drawing.text(at(x, self.bottom + 16.0), Anchor::Middle, "tick", label);
            }
        }
        let middle = f64::midpoint(self.left, self.right);
        let title = match frame {
            Frame::Wide => {
                "share of requests that take at most so long (each step a tenth is left)"
            }
            Frame::Narrow => "share of requests that take at most so long",
        };
        drawing.text(at(middle, self.bottom + 38.0), Anchor::Middle, "axis", title);
    }

    /// Where it ends.
    fn curve(&self, drawing: &mut Drawing, place: usize, row: &Row) -> Option<(usize, At)> {
        let points: Vec<At> = row.latencies.all.curve.iter().map(|point| self.at(*point)).collect();
        drawing.path(&points, &format!("curve {}", color(place)));
        for (quantile, _) in LABELS {
            let near = |point: &&Point| (nines(point.quantile) - nines(quantile)).abs() < 0.045;
            if let Some(point) = row.latencies.all.curve.iter().find(near) {
                drawing.mark(place, self.at(*point), 4.2);
            }
        }
        points.last().map(|end| (place, *end))
    }
}

/// 0 for 0%, 1 for 90%, 2 for 99%.
fn nines(quantile: f64) -> f64 {
    -libm::log10((1.0 - quantile).max(1e-9))
}

/// Names at the right of the plane, each as near to the end of its curve as the others let it.
fn names(drawing: &mut Drawing, rows: &[Row], plane: &Plane, mut ends: Vec<(usize, At)>) {
    ends.sort_by(|(_, one), (_, other)| other.y.total_cmp(&one.y));
    let mut places: Vec<f64> = Vec::with_capacity(ends.len());
    for (_, end) in &ends {
        let highest = places.last().map_or(f64::INFINITY, |below| below - APART);
        places.push(end.y.min(highest));
    }
    // From the top down, what was pushed out of the plane comes back.
    let mut lowest = plane.top;
    for place in places.iter_mut().rev() {
        *place = place.max(lowest);
        lowest = *place + APART;
    }
    for ((row, end), y) in ends.into_iter().zip(places) {
        let x = plane.right + 14.0;
        drawing.line(at(end.x + 5.0, end.y), at(x - 2.0, y), "leader");
        drawing.mark(row, at(x + 5.0, y), 4.2);
        drawing.text(at(x + 15.0, y + 4.0), Anchor::Start, "name", &rows[row].name);
    }
}

fn description(rows: &[Row]) -> String {
    let told = rows.iter().map(|row| {
        let [p50, p90, p99, p999, _] = row.latencies.all.percentiles();
        format!("{}: 50% {p50}, 90% {p90}, 99% {p99}, 99.9% {p999}", row.name)
    });
    told.collect::<Vec<_>>().join(". ")
}

const LINE: f64 = 20.0;
const PER_LINE: usize = 2;

/// How high a legend of so many rows is.
fn legend_height(rows: usize) -> f64 {
    float_len(rows.div_ceil(PER_LINE)) * LINE
}

/// Puts marks and names at the top of `drawing`.
fn draw_legend(drawing: &mut Drawing, rows: &[Row]) {
    let column = Frame::Narrow.width() / float_len(PER_LINE);
    for (place, row) in rows.iter().enumerate() {
        let x = 8.0 + float_len(place % PER_LINE) * column;
        let y = 10.0 + float_len(place / PER_LINE) * LINE;
        drawing.mark(place, at(x, y), 4.5);
        drawing.text(at(x + 12.0, y + 4.0), Anchor::Start, "name", &row.name);
    }
}
