"""Periods of so many days: a week, two or four, or thirty days, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import pytest

from prorata.engine.policy.plain import tell
from tests.engine.stories import documents, policy_of, refusals

WEEKS = 'currency = "EUR"\nintervals = ["week"]\n[plans.basic]\nprice = "7.00 per week"\n'
LENGTHS = {"week": 7, "two_weeks": 14, "four_weeks": 28, "30_days": 30}


def of(interval: str) -> str:
    return WEEKS.replace('"week"', f'"{interval}"').replace("per week", f"per {interval}")


def amounts(text: str, *rows: Mapping[str, object], through: date) -> list[tuple[str, list[int]]]:
    """Each bill's day, and the amounts of its lines."""
    start: Mapping[str, object] = {"at": "2026-01-29", "event": "start"}
    member: Mapping[str, object] = {"at": "2026-01-29", "event": "activate", "user": "anna"}
    told = documents([start, member, *rows], policy_of(text), through)
    return [(f"{one.date:%d %b}", [line.amount_minor for line in one.lines]) for one in told]


@pytest.mark.parametrize("interval", LENGTHS)
def test_periods_of_days_follow_one_another_whatever_the_months_are_like(interval: str) -> None:
    start: Mapping[str, object] = {"at": "2026-01-29", "event": "start"}
    member: Mapping[str, object] = {"at": "2026-01-29", "event": "activate", "user": "anna"}
    billed = documents([start, member], policy_of(of(interval)), date(2027, 1, 29))
    days = [one.date for one in billed]
    assert {(later - day).days for day, later in pairwise(days)} == {LENGTHS[interval]}
    assert {one.total_minor for one in billed} == {700}


def test_a_seat_added_within_a_week_is_charged_its_sevenths() -> None:
    ben: Mapping[str, object] = {"at": "2026-02-01", "event": "activate", "user": "ben"}
    # Sunday 1 February is the fourth day of the week from Thursday on: 4/7 of 7.00
    assert amounts(WEEKS, ben, through=date(2026, 2, 5)) == [("29 Jan", [700]), ("05 Feb", [400, 1400])]


def test_a_week_that_counts_whole_is_charged_whole() -> None:
    ben: Mapping[str, object] = {"at": "2026-02-01", "event": "activate", "user": "ben"}
    text = WEEKS + '[share]\nby = "period"\n'
    assert amounts(text, ben, through=date(2026, 2, 5))[1] == ("05 Feb", [700, 1400])


def test_what_has_risen_in_weeks_can_still_be_settled_with_the_calendar_s_month() -> None:
    ben: Mapping[str, object] = {"at": "2026-01-30", "event": "activate", "user": "ben"}
    text = of("30_days").replace("7.00", "30.00") + '[rise]\nsettle = "month"\n'
    # 29 of 30 days at 30.00
    assert amounts(text, ben, through=date(2026, 2, 1)) == [("29 Jan", [3000]), ("01 Feb", [2900])]


def test_an_agreement_that_is_cancelled_ends_with_its_week() -> None:
    cancel: Mapping[str, object] = {"at": "2026-02-01", "event": "cancel"}
    assert amounts(WEEKS, cancel, through=date(2026, 3, 1)) == [("29 Jan", [700])]


def test_an_agreed_price_is_for_the_interval_of_days() -> None:
    agreed: Mapping[str, object] = {"at": "2026-01-29", "event": "plan", "plan": "basic", "price": "3.50"}
    assert amounts(WEEKS, agreed, through=date(2026, 1, 29)) == [("29 Jan", [350])]


@pytest.mark.parametrize(("interval", "said"), [
    ("week", "basic costs EUR 7.00 a week per seat."), ("30_days", "basic costs EUR 7.00 for 30 days per seat."),
    ("two_weeks", "basic costs EUR 7.00 for two weeks per seat."),
])  # fmt: skip
def test_prices_are_told_by_the_interval_of_days(interval: str, said: str) -> None:
    assert tell(policy_of(of(interval)))[0].sentences[0].text == said


BROKEN = {
    'rise.settle = "own_month" is about months, and the interval is week; allowed with it: next_invoice, month, '
    "quarter, now":
        WEEKS + '[rise]\nsettle = "own_month"\n',
    "intervals: week stands alone, since its periods are days and not months; leave the others out":
        WEEKS.replace('["week"]', '["week", "month"]').replace("per week", "per month"),
    'plans.basic.price is written like "699.00 per week" (per week), not "7.00 per month"':
        WEEKS.replace("per week", "per month"),
    'plans.basic.price is written like "699.00 per month" (per month, quarter, half_year, year), not "7.00 per week"':
        WEEKS.replace('["week"]', '["month"]'),
    'period.anchor = "calendar" is about months, and the interval is week; its periods are counted from the start: '
    "leave it out, or have months": WEEKS + '[period]\nanchor = "calendar"\n',
    'share.by = "days_of_month" is about months, and the interval is week; allowed with it: days_of_period, period':
        WEEKS + '[share]\nby = "days_of_month"\n',
    'rise.takes_effect = "next_month" is about months, and the interval is week; allowed with it: day, period, '
    "next_period": WEEKS + '[rise]\ntakes_effect = "next_month"\n',
    'fall.takes_effect = "quarter" is about months, and the interval is week; allowed with it: day, period, '
    "next_period, never": WEEKS + '[fall]\ntakes_effect = "quarter"\n',
    "period.measured divides months, and the interval is week; leave it out":
        WEEKS + '[period]\nmeasured = "month"\n',
    "period.term_months counts months, and the interval is week; leave it out, or have months":
        WEEKS + '[period]\nterm_months = 12\n[cancel]\nends = "term"\n',
    "seats.on_day = 8 is after every period, of 7 days at most; 0 is the last day":
        WEEKS + '[seats]\nmeasure = "snapshot"\non_day = 8\n',
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_is_about_months_is_refused_with_the_way_out(sentence: str) -> None:
    assert [each.partition(": ")[2] for each in refusals(BROKEN[sentence])] == [sentence]


def test_hours_of_a_week_are_shared_out_like_its_days() -> None:
    ben: Mapping[str, object] = {"at": "2026-02-01T12:00:00Z", "event": "activate", "user": "ben"}
    # half of Sunday and the three days after it are 3.5 of 7 days: 84 of 168 hours at 7.00
    assert amounts('precision = "hour"\n' + WEEKS, ben, through=date(2026, 2, 5)) == [
        ("29 Jan", [700]), ("05 Feb", [350, 1400]),
    ]  # fmt: skip
