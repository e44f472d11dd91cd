//! Which shares of a job are in play, and which result is due: all results come out once each, in order, and
//! no more than so many are on their way, so that one that takes long does not fill the server.
//! Decides alone; does no I/O and reads no clock.

use std::collections::BTreeMap;

/// A share that so many workers report to be impossible is given up.
pub(crate) const FAILURES_MAX: u32 = 5;

/// The shares in play, by number.
#[derive(Debug)]
pub(crate) struct Window<S, R> {
    /// So many may be in play beyond the one that is due.
    ahead_max: usize,
    in_play: BTreeMap<u64, InPlay<S, R>>,
}

/// A share that is queued, or done before its turn.
#[derive(Debug)]
struct InPlay<S, R> {
    share: S,
    failures: u32,
    /// Where its result is; `None` as long as there is none.
    result: Option<R>,
}

/// What becomes of a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival<R> {
    /// It is the one that counts.
    Taken,
    /// Its share has one already, or is not in play: nobody needs it.
    Needless(R),
}

/// What becomes of a share that a worker could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// It is tried again.
    TriedAgain,
    /// It is given up.
    GivenUp,
    /// It is done, or not in play.
    Needless,
}

impl<S, R> Window<S, R> {
    /// Where `ahead_max` shares may be in play beyond the one that is due.
    pub(crate) const fn new(ahead_max: usize) -> Self {
        Self { ahead_max, in_play: BTreeMap::new() }
    }

    /// How many more shares may be queued.
    pub(crate) fn room(&self) -> usize {
        (self.ahead_max + 1).saturating_sub(self.in_play.len())
    }

    /// Whether nothing is in play.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_play.is_empty()
    }

    /// `share` is queued, and comes after those before it.
    pub(crate) fn queue(&mut self, number: u64, share: S) {
        debug_assert!(self.in_play.last_key_value().is_none_or(|(&last, _)| last < number));
        self.in_play.insert(number, InPlay { share, failures: 0, result: None });
    }

    /// A result of share `number` is there.
    pub(crate) fn arrived(&mut self, number: u64, result: R) -> Arrival<R> {
        match self.in_play.get_mut(&number) {
            Some(share) if share.result.is_none() => {
                share.result = Some(result);
                Arrival::Taken
            }
            Some(_) | None => Arrival::Needless(result),
        }
    }

    /// A worker could not run share `number`.
    pub(crate) fn failed(&mut self, number: u64) -> AfterFailure {
        match self.in_play.get_mut(&number) {
            Some(share) if share.result.is_none() => {
                share.failures += 1;
                match share.failures {
                    ..FAILURES_MAX => AfterFailure::TriedAgain,
                    FAILURES_MAX.. => AfterFailure::GivenUp,
                }
            }
            Some(_) | None => AfterFailure::Needless,
        }
    }

    /// The result of share `number` is not there any more: another one is waited for.
    pub(crate) fn lost(&mut self, number: u64) {
        if let Some(share) = self.in_play.get_mut(&number) {
            share.result = None;
        }
    }

    /// Share `number`, if it is in play.
    pub(crate) fn share(&self, number: u64) -> Option<&S> {
        self.in_play.get(&number).map(|in_play| &in_play.share)
    }

    /// Where the result of share `number` is, if it is in play and has one.
    pub(crate) fn result(&self, number: u64) -> Option<&R> {
        self.in_play.get(&number)?.result.as_ref()
    }

    /// The results that are due, in order, up to the first that is not there.
    pub(crate) fn due(&self) -> impl Iterator<Item = (u64, &R)> {
        let in_order = self.in_play.iter();
        in_order.map_while(|(&number, share)| Some((number, share.result.as_ref()?)))
    }

    /// The share whose result was due and is taken.
    pub(crate) fn take(&mut self, number: u64) -> Option<S> {
        self.in_play.remove(&number).map(|in_play| in_play.share)
    }

    /// Those without a result.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (u64, &S)> {
        let without = self.in_play.iter().filter(|(_, share)| share.result.is_none());
        without.map(|(&number, share)| (number, &share.share))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AHEAD_MAX: usize = 4;
    const IN_PLAY_MAX: u64 = 5;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Queue,
        Arrive(u64),
        Fail(u64),
        Lose,
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Queue),
            4 => (0_u64..60).prop_map(Step::Arrive),
            1 => (0_u64..60).prop_map(Step::Fail),
            1 => Just(Step::Lose),
            3 => Just(Step::Take),
        ]
    }

    proptest! {
        #[test]
        fn each_share_comes_out_once_in_order_whatever_arrives_and_how_often(
            steps in proptest::collection::vec(step(), 0..400)
        ) {
            let mut window = Window::new(AHEAD_MAX);
            let (mut queued, mut taken) = (0, 0);
            let mut check = |window: &mut Window<u64, u64>, step| {
                match step {
                    Step::Queue if window.room() > 0 => {
                        window.queue(queued, queued);
                        queued += 1;
                    }
                    Step::Queue => {}
                    Step::Arrive(number) => {
                        let was_done = window.due().any(|(done, _)| done == number);
                        let in_play = (taken..queued).contains(&number);
                        let arrival = window.arrived(number, number);
                        if was_done || !in_play {
                            assert_eq!(arrival, Arrival::Needless(number));
                        }
                    }
                    Step::Fail(number) => {
                        let in_play = (taken..queued).contains(&number);
                        if !in_play {
                            assert_eq!(window.failed(number), AfterFailure::Needless);
                        } else {
                            window.failed(number);
                        }
                    }
                    Step::Lose => {
                        let first = window.due().next().map(|(number, _)| number);
                        if let Some(number) = first {
                            window.lost(number);
                            assert_eq!(window.due().next(), None);
                        }
                    }
                    Step::Take => {
                        let due = window.due().next().map(|(number, _)| number);
                        if let Some(number) = due {
                            assert_eq!(number, taken, "results are in order");
                            assert_eq!(window.take(number), Some(number));
                            taken += 1;
                        }
                    }
                }
                assert!(queued - taken <= IN_PLAY_MAX, "no more are in play");
            };
            for step in steps {
                check(&mut window, step);
            }
            // Whatever came before, when all arrive all come out.
            for number in 0..60 {
                check(&mut window, Step::Arrive(number));
                check(&mut window, Step::Take);
            }
            for _ in 0..=AHEAD_MAX {
                check(&mut window, Step::Take);
            }
            prop_assert!(window.is_empty());
        }
    }

    #[test]
    fn a_share_is_given_up_when_five_workers_could_not_run_it() {
        let mut window: Window<(), ()> = Window::new(1);
        window.queue(0, ());
        for _ in 1..FAILURES_MAX {
            assert_eq!(window.failed(0), AfterFailure::TriedAgain);
        }
        assert_eq!(window.failed(0), AfterFailure::GivenUp);
        assert_eq!(window.arrived(0, ()), Arrival::Taken);
        assert_eq!(window.failed(0), AfterFailure::Needless, "it is done");
    }

    #[test]
    fn one_that_takes_long_holds_others_back() {
        let mut window = Window::new(2);
        for number in 0..3 {
            assert!(window.room() > 0);
            window.queue(number, ());
        }
        assert_eq!(window.room(), 0);
        assert_eq!(window.arrived(1, ()), Arrival::Taken);
        assert_eq!((window.arrived(2, ()), window.room()), (Arrival::Taken, 0));
        assert_eq!(window.waiting().map(|(number, ())| number).collect::<Vec<_>>(), [0]);
        window.arrived(0, ());
        assert_eq!(window.due().count(), 3);
    }
}
