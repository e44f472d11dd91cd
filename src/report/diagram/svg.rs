//! The picture as SVG: it stands alone, its text is text, and it is light or dark as its reader is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::layout::{Arrow, Band, Carries, Diagram, End, Happening, Lasting, Mark, Point, Role};
use super::limits::Limits;
use super::wording::time;
use crate::history::Process;
use crate::report::markup::escaped;
use crate::report::words::wrapped;

/// Whether a picture brings all that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dress {
    /// A file by itself, with its title and its style.
    Alone,
    /// A part of a page that has the style, once, and says the sentences itself.
    InPage,
}

/// How pictures look; a page has it once.
pub(crate) const STYLE: &str = include_str!("diagram.css");

/// The heads of arrows and what partitions are hatched with; a page has them once.
pub(crate) const DEFINITIONS: &str = "<defs>\
<marker id=\"m\" class=\"hm\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" orient=\"auto\"><path d=\"M0 1L9 5L0 9z\" fill=\"#8b9097\"/></marker>\
<marker id=\"miss\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"14\" markerHeight=\"14\" orient=\"auto\"><path d=\"M0 1L9 5L0 9z\" fill=\"#b7800f\"/></marker>\
<marker id=\"later\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"14\" markerHeight=\"14\" orient=\"auto\"><path d=\"M0 1L9 5L0 9z\" fill=\"#d8452a\"/></marker>\
<marker id=\"earlier\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"13\" markerHeight=\"13\" orient=\"auto\"><path d=\"M0 1L9 5L0 9z\" fill=\"#1f9560\"/></marker>\
<pattern id=\"hatch\" width=\"8\" height=\"8\" patternTransform=\"rotate(45)\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 0V8\" stroke=\"#8b9097\" stroke-width=\"2\" opacity=\".5\"/></pattern></defs>";

/// The room at the left, for times.
const GUTTER: usize = 76;
const LANE_MAX: usize = 190;
const LANE_MIN: usize = 132;
/// So wide a picture is at least, for its sentences.
const WIDTH_MIN: usize = 620;
/// The room at the right of the last lane, for values and what is broken there.
const TAIL: usize = 240;
/// Between moments.
const ROW: usize = 46;
/// Half of what is above a lane.
const HEAD: usize = 56;
const LINE: usize = 22;
/// Up to so many messages there is room for beauty.
const MESSAGES_SPARSE: usize = 200;
/// What a browser shows at once.
pub(crate) const LIMITS: Limits =
    Limits { messages: 5_000, moments: 20_000, lanes: 100, cone_times: 1 };

/// Writes `diagram`.
pub(crate) fn write_svg(out: &mut dyn Write, diagram: &Diagram, dress: Dress) -> io::Result<()> {
    let diagram = diagram.within(&LIMITS);
    out.write_all(Drawing::new(&diagram, dress).draw().as_bytes())
}

struct Drawing<'a> {
    diagram: &'a Diagram,
    dress: Dress,
    /// How far lanes are apart.
    step: usize,
    width: usize,
    sentences: Vec<String>,
    has_cone: bool,
    is_dense: bool,
    /// How wide the value beside a mark is.
    pills: BTreeMap<Point, usize>,
    text: String,
}

impl<'a> Drawing<'a> {
    fn new(diagram: &'a Diagram, dress: Dress) -> Self {
        let lanes = diagram.lanes.len().max(1);
        let step = (860 / lanes).clamp(LANE_MIN, LANE_MAX);
        let width = (GUTTER + 60 + (lanes - 1) * step + TAIL).max(WIDTH_MIN);
        let sentences = match dress {
            Dress::Alone => {
                let columns = (width - 40) / 8;
                let told = diagram.sentences().into_iter().take(3);
                told.flat_map(|sentence| wrapped(sentence, columns)).collect()
            }
            Dress::InPage => Vec::new(),
        };
        let has_cone = diagram.has_cone();
        let is_dense = diagram.messages() > MESSAGES_SPARSE;
        let told = |mark: &Mark| (mark.at, pill(&mark.what.told()));
        let pills = diagram.marks.iter().map(told).filter(|(_, wide)| *wide > 0).collect();
        Self {
            diagram,
            dress,
            step,
            width,
            sentences,
            has_cone,
            is_dense,
            pills,
            text: String::new(),
        }
    }

