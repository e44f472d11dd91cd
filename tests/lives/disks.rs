//! A branch that has a disk: what it wants kept, and how it starts with it.

use passbook::bank::{
    Branch, BranchConfig, Effect, Kept, Memory, Missed, PeerMessage, Rest, Start,
};
use passbook::model::{
    Amount, Durability, Life, Money, Operation, Overdraft, Propagation, Receipt, Refusal,
    RequestError, Sequence, Write,
};

use crate::by_hand::{
    ask, asked, branch, config, deposit, dot, hear, lives, nothing_more, replies, roster, tell,
};

fn durable() -> BranchConfig {
    let durability = Durability::Disk;
    BranchConfig { durability, overdraft: Overdraft::Reject, ..config(Propagation::Async) }
}

fn opened() -> Branch {
    Branch::new(branch(1), roster(), Money::ZERO, durable())
}

/// All that `effects` want kept.
fn kept(effects: &[Effect]) -> Vec<Kept> {
    let mut all = Vec::new();
    for effect in effects {
        if let Effect::Persist(kept) = effect {
            all.push(kept.clone());
        }
    }
    all
}

/// What a disk gives back that has kept this.
fn memory(kept: impl IntoIterator<Item = Kept>) -> Memory {
    let mut memory = Memory::default();
    for one in kept {
        match one {
            Kept::Came(entry) => memory.came.push(entry),
            Kept::Refused(refused) => memory.refused.push(refused),
            Kept::Forgotten(number) => memory.refused.retain(|refused| refused.number != number),
            Kept::Lives(lives) => memory.lives = lives,
        }
    }
    memory
}

fn started(memory: Memory) -> (Branch, Vec<Effect>) {
    let start = Start::FromDisk { spare: Life::new(9), memory };
    let mut at = Branch::again(branch(1), roster(), Money::ZERO, durable(), start);
    let told = tell(&mut at, 0, passbook::bank::Input::Started);
    (at, told)
}

fn held(own: u32) -> PeerMessage {
    let held = Some(Sequence::new(own));
    PeerMessage::Missed(Missed { writes: Vec::new(), rest: Rest::Nothing, held })
}

#[test]
fn what_is_said_comes_after_what_it_rests_on() {
    let mut at = opened();
    let told = ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    assert!(
        matches!(
            told[..],
            [
                Effect::Persist(Kept::Came(_)),
                Effect::Applied(_),
                Effect::Reply(_),
                Effect::Broadcast(_)
            ]
        ),
        "{told:?}"
    );
    let much = Write::withdraw(Amount::try_from(Money::from_minor(900)).unwrap());
    let told = ask(&mut at, 0, 2, Operation::Write(much), None);
    assert!(matches!(told[..], [Effect::Persist(Kept::Refused(_)), Effect::Reply(_)]), "{told:?}");
    let told = hear(&mut at, 2, [1, 1, 7], nothing_more());
    assert_eq!(kept(&told), [Kept::Lives(lives([1, 1, 7]))]);
    assert!(matches!(told[..], [Effect::Persist(_), Effect::Lives(_), ..]), "{told:?}");
}

#[test]
fn in_memory_nothing_is_to_be_kept() {
    let mut at = Branch::new(branch(1), roster(), Money::ZERO, config(Propagation::Async));
    let told = ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    assert!(kept(&told).is_empty(), "{told:?}");
}

#[test]
fn a_branch_goes_on_from_its_disk_in_the_same_life() {
    let mut before = opened();
    let mut all = kept(&ask(&mut before, 0, 1, Operation::Write(deposit()), None));
    let much = Write::withdraw(Amount::try_from(Money::from_minor(900)).unwrap());
    let refused = ask(&mut before, 0, 2, Operation::Write(much), None);
    let first_answer = replies(&refused)[0].outcome.clone();
    all.extend(kept(&refused));
    let (mut at, told) = started(memory(all));
    assert_eq!(asked(&told), [2, 3]);
    assert!(!at.serves(), "others may hold more of it");
    hear(&mut at, 2, [1, 1, 1], held(1));
    hear(&mut at, 3, [1, 1, 1], held(0));
    assert!(at.serves());
    assert_eq!(at.life(), Life::FIRST);
    assert_eq!(at.balance(), Some(Money::from_minor(100)));
    // The same request gets the same answer, and the next write the next number.
    let again = ask(&mut at, 0, 2, Operation::Write(much), None);
    assert_eq!(replies(&again)[0].outcome, first_answer);
    assert!(matches!(first_answer, Err(RequestError::Refused(Refusal::InsufficientFunds { .. }))));
    let told = ask(&mut at, 0, 3, Operation::Write(deposit()), None);
    assert_eq!(replies(&told)[0].outcome, Ok(Receipt::Written));
    let Some(Effect::Broadcast(write)) = told.last() else { panic!("{told:?}") };
    assert_eq!(write.dot, dot(1, 1, 2));
}

#[test]
fn a_branch_whose_disk_is_an_older_copy_begins_another_life_before_it_serves() {
    let mut before = opened();
    let older = kept(&ask(&mut before, 0, 1, Operation::Write(deposit()), None));
    ask(&mut before, 0, 2, Operation::Write(deposit()), None);
    let (mut at, _) = started(memory(older));
    // Branch 2 holds the second write as well.
    let told = hear(&mut at, 2, [1, 1, 1], held(2));
    assert_eq!(at.life(), Life::new(9));
    assert!(!at.serves());
    assert!(kept(&told).contains(&Kept::Lives(lives([9, 1, 1]))), "{told:?}");
    assert_eq!(asked(&told), [2, 3]);
    // An answer to the life that is over says nothing to this one.
    hear(&mut at, 3, [1, 1, 1], held(2));
    assert!(!at.serves());
    for from in [2, 3] {
        hear(&mut at, from, [9, 1, 1], held(0));
    }
    assert!(at.serves() && at.is_closed());
    let told = ask(&mut at, 0, 3, Operation::Write(deposit()), None);
    let Some(Effect::Broadcast(write)) = told.last() else { panic!("{told:?}") };
    assert_eq!(write.dot, dot(1, 9, 1));
}

#[test]
fn a_branch_with_a_disk_serves_without_the_others_when_its_limit_is_over() {
    let mut before = opened();
    let all = kept(&ask(&mut before, 0, 1, Operation::Write(deposit()), None));
    let (mut at, _) = started(memory(all));
    tell(&mut at, 50, passbook::bank::Input::DeadlineReached);
    assert!(at.serves());
    // Whether a higher id is new, only all of them together know.
    assert!(!at.gives_event_ids());
}
