//! The façade as clients see it: over an in-memory connection, and over real sockets.

mod classic;
mod closing;
mod elsewhere;
mod foul_weather;
mod limits;
mod lives;
mod pages;
mod peer;
mod peer_service;
mod protocols;
mod proving;
mod room;
mod sessions;
mod sister;
mod statistics;
pub(crate) mod strangers;
pub(crate) mod test_bank;
mod typed;
mod watching;
