//! The way past the session registry, for requests that bring all that it could give them. What they
//! leave behind, and the order in which requests come to a branch, are those of the way through it.

use std::sync::Arc;

use actix::Addr;

use super::registry::{Answered, GoesStraight, Queued, Request};
use super::{
    BranchActor, Call, EventIdSource, NoEventId, PassbookSource, SessionRegistry, Submit, Submitted,
};
use crate::bank::{Entry, Passbook, Session};
use crate::model::{EventId, GuaranteePolicy, Operation, RequestNumber, Roster};

/// The way past the registry of a bank. Not for a bank that counts the requests of each customer.
#[derive(Debug)]
pub struct StraightWay {
    roster: Arc<Roster>,
    guarantees: GuaranteePolicy,
    /// Shared, for a copy of an address takes two allocations.
    registry: Arc<Addr<SessionRegistry>>,
    /// What a query bears that brings no event id: any will do, for nobody hears of it.
    any_event: EventId,
    /// Each request that lies in the registry's mailbox has a copy.
    token: Arc<()>,
}

impl StraightWay {
    /// The way past `registry` to the branches of `roster`, whose customers are promised `guarantees`.
    pub fn new(
        roster: Arc<Roster>,
        guarantees: GuaranteePolicy,
        registry: Addr<SessionRegistry>,
    ) -> Self {
        let registry = Arc::new(registry);
        let any_event = EventId::new(1).expect("1 is an id");
        Self { roster, guarantees, registry, any_event, token: Arc::default() }
    }

    /// Brings `call` to `branch` if it has all with it and overtakes none by that; else to the
    /// registry. `tell` is told the answer.
    pub fn submit(
        &self,
        call: Call,
        branch: &Addr<BranchActor>,
        tell: impl FnOnce(Result<Submitted, NoEventId>) + Send + 'static,
    ) {
        let Call { customer, operation, .. } = call;
        let (event, passbook) = match (self.event_of(&call), call.passbook) {
            (Some(event), PassbookSource::Carried(passbook)) if !self.is_any_queued() => {
                (event, passbook)
            }
            (_, passbook) => {
                let (call, tell) = (Call { passbook, ..call }, Box::new(tell));
                let bring = Submit { call, branch: branch.clone(), tell };
                return self
                    .registry
                    .do_send(Queued { bring, token: Some(Arc::clone(&self.token)) });
            }
        };
        let is_write = matches!(operation, Operation::Write(_));
        if is_write {
            self.registry.do_send(GoesStraight { customer, event });
        }
        let registry = Arc::clone(&self.registry);
        let learn = move |_: &Passbook, _: &Entry| {
            if is_write {
                registry.do_send(Answered { customer, entry: Entry::Nothing });
            }
        };
        let request = Request { customer, request: RequestNumber::default(), event, operation };
        let session = Session { passbook, guarantees: self.guarantees.to(customer) };
        branch.do_send(request.ask(session, Arc::clone(&self.roster), learn, tell));
    }

    /// The event id that `call` bears, if the registry need not be asked for it.
    fn event_of(&self, call: &Call) -> Option<EventId> {
        match (call.event, call.operation) {
            (EventIdSource::Id(event), _) => Some(event),
            (EventIdSource::After(_), Operation::Query) => Some(self.any_event),
            (EventIdSource::After(_), Operation::Write(_)) => None,
        }
    }

