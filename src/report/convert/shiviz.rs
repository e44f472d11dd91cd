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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, text};

    /// What ShiViz's regular expression finds.
    fn events(log: &str) -> Vec<(String, Clock, String)> {
        let lines: Vec<&str> = log.lines().collect();
        let event = |pair: &[&str]| {
            let (host, clock) = pair[0].split_once(' ').unwrap();
            (host.to_owned(), serde_json::from_str(clock).unwrap(), pair[1].to_owned())
        };
        lines.chunks(2).map(event).collect()
    }

    #[test]
    fn the_clocks_of_a_host_rise_and_know_nothing_that_has_not_happened() {
        let mut happened: BTreeMap<String, Clock> = BTreeMap::new();
        let events = events(&text(Target::Shiviz));
        assert_eq!(events.len(), 33);
        for (host, clock, told) in events {
            let before = happened.remove(&host).unwrap_or_default();
            assert_eq!(clock[&host], before.get(&host).unwrap_or(&0) + 1, "{told}");
            assert!(before.iter().all(|(other, count)| clock[other] >= *count), "{told}");
            let known = clock.iter().filter(|(other, _)| **other != host);
            known.for_each(|(other, count)| assert!(happened[other][other] >= *count, "{told}"));
            happened.insert(host, clock);
        }
    }

    #[test]
    fn who_receives_knows_what_the_sender_knew_also_of_a_copy_and_the_network_of_what_is_lost() {
        let events = events(&text(Target::Shiviz));
        let clock = |place: usize| serde_json::to_string(&events[place].1).unwrap();
        assert_eq!(clock(4), r#"{"branch-1":3}"#); // sent
        assert_eq!(clock(5), r#"{"branch-1":3,"network":1}"#); // copied
        assert_eq!(clock(6), r#"{"branch-1":3,"branch-2":1}"#); // received
        assert_eq!(clock(8), r#"{"branch-1":3,"branch-2":3}"#); // and again
        assert_eq!(clock(11), r#"{"branch-1":3,"branch-2":4,"network":3}"#); // lost
        assert_eq!(
            events[25].2,
            format!("answers request 1 of customer 2: outcome unknown: branch 1 {SHOWN} at 25 us")
        );
    }
}
