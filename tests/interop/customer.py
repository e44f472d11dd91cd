"""The customer of the classic contract, as its clients are written, over several branches.

    customer.py ADDRESS...

where three branches listen at the ADDRESSes, in the order of their ids; each began with 100, and
overdraft is rejected.

It parses `write_sets` as JSON after every call, writes and queries alike, and compares it with the
writes that it has made; before each call it asks the branch whether its own writes are there, as the
classic customers do. Then come a customer of the oldest form of the contract, who has neither
`customer_id` nor `event_id`, and one of a form in which these fields mean something else.
"""

import json
import sys

import banking_pb2
import banking_pb2_grpc
import grpc


class Customer:
    """A customer with a stub for each branch, who keeps the ids of its own writes."""

    def __init__(self, customer_id, channels):
        self.id = customer_id
        self.stubs = [banking_pb2_grpc.BranchStub(channel) for channel in channels]
        self.write_set = []
        self.received = []

    def run(self, events):
        for event in events:
            self.ask(**event)
        return self.received

    def ask(self, id, interface, dest, money=0):
        branch = self.stubs[dest - 1]
        held = branch.MsgDelivery(
            banking_pb2.BranchRequest(read_writes=True, customer_id=self.id)
        )
        self.compare(held)
        reply = branch.MsgDelivery(
            banking_pb2.BranchRequest(
                type="customer", interface=interface, money=money,
                id=self.id, event_id=id, customer_id=self.id,
            )
        )
        if interface != "query" and reply.status == 200:
            self.write_set.append(id)
        self.compare(reply)
        self.received.append((interface, dest, reply.status, round(reply.balance, 2)))

    def compare(self, reply):
        # An empty text is no JSON: this is where a customer stops whose query is answered with one.
        told = json.loads(reply.write_sets)
        expect(told, self.write_set)


def classic(channels):
    events = [
        {"id": 1, "interface": "query", "dest": 1},
        {"id": 2, "interface": "deposit", "dest": 1, "money": 400},
        {"id": 3, "interface": "query", "dest": 2},
        {"id": 4, "interface": "withdraw", "dest": 2, "money": 150.5},
        {"id": 5, "interface": "withdraw", "dest": 3, "money": 1000},
        {"id": 6, "interface": "query", "dest": 3},
        {"id": 7, "interface": "deposit", "dest": 3, "money": 0.5},
        {"id": 8, "interface": "query", "dest": 1},
    ]
    expect(
        Customer(1, channels).run(events),
        [
            ("query", 1, 200, 100), ("deposit", 1, 200, 500), ("query", 2, 200, 500),
            ("withdraw", 2, 200, 349.5), ("withdraw", 3, 400, 349.5), ("query", 3, 200, 349.5),
            ("deposit", 3, 200, 350), ("query", 1, 200, 350),
        ],
    )
    # Another customer has a write set of its own.
    events = [
        {"id": 1, "interface": "withdraw", "dest": 3, "money": 350},
        {"id": 2, "interface": "query", "dest": 2},
    ]
    expect(Customer(2, channels).run(events), [("withdraw", 3, 200, 0), ("query", 2, 200, 0)])


def oldest(channels):
    def ask(dest, interface, money=0):
        request = banking_pb2.BranchRequest(
            type="customer", id=5, interface=interface, money=money
        )
        reply = banking_pb2_grpc.BranchStub(channels[dest - 1]).MsgDelivery(request)
        return reply.status, json.loads(reply.write_sets), round(reply.balance, 2)

    expect(ask(1, "query"), (200, [], 0))
    expect(ask(1, "deposit", 70), (200, [1], 70))
    expect(ask(2, "deposit", 70), (200, [1, 2], 140))
    expect(ask(3, "withdraw", 40), (200, [1, 2, 3], 100))
    expect(ask(2, "query"), (200, [1, 2, 3], 100))


def sibling(channels):
    """Its calls would be writes in the names of the customers 3 and 4."""
    for customer_id in [3, 4]:
        request = banking_pb2.BranchRequest(
            type="customer", id=1, interface="deposit", money=10,
            event_id=9, customer_id=customer_id,
        )
        stub = banking_pb2_grpc.BranchStub(channels[0])
        reply, call = stub.MsgDelivery.with_call(request)
        expect((reply.status, json.loads(reply.write_sets)), (400, []))
        assert "passbook-reason" not in dict(call.initial_metadata()), call.initial_metadata()
        reason = dict(call.trailing_metadata())["passbook-reason"]
        assert f"1 is not the customer_id {customer_id}" in reason, reason
        read = banking_pb2.BranchRequest(read_writes=True, customer_id=customer_id)
        for channel in channels:
            reply = banking_pb2_grpc.BranchStub(channel).MsgDelivery(read)
            expect((reply.status, reply.write_sets, reply.balance), (200, "[]", 100))


def expect(found, expected):
    assert found == expected, f"{found}, not {expected}"


if __name__ == "__main__":
    branches = [grpc.insecure_channel(address) for address in sys.argv[1:]]
    for check in [classic, oldest, sibling]:
        check(branches)
    for channel in branches:
        channel.close()
    print("    the classic customer, its oldest form, and a sibling: ok")
