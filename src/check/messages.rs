//! Messages between branches on their way. Where a history holds none, nothing is asked of them.

use std::collections::BTreeMap;

use super::Impossible;
use crate::history::MessageBody;
use crate::model::{BranchId, MessageNumber};

/// A message, as facts name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) from: BranchId,
    pub(super) to: BranchId,
    pub(super) number: MessageNumber,
    pub(super) body: MessageBody,
}

#[derive(Debug)]
struct UnderWay {
    to: BranchId,
    body: MessageBody,
    /// How many of it: more than one where the network made copies.
    copies: u32,
}

#[derive(Debug, Default)]
pub(super) struct Messages {
    under_way: BTreeMap<(BranchId, MessageNumber), UnderWay>,
}

impl Messages {
    pub(super) fn sent(&mut self, message: Message) -> Result<(), Impossible> {
        let Message { from, to, number, body } = message;
        let under_way = UnderWay { to, body, copies: 1 };
        match self.under_way.insert((from, number), under_way) {
            None => Ok(()),
            Some(_) => Err(Impossible::MessageSentTwice { from, number }),
        }
    }

    /// How many are on their way.
    pub(super) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// The network made a copy.
    pub(super) fn duplicated(&mut self, message: Message) -> Result<(), Impossible> {
        let under_way = self.find(message)?;
        under_way.copies = under_way.copies.checked_add(1).ok_or(Impossible::TooMany)?;
        Ok(())
    }

    /// It was received, or lost.
    pub(super) fn ended(&mut self, message: Message) -> Result<(), Impossible> {
        let under_way = self.find(message)?;
        under_way.copies -= 1;
        if under_way.copies == 0 {
            self.under_way.remove(&(message.from, message.number));
        }
        Ok(())
    }

    fn find(&mut self, message: Message) -> Result<&mut UnderWay, Impossible> {
        let Message { from, to: found, number, body } = message;
        let under_way = self
            .under_way
            .get_mut(&(from, number))
            .ok_or(Impossible::MessageNotUnderWay { from, number })?;
        if under_way.to != found {
            let sent = under_way.to;
            return Err(Impossible::MessageElsewhere { from, number, sent, found });
        }
        if under_way.body != body {
            return Err(Impossible::MessageChanged { from, number });
        }
        Ok(under_way)
    }
}
