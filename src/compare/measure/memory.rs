//! How much memory a comparison takes, estimated before it begins.

use super::{CompareOptions, Transport};
use crate::run::{Carrier, copies_bytes};
use crate::scenario::Scenario;

/// How many bytes a comparison takes over the transport that takes most. How often it repeats the
/// scenario is not known before; each repetition adds its writes.
pub fn compare_bytes(scenario: &Scenario, options: &CompareOptions) -> u64 {
    let of = |transport: &Transport| {
        let carrier = match transport {
            Transport::Mailbox => Carrier::Mailboxes,
            Transport::GrpcMemory | Transport::GrpcUnix | Transport::GrpcTcp => {
                Carrier::Connections
            }
            Transport::Processes => Carrier::Processes,
        };
        copies_bytes(scenario, &options.overrides, options.copies, carrier)
    };
    options.transports.iter().map(of).max().unwrap_or_default()
}
