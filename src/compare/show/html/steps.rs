//! Where the time goes: each step of the ladder begins where the one below it ended.

use super::frame::Frame;
use super::svg::{About, Anchor, Drawing, at};
use crate::compare::analyse::{Ladder, Step, latency, percent};
use crate::model::number::float_len;

const TOP: f64 = 8.0;
const BAR: f64 = 20.0;
const THINNEST: f64 = 2.0;

pub(super) fn draw(ladder: &Ladder, frame: Frame) -> String {
    let (left, right, step) = match frame {
        Frame::Wide => (290.0, frame.width() - 222.0, 36.0),
        Frame::Narrow => (8.0, frame.width() - 8.0, 56.0),
    };
    let height = TOP + step * (float_len(ladder.steps.len()) + 1.0);
    let mut drawing = Drawing::new("ladder", frame, height);
    let widest = peaks(&ladder.steps).fold(ladder.total_ns, f64::max).max(1e-3);
    let x = |ns: f64| left + (ns / widest).max(0.0) * (right - left);
    let mut below_ns = 0.0;
    for (place, part) in ladder.steps.iter().enumerate() {
        let top = TOP + step * float_len(place);
        let bar_top = bar_top(frame, top);
        let (from, to) = (x(below_ns), x(below_ns + part.adds_ns));
        let to = if (to - from).abs() < THINNEST { from + THINNEST } else { to };
        let class = if part.adds_ns < 0.0 { "step down" } else { "step" };
        drawing.bar(at(from, bar_top), at(to, bar_top + BAR), class);
        below_ns += part.adds_ns;
        let end = x(below_ns);
        // On a phone it would run through the names.
        if frame == Frame::Wide && place + 1 < ladder.steps.len() {
            let next = bar_top + step;
            drawing.line(at(end, bar_top + BAR), at(end, next), "leader");
        }
        let value = format!("{} · {}", latency(part.adds_ns), percent(part.share()));
        let note = if part.within_noise { " · within noise" } else { "" };
        label(&mut drawing, frame, (top, from.max(to)), (&part.name, &format!("{value}{note}")));
    }
    let top = TOP + step * float_len(ladder.steps.len());
    let bar_top = bar_top(frame, top);
    drawing.bar(at(left, bar_top), at(x(ladder.total_ns), bar_top + BAR), "step total");
    let value = format!("{} · 100.0%", latency(ladder.total_ns));
    label(&mut drawing, frame, (top, x(ladder.total_ns)), ("together", &value));
    drawing.finish(&About { title: "Where the time goes", description: &description(ladder) })
}

/// Where bars end.
fn peaks(steps: &[Step]) -> impl Iterator<Item = f64> {
    steps.iter().scan(0.0, |below_ns, step| {
        *below_ns += step.adds_ns;
        Some(*below_ns)
    })
}

fn bar_top(frame: Frame, top: f64) -> f64 {
    match frame {
        Frame::Wide => top + 6.0,
        Frame::Narrow => top + 22.0,
    }
}

/// Beside the bar where there is room, else above it.
fn label(drawing: &mut Drawing, frame: Frame, (top, end): (f64, f64), (name, value): (&str, &str)) {
    match frame {
        Frame::Wide => {
            let name = shortened(name, 44);
            drawing.text(at(280.0, top + 20.0), Anchor::End, "name", &name);
            drawing.text(at(end + 8.0, top + 20.0), Anchor::Start, "value", value);
        }
        Frame::Narrow => {
            let name = shortened(name, 24);
            drawing.text(at(8.0, top + 14.0), Anchor::Start, "name", &name);
            let value_at = at(frame.width() - 8.0, top + 14.0);
            drawing.text(value_at, Anchor::End, "value", value);
        }
    }
}

/// What does not fit is in the table too.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most - 1).collect();
    format!("{}…", head.trim_end())
}

fn description(ladder: &Ladder) -> String {
    let told = ladder
        .steps
        .iter()
        .map(|step| format!("{}: {}, {}", step.name, latency(step.adds_ns), percent(step.share())));
    told.chain([format!("together: {}", latency(ladder.total_ns))]).collect::<Vec<_>>().join("; ")
}
