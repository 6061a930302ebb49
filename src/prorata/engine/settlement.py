"""Settlement: the days on which an account is looked at, with the differences that go on a document then."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple, TypeAlias

from prorata.engine.calendar import (
    Day,
    Interval,
    Moment,
    add_months,
    day_of,
    midnight,
    moment_at,
    next_calendar_start,
    speak_point,
    to_day,
)
from prorata.engine.document import Line
from prorata.engine.due import due
from prorata.engine.history import (
    BEGIN_EVENTS,
    END_EVENTS,
    NEVER,
    SCHEDULE_EVENTS,
    Event,
    Subscription,
    opens_on,
    returns,
    starts_on,
)
from prorata.engine.issued import Issued
from prorata.engine.known import Known, Stint
from prorata.engine.lines import Billed, Open, differences, seats_more
from prorata.engine.period import Period, first_period, next_period, restarted, stocked
from prorata.engine.policy.model import RiseRules
from prorata.engine.prepaid import stock_of
from prorata.engine.refusal import CannotBill
from prorata.engine.restart import Standing, begins_anew, seats_on, standing

_RECORDED = attrgetter("recorded")
_FIRST = (*BEGIN_EVENTS, "wait")
_ENDS_OR_BEGINS = frozenset((*BEGIN_EVENTS, *END_EVENTS))
_MONTHS = {"month": 1, "quarter": 3, "own_month": 1, "own_quarter": 3}
_FOREVER: Moment = 1 << 62
_FAR: Day = 36_600  # a hundred years after a cancellation every agreement has ended


How: TypeAlias = Literal["suspended", "paused", "ended"]


class Stopped(NamedTuple):
    """An agreement does not run any more, or for now, since a day."""

    how: How
    since: Day


def _by_since(stopped: Stopped) -> tuple[Day, bool]:
    """What ends on the very day on which it would be suspended has ended."""
    return stopped.since, stopped.how != "suspended"


class Settlement:
    """Walks one account through time, with what was recorded before `known_until` and no more.

    A period is billed on its own day, and with it everything else that is open. Between those days what has risen is
    charged, and what has fallen credited, on the days the policy names and only where the sum goes that way: a credit
    never gets a document of its own unless the policy says so.

    Where the policy lets a change begin a new period, the running one ends on the day of it, and that day is the new
    period's own. Whether one begins is asked at the beginning of a day and after whatever is recorded on it, so that
    it depends neither on the hours of runs nor on what is told later.
    """

    def __init__(
        self, subscription: Subscription, known_until: Moment | None = None, issued: Issued | None = None
    ) -> None:
        news = tuple(sorted(subscription.events, key=_RECORDED))
        by_plan, by_method = subscription.policy.by_plan, subscription.policy.by_payment_method
        schedule = [event for event in news if event.kind in SCHEDULE_EVENTS]
        if by_plan or by_method:
            tells = [event for event in news if (by_plan and event.plan) or (by_method and event.payment_method)]
            schedule = sorted({*schedule, *tells}, key=_RECORDED)
        self._ticks = subscription.policy.ticks
        self._until = _FOREVER if known_until is None else known_until
        self._returns = returns(subscription.events)
        self._begins = [event for event in schedule if event.kind in _FIRST and event not in self._returns]
        if not self._begins:
            raise CannotBill("no event says when the agreement starts; add a start or a trial")
        self.known = Known(subscription, opens_on(self._begins[:1], subscription.policy.ticks), self._returns)
        self.released: list[Billed] = []  # the periods whose day has come
        self.is_base = False  # whether the present look is a period's own day
        self.known_until: Moment = 0  # and up to which moment it knows things
        self._news = news
        self._recorded = [event.recorded for event in news]
        self._learned = 0
        self._learned_until: Moment = 0
        self._last_look: Day = 0
        self._schedule = [event.recorded for event in schedule]
        self._told = self._begins[0].recorded
        self._waits = any(event.kind == "wait" for event in self._begins)  # for a payment method, after a trial
        self._turns = _turns(subscription) if subscription.policy.restarts else []  # days on which one may begin anew
        self._turned: Day = 0  # the last of them that was asked
        self._anew: Period | None = None  # the period that a change began, until its own day has come
        self._anew_on: Day | None = None  # the day on which the one before it is billed
        self._return: Event | None = None  # with what the coming period begins, where the agreement had ended before
        self._coming = self._next_period()
        self._waiting = subscription.policy.waiting_days
        self._later = subscription.policy.has_later
        self._lasts = _lasts(subscription) if self._waiting else []  # days on which what has risen may have lasted
        self._changed_from: Day | None = None  # the first day on which something changed since the last document
        if issued is not None:
            self._resume(issued)

    def looks(self, through: Day) -> Iterator[Day]:
        """The days up to and with `through` on which something may have to be billed, each with what is known then."""
        if self._told >= self._until:
            return
        if not self._learned_until:
            self._learn(self._told + 1 if self._turns else self.horizon(day_of(self._told)))
        while True:
            day = self._next_look()
            turn = self._next_turn() if self._turns else None
            if turn is not None and turn <= min(day, through):
                self._turn(turn)
                if turn < day:
                    continue
            elif self._schedule and self._schedule[0] < self._until:
                change = day_of(self._schedule[0])
                if change < day and (change < through or (change == through and self._may_begin(day))):
                    self._learn(self.horizon(change))
                    continue
            if day > through:
                if day >= NEVER and not self._schedule:
                    self._learn(self.horizon(through))  # that it was cancelled meanwhile
                return
            if self._waiting:
                self._change((self._last_look - self._waiting) * self._ticks)
            if self._later:
                self._come_due()
            self._last_look = day
            self.known_until = self.horizon(day)
            self._learn(self.known_until)
            self._release(day)
            if self._turns:
                self._foresee(day)
            yield day
            self.is_base = False

    def _may_begin(self, day: Day) -> bool:
        """Whether what is recorded next may begin a period on the very day: of an agreement that does not run."""
        return day >= NEVER or any(event.recorded == self._schedule[0] for event in self._returns)

    def catch_up(self, through: Day) -> None:
        """Knows all that is known on a day, without billing any of it."""
        for _ in self.looks(through):
            pass
        self._learn(self.horizon(through))
        if self._waiting or self._later:
            self.known.today = (through + 1) * self._ticks - 1

    def ends_unheard(self, through: Day) -> bool:
        """Whether what ends the agreement, or brings it back, is known on a day and no look has learned it."""
        until = self.horizon(through)
        if until <= self._learned_until:
            return False
        learned = bisect_left(self._recorded, until, lo=self._learned)
        kinds = {event.kind for event in self._news[self._learned : learned]}
        return not kinds.isdisjoint(_ENDS_OR_BEGINS)

    def period_at(self, point: Day) -> Period | None:
        """The period in which a point lies, of those whose day has come and the next one."""
        periods = (*(billed.period for billed in reversed(self.released)), self._coming)
        return next((period for period in periods if period.start <= point < period.end), None)

    def horizon(self, look: Day) -> Moment:
        """Up to which moment things are known on a day: to its end, but never further than the walk knows."""
        end = midnight(look + 1)
        return end if end < self._until else self._until

    def _resume(self, issued: Issued) -> None:
        """Takes up where the bills issued so far left off: what they looked at is not looked at again."""
        known_until, self._until = self._until, issued.known_until
        through = to_day(issued.through)
        for _ in self.looks(through):
            pass
        self._until = known_until
        self._last_look = max(self._last_look, through)
        periods = {(billed.period.start, billed.period.end): billed for billed in self.released}
        # The end of prepaid time may have moved again on the day on which it began.
        lasting = {billed.period.start: billed for billed in self.released if billed.period.stock is not None}
        for document in issued.documents:
            for line in document.lines:
                start, end = line.period_start_day, line.period_end_day
                billed = periods.get((start, end)) or lasting.get(start)
                if billed is None:
                    raise CannotBill(
                        f"the document of {document.date} bills a period from {speak_point(start, self._ticks)}, and "
                        "by what is known now none begins then; a start or an interval cannot be moved once it is "
                        "billed"
                    )
                billed.add(line, document.known_until)
        self._changed_from = 0  # what has changed since is not remembered, so every period is compared

    def open(self, look: Day) -> list[Open]:
        """Everything that is due and not billed by the day of the look, period by period."""
        if self._changed_from is None:
            return []
        found = []
        if self._waiting or self._later:
            self.known.today = (look + 1) * self._ticks - 1
        for billed in reversed(self.released):
            period = billed.period
            if period.end <= self._changed_from:
                if not period.begun:
                    break
                continue
            first_news = self._first_news(period) if self._later else ()
            some = differences(billed, due(self.known, period), self._news_for(billed, look), look, first_news)
            if some is not None:
                found.append(some)
        if not found:
            self._changed_from = None
        found.reverse()
        return found

    def is_due(self, look: Day, lines: Sequence[Line], total_minor: int) -> bool:
        """Whether what is open, with tax so much, makes a document today."""
        if self.is_base:
            return True
        rules = self.released[-1].period.rules
        settle = rules.rise.settle if total_minor > 0 else rules.fall.settle
        if settle in _MONTHS:
            settles = self._settles_next(settle, look - 1) == look
        else:
            settles = settle == "now"
        return total_minor != 0 and settles and (total_minor < 0 or _is_enough(rules.rise, lines))

    def refunds(self) -> bool:
        """Whether what a document of today comes to below zero is paid back."""
        return self.released[-1].period.rules.fall.give == "refund"

    def settle(self, found: Iterable[Open]) -> None:
        """What was open is on a document now."""
        for some in found:
            some.settle(self.known_until)
        self._changed_from = None

    def has_ended(self, by: Day) -> bool:
        """Whether the agreement no longer runs, and that is more than a pause."""
        return self.known.stints[-1].is_final and self.ended(by) is not None

    def ended(self, by: Day, stint: Stint | None = None) -> Day | None:
        """The first day on which the agreement no longer runs, if that has come: for now, or after a stint.

        Where it is told that it comes back it has not ended.
        """
        stint = stint or self.known.stints[-1]
        if stint.cancel is None:
            return None
        end, is_past = NEVER * self._ticks, False
        for period in (*(billed.period for billed in self.released), self._coming):
            its = self.known.stint(period)
            is_past = is_past or its.begins > stint.begins
            if its is not stint:
                continue
            end = self.known.ends(period)
            if end < self.known.cuts.get((period.start, period.end), period.end):
                is_past = True
                break
        day = self._day_after(end, stint.cancel) if is_past else NEVER
        return day if day <= min(by, NEVER) and is_past else None

    def ends(self, stint: Stint | None = None) -> Day | None:
        """The first day on which the agreement will no longer run, by what is known now, however far ahead."""
        stint = stint or self.known.stints[-1]
        if stint.cancel is None:
            return None
        if (day := self.ended(_FOREVER, stint)) is not None:
            return day
        period = self._coming
        last = max(stint.cancel.day, stint.cancel.until or 0) + _FAR * self._ticks
        while period.start < last:
            period = self._after(period)
            if self.known.stint(period) is stint and (end := self.known.ends(period)) < period.end:
                return self._day_after(end, stint.cancel)
        return None

    def _day_after(self, end: Day, cancel: Event) -> Day:
        """The first day of which nothing is left; of a trial that nothing followed, the one on which it was over."""
        if end >= NEVER * self._ticks:
            end = max([cancel.day, *(event.until for event in self._begins if event.kind == "trial" and event.until)])
        return -(-end // self._ticks)

    def stopped(self, by: Day) -> Stopped | None:
        """Why and since when the agreement does not run on a day although it had begun; None where it does."""
        if not self._may_stop():
            return None
        found = max((one for one in self._stops() if one.since <= by), key=_by_since, default=None)
        runs = max((day for day in self._goes_on() if day <= by), default=-1)
        return None if found is None or found.since <= runs else found

    def _may_stop(self) -> bool:
        """Whether anything is known for which it may not run at times: mostly nothing is."""
        return self._waits or len(self.known.stints) > 1 or self.known.stints[0].cancel is not None

    def _goes_on(self) -> Iterator[Day]:
        """The days on which it runs again, after it was suspended or had ended, and not only to end at once."""
        for stint in self.known.stints if self._waits else self.known.stints[1:]:
            day = (self.known.start if stint.begins < 0 else stint.begins) // self._ticks
            ends = None if stint.cancel is None else self.ends(stint)
            if ends is None or ends > day:
                yield day

    def _stops(self) -> Iterator[Stopped]:
        """When it stops running, and why, however far ahead."""
        if self._waits:
            trials = [event.until for event in self._begins if event.kind == "trial" and event.until]
            ends = [until for until in trials if until < self.known.start]
            yield from (Stopped("suspended", -(-until // self._ticks)) for until in ends)
        for stint in self.known.stints:
            if stint.cancel is not None and (end := self.ends(stint)) is not None:
                is_last = stint is self.known.stints[-1]
                yield Stopped("ended" if is_last and stint.is_final else "paused", end)

    def next_turn(self, through: Day) -> Day | None:
        """The first day after one on which it stops running, or runs again."""
        if not self._may_stop():
            return None
        days = [*(one.since for one in self._stops()), *self._goes_on()]
        return min((day for day in days if through < day < NEVER), default=None)

    def next_look(self, through: Day, *, lapses: bool) -> Day | None:
        """A day after `through` before which nothing is billed unless something is recorded; None where nothing is.

        Sometimes nothing is billed on that day either: it is the first on which it is worth asking. With credits that
        may lapse it is worth asking even after the end.
        """
        if self._told >= self._until or (self._schedule and self._schedule[0] < self._until):
            return through + 1
        has_news = self._learned < len(self._recorded) and self._recorded[self._learned] < self._until
        is_open = has_news or (self._changed_from is not None and bool(self.released))
        end = None if lapses or is_open else self.ended(through)
        if end is not None:
            never_began = self._coming.start >= NEVER * self._ticks
            if never_began or (self.released and self.released[-1].released >= end):
                return None
        turn = self._next_turn() if self._turns else None
        day = self._next_look()
        return max(day if turn is None else min(day, turn), through + 1)

    def _next_look(self) -> Day:
        if self._anew_on is not None:
            return self._anew_on
        day = self._comes_on()
        if not self.released:
            return max(day, day_of(self._told))
        rules = self.released[-1].period.rules
        if rules.rise.settle == "next_invoice" and rules.fall.settle == "next_invoice":
            return day
        news = self._recorded[self._learned] if self._learned < len(self._recorded) else self._until
        since = news if self._changed_from is None else self._learned_until - 1
        if self._waiting or self._later:  # what is due may be more although nothing happened
            since = self._learned_until - 1
            if rules.rise.settle == "now":
                later = bisect_right(self._lasts, self._last_look)
                day = min((day, *self._lasts[later : later + 1], *self._ends()))
        for settle in (rules.rise.settle, rules.fall.settle):
            if settle == "now" and news < self._until:
                day = min(day, day_of(news))
            elif settle in _MONTHS and since < self._until:
                since_day = max(self._last_look, day_of(since) - 1)
                day = min(day, self._settles_next(settle, since_day))
        return day

    def _settles_next(self, settle: str, day: Day) -> Day:
        """The first day after this one on which what has risen is charged between the periods' own bills."""
        months = _MONTHS[settle]
        period = self.released[-1].period
        if settle in ("month", "quarter") or period.rules.period.anchor == "calendar":
            return next_calendar_start(day, months)
        first = next(
            one.period
            for one in self.released
            if (one.period.invoice_end, one.period.begun) == (period.invoice_end, period.begun)
        )
        anchor, told = first.anchor // self._ticks, first.months + months
        while add_months(anchor, told) <= day:
            told += months
        return add_months(anchor, told)

    def _ends(self) -> Iterator[Day]:
        """The days from which on items in arrears are due of the running invoice, those to come."""
        if self._later:
            for period in (billed.period for billed in self.released):
                for own in (one for one in (period, *period.apart.values()) if one.is_later):
                    span = self.known.span(own)
                    end = -(-span[1] // self._ticks) if span is not None else 0
                    if end > self._last_look:
                        yield end

    def _come_due(self) -> None:
        """Items in arrears may be due by now of the periods that were not over by the last look."""
        for billed in reversed(self.released):
            if billed.period.end <= self._last_look * self._ticks:
                if not billed.period.begun:
                    break
                continue
            self._change(billed.period.start)

    def _release(self, look: Day) -> None:
        self._anew_on = None
        while self._comes_on() <= look:
            self._put(self._coming, look)
            self._anew = None
            self._coming = self._next_period()

    def _put(self, period: Period, look: Day) -> None:
        """The period's day has come."""
        if self._turns and period.rules.change.is_prepaid:
            period = self._stocked(period)
        billed = Billed(period, look, midnight(look))
        if period.begun:  # of the time before the agreement came back the very same days may have been billed
            same = next((one for one in self.released if _same_days(one.period, period)), billed)
            same.period, billed = period, same
            self.released = [one for one in self.released if one is not same]
        if self.known.cuts and self.known.cuts.pop((period.start, period.end), None) is not None:
            # It was begun anew on its first day, and that was taken back on the same day.
            billed = next((one for one in self.released if one.period == period), billed)
            self.released = [one for one in self.released if one is not billed]
        self.released.append(billed)
        self._change(period.start)
        self.is_base = True

    def _next_turn(self) -> Day | None:
        """The next day on which a change may begin a new period."""
        news = self._recorded[self._learned] if self._learned < len(self._recorded) else _FOREVER
        later = bisect_right(self._turns, self._turned)
        days = [*self._turns[later : later + 1], *([day_of(news)] if news < self._until else [])]
        return min(days, default=None)

    def _turn(self, day: Day) -> None:
        """Asks whether a new period begins on a day: by what was known before it, and by all that is recorded on it."""
        is_new, self._turned = day > self._turned, max(day, self._turned)
        until = self.horizon(day)
        self._learn(min(midnight(day), until))
        self._release(day)
        if is_new and (period := self._running(day)) is not None:
            self._ask(period, day, standing(self.known, period, day - 1))
        while self._learned < len(self._recorded) and self._recorded[self._learned] < until:
            period = self._running(day)
            before = None if period is None else standing(self.known, period, day)
            self._learn(self._recorded[self._learned] + 1)
            if period is not None:
                self._ask(period, day, before)
        self._learn(until)
        self._foresee(day)

    def _running(self, day: Day) -> Period | None:
        """The period in which a day lies, by the periods that have begun."""
        periods = (self._coming, *(billed.period for billed in self.released[-1:]))
        return next((period for period in periods if period.start <= day < period.end), None)

    def _ask(self, period: Period, day: Day, before: Standing | None) -> None:
        """Ends the running period on a day if a change begins a new one on it, on the terms that are known by then."""
        if period.rules.change.is_prepaid:
            self._take_stock(day)
            return
        if not begins_anew(self.known, period, day, before):
            return
        if period is self._coming:
            self._put(period, day)
        self._begin_anew(period, day)

    def _begin_anew(self, period: Period, day: Day) -> None:
        self.known.cuts[period.start, period.end] = day
        self._change(day)
        self._anew = self._coming = restarted(period, day, *self._terms_known(day, _FOREVER))
        self._anew_on = day
        self.is_base = True

    def _take_stock(self, day: Day) -> None:
        """Begins another stretch of prepaid time where another number of seats is billed on a day.

        What is recorded later on that day moves its end again, or back to where it was.
        """
        period = self.released[-1].period
        stock = period.stock
        if stock is None or not period.start <= day < min(period.end, self.known.ends(period)):
            return
        if day > period.start:
            seats = seats_on(self.known, period, day)
            if seats > stock.seats or (0 < seats < stock.seats and period.rules.fall.effect == "day"):
                self._begin_anew(period, day)
            return
        lasting = self._lasting(period, stock.carried, stock.paid_until, stock.whole_until, stock.counted)
        if lasting.stock == stock:
            return
        self.released[-1].period = lasting
        self._coming = self._next_period()
        self._change(day)
        self._anew_on = day
        self.is_base = True

    def _stocked(self, period: Period) -> Period:
        """The period with what its seats are paid from: what is left of the one within which it begins, and its own."""
        last = self.released[-1].period if self.released else None
        if last is None or last.stock is None or last.end <= period.start:
            return self._lasting(period, 0, period.start, period.end, (period.start, 0))
        return self._lasting(period, last.stock.seats, last.end, period.end, (last.anchor, last.months))

    def _lasting(
        self, period: Period, carried: int, paid_until: Day, whole_until: Day, counted: tuple[Day, int]
    ) -> Period:
        """The period with how long its seats last; without any it runs on with those there were."""
        seats = seats_on(self.known, period, max(period.start, self.known.start_of(period))) or carried
        extends, by_months = period.rules.change.more_seats == "extend", period.rules.share.by == "months"
        stock = stock_of(
            period.start, seats, carried, paid_until, whole_until, counted, extends=extends, by_months=by_months
        )
        return stocked(period, stock)

    def _foresee(self, look: Day) -> None:
        """Ends the running period where it will end if nothing changes, so that no more of it is billed ahead."""
        if not self.released or self.released[-1].period is not self._running(look):
            return
        known, period = self.known, self.released[-1].period
        ahead = self._turns[bisect_right(self._turns, look) : bisect_left(self._turns, period.end)]
        cut = next((day for day in ahead if begins_anew(known, period, day, standing(known, period, day - 1))), None)
        if cut is not None:
            known.cuts[period.start, period.end] = cut
        else:
            known.cuts.pop((period.start, period.end), None)

    def _next_period(self) -> Period:
        """The first period that has not been looked at, by what is known."""
        if self._anew is not None:
            return self._anew
        self._return = None
        if self.released:
            return self._after(self.released[-1].period)
        begun = self._begun() or self._begins[:1]
        start = opens_on(begun, self._ticks)
        known_by = max(moment_at(start, self._ticks), self._told + 1)
        if self._waits:  # what it waited for may be told after the day on which it begins
            known_by = max(known_by, max(event.recorded for event in begun) + 1)
        interval, plan, method = self._terms_known(start, known_by)
        return self._or_return(first_period(self.known.subscription.policy, interval, start, plan, method), 0)

    def _after(self, last: Period) -> Period:
        """The period after one: the next by its length, or the first with which the agreement comes back."""
        return self._or_return(next_period(last, *self._terms(last.end)), last.begun)

    def _or_return(self, following: Period, begun: Day) -> Period:
        """The following period, or the first with which the agreement comes back where that is before it."""
        event = self._pending()
        if event is None or not begun < event.day <= following.start:
            return following
        self._return = event
        known_by = max(moment_at(event.day, self._ticks), event.recorded + 1)
        interval, plan, method = self._terms_known(event.day, known_by)
        return first_period(self.known.subscription.policy, interval, event.day, plan, method, again=True)

    def _pending(self) -> Event | None:
        """With what the agreement comes back next, as far as is known."""
        if not self._returns:
            return None
        begun = {billed.period.begun for billed in self.released}
        known = (event for event in self._returns if event.recorded < self._learned_until)
        return next((event for event in known if event.day not in begun), None)

    def _comes_on(self) -> Day:
        """The day on which the coming period is billed: its own, or that on which the agreement comes back after it."""
        day = self._coming.billed_on
        if not self.released and self._waits:
            day = max(day, day_of(max(event.recorded for event in self._begun() or self._begins[:1])))
        event = self._pending()
        if event is None:
            return day
        back = max(event.day // self._ticks, day_of(event.recorded))
        return max(day, back) if event is self._return else min(day, back)

    def _begun(self) -> list[Event]:
        """What is known of how the agreement starts."""
        return [event for event in self._begins if event.recorded < self._learned_until]

    def _terms(self, first: Day) -> tuple[Interval, str, str]:
        """What a period begins with: the terms asked for before that, or by when the agreement was told of."""
        return self._terms_known(first, max(moment_at(first, self._ticks), self._told + 1))

    def _terms_known(self, first: Day, known_by: Moment) -> tuple[Interval, str, str]:
        """The interval, the plan and the payment method known by a moment; the last two where rules depend on them."""
        known, policy = self.known, self.known.subscription.policy
        plan = known.plan(first, known_by) if policy.by_plan else ""
        method = known.payment_method(first, known_by) if policy.by_payment_method else ""
        return known.interval(first, known_by=known_by), plan, method

    def _learn(self, until: Moment) -> None:
        """Takes in what was recorded before a moment."""
        if until <= self._learned_until:
            return
        learned = bisect_left(self._recorded, until, lo=self._learned)
        if learned > self._learned:
            first = self.known.learn(self._news[self._learned : learned])
            if self._waiting:
                first -= self._waiting * self._ticks  # what rose before and does not last now
            self._change(first)
        self._learned = learned
        self._learned_until = until
        if self._schedule and self._schedule[0] < until:
            self._schedule = [moment for moment in self._schedule if moment >= until]
            self._coming = self._next_period()
            start = starts_on(self._begun())
            if start is not None and start != self.known.start:
                self._change(min(start, self.known.start))
                self.known.start = start

    def _change(self, day: Day) -> None:
        if self._changed_from is None or day < self._changed_from:
            self._changed_from = day

    def _first_news(self, period: Period) -> tuple[Event, ...]:
        """What happened in a period, and so long before it that it may count within it."""
        notice = period.notice
        if period.apart:
            notice = max(notice, *(one.notice for one in period.apart.values()))
        return tuple(self.known.happened(period.start - notice, period.end))

    def _news_for(self, billed: Billed, look: Day) -> tuple[Event, ...]:
        """What came to count since the period was last billed; when it is first looked at, what happened in it."""
        period = billed.period
        if billed.released == look and not billed.items:
            if period.stock is None:
                return self._first_news(period)
            happened = self.known.happened(period.start - period.delay, period.end)
            told = _but_withdrawn(self._news[bisect_left(self._recorded, midnight(look)) : self._learned])
            return tuple(dict.fromkeys([*happened, *told]))  # a stretch begins with what is told, whenever it happened
        since = bisect_left(self._recorded, billed.known_until, hi=self._learned)
        news = _but_withdrawn(self._news[since : self._learned])
        if period.waiting:  # what was known, and had not lasted yet
            then = day_of(billed.known_until - 1) * self._ticks
            first = max(then - period.delay - period.waiting, self.known.start_of(period))
            news = (*(event for event in self._news[:since] if event.day > first), *news)
        return news


def _same_days(one: Period, other: Period) -> bool:
    return (one.start, one.end) == (other.start, other.end)


def _but_withdrawn(news: tuple[Event, ...]) -> tuple[Event, ...]:
    """News but for what was told and withdrawn in them."""
    orders = {event.order for event in news}
    undone = {event.withdraws for event in news if event.withdraws in orders}
    if not undone:
        return news
    return tuple(event for event in news if event.order not in undone and event.withdraws not in undone)


def _lasts(subscription: Subscription) -> list[Day]:
    """The days on which what rose with something that happened has lasted as long as it has to."""
    policy = subscription.policy
    waits = {rules.rise.waiting_days for rules in policy.variants.values()}
    days = {event.day // policy.ticks for event in subscription.events}
    return sorted({day + delay + waiting for day in days for delay in (0, 1) for waiting in waits})


def _turns(subscription: Subscription) -> list[Day]:
    """The days on which something that happened, or ended, may begin to count."""
    days = {event.day + delay for event in subscription.events for delay in (0, 1)}
    return sorted(days.union(event.until for event in subscription.events if event.until is not None))


def _is_enough(rise: RiseRules, lines: Sequence[Line]) -> bool:
    """Whether what has risen is settled before the next period's bill: by the seats more, or by the amount."""
    if rise.least_seats and seats_more(lines) >= rise.least_seats:
        return True
    if rise.least_amount:
        return sum(line.amount_minor for line in lines) >= rise.least_amount
    return not rise.least_seats
