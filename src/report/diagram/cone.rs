//! What of a picture matters: the operations that show a violation, the write that was missed, and
//! its way to where it was missed. All else can be left out.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{
    About, Arrow, Band, Broken, Carries, Diagram, End, Happening, Lane, LeftOut, Mark, Point, Role,
};
use crate::check::{Property, Step, Verdict, Verdicts, Witness};
use crate::history::Process;
use crate::model::{BranchId, Operation, WriteId};
use crate::report::trace::RequestKey;

/// What a witness points at.
struct Cone {
    earlier: Option<RequestKey>,
    later: Option<RequestKey>,
    /// What the later operation wrote.
    later_write: Option<WriteId>,
    /// The write that is missing.
    missing: Option<WriteId>,
    /// Other writes that it is about.
    others: BTreeSet<WriteId>,
    /// The lanes at which those writes matter.
    lanes: BTreeSet<usize>,
    /// The lane where something is missing.
    shown: Option<usize>,
}

impl Diagram {
    /// Marks what shows each violation that `verdicts` tell of, and says it.
    pub(crate) fn point_out(&mut self, verdicts: &Verdicts) {
        for (property, verdict) in verdicts.iter() {
            if let Some(witness) = verdict.witness() {
                self.point_out_one(property, witness);
            }
        }
    }

    fn point_out_one(&mut self, property: Property, witness: &Witness) {
        let cone = self.cone_of(witness);
        for mark in &mut self.marks {
            let role = cone.role(mark.about, mark.at.lane, Subject::Mark(mark.what));
            mark.role = mark.role.max(role);
        }
        for arrow in &mut self.arrows {
            let role = cone.role(arrow.about, arrow.to(), Subject::Arrow(arrow.carries));
            arrow.role = arrow.role.max(role);
        }
        let (later, write) = (cone.later, cone.later_write);
        let (branch, sentence) = (witness.branch, witness.sentence.clone());
        self.broken.push(Broken { property, later, write, branch, sentence });
    }

    /// The picture of what shows that `property` is broken, alone.
    pub(crate) fn of_one(&self, property: Property, verdicts: &Verdicts) -> Self {
        let Some(witness) = verdicts.of(property).and_then(Verdict::witness) else {
            return self.only(|_| false, |_| false);
        };
        let cone = self.cone_of(witness);
        let mut one = self.only(
            |mark| cone.role(mark.about, mark.at.lane, Subject::Mark(mark.what)) > Role::Aside,
            |arrow| cone.role(arrow.about, arrow.to(), Subject::Arrow(arrow.carries)) > Role::Aside,
        );
        one.broken.clear();
        one.marks.iter_mut().for_each(|mark| mark.role = Role::Aside);
        one.arrows.iter_mut().for_each(|arrow| arrow.role = Role::Aside);
        one.point_out_one(property, witness);
        one
    }

    fn cone_of(&self, witness: &Witness) -> Cone {
        let Witness { customer, earlier, later, branch, write, other, .. } = witness;
        let key =
            |step: &Step| customer.map(|customer| RequestKey { customer, number: step.request });
        let written = |step: &Step| match step.operation {
            Operation::Write(_) => customer.map(|customer| WriteId { customer, event: step.event }),
            Operation::Query => None,
        };
        let steps = || earlier.iter().chain(later);
        let mut others: BTreeSet<WriteId> = steps().filter_map(written).collect();
        others.extend(other);
        let asked = steps().map(|step| step.branch).chain([*branch]);
        let mut lanes: BTreeSet<usize> = asked.filter_map(|id| self.branch_lane(id)).collect();
        // Where those writes were accepted.
        let accepted = self.arrows.iter().filter(|arrow| {
            let is_wanted = |id| *write == Some(id) || others.contains(&id);
            matches!(arrow.carries, Carries::Request(_)) && arrow.about.write.is_some_and(is_wanted)
        });
        lanes.extend(accepted.map(Arrow::to));
        if earlier.is_none() && later.is_none() {
            lanes = (0..self.lanes.len()).collect();
        }
        Cone {
            earlier: earlier.as_ref().and_then(key),
            later: later.as_ref().and_then(key),
            later_write: later.as_ref().and_then(written),
            missing: *write,
            others,
            lanes,
            shown: self.branch_lane(*branch),
        }
    }