    /// Where the lanes begin.
    fn top(&self) -> usize {
        let title = match (self.dress, self.diagram.headline()) {
            (Dress::Alone, Some(_)) => 30 + LINE * (self.sentences.len() + 1),
            (Dress::Alone, None) => 30 + LINE,
            (Dress::InPage, _) => 8,
        };
        title + 34
    }

    fn x(&self, lane: usize) -> usize {
        GUTTER + 60 + lane * self.step
    }

    fn y(&self, moment: usize) -> usize {
        self.top() + 58 + moment * ROW
    }

    fn bottom(&self) -> usize {
        self.y(self.diagram.moments.len())
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.text.write_fmt(arguments);
    }

    fn draw(mut self) -> String {
        let left_out = self.diagram.what_is_left_out();
        let below = if left_out.is_some() { LINE + 8 } else { 0 };
        let (width, height) = (self.width, self.bottom() + 12 + below);
        let title = escaped(&self.title());
        let xmlns = match self.dress {
            Dress::Alone => " xmlns=\"http://www.w3.org/2000/svg\"",
            Dress::InPage => "",
        };
        self.push(format_args!(
            "<svg{xmlns} class=\"diagram\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n"
        ));
        if self.dress == Dress::Alone {
            self.push(format_args!("<style>\n{STYLE}</style>\n{DEFINITIONS}\n"));
            self.push(format_args!("<rect width=\"100%\" height=\"100%\" fill=\"var(--bg)\"/>\n"));
            self.headline();
        }
        self.lanes();
        self.times();
        for band in &self.diagram.bands {
            self.band(band);
        }
        for arrow in &self.diagram.arrows {
            self.arrow(arrow);
        }
        self.dots(" cust", |mark| matches!(mark.what, Happening::Asks(_)));
        self.dots("", |mark| {
            matches!(mark.what, Happening::Applies { .. } | Happening::Starts { .. })
        });
        for mark in &self.diagram.marks {
            self.mark(mark);
        }
        if let Some(told) = left_out {
            let y = self.bottom() + LINE;
            self.push(format_args!("<text x=\"20\" y=\"{y}\" class=\"say soft\">{told}</text>\n"));
        }
        self.text.push_str("</svg>\n");
        self.text
    }

    /// What who cannot see it is told.
    fn title(&self) -> String {
        let Diagram { scenario, lanes, arrows, .. } = self.diagram;
        let scenario = crate::model::Shown::name(scenario);
        let what = format!("{scenario}: {} processes, {} messages", lanes.len(), arrows.len());
        match self.diagram.headline() {
            Some(broken) => {
                format!("{what}. Broken: {broken}. {}", self.diagram.sentences().join(". "))
            }
            None => what,
        }
    }

    fn headline(&mut self) {
        let scenario = escaped(&crate::model::Shown::name(&self.diagram.scenario).to_string());
        match self.diagram.headline() {
            Some(broken) => {
                let broken = escaped(&broken);
                self.push(format_args!(
                    "<text x=\"20\" y=\"30\" class=\"say broken\">✗ {broken}</text>\n"
                ));
                for (line, sentence) in std::mem::take(&mut self.sentences).iter().enumerate() {
                    let (y, sentence) = (30 + LINE * (line + 1), escaped(sentence));
                    self.push(format_args!(
                        "<text x=\"20\" y=\"{y}\" class=\"say\">{sentence}</text>\n"
                    ));
                    self.sentences.push(sentence);
                }
            }
            None => {
                self.push(format_args!("<text x=\"20\" y=\"30\" class=\"say\">{scenario}</text>\n"))
            }
        }
    }

    fn lanes(&mut self) {
        let (top, bottom) = (self.top(), self.bottom());
        for (lane, of) in self.diagram.lanes.iter().enumerate() {
            let x = self.x(lane);
            let class = match of.process {
                Process::Customer(_) => " cust",
                Process::Branch(_) => "",
            };
            let (left, wide, name) = (x - HEAD, HEAD * 2, of.process);
            self.push(format_args!(
                "<path d=\"M{x} {top}V{bottom}\" class=\"lane{class}\"/><rect x=\"{left}\" \
                 y=\"{}\" width=\"{wide}\" height=\"30\" rx=\"8\" class=\"head{class}\"/><text \
                 x=\"{x}\" y=\"{}\" class=\"name{class}\">{name}</text>\n",
                top - 32,
                top - 12
            ));
            if let Some(opening) = of.opening {
                let (x, y) = (x + 14, top + 22);
                self.push(format_args!(
                    "<text x=\"{x}\" y=\"{y}\" class=\"value old\">{opening}</text>\n"
                ));
            }
        }
    }

