"""The journal of a vendor: its documents, lapses, grants and payments, and by month what became revenue of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import QuerySet

from prorata.database.clock import clock_of
from prorata.database.rows import Microseconds, microseconds_of, rows_of
from prorata.database.snapshot import of_one_moment
from prorata.engine.books import Ledger, allocation_posting, earned_by, grant_posting, payment_posting
from prorata.engine.calendar import next_calendar_start, to_date, to_day
from prorata.engine.credits import grants_of
from prorata.invoicing.models import Allocation, Line, Payment, Posting
from prorata.invoicing.rows import local_of
from prorata.subscriptions.models import Event, Subscription
from prorata.subscriptions.queries import agreement_of, histories
from prorata.vendors.models import Vendor
from prorata.vendors.queries import rules_now

_SOME = 20_000  # rows that are read at a time
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Entry(NamedTuple):
    """An amount above zero, in minor units, that debits one ledger and credits another on a day, and what for."""

    date: date
    debit: Ledger
    credit: Ledger
    amount_minor: int
    currency: str
    reason: str


class _Line(NamedTuple):
    """A line as the books have to know it; its days are counted in microseconds of the account's own clock."""

    start_day: Microseconds
    end_day: Microseconds
    amount_minor: int


def journal(vendor: Vendor, through: date) -> list[Entry]:
    """All entries of a vendor dated up to and with a day, in order of date.

    What was deferred becomes revenue at the end of each month, and of the month that is not over by the last day: as
    much as of the lines' days is over by then.
    """
    with of_one_moment():
        told = (_posted(vendor, through), _granted(vendor, through), _paid(vendor, through), _earned(vendor, through))
        return sorted(chain.from_iterable(told), key=lambda one: one.date)


def wrong_part(first: date | None, last: date, today: date) -> tuple[str, str] | None:
    """Why days cannot be a part of the books that is handed over, and whether `from` or `through` is wrong.

    A part is of whole months that are over: only then is what was earned of them known.
    """
    if (last + timedelta(days=1)).day != 1:
        return "through", f"{last} is not the last day of a month, as which a part of the books has to end"
    if last >= today:
        return "through", f"the month of {last} is not over; hand over its part of the books afterwards"
    if first is not None and first.day != 1:
        return "from", f"{first} is not the first day of a month, with which a part of the books begins"
    if first is not None and first > last:
        return "from", f"{first} is after {last}"
    return None


def _posted(vendor: Vendor, through: date) -> Iterator[Entry]:
    """What documents and lapses posted."""
    asked = Posting.objects.filter(vendor=vendor, date__lte=through)
    names = ("date", "debit", "credit", "amount_minor", "currency", "document__kind", "document__number")
    for day, debit, credit, amount_minor, currency, kind, number in _all(asked, names):
        yield Entry(day, debit, credit, amount_minor, currency, "lapse" if kind is None else f"{kind}-{number}")


def _granted(vendor: Vendor, through: date) -> Iterator[Entry]:
    """The credits that were granted, each on the day from which it can be used, once a bill has taken it in."""
    granted = Event.objects.filter(vendor=vendor, kind="credit").values("subscription_id")
    rows = Subscription.objects.filter(pk__in=granted, billed_through__isnull=False).select_related("account")
    billed = list(rows.order_by("pk"))
    ruled = {(row.policy_name, row.time_zone) for row in billed}
    policies = {(name, zone): rules_now(vendor, name, _END_OF_TIME, zone) for name, zone in ruled}
    agreements = {
        row.pk: agreement_of(row, row.account.key, policies[row.policy_name, row.time_zone]) for row in billed
    }
    told = histories(agreements, named=False)
    for row in billed:
        assert row.known_until is not None
        assert row.billed_through is not None
        policy = agreements[row.pk].policy
        known_until = clock_of(policy.time_zone).moment(microseconds_of(row.known_until))
        for grant in grants_of(row.account.key, told[row.pk].grants, policy.ticks):
            if grant.date <= min(through, row.billed_through) and grant.since < known_until:
                posting = grant_posting(grant.amount_minor)
                yield Entry(grant.date, *posting, policy.currency, f"credit granted to {row.account.key}")


def _paid(vendor: Vendor, through: date) -> Iterator[Entry]:
    """What came in and what it counts for, or where it went."""
    told: dict[int, int] = defaultdict(int)  # of payments, by their ids: what the entries of allocations say on its day
    asked = Allocation.objects.filter(vendor=vendor, date__lte=through)
    names = (
        "date", "amount_minor", "at_once", "payment__currency", "payment_id", "payment__amount_minor",
        "paid_back_by_id", "document__kind", "document__number",
    )  # fmt: skip
    for day, amount_minor, is_at_once, currency, payment, whole_minor, back, kind, number in _all(asked, names):
        if kind is None:
            told[back] -= amount_minor
            reason = f"payment-{back} of payment-{payment}"
        else:
            told[payment] += amount_minor if is_at_once else 0
            is_back = amount_minor * whole_minor < 0
            reason = f"payment-{payment} {'no longer ' if is_back else ''}for {kind}-{number}"
        yield Entry(
            day, *allocation_posting(amount_minor, kind or "payment", at_once=bool(is_at_once)), currency, reason
        )
    payments = Payment.objects.filter(vendor=vendor, date__lte=through)
    for pk, day, amount_minor, currency in _all(payments, ("id", "date", "amount_minor", "currency")):
        if left_minor := amount_minor - told[pk]:
            yield Entry(day, *payment_posting(left_minor), currency, f"payment-{pk}")


def _earned(vendor: Vendor, through: date) -> Iterator[Entry]:
    """What of that was deferred became revenue, by month and currency."""
    earned: dict[tuple[date, str], int] = {}
    asked = Line.objects.filter(vendor=vendor, document__date__lte=through)
    names = ("start", "end", "amount_minor", "document__date", "document__currency")
    for start, end, amount_minor, issued, currency in _all(asked, names):
        for day, more_minor in _by_month(_Line(start, end, amount_minor), issued, through):
            earned[day, currency] = earned.get((day, currency), 0) + more_minor
    for (day, currency), minor in sorted(earned.items()):
        reason = f"earned in {day:%Y-%m}"
        if minor > 0:
            yield Entry(day, "deferred_revenue", "revenue", minor, currency, reason)
        elif minor < 0:
            yield Entry(day, "revenue", "deferred_revenue", -minor, currency, reason)


def _by_month(line: _Line, issued: date, through: date) -> Iterator[tuple[date, int]]:
    """How much of a line is earned in each month, from the day on which it was issued up to and with a last one."""
    day = to_day(issued)
    before, past = earned_by(line, local_of(day, 1)), to_day(through) + 1
    while day < past and local_of(day, 1) < line.end_day:
        day = min(next_calendar_start(day, 1), past)
        by_then = earned_by(line, local_of(day, 1))
        if by_then != before:
            yield to_date(day) - timedelta(days=1), by_then - before
        before = by_then


def _all(asked: QuerySet[Any], names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """All rows of a query by their ids, some at a time."""
    last = 0
    while rows := rows_of(asked.filter(pk__gt=last).order_by("pk").values_list("pk", *names)[:_SOME]):
        last = rows[-1][0]
        yield from (row[1:] for row in rows)
