//! What the marks of a chart mean, where there is no room for names beside the lines.

use super::frame::Frame;
use super::svg::{Anchor, Drawing, at};
use crate::compare::analyse::Row;
use crate::model::number::float_len;

const LINE: f64 = 20.0;
const PER_LINE: usize = 2;

/// How high a legend of so many rows is.
pub(super) fn height(rows: usize) -> f64 {
    float_len(rows.div_ceil(PER_LINE)) * LINE
}

/// Puts marks and names at the top of `drawing`.
pub(super) fn draw(drawing: &mut Drawing, rows: &[Row]) {
    let column = Frame::Narrow.width() / float_len(PER_LINE);
    for (place, row) in rows.iter().enumerate() {
        let x = 8.0 + float_len(place % PER_LINE) * column;
        let y = 10.0 + float_len(place / PER_LINE) * LINE;
        drawing.mark(place, at(x, y), 4.5);
        drawing.text(at(x + 12.0, y + 4.0), Anchor::Start, "name", &row.name);
    }
}
