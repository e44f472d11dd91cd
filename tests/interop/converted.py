"""Reads what `passbook convert` writes with readers made by others: Perfetto's and OpenTelemetry's own
protos, an EDN reader, and ShiViz's regular expression."""

import json
import re
import subprocess
import sys

import edn_format
from google.protobuf import json_format
from opentelemetry.proto.trace.v1 import trace_pb2
from perfetto.protos.perfetto.trace import perfetto_trace_pb2

passbook = sys.argv[1]
HISTORIES = ["tests/golden/history-2.jsonl"] + [
    f"tests/foreign/plume/{number:02}.jsonl" for number in range(1, 24)
]


def facts(history):
    with open(history, encoding="utf-8") as lines:
        found = [json.loads(line).get("fact") for line in lines]
    return [next(iter(fact.items())) for fact in found if fact]


def converted(history, to):
    done = subprocess.run([passbook, "convert", history, "--to", to], capture_output=True, check=True)
    return done.stdout


def perfetto(history, kinds):
    trace = perfetto_trace_pb2.Trace.FromString(converted(history, "perfetto"))
    names, instants, begun, ended = {}, 0, set(), set()
    for packet in trace.packet:
        if packet.HasField("track_descriptor"):
            names[packet.track_descriptor.uuid] = packet.track_descriptor.name
        elif packet.HasField("track_event"):
            event = packet.track_event
            assert event.track_uuid in names
            instants += event.type == event.TYPE_INSTANT
            begun.update(event.flow_ids)
            ended.update(event.terminating_flow_ids)
    assert instants == len(kinds), history
    assert ended <= begun
    sent = sum(kind in ("request_sent", "reply_sent", "message_sent") for kind in kinds)
    assert len(begun) == sent, history


def jepsen(history, kinds):
    steps = [edn_format.loads(line) for line in converted(history, "jepsen").decode().splitlines()]
    of = lambda step, key: step[edn_format.Keyword(key)]
    assert [of(step, "index") for step in steps] == list(range(len(steps)))
    invoked = [step for step in steps if of(step, "type") == edn_format.Keyword("invoke")]
    assert len(invoked) == kinds.count("request_sent"), history
    # A process does one thing at a time.
    busy = set()
    for step in steps:
        process = of(step, "process")
        if of(step, "type") == edn_format.Keyword("invoke"):
            assert process not in busy
            busy.add(process)
        elif process != edn_format.Keyword("nemesis"):
            busy.remove(process)


def shiviz(history, kinds):
    text = converted(history, "shiviz").decode()
    events = re.findall(r"(?P<host>\S*) (?P<clock>{.*})\n(?P<event>.*)", text)
    assert len(events) == len(kinds), history
    for host, clock, _ in events:
        assert json.loads(clock)[host] > 0


def otlp(history, kinds):
    text = converted(history, "otlp").decode()
    # In OTLP's JSON ids are hexadecimal, where protobuf's own JSON has base 64: these are both.
    traces = json_format.Parse(text, trace_pb2.TracesData())
    spans = traces.resource_spans[0].scope_spans[0].spans
    requests = [span for span in spans if span.kind == trace_pb2.Span.SPAN_KIND_CLIENT]
    assert len(requests) == kinds.count("request_sent"), history
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


for history in HISTORIES:
    kinds = [kind for kind, _ in facts(history)]
    for read in (perfetto, jepsen, shiviz, otlp):
        read(history, kinds)
print(f"    {len(HISTORIES)} histories are read back from perfetto, jepsen, shiviz and otlp")
