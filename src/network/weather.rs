//! What becomes of each message between branches: chance and schedule decide, and this says it. Knows
//! nothing of what else happens to branches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{
    Delays, Fate, FaultKind, Faults, Link, MessageKind, MessageName, Partition, ScheduledFault,
    Struck,
};
use crate::model::number::micros;
use crate::model::{BranchId, CustomerId, EventId, LossReason, Random, Time};

/// The fates of the messages of one run.
#[derive(Debug)]
pub struct Weather {
    delays: Delays,
    faults: Faults,
    /// What may happen by chance on each link, from its first message on.
    chances: BTreeMap<Link, Chances>,
    /// What is said of single messages, and how often that was heeded.
    fates: BTreeMap<MessageName, Fate>,
    heeded: BTreeSet<MessageName>,
    /// How many messages of a name there have been; counted where names matter.
    attempts: BTreeMap<MessageName, u32>,
    /// Which partitions stand, by number.
    standing: BTreeMap<u32, Partition>,
    /// How many faults of the schedule last a while. They have the first numbers.
    scheduled: usize,
    /// Those of them that a message was lost to, or an input was late by, by number.
    felt: BTreeSet<u32>,
    /// Each fate that was decided, if that is to be known.
    decided: Option<Vec<(MessageName, Fate)>>,
    has_cleared_up: bool,
    struck: Struck,
}

/// The streams of one link.
#[derive(Debug)]
struct Chances {
    loss: Random,
    duplicate: Random,
    reorder: Random,
}

/// What a message is about: its kind, and of a write whose it is and which.
pub type About = (MessageKind, Option<(CustomerId, EventId)>);

/// What becomes of a message when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It never arrives.
    Lost(LossReason),
    /// It is on its way for so long.
    OnItsWay(Duration),
    /// So is a copy of it, for so long.
    Twice(Duration, Duration),
}

/// Streams of chances, apart from that of the latencies.
const LOSS: u32 = 1;
const DUPLICATE: u32 = 2;
const REORDER: u32 = 3;

/// By how many times its latency a message is later at most that is reordered.
const REORDER_TIMES: u32 = 4;

impl Weather {
    /// That of `faults`, where messages else take what `delays` say.
    pub fn new(delays: Delays, faults: Faults) -> Self {
        let mut fates = BTreeMap::new();
        for fault in &faults.schedule {
            if let &ScheduledFault::Message { name, fate } = fault {
                fates.insert(name, fate);
            }
        }
        let scheduled = faults.schedule.iter().filter(|fault| fault.span().is_some()).count();
        Self {
            delays,
            faults,
            chances: BTreeMap::new(),
            fates,
            heeded: BTreeSet::new(),
            attempts: BTreeMap::new(),
            standing: BTreeMap::new(),
            scheduled,
            felt: BTreeSet::new(),
            decided: None,
            has_cleared_up: false,
            struck: Struck::default(),
        }
    }

    /// Keeps what it decides.
    #[must_use]
    pub fn keeping_decisions(mut self) -> Self {
        self.decided = Some(Vec::new());
        self
    }

    /// What becomes of the next message about `about` on `link`, which is sent at `now`.
    pub fn send(&mut self, now: Time, link: Link, about: About) -> Sent {
        let name = self.needs_names().then(|| self.name(link, about));
        let fate = self.fate(now, link, name);
        if let (Some(decided), Some(name)) = (&mut self.decided, name) {
            decided.push((name, fate));
        }
        match fate {
            Fate::Lost => {
                self.struck.strike(FaultKind::Loss, now);
                Sent::Lost(LossReason::Random)
            }
            _ if self.is_cut(now, link) => Sent::Lost(LossReason::Partition),
            Fate::Arrives(after) => Sent::OnItsWay(after),
            Fate::ArrivesTwice(after, again) => {
                self.struck.strike(FaultKind::Duplicate, now);
                Sent::Twice(after, again)
            }
        }
    }

    /// Whether what is sent on `link` or arrives there at `now` is lost.
    pub fn is_cut(&mut self, now: Time, link: Link) -> bool {
        let cuts = self.standing.iter().find(|(_, partition)| partition.cuts(link));
        let Some((&number, _)) = cuts else { return false };
        self.feel(number);
        self.struck.strike(FaultKind::Partition, now);
        true
    }

    /// Something else went wrong.
    pub fn strike(&mut self, kind: FaultKind, now: Time) {
        self.struck.strike(kind, now);
    }

    /// What has gone wrong so far.
    pub fn struck(&self) -> &Struck {
        &self.struck
    }

    /// A partition begins.
    pub fn divide(&mut self, number: u32, partition: Partition) {
        self.standing.insert(number, partition);
    }

    /// It is over.
    pub fn heal(&mut self, number: u32) {
        self.standing.remove(&number);
    }

    /// From now on nothing goes wrong any more.
    pub fn clear_up(&mut self) {
        self.standing.clear();
        self.has_cleared_up = true;
    }

    /// A branch was slow with an input.
    pub fn delay(&mut self, number: u32, now: Time) {
        self.feel(number);
        self.struck.strike(FaultKind::Slow, now);
    }

    fn feel(&mut self, number: u32) {
        if usize::try_from(number).is_ok_and(|number| number <= self.scheduled) {
            self.felt.insert(number);
        }
    }

    /// Whether any message was lost to this partition of the schedule, or its branch was slow with any
    /// input then.
    pub fn was_felt(&self, number: u32) -> bool {
        self.felt.contains(&number)
    }

    /// Whether what is said of the message was heeded.
    pub fn has_heeded(&self, name: &MessageName) -> bool {
        self.heeded.contains(name)
    }

