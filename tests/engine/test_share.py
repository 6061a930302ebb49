"""Shares: what part of a price some days are worth, and that the parts of a period are its whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.calendar import MONTHS, Interval, add_months, to_date, to_day
from prorata.engine.record import document_record
from prorata.engine.share import Scale, Whole, make_scale
from prorata.engine.spoken import speak_share
from prorata.policies import load_policy
from tests.engine.stories import BASE, documents, policy_of, records

INTERVALS: list[Interval] = ["month", "quarter", "half_year", "year"]


def day(text: str) -> int:
    return to_day(date.fromisoformat(text))


def scale_of(by: str, interval: Interval, start: str, *, started: str = "full", anchor: str | None = None) -> Scale:
    """The scale of a period that runs to the end of the interval counted from `anchor`."""
    counted = day(anchor or start)
    return make_scale(by, started, interval, day(start), add_months(counted, MONTHS[interval]), (counted, 0))


def worth(scale: Scale, start: str, end: str) -> Fraction:
    worth = Fraction(*scale.worth(day(start), day(end)))
    assert worth == Fraction(scale.parts(day(start), day(end)), scale.denominator)
    return worth


@given(
    st.sampled_from(["days_of_period", "days_of_month", "days_of_365", "months", "quarters", "period"]),
    st.sampled_from(["full", "free", "by_days", "by_30"]),
    st.sampled_from(INTERVALS),
    st.dates(date(2023, 1, 1), date(2025, 12, 31)),
    st.integers(0, 13),
    st.data(),
)
def test_the_stretches_of_a_period_add_up_to_its_whole(
    by: str, started: str, interval: Interval, anchor: date, before: int, data: st.DataObject
) -> None:
    start = add_months(to_day(anchor), before)
    end = add_months(to_day(anchor), before + MONTHS[interval])
    scale = make_scale(by, started, interval, start, end, (to_day(anchor), before))
    cuts = sorted({start, end, *data.draw(st.lists(st.integers(start, end), max_size=6))})
    parts = [Fraction(*scale.worth(first, past)) for first, past in pairwise(cuts)]
    whole = {
        "days_of_365": Fraction((end - start) * 12, 365),
        "days_of_month": sum((Fraction(1, length) for length in month_lengths(start, end)), Fraction(0)),
    }.get(by, Fraction(MONTHS[interval]))
    assert sum(parts) == whole
    assert all(part >= 0 for part in parts)
    assert all(scale.denominator % Fraction(*scale.worth(a, b)).denominator == 0 for a, b in pairwise(cuts))


def month_lengths(start: int, end: int) -> list[int]:
    """For each day the length of its calendar month."""
    lengths = []
    for at in range(start, end):
        first = date.fromordinal(at).replace(day=1)
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        lengths.append((following - first).days)
    return lengths


def test_of_a_half_year_by_365_the_fourth_user_is_worth_96_days() -> None:
    scale = scale_of("days_of_365", "half_year", "2026-01-01")
    # 27 March to 30 June: 5 + 30 + 31 + 30 = 96 days, each 12/365 of a month
    assert worth(scale, "2026-03-27", "2026-07-01") == Fraction(96 * 12, 365)


def test_in_a_leap_year_366_days_are_worth_more_than_a_year_at_365() -> None:
    scale = scale_of("days_of_365", "year", "2024-01-01")
    assert worth(scale, "2024-01-01", "2025-01-01") == Fraction(366 * 12, 365)


def test_ten_days_into_april_twenty_of_thirty_are_left() -> None:
    assert worth(scale_of("days_of_month", "month", "2026-04-01"), "2026-04-11", "2026-05-01") == Fraction(20, 30)


def test_ten_days_into_february_a_year_has_18_of_28_days_and_ten_months_left() -> None:
    scale = scale_of("days_of_month", "year", "2026-01-01")
    # 18/28 + 10 = 298/28
    assert scale.worth(day("2026-02-11"), day("2027-01-01")) == (298, 28)


def test_in_a_leap_february_a_day_of_the_month_is_worth_one_of_29() -> None:
    scale = scale_of("days_of_month", "month", "2024-02-01")
    assert worth(scale, "2024-02-11", "2024-03-01") == Fraction(19, 29)


def test_of_a_period_10_may_to_10_june_a_day_is_one_of_31() -> None:
    scale = scale_of("days_of_period", "month", "2023-05-10")
    assert worth(scale, "2023-05-11", "2023-05-12") == Fraction(1, 31)


def test_of_a_stub_a_day_is_one_of_the_days_of_the_full_period() -> None:
    scale = scale_of("days_of_period", "month", "2026-04-21", anchor="2026-04-01")
    assert worth(scale, "2026-04-21", "2026-05-01") == Fraction(10, 30)


@pytest.mark.parametrize(
    ("by", "started", "months"),
    [
        ("quarters", "full", 9),
        ("quarters", "free", 6),
        ("quarters", "by_days", 6 + Fraction(46 * 3, 91)),  # 16 May to 30 June: 46 of the quarter's 91 days
        ("period", "full", 12),
        ("period", "free", 0),
        ("period", "by_days", Fraction(230 * 12, 365)),
        ("months", "by_30", 7 + Fraction(16, 30)),
    ],
)
def test_of_a_year_from_16_may_on_whole_quarters_or_the_year_are_left(
    by: str, started: str, months: Fraction | int
) -> None:
    assert worth(scale_of(by, "year", "2026-01-01", started=started), "2026-05-16", "2027-01-01") == months


@pytest.mark.parametrize(
    ("month", "start", "worth_of_it"),
    [
        ("2026-01-01", "2026-01-16", Fraction(16, 30)),
        ("2026-01-01", "2026-01-02", 1),  # 30 days are left, and a 31st is worth nothing
        ("2026-02-01", "2026-02-02", Fraction(27, 30)),
        ("2026-02-01", "2026-02-01", 1),
    ],
)
def test_by_30_a_month_is_30_days_and_never_more_than_itself(
    month: str, start: str, worth_of_it: Fraction | int
) -> None:
    scale = scale_of("months", "month", month, started="by_30")
    assert worth(scale, start, to_date(add_months(day(month), 1)).isoformat()) == worth_of_it


@pytest.mark.parametrize(("started", "months"), [("full", 6), ("free", 5), ("by_days", 5 + Fraction(30, 31))])
def test_of_a_year_from_2_july_on_months_are_left_by_what_a_started_one_counts(
    started: str, months: Fraction | int
) -> None:
    scale = scale_of("months", "year", "2026-01-01", started=started)
    assert worth(scale, "2026-07-02", "2027-01-01") == months


@pytest.mark.parametrize("started", ["full", "free", "by_days"])
def test_from_the_first_day_of_a_month_on_it_counts_whole_whatever_started_ones_do(started: str) -> None:
    assert worth(scale_of("months", "year", "2026-01-01", started=started), "2026-07-01", "2027-01-01") == 6


def test_months_of_a_year_from_31_january_end_with_february() -> None:
    scale = scale_of("months", "year", "2026-01-31", started="by_days")
    # borders 31 January, 28 February, 31 March: the first month has 28 days, the second 31
    assert worth(scale, "2026-01-31", "2026-02-28") == 1
    assert worth(scale, "2026-02-14", "2026-02-28") == Fraction(14, 28)
    assert worth(scale, "2026-03-01", "2026-03-31") == Fraction(30, 31)


def test_a_month_from_31_january_has_28_days_and_the_next_31() -> None:
    january = make_scale(
        "days_of_period", "full", "month", day("2026-01-31"), day("2026-02-28"), (day("2026-01-31"), 0)
    )
    february = make_scale(
        "days_of_period", "full", "month", day("2026-02-28"), day("2026-03-31"), (day("2026-01-31"), 1)
    )
    assert worth(january, "2026-02-27", "2026-02-28") == Fraction(1, 28)
    assert worth(february, "2026-03-01", "2026-03-02") == Fraction(1, 31)


def shares(name: str, rows: Sequence[Mapping[str, object]], kind: str, **settings: object) -> set[str]:
    found = records(rows, load_policy(name), date(2027, 1, 1), **settings)
    return {line["share"] for document in found for line in document["lines"] if line["kind"] == kind}


def test_documents_show_shares_as_a_person_would_write_them() -> None:
    joined: list[dict[str, object]] = [
        {"at": "2026-01-01", "event": "start", "quantity": 100},
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
    ]
    more: list[dict[str, object]] = [*joined, {"at": "2026-03-27", "event": "activate", "user": "dora"}]
    assert shares("konfidens", more, "rise") == {"96/365"}
    more = [*joined, {"at": "2026-04-10", "event": "activate", "user": "dora"}]
    assert shares("mainter", more, "rise") == {"20/30"}
    more = [*joined, {"at": "2026-02-10", "event": "activate", "user": "dora"}]
    assert shares("mainter", more, "rise", interval="year") == {"298/28"}
    assert shares("mainter", joined, "period", interval="year") == {"12/1"}
    more = [*joined, {"at": "2026-07-01", "event": "seats", "quantity": 150}]
    assert shares("sloneek", more, "rise", interval="year") == {"6/12"}
    more = [*joined, {"at": "2026-05-10", "event": "seats", "quantity": 105}]
    assert shares("sloneek", more, "rise") == {"21/31"}


def test_a_yearly_price_billed_monthly_is_shown_as_a_part_of_the_year() -> None:
    policy = policy_of(BASE.replace("10.00 per month", "120.00 per year"))
    [document] = records([{"at": "2026-04-01", "event": "activate", "user": "anna"}], policy, date(2026, 4, 1))
    [line] = document["lines"]
    assert (line["share"], line["amount"]) == ("30/360", "10.00")  # a twelfth of 120.00


@pytest.mark.parametrize(
    ("rules", "price", "spoken", "exact"),
    [
        # 12 to 28 February are 17 of 28 days, then ten months
        ('by = "months"\nstarted = "by_days"\n', "10.00 per month", "(10 + 17/28)", "297/28"),
        ('by = "months"\nstarted = "by_days"\n', "120.00 per year", "1/12 × (10 + 17/28)", "297/336"),
        ('by = "months"\nstarted = "by_30"\n', "10.00 per month", "(10 + 17/30)", "317/30"),
        # 12 February to 31 March are 48 of 90 days, then three quarters
        ('by = "quarters"\nstarted = "by_days"\n', "10.00 per month", "3 × (3 + 48/90)", "954/90"),
        ('by = "quarters"\nstarted = "by_days"\n', "30.00 per quarter", "(3 + 48/90)", "318/90"),
        ('by = "quarters"\nstarted = "full"\n', "30.00 per quarter", "4", "12/3"),
        # 28 − 11 + 306 = 323 days of the year
        ('by = "period"\nstarted = "by_days"\n', "10.00 per month", "12 × 323/365", "3876/365"),
    ],
)
def test_whole_months_and_the_days_of_a_started_one_are_told_apart(
    rules: str, price: str, spoken: str, exact: str
) -> None:
    policy = policy_of(BASE.replace("10.00 per month", price) + f'[rise]\nsettle = "now"\n[share]\n{rules}')
    joined = [{"at": f"2026-{at}", "event": "activate", "user": user} for at, user in (("01-01", "a"), ("02-12", "b"))]
    *_, added = documents(joined, policy, date(2026, 2, 12), interval="year")
    assert speak_share(added.lines[0]) == spoken
    assert document_record(added)["lines"][0]["share"] == exact


def test_a_stretch_between_two_started_months_is_told_by_both_of_them() -> None:
    scale = scale_of("months", "year", "2026-01-01", started="by_days")
    assert isinstance(scale, Whole)
    # 12 to 28 February, March, 1 to 19 April
    assert scale.pieces(day("2026-02-12"), day("2026-04-20")) == (1, ((17, 28), (19, 30)))
    assert scale.worth(day("2026-02-12"), day("2026-04-20")) == (420 + 255 + 266, 420)
