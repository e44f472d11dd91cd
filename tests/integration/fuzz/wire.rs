//! What comes over a wire: requests of both contracts, and tokens.

use http_body_util::BodyExt;
use passbook::grpc::convert::{ClassicCall, FieldError, propagated_write};
use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::v1;
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::grpc::token::{passbook_of, token_of};
use passbook::model::{Money, Roster};
use prost::Message;
use tonic::{Code, Status};

use crate::facade::strangers::{framed, post};
use crate::facade::test_bank::{
    At, TestBank, bank_of, branch, in_system, read_writes, relayed, write,
};
use crate::fuzz::changed::cases;

const WORDS: [&str; 9] =
    ["customer", "branch", "deposit", "withdraw", "query", "10.50", "-1", "\u{0}", "\u{7f}"];

/// A request of each method takes far longer than a text.
const PER_METHOD: usize = 150;

fn classic_requests() -> Vec<Vec<u8>> {
    let query = BranchRequest { money: 0.0, ..write("query", 2, 0.0) };
    let oldest = BranchRequest { customer_id: 0, event_id: 0, ..write("deposit", 0, 3.5) };
    let requests = [
        write("deposit", 1, 400.0),
        write("withdraw", 2, 0.01),
        relayed(2, 3, 12.25),
        query,
        oldest,
        read_writes(),
    ];
    requests.map(|request| request.encode_to_vec()).into()
}

#[track_caller]
fn assert_field_is_named(error: &FieldError) {
    assert!(!error.field.is_empty());
    let told = error.to_string();
    assert!(told.starts_with(&error.field) && !told.contains(char::is_control), "{told:?}");
}

#[test]
fn a_changed_classic_request_is_a_call_that_can_be_said_again_or_its_field_is_named() {
    let seeds = classic_requests();
    for case in cases("wire::a_changed_classic_request", &seeds, &WORDS) {
        let Ok(request) = BranchRequest::decode(case.bytes.as_slice()) else { continue };
        match ClassicCall::try_from(&request) {
            Err(error) => assert_field_is_named(&error),
            Ok(call) => {
                let said =
                    BranchRequest::try_from(call).expect("what a float said, a float can say");
                assert_eq!(ClassicCall::try_from(&said), Ok(call));
            }
        }
    }
}

#[test]
fn a_changed_write_of_a_peer_is_read_or_its_field_is_named() {
    let roster = Roster::new([1, 2].map(branch)).unwrap();
    let logged = v1::LoggedWrite {
        origin_branch_id: 2,
        sequence: 1,
        life: 3,
        id: Some(v1::WriteId { customer_id: 1, event_id: 1 }),
        write: Some(v1::Write { kind: v1::WriteKind::Deposit.into(), amount: "4.05".to_owned() }),
    };
    let seeds = [v1::PropagatedWrite { logged: Some(logged), ..Default::default() }];
    let seeds = seeds.map(|write| write.encode_to_vec());
    for case in cases("wire::a_changed_write", &seeds, &WORDS) {
        let Ok(request) = v1::PropagatedWrite::decode(case.bytes.as_slice()) else { continue };
        match propagated_write("write", Some(&request), &roster) {
            Err(error) => assert_field_is_named(&error),
            Ok(write) => assert!(write.dot.sequence.get() > 0),
        }
    }
}

/// The methods that answer at once, each with a request.
fn methods() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let (branch_id, customer_id) = (1, 1);
    let amount = "10.5".to_owned();
    let deposit = v1::DepositRequest {
        branch_id,
        customer_id,
        event_id: None,
        amount: amount.clone(),
        passbook: None,
    };
    let withdraw = v1::WithdrawRequest {
        branch_id,
        customer_id,
        event_id: None,
        amount,
        passbook: Some(vec![1, 2, 3]),
    };
    let query = v1::QueryRequest { branch_id, customer_id, event_id: None, passbook: None };
    let get = v1::GetBranchRequest { branch_id, view: v1::BranchView::Full.into() };
    let read = v1::ReadBranchRequest { branch_id, from_position: 1, page_writes_max: 2 };
    vec![
        ("/banking.Branch/MsgDelivery", classic_requests()),
        ("/passbook.v1.BankService/Deposit", vec![deposit.encode_to_vec()]),
        ("/passbook.v1.BankService/Withdraw", vec![withdraw.encode_to_vec()]),
        ("/passbook.v1.BankService/Query", vec![query.encode_to_vec()]),
        ("/passbook.v1.BankService/GetBranch", vec![get.encode_to_vec()]),
        ("/passbook.v1.BankService/ReadBranch", vec![read.encode_to_vec()]),
    ]
}

/// How a call ended, from the headers of its answer or from the trailers.
async fn status(test_bank: &TestBank, path: &str, message: &[u8]) -> Status {
    let headers = [("content-type", "application/grpc"), ("branch", "1")];
    let answer = post(test_bank, path, &headers, framed(message)).await;
    if let Some(status) = Status::from_header_map(answer.headers()) {
        return status;
    }
    let body = answer.into_body().collect().await.expect("a whole answer");
    Status::from_header_map(body.trailers().expect("trailers")).expect("a status")
}

#[test]
fn a_changed_request_is_answered_in_words_and_the_branches_agree_afterwards() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        for (path, seeds) in methods() {
            for case in cases("wire::a_changed_request", &seeds, &WORDS).take(PER_METHOD) {
                let status = status(&test_bank, path, &case.bytes).await;
                let is_ours = !matches!(status.code(), Code::Unknown | Code::Internal);
                assert!(is_ours, "{path}: {status:?}");
                assert_eq!(status.code() == Code::Ok, status.message().is_empty(), "{status:?}");
            }
        }
        let mut typed = test_bank.typed().await;
        typed.deposit(At(2, 7, None), "1", None).await.expect("the bank goes on");
        let [one, two] = [typed.get(1).await.unwrap(), typed.get(2).await.unwrap()];
        assert!(one.events.len() > 10, "many requests did something: {one:?}");
        assert_eq!((one.balance, one.events.len()), (two.balance, two.events.len()));
    });
}

#[test]
fn a_changed_token_is_refused_and_what_is_sealed_stands_for_one_passbook() {
    let roster = Roster::new([1, 2, 3].map(branch)).unwrap();
    let seal = BankKeys::new(&BankSecret::public(), "fuzz", &roster, Money::ZERO).tokens;
    // 300 is 0xac 0x02 as a varint.
    let texts = [vec![1], vec![1, 0, 1, 1, 2], vec![1, 0, 1, 1, 2, 1, 1, 0xac, 2, 0xac, 2]];
    let sealed = |text: &[u8]| [text, &seal.tag(text)].concat();
    let tokens = texts.clone().map(|text| sealed(&text));
    assert!(tokens.iter().all(|token| passbook_of(token, &seal, &roster).is_ok()));
    for case in cases("wire::a_changed_token", &tokens, &[]) {
        let is_given = tokens.contains(&case.bytes);
        assert_eq!(passbook_of(&case.bytes, &seal, &roster).is_ok(), is_given);
    }
    for case in cases("wire::a_changed_token", &texts, &[]) {
        if let Ok(passbook) = passbook_of(&sealed(&case.bytes), &seal, &roster) {
            let given = token_of(&passbook, &seal, &roster);
            assert_eq!(passbook_of(&given, &seal, &roster), Ok(passbook));
        }
    }
}
