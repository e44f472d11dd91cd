//! How much of a picture is drawn at once: of more, what matters, on the lanes where most of it
//! happens; or the beginning.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::layout::{Arrow, Band, Diagram, End, LeftOut, Role};

/// As much is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) moments: usize,
    pub(crate) lanes: usize,
    /// What shows a violation may be so many times as long.
    pub(crate) cone_times: usize,
}

/// So many marks, and so many bands, are drawn for each moment, one with the other.
const PER_MOMENT: usize = 8;

impl Limits {
    /// Whether all of `diagram` is drawn.
    pub(crate) fn hold(&self, diagram: &Diagram) -> bool {
        diagram.lanes.len() <= self.lanes && self.hold_length(diagram)
    }

    fn hold_length(&self, diagram: &Diagram) -> bool {
        let things = self.things();
        diagram.messages() <= self.messages
            && diagram.moments.len() <= self.moments
            && diagram.marks.len() <= things
            && diagram.bands.len() <= things
    }

    const fn things(&self) -> usize {
        self.moments * PER_MOMENT
    }

    /// The same for what shows a violation.
    const fn of_cone(self) -> Self {
        let Self { messages, moments, lanes, cone_times } = self;
        let (messages, moments) = (messages * cone_times, moments * cone_times);
        Self { messages, moments, lanes, cone_times: 1 }
    }
}

