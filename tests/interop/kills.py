"""Customers of a bank in three processes, which are killed in all ways and come back.

    kills.py PASSBOOK SEED [ROUNDS]

Each customer makes deposits and reads, one after the other, at any branch, with its passbook. An answer
that it got is true from then on: what was confirmed counts once, and no read shows less than an earlier
one. That ends only when it is told that writes are lost. In the end all branches hold the same. There
are so many rounds of each way of propagation; by default each kind of trouble comes once.
"""

import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from passbook.v1 import bank_pb2, bank_pb2_grpc

BRANCHES = (1, 2, 3)
CUSTOMERS = range(4)
# A bank is opened anew after so many: what a balance holds of each customer has a bound.
ROUNDS_OF_A_BANK = 20
LIMIT_SECONDS = 30

# Each customer's deposits are told apart in a balance; the cents below are those of whoever looks
# whether a branch is back.
FIRST_CENTS, MOST = 10_000, 5_000
PROBE = 99

# What says that the request is at fault: no customer here sends such a one.
WRONG = (
    grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL,
)


def amount_cents(customer):
    return FIRST_CENTS * MOST**customer


def counts(balance):
    """How many deposits of each customer a balance holds."""
    cents = cents_of(balance)
    return [cents // amount_cents(customer) % MOST for customer in CUSTOMERS]


def cents_of(balance):
    whole, _, part = balance.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")


def decimal(cents):
    return f"{cents // 100}.{cents % 100:02}"


def free_base_port(chance):
    """Below those that connections get by themselves: nobody takes them while a process is away."""
    while True:
        base = chance.randrange(12_000, 31_000)
        try:
            for branch in (*BRANCHES, 9):
                with socket.socket() as found:
                    found.bind(("127.0.0.1", base + branch))
            return base
        except OSError:
            continue


def reason(error):
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    for detail in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return None


class Bank:
    def __init__(self, passbook, secret, base, propagation):
        self.passbook, self.secret, self.base = passbook, secret, base
        self.propagation = propagation
        self.processes = {}
        self.probes = 0
        for branch in BRANCHES:
            self.bring_back(branch)

    def address(self, branch):
        return f"127.0.0.1:{self.base + branch}"

    def start(self, branch, base=None, at=lambda peer: peer, **options):
        """A process for the branch, whose ports begin at `base`, and which looks for each peer where
        that is that `at` says."""
        peers = [
            f"--peer={peer}=http://{self.address(at(peer))}" for peer in BRANCHES if peer != branch
        ]
        return subprocess.Popen(
            [self.passbook, "serve", f"--branch={branch}", f"--base-port={base or self.base}",
             "--format=json", "--confirm-limit=300ms", "--wait-limit=1s",
             f"--propagation={self.propagation}", f"--bank-secret={self.secret}", *peers],
            stdout=subprocess.PIPE, text=True, **{"stderr": subprocess.DEVNULL, **options},
        )

    def kill(self, *branches):
        for branch in branches:
            self.processes[branch].kill()
        for branch in branches:
            self.processes[branch].wait()

    def bring_back(self, *branches):
        for branch in branches:
            self.processes[branch] = self.start(branch)
        for branch in branches:
            json.loads(self.processes[branch].stdout.readline())

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def channel(self, branch):
        options = [("grpc.initial_reconnect_backoff_ms", 20), ("grpc.max_reconnect_backoff_ms", 200)]
        return grpc.insecure_channel(self.address(branch), options=options)

    def stub(self, branch):
        return bank_pb2_grpc.BankServiceStub(self.channel(branch))

    def serves(self, branch):
        """Waits until it serves: it has heard from all others, or its time for that is over."""
        stub = health_pb2_grpc.HealthStub(self.channel(branch))
        until(lambda: health(stub) == health_pb2.HealthCheckResponse.SERVING, f"{branch} serves")

    def is_back(self, *branches):
        """Waits until each has heard from all others: only then it gives event ids."""
        for branch in branches:
            until(lambda: self.probe(branch) is None, f"branch {branch} is back")

    def probe(self, branch):
        request = bank_pb2.DepositRequest(branch_id=branch, customer_id=PROBE, amount="0.01")
        try:
            self.stub(branch).Deposit(request, timeout=3)
            return None
        except grpc.RpcError as error:
            # The write may be there; whether it is confirmed does not matter here.
            found = reason(error)
            return None if found == "OUTCOME_UNKNOWN" else found or error.code()

    def state(self, branch):
        balance, sets = None, {}
        for item in self.stub(branch).ReadBranch(bank_pb2.ReadBranchRequest(branch_id=branch)):
            balance = item.branch.balance or balance
            for held in item.page.write_sets:
                sets.setdefault(held.customer_id, []).extend(held.event_ids)
        return balance, {who: sorted(events) for who, events in sets.items()}


def health(stub):
    try:
        return stub.Check(health_pb2.HealthCheckRequest(), timeout=1).status
    except grpc.RpcError:
        return None


def until(is_so, what):
    end = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        assert time.monotonic() < end, f"not in {LIMIT_SECONDS} s: {what}"
        time.sleep(0.02)


class Customer(threading.Thread):
    """A session. What it was told is what it may rely on, until it hears of a loss."""

    def __init__(self, bank, customer, chance):
        super().__init__(daemon=True)
        self.bank, self.customer, self.chance = bank, customer, chance
        self.stubs = {branch: bank.stub(branch) for branch in BRANCHES}
        self.stop = threading.Event()
        self.passbook = None
        self.asked = 0  # deposits that were sent
        self.confirmed = set()  # of those that were confirmed since it heard of a loss
        self.seen = [0] * len(CUSTOMERS)  # what its reads have shown, since then
        self.losses = 0
        self.wrong, self.trouble = None, None

    def run(self):
        try:
            while not self.stop.is_set() and self.asked < MOST - 1:
                if self.chance.random() < 0.5:
                    self.deposit()
                else:
                    self.read(self.chance.choice(BRANCHES))
                time.sleep(self.chance.uniform(0.01, 0.08))
        except AssertionError as error:
            self.wrong = str(error)

    def deposit(self):
        """Sends it, to one branch or another, until one says that it is done."""
        self.asked += 1
        while not self.send(self.chance.choice(BRANCHES)):
            time.sleep(0.02)
        self.confirmed.add(self.asked)

    def send(self, branch):
        request = bank_pb2.DepositRequest(
            branch_id=branch, customer_id=self.customer + 1, event_id=self.asked,
            amount=decimal(amount_cents(self.customer)), passbook=self.passbook,
        )
        return self.ask(lambda: self.stubs[branch].Deposit(request, timeout=3))

    def read(self, branch):
        request = bank_pb2.QueryRequest(
            branch_id=branch, customer_id=self.customer + 1, passbook=self.passbook
        )
        answer = self.ask(lambda: self.stubs[branch].Query(request, timeout=3))
        if not answer:
            return False
        shown = counts(answer.balance)
        what = f"branch {branch} shows {shown}"
        assert all(now >= then for now, then in zip(shown, self.seen)), f"{what} after {self.seen}"
        own = shown[self.customer]
        assert len(self.confirmed) <= own <= self.asked, (
            f"{what}, and {len(self.confirmed)} to {self.asked} are owed to {self.customer}"
        )
        self.seen = shown
        return True

    def ask(self, call):
        try:
            answer = call()
        except grpc.RpcError as error:
            self.trouble = f"{error.code()} {error.details()}"
            assert error.code() not in WRONG, self.trouble
            passbook = dict(error.trailing_metadata() or ()).get("passbook-bin")
            if passbook is not None:
                self.passbook = passbook
            if error.code() == grpc.StatusCode.DATA_LOSS:
                # From now on it relies on what it is told from now on.
                self.losses += 1
                self.confirmed, self.seen = set(), [0] * len(CUSTOMERS)
            return None
        self.passbook = answer.passbook
        return answer


class Trouble:
    """What can happen to a bank. Each kind says whether writes that were confirmed everywhere may be
    lost by it."""

    def __init__(self, bank, chance):
        self.bank, self.chance = bank, chance

    def pause(self, seconds=0.5):
        time.sleep(self.chance.uniform(0, seconds))

    def one_after_the_other(self):
        for branch in self.chance.sample(BRANCHES, 3):
            self.bank.kill(branch)
            self.pause()
            self.bank.bring_back(branch)
            # Each is back before the next one goes: nobody else remembers for it.
            self.bank.is_back(branch)
        return False

    def two_of_three(self):
        gone = self.chance.sample(BRANCHES, 2)
        self.bank.kill(*gone)
        self.pause()
        self.bank.bring_back(*gone)
        self.bank.is_back(*gone)
        return False

    def all_at_once(self):
        self.bank.kill(*BRANCHES)
        self.pause()
        self.bank.bring_back(*BRANCHES)
        self.bank.is_back(*BRANCHES)
        return True

    def one_alone(self):
        alone, *others = self.chance.sample(BRANCHES, 3)
        self.bank.kill(*BRANCHES)
        self.bank.bring_back(alone)
        self.bank.serves(alone)
        found = self.bank.probe(alone)
        assert found == "RETURNING", f"alone, and it gives event ids: {found}"
        self.pause()
        self.bank.bring_back(*others)
        self.bank.is_back(*BRANCHES)
        return True

    def away_for_a_whole_life(self):
        stays, away, dies = self.chance.sample(BRANCHES, 3)
        self.bank.kill(away)
        for _ in range(2):
            self.bank.kill(dies)
            self.bank.bring_back(dies)
            self.bank.serves(dies)
            self.pause()
        self.bank.bring_back(away)
        self.bank.is_back(stays, away, dies)
        # What the two had from the one that stays may have come to them after their return limit.
        return False

    def a_twin(self):
        branch = self.chance.choice(BRANCHES)
        base = self.bank.base + 9 - branch
        twin = self.bank.start(branch, base=base, stderr=subprocess.PIPE)
        try:
            _, told = twin.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            twin.kill()
            twin.wait()
            raise AssertionError(f"the twin of branch {branch} goes on") from None
        assert twin.returncode == 2, f"the twin of branch {branch} ended otherwise: {told}"
        lines = [line for line in told.splitlines() if "error" in line]
        assert len(lines) == 1 and f"branch {branch}" in lines[0], told
        return False

    def a_copied_address(self):
        branch, other, third = self.chance.sample(BRANCHES, 3)
        self.bank.kill(branch)
        # It takes the third branch for the second.
        wrong = self.bank.start(branch, at=lambda peer: third)
        self.bank.processes[branch] = wrong
        json.loads(wrong.stdout.readline())
        self.bank.serves(branch)
        found = self.bank.probe(branch)
        assert found == "RETURNING", f"it has not heard from branch {other}, and gives ids: {found}"
        self.bank.kill(branch)
        self.bank.bring_back(branch)
        self.bank.is_back(branch)
        return False


KINDS = [
    Trouble.one_after_the_other, Trouble.two_of_three, Trouble.all_at_once, Trouble.one_alone,
    Trouble.away_for_a_whole_life, Trouble.a_twin, Trouble.a_copied_address,
]


def main(passbook, seed, rounds=len(KINDS)):
    with tempfile.TemporaryDirectory() as folder:
        secret = pathlib.Path(folder) / "bank.secret"
        subprocess.run([passbook, "secret", secret], check=True)
        for propagation in ("sync", "async"):
            for begin in range(0, rounds, ROUNDS_OF_A_BANK):
                chance = random.Random(f"{seed} {propagation} {begin}")
                bank = Bank(passbook, secret, free_base_port(chance), propagation)
                try:
                    trouble(bank, chance, min(rounds - begin, ROUNDS_OF_A_BANK))
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}, {propagation}, bank {begin}: {error}")
                finally:
                    bank.close()


