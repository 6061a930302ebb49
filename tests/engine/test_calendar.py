"""The calendar: months counted from an anchor, calendar periods, and days as people say them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.calendar import (
    add_months,
    calendar_start,
    months_between,
    next_calendar_start,
    speak_day,
    speak_days,
    speak_month,
    to_date,
    to_day,
)

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31)).map(to_day)


def day(text: str) -> int:
    return to_day(date.fromisoformat(text))


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),  # counted from the anchor, not from the end of February
        ("2026-01-31", 3, "2026-04-30"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-11-15", 2, "2027-01-15"),
        ("2026-12-01", 0, "2026-12-01"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2026-05-31", -3, "2026-02-28"),
        ("2026-01-10", -1, "2025-12-10"),
        ("2100-01-31", 1, "2100-02-28"),  # 2100 is no leap year
    ],
)
def test_months_after_a_day_end_with_the_month_where_it_is_shorter(anchor: str, months: int, expected: str) -> None:
    assert to_date(add_months(day(anchor), months)) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("months", "start", "following"),
    [
        (1, "2026-05-01", "2026-06-01"),
        (3, "2026-04-01", "2026-07-01"),
        (6, "2026-01-01", "2026-07-01"),
        (12, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_day_in_may_lies_in_its_calendar_period(months: int, start: str, following: str) -> None:
    assert to_date(calendar_start(day("2026-05-20"), months)) == date.fromisoformat(start)
    assert to_date(next_calendar_start(day("2026-05-20"), months)) == date.fromisoformat(following)


@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_the_first_day_of_a_calendar_period_lies_in_it_and_the_last_day_too(months: int) -> None:
    first, last = day("2026-01-01"), day("2025-12-31")
    assert calendar_start(first, months) == first
    assert next_calendar_start(last, months) == first
    assert next_calendar_start(first, months) > first


@given(DAYS, st.sampled_from([1, 3, 6, 12]))
def test_every_day_lies_between_its_calendar_start_and_the_next(at: int, months: int) -> None:
    start, following = calendar_start(at, months), next_calendar_start(at, months)
    assert start <= at < following
    assert to_date(start).day == to_date(following).day == 1
    assert (to_date(start).month - 1) % months == 0


def test_the_months_of_a_stretch_are_cut_at_their_ends() -> None:
    # 11 to 28 February, all of March, one day of April
    assert months_between(day("2026-02-11"), day("2026-04-02")) == (
        (day("2026-02-11"), day("2026-03-01"), 28),
        (day("2026-03-01"), day("2026-04-01"), 31),
        (day("2026-04-01"), day("2026-04-02"), 30),
    )


def test_a_stretch_that_ends_with_its_month_does_not_touch_the_next_and_an_empty_one_touches_none() -> None:
    assert months_between(day("2024-02-01"), day("2024-03-01")) == ((day("2024-02-01"), day("2024-03-01"), 29),)
    assert months_between(day("2026-03-01"), day("2026-03-01")) == ()


@given(DAYS, st.integers(1, 800))
def test_the_months_of_a_stretch_cover_it_without_a_gap(start: int, length: int) -> None:
    months = months_between(start, start + length)
    assert months[0][0] == start
    assert months[-1][1] == start + length
    assert all(one[1] == two[0] for one, two in pairwise(months))
    assert sum(past - first for first, past, _ in months) == length


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-04-11", "2026-05-01", "11–30 April 2026"),
        ("2026-04-11", "2026-04-12", "11 April 2026"),
        ("2026-03-27", "2026-07-01", "27 March – 30 June 2026"),
        ("2026-12-15", "2027-01-15", "15 December 2026 – 14 January 2027"),
        ("2026-04-30", "2026-05-02", "30 April – 1 May 2026"),
        ("2025-04-05", "2026-04-21", "5 April 2025 – 20 April 2026"),
    ],
)
def test_a_stretch_is_said_with_its_last_day(start: str, end: str, said: str) -> None:
    assert speak_days(day(start), day(end)) == said


def test_a_day_and_a_month_are_said_in_english() -> None:
    assert speak_day(day("2026-04-10")) == "10 April 2026"
    assert [speak_month(day(f"2026-{number:02}-01"))[:3] for number in range(1, 13)] == [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]  # fmt: skip
