//! A log for ShiViz: two lines a fact, as its own regular expression wants them,
//! `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`.
//!
//! The vector clocks follow from the facts: a process counts its own, and whoever receives knows
//! what the sender knew. What happens to messages on their way happens at a host of its own.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::converter::{ConvertError, Converter};
use super::told::{host, told};
use super::under_way::{Transit, UnderWay};
use crate::history::{Entry, Header};

/// How many events of each host are known.
type Clock = BTreeMap<String, u64>;

#[derive(Debug, Default)]
pub(super) struct Shiviz {
    clocks: BTreeMap<String, Clock>,
    under_way: UnderWay<Clock>,
}

impl Converter for Shiviz {
    fn begin(&mut self, _out: &mut dyn Write, _header: &Header) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let fact = &entry.recorded.fact;
        let transit = Transit::of(fact);
        let heard = match transit {
            Some(Transit::Arrives(parcel)) => self.under_way.arrive(parcel),
            Some(Transit::IsCopied(parcel)) => self.under_way.copy(parcel),
            Some(Transit::Leaves(_)) | None => None,
        };
        let host = host(fact.process());
        let clock = self.clocks.entry(host.clone()).or_default();
        for (other, count) in heard.map(|heard| heard.known).unwrap_or_default() {
            let known = clock.entry(other).or_default();
            *known = count.max(*known);
        }
        *clock.entry(host.clone()).or_default() += 1;
        if let Some(Transit::Leaves(parcel)) = transit {
            self.under_way.leave(parcel, clock.clone());
        }
        let text = serde_json::to_string(&clock).map_err(io::Error::from)?;
        let (at, told) = (entry.recorded.at, told(fact));
        writeln!(out, "{host} {text}\n{told} at {} us", at.us())?;
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> Result<(), ConvertError> {
        Ok(())
    }
}
