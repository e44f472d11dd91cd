//! Branch 2 as another passbook process has it: says that it holds nothing, and confirms nothing. It may
//! know of another write under each number that it is sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_server::{PeerService, PeerServiceServer};
use passbook::grpc::seal::BankKeys;
use passbook::run::LiveOptions;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::facade::elsewhere::Away;
use crate::facade::proving::{End, NONCE, START, proof};
use crate::facade::test_bank::LIFE;

/// In which lives branch 1, here, and branch 2 are.
pub(crate) const LIVES: [u64; 2] = [LIFE.get(), 3];

/// What branch 2 knows of lives.
pub(crate) fn known() -> Option<v1::LifeList> {
    Some(v1::LifeList { lives: LIVES.to_vec() })
}

struct Sister {
    keys: BankKeys,
    start: u64,
    lives: Arc<Mutex<Vec<u64>>>,
    conflicts: Arc<AtomicBool>,
    accuses: Arc<Mutex<Option<Accusation>>>,
    challenges: watch::Sender<u32>,
}

/// When it says that another process is the branch that calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accusation {
    /// Before it has proved who it is itself.
    Unproved,
    /// After that.
    Proved,
}

/// What a test changes of it.
pub(crate) struct Known {
    lives: Arc<Mutex<Vec<u64>>>,
    conflicts: Arc<AtomicBool>,
    accuses: Arc<Mutex<Option<Accusation>>>,
    challenges: watch::Receiver<u32>,
}

impl Known {
    /// From now on it takes its caller for a twin.
    pub(crate) fn accuse(&self, when: Accusation) {
        *self.accuses.lock().expect("whole") = Some(when);
    }

    /// Ends when so many more have asked it who it is.
    pub(crate) async fn be_challenged(&mut self, times: u32) {
        let now = *self.challenges.borrow();
        self.challenges.wait_for(|challenges| *challenges >= now + times).await.expect("it serves");
    }

    /// From now on it knows of these lives.
    pub(crate) fn learn(&self, lives: [u64; 2]) {
        *self.lives.lock().expect("whole") = lives.to_vec();
    }

    /// From now on each number names another write there.
    pub(crate) fn conflict(&self) {
        self.conflicts.store(true, Ordering::Relaxed);
    }
}

/// Lets it be branch 2 of `options`, as long as the test runs.
pub(crate) fn sister(options: &mut LiveOptions) -> Known {
    sister_started(START, options)
}

/// The same, a process that drew this number at its start.
pub(crate) fn sister_started(start: u64, options: &mut LiveOptions) -> Known {
    let away = Away::new();
    options.elsewhere.insert(away.branch(), away.endpoint());
    let lives = Arc::new(Mutex::new(LIVES.to_vec()));
    let challenges = watch::Sender::new(0);
    let (conflicts, accuses, challenged) = (Arc::default(), Arc::default(), challenges.subscribe());
    let known = Known { lives, conflicts, accuses, challenges: challenged };
    let (lives, conflicts) = (Arc::clone(&known.lives), Arc::clone(&known.conflicts));
    let (keys, accuses) = (options.keys.clone(), Arc::clone(&known.accuses));
    let sister = Sister { keys, start, lives, conflicts, accuses, challenges };
    let listener = away.listen();
    let server = Server::builder().add_service(PeerServiceServer::new(sister));
    tokio::spawn(async move {
        server.serve_with_incoming(TcpIncoming::from(listener)).await.expect("serves");
    });
    known
}

impl Sister {
    fn accuse(&self, when: Accusation) -> Result<(), Status> {
        if *self.accuses.lock().expect("whole") == Some(when) {
            return Err(refused("TWIN"));
        }
        Ok(())
    }

    /// What it knows when it has heard of these.
    fn lives(&self, heard: Option<v1::LifeList>) -> Option<v1::LifeList> {
        let mut known = self.lives.lock().expect("whole");
        for (known, heard) in known.iter_mut().zip(heard.unwrap_or_default().lives) {
            *known = heard.max(*known);
        }
        Some(v1::LifeList { lives: known.clone() })
    }
}

fn refused(reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "passbook", []);
    Status::with_error_details(Code::FailedPrecondition, "not you", details)
}

#[tonic::async_trait]
impl PeerService for Sister {
    type CatchUpStream = ReceiverStream<Result<v1::CatchUpResponse, Status>>;

    async fn challenge(
        &self,
        request: Request<v1::ChallengeRequest>,
    ) -> Result<Response<v1::ChallengeResponse>, Status> {
        self.challenges.send_modify(|challenges| *challenges += 1);
        self.accuse(Accusation::Unproved)?;
        let v1::ChallengeRequest { branch_id, start, nonce, version, .. } = request.into_inner();
        let (caller, answerer) = (End(branch_id, start, &nonce), End(2, self.start, &NONCE));
        let proof = proof(&self.keys.peers, 2, &caller, &answerer);
        let (start, nonce) = (self.start, NONCE.to_vec());
        Ok(Response::new(v1::ChallengeResponse { branch_id: 2, start, nonce, proof, version }))
    }

    async fn prove(
        &self,
        _: Request<v1::ProveRequest>,
    ) -> Result<Response<v1::ProveResponse>, Status> {
        self.accuse(Accusation::Proved)?;
        Ok(Response::new(v1::ProveResponse { ticket: vec![9; 16] }))
    }

    async fn introduce(
        &self,
        request: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        let v1::IntroduceRequest { bank, lives, .. } = request.into_inner();
        let lives = self.lives(lives);
        Ok(Response::new(v1::IntroduceResponse { bank, branch_id: 2, version: None, lives }))
    }

    async fn propagate(
        &self,
        _: Request<v1::PropagateRequest>,
    ) -> Result<Response<v1::PropagateResponse>, Status> {
        if !self.conflicts.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        Err(refused("CONFLICT"))
    }

    async fn catch_up(
        &self,
        request: Request<v1::CatchUpRequest>,
    ) -> Result<Response<Self::CatchUpStream>, Status> {
        let (sender, receiver) = mpsc::channel(1);
        let rest = v1::AnswerRest::Nothing.into();
        let lives = self.lives(request.into_inner().lives);
        let end = Some(v1::AnswerEnd { rest, lives, held: None });
        let answer = v1::CatchUpResponse { missed: None, end };
        sender.try_send(Ok(answer)).expect("there is room for one");
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
