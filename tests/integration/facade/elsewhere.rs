//! A branch elsewhere, written by someone else: speaks the classic contract alone, and may be away.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use passbook::grpc::Endpoint;
use passbook::grpc::proto::banking::branch_server::{Branch, BranchServer};
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::model::BranchId;
use passbook::run::LiveOptions;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::facade::test_bank;

/// Branch 2, which is away: its port is taken, and nobody listens on it.
pub(crate) struct Away {
    socket: TcpSocket,
    address: SocketAddr,
}

/// How a branch written by someone else answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As the contract says.
    Right,
    /// It leaves the write set out where a branch writes.
    Terse,
    /// It forgets what it wrote: its write sets are empty.
    Forgetful,
    /// It applies, and then fails, the first time that it is sent a write.
    Clumsy,
    /// It refuses the first write that it is sent, and applies it the next time.
    Reluctant,
    /// It answers when it is woken.
    Asleep,
}

/// Branch 2, there.
pub(crate) struct There {
    books: Arc<Mutex<Books>>,
    awake: watch::Sender<bool>,
    served: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Books {
    /// The event ids that were applied, in order; one row per customer from 1. Applied again if
    /// sent again, as simple programs do.
    sets: Vec<Vec<i32>>,
    calls: usize,
}

struct Stranger {
    manner: Manner,
    books: Arc<Mutex<Books>>,
    awake: watch::Receiver<bool>,
}

/// Lets branch 2 of `options` be there, and answer nothing before it is woken.
pub(crate) fn asleep(options: &mut LiveOptions) -> There {
    let away = Away::new();
    options.elsewhere.insert(away.branch(), away.endpoint());
    away.arrive_as(Manner::Asleep)
}

impl Away {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = socket.local_addr().expect("bound");
        Self { socket, address }
    }

    pub(crate) fn branch(&self) -> BranchId {
        test_bank::branch(2)
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new(&format!("http://{}", self.address)).expect("an address")
    }

    /// Somebody listens there from now on.
    pub(crate) fn listen(self) -> TcpListener {
        self.socket.listen(16).expect("it was bound")
    }

    /// Opens the branch.
    pub(crate) fn arrive(self) -> There {
        self.arrive_as(Manner::Right)
    }

    pub(crate) fn arrive_as(self, manner: Manner) -> There {
        let books = Arc::new(Mutex::new(Books::default()));
        let awake = watch::Sender::new(manner != Manner::Asleep);
        let stranger = Stranger { manner, books: Arc::clone(&books), awake: awake.subscribe() };
        let listener = self.listen();
        let server = Server::builder().add_service(BranchServer::new(stranger));
        let served = tokio::spawn(async move {
            server.serve_with_incoming(TcpIncoming::from(listener)).await.expect("serves");
        });
        There { books, awake, served }
    }
}

impl There {
    /// It answers now, also what it was asked before.
    pub(crate) fn wake(&self) {
        self.awake.send_replace(true);
    }

    /// What was applied, one row per customer from 1.
    pub(crate) fn sets(&self) -> Vec<Vec<i32>> {
        self.books.lock().expect("whole").sets.clone()
    }
}

impl Drop for There {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl Stranger {
    fn answer(&self, request: &BranchRequest) -> Result<BranchReply, Status> {
        let mut books = self.books.lock().expect("whole");
        let customer = usize::try_from(request.customer_id).expect("an id") - 1;
        if books.sets.len() <= customer {
            books.sets.resize(customer + 1, Vec::new());
        }
        if !request.read_writes {
            books.calls += 1;
            if self.manner == Manner::Reluctant && books.calls == 1 {
                return Ok(test_bank::reply(400, "", 0.0));
            }
            books.sets[customer].push(request.event_id);
            if self.manner == Manner::Clumsy && books.calls == 1 {
                return Err(Status::internal("fell over after the write"));
            }
        }
        let told = match self.manner {
            Manner::Terse if !request.read_writes => return Ok(test_bank::reply(200, "", 0.0)),
            Manner::Forgetful => Vec::new(),
            Manner::Right | Manner::Terse | Manner::Clumsy | Manner::Reluctant | Manner::Asleep => {
                books.sets[customer].clone()
            }
        };
        Ok(test_bank::reply(200, &format!("{told:?}"), 0.0))
    }
}

#[tonic::async_trait]
impl Branch for Stranger {
    async fn msg_delivery(
        &self,
        request: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        let mut awake = self.awake.clone();
        awake.wait_for(|&awake| awake).await.expect("it is there");
        self.answer(request.get_ref()).map(Response::new)
    }
}
