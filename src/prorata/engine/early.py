"""What ends early: a period within which another begins, and what is given back soon after it was bought."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prorata.engine.document import Document, Line
from prorata.engine.history import END_EVENTS, PERSON_EVENTS, Event, buys

# With what a change begins a new period, by the key that says so.
BEGINNINGS: Mapping[str, frozenset[str]] = {
    "dearer_plan": frozenset({"plan"}),
    "cheaper_plan": frozenset({"plan"}),
    "interval": frozenset({"interval"}),
    "more_seats": PERSON_EVENTS | {"seats"},
}
_LEAVES = ("deactivate", "suspend", "idle")


def ended_early(line: Line, document: Document) -> bool:
    """Whether the line gives back the rest of a period within which a change begins another one."""
    if not line.period.rules.change.restarting or line.after is not None or line.start_day == line.period.start:
        return False
    return any(other.kind == "period" and other.period.start == line.start_day for other in document.lines)


def given_back(line: Line, bought: Collection[Event]) -> tuple[Event, ...]:
    """What ended the line before its period, where the rest of what was `bought` was given back in time."""
    period = line.period
    if not period.rules.fall.window_days or line.quantity < 0 or line.end_day == period.end:
        return ()
    on_its_end = (event for event in line.news if event.day + period.delay == line.end_day)
    return tuple(event for event in on_its_end if any(_takes_back(event, one) for one in bought))


def _takes_back(event: Event, bought: Event) -> bool:
    """Whether an event leaves less of what an earlier one asked for."""
    if event.withdraws is not None:
        return False
    if bought.user:
        return event.kind in _LEAVES
    if buys(bought):
        return buys(event) and (event.quantity or 0) < (bought.quantity or 0)
    is_same = bool(bought.item) and event.item == bought.item
    return is_same and asked(event) < asked(bought)


def gone_too_soon(line: Line, causes: Collection[Event]) -> tuple[Event, ...]:
    """What ended, within `rise.waiting_days`, what had risen and was charged already, where a line takes it back."""
    waiting = line.period.rules.rise.waiting_days * line.period.policy.ticks
    if not waiting or line.kind != "fall" or causes:
        return ()
    first, past = line.start_day, line.start_day + waiting
    return tuple(event for event in line.news if first < event.day + line.period.delay < past and is_less(event, line))


def is_less(event: Event, line: Line) -> bool:
    """Whether an event may leave less of what the line bills."""
    if event.withdraws is not None:
        return False
    if not line.price.plan:
        return event.item == line.item
    return event.kind in _LEAVES or event.kind == "role" or buys(event)


def asked(event: Event) -> int:
    """How many of a thing an event asks for."""
    if event.kind == "add_on":
        return 1 if event.quantity is None else event.quantity
    return event.quantity or 0


def in_time(line: Line, causes: Collection[Event]) -> bool:
    """Whether the line is what it is since something was given back within `fall.window_days`."""
    waits = line.period.fall_waits
    if not line.period.rules.fall.window_days or waits is None or any(event.kind in END_EVENTS for event in causes):
        return False
    if line.quantity < 0:
        return line.start_day not in waits[0]
    return any(event.day + line.period.delay == line.end_day for event in causes)
