"""Days and moments are whole numbers, and a period is the days from a start up to an end that is not in it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

# date.toordinal(), in the account's days, whichever zone a moment was written in. Where a policy counts more exactly,
# a point of a history is a whole number of its ticks: Precision says how many make a day.
Day: TypeAlias = int
Moment: TypeAlias = int  # a day, and the microseconds that have passed of it; moments of an account can be compared
OfMonths = Literal["month", "quarter", "half_year", "year"]
Interval = Literal[OfMonths, "week", "two_weeks", "four_weeks", "30_days"]
Anchor = Literal["start", "calendar"]
Precision = Literal["day", "hour", "minute", "second"]

TICKS: dict[Precision, int] = {"day": 1, "hour": 24, "minute": 24 * 60, "second": 24 * 60 * 60}

DAYS: dict[Interval, int] = {"week": 7, "two_weeks": 14, "four_weeks": 28, "30_days": 30}

# How long an interval is. One of days stands alone in its policy, and is there what elsewhere is a month.
MONTHS: dict[Interval, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, **dict.fromkeys(DAYS, 1)}

YEARS = range(1970, 3000)  # those in which days can lie that somebody writes

_MONTH_NAMES = "January February March April May June July August September October November December".split()

to_day = date.toordinal
to_date = date.fromordinal

_ROOM = 100_000_000_000  # microseconds; the longest day has 90,000,000,000 of them


def is_time_zone(name: str) -> bool:
    """Whether it is a name of the IANA's list, such as Europe/Oslo, and the same clock everywhere."""
    if name in ("localtime", "posixrules", "Factory") or name.startswith(("posix/", "right/")):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


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


def instant_of(moment: Moment, zone: tzinfo) -> datetime:
    """A moment of an account in `zone` as everybody's, in UTC; moment_of leads back."""
    day, passed = divmod(moment, _ROOM)
    return datetime.combine(to_date(day), time.min, zone).astimezone(UTC) + timedelta(microseconds=passed)


_DAY = 86_400_000_000  # microseconds of a day, as days are counted here: all alike


def point_of(moment: Moment, ticks: int) -> Day:
    """The tick in which a moment lies; what a longer day has more than others is its last tick."""
    day, passed = divmod(moment, _ROOM)
    return day * ticks + min(passed * ticks // _DAY, ticks - 1)


def moment_at(point: Day, ticks: int) -> Moment:
    """The moment with which a tick begins."""
    if ticks == 1:
        return midnight(point)
    day, passed = divmod(point, ticks)
    return midnight(day) + passed * (_DAY // ticks)


def to_time(point: Day, ticks: int) -> date:
    """A point as a date, or as a date with its time where a policy counts more exactly than days."""
    day, passed = divmod(point, ticks)
    return to_date(day) if ticks == 1 else datetime.combine(to_date(day), time.min) + timedelta(days=1) * passed / ticks


@lru_cache(maxsize=16384)
def iso_of(point: Day, ticks: int) -> str:
    """A point as ISO 8601 writes it."""
    return to_time(point, ticks).isoformat()


def to_point(at: date, ticks: int) -> Day:
    """The point of a date, or of a date with its time."""
    day = at.toordinal() * ticks
    if ticks == 1 or not isinstance(at, datetime):
        return day
    passed = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
    return day + passed * ticks // timedelta(days=1)


@lru_cache(maxsize=65536)
def add_months(anchor: Day, months: int) -> Day:
    """The day `months` after `anchor`, or the month's last day where it is shorter: 31 Jan → 28 Feb → 31 Mar."""
    day = to_date(anchor)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return to_day(date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])))


def later(anchor: Day, months: int, ticks: int) -> Day:
    """So many months after an anchor, at the same time of day."""
    if ticks == 1:
        return add_months(anchor, months)
    return add_months(anchor // ticks, months) * ticks + anchor % ticks


def border(anchor: Day, count: int, interval: Interval, ticks: int) -> Day:
    """The point `count` months after an anchor; with an interval of days as many of it."""
    days = DAYS.get(interval)
    return later(anchor, count, ticks) if days is None else anchor + count * days * ticks


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


def speak_point(point: Day, ticks: int) -> str:
    """`10 April 2026`, with the time where a policy counts more exactly: `10 April 2026, 14:30`."""
    at = to_time(point, ticks)
    said = speak_day(point // ticks)
    if not isinstance(at, datetime) or at.time() == time.min:
        return said
    return f"{said}, {at:%H:%M:%S}".removesuffix(":00")


@lru_cache(maxsize=16384)
def speak_stretch(start: Day, end: Day, ticks: int) -> str:
    """A half-open stretch as people say it: in days with its last one, or from one time to another."""
    if start % ticks == 0 and end % ticks == 0:
        return speak_days(start // ticks, end // ticks)
    return f"{speak_point(start, ticks)} – {speak_point(end, ticks)}"


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
