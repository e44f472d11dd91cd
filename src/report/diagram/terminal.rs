//! A picture of characters: lanes of lines, a row for each moment.

use std::io::{self, Write};

use anstyle::Style;

use super::layout::{Arrow, Carries, Diagram, End, Happening, Lasting, Mark, Role};
use super::limits::Limits;
use super::moments::Moment;
use super::wording::time;
use crate::report::palette::{BAD, GOOD, NO, PLAIN, QUIET, STRONG, UNSURE};
use crate::report::words::wrapped;

/// With which characters lines are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Unicode,
    Ascii,
}

/// What each part of a line is drawn with.
struct Glyphs {
    lane: char,
    waiting: char,
    down: char,
    slow: char,
    partition: char,
    line: char,
    dashed: char,
    cross: char,
    right: char,
    left: char,
    from_left: char,
    from_right: char,
    dot: char,
    ring: char,
    lost: char,
    /// What stands for each character of words that is not of this set.
    words: &'static [(&'static str, &'static str)],
}

const UNICODE: Glyphs = Glyphs {
    lane: '│',
    waiting: '║',
    down: ' ',
    slow: '┊',
    partition: '▒',
    line: '─',
    dashed: '╌',
    cross: '┼',
    right: '▶',
    left: '◀',
    from_left: '├',
    from_right: '┤',
    dot: '●',
    ring: '○',
    lost: '✗',
    words: &[],
};

const ASCII: Glyphs = Glyphs {
    lane: '|',
    waiting: '"',
    down: ' ',
    slow: ':',
    partition: '#',
    line: '-',
    dashed: '.',
    cross: '+',
    right: '>',
    left: '<',
    from_left: '+',
    from_right: '+',
    dot: '*',
    ring: 'o',
    lost: 'x',
    words: &[("✗", "x"), ("←", "<-"), ("µ", "u"), ("·", "-"), ("…", "...")],
};

/// What is drawn of a run so that it can be read, on a terminal of any width.
const LIMITS: Limits = Limits { messages: 40, moments: 200, lanes: 100, cone_times: 10 };
/// Where the lanes begin: times are at the left of it.
const GUTTER: usize = 11;
/// How far lanes are apart.
const STEP_MIN: usize = 11;
const STEP_MAX: usize = 20;
/// So far apart that a request and its amount stand between.
const STEP_GOOD: usize = 16;
/// The room for a value beside the last lane, and for a value and a note.
const VALUE: usize = 12;
const NOTE: usize = 29;

/// Writes `diagram` with lines of `columns` characters.
pub(crate) fn write_terminal(
    out: &mut dyn Write,
    diagram: &Diagram,
    columns: usize,
    charset: Charset,
) -> io::Result<()> {
    let room = columns.saturating_sub(GUTTER);
    let lanes = (room / STEP_MIN).clamp(2, LIMITS.lanes);
    let diagram = &*diagram.within(&Limits { lanes, ..LIMITS });
    let gaps = diagram.lanes.len().saturating_sub(1).max(1);
    let step = (room.saturating_sub(NOTE) / gaps)
        .max((room.saturating_sub(VALUE) / gaps).min(STEP_GOOD))
        .clamp(STEP_MIN, STEP_MAX);
    let glyphs = match charset {
        Charset::Unicode => &UNICODE,
        Charset::Ascii => &ASCII,
    };
    let (moments, lasting) = (diagram.by_moment(), lasting(diagram));
    Painter { diagram, moments, lasting, columns, step, glyphs }.write(out)
}

/// What lasts at each lane before each moment, and after the last; of several, the first.
fn lasting(diagram: &Diagram) -> Vec<Vec<Option<Lasting>>> {
    let end = diagram.moments.len();
    let mut rows = vec![vec![None; diagram.lanes.len()]; end + 1];
    for band in diagram.bands.iter().rev() {
        let during = rows.get_mut(band.from + 1..=band.to.unwrap_or(end));
        for row in during.into_iter().flatten() {
            row[band.lane] = Some(band.what);
        }
    }
    rows
}

struct Painter<'a> {
    diagram: &'a Diagram,
    moments: Vec<Moment<'a>>,
    lasting: Vec<Vec<Option<Lasting>>>,
    columns: usize,
    step: usize,
    glyphs: &'a Glyphs,
}

/// One line of characters, each with its style.
struct Row {
    cells: Vec<(char, Style)>,
}

impl Row {
    fn new(columns: usize) -> Self {
        Self { cells: vec![(' ', PLAIN); columns] }
    }

