//! Writes a history, fact by fact. Remembers only processes and messages on their way.

use std::io;

use super::lamport::LamportClocks;
use super::line::{End, EndLine, FactLine, HeaderLine};
use super::{Header, Recorded};

/// Writes a history to `W`, a line at a time; give it something buffered. It is whole only after
/// [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<W: io::Write> {
    out: W,
    clocks: LamportClocks,
    facts: u64,
}

impl<W: io::Write> Writer<W> {
    /// Writes the header.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        let line = HeaderLine::of(header);
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
        Ok(Self { out, clocks: LamportClocks::default(), facts: 0 })
    }

    /// Writes one fact with its Lamport clock. Facts come in the order in which they happened.
    pub fn record(&mut self, recorded: &Recorded) -> io::Result<()> {
        let lamport = self.clocks.stamp(&recorded.fact);
        let line = FactLine { at_us: recorded.at, lamport, fact: &recorded.fact };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")?;
        self.facts += 1;
        Ok(())
    }

    /// Writes the end marker and flushes.
    pub fn finish(mut self) -> io::Result<W> {
        serde_json::to_writer(&mut self.out, &EndLine { end: End { facts: self.facts } })?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Fact, MessageBody};
    use crate::model::{
        BranchId, CustomerId, EventId, MessageNumber, Money, Roster, Seed, Time, WriteId,
    };

    #[test]
    fn messages_that_arrived_or_were_lost_are_forgotten() {
        let branch = |id| BranchId::new(id).unwrap();
        let (from, to) = (branch(1), branch(2));
        let id = WriteId { customer: CustomerId::new(1).unwrap(), event: EventId::new(1).unwrap() };
        let body = MessageBody::Propagate { id };
        let header = Header {
            passbook: None,
            scenario: "messages".to_owned(),
            seed: Seed(0),
            roster: Roster::new([from, to]).unwrap().into(),
            opening_balance: Money::ZERO,
            terms: None,
            config: [].into(),
        };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        for number in (0..1000).map(MessageNumber::new) {
            let end = if number.get() % 2 == 0 {
                Fact::MessageReceived { from, to, number, body }
            } else {
                Fact::MessageLost { from, to, number, body, reason: None }
            };
            for fact in [Fact::MessageSent { from, to, number, body }, end] {
                writer.record(&Recorded { at: Time::START, fact }).unwrap();
            }
            assert_eq!(writer.clocks.under_way(), 0);
        }
    }
}