    fn branch_lane(&self, id: BranchId) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.process == Process::Branch(id))
    }

    /// The picture of the cone alone: without the moments and lanes at which nothing of it is.
    pub(crate) fn cone(&self) -> Self {
        self.only(|mark| mark.role > Role::Aside, |arrow| arrow.role > Role::Aside)
    }

    /// The same with the marks and arrows alone that are wanted, and what of all else they need.
    pub(super) fn only(
        &self,
        mark: impl Fn(&Mark) -> bool,
        arrow: impl Fn(&Arrow) -> bool,
    ) -> Self {
        let marks = || self.marks.iter().filter(|of| mark(of));
        let arrows = || self.arrows.iter().filter(|of| arrow(of));
        let mut moments = Vec::new();
        let mut lanes = BTreeSet::new();
        for at in marks().map(|mark| mark.at).chain(arrows().map(|arrow| arrow.from)) {
            moments.push(at.moment);
            lanes.insert(at.lane);
        }
        for arrow in arrows() {
            moments.extend(arrow.ends_at());
            lanes.insert(arrow.to());
        }
        moments.sort_unstable();
        moments.dedup();
        let lane_of: BTreeMap<usize, usize> =
            lanes.iter().enumerate().map(|(place, &old)| (old, place)).collect();
        // Of a moment that is left out, the place of the next that is there.
        let nearest = |moment: usize| moments.partition_point(|&kept| kept < moment);
        let moved = |at: Point| Point { moment: nearest(at.moment), lane: lane_of[&at.lane] };
        let end = |end: End| match end {
            End::At(at) => End::At(moved(at)),
            End::Lost(at) => End::Lost(moved(at)),
            End::OnItsWay { to } => End::OnItsWay { to: lane_of[&to] },
        };
        // A band begins and ends with the nearest moments that are left.
        let bands = self.bands.iter().filter_map(|band| {
            let (from, to) = (nearest(band.from), band.to.map(nearest));
            // What ends behind the last of them lasts to the end of the picture.
            let to = to.filter(|&to| to < moments.len());
            let is_seen = to.is_none_or(|to| to > from) && from < moments.len();
            let lane = *lane_of.get(&band.lane)?;
            is_seen.then_some(Band { lane, from, to, ..*band })
        });
        let kept: Vec<Arrow> = arrows()
            .map(|arrow| Arrow { from: moved(arrow.from), end: end(arrow.end), ..*arrow })
            .collect();
        Self {
            scenario: self.scenario.clone(),
            lanes: lanes
                .iter()
                .map(|&lane| match moments.first() {
                    Some(0) => self.lanes[lane],
                    // What a branch held at the start it may hold no more.
                    Some(_) | None => Lane { opening: None, ..self.lanes[lane] },
                })
                .collect(),
            moments: moments.iter().map(|&moment| self.moments[moment]).collect(),
            marks: marks().map(|mark| Mark { at: moved(mark.at), ..*mark }).collect(),
            bands: bands.collect(),
            broken: self.broken.clone(),
            left_out: LeftOut {
                messages: self.left_out.messages + self.messages() - kept.len(),
                moments: self.left_out.moments + self.moments.len() - moments.len(),
                until: self.left_out.until,
                lanes: self.left_out.lanes + self.lanes.len() - lanes.len(),
            },
            arrows: kept,
        }
    }
}

/// What may play a part.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Mark(Happening),
    Arrow(Carries),
}

impl Subject {
    /// Whether it is a write that comes to a lane.
    const fn is_arrival(self) -> bool {
        match self {
            Self::Mark(what) => matches!(what, Happening::Applies { .. }),
            Self::Arrow(carries) => matches!(carries, Carries::Propagation(_)),
        }
    }
}

impl Cone {
    /// The part that something plays that is about this, at this lane or on its way there.
    fn role(&self, about: About, lane: usize, subject: Subject) -> Role {
        if about.request.is_some() && about.request == self.later {
            return Role::Later;
        }
        if about.request.is_some() && about.request == self.earlier {
            return Role::Earlier;
        }
        let Some(write) = about.write else { return Role::Aside };
        if !subject.is_arrival() {
            // The request of the write.
            let is_request = about.request.is_some();
            let is_wanted = self.missing == Some(write) || self.others.contains(&write);
            return if is_request && is_wanted { Role::Cone } else { Role::Aside };
        }
        let (is_shown, is_at_one) = (self.shown == Some(lane), self.lanes.contains(&lane));
        let is_one = self.missing == Some(write) || self.others.contains(&write);
        if self.later_write == Some(write) && is_shown {
            Role::Later
        } else if self.missing == Some(write) && is_shown {
            Role::Missing
        } else if is_one && is_at_one {
            Role::Cone
        } else {
            Role::Aside
        }
    }
}
