"""Rows in bulk say the same as rows one by one, and clocks that remember say the same as those that reckon."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from prorata.accounts.actions import open_account
from prorata.accounts.models import Account
from prorata.database.clock import Clock
from prorata.database.one_of import one_of
from prorata.database.rows import add_rows, microseconds_of, rows_of, set_rows, time_of
from prorata.engine.calendar import instant_of, moment_of
from prorata.invoicing.models import Document, Line
from prorata.invoicing.rows import DocumentRow, LineRow
from prorata.subscriptions.models import Subscription
from tests.service.world import seller, told

ZONES = ("Europe/Stockholm", "Asia/Kathmandu", "Africa/Monrovia", "Australia/Lord_Howe", "America/Havana", "UTC")


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(-(10**10), 10**10),
    st.sampled_from(ZONES),
)
def test_a_clock_that_remembers_says_what_the_calendar_says(at: datetime, more: int, name: str) -> None:
    zone = ZoneInfo(name)
    clock = Clock(zone)
    for moment in (at, at + timedelta(microseconds=more), at):
        kept = microseconds_of(moment)
        assert time_of(kept).replace(tzinfo=UTC) == moment
        assert clock.moment(kept) == moment_of(moment, zone)
        assert time_of(clock.kept(clock.moment(kept))).replace(tzinfo=UTC) == instant_of(moment_of(moment, zone), zone)


@pytest.mark.django_db
def test_rows_written_in_bulk_are_read_the_same_by_the_models() -> None:
    vendor = told("scenarios/M11-credits-lapse-at-the-end.toml")
    for model, columns in ((Document, DocumentRow._fields), (Line, LineRow._fields)):
        asked = model._default_manager.filter(vendor=vendor).order_by("pk")
        for row, one in zip(rows_of(asked.values_list(*columns)), asked, strict=True):
            values = [getattr(one, name) for name in columns]
            assert list(row) == [microseconds_of(at) if isinstance(at, datetime) else at for at in values]


@pytest.mark.django_db
def test_columns_of_many_rows_are_set_at_once() -> None:
    told("scenarios/M11-credits-lapse-at-the-end.toml")
    [one] = Subscription.objects.all()
    known = datetime(2026, 7, 1, 10, 30, 0, 5, tzinfo=UTC)
    set_rows(
        Subscription,
        ("id", "known_until", "next_look", "ended_on"),
        [(one.pk, microseconds_of(known), date(2026, 8, 1), None)],
    )
    one.refresh_from_db()
    assert (one.known_until, one.next_look, one.ended_on) == (known, date(2026, 8, 1), None)
    set_rows(Subscription, ("id", "next_look"), [])


@pytest.mark.django_db
def test_texts_that_are_set_in_bulk_are_what_they_were() -> None:
    odd = ["", "NULL", "a,b", '"', "\\", '\\"', "{}", "it's", " x ", "Žluťoučký kůň", "two\nlines", "%s", "\t"]
    vendor = seller()
    accounts = [open_account(vendor=vendor, key=f"a{number}", name="x") for number in range(len(odd))]
    set_rows(
        Account, ("id", "name", "deleted_at"), [(one.pk, text, None) for one, text in zip(accounts, odd, strict=True)]
    )
    assert list(Account.objects.order_by("pk").values_list("name", flat=True)) == odd


@pytest.mark.django_db
def test_what_the_database_refuses_in_bulk_is_refused_as_everywhere() -> None:
    told("scenarios/M11-credits-lapse-at-the-end.toml")
    [one] = Subscription.objects.all()
    with pytest.raises(DatabaseError, match="subscription_billed_as_known"), transaction.atomic():
        set_rows(Subscription, ("id", "known_until"), [(one.pk, None)])
    with pytest.raises(DatabaseError, match=r"(?i)not.null"), transaction.atomic():
        add_rows(Account, ("vendor_id", "key", "name"), [(one.vendor_id, "account", "")])


@pytest.mark.django_db
@pytest.mark.parametrize("left_out", [(), (3,), (7, 20), range(2, 40, 2)])
def test_ids_are_found_whether_they_lie_together_or_apart(left_out: tuple[int, ...]) -> None:
    vendor = told("scenarios/M11-credits-lapse-at-the-end.toml").pk
    rows = Account.objects.bulk_create(Account(vendor_id=vendor, key=f"a{at}", name="") for at in range(40))
    ids = {row.pk for at, row in enumerate(rows) if at not in left_out}
    assert set(Account.objects.filter(one_of("id", ids)).values_list("pk", flat=True)) == ids
    assert list(Account.objects.filter(one_of("id", []))) == []