    fn put(&mut self, column: usize, glyph: char, style: Style) {
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = (glyph, style);
        }
    }

    fn text(&mut self, column: usize, text: &str, style: Style) {
        for (place, glyph) in text.chars().enumerate() {
            self.put(column + place, glyph, style);
        }
    }

    /// Behind the last that is neither blank nor `lane`.
    fn end(&self, lane: char) -> usize {
        let is_seen = |cell: &(char, Style)| cell.0 != ' ' && cell.0 != lane;
        self.cells.iter().rposition(is_seen).map_or(0, |last| last + 1)
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let end = self.end(' ');
        let mut style = PLAIN;
        for &(glyph, wanted) in &self.cells[..end] {
            if wanted != style && glyph != ' ' {
                write!(out, "{style:#}{wanted}")?;
                style = wanted;
            }
            write!(out, "{glyph}")?;
        }
        writeln!(out, "{style:#}")
    }
}

impl Painter<'_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.headline(out)?;
        self.heads(out)?;
        for (moment, stands) in self.moments.iter().enumerate() {
            // What is sent is drawn where it comes.
            if !stands.is_empty() {
                self.moment(out, moment, stands)?;
            }
        }
        let is_open = |arrow: &&Arrow| matches!(arrow.end, End::OnItsWay { .. });
        for arrow in self.diagram.arrows.iter().filter(is_open) {
            let mut row = self.lanes(self.diagram.moments.len());
            self.arrow(&mut row, arrow, None);
            row.write(out)?;
        }
        match self.diagram.what_is_left_out() {
            Some(told) => writeln!(out, "\n{QUIET}{}{QUIET:#}", self.worded(&told)),
            None => Ok(()),
        }
    }

    /// What is broken, above the picture.
    fn headline(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(headline) = self.diagram.headline() else { return Ok(()) };
        for line in wrapped(&format!("{NO} {headline}"), self.columns) {
            writeln!(out, "{BAD}{}{BAD:#}", self.worded(&line))?;
        }
        for sentence in self.diagram.sentences() {
            for line in wrapped(sentence, self.columns.saturating_sub(2)) {
                writeln!(out, "  {}", self.worded(&line))?;
            }
        }
        writeln!(out)
    }

    fn heads(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut names = Row::new(self.columns);
        for (lane, of) in self.diagram.lanes.iter().enumerate() {
            let name: String = of.process.to_string().chars().take(self.step - 1).collect();
            names.text(self.column(lane), &name, STRONG);
        }
        names.write(out)?;
        let mut row = self.lanes(0);
        for (lane, of) in self.diagram.lanes.iter().enumerate() {
            if let Some(opening) = of.opening {
                row.text(self.column(lane) + 2, &opening.to_string(), QUIET);
            }
        }
        row.write(out)
    }

    fn moment(
        &self,
        out: &mut dyn Write,
        moment: usize,
        Moment { marks, arrows, bands }: &Moment<'_>,
    ) -> io::Result<()> {
        let moments = &self.diagram.moments;
        let mut row = self.lanes(moment);
        if moment == 0 || moments[moment - 1] != moments[moment] {
            let time = self.worded(&time(moments[moment]));
            row.text((GUTTER - 2).saturating_sub(time.chars().count()), &time, QUIET);
        }
        for arrow in arrows {
            self.arrow(&mut row, arrow, Some(moment));
        }
        for band in bands {
            let told = if band.from == moment { band.what.begins() } else { band.what.ends() };
            if !told.is_empty() {
                row.text(self.column(band.lane) + 1, &format!(" {told} "), QUIET);
            }
        }
        let mut notes = Vec::new();
        for mark in marks {
            self.mark(&mut row, mark);
            let broken = self.diagram.broken_at(mark);
            match mark.role {
                Role::Later if !broken.is_empty() => {
                    notes.push((format!("{NO} {}", broken.join(", ")), BAD));
                }
                Role::Missing => notes.push(("← the write it lacked".to_owned(), UNSURE)),
                Role::Aside | Role::Cone | Role::Earlier | Role::Later => {}
            }
        }
        let mut below = Vec::new();
        for (note, style) in notes {
            let note = self.worded(&note);
            let (at, long) = (row.end(self.glyphs.lane) + 2, note.chars().count());
            match at + long <= self.columns {
                true => row.text(at, &note, style),
                false => below.push((note, style)),
            }
        }
        row.write(out)?;
        for (note, style) in below {
            let mut row = self.lanes(moment + 1);
            let at = self.columns.saturating_sub(note.chars().count());
            row.text(at.max(GUTTER), &note, style);
            row.write(out)?;
        }
        Ok(())
    }

    /// A row with nothing but the lanes at `moment`.
    fn lanes(&self, moment: usize) -> Row {
        let mut row = Row::new(self.columns);
        for (lane, what) in self.lasting[moment].iter().enumerate() {
            let glyph = match what {
                None => self.glyphs.lane,
                Some(Lasting::Waiting) => self.glyphs.waiting,
                Some(Lasting::Down) => self.glyphs.down,
                Some(Lasting::Slow) => self.glyphs.slow,
                Some(Lasting::Partition) => self.glyphs.partition,
            };
            row.put(self.column(lane), glyph, QUIET);
        }
        row
    }

    /// Draws `arrow` where it ends: level, from the lane that it comes from.
    fn arrow(&self, row: &mut Row, arrow: &Arrow, moment: Option<usize>) {
        let (from, to) = (self.column(arrow.from.lane), self.column(arrow.to()));
        if from == to {
            return;
        }
        let style = self.style(arrow.role);
        let goes_right = from < to;
        let is_missing = arrow.role == Role::Missing;
        let line = if is_missing { self.glyphs.dashed } else { self.glyphs.line };
        let (low, high) = (from.min(to), from.max(to));
        for column in low + 1..high {
            let is_lane = row.cells[column].0 != ' ';
            row.put(column, if is_lane { self.glyphs.cross } else { line }, style);
        }
        let junction = if goes_right { self.glyphs.from_left } else { self.glyphs.from_right };
        row.put(from, junction, style);
        // Marks stand apart from what comes to them.
        let before = if goes_right { to - 1 } else { to + 1 };
        let head = match (arrow.end, goes_right) {
            (End::At(_), true) => self.glyphs.right,
            (End::At(_), false) => self.glyphs.left,
            (End::Lost(_), _) => self.glyphs.lost,
            (End::OnItsWay { .. }, _) => ' ',
        };
        // A value stands between a mark and what comes to it from the right.
        let value = match arrow.end {
            End::At(at) => {
                let mut there = self.moments[at.moment].marks.iter().filter(|mark| mark.at == at);
                let told =
                    there.find_map(|mark| Some(mark.what.told()).filter(|told| !told.is_empty()));
                told.map_or(0, |told| self.worded(&told).chars().count() + 1)
            }
            End::Lost(_) | End::OnItsWay { .. } => 0,
        };
        let tip = if goes_right { to - 2 } else { (to + 2 + value).min(from - 1) };
        row.put(before, ' ', PLAIN);
        row.put(tip, head, style);
        if arrow.carries.is_reply() && !goes_right {
            // An answer ends at its customer.
            row.put(before, line, style);
            row.put(tip, line, style);
            row.put(to, head, style);
        }
        let is_asked_before = matches!(arrow.carries, Carries::Request(_))
            && Some(arrow.from.moment) != moment
            && moment.is_some();
        let label = match arrow.end {
            _ if is_asked_before => String::new(),
            End::OnItsWay { .. } => "on its way".to_owned(),
            End::At(_) | End::Lost(_) => arrow.told(),
        };
        let label = self.worded(&label);
        let room = (high - low).saturating_sub(5);
        if label.is_empty() || room < 3 {
            return;
        }
        let label: String = label.chars().take(room).collect();
        let at = match (is_missing || moment.is_none(), goes_right) {
            (true, _) => low + 3 + (room - label.chars().count()) / 2,
            (false, true) => from + 1,
            (false, false) if arrow.carries.is_reply() => to + 1,
            (false, false) => tip + 1,
        };
        row.text(at, &format!(" {label} "), style);
    }

    fn mark(&self, row: &mut Row, mark: &Mark) {
        let column = self.column(mark.at.lane);
        let style = self.style(mark.role);
        let glyph = match mark.what {
            Happening::Reads { .. } | Happening::Fails(_) => self.glyphs.ring,
            Happening::Stops | Happening::GivesUp | Happening::Differs => self.glyphs.lost,
            Happening::Waits => self.glyphs.waiting,
            Happening::Asks(_) | Happening::Applies { .. } | Happening::Starts { .. } => {
                self.glyphs.dot
            }
        };
        row.put(column, glyph, style);
        let is_level = row.cells.get(column + 1).is_some_and(|cell| cell.0 != ' ');
        let told = if let (Happening::Asks(operation), false) = (mark.what, is_level) {
            // It comes later, or never.
            operation.to_string()
        } else {
            mark.what.told()
        };
        let told = self.worded(&told);
        if !told.is_empty() {
            row.text(column + 1, &format!(" {told} "), style);
        }
    }

    fn column(&self, lane: usize) -> usize {
        GUTTER + lane * self.step
    }

    fn style(&self, role: Role) -> Style {
        match role {
            Role::Aside if self.diagram.has_cone() => QUIET,
            Role::Aside | Role::Cone => PLAIN,
            Role::Missing => UNSURE,
            Role::Earlier => GOOD,
            Role::Later => BAD,
        }
    }

    /// `text` in the characters that are allowed.
    fn worded(&self, text: &str) -> String {
        let words = self.glyphs.words.iter();
        words.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}
