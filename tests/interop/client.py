"""A client with stubs of its own making, in both contracts.

    client.py ADDRESS

where one listener serves the branches 1 and 2, each of which began with 100.
"""

import sys
import threading

import banking_pb2
import banking_pb2_grpc
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from passbook.v1 import bank_pb2, bank_pb2_grpc, types_pb2


def typed(channel):
    bank = bank_pb2_grpc.BankServiceStub(channel)
    watched = bank.WatchBranch(bank_pb2.WatchBranchRequest(branch_id=2, from_position=1))
    deposited = bank.Deposit(
        bank_pb2.DepositRequest(branch_id=1, customer_id=7, amount="10.50")
    )
    assert (deposited.event_id, deposited.balance) == (1, "110.5"), deposited
    withdrawn = bank.Withdraw(
        bank_pb2.WithdrawRequest(
            branch_id=2, customer_id=7, amount="0.5", passbook=deposited.passbook
        )
    )
    assert (withdrawn.event_id, withdrawn.balance) == (2, "110"), withdrawn
    queried = bank.Query(
        bank_pb2.QueryRequest(branch_id=1, customer_id=7, passbook=withdrawn.passbook)
    )
    assert (queried.balance, queried.position) == ("110", 2), queried
    seen = [next(watched), next(watched)]
    watched.cancel()
    assert [(write.position, write.balance) for write in seen] == [(1, "110.5"), (2, "110")]
    assert seen[1].applied.write.kind == types_pb2.WRITE_KIND_WITHDRAW
    listed = bank.ListBranches(bank_pb2.ListBranchesRequest())
    assert [branch.balance for branch in listed.branches] == ["110", "110"], listed


def errors(channel):
    bank = bank_pb2_grpc.BankServiceStub(channel)
    deposit = bank_pb2.DepositRequest
    for request, code, reason, field in [
        (deposit(branch_id=9, customer_id=7, amount="1"), "NOT_FOUND", "UNKNOWN_BRANCH", None),
        (
            deposit(branch_id=1, customer_id=7, amount="1.005"),
            "INVALID_ARGUMENT", "BAD_FIELD", "amount",
        ),
        (
            deposit(branch_id=1, customer_id=7, event_id=2, amount="1"),
            "ALREADY_EXISTS", "EVENT_REUSED", None,
        ),
        (
            deposit(branch_id=1, customer_id=7, amount="1", passbook=b"none"),
            "INVALID_ARGUMENT", "BAD_FIELD", "passbook",
        ),
    ]:
        try:
            bank.Deposit(request)
            raise AssertionError(f"accepted: {request}")
        except grpc.RpcError as error:
            found = details(error)
            assert (error.code().name, *found) == (code, reason, field), (error, found)


def details(error):
    """The reason of an error, and the wrong field if it names one."""
    reason = field = None
    encoded = dict(error.trailing_metadata())["grpc-status-details-bin"]
    for detail in status_pb2.Status.FromString(encoded).details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            field = bad.field_violations[0].field
    return reason, field


def scenario(channel):
    bank = bank_pb2_grpc.BankServiceStub(channel)
    with open("input/read_your_writes.json", encoding="utf-8") as file:
        request = bank_pb2.RunScenarioRequest(scenario=file.read())
    *facts, last = list(bank.RunScenario(request))
    assert facts and all(item.HasField("fact") for item in facts)
    assert last.HasField("report") and '"branches_agree":true' in last.report.json, last


def classic(channel):
    branch = banking_pb2_grpc.BranchStub(channel)

    def ask(to, **request):
        message = banking_pb2.BranchRequest(**request)
        reply = branch.MsgDelivery(message, metadata=[("branch", to)])
        return reply.status, reply.write_sets, reply.balance

    who = {"type": "customer", "id": 3, "customer_id": 3}
    assert ask("1", interface="deposit", money=400, event_id=1, **who) == (200, "[1]", 510)
    assert ask("2", interface="withdraw", money=400, event_id=2, **who) == (200, "[1, 2]", 110)
    assert ask("1", interface="query", event_id=3, **who) == (200, "[1, 2]", 110)
    assert ask("2", read_writes=True, customer_id=3) == (200, "[1, 2]", 110)
    for money in [float("nan"), float("inf"), -1, 0, 0.001]:
        assert ask("1", interface="deposit", money=money, event_id=3, **who)[0] == 400, money


def many_at_once(channel):
    bank = bank_pb2_grpc.BankServiceStub(channel)
    request = bank_pb2.DepositRequest(branch_id=1, customer_id=8, amount="0.01")

    def work():
        for _ in range(50):
            bank.Deposit(request)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    balance = bank.Query(bank_pb2.QueryRequest(branch_id=2, customer_id=8)).balance
    assert balance == "112", balance


def tools(channel):
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert sorted(services) == [
        "banking.Branch",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "passbook.v1.BankService",
    ], services
    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", "banking.Branch", "passbook.v1.BankService"]:
        status = health.Check(health_pb2.HealthCheckRequest(service=service)).status
        assert status == health_pb2.HealthCheckResponse.SERVING, service


if __name__ == "__main__":
    for compression in [grpc.Compression.NoCompression, grpc.Compression.Gzip]:
        with grpc.insecure_channel(sys.argv[1], compression=compression) as connected:
            if compression == grpc.Compression.NoCompression:
                for check in [typed, errors, scenario, classic, many_at_once]:
                    check(connected)
            tools(connected)
