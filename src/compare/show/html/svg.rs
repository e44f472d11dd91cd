//! Plain SVG, element by element.

use std::fmt::Write;

use super::frame::Frame;
use crate::report::markup::escaped;

/// A place in a drawing, in pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Which end of a text is where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A chart that grows.
#[derive(Debug)]
pub(super) struct Drawing {
    name: &'static str,
    frame: Frame,
    height: f64,
    body: String,
}

/// What a chart is called and what it tells those who cannot see it.
#[derive(Debug)]
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

pub(super) fn at(x: f64, y: f64) -> At {
    At { x, y }
}

/// Ways to tell transports apart where colours do not.
const MARKS: usize = 6;

/// The class that colours what belongs to the row in this place.
pub(super) fn color(row: usize) -> String {
    format!("c{}", row % MARKS)
}

impl Drawing {
    /// `name` is unlike those of all other charts of the page.
    pub(super) fn new(name: &'static str, frame: Frame, height: f64) -> Self {
        Self { name, frame, height, body: String::new() }
    }

    pub(super) fn text(&mut self, at: At, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (At { x, y }, text) = (at, escaped(text));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\"{anchor}>{text}</text>"
        ));
    }

    pub(super) fn line(&mut self, from: At, to: At, class: &str) {
        self.put(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>",
            from.x, from.y, to.x, to.y
        ));
    }

    /// Between two corners.
    pub(super) fn bar(&mut self, from: At, to: At, class: &str) {
        self.put(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" class=\"{class}\"/>",
            from.x.min(to.x),
            from.y.min(to.y),
            (to.x - from.x).abs(),
            (to.y - from.y).abs()
        ));
    }

    /// A line through all of `points`, closed where the class fills it.
    pub(super) fn path(&mut self, points: &[At], class: &str) {
        let mut path = String::with_capacity(points.len() * 12);
        for (place, At { x, y }) in points.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            write!(path, "{command}{x:.1} {y:.1}").expect("a string takes all");
        }
        self.put(format_args!("<path d=\"{path}\" class=\"{class}\"/>"));
    }

    /// The sign of the row in this place: shape and colour say the same.
    pub(super) fn mark(&mut self, row: usize, At { x, y }: At, size: f64) {
        let class = format!("mark {}", color(row));
        let shape = match row % MARKS {
            0 => {
                self.put(format_args!(
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size:.1}\" class=\"{class}\"/>"
                ));
                return;
            }
            1 => vec![(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            2 => vec![(0.0, -1.2), (1.15, 0.8), (-1.15, 0.8)],
            3 => vec![(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            4 => cross(),
            _ => vec![(0.0, 1.2), (1.15, -0.8), (-1.15, -0.8)],
        };
        let points: Vec<At> =
            shape.into_iter().map(|(right, down)| at(x + right * size, y + down * size)).collect();
        self.path(&points, &class);
    }

    /// The whole chart.
    pub(super) fn finish(self, about: &About<'_>) -> String {
        let Self { name, frame, height, body } = self;
        let (class, width) = (frame.class(), frame.width());
        let id = format!("{name}-{class}");
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height:.0}\" width=\"{width}\" \
             height=\"{height:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{body}</svg>\n",
            escaped(about.title),
            escaped(about.description)
        )
    }

    /// The drawing as part of a line of text that says the same.
    pub(super) fn inline(self, width: f64) -> String {
        let Self { height, body, .. } = self;
        format!(
            "<svg class=\"sign\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" aria-hidden=\"true\">{}</svg>",
            body.trim_end()
        )
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        self.body.write_fmt(element).expect("a string takes all");
        self.body.push('\n');
    }
}

fn cross() -> Vec<(f64, f64)> {
    let (arm, half) = (1.25, 0.42);
    vec![
        (-half, -arm),
        (half, -arm),
        (half, -half),
        (arm, -half),
        (arm, half),
        (half, half),
        (half, arm),
        (-half, arm),
        (-half, half),
        (-arm, half),
        (-arm, -half),
        (-half, -half),
    ]
}
