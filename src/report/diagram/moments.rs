//! What of a picture stands at which of its moments.

use super::layout::{Arrow, Band, Diagram, Mark};

/// What stands at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment<'a> {
    pub(super) marks: Vec<&'a Mark>,
    /// The messages that end there.
    pub(super) arrows: Vec<&'a Arrow>,
    /// What begins or ends there.
    pub(super) bands: Vec<&'a Band>,
}

impl Moment<'_> {
    pub(super) fn is_empty(&self) -> bool {
        let Self { marks, arrows, bands } = self;
        marks.is_empty() && arrows.is_empty() && bands.is_empty()
    }
}

impl Diagram {
    /// All moments, in order.
    pub(super) fn by_moment(&self) -> Vec<Moment<'_>> {
        let mut moments = vec![Moment::default(); self.moments.len()];
        for mark in &self.marks {
            moments[mark.at.moment].marks.push(mark);
        }
        for arrow in &self.arrows {
            if let Some(moment) = arrow.ends_at() {
                moments[moment].arrows.push(arrow);
            }
        }
        for band in &self.bands {
            moments[band.from].bands.push(band);
            if let Some(to) = band.to.filter(|&to| to != band.from) {
                moments[to].bands.push(band);
            }
        }
        moments
    }
}
