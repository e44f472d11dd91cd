//! What the peer service says of lives, and of processes that take themselves for one branch.

use std::time::Duration;

use passbook::grpc::Limits;
use passbook::grpc::proto::v1;
use passbook::run::{BankFailure, LiveOptions};
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::facade::elsewhere::Away;
use crate::facade::peer_service::{handed, introduction};
use crate::facade::proving::{Peer, START, challenge, prove, proved};
use crate::facade::sister::{Accusation, Known, LIVES, known, sister, sister_started};
use crate::facade::test_bank::{At, TestBank, assert_told, bank_of, branch, in_system, told};

/// Branch 1 here; the test speaks for branch 2, which is there too.
async fn meet() -> (TestBank, Peer, Known) {
    let mut options = bank_of(2);
    let there = sister(&mut options);
    let (test_bank, peer) = meet_in(&options).await;
    (test_bank, peer, there)
}

/// Branch 1, which waits for nobody; branch 2 is away.
fn alone() -> (TestBank, LiveOptions, Away) {
    let mut options = bank_of(2);
    let away = Away::new();
    options.elsewhere.insert(away.branch(), away.endpoint());
    options.links.return_limit = Duration::ZERO;
    (TestBank::with(&options, Limits::default(), Some(branch(1))), options, away)
}

async fn meet_in(options: &LiveOptions) -> (TestBank, Peer) {
    let test_bank = TestBank::with(options, Limits::default(), Some(branch(1)));
    let peer = proved(test_bank.channel().await, options).await;
    (test_bank, peer)
}

fn list(lives: [u64; 2]) -> Option<v1::LifeList> {
    Some(v1::LifeList { lives: lives.to_vec() })
}

/// The life and the number of the write of branch 2 that branch 1 says to have applied, and how many
/// of its customer it holds then.
fn acknowledged(answer: &v1::PropagateResponse) -> (u64, u64, u32) {
    let said = answer.acknowledgement.as_ref().expect("it is applied");
    assert_eq!((said.branch_id, said.origin_branch_id), (1, 2));
    (said.life, said.sequence, said.write_set_len)
}

/// How the answer to a question of one that knows of these lives ends.
async fn answer_to(peer: &mut Peer, lives: [u64; 2]) -> Result<v1::AnswerEnd, Status> {
    let request = v1::CatchUpRequest { branch_id: 2, version: None, lives: list(lives) };
    let mut answer = peer.catch_up(request).await?.into_inner();
    while let Some(part) = answer.message().await? {
        if let Some(end) = part.end {
            return Ok(end);
        }
    }
    panic!("an answer has an end")
}

#[test]
fn what_a_life_that_is_over_sends_and_what_is_meant_for_an_earlier_one_is_thrown_away() {
    in_system(async {
        let (test_bank, mut peer, _) = meet().await;
        let [here, there] = LIVES;
        for lives in [[here, there - 1], [here - 1, there]] {
            let write = v1::PropagateRequest { lives: list(lives), ..handed(1, 1) };
            let answer = peer.propagate(write).await.unwrap().into_inner();
            assert_eq!((answer.acknowledgement, answer.lives), (None, known()), "{lives:?}");
        }
        assert_eq!(test_bank.typed().await.get(1).await.unwrap().events, []);
        // A question is read, whichever life it is meant for, but of no life that is over.
        for (lives, rest) in [
            ([here - 1, there], v1::AnswerRest::Nothing),
            ([here, there], v1::AnswerRest::Nothing),
            ([here, there - 1], v1::AnswerRest::Unspecified),
        ] {
            let end = answer_to(&mut peer, lives).await.unwrap();
            assert_eq!((end.rest(), end.lives), (rest, known()), "{lives:?}");
        }
        let answer = peer.propagate(handed(1, 1)).await.unwrap().into_inner();
        assert_eq!(acknowledged(&answer), (LIVES[1], 1, 1));
        assert_eq!(answer.lives, known());
    });
}

#[test]
fn a_new_life_is_learned_from_whatever_comes_first() {
    in_system(async {
        let (_test_bank, mut peer, there) = meet().await;
        let [here, second] = LIVES;
        there.learn([here, second + 1]);
        let answer = peer.introduce(v1::IntroduceRequest {
            lives: list([here, second + 1]),
            ..introduction(vec![1, 2], "100")
        });
        assert_eq!(answer.await.unwrap().into_inner().lives, list([here, second + 1]));
        // What was sent before that is of a life that is over now.
        let answer = peer.propagate(handed(1, 1)).await.unwrap().into_inner();
        assert_eq!(answer.acknowledgement, None);
        let end = answer_to(&mut peer, LIVES).await.unwrap();
        assert_eq!(end.rest(), v1::AnswerRest::Unspecified);
    });
}

