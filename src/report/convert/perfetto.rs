//! Perfetto's own trace format: a track for each customer and branch, slices for requests, instants
//! for what else happens, flows for all that is sent.

use std::collections::BTreeMap;
use std::io::{self, Write};

use prost::Message;

use super::converter::{ConvertError, Converter};
use super::perfetto_proto::{
    DebugAnnotation, Trace, TracePacket, TrackDescriptor, TrackEvent, Type,
};
use super::requests::{Ended, Request};
use super::timeline::{Arrow, Mark, Moment, Timeline, nanos};
use super::told::{harmless, outcome_told};
use crate::history::{Entry, Header, Process};
use crate::model::Time;

/// All packets are of one writer, and it has just begun.
const SEQUENCE: u32 = 1;
const INCREMENTAL_STATE_CLEARED: u32 = 1;

/// The track above all others.
const RUN: u64 = 1;

#[derive(Debug, Default)]
pub(super) struct Perfetto {
    timeline: Timeline,
    /// The number of each track, by its name.
    tracks: BTreeMap<String, u64>,
    buffer: Vec<u8>,
}

impl Converter for Perfetto {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        let name = format!("passbook: {}", harmless(&header.scenario));
        let descriptor =
            TrackDescriptor { uuid: Some(RUN), name: Some(name), ..TrackDescriptor::default() };
        let packet = TracePacket {
            sequence_flags: Some(INCREMENTAL_STATE_CLEARED),
            track_descriptor: Some(descriptor),
            ..TracePacket::default()
        };
        self.packet(out, packet)?;
        header.roster.ids().iter().try_for_each(|branch| {
            self.track(out, Process::Branch(*branch).to_string()).map(|_| ())
        })
    }

    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        let at = entry.recorded.at;
        for mark in self.timeline.add(entry) {
            match mark {
                Mark::RequestBegins(request) => self.request_begins(out, at, &request)?,
                Mark::RequestEnds(ended) => self.request_ends(out, at, &ended)?,
                Mark::Moment(moment) => self.moment(out, at, moment)?,
                Mark::ConditionBegins(condition) => {
                    let name = condition.to_string();
                    let event = event(Type::SliceBegin, Some(name.clone()));
                    self.event(out, at, name, event)?;
                }
                Mark::ConditionEnds(condition) => {
                    self.event(out, at, condition.to_string(), event(Type::SliceEnd, None))?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut dyn Write) -> Result<(), ConvertError> {
        Ok(())
    }
}

impl Perfetto {
    fn request_begins(
        &mut self,
        out: &mut dyn Write,
        at: Time,
        request: &Request,
    ) -> io::Result<()> {
        let mut slice = event(Type::SliceBegin, Some(request.operation.to_string()));
        slice.debug_annotations = vec![
            annotation("request", request.number.to_string()),
            annotation("event", request.event.to_string()),
            annotation("branch", request.branch.to_string()),
        ];
        self.event(out, at, Process::Customer(request.customer).to_string(), slice)
    }

    fn request_ends(&mut self, out: &mut dyn Write, at: Time, ended: &Ended) -> io::Result<()> {
        let answer = ended.answer().map(|reply| outcome_told(&reply.outcome));
        let mut slice = event(Type::SliceEnd, None);
        slice.debug_annotations = vec![annotation("outcome", ended.class().word().to_owned())];
        slice
            .debug_annotations
            .extend(answer.or_else(|| ended.problem()).map(|answer| annotation("answer", answer)));
        self.event(out, at, Process::Customer(ended.request.customer).to_string(), slice)
    }

    fn moment(&mut self, out: &mut dyn Write, at: Time, moment: Moment) -> io::Result<()> {
        let track = moment.process.map_or_else(|| "network".to_owned(), |of| of.to_string());
        let mut instant = event(Type::Instant, Some(moment.told));
        match moment.arrow {
            Some(Arrow::Begins(number) | Arrow::Passes(number)) => instant.flow_ids.push(number),
            Some(Arrow::Ends(number)) => instant.terminating_flow_ids.push(number),
            None => {}
        }
        self.event(out, at, track, instant)
    }

    fn event(
        &mut self,
        out: &mut dyn Write,
        at: Time,
        track: String,
        event: TrackEvent,
    ) -> io::Result<()> {
        let track_uuid = Some(self.track(out, track)?);
        let packet = TracePacket {
            timestamp: Some(nanos(at)),
            track_event: Some(TrackEvent { track_uuid, ..event }),
            ..TracePacket::default()
        };
        self.packet(out, packet)
    }

    /// The number of a track, which is told before it is first used.
    fn track(&mut self, out: &mut dyn Write, name: String) -> io::Result<u64> {
        if let Some(uuid) = self.tracks.get(&name) {
            return Ok(*uuid);
        }
        let uuid = RUN + 1 + crate::model::number::count(self.tracks.len());
        self.tracks.insert(name.clone(), uuid);
        let descriptor =
            TrackDescriptor { uuid: Some(uuid), name: Some(name), parent_uuid: Some(RUN) };
        let track_descriptor = Some(descriptor);
        self.packet(out, TracePacket { track_descriptor, ..TracePacket::default() })?;
        Ok(uuid)
    }

    fn packet(&mut self, out: &mut dyn Write, packet: TracePacket) -> io::Result<()> {
        let trusted_packet_sequence_id = Some(SEQUENCE);
        let trace = Trace { packet: vec![TracePacket { trusted_packet_sequence_id, ..packet }] };
        self.buffer.clear();
        trace.encode(&mut self.buffer).map_err(io::Error::other)?;
        out.write_all(&self.buffer)
    }
}

fn event(of: Type, name: Option<String>) -> TrackEvent {
    let categories = vec!["passbook".to_owned()];
    TrackEvent { r#type: Some(of.into()), name, categories, ..TrackEvent::default() }
}

fn annotation(name: &str, value: String) -> DebugAnnotation {
    DebugAnnotation { name: Some(name.to_owned()), string_value: Some(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::is_unseen;
    use crate::report::convert::Target;
    use crate::report::convert::fixture::{SHOWN, converted};

    /// The names of the tracks by their numbers, and the events with their times.
    fn read_back() -> (BTreeMap<u64, String>, Vec<(u64, TrackEvent)>) {
        let trace = Trace::decode(&converted(Target::Perfetto)[..]).unwrap();
        let (mut tracks, mut events) = (BTreeMap::new(), Vec::new());
        for packet in trace.packet {
            assert_eq!(packet.trusted_packet_sequence_id, Some(SEQUENCE));
            if let Some(track) = packet.track_descriptor {
                tracks.insert(track.uuid(), track.name().to_owned());
            }
            if let Some(event) = packet.track_event {
                assert!(
                    tracks.contains_key(&event.track_uuid()),
                    "a track is told before it is used"
                );
                assert!(!event.name().chars().any(is_unseen));
                events.push((packet.timestamp.unwrap(), event));
            }
        }
        (tracks, events)
    }

    #[test]
    fn each_process_and_each_fault_has_a_track_and_requests_are_slices() {
        let (tracks, events) = read_back();
        let names: Vec<&str> = tracks.values().map(String::as_str).collect();
        let run = format!("passbook: {SHOWN}");
        let expected = [
            &run,
            "branch 1",
            "branch 2",
            "customer 1",
            "network",
            "partition 1",
            "branch 1 is slow",
            "branch 2 is down",
            "customer 2",
        ];
        assert_eq!(names, expected);
        let slices = events.iter().filter(|(_, event)| event.r#type() != Type::Instant);
        let told = slices.map(|(at, event)| {
            let edge = if event.r#type() == Type::SliceBegin { "begins" } else { "ends" };
            format!("{at} {} {edge} {}", tracks[&event.track_uuid()], event.name())
        });
        let expected = [
            "0 customer 1 begins deposit 400",
            "3000 customer 1 ends ",
            "10000 partition 1 begins partition 1",
            "12000 branch 1 is slow begins branch 1 is slow",
            "13000 partition 1 ends ",
            "14000 branch 1 is slow ends ",
            "15000 customer 1 begins query",
            "19000 customer 1 ends ",
            "20000 branch 2 is down begins branch 2 is down",
            "21000 branch 2 is down ends ",
            "22000 customer 1 begins withdraw 100",
            "23000 customer 1 ends ",
            "24000 customer 2 begins query",
            "26000 customer 2 ends ",
            "32000 customer 2 begins query",
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_flow_goes_on_while_copies_are_under_way_and_ends_with_the_last() {
        let (_, events) = read_back();
        let with = |flows: fn(&TrackEvent) -> &[u64], number: u64| -> Vec<u64> {
            let having = events.iter().filter(|(_, event)| flows(event).contains(&number));
            having.map(|(at, _)| *at).collect()
        };
        assert_eq!(with(|event| &event.flow_ids, 3), [4000, 5000, 6000]);
        assert_eq!(with(|event| &event.terminating_flow_ids, 3), [8000]);
        let applied = events.iter().find(|(at, _)| *at == 7000).unwrap();
        assert_eq!(
            applied.1.name(),
            "applies write 1 of customer 1 as number 1: deposit 400; balance 400"
        );
    }
}
