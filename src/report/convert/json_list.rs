//! A JSON array that is written one item after the other, a line each.

use std::io::{self, Write};

use serde::Serialize;

#[derive(Debug, Default)]
pub(super) struct JsonList {
    items: u64,
}

impl JsonList {
    /// Writes the next item; `[` and `]` are written by whoever has the list.
    pub(super) fn item(&mut self, out: &mut dyn Write, item: &impl Serialize) -> io::Result<()> {
        out.write_all(if self.items == 0 { b"\n" } else { b",\n" })?;
        self.items += 1;
        serde_json::to_writer(out, item).map_err(io::Error::from)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> u64 {
        self.items
    }
}
