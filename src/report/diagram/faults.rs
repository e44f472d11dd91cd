//! Lays out what goes wrong on purpose: branches that stop, partitions, slow branches.

use super::build::Layout;
use super::layout::{About, Happening, Lasting, Point};
use crate::history::{Fact, Process};
use crate::model::{BranchId, Time};

impl Layout {
    /// A fault; all else is passed over.
    pub(super) fn add_fault(&mut self, fact: &Fact, at: Time) {
        match fact {
            Fact::BranchStopped { branch } => {
                let Some(point) = self.new_point(Process::Branch(*branch), at) else { return };
                self.mark(point, Happening::Stops, About::default());
                self.begin_open(point, Lasting::Down);
            }
            Fact::BranchStarted { branch, life, balance, .. } => {
                let Some(point) = self.new_point(Process::Branch(*branch), at) else { return };
                self.end_band(point, Lasting::Down);
                let starts = Happening::Starts { life: *life, balance: *balance };
                self.mark(point, starts, About::default());
            }
            Fact::PartitionBegan { partition, sides, .. } => {
                let moment = self.moment(at);
                let lane = |&branch: &BranchId| self.lane(Process::Branch(branch));
                let lanes: Vec<usize> = sides.iter().flatten().filter_map(lane).collect();
                let begin = |lane| self.begin(Point { moment, lane }, Lasting::Partition);
                let bands = lanes.into_iter().map(begin).collect();
                self.partitions.insert(*partition, bands);
            }
            Fact::PartitionHealed { partition } => {
                let moment = self.moment(at);
                for band in self.partitions.remove(partition).unwrap_or_default() {
                    self.diagram.bands[band].to = Some(moment);
                }
            }
            Fact::SlownessBegan { branch, .. } => {
                let Some(point) = self.new_point(Process::Branch(*branch), at) else { return };
                self.begin_open(point, Lasting::Slow);
            }
            Fact::SlownessEnded { branch } => {
                let Some(point) = self.new_point(Process::Branch(*branch), at) else { return };
                self.end_band(point, Lasting::Slow);
            }
            Fact::RequestSent { .. }
            | Fact::RequestReceived { .. }
            | Fact::WriteApplied { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
            | Fact::ReplyReceived { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. } => {}
        }
    }
}