    fn times(&mut self) {
        let moments = &self.diagram.moments;
        let end = self.width - 12;
        let mut ticks = String::new();
        for (moment, at) in moments.iter().enumerate() {
            let y = self.y(moment);
            if moment == 0 || moments[moment - 1] != *at {
                let (told, x) = (time(*at), GUTTER - 8);
                ticks.push_str(&format!("M{GUTTER} {y}H{end}"));
                self.push(format_args!(
                    "<text x=\"{x}\" y=\"{}\" class=\"time\">{told}</text>\n",
                    y + 4
                ));
            }
        }
        self.push(format_args!("<path d=\"{ticks}\" class=\"tick\"/>\n"));
    }

    fn band(&mut self, Band { lane, from, to, what }: &Band) {
        let (x, from) = (self.x(*lane), self.y(*from));
        let to = to.map_or(self.bottom(), |to| self.y(to));
        match what {
            Lasting::Waiting => self.push(format_args!(
                "<path d=\"M{x} {from}V{to}\" class=\"waiting\"/><path d=\"M{x} {from}V{to}\" \
                 class=\"waiting in\"/>\n"
            )),
            Lasting::Down => {
                self.push(format_args!("<path d=\"M{x} {from}V{to}\" class=\"down\"/>\n"));
            }
            Lasting::Slow => {
                self.push(format_args!("<path d=\"M{x} {from}V{to}\" class=\"slow\"/>\n"));
            }
            Lasting::Partition => self.push(format_args!(
                "<rect x=\"{}\" y=\"{from}\" width=\"36\" height=\"{}\" class=\"cut\"/>\n",
                x - 18,
                to - from
            )),
        }
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let (from, to) = (arrow.from, arrow.to());
        let goes_right = from.lane < to;
        let (start_x, start_y) = (beside(self.x(from.lane), goes_right, 9), self.y(from.moment));
        // What comes from the right ends before the value that stands there.
        let value = |at| self.pills.get(&at).filter(|_| !goes_right).map_or(0, |wide| wide + 6);
        let ends_beside = match arrow.end {
            End::At(at) => 11 + value(at),
            End::Lost(_) | End::OnItsWay { .. } => 11,
        };
        let whole = beside(self.x(to), !goes_right, ends_beside);
        let (end_x, end_y, class) = match arrow.end {
            End::At(Point { moment, .. }) => (whole, self.y(moment), ""),
            // Lost and open ways end before they are at their lane.
            End::Lost(Point { moment, .. }) => {
                (beside(self.x(to), !goes_right, self.step / 3), self.y(moment), " open")
            }
            End::OnItsWay { .. } => {
                (beside(self.x(to), !goes_right, self.step / 4), self.bottom() - 6, " open")
            }
        };
        let stroke = match (arrow.role, arrow.carries) {
            (Role::Missing, _) => "miss",
            (Role::Later, _) => "later",
            (Role::Earlier, _) => "earlier",
            (Role::Aside | Role::Cone, Carries::Acknowledgement) => "ack",
            (Role::Aside | Role::Cone, _) => "m",
        };
        let story = escaped(&arrow.story(self.diagram));
        self.push(format_args!(
            "<g><title>{story}</title><path d=\"M{start_x} {start_y}L{end_x} {end_y}\" \
             class=\"{stroke}{class}\"/>"
        ));
        if let End::Lost(_) = arrow.end {
            let (left, right) = (end_x - 6, end_x + 6);
            let (above, below) = (end_y - 6, end_y + 6);
            self.push(format_args!(
                "<path d=\"M{left} {above}L{right} {below}M{left} {below}L{right} {above}\" \
                 class=\"cross\"/>"
            ));
        }
        self.label(arrow, (start_x, start_y), (end_x, end_y));
        self.text.push_str("</g>\n");
    }

