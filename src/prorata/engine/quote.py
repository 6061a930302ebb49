"""A quote says what a change would cost now, on the next document, and in each period from then on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from prorata.engine.bill import upcoming
from prorata.engine.calendar import MONTHS, Day, Moment, calendar_start, day_of, to_date
from prorata.engine.document import Document
from prorata.engine.facts import Fact, history
from prorata.engine.history import BEGIN_EVENTS, Subscription
from prorata.engine.issued import Issued
from prorata.engine.period import Period
from prorata.engine.tax import taxes


@dataclass(frozen=True, slots=True)
class Recurring:
    """What the first whole period that is still to come is billed, with tax: the days from `start` up to `end`."""

    start: date
    end: date
    total_minor: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an account will be sent if nothing more is recorded.

    `now` are the documents of today and of days before that are not issued yet, `next_document` is the first after
    them, `recurring` the first whole period to come; None where the agreement ends before.
    """

    now: tuple[Document, ...]
    next_document: Document | None
    recurring: Recurring | None

    @property
    def now_minor(self) -> int:
        return sum(document.total_minor for document in self.now)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change makes of what an account will be sent. Amounts are with tax, in minor units, below zero: a credit.

    `now_minor` is what the change costs at once, `next_minor` what it makes of the next document's total, and
    `per_period_minor` what each whole period from then on costs more.
    """

    unchanged: Outlook
    changed: Outlook

    @property
    def now_minor(self) -> int:
        return self.changed.now_minor - self.unchanged.now_minor

    @property
    def next_minor(self) -> int:
        with_it, without = self.changed.next_document, self.unchanged.next_document
        return (with_it.total_minor if with_it else 0) - (without.total_minor if without else 0)

    @property
    def per_period_minor(self) -> int:
        with_it, without = self.changed.recurring, self.unchanged.recurring
        return (with_it.total_minor if with_it else 0) - (without.total_minor if without else 0)


def outlook(subscription: Subscription, *, now: Moment, issued: Issued | None = None, since: Day = 0) -> Outlook:
    """What an account will be sent, by what has been recorded up to and with a moment; raises CannotBill.

    Nothing, where the agreement has neither a start nor a trial yet. Of the periods to come, those that begin on the
    day `since` or later are asked for.
    """
    today = day_of(now)
    told = (event for event in subscription.events if event.recorded <= now)
    if not any(event.kind in BEGIN_EVENTS for event in told):
        return Outlook((), None, None)
    due: list[Document] = []
    following: Document | None = None
    for document in upcoming(subscription, known_until=now + 1, issued=issued):
        if document.date.toordinal() <= today:
            due.append(document)
            continue
        following = following or document
        if (recurring := _recurring(document, max(since, today + 1))) is not None:
            return Outlook(tuple(due), following, recurring)
    return Outlook(tuple(due), following, None)


def quote(
    agreement: Subscription,
    facts: Iterable[Fact],
    change: Sequence[Fact],
    *,
    now: Moment,
    issued: Issued | None = None,
) -> Quote:
    """What it would cost if a change were recorded now, beside what was told; raises CannotBill.

    Whether the change contradicts what was told is to be asked before (see contradictions).
    """
    told = tuple(facts)
    news = [fact._replace(recorded=now) for fact in change]
    since = max((day_of(fact.at) for fact in news), default=0)
    unchanged = outlook(history(agreement, told), now=now, issued=issued, since=since)
    changed = outlook(history(agreement, [*told, *news]), now=now, issued=issued, since=since)
    return Quote(unchanged, changed)


def _recurring(document: Document, since: Day) -> Recurring | None:
    """What a document bills of the first whole period that begins on a day or later, where it bills one."""
    lines = [line for line in document.lines if line.kind == "period" and _is_whole(line.period, since)]
    if not lines:
        return None
    ticks = lines[0].period.policy.ticks
    first = min(line.period.invoice_start for line in lines)
    lines = [line for line in lines if line.period.invoice_start == first]
    total = sum(line.amount_minor for line in lines) + sum(part.tax_minor for part in taxes(lines))
    return Recurring(to_date(first // ticks), to_date(-(-lines[0].period.invoice_end // ticks)), total)


def _is_whole(period: Period, since: Day) -> bool:
    """Whether a period begins on a day or later, and is as long as its interval says."""
    begins = period.invoice_start // period.policy.ticks
    if begins < since:
        return False
    months = MONTHS[period.interval]
    return period.rules.period.anchor == "start" or calendar_start(begins, months) == begins
