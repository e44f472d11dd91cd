"""A branch of ours beside one written by someone else, each with writes for the other: in the classic
contract, and in the typed one as a peer that proves who it is.

    peers.py PASSBOOK
"""

import contextlib
import hashlib
import hmac
import json
import pathlib
import secrets
import struct
import subprocess
import sys
import tempfile
import time
from concurrent import futures

import banking_pb2
import banking_pb2_grpc
import grpc
from google.rpc import error_details_pb2, status_pb2
from passbook.v1 import bank_pb2, bank_pb2_grpc, peer_pb2, peer_pb2_grpc, types_pb2

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


VERSION = 2
BANK = peer_pb2.BankDescription(branch_ids=[1, 2], opening_balance="100")


def tag(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class Peer(peer_pb2_grpc.PeerServiceServicer):
    """Branch 2, which speaks the typed contract to our branch 1, and holds nothing of its own."""

    def __init__(self, secret):
        self.key = tag(bytes.fromhex(secret), b"passbook peers\npassbook\n1,2\n100")
        self.start = secrets.randbits(64)
        self.ticket = b""
        self.lives = peer_pb2.LifeList(lives=[0, time.time_ns() // 1_000_000 << 16])

    def call(self, channel):
        self.stub = peer_pb2_grpc.PeerServiceStub(channel)

    def proof(self, role, caller, answerer):
        """Each end is a branch, its process's start and a nonce."""
        ends = [struct.pack(">IQ16s", *end) for end in (caller, answerer)]
        return tag(self.key, bytes([role]) + b"".join(ends))[:16]

    def learn(self, lives):
        newest = [max(pair) for pair in zip(self.lives.lives, lives.lives)]
        self.lives = peer_pb2.LifeList(lives=newest)

    # What our branch calls.

    def Challenge(self, request, context):
        nonce = secrets.token_bytes(16)
        caller = (request.branch_id, request.start, request.nonce)
        proof = self.proof(2, caller, (2, self.start, nonce))
        return peer_pb2.ChallengeResponse(
            branch_id=2, start=self.start, nonce=nonce, proof=proof, version=VERSION
        )

    def Prove(self, request, context):
        return peer_pb2.ProveResponse(ticket=bytes(16))

    def Introduce(self, request, context):
        self.learn(request.lives)
        return peer_pb2.IntroduceResponse(bank=BANK, branch_id=2, lives=self.lives)

    def CatchUp(self, request, context):
        self.learn(request.lives)
        end = peer_pb2.AnswerEnd(rest=peer_pb2.ANSWER_REST_NOTHING, lives=self.lives)
        yield peer_pb2.CatchUpResponse(end=end)

    # What it calls.

    def meet(self):
        nonce = secrets.token_bytes(16)
        request = peer_pb2.ChallengeRequest(
            bank=BANK, branch_id=2, start=self.start, nonce=nonce, version=VERSION
        )
        return nonce, self.stub.Challenge(request, timeout=20)

    def prove(self, nonce, answer):
        proof = self.proof(1, (2, self.start, nonce), (1, answer.start, answer.nonce))
        self.ticket = self.stub.Prove(
            peer_pb2.ProveRequest(branch_id=2, nonce=answer.nonce, proof=proof), timeout=20
        ).ticket

    def hand_on(self, sequence):
        logged = types_pb2.LoggedWrite(
            id=types_pb2.WriteId(customer_id=9, event_id=sequence),
            write=types_pb2.Write(kind=types_pb2.WRITE_KIND_DEPOSIT, amount="1"),
            origin_branch_id=2,
            sequence=sequence,
            life=self.lives.lives[1],
        )
        return self.stub.Propagate(
            peer_pb2.PropagateRequest(
                write=peer_pb2.PropagatedWrite(logged=logged), from_branch_id=2, number=sequence,
                lives=self.lives,
            ),
            metadata=[("passbook-ticket-bin", self.ticket)],
            timeout=20,
        ).acknowledgement


def proves(passbook):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bank.secret"
        subprocess.run([passbook, "secret", path], check=True)
        peer = Peer(path.read_text().strip())
        # Our branch looks there for whoever says to be branch 2.
        at_home = grpc.server(futures.ThreadPoolExecutor(4))
        peer_pb2_grpc.add_PeerServiceServicer_to_server(peer, at_home)
        port = at_home.add_insecure_port("127.0.0.1:0")
        at_home.start()
        with running(
            passbook, "serve", "--branch=1", f"--peer=2=http://127.0.0.1:{port}", "--single-port=0",
            "--balance=100", "--format=json", f"--bank-secret={path}",
        ) as ours:
            address = json.loads(ours.stdout.readline())["address"]
            with grpc.insecure_channel(address) as here:
                peer.call(here)
                refused(lambda: peer.hand_on(1))
                nonce, answer = peer.meet()
                caller, answerer = (2, peer.start, nonce), (1, answer.start, answer.nonce)
                expect(answer.proof, peer.proof(2, caller, answerer))
                peer.prove(nonce, answer)
                until_known(peer)
                expect(peer.hand_on(1).write_set_len, 1)
                # Who knows all but the secret.
                stranger = Peer("0" * 64)
                stranger.call(here)
                nonce, answer = stranger.meet()
                refused(lambda: stranger.prove(nonce, answer))
                refused(lambda: stranger.hand_on(2))
                expect(peer.hand_on(2).write_set_len, 2)
                # Who knows the secret, and is not the one that is at home.
                twin = Peer(path.read_text().strip())
                twin.call(here)
                nonce, answer = twin.meet()
                refused(lambda: twin.prove(nonce, answer), "FAILED_PRECONDITION", "TWIN")
        at_home.stop(None)


def until_known(peer):
    """Waits until our branch has said in which life it is."""
    end = time.monotonic() + 20
    while not peer.lives.lives[0]:
        assert time.monotonic() < end, "our branch asks nothing"
        time.sleep(0.01)


def refused(call, code="UNAUTHENTICATED", why="NOT_A_PEER"):
    try:
        call()
        raise AssertionError("who has not proved itself is no peer")
    except grpc.RpcError as error:
        expect((error.code().name, reason(error)), (code, why))


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
    proves(sys.argv[1])