    /// Whether a request lies in the registry's mailbox. Whoever came after it and went straight would
    /// be at the branch before it.
    fn is_any_queued(&self) -> bool {
        Arc::strong_count(&self.token) > 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::actors::fixture::{Asked, Shown, TestBank, Way, amount, deposit, in_system};
    use crate::bank::{Branch, BranchConfig, Memory, Start};
    use crate::model::{
        BranchId, Life, LogPosition, Lost, Money, Overdraft, Propagation, Receipt, Refusal,
        RequestError, Write,
    };

    /// Each branch holds 2.
    fn open(way: Way, propagation: Propagation, sessions_max: usize) -> TestBank {
        let config =
            BranchConfig { propagation, overdraft: Overdraft::Reject, ..BranchConfig::default() };
        TestBank::open(way, sessions_max, |id, roster| {
            Branch::new(id, roster, Money::from_minor(200), config)
        })
    }

    fn straight(propagation: Propagation) -> TestBank {
        open(Way::Straight, propagation, 1000)
    }

    #[test]
    fn who_needs_nothing_of_the_registry_goes_straight() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            let write = deposit(1, 1, Some(3)).operation;
            for (event, operation, shown, goes_straight) in [
                (Some(1), write, Shown::Blank, true),
                (Some(1), Operation::Query, Shown::Blank, true),
                // No one is told which event id a query bore.
                (None, Operation::Query, Shown::Blank, true),
                (None, write, Shown::Blank, false),
                (Some(2), write, Shown::Kept, false),
                (Some(2), Operation::Query, Shown::Kept, false),
            ] {
                bank.ask(Asked { customer: 1, branch: 1, event, operation, shown });
                assert_eq!(!bank.way.is_any_queued(), goes_straight, "{event:?} {operation}");
                bank.rest().await;
                assert!(!bank.way.is_any_queued(), "it is taken up");
            }
        });
    }

    #[test]
    fn nobody_overtakes_a_request_that_lies_in_the_registrys_mailbox() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            let numbers = [None, Some(5), None].map(|event| bank.ask(deposit(1, 1, event)));
            bank.rest().await;
            let told = numbers.map(|number| bank.told(number));
            assert_eq!(told.clone().map(|told| told.event), [Some(1), Some(5), Some(6)]);
            assert_eq!(told.map(|told| told.outcome), [const { Ok(Receipt::Written) }; 3]);
        });
    }

    #[test]
    fn nobody_overtakes_a_request_whose_event_id_is_looked_up() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            // Of one that brings all with it nothing is remembered.
            bank.answer(deposit(1, 1, Some(3))).await;
            let numbers = [None, Some(5), None].map(|event| bank.ask(deposit(1, 1, event)));
            bank.rest().await;
            let told = numbers.map(|number| bank.told(number));
            assert_eq!(told.clone().map(|told| told.event), [Some(4), Some(5), Some(6)]);
            assert_eq!(told.map(|told| told.outcome), [const { Ok(Receipt::Written) }; 3]);
        });
    }

    /// The next write that brings no event id, after each of these went straight under 3.
    #[test]
    fn an_event_id_that_went_straight_is_given_to_no_other_write() {
        in_system(async {
            for propagation in [Propagation::Async, Propagation::Sync] {
                for sessions_max in [1, 1000] {
                    let mut bank = open(Way::Straight, propagation, sessions_max);
                    bank.ask(deposit(1, 1, Some(3)));
                    bank.rest().await;
                    // Others come, so that little is remembered.
                    for customer in 2..6 {
                        bank.ask(deposit(customer, 2, None));
                        bank.rest().await;
                    }
                    let next = bank.ask(deposit(1, 1, None));
                    bank.rest().await;
                    bank.answer_all().await;
                    assert_eq!(bank.told(next).event, Some(4), "{propagation:?} {sessions_max}");
                }
            }
        });
    }

    #[test]
    fn the_event_id_of_a_straight_write_that_was_refused_is_taken() {
        in_system(async {
            let mut bank = open(Way::Straight, Propagation::Async, 1);
            let operation = Operation::Write(Write::withdraw(amount(300)));
            let refused = bank.answer(Asked { operation, ..deposit(1, 1, Some(3)) }).await;
            let (balance, requested) = (Money::from_minor(200), Money::from_minor(300));
            let refusal = Refusal::InsufficientFunds { balance, requested };
            assert_eq!(refused.outcome, Err(RequestError::Refused(refusal)));
            assert_eq!(bank.remembered().await, 0);
            assert_eq!(bank.answer(deposit(1, 1, None)).await.event, Some(4));
        });
    }

    #[test]
    fn a_customer_is_remembered_while_its_straight_write_is_parked() {
        in_system(async {
            let mut bank = open(Way::Straight, Propagation::Async, 1);
            bank.answer(deposit(1, 1, Some(3))).await;
            // Branch 2 has not heard of it.
            let parked = bank.ask(Asked { shown: Shown::Told, ..deposit(1, 2, Some(7)) });
            bank.rest().await;
            assert!(!bank.is_answered(parked));
            assert_eq!(bank.remembered().await, 1);
            // It is at no branch yet, and its event id is taken all the same.
            let next = bank.answer(deposit(1, 1, None)).await;
            assert_eq!((next.event, next.outcome), (Some(8), Ok(Receipt::Written)));
            bank.deliver(1).await;
            let told = bank.told(parked);
            assert_eq!((told.event, told.outcome), (Some(7), Ok(Receipt::Written)));
            assert_eq!(
                (told.passbook.writes, told.position),
                (bank.vector([1, 1]), LogPosition::new(2))
            );
        });
    }

    #[test]
    fn a_straight_write_that_nobody_waits_for_any_more_is_forgotten() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            bank.answer(deposit(1, 1, Some(3))).await;
            let parked = bank.ask(Asked { shown: Shown::Told, ..deposit(1, 2, Some(7)) });
            bank.rest().await;
            bank.answer_all().await;
            assert_eq!(bank.remembered().await, 0);
            let outcome = bank.told(parked).outcome;
            assert!(matches!(outcome, Err(RequestError::VersionNotReached { .. })), "{outcome:?}");
        });
    }

    #[test]
    fn a_retry_that_goes_straight_gets_the_first_result_again() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            // The first one is brought by the registry, with the passbook that is kept there.
            let first = bank.answer(Asked { shown: Shown::Kept, ..deposit(1, 1, Some(3)) }).await;
            let again = bank.answer(deposit(1, 1, Some(3))).await;
            assert_eq!(again, first);
            let other = Operation::Write(Write::deposit(amount(50)));
            let other = bank.answer(Asked { operation: other, ..deposit(1, 1, Some(3)) }).await;
            let first = Write::deposit(amount(100));
            let refusal = Refusal::EventReused { first };
            assert_eq!(other.outcome, Err(RequestError::Refused(refusal)));
            assert_eq!(bank.actors[0].close().unwrap().log.len(), 1);
        });
    }

    #[test]
    fn the_passbook_that_is_kept_is_not_that_which_goes_straight() {
        in_system(async {
            let mut bank = straight(Propagation::Async);
            bank.answer(Asked { shown: Shown::Kept, ..deposit(1, 1, Some(1)) }).await;
            let carried = bank.answer(deposit(1, 1, Some(2))).await;
            let query = Asked { operation: Operation::Query, ..deposit(1, 2, None) };
            let number = bank.ask(Asked { shown: Shown::Kept, ..query });
            bank.rest().await;
            assert!(!bank.is_answered(number), "branch 2 has not heard of the first");
            // The second, which the kept passbook does not ask for, is still on its way.
            bank.deliver(1).await;
            assert_eq!(bank.told(number).outcome, Ok(Receipt::Balance(Money::from_minor(300))));
            assert_eq!(bank.told(number).passbook.writes, bank.vector([1, 0]));
            assert_eq!(carried.passbook.writes, bank.vector([2, 0]));
        });
    }

    /// Branch 1 forgets a deposit of which nobody else has heard.
    #[test]
    fn a_session_is_told_once_what_is_lost_and_goes_on_whoever_keeps_its_passbook() {
        for shown in [Shown::Kept, Shown::Told] {
            in_system(async {
                let mut bank = straight(Propagation::Async);
                bank.answer(Asked { shown, ..deposit(1, 1, Some(1)) }).await;
                bank.forget_messages();
                bank.begin_again(0, |id, roster| {
                    let start = Start::NewLife { life: Life::new(7), memory: Memory::default() };
                    let config =
                        BranchConfig { propagation: Propagation::Async, ..BranchConfig::default() };
                    Branch::again(id, roster, Money::from_minor(200), config, start)
                })
                .await;
                bank.hear_each_other().await;
                let read = Asked { shown, operation: Operation::Query, ..deposit(1, 2, None) };
                let outcome = bank.answer(read).await.outcome;
                let lost =
                    vec![Lost { branch: BranchId::new(1).unwrap(), life: Life::FIRST, writes: 1 }];
                assert_eq!(outcome, Err(RequestError::WritesLost { lost, more: 0 }), "{shown:?}");
                bank.replace_carried(1);
                let outcome = bank.answer(read).await.outcome;
                assert_eq!(outcome, Ok(Receipt::Balance(Money::from_minor(200))), "{shown:?}");
                bank.answer(Asked { shown, ..deposit(1, 1, Some(2)) }).await;
                let outcome = bank.answer(Asked { branch: 1, ..read }).await.outcome;
                assert_eq!(outcome, Ok(Receipt::Balance(Money::from_minor(300))), "{shown:?}");
            });
        }
    }

    fn any_asked() -> impl Strategy<Value = Asked> {
        let operation = prop_oneof![
            3 => Just(Operation::Write(Write::deposit(amount(100)))),
            1 => Just(Operation::Write(Write::deposit(amount(200)))),
            1 => Just(Operation::Write(Write::withdraw(amount(300)))),
            2 => Just(Operation::Query),
        ];
        let shown = prop_oneof![
            1 => Just(Shown::Kept),
            2 => Just(Shown::Blank),
            2 => Just(Shown::Told),
        ];
        let event = prop_oneof![1 => Just(None), 2 => (1_i64..8).prop_map(Some)];
        (1_i64..=2, 1_i64..=2, event, operation, shown).prop_map(
            |(customer, branch, event, operation, shown)| Asked {
                customer,
                branch,
                event,
                operation,
                shown,
            },
        )
    }

    /// Requests that come at once, and then a message from the branch with this number, if it is one.
    fn any_steps() -> impl Strategy<Value = Vec<(Vec<Asked>, i64)>> {
        prop::collection::vec((prop::collection::vec(any_asked(), 0..4), 0_i64..=2), 1..12)
    }

    /// `asked` at `branch`, and by the registry if it is a query. The registry forgets who was away for
    /// the longest time; it does not hear of a query that goes straight, and of branches that answer
    /// at the same time any may be the first.
    fn heard_of(asked: Asked, branch: i64) -> Asked {
        let shown = if asked.operation == Operation::Query { Shown::Kept } else { asked.shown };
        Asked { branch, shown, ..asked }
    }

    proptest! {
        #[test]
        fn whichever_way_requests_go_all_comes_to_the_same(
            steps in any_steps(),
            propagation in prop_oneof![Just(Propagation::Async), Just(Propagation::Sync)],
            forgets in any::<bool>(),
        ) {
            let ends = [Way::Straight, Way::Registry].map(|way| in_system(async {
                let mut bank = open(way, propagation, if forgets { 1 } else { 1000 });
                for (asked, from) in &steps {
                    for &one in asked {
                        bank.ask(if forgets { heard_of(one, asked[0].branch) } else { one });
                    }
                    bank.rest().await;
                    if *from > 0 {
                        bank.deliver(*from).await;
                    }
                }
                bank.end().await
            }));
            let [straight, registry] = ends;
            prop_assert_eq!(straight, registry);
        }
    }
}
