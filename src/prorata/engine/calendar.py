"""Days and moments are whole numbers, and a period is the days from a start up to an end that is not in it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from typing import Literal, TypeAlias

Day: TypeAlias = int  # date.toordinal(); days are the account's, whichever zone a moment was written in
Moment: TypeAlias = int  # a day, and the microseconds that have passed of it; moments of an account can be compared
OfMonths = Literal["month", "quarter", "half_year", "year"]
Interval = Literal[OfMonths, "week", "two_weeks", "four_weeks", "30_days"]
Anchor = Literal["start", "calendar"]

DAYS: dict[Interval, int] = {"week": 7, "two_weeks": 14, "four_weeks": 28, "30_days": 30}

# How long an interval is. One of days stands alone in its policy, and is there what elsewhere is a month.
MONTHS: dict[Interval, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, **dict.fromkeys(DAYS, 1)}

YEARS = range(1970, 3000)  # those in which days can lie that somebody writes

_MONTH_NAMES = "January February March April May June July August September October November December".split()

to_day = date.toordinal
to_date = date.fromordinal

_ROOM = 100_000_000_000  # microseconds; the longest day has 90,000,000,000 of them


def midnight(day: Day) -> Moment:
    """The moment with which a day begins, and the one before it is over."""
    return day * _ROOM


def day_of(moment: Moment) -> Day:
    """The day in which a moment lies."""
    return moment // _ROOM


def moment_of(at: datetime, zone: tzinfo) -> Moment:
    """A moment that was written with its zone, as the account in `zone` lives through it: clocks may change."""
    day = at.astimezone(zone).date()
    passed = at.timestamp() - datetime.combine(day, time.min, zone).timestamp()
    return midnight(to_day(day)) + round(passed * 1_000_000)


@lru_cache(maxsize=65536)
def add_months(anchor: Day, months: int) -> Day:
    """The day `months` after `anchor`, or the month's last day where it is shorter: 31 Jan → 28 Feb → 31 Mar."""
    day = to_date(anchor)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return to_day(date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])))


def border(anchor: Day, count: int, interval: Interval) -> Day:
    """The day `count` months after `anchor`; with an interval of days as many of it."""
    days = DAYS.get(interval)
    return add_months(anchor, count) if days is None else anchor + count * days


def calendar_start(day: Day, months: int) -> Day:
    """The first day of the calendar month, quarter, half-year or year (`months` long) in which `day` lies."""
    at = to_date(day)
    return to_day(date(at.year, at.month - (at.month - 1) % months, 1))


def next_calendar_start(day: Day, months: int) -> Day:
    """The first calendar month, quarter, half-year or year that begins after `day`."""
    return add_months(calendar_start(day, months), months)


@lru_cache(maxsize=4096)
def months_between(start: Day, end: Day) -> tuple[tuple[Day, Day, int], ...]:
    """The calendar months that [start, end) touches: first day and end within it, and the month's own length."""
    return tuple(_months(start, end))


def _months(start: Day, end: Day) -> Iterator[tuple[Day, Day, int]]:
    while start < end:
        first = calendar_start(start, 1)
        following = add_months(first, 1)
        yield start, min(end, following), following - first
        start = following


def speak_day(day: Day) -> str:
    """`10 April 2026`."""
    at = to_date(day)
    return f"{at.day} {speak_month(day)} {at.year}"


def speak_month(day: Day) -> str:
    """`April`, whatever the machine's locale."""
    return _MONTH_NAMES[to_date(day).month - 1]


def speak_days(start: Day, end: Day) -> str:
    """A half-open stretch as people say it, with its last day: `11–30 April 2026`."""
    first, last = to_date(start), to_date(end - 1)
    if first == last:
        return speak_day(start)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {speak_month(start)} {last.year}"
    if first.year == last.year:
        return f"{first.day} {speak_month(start)} – {speak_day(end - 1)}"
    return f"{speak_day(start)} – {speak_day(end - 1)}"
