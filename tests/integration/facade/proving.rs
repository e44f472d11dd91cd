//! A branch elsewhere that proves who it is, as the contract says it in words.

use passbook::grpc::Channel;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_client::PeerServiceClient;
use passbook::grpc::seal::{BankKeys, Seal};
use passbook::run::LiveOptions;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

/// Branch 2, which speaks to branch 1.
pub(crate) type Peer = PeerServiceClient<InterceptedService<Channel, Shows>>;

/// Shows a ticket in each call.
#[derive(Clone)]
pub(crate) struct Shows(pub(crate) Vec<u8>);

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let ticket = MetadataValue::from_bytes(&self.0);
        request.metadata_mut().insert_bin("passbook-ticket-bin", ticket);
        Ok(request)
    }
}

pub(crate) fn description(options: &LiveOptions) -> v1::BankDescription {
    v1::BankDescription {
        branch_ids: options.roster.ids().iter().map(|id| id.get()).collect(),
        opening_balance: options.opening_balance.to_string(),
    }
}

/// One end of a meeting: branch, start and nonce.
pub(crate) struct End<'a>(pub(crate) u32, pub(crate) u64, pub(crate) &'a [u8]);

/// The tag of the caller (1) or of the answering branch (2).
pub(crate) fn proof(seal: &Seal, role: u8, caller: &End<'_>, answerer: &End<'_>) -> Vec<u8> {
    let mut text = vec![role];
    for End(branch, start, nonce) in [caller, answerer] {
        text.extend(branch.to_be_bytes());
        text.extend(start.to_be_bytes());
        text.extend(*nonce);
    }
    seal.tag(&text).to_vec()
}

pub(crate) const START: u64 = 77;
pub(crate) const NONCE: [u8; 16] = [5; 16];

/// Begins a proof as branch 2.
pub(crate) async fn challenge(
    channel: &Channel,
    options: &LiveOptions,
) -> Result<v1::ChallengeResponse, Status> {
    let (bank, nonce) = (Some(description(options)), NONCE.to_vec());
    let request =
        v1::ChallengeRequest { bank, branch_id: 2, start: START, nonce, version: Some(2) };
    Ok(PeerServiceClient::new(channel.clone()).challenge(request).await?.into_inner())
}

/// Ends it, with what was answered and with `keys`.
pub(crate) async fn prove(
    channel: &Channel,
    keys: &BankKeys,
    answer: &v1::ChallengeResponse,
) -> Result<Vec<u8>, Status> {
    let answerer = End(answer.branch_id, answer.start, &answer.nonce);
    let proof = proof(&keys.peers, 1, &End(2, START, &NONCE), &answerer);
    let request = v1::ProveRequest { branch_id: 2, nonce: answer.nonce.clone(), proof };
    Ok(PeerServiceClient::new(channel.clone()).prove(request).await?.into_inner().ticket)
}

/// Proves to be branch 2.
pub(crate) async fn proved(channel: Channel, options: &LiveOptions) -> Peer {
    let answer = challenge(&channel, options).await.expect("it answers");
    let caller = End(2, START, &NONCE);
    let answerer = End(1, answer.start, &answer.nonce);
    assert_eq!(answer.proof, proof(&options.keys.peers, 2, &caller, &answerer), "it proves itself");
    let ticket = prove(&channel, &options.keys, &answer).await.expect("a ticket");
    PeerServiceClient::with_interceptor(channel, Shows(ticket))
}
