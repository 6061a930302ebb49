"""Programs that ask for the same at once, on a real PostgreSQL: it happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from prorata.accounts.models import Account
from prorata.invoicing.models import Document
from prorata.invoicing.verify import verify
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.models import Vendor
from prorata.webhooks.actions import deliver
from prorata.webhooks.models import Attempt
from tests.service.api.cast import Caller, program
from tests.service.api.conftest import sandbox
from tests.service.receiver import receiving

MANY = 10

pytestmark = pytest.mark.django_db(transaction=True)  # commits are real here


@pytest.fixture
def vendor() -> Vendor:
    assert connection.vendor == "postgresql"
    return sandbox()


@pytest.fixture
def vera(vendor: Vendor) -> Caller:
    caller = program(vendor)
    people = [{"event": "activate", "user": user} for user in ("anna", "ben")]
    caller.post("/accounts", {"key": "nord", "events": people})
    return caller


def at_once(ask: Callable[[int], HttpResponse | int]) -> Counter[int]:
    """What was answered to so many who ask at the same moment: each status, how often."""
    ready = Barrier(MANY)

    def one(number: int) -> int:
        try:
            ready.wait()
            answer = ask(number)
            return answer if isinstance(answer, int) else answer.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as threads:
        return Counter(threads.map(one, range(MANY)))


def test_a_key_that_is_sent_ten_times_at_once_is_acted_on_once(vera: Caller) -> None:
    joins = {"events": [{"event": "activate", "user": "chris"}]}
    answers = at_once(lambda _: vera.ask("POST", "/accounts/nord/events", joins, Idempotency_Key="k1"))
    assert answers == {201: MANY}
    assert Event.objects.filter(member__key="chris").count() == 1


def test_an_account_that_ten_open_at_once_is_opened_by_one(vera: Caller) -> None:
    answers = at_once(lambda _: vera.ask("POST", "/accounts", {"key": "syd"}))
    assert answers == {201: 1, 409: MANY - 1}
    assert Account.objects.filter(key="syd").count() == Subscription.objects.filter(account__key="syd").count() == 1


def test_a_quote_that_ten_accept_at_once_is_accepted_by_one(vera: Caller) -> None:
    quote = vera.post("/accounts/nord/quotes", {"events": [{"event": "activate", "user": "chris"}]})
    answers = at_once(lambda _: vera.ask("POST", f"/quotes/{quote['id']}/acceptance"))
    assert answers == {201: 1, 409: MANY - 1}
    assert Event.objects.filter(member__key="chris").count() == 1


def test_a_person_whom_ten_remove_at_once_is_removed_by_one(vera: Caller) -> None:
    answers = at_once(lambda _: vera.ask("POST", "/accounts/nord/members/anna/deactivate"))
    assert answers == {201: 1, 409: MANY - 1}


def test_ten_programs_move_people_while_bills_run(vera: Caller, vendor: Vendor) -> None:
    def ask(number: int) -> int:
        for turn in range(4):
            if number % 5 == 0:
                vera.post("/bill-runs", {"through": "2026-01-10"})
            else:
                vera.post(f"/accounts/nord/members/u{number}-{turn}/activate")
        return 200

    assert at_once(ask) == {200: MANY}
    vera.post("/clock", {"to": "2026-03-02T12:00:00Z"})
    numbers = list(Document.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert vera.get("/accounts/nord")["agreement"]["billed"][0]["quantity"] == 2 + 8 * 4
    assert list(verify(vendor)) == []


def test_a_clock_that_ten_move_at_once_is_moved_by_one_at_a_time(vera: Caller, vendor: Vendor) -> None:
    answers = at_once(lambda _: vera.ask("POST", "/clock", {"to": "2026-06-15T12:00:00Z"}))
    assert answers[200] >= 1  # and whoever asks when it is there already
    assert answers[200] + answers[409] == MANY
    assert vera.get("/vendor")["now"] == "2026-06-15T12:00:00Z"
    dates = [str(one) for one in Document.objects.order_by("date").values_list("date", flat=True)]
    assert dates == ["2026-01-10", *(f"2026-{month:02}-01" for month in range(2, 7))]
    assert list(verify(vendor)) == []


def test_workers_that_send_at_once_send_each_message_once(vera: Caller, settings: Settings) -> None:
    settings.WEBHOOKS_ANYWHERE = True
    with receiving() as receiver:
        webhook = vera.post("/webhooks", {"url": receiver.url})
        for _ in range(60):
            vera.post(f"/webhooks/{webhook['id']}/test")
        later = datetime.now(UTC) + timedelta(seconds=1)

        def work(_: int) -> int:
            while deliver(now=later, most=7):
                pass
            return 200

        at_once(work)
        assert len(receiver.ids) == len(set(receiver.ids)) == 60
    assert Attempt.objects.filter(status=200).count() == 60
