//! Jobs over many machines on the real NATS server, which `tests/cluster/run` installs: the result is that of
//! one machine, whatever is killed on the way, and what is wrong is said clearly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "it says what was done")]

mod credentials;
mod files;
mod given_up;
mod kills;
mod program;
mod same;
mod server;
mod wrong;
