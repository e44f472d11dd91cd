//! The bank behind its ports: what comes in, who answers it, and how much may be asked.

mod acceptor;
mod admission;
mod believed;
mod classic;
mod connections;
mod connector;
mod counted;
mod directory;
mod gate;
mod gateway;
mod gather;
mod http;
mod layers;
mod limit_log;
mod limits;
mod listen;
mod origin;
mod outgoing;
mod pages;
mod peer;
mod reason;
mod scenario;
mod scenarios;
mod statistics;
mod typed;
mod watch;

pub use believed::{Believed, PeersElsewhere};
pub use connections::{ConnectionCounts, Connections};
pub use connector::{BranchListener, BranchListenerError, Connector, Medium};
pub use gate::Gate;
pub use gateway::{Gateway, GatewaySetup};
pub use limits::Limits;
pub use listen::{BindError, EdgeError, Listener, Services};
pub use origin::{Origin, OriginError};
pub use scenario::{
    Expectation, InputFault, InputPlace, ScenarioDone, ScenarioFault, ScenarioJob, ScenarioRunner,
};
pub use scenarios::{ScenarioLimits, Scenarios};
pub use statistics::LimitTeller;