def trouble(bank, chance, rounds):
    bank.is_back(*BRANCHES)
    customers = [
        Customer(bank, customer, random.Random(f"{chance.random()} {customer}"))
        for customer in CUSTOMERS
    ]
    for customer in customers:
        customer.start()
    kinds, may_lose = [], bank.propagation == "async"
    for _ in range(rounds):
        kinds = kinds or chance.sample(KINDS, len(KINDS))
        may_lose |= kinds.pop()(Trouble(bank, chance))
        time.sleep(chance.uniform(0, 0.5))
        for customer in customers:
            assert not customer.wrong, customer.wrong
    for customer in customers:
        customer.stop.set()
    for customer in customers:
        customer.join(LIMIT_SECONDS)
        assert not customer.wrong, customer.wrong
        assert not customer.is_alive(), f"{customer.customer} is stuck: {customer.trouble}"
    all_true(bank, customers, may_lose)
    asked = sum(customer.asked for customer in customers)
    losses = sum(customer.losses for customer in customers)
    print(f"    {bank.propagation}: {rounds} rounds, {asked} deposits, {losses} told of losses: ok")


def all_true(bank, customers, may_lose):
    """Each session can read at every branch what it is owed, and all branches hold the same."""
    for customer in customers:
        for branch in BRANCHES:
            until(lambda: customer.read(branch), f"{customer.trouble}")
        assert may_lose or not customer.losses, f"{customer.customer} was told of a loss"
    until(lambda: bank.state(1) == bank.state(2) == bank.state(3), "all branches hold the same")
    balance, sets = bank.state(1)
    held = counts(balance)
    for customer in customers:
        events = sets.get(customer.customer + 1, [])
        name = f"customer {customer.customer + 1}"
        assert len(set(events)) == len(events) == held[customer.customer], f"{name}: {events}"
        assert set(events) <= set(range(1, customer.asked + 1)), f"{name}: {events}"
        missing = customer.confirmed - set(events)
        assert not missing, f"{name} was told that these are done: {missing}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *(int(rounds) for rounds in sys.argv[3:4]))
