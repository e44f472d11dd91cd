//! What a client may ask of a server, at most.

use std::time::Duration;

/// What a client may ask of a server, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of a message, in bytes.
    pub message_bytes_max: usize,
    /// The size of all headers of a call, in bytes.
    pub header_bytes_max: u32,
    /// How many calls of one connection go on at the same time.
    pub calls_max: u32,
    /// How many requests of all connections wait for their branch; more are refused.
    pub waiting_max: usize,
    /// How many writes of one peer wait for what they depend on; more are refused until they can be
    /// applied.
    pub peer_waiting_max: usize,
    /// How many connections are open, on all ports. More make those close that are idle.
    pub connections_max: usize,
    /// How many of them are of one address.
    pub address_connections_max: usize,
    /// How long a connection may make no call.
    pub idle_time_max: Duration,
    /// How long a client may take to say what it speaks, and to send the head of a request in
    /// HTTP/1.
    pub header_time_max: Duration,
    /// How long a client may take to send a message of a request.
    pub body_time_max: Duration,
    /// How much memory all requests take that have not come whole, in bytes.
    pub unread_bytes_max: usize,
    /// How long a call may take until its answer, or the first part of it, is there.
    pub call_time_max: Duration,
    /// How many writes of a branch one answer has; how many more there are is said.
    pub log_entries_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 << 20,
            header_bytes_max: 16 << 10,
            calls_max: 1024,
            waiting_max: 65_536,
            peer_waiting_max: 1024,
            connections_max: 4096,
            address_connections_max: 1024,
            idle_time_max: Duration::from_secs(5 * 60),
            header_time_max: Duration::from_secs(10),
            body_time_max: Duration::from_secs(10),
            unread_bytes_max: 64 << 20,
            call_time_max: Duration::from_secs(30),
            log_entries_max: 10_000,
        }
    }
}