    fn label(&mut self, arrow: &Arrow, start: (usize, usize), end: (usize, usize)) {
        let is_level = start.1 == end.1;
        let is_missing = arrow.role == Role::Missing;
        let told = if is_missing { arrow.way() } else { arrow.told() };
        if told.is_empty() {
            return;
        }
        let class = match arrow.role {
            Role::Missing => " lmiss",
            Role::Later => " lbad",
            Role::Earlier => " lok",
            Role::Aside | Role::Cone => "",
        };
        let goes_right = start.0 < end.0;
        let (x, y, anchor) = if is_level {
            // Beside the customer, whatever lanes the arrow crosses.
            let left = start.0.min(end.0);
            (left + 8, start.1 - 7, "start")
        } else {
            let (tall, half) = (start.1.abs_diff(end.1), ROW / 2);
            if goes_right {
                // Half a row above where it ends nothing else is.
                let back = start.0.abs_diff(end.0) * half.min(tall) / tall;
                (beside(end.0, false, back + 12), end.1 - half.min(tall) + 4, "end")
            } else {
                // At the left of its end stands what is broken there.
                (start.0 + 22, start.1 + half + 4, "start")
            }
        };
        let told = escaped(&told);
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"label{class}\">{told}</text>"
        ));
    }

    /// The dots that stand out by nothing: one path for all of them.
    fn dots(&mut self, class: &str, is_one: impl Fn(&Mark) -> bool) {
        let dots = self.diagram.marks.iter().filter(|mark| mark.role <= Role::Cone && is_one(mark));
        let mut path = String::new();
        for Mark { at, .. } in dots {
            path.push_str(&format!("M{} {}h0", self.x(at.lane), self.y(at.moment)));
        }
        if !path.is_empty() {
            self.push(format_args!("<path d=\"{path}\" class=\"dots{class}\"/>\n"));
        }
    }

    fn mark(&mut self, mark: &Mark) {
        let (x, y) = (self.x(mark.at.lane), self.y(mark.at.moment));
        let class = match mark.role {
            Role::Missing => " dmiss",
            Role::Later => " dbad",
            Role::Earlier => " dok",
            Role::Aside | Role::Cone => match mark.what {
                Happening::Asks(_) => " cust",
                Happening::Applies { .. }
                | Happening::Reads { .. }
                | Happening::Fails(_)
                | Happening::Waits
                | Happening::GivesUp
                | Happening::Differs
                | Happening::Stops
                | Happening::Starts { .. } => "",
            },
        };
        match mark.what {
            Happening::Asks(_) | Happening::Applies { .. } | Happening::Starts { .. } => {
                if mark.role > Role::Cone {
                    self.push(format_args!(
                        "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\" class=\"dot{class}\"/>"
                    ));
                }
            }
            Happening::Reads { .. } | Happening::Fails(_) => self.push(format_args!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\" class=\"ring{class}\"/>"
            )),
            Happening::Waits => {}
            Happening::GivesUp | Happening::Differs | Happening::Stops => {
                let (left, right, above, below) = (x - 6, x + 6, y - 6, y + 6);
                self.push(format_args!(
                    "<path d=\"M{left} {above}L{right} {below}M{left} {below}L{right} {above}\" \
                     class=\"cross\"/>"
                ));
            }
        }
        let told = mark.what.told();
        if !told.is_empty() {
            let class = if self.has_cone { class } else { "" };
            // Where there is much, values stand without boxes.
            if self.is_dense && mark.role == Role::Aside {
                self.text.push_str("<text");
            } else {
                self.push(format_args!(
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"24\" rx=\"12\" \
                     class=\"pill{class}\"/><text",
                    x + 13,
                    y - 12,
                    pill(&told)
                ));
            }
            self.push(format_args!(
                " x=\"{}\" y=\"{}\" class=\"value{class}\">{}</text>",
                x + 20,
                y + 5,
                escaped(&told)
            ));
        }
        let broken = self.diagram.broken_at(mark);
        if !broken.is_empty() {
            let (x, y) = (x + 18, y + 28);
            self.push(format_args!(
                "<text x=\"{x}\" y=\"{y}\" class=\"label lbad\">✗ {}</text>",
                escaped(&broken.join(", "))
            ));
        }
        self.text.push('\n');
    }
}

/// How wide the box around a value is; 0 where there is none.
fn pill(told: &str) -> usize {
    if told.is_empty() { 0 } else { told.chars().count() * 8 + 14 }
}

/// So far to the right of `x`, or to its left.
const fn beside(x: usize, is_right: bool, by: usize) -> usize {
    if is_right { x + by } else { x.saturating_sub(by) }
}
