//! What branches in other passbook processes ask of a branch here.

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_client::PeerServiceClient;
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::grpc::{Channel, Limits};
use passbook::run::LiveOptions;
use tokio::task::JoinSet;
use tonic::Code;

use crate::facade::proving::{Peer, Shows, challenge, prove, proved};
use crate::facade::sister::{LIVES, known, sister};
use crate::facade::test_bank::{
    At, TestBank, assert_told, bank_of, branch, in_system, relayed, reply, told, write,
};

/// Branch 1 here; the test speaks for branch 2.
async fn meet() -> (TestBank, Peer) {
    meet_within(Limits::default()).await
}

async fn meet_within(limits: Limits) -> (TestBank, Peer) {
    let options = with_a_peer();
    let test_bank = TestBank::with(&options, limits, Some(branch(1)));
    let client = proved(test_bank.channel().await, &options).await;
    (test_bank, client)
}

fn with_a_peer() -> LiveOptions {
    let mut options = bank_of(2);
    sister(&mut options);
    options
}

pub(crate) fn introduction(branch_ids: Vec<u32>, opening_balance: &str) -> v1::IntroduceRequest {
    let opening_balance = opening_balance.to_owned();
    let bank = Some(v1::BankDescription { branch_ids, opening_balance });
    v1::IntroduceRequest { bank, branch_id: 2, version: None, lives: known() }
}

/// Branch 2 hands over its write of this number: a deposit of 1 by customer 9.
pub(crate) fn handed(sequence: u64, event_id: u32) -> v1::PropagateRequest {
    let logged = v1::LoggedWrite {
        id: Some(v1::WriteId { customer_id: 9, event_id }),
        write: Some(v1::Write { kind: v1::WriteKind::Deposit.into(), amount: "1".to_owned() }),
        origin_branch_id: 2,
        sequence,
        life: LIVES[1],
    };
    let write = Some(v1::PropagatedWrite { logged: Some(logged), dependencies: None });
    v1::PropagateRequest { write, from_branch_id: 2, number: sequence, lives: known() }
}

#[test]
fn branches_of_one_bank_introduce_themselves_and_others_are_refused() {
    in_system(async {
        let (_shop, mut peer) = meet().await;
        let answer = peer.introduce(introduction(vec![1, 2], "100")).await.unwrap().into_inner();
        assert_eq!(answer.branch_id, 1);
        for other in [introduction(vec![1, 2, 3], "100"), introduction(vec![1, 2], "100.01")] {
            let answer = peer.introduce(other).await;
            assert_told(answer, Code::FailedPrecondition, "OTHER_BANK");
        }
        let ourselves = v1::IntroduceRequest { branch_id: 1, ..introduction(vec![1, 2], "100") };
        let status =
            assert_told(peer.introduce(ourselves).await, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(told(&status, "field"), "branch_id");
    });
}

#[test]
fn a_write_waits_for_the_one_before_it_and_is_acknowledged_again_if_it_comes_again() {
    in_system(async {
        let (test_bank, mut peer) = meet().await;
        let later = {
            let mut peer = peer.clone();
            tokio::spawn(async move { peer.propagate(handed(2, 2)).await })
        };
        let first = peer.propagate(handed(1, 1)).await.unwrap().into_inner();
        let acknowledged = first.acknowledgement.unwrap();
        assert_eq!((acknowledged.sequence, acknowledged.write_set_len), (1, 1));
        let second = later.await.unwrap().unwrap().into_inner().acknowledgement.unwrap();
        assert_eq!((second.sequence, second.write_set_len), (2, 2));
        let again = peer.propagate(handed(2, 2)).await.unwrap().into_inner();
        assert_eq!(again.acknowledgement, Some(second));
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().balance, "102");

        let asked = v1::CatchUpRequest {
            branch_id: 2,
            version: Some(v1::VersionVector {
                entries: vec![v1::VersionEntry { origin_branch_id: 2, applied: 1, life: LIVES[1] }],
            }),
            lives: known(),
        };
        let mut missed = peer.catch_up(asked).await.unwrap().into_inner();
        let only = missed.message().await.unwrap().unwrap().missed.unwrap();
        assert_eq!((only.origin_branch_id, only.sequence), (2, 2));
        let end = missed.message().await.unwrap().unwrap().end.unwrap();
        assert_eq!((end.rest(), end.lives), (v1::AnswerRest::Nothing, known()));
        assert!(missed.message().await.unwrap().is_none());
    });
}

