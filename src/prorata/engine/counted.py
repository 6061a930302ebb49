"""How many seats were counted and due on a day, by what is known with and without some news: for who asks why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prorata.engine.aggregate import dearest_first, distinct_role, ordered, seats, used
from prorata.engine.calendar import Day
from prorata.engine.due import count_of
from prorata.engine.history import Event, Subscription, returns, starts_on
from prorata.engine.known import Known
from prorata.engine.period import Period
from prorata.engine.policy.model import seats_of
from prorata.engine.steps import Span, Window, cut, summed


@dataclass(frozen=True, slots=True)
class Seen:
    """The day whose count a day is billed by, the seats counted and billed for it, and those of the day itself.

    The two days are the same but where changes are drawn forward or put off. `noticed` are the seats that would be
    billed if falls waited for their notice, and nothing else waited.
    """

    day: Day
    counted: int
    billed: int
    on_its_day: int
    noticed: int


class Counts:
    """Counts an account's seats on a day by what had been recorded by then, less the news that is left out."""

    def __init__(self, subscription: Subscription, events: Sequence[Event], today: Day) -> None:
        self._subscription = subscription
        self._events = events
        self._today = (today + 1) * subscription.policy.ticks - 1
        self._known: dict[tuple[Event, ...], Known | None] = {}

    def seen(self, period: Period, day: Day, roles: Sequence[str], news: tuple[Event, ...] = ()) -> Seen | None:
        """How many seats of some roles are due on a day of the period; None where the agreement does not run."""
        running = self._running(period, day, news)
        if running is None:
            return None
        known, span = running
        sold, billed, noticed = (
            _together([count_of(known, one, span, role) for role in roles], span[1])
            for one in (_with(period, _at_once), period, _with(period, _waiting_for_notice))
        )
        source = _source(sold, span[1], day, _at(billed, day))
        counted = 0
        for role in roles:
            own = period.of(seats_of(role))
            counted += _at(seats(known, own, known.with_past(own, span), role), source)
        return Seen(source, counted, _at(billed, day), _at(sold, day), _at(noticed, day))

    def distinct(self, period: Period, span: Span, role: str) -> list[str]:
        """The people who are the distinct ones of a role over the days of a span."""
        known = self._knowing(())
        assert known is not None
        roles, people = dearest_first(known, period, span), known.people
        return [user for user in people.users if distinct_role(people, user, span, period, roles) == role]

    def floor(self, period: Period, day: Day, role: str, news: tuple[Event, ...] = ()) -> tuple[int, int]:
        """How many people of a role are counted on a day of the period, and how many seats are ordered."""
        running = self._running(period, day, news)
        if running is None:
            return 0, 0
        known, span = running
        return _at(used(known, period, span, role), day), _at(ordered(known, role, span), day)

    def _running(self, period: Period, day: Day, news: tuple[Event, ...]) -> tuple[Known, Span] | None:
        known = self._knowing(news)
        span = None if known is None else known.span(period)
        return (known, span) if known is not None and span is not None and span[0] <= day < span[1] else None

    def _knowing(self, news: tuple[Event, ...]) -> Known | None:
        """What was known without the news; None where that leaves no start."""
        if news not in self._known:
            told = {event.order for event in news}
            events = [event for event in self._events if event.order not in told]
            came_back = returns(self._subscription.events)
            start = starts_on([event for event in events if event not in came_back])
            known = None if start is None else Known(self._subscription, start, came_back)
            if known is not None:
                known.learn(events)
                known.today = self._today
            self._known[news] = known
        return self._known[news]


def _together(windows: Sequence[Window[int]], end: Day) -> Window[int]:
    """Windows as one, from the first day on which all of them tell how many there were."""
    first = max(window[0][0] for window in windows)
    return summed([cut(window, first, end) for window in windows], end)


def _with(period: Period, other: Callable[[Period], Period]) -> Period:
    """The period, and those of its items, otherwise."""
    return replace(other(period), apart={item: other(one) for item, one in period.apart.items()})


def _at_once(period: Period) -> Period:
    """The same days with nothing that waits."""
    return replace(period, at_once=True)


def _waiting_for_notice(period: Period) -> Period:
    """The same days with falls that wait for their notice and nothing else that waits."""
    return replace(period, rise_waits=None, fall_waits=None, at_once=not period.notice)


def _at(window: Window[int], day: Day) -> int:
    return [count for first, count in window if first <= day][-1]


def _source(window: Window[int], end: Day, day: Day, billed: int) -> Day:
    """The day nearest to `day` on which so many were due; `day` itself where there is none."""
    ends = [first for first, _ in window[1:]] + [end]
    days = [
        min(max(day, first), past - 1) for (first, count), past in zip(window, ends, strict=True) if count == billed
    ]
    return min(days, key=lambda one: abs(one - day), default=day)
