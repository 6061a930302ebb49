"""A comparison: what is to be paid month by month under several policies, by arithmetic that stands beside it."""

from __future__ import annotations

from datetime import date

from prorata.engine.bill import Billing, bill
from prorata.engine.compare import (
    AccountMonth,
    by_account,
    by_month,
    by_year,
    compare_account,
    credit_left,
    differences,
    greatest_differences,
    total,
)
from prorata.engine.intake import read_history
from tests.engine.stories import BASE, policy_of

ARREARS = BASE + '[period]\ncharge = "arrears"\n'
ROWS = [
    {"at": "2026-01-01", "event": "activate", "user": "anna"},
    {"at": "2026-01-01", "event": "activate", "user": "ben"},
    {"at": "2026-02-15", "event": "deactivate", "user": "ben"},
]
GONE = [*ROWS, {"at": "2026-02-15", "event": "deactivate", "user": "anna"}]


def billing(policy: str, rows: list[dict[str, str]], through: date = date(2026, 4, 1), **settings: str) -> Billing:
    return bill(read_history(rows, policy=policy_of(policy), **settings), through=through)


def month(account: str, day: date, *due: int) -> AccountMonth:
    return AccountMonth(account, day, due, (0,) * len(due))


def test_each_month_has_what_its_documents_leave_to_be_paid() -> None:
    rows = compare_account("A", [billing(BASE, ROWS), billing(ARREARS, ROWS)])
    assert [(row.month, row.due_minor) for row in rows] == [
        (date(2026, 1, 1), (2000, 0)),  # in arrears, January is paid in February
        (date(2026, 2, 1), (2000, 2000)),
        (date(2026, 3, 1), (500, 1500)),  # Ben's 14 days of 28 of February: 5.00 back, or not charged
        (date(2026, 4, 1), (1000, 1000)),
    ]


def test_a_credit_is_no_negative_payment_and_is_left_until_an_invoice_uses_it() -> None:
    # Both leave on 15 February, 14 days of 28: 2 × 10.00 × 14/28 = 10.00 back on 1 March, and nothing to charge.
    rows = compare_account("A", [billing(BASE, GONE), billing(ARREARS, GONE)])
    assert [(row.due_minor, row.credit_left_minor) for row in rows] == [
        ((2000, 0), (0, 0)),
        ((2000, 2000), (0, 0)),
        ((0, 1000), (1000, 0)),
    ]
    assert credit_left(rows) == (1000, 0)


def test_a_credit_that_lapses_is_left_no_longer() -> None:
    cancelled = [*GONE, {"at": "2026-03-10", "event": "cancel"}]
    rows = compare_account("A", [billing(BASE + '[credits]\nlapse = "agreement_end"\n', cancelled)])
    assert [(row.month.month, row.credit_left_minor) for row in rows] == [(1, (0,)), (2, (0,)), (3, (1000,)), (4, (0,))]


def test_months_without_a_document_between_two_are_there_and_nothing_is_paid_in_them() -> None:
    # A year at 10.00 a month, paid in January: 12 × 2 × 10.00.
    rows = compare_account("A", [billing(BASE, ROWS), billing(BASE, ROWS, interval="year")])
    assert [row.due_minor for row in rows] == [(2000, 24000), (2000, 0), (500, 0), (1000, 0)]


def test_an_account_without_documents_has_no_months() -> None:
    early = date(2025, 12, 31)
    assert compare_account("A", [billing(BASE, ROWS, early), billing(ARREARS, ROWS, early)]) == ()
    assert by_month(()) == {}
    assert credit_left(()) == ()


def test_months_of_all_accounts_are_added_and_have_no_gap() -> None:
    rows = [
        month("A", date(2025, 11, 1), 100, 90),
        month("B", date(2025, 11, 1), 10, 20),
        month("A", date(2026, 1, 1), 100, 90),
    ]
    months = by_month(rows)
    assert months == {date(2025, 11, 1): (110, 110), date(2025, 12, 1): (0, 0), date(2026, 1, 1): (100, 90)}
    assert by_year(months) == {2025: (110, 110), 2026: (100, 90)}
    assert total(months.values()) == total(by_account(rows).values()) == (210, 200)


def test_differences_are_those_from_the_first_policy() -> None:
    assert differences((100, 90, 130)) == (-10, 30)


def test_the_accounts_come_by_the_greatest_difference_up_or_down() -> None:
    accounts = {"A": (100, 90, 100), "B": (100, 100, 130), "C": (100, 60, 100), "D": (100, 100, 100)}
    assert list(greatest_differences(accounts, 3)) == ["C", "B", "A"]
