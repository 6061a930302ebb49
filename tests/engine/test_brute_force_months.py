"""A few hundred people over two years at random moments: each month is what a naive loop over its days says."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import read_policy
from prorata.policies import load_policy

FIRST, PAST = date(2024, 1, 1), date(2026, 1, 1)  # 2024 is a leap year
UTC = timezone(timedelta(0))
Move = tuple[datetime, str, bool]  # when (UTC), who, whether they come or go


def lives(random: Random, people: int) -> list[Move]:
    """People join, leave and come back; many of them around midnight."""
    moves: list[Move] = []
    for number in range(people):
        moment = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(seconds=random.randrange(600 * 86_400))
        comes = True
        for _ in range(random.choice([1, 1, 2, 2, 3, 5])):
            if random.random() < 0.5:
                moment = midnight_after(moment) + timedelta(minutes=random.randrange(-180, 120))
            if moment >= datetime(2025, 12, 31, tzinfo=UTC):
                break
            moves.append((moment, f"user {number}", comes))
            comes = not comes
            moment += timedelta(seconds=random.choice([3_600, 86_400, 40 * 86_400]) + random.randrange(90_000))
    return moves


def midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0) + timedelta(days=2)


def local_day(moment: datetime) -> date:
    """The day in Norway and Sweden: an hour ahead of UTC, two from the last Sunday of March to that of October."""
    summer = last_sunday(moment.year, 3) <= moment < last_sunday(moment.year, 10)
    return (moment + timedelta(hours=2 if summer else 1)).date()


def last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def members_at_the_end_of(day: date, moves: list[Move]) -> int:
    there: set[str] = set()
    for moment, who, comes in sorted(moves):
        if local_day(moment) <= day:
            if comes:
                there.add(who)
            else:
                there.discard(who)
    return len(there)


def members_by_day(moves: list[Move]) -> dict[date, int]:
    """How many are there at the end of each day, and of the day before the first."""
    days = [FIRST + timedelta(days=at) for at in range(-1, (PAST - FIRST).days)]
    return {day: members_at_the_end_of(day, moves) for day in days}


def read(moves: list[Move], policy: str | Policy, **settings: str) -> Subscription:
    rows: list[dict[str, object]] = [{"at": FIRST, "event": "start"}]
    rows += [
        {"at": f"{moment:%Y-%m-%dT%H:%M:%S}Z", "event": "activate" if comes else "deactivate", "user": who}
        for moment, who, comes in moves
    ]
    return read_history(rows, policy=load_policy(policy) if isinstance(policy, str) else policy, **settings)


def billed_by_month(subscription: Subscription) -> dict[tuple[int, int], int]:
    """All that was billed for the days of a calendar month, whenever it was."""
    months: dict[tuple[int, int], int] = defaultdict(int)
    for document in bill(subscription, through=date(2026, 3, 1)).documents:
        for line in document.lines:
            last = line.end - timedelta(days=1)
            assert (line.start.year, line.start.month) == (last.year, last.month)
            months[line.start.year, line.start.month] += line.amount_minor
    return months


MONTHS = [(year, month) for year in (2024, 2025) for month in range(1, 13)]


def days_of(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


@given(st.integers(0, 2**32), st.integers(20, 300))
@settings(max_examples=4)
def test_konfidens_monthly_bills_a_krone_for_each_member_at_the_end_of_each_day(seed: int, people: int) -> None:
    moves = lives(Random(seed), people)
    billed = billed_by_month(read(moves, "konfidens", interval="month"))
    members = members_by_day(moves)
    for year, month in MONTHS:
        assert billed.get((year, month), 0) == sum(100 * members[day] for day in days_of(year, month))


@given(st.integers(0, 2**32), st.integers(20, 300))
@settings(max_examples=4)
def test_mainter_pro_bills_each_member_at_the_start_of_each_day_a_part_of_the_month(seed: int, people: int) -> None:
    moves = lives(Random(seed), people)
    billed = billed_by_month(read(moves, "mainter", plan="PRO"))
    members = members_by_day(moves)
    for year, month in MONTHS:
        days = days_of(year, month)
        user_days = sum(members[day - timedelta(days=1)] for day in days)
        exact = Decimal(69_900 * user_days) / len(days)
        assert billed.get((year, month), 0) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


BY_THE_DAY = """\
currency = "EUR"
time_zone = "Europe/Oslo"
intervals = ["month"]
period.charge = "arrears"
rounding.stage = "day"
[plans.standard]
price = "10.00 per month"
"""


@given(st.integers(0, 2**32), st.integers(20, 300))
@settings(max_examples=4)
def test_by_the_day_each_member_pays_the_rounded_price_of_every_day(seed: int, people: int) -> None:
    moves = lives(Random(seed), people)
    policy = read_policy(BY_THE_DAY, name="by the day", source="by-the-day.toml")
    billed = billed_by_month(read(moves, policy))
    members = members_by_day(moves)
    for year, month in MONTHS:
        there = [members[day] for day in days_of(year, month)]
        a_day = int((Decimal(1000) / len(there)).quantize(Decimal(1), ROUND_HALF_UP))
        whole = len(set(there)) == 1  # one line over all of the month, which is not cut into days
        assert billed.get((year, month), 0) == (1000 * there[0] if whole else a_day * sum(there))
