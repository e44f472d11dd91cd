"""Customers of a bank in three processes, which are killed one after the other and come back.

    kills.py PASSBOOK SEED

Each customer sends a deposit, to any branch, until one says that it is done everywhere, and then the
next. In the end every branch holds each deposit once.
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
from passbook.v1 import bank_pb2, bank_pb2_grpc

BRANCHES = (1, 2, 3)
CUSTOMERS = range(1, 6)
SECONDS = 8
# Those that say that the request is at fault: no customer here sends such a one.
WRONG = (grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.INVALID_ARGUMENT)
LIMIT_SECONDS = 30


def free_base_port(chance):
    """Below those that connections get by themselves: nobody takes them while a process is away."""
    while True:
        base = chance.randrange(12_000, 31_000)
        try:
            for branch in BRANCHES:
                with socket.socket() as found:
                    found.bind(("127.0.0.1", base + branch))
            return base
        except OSError:
            continue


class Bank:
    def __init__(self, passbook, secret, base):
        self.passbook, self.secret, self.base = passbook, secret, base
        self.processes = {branch: self.serve(branch) for branch in BRANCHES}

    def address(self, branch):
        return f"127.0.0.1:{self.base + branch}"

    def serve(self, branch):
        peers = [f"--peer={peer}=http://{self.address(peer)}" for peer in BRANCHES if peer != branch]
        process = subprocess.Popen(
            [self.passbook, "serve", f"--branch={branch}", f"--base-port={self.base}",
             "--format=json", "--confirm-limit=300ms", f"--bank-secret={self.secret}", *peers],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        json.loads(process.stdout.readline())
        return process

    def kill(self, branch):
        self.processes[branch].kill()
        self.processes[branch].wait()

    def bring_back(self, branch):
        self.processes[branch] = self.serve(branch)

    def stub(self, branch):
        options = [("grpc.initial_reconnect_backoff_ms", 20), ("grpc.max_reconnect_backoff_ms", 200)]
        channel = grpc.insecure_channel(self.address(branch), options=options)
        return bank_pb2_grpc.BankServiceStub(channel)

    def state(self, branch):
        balance, sets = None, {}
        for item in self.stub(branch).ReadBranch(bank_pb2.ReadBranchRequest(branch_id=branch)):
            balance = item.branch.balance or balance
            for held in item.page.write_sets:
                sets.setdefault(held.customer_id, []).extend(held.event_ids)
        return balance, sets


class Customer(threading.Thread):
    def __init__(self, bank, customer, chance, stop):
        super().__init__(daemon=True)
        self.bank, self.customer, self.chance, self.stop = bank, customer, chance, stop
        self.done, self.trouble, self.wrong = 0, None, None

    def run(self):
        stubs = {branch: self.bank.stub(branch) for branch in BRANCHES}
        while not self.stop.is_set() and not self.wrong:
            while not self.deposit(stubs, self.done + 1):
                if self.wrong:
                    return
            self.done += 1

    def deposit(self, stubs, event):
        branch = self.chance.choice(BRANCHES)
        request = bank_pb2.DepositRequest(
            branch_id=branch, customer_id=self.customer, event_id=event, amount="1"
        )
        try:
            stubs[branch].Deposit(request, timeout=3)
            return True
        except grpc.RpcError as error:
            self.trouble = f"event {event} at branch {branch}: {error.code()} {error.details()}"
            if error.code() in WRONG:
                self.wrong = self.trouble
            return False


def main(passbook, seed):
    with tempfile.TemporaryDirectory() as folder:
        secret = pathlib.Path(folder) / "bank.secret"
        subprocess.run([passbook, "secret", secret], check=True)
        kill(passbook, secret, seed)


def kill(passbook, secret, seed):
    chance = random.Random(seed)
    bank = Bank(passbook, secret, free_base_port(chance))
    try:
        stop = threading.Event()
        customers = [
            Customer(bank, customer, random.Random(f"{seed} {customer}"), stop)
            for customer in CUSTOMERS
        ]
        for customer in customers:
            customer.start()
        kills, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.2, 0.8))
            branch = chance.choice(BRANCHES)
            bank.kill(branch)
            time.sleep(chance.uniform(0, 0.5))
            bank.bring_back(branch)
            # Each is back before the next one goes: nobody else remembers for it.
            bank.stub(branch).Query(
                bank_pb2.QueryRequest(branch_id=branch, customer_id=99), wait_for_ready=True
            )
            kills += 1
        stop.set()
        for customer in customers:
            customer.join(LIMIT_SECONDS)
            stuck = customer.is_alive() or customer.wrong
            assert not stuck, f"customer {customer.customer}: {customer.trouble}"
        done = {customer.customer: customer.done for customer in customers}
        total = sum(done.values())
        expected = (str(total), {who: list(range(1, last + 1)) for who, last in done.items()})
        for branch in BRANCHES:
            balance, sets = bank.state(branch)
            assert (balance, sets) == expected, f"branch {branch}: {balance}, not {total}"
        print(f"    {total} deposits and {kills} kills: ok")
    finally:
        for process in bank.processes.values():
            process.kill()
            process.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