#[test]
fn a_number_that_names_another_write_is_told_and_nothing_waits_for_ever() {
    in_system(async {
        let (test_bank, mut peer) = meet().await;
        peer.propagate(handed(1, 1)).await.unwrap();
        let answer = peer.propagate(handed(1, 5)).await;
        assert_told(answer, Code::FailedPrecondition, "CONFLICT");
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().balance, "101");
    });
}

/// A branch that numbers its writes would get the same number twice.
#[test]
fn a_branch_that_has_introduced_itself_brings_nothing_in_the_classic_contract() {
    in_system(async {
        let (test_bank, mut peer) = meet().await;
        let mut classic = test_bank.classic().await;
        peer.introduce(introduction(vec![1, 2], "100")).await.unwrap();
        assert_eq!(classic.send(relayed(2, 1, 1.0)).await, reply(400, "", 0.0));
        assert_eq!(classic.send(write("query", 0, 0.0)).await, reply(200, "[]", 100.0));
    });
}

/// If they were, two deposits would count as one.
#[test]
fn event_ids_given_here_are_not_those_given_elsewhere() {
    in_system(async {
        let (test_bank, mut peer) = meet().await;
        let mut bank = test_bank.typed().await;
        let mut given = Vec::new();
        for sequence in 1..=2 {
            // Nobody confirms, and the id is told all the same, by the write set.
            assert!(bank.deposit(At(1, 9, None), "1", None).await.is_err());
            let state = bank.get(1).await.unwrap();
            given.push(state.events.last().unwrap().event_id);
            peer.propagate(handed(sequence, u32::try_from(sequence * 2).unwrap())).await.unwrap();
        }
        assert_eq!(given, [1, 3]);
    });
}

/// Calls as branch 2 with this ticket, or none.
fn showing(channel: &Channel, ticket: &[u8]) -> Peer {
    PeerServiceClient::with_interceptor(channel.clone(), Shows(ticket.to_vec()))
}

async fn assert_refused(mut peer: Peer) {
    let (unproved, reason) = (Code::Unauthenticated, "NOT_A_PEER");
    assert_told(peer.introduce(introduction(vec![1, 2], "100")).await, unproved, reason);
    assert_told(peer.propagate(handed(1, 1)).await, unproved, reason);
    let asked = v1::CatchUpRequest { branch_id: 2, version: None, lives: None };
    assert_told(peer.catch_up(asked).await, unproved, reason);
}

#[test]
fn who_has_not_proved_to_be_a_peer_is_told_nothing_and_brings_nothing() {
    in_system(async {
        let (test_bank, mut peer) = meet().await;
        let channel = test_bank.channel().await;
        for ticket in [&[][..], &[0; 16], &[0; 15]] {
            assert_refused(showing(&channel, ticket)).await;
        }
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().events, []);
        peer.propagate(handed(1, 1)).await.unwrap();
    });
}

#[test]
fn a_proof_with_another_secret_or_of_another_meeting_is_none() {
    in_system(async {
        let options = with_a_peer();
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let channel = test_bank.channel().await;
        let secret = BankSecret::read(&"5".repeat(64)).unwrap();
        let others = BankKeys::new(&secret, "test", &options.roster, options.opening_balance);
        let (unproved, reason) = (Code::Unauthenticated, "NOT_A_PEER");
        let answer = challenge(&channel, &options).await.unwrap();
        assert_told(prove(&channel, &others, &answer).await, unproved, reason);
        // A meeting is over with the first try.
        assert_told(prove(&channel, &options.keys, &answer).await, unproved, reason);
        let answer = challenge(&channel, &options).await.unwrap();
        prove(&channel, &options.keys, &answer).await.unwrap();
        assert_told(prove(&channel, &options.keys, &answer).await, unproved, reason);
        // Another process of the same bank has other tickets, and begins other meetings.
        let other = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let answer = challenge(&channel, &options).await.unwrap();
        assert_told(prove(&other.channel().await, &options.keys, &answer).await, unproved, reason);
        let ticket = prove(&channel, &options.keys, &answer).await.unwrap();
        assert_refused(showing(&other.channel().await, &ticket)).await;
    });
}

