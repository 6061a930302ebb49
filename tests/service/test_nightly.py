"""Bills run by themselves: once for each night of each time zone, and again where a run was interrupted."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from prorata.accounts.actions import open_account
from prorata.engine.history import Subscription as Agreement
from prorata.invoicing.actions import nightly
from prorata.invoicing.actions.nightly import run_nightly
from prorata.invoicing.actions.run_bills import Outcome, run_bills
from prorata.invoicing.models import BillRun
from prorata.policies import policy_text
from prorata.subscriptions.actions.record import subscribe, tell
from prorata.vendors.actions import set_policy
from prorata.vendors.models import Vendor
from prorata.vendors.queries import rules_now
from tests.service.world import LONG_AGO, at, fact, seller, with_people

ONE = time(1)


def _night(moment: datetime) -> list[tuple[str, int, int]]:
    """Who was run for, how many were looked at and billed."""
    return [
        (vendor.key, outcome.looked_at, outcome.documents.total())
        for vendor, outcome in run_nightly(now=moment, at=ONE)
    ]


def test_each_vendor_is_billed_once_a_night() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", day="2026-01-01")
    seller("konfidens", "other")
    # Stockholm and Oslo are an hour ahead of UTC: their one o'clock is midnight here
    assert _night(datetime(2026, 1, 30, 12, 0, tzinfo=UTC)) == [("other", 0, 0), ("vendor", 1, 1)]
    assert _night(datetime(2026, 1, 31, 0, 0, tzinfo=UTC)) == [("other", 0, 0), ("vendor", 0, 0)]
    assert _night(datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) == []
    assert _night(datetime(2026, 2, 1, 0, 0, tzinfo=UTC)) == [("other", 0, 0), ("vendor", 1, 1)]
    for minute in (1, 59):
        assert _night(datetime(2026, 2, 1, 0, minute, tzinfo=UTC)) == []
    assert _night(datetime(2026, 2, 2, 0, 0, tzinfo=UTC)) == [("other", 0, 0), ("vendor", 0, 0)]


def test_a_night_that_was_missed_is_run_afterwards() -> None:
    with_people(seller(), "nord", "anna", day="2026-01-01")
    late = time(23, 59)
    assert [one for one, _ in run_nightly(now=datetime(2026, 1, 31, 22, 58, 59, tzinfo=UTC), at=late)]  # of the 30th
    assert [one for one, _ in run_nightly(now=datetime(2026, 1, 31, 23, 0, 30, tzinfo=UTC), at=late)]
    assert not [one for one, _ in run_nightly(now=datetime(2026, 2, 1, 12, 0, tzinfo=UTC), at=late)]


def test_a_run_that_was_interrupted_is_run_again() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", day="2026-01-01")
    now = datetime(2026, 1, 1, 5, tzinfo=UTC)
    BillRun.objects.create(vendor=vendor, through=now.date(), known_until=now)  # and never ended
    assert _night(at("2026-01-01", 13)) == [("vendor", 1, 1)]
    assert _night(at("2026-01-01", 14)) == []


def test_a_missed_night_is_run_for_its_own_day() -> None:
    with_people(seller(), "nord", "anna", day="2026-01-01")
    late, morning = time(23), datetime(2026, 2, 1, 7, tzinfo=UTC)
    [(_, outcome)] = run_nightly(now=morning, at=late)
    assert outcome.documents.total() == 1  # January; what is due today is billed tonight
    assert not list(run_nightly(now=morning, at=late))
    [(_, outcome)] = run_nightly(now=datetime(2026, 2, 1, 22, tzinfo=UTC), at=late)
    assert outcome.documents.total() == 1


def test_a_run_of_one_account_does_not_stand_for_the_night() -> None:
    vendor = seller()
    nord = with_people(vendor, "nord", "anna", day="2026-01-01")
    with_people(vendor, "syd", "ben", day="2026-01-01")
    run_bills(vendor=vendor, account=nord.account, through=at("2026-01-01").date(), now=at("2026-01-01", 13))
    assert _night(at("2026-01-01", 14)) == [("vendor", 1, 1)]


def test_each_time_zone_has_its_own_night() -> None:
    vendor = seller()
    text = policy_text("mainter").replace("Europe/Stockholm", "America/New_York")
    set_policy(vendor=vendor, name="west", text=text, now=LONG_AGO, actor="test")
    with_people(vendor, "nord", "anna", day="2026-01-01")
    west = rules_now(vendor, "west", at("2026-01-01"))
    account = open_account(vendor=vendor, key="york", name="York")
    row = subscribe(account=account, agreement=Agreement("york", west, (), "PRO", "month"))
    tell(
        subscription=row, facts=[fact("start", "2026-01-01"), fact("activate", "2026-01-01", "ben")],
        now=at("2026-01-01"), actor="test",
    )  # fmt: skip
    assert _night(at("2026-01-01", 13)) == [("vendor", 2, 2)]
    # 1 February begins at 23:00 UTC in Stockholm, and at 05:00 in New York; each run comes an hour later
    assert _night(datetime(2026, 2, 1, 0, 30, tzinfo=UTC)) == [("vendor", 1, 1)]
    assert _night(datetime(2026, 2, 1, 5, 30, tzinfo=UTC)) == []
    assert _night(datetime(2026, 2, 1, 6, 0, tzinfo=UTC)) == [("vendor", 1, 1)]
    assert _night(datetime(2026, 2, 1, 7, 0, tzinfo=UTC)) == []


def test_a_sandbox_has_no_nights() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", day="2026-01-01")
    Vendor.objects.update(test_clock=at("2026-01-01"))
    assert _night(at("2026-03-01")) == []


def test_a_run_that_fails_costs_nobody_else_the_night(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("first", "second"):
        with_people(seller(key=key), "nord", "anna", day="2026-01-01")

    def fail(**named: Any) -> Outcome:
        if named["vendor"].key == "first":
            raise RuntimeError("out of luck")
        return run_bills(**named)

    monkeypatch.setattr(nightly, "run_bills", fail)
    first, second = run_nightly(now=at("2026-01-01", 13), at=ONE)
    assert first[1].problems == ["the bill run failed: out of luck; it is run again"]
    assert second[1].documents.total() == 1
    monkeypatch.undo()
    assert _night(at("2026-01-01", 14)) == [("first", 1, 1)]


def test_a_night_that_fails_is_tried_again_less_and_less_often() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", day="2026-01-01")
    begun = datetime(2026, 1, 2, 0, 0, tzinfo=UTC)
    tried = []
    for minute in range(200):
        now = begun + timedelta(minutes=minute)
        for _ in run_nightly(now=now, at=ONE):
            BillRun.objects.filter(vendor=vendor).update(ended_at=None)  # as if the process had died
            tried.append(minute)
    assert tried == [0, 2, 6, 14, 30, 62, 122, 182]
