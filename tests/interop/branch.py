"""A branch of the bank, written by someone else: speaks the classic contract alone.

    branch.py MANNER

listens on a free port of 127.0.0.1, prints it, and answers until it is killed. MANNER is `right`,
`terse` (leaves the write set out where a branch writes) or `wrong` (tells a write set that is none).
It applies whatever it is sent, once more if it is sent again.
"""

import sys
from concurrent import futures

import banking_pb2
import banking_pb2_grpc
import grpc


class Branch(banking_pb2_grpc.BranchServicer):
    def __init__(self, manner):
        self.manner = manner
        self.balance = 100.0
        self.write_sets = {}

    def MsgDelivery(self, request, context):
        events = self.write_sets.setdefault(request.customer_id, [])
        if request.read_writes:
            return self.reply(events)
        if request.interface == "query":
            return banking_pb2.BranchReply(status=200, balance=self.balance)
        sign = {"deposit": 1, "withdraw": -1}[request.interface]
        self.balance += sign * request.money
        events.append(request.event_id)
        if self.manner == "terse" and request.type == "branch":
            return banking_pb2.BranchReply(status=200)
        return self.reply(events)

    def reply(self, events):
        told = [7, 7, 7] if self.manner == "wrong" else events
        return banking_pb2.BranchReply(
            status=200, write_sets=str(told), balance=self.balance
        )


def main(manner):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    banking_pb2_grpc.add_BranchServicer_to_server(Branch(manner), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1])