    /// What it decided since the start, if that is kept.
    pub fn take_decisions(&mut self) -> Vec<(MessageName, Fate)> {
        self.decided.take().unwrap_or_default()
    }

    fn needs_names(&self) -> bool {
        self.decided.is_some() || !self.fates.is_empty()
    }

    fn name(&mut self, link: Link, (kind, event): About) -> MessageName {
        let first = MessageName { kind, event, link, attempt: 1 };
        let attempts = self.attempts.entry(first).or_default();
        *attempts += 1;
        MessageName { attempt: *attempts, ..first }
    }

    /// What is said of the message. When nothing goes wrong any more it arrives, and once; how long
    /// that takes is said all the same.
    fn told(&self, name: &MessageName) -> Option<Fate> {
        let fate = *self.fates.get(name)?;
        let is_heeded = match fate {
            Fate::Arrives(_) => true,
            Fate::Lost | Fate::ArrivesTwice(..) => !self.has_cleared_up,
        };
        is_heeded.then_some(fate)
    }

    fn fate(&mut self, now: Time, link: Link, name: Option<MessageName>) -> Fate {
        // Drawn for each message: what happens to one does not shift the others.
        let after = self.delays.draw(link);
        if let Some((name, fate)) = name.and_then(|name| Some((name, self.told(&name)?))) {
            self.heeded.insert(name);
            if matches!(fate, Fate::Arrives(told) if told != after) && !self.has_cleared_up {
                self.struck.strike(FaultKind::Reorder, now);
            }
            return fate;
        }
        if self.has_cleared_up {
            return Fate::Arrives(after);
        }
        let rates = self.faults.rates;
        if rates.are_none() {
            return Fate::Arrives(after);
        }
        let seed = self.delays.seed;
        let latency = self.delays.latencies.of(link);
        let chances = self.chances.entry(link).or_insert_with(|| {
            let of = |purpose| Random::of_purpose(seed, purpose, link.part());
            Chances { loss: of(LOSS), duplicate: of(DUPLICATE), reorder: of(REORDER) }
        });
        if rates.loss.strikes(&mut chances.loss) {
            return Fate::Lost;
        }
        let is_late = rates.reorder.strikes(&mut chances.reorder);
        if is_late {
            self.struck.strike(FaultKind::Reorder, now);
        }
        let longest_us = micros(latency.extent() * REORDER_TIMES).saturating_add(1);
        let later = if is_late { chances.reorder.below(longest_us) } else { 0 };
        let after = after + Duration::from_micros(later);
        if rates.duplicate.strikes(&mut chances.duplicate) {
            return Fate::ArrivesTwice(after, latency.draw(&mut chances.duplicate));
        }
        Fate::Arrives(after)
    }
}

impl Partition {
    /// Whether it lets nothing through `link`.
    pub fn cuts(&self, link: Link) -> bool {
        let side = |id: BranchId| self.sides.iter().position(|side| side.contains(&id));
        match (side(link.from), side(link.to)) {
            (Some(0), Some(to)) => to != 0,
            (Some(from), Some(to)) => from != to && !self.one_way,
            (None, _) | (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Roster, Seed};
    use crate::network::{FaultCounts, Latency, LinkLatencies};

    const MS: Duration = Duration::from_millis(1);

    fn question(attempt: u32) -> MessageName {
        let [from, to] = [1, 2].map(|id| BranchId::new(id).unwrap());
        let link = Link { from, to };
        MessageName { kind: MessageKind::CatchUp, event: None, link, attempt }
    }

    /// Three questions from branch 1 to branch 2, of which the fates are said.
    fn told(fates: [Fate; 3]) -> Weather {
        let roster = Roster::new([1, 2].map(|id| BranchId::new(id).unwrap())).unwrap();
        let latencies =
            LinkLatencies { default: Latency::Constant(5 * MS), ..LinkLatencies::default() };
        let messages = (1..).zip(fates);
        let schedule = messages
            .map(|(attempt, fate)| ScheduledFault::Message { name: question(attempt), fate })
            .collect();
        let faults = Faults { schedule, ..Faults::default() };
        Weather::new(Delays::new(latencies, Seed(0), Arc::new(roster)), faults)
    }

    fn send(weather: &mut Weather) -> Sent {
        weather.send(Time::START, question(1).link, (MessageKind::CatchUp, None))
    }

    const FATES: [Fate; 3] = [Fate::Arrives(MS), Fate::Lost, Fate::ArrivesTwice(MS, MS)];

    #[test]
    fn a_message_has_the_fate_that_is_said_of_it_and_the_next_none() {
        let mut weather = told(FATES);
        assert_eq!(send(&mut weather), Sent::OnItsWay(MS));
        assert_eq!(send(&mut weather), Sent::Lost(LossReason::Random));
        assert_eq!(send(&mut weather), Sent::Twice(MS, MS));
        assert_eq!(send(&mut weather), Sent::OnItsWay(5 * MS));
        let FaultCounts { loss, duplicate, reorder, .. } = weather.struck().counts;
        assert_eq!((loss, duplicate, reorder), (1, 1, 1));
    }

    #[test]
    fn when_the_weather_has_cleared_up_messages_take_as_long_as_is_said_and_arrive_once() {
        let mut weather = told(FATES);
        weather.clear_up();
        let sent = [(); 4].map(|()| send(&mut weather));
        assert_eq!(sent, [MS, 5 * MS, 5 * MS, 5 * MS].map(Sent::OnItsWay));
        assert_eq!([1, 2, 3].map(|one| weather.has_heeded(&question(one))), [true, false, false]);
        assert_eq!(weather.struck().counts, FaultCounts::default());
    }
}
