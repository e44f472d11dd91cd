//! Messages between branches on their way. Where a history holds none, nothing is asked of them.

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, OccupiedEntry};

use super::InvalidHistory;
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

type Name = (BranchId, MessageNumber);
type MessageEntry<'a> = OccupiedEntry<'a, Name, UnderWay>;

#[derive(Debug, Default)]
pub(super) struct Messages {
    under_way: BTreeMap<Name, UnderWay>,
}

impl Messages {
    pub(super) fn sent(&mut self, message: Message) -> Result<(), InvalidHistory> {
        let Message { from, to, number, body } = message;
        let under_way = UnderWay { to, body, copies: 1 };
        match self.under_way.insert((from, number), under_way) {
            None => Ok(()),
            Some(_) => Err(InvalidHistory::MessageSentTwice { from, number }),
        }
    }

    /// How many are on their way.
    pub(super) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// The network made a copy.
    pub(super) fn duplicated(&mut self, message: Message) -> Result<(), InvalidHistory> {
        let mut found = self.find(message)?;
        let under_way = found.get_mut();
        under_way.copies = under_way.copies.checked_add(1).ok_or(InvalidHistory::TooMany)?;
        Ok(())
    }

    /// It was received, or lost.
    pub(super) fn ended(&mut self, message: Message) -> Result<(), InvalidHistory> {
        let mut found = self.find(message)?;
        found.get_mut().copies -= 1;
        if found.get().copies == 0 {
            found.remove();
        }
        Ok(())
    }

    fn find(&mut self, message: Message) -> Result<MessageEntry<'_>, InvalidHistory> {
        let Message { from, to: found, number, body } = message;
        let Entry::Occupied(entry) = self.under_way.entry((from, number)) else {
            return Err(InvalidHistory::MessageNotUnderWay { from, number });
        };
        let &UnderWay { to: sent, body: said, copies: _ } = entry.get();
        if sent != found {
            return Err(InvalidHistory::MessageElsewhere { from, number, sent, found });
        }
        if said != body {
            return Err(InvalidHistory::MessageChanged { from, number });
        }
        Ok(entry)
    }
}
