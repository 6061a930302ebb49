"""Accounts whose days begin and end by a clock of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from prorata.books.journal import journal
from prorata.database.refused import Refused
from prorata.engine.calendar import is_time_zone, moment_of
from prorata.engine.facts import Fact
from prorata.engine.intake import Intake, Row, read_facts
from prorata.invoicing.actions.advance_clock import advance_clock
from prorata.invoicing.actions.nightly import run_nightly
from prorata.invoicing.actions.payments import Transfer, receive_payment
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.models import BillRun, Document
from prorata.invoicing.verify import verify
from prorata.policies import load_policy, policy_text
from prorata.samples.lively import lively_rows
from prorata.subscriptions.actions.load import load, read_by_clocks
from prorata.subscriptions.actions.people import move
from prorata.subscriptions.actions.reconcile import reconcile
from prorata.subscriptions.actions.record import change_policy, tell
from prorata.subscriptions.actions.rows import Wish, load_rows, open_agreement
from prorata.subscriptions.actions.withdraw import withdraw
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.queries import earliest_today, today_of
from prorata.vendors.actions import add_vendor, set_policy
from prorata.vendors.models import Vendor
from tests.service.world import LONG_AGO, at, fact, live_through, seller

pytestmark = pytest.mark.django_db

END = date(2199, 12, 31)
EAST, WEST = "Pacific/Auckland", "America/Los_Angeles"
STARTS = Row("events[0]", {"event": "start", "at": "2026-01-01"})


def opened_in(vendor: Vendor, key: str, time_zone: str, *rows: Row) -> Subscription:
    return open_agreement(
        vendor=vendor, key=key, details={}, wish=Wish(time_zone=time_zone), rows=rows, now=at("2025-12-30"), actor="t"
    )


def billed(vendor: Vendor) -> list[tuple[object, ...]]:
    rows = Document.objects.filter(vendor=vendor).order_by("account__key", "date", "kind")
    return list(rows.values_list("account__key", "date", "kind", "total_minor", "credit_used_minor"))


@pytest.mark.parametrize("name", ["konfidens", "mainter", "sloneek"])
@pytest.mark.parametrize("zone", [EAST, WEST])
def test_by_a_clock_of_its_own_an_account_is_billed_what_a_policy_of_that_clock_bills(name: str, zone: str) -> None:
    policy = replace(load_policy(name), time_zone=zone)
    cells = lively_rows(policy, accounts=5, first=date(2025, 9, 1), days=200, seed=3)
    told = read_facts([Row(f"row {at}", one) for at, one in enumerate(cells, 1)], Intake(policy=policy))
    text = policy_text(name)
    assert text.count(f'time_zone = "{load_policy(name).time_zone}"') == 1
    vendors = []
    for key, own, theirs in (
        ("theirs", text, zone),
        ("ours", text.replace(f'"{load_policy(name).time_zone}"', f'"{zone}"'), ""),
    ):
        vendor = add_vendor(key=key, name=key)
        set_policy(vendor=vendor, name=name, text=own, now=LONG_AGO, actor="test")
        live_through(vendor, told, date(2026, 3, 31), theirs)
        assert list(verify(vendor)) == []
        vendors.append(vendor)
    assert billed(vendors[0]) == billed(vendors[1]) != []
    books = [sorted(journal(vendor, date(2026, 3, 31))) for vendor in vendors]
    assert [one[:5] for one in books[0]] == [one[:5] for one in books[1]]


def test_a_day_begins_where_the_account_is() -> None:
    vendor = seller()
    for key, zone in (("east", EAST), ("here", ""), ("west", WEST)):
        opened_in(vendor, key, zone, STARTS, Row("events[1]", {"event": "activate", "user": "a", "at": "2026-01-01"}))
    # 2026-01-01 begins in Auckland at 11:00 UTC the day before, in Stockholm at 23:00, in Los Angeles at 08:00
    found = []
    for now in ("2025-12-31T10:59", "2025-12-31T11:01", "2025-12-31T22:59", "2025-12-31T23:01", "2026-01-01T08:01"):
        run_bills(vendor=vendor, through=date(2026, 1, 1), now=datetime.fromisoformat(f"{now}:00+00:00"))
        found.append(sorted(Document.objects.values_list("account__key", flat=True)))
    assert found == [[], ["east"], ["east"], ["east", "here"], ["east", "here", "west"]]
    assert set(Document.objects.values_list("date", flat=True)) == {date(2026, 1, 1)}
    moments = dict(Event.objects.filter(kind="start").values_list("subscription__account__key", "at"))
    assert [moments[key].isoformat() for key in ("east", "here", "west")] == [
        "2025-12-31T11:00:00+00:00", "2025-12-31T23:00:00+00:00", "2026-01-01T08:00:00+00:00",
    ]  # fmt: skip


def test_a_sandbox_bills_as_each_day_begins() -> None:
    vendor = seller()
    for key, zone in (("west", WEST), ("east", EAST), ("here", "")):
        opened_in(vendor, key, zone, STARTS, Row("events[1]", {"event": "activate", "user": "a", "at": "2026-01-01"}))
    vendor.test_clock = at("2025-12-30", 13)
    vendor.save()
    advance_clock(vendor=vendor, to=at("2026-01-02"))
    runs = BillRun.objects.filter(documents__gt=0).order_by("known_until").values_list("known_until", flat=True)
    assert [one.isoformat() for one in runs] == [
        "2025-12-31T11:00:00+00:00", "2025-12-31T23:00:00+00:00", "2026-01-01T08:00:00+00:00",
    ]  # fmt: skip
    assert list(Document.objects.order_by("pk").values_list("account__key", flat=True)) == ["east", "here", "west"]


def test_there_is_a_night_for_each_clock() -> None:
    vendor = seller()
    for key, zone in (("east", EAST), ("here", "")):
        opened_in(vendor, key, zone, STARTS, Row("events[1]", {"event": "activate", "user": "a", "at": "2026-01-01"}))
    nights = []
    for hour in range(48):
        now = at("2025-12-31", 0) + timedelta(hours=hour)
        nights += [outcome for _, outcome in run_nightly(now=now, at=time(2))]
    assert sum(one.documents["invoice"] for one in nights) == 2
    known = BillRun.objects.filter(documents__gt=0).order_by("pk").values_list("known_until", flat=True)
    # at two in the morning: in Auckland 13:00 UTC, in Stockholm 01:00
    assert [one.isoformat() for one in known] == ["2025-12-31T13:00:00+00:00", "2026-01-01T01:00:00+00:00"]


def test_who_is_known_goes_by_its_own_clock_whatever_the_file_says() -> None:
    vendor = seller()
    opened_in(vendor, "east", EAST, STARTS)
    rows = [
        Row("line 2", {"at": "2026-01-05", "account": "east", "event": "activate", "user": "a"}),
        Row("line 3", {"at": "2026-01-05T12:00:00Z", "account": "east", "event": "activate", "user": "b"}),
        Row("line 4", {"at": "2026-01-05", "account": "west", "event": "activate", "user": "c"}),
        Row("line 5", {"at": "2026-01-05", "account": "here", "event": "activate", "user": "d"}),
    ]
    intake, clocks = Intake(policy=load_policy("mainter")), {"east": EAST, "here": ""}
    opened_in(vendor, "here", "", STARTS)
    told = read_by_clocks(rows, intake, clocks, WEST)
    load(vendor=vendor, told=told, now=at("2026-01-04"), actor="test", time_zone=WEST)
    assert dict(Subscription.objects.values_list("account__key", "time_zone")) == {
        "east": EAST, "west": WEST, "here": "",
    }  # fmt: skip
    events = Event.objects.filter(member__isnull=False).order_by("member__key").values_list("at", flat=True)
    assert [one.isoformat() for one in events] == [
        "2026-01-04T11:00:00+00:00", "2026-01-05T12:00:00+00:00", "2026-01-05T08:00:00+00:00",
        "2026-01-04T23:00:00+00:00",
    ]  # fmt: skip
    more = [
        Row(f"events[{number}]", {"at": "2026-01-06", "account": key, "event": "activate", "user": "z"})
        for number, key in enumerate(("west", "east"))
    ]
    load_rows(vendor=vendor, rows=more, now=at("2026-01-07"), actor="test")
    events = Event.objects.filter(member__key="z").order_by("at").values_list("at", flat=True)
    assert [one.isoformat() for one in events] == ["2026-01-05T11:00:00+00:00", "2026-01-06T08:00:00+00:00"]


NOON = at("2026-01-31")  # when it is one in the morning of 1 February in Auckland


@pytest.fixture
def east() -> Subscription:
    """An account in Auckland with a member since 1 January, billed for January."""
    vendor = seller()
    anna = Row("events[1]", {"event": "activate", "user": "anna", "at": "2026-01-01"})
    row = opened_in(vendor, "east", EAST, STARTS, anna)
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01"))
    row.refresh_from_db()
    return row


def test_whatever_is_done_now_is_done_on_the_account_s_own_day(east: Subscription) -> None:
    vendor = east.vendor
    assert today_of(east, NOON) == date(2026, 2, 1)
    moved = move(subscription=east, verb="activate", user="ben", now=NOON, actor="test")
    assert moved.at == NOON
    mended = reconcile(
        vendor=vendor, listed={"east": {"anna": ""}}, everyone=False, now=at("2026-01-31", 13), actor="test", mend=True
    )
    assert [one.user for one in mended] == ["ben"]
    left = Event.objects.get(member__key="ben", kind="deactivate")
    assert left.at == at("2026-01-31", 13)
    withdraw(event=left, now=at("2026-01-31", 14), actor="test")
    assert Subscription.objects.get(pk=east.pk).next_look == date(2026, 2, 1)
    local = moment_of(at("2026-01-31", 15), ZoneInfo(EAST))
    told = [Fact("credit", local, local, price_minor=500, reason="sorry")]
    tell(subscription=east, facts=told, now=at("2026-01-31", 15), actor="test")
    run_bills(vendor=vendor, through=date(2026, 2, 1), now=at("2026-01-31", 16))
    [granted] = [one for one in journal(vendor, END) if one.credit == "customer_credit"]
    assert granted.date == date(2026, 2, 1)
    assert list(verify(vendor)) == []


def test_money_moves_on_the_bank_s_day_and_a_month_is_over_where_it_ends_last(east: Subscription) -> None:
    west = opened_in(east.vendor, "west", WEST, STARTS)
    morning = at("2026-02-02", 7)  # 08:00 in Stockholm, and 23:00 of the day before in Los Angeles
    payment = receive_payment(
        account=west.account, amount_minor=100, by=Transfer(date(2026, 2, 2)), now=morning, actor="test"
    )
    assert payment.date == date(2026, 2, 2)
    with pytest.raises(Refused, match=r"^2026-02-03 has not come yet; it is 2026-02-01 for account west$"):
        receive_payment(
            account=west.account, amount_minor=100, by=Transfer(date(2026, 2, 3)), now=morning, actor="test"
        )
    assert earliest_today(east.vendor, at("2026-02-01", 4)) == date(2026, 1, 31)
    assert earliest_today(east.vendor, at("2026-02-01", 9)) == date(2026, 2, 1)


def test_a_run_looks_at_those_whose_day_has_come(east: Subscription) -> None:
    anna = Row("events[1]", {"event": "activate", "user": "anna", "at": "2026-01-01"})
    for number in range(3):
        opened_in(east.vendor, f"here{number}", "", STARTS, anna)
    run_bills(vendor=east.vendor, through=date(2026, 1, 2), now=at("2026-01-02", 20))
    night = run_bills(vendor=east.vendor, through=date(2026, 2, 1), now=NOON)
    assert (night.looked_at, night.documents["invoice"], night.left) == (1, 1, set())
    assert run_bills(vendor=east.vendor, through=date(2026, 2, 1), now=at("2026-02-01")).looked_at == 3


def test_a_file_that_was_read_before_an_account_got_its_clock_is_refused() -> None:
    vendor = seller()
    rows = [Row("line 2", {"at": "2026-01-05T12:00:00Z", "account": "east", "event": "activate", "user": "a"})]
    told = read_by_clocks(rows, Intake(policy=load_policy("mainter")), {})
    opened_in(vendor, "east", EAST, STARTS)
    with pytest.raises(Refused, match=r"^account east has another clock than it was read by; load the file again$"):
        load(vendor=vendor, told=told, now=at("2026-01-06"), actor="test")


@pytest.mark.parametrize("name", ["localtime", "Factory", "right/Europe/Oslo", "posixrules", "../etc", "", "Norway"])
def test_a_clock_is_the_same_everywhere(name: str) -> None:
    assert not is_time_zone(name)


def test_a_new_version_is_looked_at_on_the_account_s_own_day() -> None:
    vendor = seller()
    for key, zone in (("east", EAST), ("west", WEST)):
        row = opened_in(vendor, key, zone, STARTS)
        tell(subscription=row, facts=[fact("activate", "2026-01-01", "a")], now=at("2026-01-01"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 1, 2), now=at("2026-01-02", 20))
    change_policy(
        vendor=vendor, name="mainter", text=policy_text("mainter") + "\n", now=at("2026-01-09", 20), actor="test"
    )
    looks = dict(Subscription.objects.values_list("account__key", "next_look"))
    assert looks == {"east": date(2026, 1, 10), "west": date(2026, 1, 9)}
