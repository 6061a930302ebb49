"""Settlement: the days on which an account is looked at, with the differences that go on a document then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import attrgetter

from prorata.engine.calendar import (
    Day,
    Moment,
    calendar_start,
    day_of,
    midnight,
    next_calendar_start,
    speak_day,
    to_day,
)
from prorata.engine.due import due
from prorata.engine.history import SCHEDULE_EVENTS, Event, Subscription
from prorata.engine.issued import Issued
from prorata.engine.known import Known
from prorata.engine.lines import Billed, Open, differences
from prorata.engine.period import Period, first_period, next_period
from prorata.engine.refusal import CannotBill

_RECORDED = attrgetter("recorded")
_CALENDAR_MONTHS = {"month": 1, "quarter": 3}
_FOREVER: Moment = 1 << 62


class Settlement:
    """Walks one account through time, with what was recorded before `known_until` and no more.

    A period is billed on its own day, and with it everything else that is open. Between those days what has risen is
    charged, and what has fallen credited, on the days the policy names and only where the sum goes that way: a credit
    never gets a document of its own unless the policy says so.
    """

    def __init__(
        self, subscription: Subscription, start: Day, known_until: Moment | None = None, issued: Issued | None = None
    ) -> None:
        news = sorted(subscription.events, key=_RECORDED)
        schedule = [event for event in news if event.kind in SCHEDULE_EVENTS]
        self.known = Known(subscription, start)
        self.released: list[Billed] = []  # the periods whose day has come
        self.is_base = False  # whether the present look is a period's own day
        self._news = news
        self._recorded = [event.recorded for event in news]
        self._until = _FOREVER if known_until is None else known_until
        self._learned = 0
        self._learned_until: Moment = 0
        self._last_look = start
        self._schedule = [event.recorded for event in schedule]
        self._told = max((event.recorded for event in schedule if event.kind != "interval"), default=midnight(start))
        self._coming: Period | None = None
        self._changed_from: Day | None = None  # the first day on which something changed since the last document
        if issued is not None:
            self._resume(issued)

    def looks(self, through: Day) -> Iterator[Day]:
        """The days up to and with `through` on which something may have to be billed, each with what is known then."""
        if self._told >= self._until:
            return
        self._learn(self.horizon(day_of(self._told)))
        while True:
            day = self._next_look()
            schedule_change = self._schedule[0] if self._schedule else _FOREVER
            if schedule_change < min(midnight(min(day, through)), self._until):
                self._learn(self.horizon(day_of(schedule_change)))
                continue
            if day > through:
                return
            self._last_look = day
            self._learn(self.horizon(day))
            self._release(day)
            yield day

    def horizon(self, look: Day) -> Moment:
        """Up to which moment things are known on a day: to its end, but never further than the walk knows."""
        return min(midnight(look + 1), self._until)

    def _resume(self, issued: Issued) -> None:
        """Takes up where the bills issued so far left off: what they looked at is not looked at again."""
        known_until, self._until = self._until, issued.known_until
        through = to_day(issued.through)
        for _ in self.looks(through):
            pass
        self._until = known_until
        self._last_look = max(self._last_look, through)
        periods = {billed.period.start: billed for billed in self.released}
        for document in issued.documents:
            for line in document.lines:
                start = to_day(line.period_start)
                billed = periods.get(start)
                if billed is None or billed.period.end != to_day(line.period_end):
                    raise CannotBill(
                        f"the document of {document.date} bills a period from {speak_day(start)}, and by what is "
                        "known now none begins then; a start or an interval cannot be moved once it is billed"
                    )
                billed.add(line, document.known_until)
        self._changed_from = self.known.start

    def open(self, look: Day) -> list[Open]:
        """Everything that is due and not billed by the day of the look, period by period."""
        if self._changed_from is None:
            return []
        first = len(self.released)
        while first and self.released[first - 1].period.end > self._changed_from:
            first -= 1
        found = []
        for billed in self.released[first:]:
            some = differences(billed, due(self.known, billed.period), self._news_for(billed), look)
            if some is not None:
                found.append(some)
        if not found:
            self._changed_from = None
        return found

    def is_due(self, look: Day, total_minor: int) -> bool:
        """Whether what is open makes a document today."""
        if self.is_base:
            return True
        rules = self.released[-1].period.rules
        settle = rules.rise.settle if total_minor > 0 else rules.fall.settle
        return total_minor != 0 and _settles(settle, look)

    def settle(self, look: Day, found: Iterable[Open]) -> None:
        """What was open is on a document of this day now."""
        for some in found:
            some.settle(self.horizon(look))
        self._changed_from = None

    def ended(self, look: Day) -> bool:
        """Whether the agreement is over by the look's day."""
        if self.known.cancel is None:
            return False
        period = self.released[-1].period
        if period.end <= look:
            period = self._next_period()
        return self.known.ends(period) <= look

    def _next_look(self) -> Day:
        day = max(self._next_period().billed_on, day_of(self._told))
        if not self.released:
            return day
        rules = self.released[-1].period.rules
        for settle in (rules.rise.settle, rules.fall.settle):
            if settle == "next_invoice":
                continue
            news = self._recorded[self._learned] if self._learned < len(self._recorded) else self._until
            if settle == "now":
                if news < self._until:
                    day = min(day, day_of(news))
                continue
            since = news if self._changed_from is None else self._learned_until - 1
            if since < self._until:
                since_day = max(self._last_look, day_of(since) - 1)
                day = min(day, next_calendar_start(since_day, _CALENDAR_MONTHS[settle]))
        return day

    def _release(self, look: Day) -> None:
        self.is_base = False
        period = self._next_period()
        while period.billed_on <= look:
            self.released.append(Billed(period, released=look))
            if self._changed_from is None or period.start < self._changed_from:
                self._changed_from = period.start
            self.is_base = True
            self._coming = None
            period = self._next_period()

    def _next_period(self) -> Period:
        if self._coming is None:
            if self.released:
                last = self.released[-1].period
                self._coming = next_period(last, self.known.interval(last.end, known_by=midnight(last.end)))
            else:
                start = self.known.start
                interval = self.known.interval(start, known_by=midnight(start + 1))
                self._coming = first_period(self.known.subscription.policy, interval, start)
        return self._coming

    def _learn(self, until: Moment) -> None:
        """Takes in what was recorded before a moment."""
        if until <= self._learned_until:
            return
        news, recorded, known = self._news, self._recorded, self.known
        at = self._learned
        while at < len(news) and recorded[at] < until:
            event = news[at]
            known.learn(event)
            day = event.day if event.until is None else min(event.day, event.until)
            if self._changed_from is None or day < self._changed_from:
                self._changed_from = day
            if event.kind in SCHEDULE_EVENTS:
                self._schedule.pop(0)
                self._coming = None
            at += 1
        self._learned = at
        self._learned_until = until

    def _news_for(self, billed: Billed) -> tuple[Event, ...]:
        """What became known since the period was last billed; of a period not billed yet, what happened in it."""
        if billed.known_until is not None:
            first = bisect_left(self._recorded, billed.known_until, hi=self._learned)
            return tuple(self._news[first : self._learned])
        known = self.known
        start, end = billed.period.start, billed.period.end
        return tuple(known.events[bisect_left(known.days, start) : bisect_left(known.days, end)])


def _settles(settle: str, look: Day) -> bool:
    if settle == "now":
        return True
    return settle != "next_invoice" and calendar_start(look, _CALENDAR_MONTHS[settle]) == look
