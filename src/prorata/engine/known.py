"""What is known of a subscription, growing event by event in the order in which they were recorded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType

from prorata.engine.calendar import MONTHS, Day, Interval, Moment, moment_at
from prorata.engine.history import BEGIN_EVENTS, END_EVENTS, PERSON_EVENTS, Event, Subscription, buys
from prorata.engine.period import Period, period_before
from prorata.engine.policy.tariff import Price, PriceRow
from prorata.engine.population import People, by_order
from prorata.engine.steps import Span, Steps


@dataclass(frozen=True, slots=True)
class Terms:
    """The plan, and the prices agreed for it by the interval they were agreed in."""

    plan: str
    agreed: Mapping[Interval, Price]


@dataclass(frozen=True, slots=True)
class Held:
    """So many of an add-on, at the list price unless one was agreed."""

    quantity: int
    agreed: Price | None


@dataclass(frozen=True, slots=True)
class Stint:
    """A time for which the agreement runs: from the day on which it came back (-1: the first) to when it is cancelled.

    It `is_final` where something else than a pause ends it.
    """

    begins: Day
    cancel: Event | None = None
    is_final: bool = False


_FOREVER: Day = 1 << 62
_ONLY = Stint(-1)
_NO_PRICES: Mapping[Interval, Price] = MappingProxyType({})


def _cancelled(earlier: Event, later: Event) -> Event:
    """Which of two cancellations counts: a later one that names another day, or ends before the day that was named.

    What was cancelled already is not cancelled again.
    """
    if earlier.until is None:
        return earlier if later.until is None else later
    return later if later.day < earlier.until else earlier


def _on_trial(trial: Event | None, bought: Event) -> bool:
    """Whether the plan that is bought is being tried out that day."""
    return trial is not None and trial.plan == bought.plan and trial.until is not None and trial.until > bought.day


class Known:
    """The state of knowledge from which a bill is computed; `learn` is the only way it changes."""

    __slots__ = (
        "_add_on_events",
        "_came_back",
        "_cancels",
        "_days",
        "_events",
        "_methods",
        "_returns",
        "_seat_events",
        "_term_events",
        "_withdrawn",
        "add_ons",
        "cuts",
        "once",
        "people",
        "seats",
        "start",
        "stints",
        "subscription",
        "terms",
        "today",
    )  # fmt: skip

    def __init__(self, subscription: Subscription, start: Day, came_back: Iterable[Event]) -> None:
        """`came_back` are the starts with which the agreement comes back (see `returns`)."""
        self.subscription = subscription
        self._returns = {event.order for event in came_back}
        self.start = start
        self.cuts: dict[tuple[Day, Day], Day] = {}  # on which day a new period begins within one from and up to a day
        self.today: Day = _FOREVER  # the day of the look; what has risen has to last by then, where it has to
        self._withdrawn: list[tuple[Event, Moment]] = []  # what was told, and the moment at which it was withdrawn
        self._begin()

    def _begin(self) -> None:
        """Knows nothing that happened."""
        self.people = People(self.subscription.policy)
        self.seats: dict[str, Steps[int]] = {"": Steps(0)}  # ordered, by role where roles have prices of their own
        self.terms = self._terms(())
        self.add_ons: dict[str, Steps[Held]] = {}
        self.once: dict[str, list[Event]] = {}  # by add-on that is paid once, what added some
        self.stints: tuple[Stint, ...] = (_ONLY,)
        self._events: list[Event] = []  # in the order in which they took effect
        self._days: list[Day] = []  # theirs
        self._seat_events: list[Event] = []
        self._term_events: list[Event] = []
        self._came_back: list[Event] = []
        self._cancels: list[Event] = []
        self._methods: list[Event] = []  # what says how the account pays
        self._add_on_events: dict[str, list[Event]] = {}

    def learn(self, news: Iterable[Event]) -> Day:
        """Takes in what was recorded next, at least one event; the first day on which something may be different."""
        events, days = self._events, self._days
        latest = events[-1].order if events else -1
        first = _FOREVER
        of_people = []
        withdrawals = []
        for event in news:
            day = event.day
            if event.withdraws is not None:
                withdrawals.append(event)
                first = min(first, day, event.until or day, *(one.day for one in self._cancels[:1]))
                continue
            if event.order > latest:
                latest = event.order
                events.append(event)
                days.append(day)
            else:
                at = bisect_right(events, event.order, key=by_order)
                events.insert(at, event)
                days.insert(at, day)
            if event.kind in PERSON_EVENTS:
                of_people.append(event)
            else:
                self._learn_agreed(event)
                if event.until is not None and event.until < day:
                    day = event.until
                if event.kind in END_EVENTS:  # which may name another day than one before it ended with
                    day = min(day, self._cancels[0].day)
            first = min(first, day)
        self.people.learn(of_people)
        if withdrawals:
            self._withdraw(withdrawals)
        return first

    def _withdraw(self, withdrawals: Iterable[Event]) -> None:
        """Learns anew all but what was withdrawn; of that it is known that it was told."""
        moments = {event.withdraws: event.recorded for event in withdrawals}
        self._withdrawn += [(event, moments[event.order]) for event in self._events if event.order in moments]
        events = [event for event in self._events if event.order not in moments]
        self._begin()
        self.learn(events)

    def _learn_agreed(self, event: Event) -> None:
        if buys(event):
            self._learn_seats(event)
        if event.kind in ("add_on", "remove_add_on"):
            self._learn_add_on(event)
        elif event.plan or event.price_minor is not None or event.interval is not None:
            insort(self._term_events, event, key=by_order)
            self.terms = self._terms(self._term_events)
            if event.interval is not None:
                for item in self._add_on_events:
                    self._tell_add_on(item)
        if event.payment_method:
            insort(self._methods, event, key=by_order)
        if event.kind in END_EVENTS or event.order in self._returns:
            insort(self._cancels if event.kind in END_EVENTS else self._came_back, event, key=by_order)
            self.stints = tuple(self._stints())

    def _stints(self) -> Iterator[Stint]:
        """The times for which the agreement runs, one after the other, each with the cancellation that counts.

        A cancellation ends the stint in which it lies, and one that begins later where that was told of before.
        """
        ticks = self.subscription.policy.ticks
        for begun, following in pairwise((None, *self._came_back, None)):
            ended = []
            for event in self._cancels:
                if following is not None and event.order > following.order:
                    break
                is_before = begun is not None and begun.recorded <= event.recorded < moment_at(begun.day, ticks)
                if begun is None or event.order > begun.order or is_before:
                    ended.append(event)
            is_final = any(event.kind == "cancel" for event in ended)
            cancel = reduce(_cancelled, ended) if ended else None
            yield Stint(-1 if begun is None else begun.day, cancel, is_final)

    def stint(self, period: Period) -> Stint:
        """The time to which a period belongs."""
        if not period.begun:
            return self.stints[0]
        return next((stint for stint in self.stints if stint.begins == period.begun), Stint(period.begun))

    def start_of(self, period: Period) -> Day:
        """The first day that is billed of the stint to which a period belongs."""
        return period.begun or self.start

    def _learn_seats(self, event: Event) -> None:
        insort(self._seat_events, event, key=by_order)
        late = self._seat_events[-1] is not event
        if late:
            self.seats = {"": Steps(0)}
        for told in self._seat_events if late else (event,):
            assert told.quantity is not None
            role = self.subscription.policy.role_apart(told.role)
            self.seats.setdefault(role, Steps(0)).set(told.day, told.quantity)

    def _learn_add_on(self, event: Event) -> None:
        add_on = self.subscription.policy.add_ons.get(event.item)
        if add_on is not None and add_on.charge == "once":
            if event.kind == "add_on":
                insort(self.once.setdefault(event.item, []), event, key=by_order)
            return
        insort(self._add_on_events.setdefault(event.item, []), event, key=by_order)
        self._tell_add_on(event.item)

    def _tell_add_on(self, item: str) -> None:
        """The add-on over time; a price agreed for it is for the interval that was asked for by then."""
        add_on = self.subscription.policy.add_ons.get(item)
        listed = add_on.prices if add_on else ()
        steps = self.add_ons[item] = Steps(Held(0, None))
        for told in self._add_on_events[item]:
            if told.kind == "remove_add_on":
                steps.set(told.day, Held(0, None))
                continue
            asked = [term.interval for term in self._term_events if term.interval and term.order < told.order]
            interval = asked[-1] if asked else self.subscription.interval
            agreed = None if told.price_minor is None else self._agreed(listed, interval, told)
            steps.set(told.day, Held(1 if told.quantity is None else told.quantity, agreed))

    def _agreed(self, listed: tuple[PriceRow, ...], interval: Interval, event: Event) -> Price:
        """The price an event agrees on, for as many months as the list price of that day; else for the interval."""
        assert event.price_minor is not None
        policy = self.subscription.policy
        price = policy.price(listed, interval, event.day // policy.ticks, "")
        return Price(event.price_minor, price.months if price else MONTHS[interval])

    def _terms(self, events: list[Event] | tuple[()]) -> Steps[Terms]:
        """Plan and agreed prices over time.

        A plan on trial is not billed: what is bought of it meanwhile begins when the trial ends (M9). A change of
        plan ends agreed prices; a change of interval leaves them to the interval they were agreed for.
        """
        interval = self.subscription.interval
        now = before = Terms(self.subscription.plan, _NO_PRICES)
        bought: tuple[Day, Terms] | None = None  # on trial, and from which day it is billed
        trial: Event | None = None
        steps: list[tuple[Day, Terms]] = []
        for event in events:
            if bought is not None and bought[0] <= event.day:
                now, bought = bought[1], None
            if event.kind == "trial_plan":
                trial = event
            interval = event.interval or interval
            told = now
            if event.kind == "plan" and bought is not None:
                steps.remove(bought)
                bought = None
            if event.plan and event.kind != "trial_plan" and event.plan != now.plan:
                told = Terms(event.plan, _NO_PRICES)
            if event.price_minor is not None:
                prices = self.subscription.policy.plans[told.plan].prices
                agreed = self._agreed(prices, interval, event)
                told = Terms(told.plan, {**told.agreed, interval: replace(agreed, plan=told.plan)})
            if told is now:
                continue
            if event.kind == "plan" and event.plan != now.plan and _on_trial(trial, event):
                assert trial is not None
                assert trial.until is not None
                rules = self.subscription.policy.rules(interval, trial.until // self.subscription.policy.ticks)
                bought = (
                    trial.until - rules.seats.delay_days,
                    told,
                )  # billed from the very day on which the trial is over
                steps.append(bought)
                continue
            now = told
            if not steps and event.kind in BEGIN_EVENTS and event.order not in self._returns:
                before = now
            steps.append((event.day, now))
        terms: Steps[Terms] = Steps(before)
        for day, value in sorted(steps, key=itemgetter(0)):
            terms.set(day, value)
        return terms

    def happened(self, start: Day, end: Day) -> list[Event]:
        """What took effect from `start` up to `end`, in that order."""
        return self._events[bisect_left(self._days, start) : bisect_left(self._days, end)]

    def span(self, period: Period) -> Span | None:
        """The days of the period on which the agreement runs, and how they see what happened; None without any."""
        end = period.end if not self._cancels else self.ends(period)
        if self.cuts:
            end = min(end, self.cuts.get((period.start, period.end), end))
        return self.span_until(period, end)

    def span_until(self, period: Period, end: Day) -> Span | None:
        """The same where the agreement runs up to a day of the period."""
        start, delay, begins = period.start, period.delay, self.start_of(period)
        if start <= begins:
            start = opened = begins
        else:
            opened = start - delay
        return (start, end, opened, delay) if start < end else None

    def with_past(self, period: Period, span: Span) -> Span:
        """The span with all days before it on which what happened may decide what is billed in it."""
        if not period.looks_back:
            return span
        begins = self.start_of(period)
        start, end = max(min(period.past, span[0]), begins), span[1]
        if period.waiting and end == period.end:
            end = self._runs_on(period)
        if start >= span[0]:
            return span[0], end, span[2], span[3]
        return start, end, start if start == begins else start - period.delay, period.delay

    def _runs_on(self, period: Period) -> Day:
        """The end of the days after the period on which it may turn out that what rose in it did not last."""
        end, cancel = period.end + period.waiting, self.stint(period).cancel
        if cancel is None:
            return end
        if cancel.until is not None:
            return max(period.end, min(end, cancel.until))
        counts = period.rules.cancel.counts_from(cancel.day, period.policy.ticks)
        if period.rules.cancel.ends == "day":
            return max(period.end, min(end, counts))
        return end if counts > period.end else period.end

    def lasted_by(self, period: Period, past: Span) -> Day:
        """By which day what rose in a span has to have lasted: today, and with the end of the agreement it has."""
        if not period.waiting:
            return 0
        return self.today if self.today < past[1] else _FOREVER

    def span_before(self, period: Period) -> Span | None:
        """The days on which the agreement ran of as long a period before this one; None without any."""
        begins = self.start_of(period)
        start = max(period_before(period), begins)
        if start >= period.start:
            return None
        return start, period.start, start if start == begins else start - period.delay, period.delay

    def met(self, span: Span) -> set[str]:
        """The people to whom something happened that may change whether they count within the span."""
        _, end, opened, delay = span
        return {event.user for event in self.happened(opened + 1, end - delay) if event.user}

    def ends(self, period: Period) -> Day:
        """Up to which day of the period the agreement runs; the period's end unless it was cancelled.

        A stretch of prepaid time that begins within what was cancelled goes on with it.
        """
        cancel = self.stint(period).cancel
        if cancel is None:
            return period.end
        rules = period.rules
        end = rules.cancel.counts_from(cancel.day, period.policy.ticks) if cancel.until is None else cancel.until
        of_term = cancel.until is None and rules.cancel.ends == "term"
        waits = of_term or (cancel.until is None and rules.cancel.ends == "period") or rules.fall.give == "nothing"
        first = period.invoice_start if waits and rules.period.measured else period.start
        if end <= (period.term_start if of_term else first):
            goes_on = cancel.until is None and period.stock is not None and period.stock.carried > 0
            return period.end if goes_on else period.start
        return period.end if waits else min(end, period.end)

    def plan(self, first: Day, known_by: Moment) -> str:
        """The plan with which a period begins on `first`: the last one asked for by then and known by a moment."""
        plan = self.subscription.plan
        for event in self._told(self._term_events, first, known_by):
            if event.plan and event.kind != "trial_plan":
                plan = event.plan
        return plan

    def payment_method(self, first: Day, known_by: Moment) -> str:
        """How the account pays when a period begins on `first`: the last one told by then and known by a moment."""
        method = self.subscription.payment_method
        for event in self._told(self._methods, first, known_by):
            if event.payment_method:
                method = event.payment_method
        return method

    def interval(self, first: Day, *, known_by: Moment) -> Interval:
        """The interval of a period that begins on `first`: the last one asked for by then and known by a moment."""
        interval = self.subscription.interval
        for event in self._told(self._term_events, first, known_by):
            if event.interval is not None:
                interval = event.interval
        return interval

    def _told(self, events: list[Event], first: Day, known_by: Moment) -> list[Event]:
        """Which of some events had happened by a day, by what was known by a moment; and others withdrawn since."""
        found = [event for event in events if event.day <= first and event.recorded < known_by]
        if not self._withdrawn:
            return found
        since = [
            event for event, moment in self._withdrawn if event.day <= first and event.recorded < known_by <= moment
        ]
        return sorted([*found, *since], key=by_order)
