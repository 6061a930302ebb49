"""Bill runs that are killed, and many that run at once, on a real PostgreSQL: nothing lost, doubled or gapped."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from multiprocessing import active_children, get_context
from multiprocessing.context import ForkProcess
from random import Random

import pytest
from django.db import connection, connections

from prorata.accounts.models import Account
from prorata.database.refused import Refused
from prorata.database.workers import WorkerDied
from prorata.engine.calendar import midnight
from prorata.engine.facts import Fact
from prorata.engine.intake import Intake, Row, read_facts
from prorata.invoicing.actions import run_bills as module
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import BillRun, Document
from prorata.invoicing.verify import verify
from prorata.policies import load_policy, policy_text
from prorata.samples.lively import lively_rows
from prorata.subscriptions.actions.load import load
from prorata.subscriptions.actions.record import tell
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.actions import add_vendor, set_policy
from prorata.vendors.models import Vendor
from tests.service.world import LONG_AGO

FORK = get_context("fork")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LAST = date(2026, 9, 30)
BEGUN = time.monotonic()
ACCOUNTS, KILLS = 60, 200

pytestmark = pytest.mark.django_db(transaction=True)  # commits are real here


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 4)


@pytest.fixture
def vendor() -> Vendor:
    return loaded("vendor")


def loaded(key: str) -> Vendor:
    """A vendor with a lively year that has not been billed yet."""
    assert connection.vendor == "postgresql"
    policy = load_policy("mainter")
    vendor = add_vendor(key=key, name=key.title())
    set_policy(vendor=vendor, name="mainter", text=policy_text("mainter"), now=LONG_AGO, actor="test")
    cells = lively_rows(policy, accounts=ACCOUNTS, first=date(2025, 9, 1), days=400, seed=1)
    told = read_facts([Row(f"row {at}", one) for at, one in enumerate(cells, 1)], Intake(policy=policy))
    load(vendor=vendor, told=told, now=NOW, actor="test")
    return vendor


def clock() -> datetime:
    """A clock that goes on from NOW as the tests do."""
    return NOW + timedelta(seconds=time.monotonic() - BEGUN)


def in_a_process(what: Callable[[], object]) -> ForkProcess:
    """Starts something in a process with database connections of its own."""
    connections.close_all()
    process = FORK.Process(target=what)
    process.start()
    return process


def billed(vendor: Vendor) -> dict[str, list[tuple[date, int]]]:
    """What each account was billed, and when."""
    found: dict[str, list[tuple[date, int]]] = {}
    for document in Document.objects.filter(vendor=vendor).order_by("id").select_related("account"):
        found.setdefault(document.account.key, []).append((document.date, document.total_minor))
    return found


def assert_whole(vendor: Vendor) -> None:
    for kind in ("invoice", "credit_note"):
        numbers = Document.objects.filter(vendor=vendor, kind=kind).order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, len(numbers) + 1))
    assert list(verify(vendor)) == []


def test_a_run_that_is_killed_again_and_again_loses_and_doubles_nothing(vendor: Vendor) -> None:
    draw, through, killed = Random(7), date(2025, 10, 1), 0
    while killed < KILLS and through < LAST:
        if not Subscription.objects.filter(vendor=vendor, next_look__lte=through).exists():
            through += timedelta(1)
            continue
        process = in_a_process(partial(run_bills, vendor=vendor, through=through, now=NOW))
        time.sleep(draw.uniform(0, 0.06))
        if process.is_alive():
            process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed == KILLS
    run_bills(vendor=vendor, through=LAST, now=NOW)
    assert_whole(vendor)
    undisturbed = loaded("undisturbed")
    run_bills(vendor=undisturbed, through=LAST, now=NOW)
    assert billed(vendor) == billed(undisturbed)


def test_workers_bill_what_one_process_bills(vendor: Vendor) -> None:
    connections.close_all()
    outcome = run_bills(vendor=vendor, through=LAST, now=NOW, workers=3)
    assert_whole(vendor)
    alone = loaded("alone")
    assert run_bills(vendor=alone, through=LAST, now=NOW) == outcome
    assert billed(vendor) == billed(alone)


def test_the_workers_of_a_run_that_is_killed_end_with_it(vendor: Vendor) -> None:
    process = in_a_process(partial(run_bills, vendor=vendor, through=LAST, now=NOW, workers=2))
    while not Document.objects.filter(vendor=vendor).exists() and process.is_alive():
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    patience = time.monotonic() + 20
    with connection.cursor() as cursor:
        cursor.execute(others)
        while cursor.fetchone() != (0,) and time.monotonic() < patience:
            time.sleep(0.05)
            cursor.execute(others)
    assert time.monotonic() < patience
    run_bills(vendor=vendor, through=LAST, now=NOW, workers=2)
    assert_whole(vendor)


def test_a_run_says_so_when_one_of_its_workers_is_killed_and_another_goes_on(vendor: Vendor) -> None:
    connections.close_all()

    def kill_a_worker(_: int) -> None:
        for child in active_children():
            child.kill()

    with pytest.raises(WorkerDied, match="begin again for the rest"):
        run_bills(vendor=vendor, through=LAST, now=NOW, workers=2, step=kill_a_worker)
    assert BillRun.objects.get(vendor=vendor).ended_at is None
    run_bills(vendor=vendor, through=LAST, now=NOW)
    assert_whole(vendor)


def test_two_runs_at_once_bill_nobody_twice(vendor: Vendor) -> None:
    runs = [in_a_process(partial(run_bills, vendor=vendor, through=LAST, now=NOW)) for _ in range(3)]
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert not Subscription.objects.filter(vendor=vendor, next_look__lte=LAST).exists()
    assert_whole(vendor)


def test_clients_that_change_seats_while_bills_run_are_all_heard_and_billed(vendor: Vendor) -> None:
    subscriptions = list(Subscription.objects.filter(vendor=vendor).order_by("pk")[:10])
    run_bills(vendor=vendor, through=LAST, now=NOW)
    before = Event.objects.count()
    day = midnight(date(2026, 10, 5).toordinal())

    def client(number: int) -> None:
        for round_ in range(5):
            fact = Fact("activate", day, day, user=f"client-{number}-{round_}")
            tell(subscription=subscriptions[number % 10], facts=[fact], now=clock(), actor=f"client {number}")

    def runs() -> None:
        for day in range(6, 31):
            run_bills(vendor=vendor, through=date(2026, 10, day), now=clock())

    processes = [in_a_process(partial(client, number)) for number in range(20)]
    processes += [in_a_process(runs) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 22
    assert Event.objects.count() == before + 20 * 5
    run_bills(vendor=vendor, through=date(2027, 1, 1), now=NOW + timedelta(90))
    assert_whole(vendor)


def test_files_that_are_loaded_at_once_while_bills_run_wait_for_one_another(vendor: Vendor) -> None:
    policy = load_policy("mainter")
    keys = list(Account.objects.filter(vendor=vendor).order_by("key").values_list("key", flat=True))

    def file(number: int) -> None:
        told_of = {"at": "2026-10-02", "event": "activate", "user": f"u{number}"}
        rows = [Row("row", {**told_of, "account": key}) for key in keys]
        ordered = rows if number % 2 else rows[::-1]
        told = read_facts([*ordered, Row("row", {**told_of, "account": "new"})], Intake(policy=policy), set(keys))
        try:
            load(vendor=vendor, told=told, now=clock(), actor=f"file {number}")
        except Refused as error:  # of those that bring the same account the first is in time
            sys.exit(0 if "of account new is recorded already" in str(error) else 3)

    run = partial(run_bills, vendor=vendor, through=date(2026, 10, 31), now=NOW)
    processes = [in_a_process(partial(file, number)) for number in range(4)]
    processes += [in_a_process(run) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    assert Account.objects.filter(vendor=vendor, key="new").count() == 1
    run_bills(vendor=vendor, through=date(2026, 12, 1), now=NOW + timedelta(60))
    assert_whole(vendor)