impl Diagram {
    /// As much of the picture as `limits` allow.
    pub(super) fn within(&self, limits: &Limits) -> Cow<'_, Self> {
        let (mut shown, mut limits) = (Cow::Borrowed(self), *limits);
        if !limits.hold_length(self) && self.has_cone() {
            shown = Cow::Owned(self.cone());
            limits = limits.of_cone();
        }
        if shown.lanes.len() > limits.lanes {
            shown = Cow::Owned(shown.narrowed(limits.lanes));
        }
        if !limits.hold_length(&shown) {
            shown = Cow::Owned(shown.beginning(&limits));
        }
        shown
    }

    /// The picture with so many lanes: those on which most of what matters happens.
    fn narrowed(&self, lanes_max: usize) -> Self {
        let mut weights = vec![(Role::Aside, 0_usize); self.lanes.len()];
        for mark in &self.marks {
            let (role, marks) = &mut weights[mark.at.lane];
            *role = mark.role.max(*role);
            *marks += 1;
        }
        let mut lanes: Vec<usize> = (0..self.lanes.len()).collect();
        lanes.sort_by_key(|&lane| (Reverse(weights[lane]), lane));
        let kept: BTreeSet<usize> = lanes.into_iter().take(lanes_max).collect();
        self.only(
            |mark| kept.contains(&mark.at.lane),
            |arrow| kept.contains(&arrow.from.lane) && kept.contains(&arrow.to()),
        )
    }

    /// The first moments, as far as `limits` go.
    fn beginning(&self, limits: &Limits) -> Self {
        let things = limits.things();
        let ends = [
            self.arrows.get(limits.messages).map(|arrow| arrow.from.moment),
            self.marks.get(things).map(|mark| mark.at.moment),
            self.bands.get(things).map(|band| band.from),
            Some(limits.moments),
        ];
        // What begins all at once is drawn in part.
        let end = ends.into_iter().flatten().min().unwrap_or_default().max(1);
        let end = end.min(self.moments.len());
        let is_in = |moment: usize| moment < end;
        let cut = |arrow: &Arrow| match arrow.ends_at() {
            Some(moment) if !is_in(moment) => {
                Arrow { end: End::OnItsWay { to: arrow.to() }, ..*arrow }
            }
            Some(_) | None => *arrow,
        };
        let arrows = self.arrows.iter().filter(|arrow| is_in(arrow.from.moment));
        let arrows: Vec<Arrow> = arrows.take(limits.messages).map(cut).collect();
        let marks = self.marks.iter().filter(|mark| is_in(mark.at.moment));
        let bands = self.bands.iter().filter(|band| is_in(band.from)).take(things);
        let bands = bands.map(|band| Band { to: band.to.filter(|&to| is_in(to)), ..*band });
        Self {
            scenario: self.scenario.clone(),
            lanes: self.lanes.clone(),
            moments: self.moments[..end].to_vec(),
            marks: marks.take(things).copied().collect(),
            bands: bands.collect(),
            broken: self.broken.clone(),
            left_out: LeftOut {
                messages: self.left_out.messages + self.messages() - arrows.len(),
                moments: self.left_out.moments + self.moments.len() - end,
                lanes: self.left_out.lanes,
                until: self.moments[..end].last().copied(),
            },
            arrows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Fact, Header, HistoryBuilder};
    use crate::model::{Life, LogPosition, Money, Operation, Roster, WriteId};
    use crate::report::fixture::{branch, customer, event};

    const LIMITS: Limits = Limits { messages: 3, moments: 10, lanes: 2, cone_times: 10 };

    fn header(branches: i64) -> Header {
        Header::new("large", Roster::new((1..=branches).map(branch)).unwrap(), Money::ZERO)
    }

    /// What is drawn of a history, and what is said of the rest.
    fn drawn(
        header: &Header,
        history: HistoryBuilder,
        limits: &Limits,
    ) -> (Diagram, Option<String>) {
        let whole = Diagram::of(header, &history.into_facts());
        let part = whole.within(limits).into_owned();
        assert!(limits.hold(&part));
        let told = part.what_is_left_out();
        (part, told)
    }

    #[test]
    fn where_nobody_sends_a_message_the_moments_are_counted() {
        let header = header(1);
        let mut history = HistoryBuilder::new(&header);
        let (life, kept, balance) = (Life::new(2), LogPosition::new(0), Money::ZERO);
        for _ in 0..30_000 {
            history.add(Fact::BranchStopped { branch: branch(1) });
            history.add(Fact::BranchStarted { branch: branch(1), life, kept, balance });
        }
        let (part, told) = drawn(&header, history, &LIMITS);
        assert_eq!((part.moments.len(), part.marks.len(), part.bands.len()), (10, 10, 5));
        assert_eq!(told.as_deref(), Some("left out: 59,990 moments (drawn as far as 9 µs)"));
    }

    #[test]
    fn the_beginning_is_drawn_of_many_requests_at_one_branch() {
        let header = header(1);
        let mut history = HistoryBuilder::new(&header);
        for _ in 0..20_000 {
            let query = WriteId { customer: customer(1), event: event(1) };
            history.asks(query, branch(1), Operation::Query);
        }
        let (part, told) = drawn(&header, history, &LIMITS);
        assert_eq!((part.messages(), part.moments.len()), (3, 3));
        assert_eq!(told.as_deref(), Some("left out: 19,997 messages (drawn as far as 2 µs)"));
    }

    #[test]
    fn of_many_branches_those_are_drawn_at_which_something_happens() {
        let header = header(10_000);
        let mut history = HistoryBuilder::new(&header);
        history.add(Fact::BranchStopped { branch: branch(9_999) });
        let (part, told) = drawn(&header, history, &LIMITS);
        let names: Vec<String> = part.lanes.iter().map(|lane| lane.process.to_string()).collect();
        assert_eq!(names, ["branch 9999"]);
        assert_eq!(told.as_deref(), Some("left out: 9,999 processes"));
    }

    #[test]
    fn what_is_sent_all_at_once_is_drawn_in_part() {
        let header = header(100);
        let mut history = HistoryBuilder::new(&header);
        let stop = |branch| Fact::BranchStopped { branch };
        header.roster.ids().iter().for_each(|&branch| _ = history.add(stop(branch)));
        let sides = header.roster.ids().iter().map(|&branch| vec![branch]).collect();
        history.add(Fact::PartitionBegan { partition: 1, sides, one_way: false });
        let limits = Limits { lanes: 100, ..LIMITS };
        let (part, _) = drawn(&header, history, &limits);
        assert_eq!((part.moments.len(), part.bands.len()), (10, 10));
    }

    #[test]
    fn what_ends_behind_all_that_is_drawn_lasts_to_its_end() {
        let header = header(3);
        let mut history = HistoryBuilder::new(&header);
        let sides = header.roster.ids().iter().map(|&branch| vec![branch]).collect();
        history.add(Fact::PartitionBegan { partition: 1, sides, one_way: false });
        history.add(Fact::BranchStopped { branch: branch(1) });
        history.add(Fact::PartitionHealed { partition: 1 });
        let (part, _) = drawn(&header, history, &LIMITS);
        let bands: Vec<_> = part.bands.iter().map(|band| (band.from, band.to)).collect();
        assert_eq!((part.moments.len(), bands), (1, vec![(0, None), (0, None)]));
        assert_eq!(part.by_moment()[0].bands.len(), 2);
    }
}