#[test]
fn what_waits_of_a_life_that_ends_is_let_go() {
    in_system(async {
        let (_test_bank, mut peer, there) = meet().await;
        let waits = {
            let mut peer = peer.clone();
            tokio::spawn(async move { peer.propagate(handed(2, 2)).await })
        };
        // It has come by then, for it was sent first.
        answer_to(&mut peer, LIVES).await.unwrap();
        assert!(!waits.is_finished());
        let lives = [LIVES[0], LIVES[1] + 1];
        there.learn(lives);
        let lives = list(lives);
        let request =
            v1::IntroduceRequest { lives: lives.clone(), ..introduction(vec![1, 2], "100") };
        peer.introduce(request).await.unwrap();
        let answer = waits.await.unwrap().unwrap().into_inner();
        assert_eq!((answer.acknowledgement, &answer.lives), (None, &lives));
        // Its next life may hold what it waited for, and bring it.
        for number in [1, 2] {
            let write = v1::PropagateRequest {
                lives: lives.clone(),
                ..handed(number, u32::try_from(number).unwrap())
            };
            let answer = peer.propagate(write).await.unwrap().into_inner();
            assert_eq!(acknowledged(&answer), (LIVES[1], number, u32::try_from(number).unwrap()));
            assert_eq!(answer.lives, lives);
        }
    });
}

#[test]
fn a_list_of_lives_that_is_none_of_this_bank_is_refused() {
    in_system(async {
        let (_test_bank, mut peer, _) = meet().await;
        let lives = Some(v1::LifeList { lives: vec![1, 2, 3] });
        let write = v1::PropagateRequest { lives, ..handed(1, 1) };
        let status = assert_told(peer.propagate(write).await, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(told(&status, "field"), "lives.lives");
        assert!(status.message().contains("3 of 2 branches"), "{status:?}");
    });
}

/// A clock went back: its peer tells of a later life of it than it has drawn.
#[test]
fn a_branch_that_hears_of_a_later_life_of_itself_at_its_start_goes_on_above_that() {
    in_system(async {
        let mut options = bank_of(2);
        let later = LIVES[0] + 1_000_000;
        sister(&mut options).learn([later, LIVES[1]]);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let mut bank = test_bank.typed().await;
        let answer = bank.deposit(At(1, 1, None), "1", None).await;
        assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        let version = bank.get(1).await.unwrap().version.unwrap();
        assert!(version.entries[0].life > later, "{version:?}");
    });
}

#[test]
fn a_bank_ends_when_its_branch_has_a_later_life_elsewhere() {
    in_system(async {
        let (test_bank, mut peer, _) = meet().await;
        let lives = list([LIVES[0] + 1, LIVES[1]]);
        let request = v1::IntroduceRequest { lives, ..introduction(vec![1, 2], "100") };
        peer.introduce(request).await.unwrap();
        let failure = test_bank.bank.failure().await;
        let BankFailure::Ended { branch: ended, end } = failure else { panic!("{failure:?}") };
        assert_eq!(ended, branch(1));
        assert_eq!(end.to_string(), format!("its later life {} is there", LIVES[0] + 1));
    });
}

#[test]
fn a_bank_ends_when_a_number_that_it_gave_names_another_write_elsewhere() {
    in_system(async {
        let (test_bank, _, there) = meet().await;
        there.conflict();
        let mut bank = test_bank.typed().await;
        let deposited = tokio::spawn(async move { bank.deposit(At(1, 1, None), "1", None).await });
        let failure = test_bank.bank.failure().await;
        let BankFailure::Ended { end, .. } = failure else { panic!("{failure:?}") };
        let told = "the number of one of its writes names another write at branch 2";
        assert_eq!(end.to_string(), told);
        assert!(!deposited.is_finished(), "it says nothing any more");
    });
}

#[test]
fn a_bank_ends_as_a_twin_when_one_says_so_that_has_proved_who_it_is() {
    in_system(async {
        let mut options = bank_of(2);
        let mut there = sister(&mut options);
        there.accuse(Accusation::Unproved);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        // Whoever answers at that address could say it: the bank tries again.
        there.be_challenged(3).await;
        let early = timeout(Duration::ZERO, test_bank.bank.failure()).await;
        assert!(early.is_err(), "{early:?}");
        there.accuse(Accusation::Proved);
        let failure = test_bank.bank.failure().await;
        assert_eq!(failure, BankFailure::Twin { branch: branch(1), found_by: branch(2) });
    });
}

#[test]
fn a_process_that_is_not_the_one_at_its_branchs_address_is_a_twin() {
    in_system(async {
        let mut options = bank_of(2);
        sister_started(START + 1, &mut options);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let channel = test_bank.channel().await;
        let answer = challenge(&channel, &options).await.unwrap();
        let refused = prove(&channel, &options.keys, &answer).await;
        let status = assert_told(refused, Code::FailedPrecondition, "TWIN");
        assert_eq!(told(&status, "branch"), "2");
    });
}

#[test]
fn a_process_is_not_believed_before_it_answers_at_its_branchs_address() {
    in_system(async {
        let (test_bank, options, _away) = alone();
        let channel = test_bank.channel().await;
        let answer = challenge(&channel, &options).await.unwrap();
        let refused = prove(&channel, &options.keys, &answer).await;
        let status = assert_told(refused, Code::Unavailable, "UNREACHED");
        assert_eq!(told(&status, "branch"), "2");
    });
}

#[test]
fn a_branch_that_has_not_heard_from_all_gives_no_event_ids_and_takes_no_writes() {
    in_system(async {
        let (test_bank, _, _away) = alone();
        let mut bank = test_bank.typed().await;
        for event in [None, Some(1)] {
            let answer = bank.deposit(At(1, 1, event), "1", None).await;
            let status = assert_told(answer, Code::Unavailable, "RETURNING");
            assert_eq!(told(&status, "unheard"), "2");
        }
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
    });
}
