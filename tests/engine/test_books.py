"""What documents mean in the books, with the arithmetic beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.books import LEDGERS, earned_by, grant_posting, lapse_posting, postings
from prorata.engine.calendar import to_day


@dataclass(frozen=True)
class Line:
    start_day: int
    end_day: int
    amount_minor: int


@dataclass(frozen=True)
class Document:
    subtotal_minor: int
    total_minor: int
    date: date = date(2026, 1, 15)
    credit_used_minor: int = 0
    refund_minor: int = 0


def line(start: date, end: date, amount_minor: int) -> Line:
    return Line(to_day(start), to_day(end), amount_minor)


def posted(document: Document, earned_minor: int) -> list[tuple[str, str, int]]:
    return [(one.debit, one.credit, one.amount_minor) for one in postings(document, earned_minor)]


def test_a_month_from_the_fifteenth_is_earned_by_its_days() -> None:
    one = line(date(2026, 1, 15), date(2026, 2, 15), 3100)
    # 17 of 31 days lie in January, at 1.00 each
    assert earned_by(one, to_day(date(2026, 2, 1))) == 1700
    assert earned_by(one, to_day(date(2026, 3, 1))) == 3100
    assert earned_by(one, to_day(date(2026, 1, 15))) == 0


def test_what_is_earned_of_a_quarter_by_its_months_adds_up_to_it() -> None:
    one = line(date(2026, 1, 1), date(2026, 4, 1), 10000)
    by = [earned_by(one, to_day(date(2026, month, 1))) for month in (1, 2, 3, 4)]
    # 31, 59 and 90 of 90 days of 100.00: 34.44, 65.56, 100.00
    assert [more - less for less, more in pairwise(by)] == [3444, 3112, 3444]


def test_an_invoice_in_advance_is_deferred_and_one_in_arrears_is_revenue() -> None:
    assert posted(Document(10000, 12500), 0) == [
        ("receivable", "deferred_revenue", 10000),
        ("receivable", "tax", 2500),
    ]
    assert posted(Document(10000, 12500), 10000) == [("receivable", "revenue", 10000), ("receivable", "tax", 2500)]


def test_a_credit_note_takes_back_what_was_deferred_and_what_was_revenue() -> None:
    # 30.00 of it for days before its date
    assert posted(Document(-10000, -12500), -3000) == [
        ("deferred_revenue", "receivable", 7000),
        ("revenue", "receivable", 3000),
        ("tax", "receivable", 2500),
        ("receivable", "customer_credit", 12500),
    ]
    assert posted(Document(-10000, -10000, refund_minor=10000), 0)[-1] == ("receivable", "refunds", 10000)


def test_a_credit_that_is_used_pays_and_one_that_lapses_is_income() -> None:
    assert posted(Document(10000, 10000, credit_used_minor=4000), 0)[-1] == ("customer_credit", "receivable", 4000)
    assert tuple(lapse_posting(4000, "end")) == ("customer_credit", "lapsed_credits", 4000)


def test_a_grant_costs_what_it_gives_and_what_is_withdrawn_of_it_is_taken_back() -> None:
    assert tuple(grant_posting(4000)) == ("granted_credits", "customer_credit", 4000)
    assert tuple(lapse_posting(4000, "withdrawn")) == ("customer_credit", "granted_credits", 4000)


amounts = st.integers(-(10**9), 10**9)


@given(amounts, amounts, amounts, st.floats(0, 1))
def test_what_a_document_leaves_receivable_is_what_is_due(subtotal: int, tax: int, earned: int, part: float) -> None:
    total = subtotal + tax
    some = int(abs(total) * part)
    used, refund = (some, 0) if total > 0 else (0, some)
    made = list(postings(Document(subtotal, total, credit_used_minor=used, refund_minor=refund), earned))
    left: Counter[str] = Counter()
    for posting in made:
        assert posting.amount_minor > 0
        assert {posting.debit, posting.credit} <= set(LEDGERS)
        left[posting.debit] += posting.amount_minor
        left[posting.credit] -= posting.amount_minor
    assert sum(left.values()) == 0
    assert left["receivable"] == max(total, 0) - used
    assert -left["customer_credit"] == max(-total, 0) - refund - used
    assert -left["deferred_revenue"] - left["revenue"] - left["tax"] == total


@given(st.integers(1, 400), amounts, st.lists(st.integers(0, 400), max_size=8))
def test_what_is_earned_in_parts_is_the_amount(days: int, amount_minor: int, borders: list[int]) -> None:
    one, points = Line(700_000, 700_000 + days, amount_minor), sorted({0, days, *(at for at in borders if at < days)})
    by = [earned_by(one, 700_000 + at) for at in points]
    assert sum(more - less for less, more in pairwise(by)) == amount_minor
    assert [abs(one) for one in by] == sorted(abs(one) for one in by)
