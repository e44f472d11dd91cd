//! A run that is too large to be drawn at once: how much happens when, and the data from which the
//! script of the page draws any part.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::model::number::count;
use crate::model::{Operation, Write as BankWrite};
use crate::report::diagram::{Arrow, Carries, Diagram, End, Happening, LIMITS, Limits, time};
use crate::report::words;

/// The overview has so many slices.
const SLICES: usize = 120;
/// How high the strip is.
const HEIGHT: usize = 64;
const WIDE: usize = 7;

/// Writes the overview of `diagram`, and its data.
pub(super) fn write(out: &mut dyn Write, diagram: &Diagram) -> io::Result<()> {
    let moments = diagram.moments.len().max(1);
    let slice_of = |moment: usize| moment * SLICES / moments;
    // Where nobody sends anything, what happens at processes.
    let is_of_messages = diagram.messages() > 0;
    let what = if is_of_messages { "message" } else { "mark" };
    let mut things = [0_usize; SLICES];
    if is_of_messages {
        diagram.arrows.iter().for_each(|arrow| things[slice_of(arrow.from.moment)] += 1);
    } else {
        diagram.marks.iter().for_each(|mark| things[slice_of(mark.at.moment)] += 1);
    }
    let most = things.iter().copied().max().unwrap_or(1).max(1);
    writeln!(
        out,
        "<p>{}, too many to be drawn at once. Each bar is a part of the run, as high as there are \
         {what}s in it; with script, it draws its part below.</p>\n<div class=\"strip-of\">\
         <svg class=\"overview\" viewBox=\"0 0 {} {HEIGHT}\" role=\"group\" \
         aria-label=\"parts of the run\">",
        too_many(diagram),
        SLICES * WIDE
    )?;
    for (slice, &number) in things.iter().enumerate() {
        let (tall, first) = ((number * (HEIGHT - 8)).div_ceil(most), slice * moments / SLICES);
        let at = diagram.moments.get(first).copied().map(time).unwrap_or_default();
        writeln!(
            out,
            "<g class=\"bar\" data-first=\"{first}\"><title>from {at}: {}</title><rect \
             class=\"hit\" x=\"{x}\" width=\"{WIDE}\" height=\"{HEIGHT}\"/><rect x=\"{x}\" y=\"{}\" \
             width=\"5\" height=\"{tall}\"/></g>",
            words::count(number, what),
            HEIGHT - tall,
            x = slice * WIDE
        )?;
    }
    writeln!(out, "</svg></div>\n<div class=\"slice\" hidden></div>")?;
    write!(out, "<script type=\"application/octet-stream\" class=\"data\" data-lanes=\"")?;
    let lanes: Vec<String> = diagram.lanes.iter().map(|lane| lane.process.to_string()).collect();
    write!(out, "{}\">", lanes.join("|"))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
    packed.write_all(&data(diagram))?;
    writeln!(out, "{}</script>", STANDARD.encode(packed.finish()?))
}

/// Why `diagram` is not drawn as a whole.
fn too_many(diagram: &Diagram) -> String {
    let Limits { messages, moments, .. } = LIMITS;
    if diagram.messages() > messages {
        words::count(diagram.messages(), "message")
    } else if diagram.moments.len() > moments {
        words::count(diagram.moments.len(), "moment")
    } else {
        format!("{} processes", words::grouped(diagram.lanes.len()))
    }
}

/// What marks and arrows are, in the data: as the script of the page knows them.
mod kind {
    pub(super) const ASKS: u8 = 0;
    pub(super) const APPLIES: u8 = 1;
    pub(super) const READS: u8 = 2;
    pub(super) const FAILS: u8 = 3;
    pub(super) const WAITS: u8 = 4;
    pub(super) const STOPS: u8 = 5;
    pub(super) const STARTS: u8 = 6;
    pub(super) const REQUEST: u8 = 7;
    pub(super) const WRITTEN: u8 = 8;
    pub(super) const TOLD: u8 = 9;
    pub(super) const FAILURE: u8 = 10;
    pub(super) const PROPAGATION: u8 = 11;
    pub(super) const ACKNOWLEDGEMENT: u8 = 12;
    pub(super) const CATCH_UP: u8 = 13;
    pub(super) const MISSED: u8 = 14;
}

/// Numbers of few bytes: moments, then marks, then arrows, each after how many there are.
fn data(diagram: &Diagram) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    number(&mut bytes, count(diagram.moments.len()));
    for at in &diagram.moments {
        number(&mut bytes, at.us() - before);
        before = at.us();
    }
    number(&mut bytes, count(diagram.marks.len()));
    let mut last = 0;
    for mark in &diagram.marks {
        let (kind, amount) = match mark.what {
            Happening::Asks(_) => (kind::ASKS, 0),
            Happening::Applies { balance, .. } => (kind::APPLIES, signed(balance.minor())),
            Happening::Reads { balance } => (kind::READS, signed(balance.minor())),
            Happening::Fails(_) => (kind::FAILS, 0),
            Happening::Waits => (kind::WAITS, 0),
            Happening::GivesUp | Happening::Differs | Happening::Stops => (kind::STOPS, 0),
            Happening::Starts { balance, .. } => (kind::STARTS, signed(balance.minor())),
        };
        bytes.push(kind);
        number(&mut bytes, step(last, mark.at.moment));
        last = mark.at.moment;
        number(&mut bytes, count(mark.at.lane));
        number(&mut bytes, amount);
    }
    number(&mut bytes, count(diagram.arrows.len()));
    let mut last = 0;
    for arrow in &diagram.arrows {
        let (kind, amount) = carried(arrow);
        bytes.push(kind);
        number(&mut bytes, step(last, arrow.from.moment));
        last = arrow.from.moment;
        number(&mut bytes, count(arrow.from.lane));
        number(&mut bytes, count(arrow.to()));
        // 0: it does not end; else twice how far it goes, and one more if it is lost.
        let far = arrow.ends_at().map_or(0, |end| 2 * (count(end - arrow.from.moment) + 1));
        number(&mut bytes, far + u64::from(matches!(arrow.end, End::Lost(_))));
        number(&mut bytes, amount);
    }
    bytes
}

fn carried(arrow: &Arrow) -> (u8, u64) {
    match arrow.carries {
        Carries::Request(Operation::Query) => (kind::REQUEST, 0),
        Carries::Request(Operation::Write(write)) => (kind::REQUEST, change(write)),
        Carries::Written => (kind::WRITTEN, 0),
        Carries::Balance(balance) => (kind::TOLD, signed(balance.minor())),
        Carries::Failure(_) => (kind::FAILURE, 0),
        Carries::Propagation(write) => (kind::PROPAGATION, write.map_or(0, change)),
        Carries::Acknowledgement => (kind::ACKNOWLEDGEMENT, 0),
        Carries::CatchUp => (kind::CATCH_UP, 0),
        Carries::Missed { writes } => (kind::MISSED, writes),
    }
}

/// What a write does to a balance; never 0.
fn change(write: BankWrite) -> u64 {
    signed(write.delta().minor())
}

/// An amount of either sign as a number: 0, -1, 1, -2 as 0, 1, 2, 3.
fn signed(amount: i64) -> u64 {
    (amount.unsigned_abs() << 1).wrapping_sub(u64::from(amount < 0))
}

/// How far `to` is from `from`.
fn step(from: usize, to: usize) -> u64 {
    let far = count(from.abs_diff(to));
    (far << 1).wrapping_sub(u64::from(to < from))
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}
