"""A branch of ours beside one written by someone else, each with writes for the other.

    peers.py PASSBOOK
"""

import contextlib
import json
import pathlib
import subprocess
import sys

import banking_pb2
import banking_pb2_grpc
import grpc
from google.rpc import error_details_pb2, status_pb2
from passbook.v1 import bank_pb2, bank_pb2_grpc

HERE = pathlib.Path(__file__).parent


@contextlib.contextmanager
def running(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def both(passbook, manner):
    """Stubs of our branch 1 and their branch 2."""
    with running(sys.executable, str(HERE / "branch.py"), manner) as theirs:
        port = int(theirs.stdout.readline())
        with running(
            passbook, "serve", "--branch=1", f"--peer=2=http://127.0.0.1:{port}",
            "--single-port=0", "--balance=100", "--format=json", "--confirm-limit=5s",
        ) as ours:
            address = json.loads(ours.stdout.readline())["address"]
            with grpc.insecure_channel(address) as here:
                with grpc.insecure_channel(f"127.0.0.1:{port}") as there:
                    yield here, there


def write(kind, sender, interface, event, money):
    return banking_pb2.BranchRequest(
        type=kind, id=sender, interface=interface, money=money, event_id=event, customer_id=1
    )


def classic(channel, request):
    reply = banking_pb2_grpc.BranchStub(channel).MsgDelivery(request, timeout=20)
    return reply.status, reply.write_sets, round(reply.balance, 2)


READ = banking_pb2.BranchRequest(read_writes=True, customer_id=1)


def agrees(passbook, manner):
    with both(passbook, manner) as (here, there):
        expect(classic(here, write("customer", 1, "deposit", 1, 10)), (200, "[1]", 110.0))
        expect(classic(here, write("customer", 1, "withdraw", 2, 0.5)), (200, "[1, 2]", 109.5))
        expect(classic(there, READ), (200, "[1, 2]", 109.5))
        # Now the other way: it hands on what it accepted, compares, and asks.
        expect(classic(there, write("customer", 1, "deposit", 3, 5))[0], 200)
        told = classic(here, write("branch", 2, "deposit", 3, 5))
        expect(told, (200, "[1, 2, 3]", 114.5))
        expect(classic(here, READ), classic(there, READ))
        # Handed on again, it is applied once.
        expect(classic(here, write("branch", 2, "deposit", 3, 5)), told)


def disagrees(passbook):
    with both(passbook, "wrong") as (here, there):
        expect(classic(here, write("customer", 1, "deposit", 1, 10))[0], 400)
        stub = bank_pb2_grpc.BankServiceStub(here)
        request = bank_pb2.DepositRequest(branch_id=1, customer_id=1, event_id=1, amount="10")
        try:
            stub.Deposit(request, timeout=20)
            raise AssertionError("a write set that is not ours confirms nothing")
        except grpc.RpcError as error:
            expect(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            expect(reason(error), "OUTCOME_UNKNOWN")
        expect(classic(here, READ), (200, "[1]", 110.0))


def reason(error):
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    for detail in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return None


def expect(found, expected):
    assert found == expected, f"{found}, not {expected}"


if __name__ == "__main__":
    agrees(sys.argv[1], "right")
    agrees(sys.argv[1], "terse")
    disagrees(sys.argv[1])