#[test]
fn a_ticket_is_good_until_the_same_branch_proves_itself_anew() {
    in_system(async {
        let options = with_a_peer();
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let channel = test_bank.channel().await;
        let mut first = proved(channel.clone(), &options).await;
        first.propagate(handed(1, 1)).await.unwrap();
        let mut second = proved(channel, &options).await;
        assert_refused(first).await;
        second.propagate(handed(2, 2)).await.unwrap();
    });
}

#[test]
fn of_more_than_eight_open_meetings_the_oldest_is_forgotten() {
    in_system(async {
        let options = with_a_peer();
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let channel = test_bank.channel().await;
        let mut answers = Vec::new();
        for _ in 0..9 {
            answers.push(challenge(&channel, &options).await.unwrap());
        }
        let refused = prove(&channel, &options.keys, &answers[0]).await;
        assert_told(refused, Code::Unauthenticated, "NOT_A_PEER");
        for answer in &answers[1..] {
            prove(&channel, &options.keys, answer).await.unwrap();
        }
    });
}

#[test]
fn what_waits_of_one_peer_has_a_bound_and_what_was_refused_is_taken_later() {
    in_system(async {
        let (test_bank, peer) =
            meet_within(Limits { peer_waiting_max: 3, ..Limits::default() }).await;
        let mut waiting = JoinSet::new();
        for number in 2..=5 {
            let mut peer = peer.clone();
            let hand = async move { peer.propagate(handed(u64::from(number), number)).await };
            waiting.spawn(async move { (number, hand.await) });
        }
        // Whichever comes last finds three there.
        let (refused, answer) = waiting.join_next().await.unwrap().unwrap();
        assert_told(answer, Code::ResourceExhausted, "CROWDED");
        let mut peer = peer;
        peer.propagate(handed(1, 1)).await.unwrap();
        while let Some(waited) = waiting.join_next().await {
            waited.unwrap().1.unwrap();
        }
        peer.propagate(handed(u64::from(refused), refused)).await.unwrap();
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().balance, "105");
    });
}

/// A peer that gives up and sends the same write again has no more kept here than with different
/// ones.
#[test]
fn one_write_that_is_sent_again_and_again_counts_each_time_until_it_is_applied() {
    in_system(async {
        let (test_bank, mut peer) =
            meet_within(Limits { peer_waiting_max: 3, ..Limits::default() }).await;
        for number in [2, 4] {
            let mut waiting = JoinSet::new();
            for _ in 0..4 {
                let mut peer = peer.clone();
                let write = handed(u64::from(number), number);
                waiting.spawn(async move { peer.propagate(write).await });
            }
            let crowded = waiting.join_next().await.unwrap().unwrap();
            assert_told(crowded, Code::ResourceExhausted, "CROWDED");
            waiting.shutdown().await;
            // The one that is missing is taken, and all that waited for it are let go.
            peer.propagate(handed(u64::from(number) - 1, number - 1)).await.unwrap();
        }
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().balance, "104");
    });
}

#[test]
fn a_bank_whose_branches_all_live_here_has_no_peer_service() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut peer = showing(&test_bank.channel().await, &[]);
        let answer = peer.propagate(handed(1, 1)).await;
        let status = assert_told(answer, Code::Unimplemented, "UNKNOWN_SERVICE");
        assert!(!told(&status, "services").contains("PeerService"), "{status:?}");
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().events, []);
    });
}
