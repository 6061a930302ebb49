"""Periods follow each other without a gap, counted from the anchor, with a first stub on the calendar."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.calendar import Interval, to_date, to_day
from prorata.engine.period import Period, first_period, next_period
from prorata.engine.policy.model import Policy
from tests.engine.stories import policy_of

EVERY: list[Interval] = ["month", "quarter", "half_year", "year"]
TEXT = """\
currency = "EUR"
intervals = ["month", "quarter", "half_year", "year"]
[plans.basic]
price = "10.00 per month"
[period]
"""
START = policy_of(TEXT + 'anchor = "start"')
CALENDAR = policy_of(TEXT + 'anchor = "calendar"')
ARREARS = policy_of(TEXT + 'charge = "arrears"')
CALENDAR_WHEN_YEARLY = policy_of(TEXT + '[[when]]\ninterval = "year"\nperiod.anchor = "calendar"')


def starts(policy: Policy, start: str, intervals: list[Interval]) -> list[str]:
    """The first days of as many periods as there are intervals, and the end of the last."""
    period = first_period(policy, intervals[0], to_day(date.fromisoformat(start)))
    found = [period]
    for interval in intervals[1:]:
        period = next_period(period, interval)
        found.append(period)
    return [to_date(one.start).isoformat() for one in found] + [to_date(period.end).isoformat()]


def test_months_from_31_january_come_back_to_the_31st() -> None:
    assert starts(START, "2026-01-31", ["month"] * 4) == [
        "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
    ]  # fmt: skip


def test_years_from_29_february_come_back_to_the_29th() -> None:
    assert starts(START, "2024-02-29", ["year"] * 4) == [
        "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29",
    ]  # fmt: skip


def test_quarters_from_30_november_end_with_february() -> None:
    assert starts(START, "2025-11-30", ["quarter"] * 2) == ["2025-11-30", "2026-02-28", "2026-05-30"]


def test_on_the_calendar_the_first_period_is_a_stub() -> None:
    assert starts(CALENDAR, "2026-02-16", ["half_year"] * 2) == ["2026-02-16", "2026-07-01", "2027-01-01"]
    assert starts(CALENDAR, "2026-02-16", ["quarter"] * 2) == ["2026-02-16", "2026-04-01", "2026-07-01"]
    assert starts(CALENDAR, "2026-02-28", ["month"] * 2) == ["2026-02-28", "2026-03-01", "2026-04-01"]
    assert starts(CALENDAR, "2026-12-31", ["year"] * 2) == ["2026-12-31", "2027-01-01", "2028-01-01"]


def test_on_the_calendar_an_agreement_from_the_first_day_has_no_stub() -> None:
    assert starts(CALENDAR, "2026-07-01", ["half_year"] * 2) == ["2026-07-01", "2027-01-01", "2027-07-01"]


def test_a_change_of_interval_keeps_the_anchor() -> None:
    assert starts(START, "2026-01-31", ["month", "quarter", "month"]) == [
        "2026-01-31", "2026-02-28", "2026-05-31", "2026-06-30",
    ]  # fmt: skip


def test_from_months_to_half_years_on_the_calendar_there_is_a_stub_to_july() -> None:
    assert starts(CALENDAR, "2026-01-15", ["month", "half_year", "half_year"]) == [
        "2026-01-15", "2026-02-01", "2026-07-01", "2027-01-01",
    ]  # fmt: skip


def test_after_calendar_years_months_are_counted_from_the_year_s_end() -> None:
    assert starts(CALENDAR_WHEN_YEARLY, "2026-01-31", ["month", "year", "month", "month"]) == [
        "2026-01-31", "2026-02-28", "2027-01-01", "2027-02-01", "2027-03-01",
    ]  # fmt: skip


def test_a_period_is_billed_on_its_first_day_or_the_day_after_its_last() -> None:
    for policy, billed in ((START, "2026-01-31"), (ARREARS, "2026-02-28")):
        period = first_period(policy, "month", to_day(date(2026, 1, 31)))
        assert to_date(period.billed_on).isoformat() == billed


def test_the_rules_of_a_period_are_those_of_its_first_day() -> None:
    policy = policy_of(TEXT + 'charge = "advance"\n[[when]]\nuntil = 2026-03-10\nperiod.charge = "arrears"')
    period: Period = first_period(policy, "month", to_day(date(2026, 2, 9)))
    charges = []
    for _ in range(3):
        charges.append((to_date(period.start).isoformat(), period.rules.period.charge))
        period = next_period(period, "month")
    assert charges == [("2026-02-09", "arrears"), ("2026-03-09", "arrears"), ("2026-04-09", "advance")]


@given(
    st.sampled_from([START, CALENDAR, CALENDAR_WHEN_YEARLY]),
    st.dates(date(2023, 1, 1), date(2026, 12, 31)),
    st.lists(st.sampled_from(EVERY), min_size=2, max_size=8),
)
def test_periods_touch_whatever_intervals_follow_each_other(
    policy: Policy, start: date, intervals: list[Interval]
) -> None:
    period = first_period(policy, intervals[0], to_day(start))
    assert period.start == to_day(start)
    for interval in intervals[1:]:
        following = next_period(period, interval)
        assert period.start < period.end == following.start < following.end
        assert following.interval == interval
        period = following
