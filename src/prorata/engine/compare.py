"""A comparison is what the same accounts would have had to pay under several policies, month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from prorata.engine.bill import Billing

Amounts: TypeAlias = tuple[int, ...]  # minor units: one under each policy, in the order of the policies


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """What an account's documents of one month leave to be paid under each policy, less refunds, in minor units.

    `month` is its first day. `credit_left_minor` is the account's balance of credits at the month's end.
    """

    account: str
    month: date
    due_minor: Amounts
    credit_left_minor: Amounts


def compare_account(account: str, billings: Sequence[Billing]) -> tuple[AccountMonth, ...]:
    """The months of one account, billed under each policy, from its first document or lapse to its last."""
    due = [_due(billing) for billing in billings]
    left = [_credit_left(billing) for billing in billings]
    touched = [month for months in left for month in months]
    balance = [0] * len(billings)
    rows = []
    for month in _every(touched):
        balance = [months.get(month, before) for months, before in zip(left, balance, strict=True)]
        paid = tuple(months.get(month, 0) for months in due)
        rows.append(AccountMonth(account, _first_day(month), paid, tuple(balance)))
    return tuple(rows)


def by_month(rows: Iterable[AccountMonth]) -> dict[date, Amounts]:
    """What is to be paid in each month by all accounts, from the first month to the last without a gap."""
    sums: dict[int, Amounts] = {}
    width = 0
    for row in rows:
        number, width = _number(row.month), len(row.due_minor)
        sums[number] = _added(sums.get(number, (0,) * width), row.due_minor)
    return {_first_day(number): sums.get(number, (0,) * width) for number in _every(sums)}


def by_year(months: Mapping[date, Amounts]) -> dict[int, Amounts]:
    """The months of each calendar year together."""
    sums: dict[int, Amounts] = {}
    for month, due in months.items():
        sums[month.year] = _added(sums[month.year], due) if month.year in sums else due
    return sums


def by_account(rows: Iterable[AccountMonth]) -> dict[str, Amounts]:
    """What is to be paid by each account in all."""
    sums: dict[str, Amounts] = {}
    for row in rows:
        sums[row.account] = _added(sums[row.account], row.due_minor) if row.account in sums else row.due_minor
    return sums


def total(amounts: Iterable[Amounts]) -> Amounts:
    """All of them together, policy by policy; of nothing, nothing."""
    return tuple(map(sum, zip(*amounts, strict=True)))


def credit_left(rows: Iterable[AccountMonth]) -> Amounts:
    """The credits that all accounts have left at the end."""
    return total({row.account: row.credit_left_minor for row in rows}.values())


def differences(amounts: Amounts) -> Amounts:
    """What each further policy comes to, less what the first does."""
    return tuple(other - amounts[0] for other in amounts[1:])


def greatest_differences(accounts: Mapping[str, Amounts], count: int) -> dict[str, Amounts]:
    """The accounts for which a further policy differs most from the first, the greatest difference first."""

    def size(account: str) -> int:
        return max(map(abs, differences(accounts[account])))

    return {account: accounts[account] for account in sorted(accounts, key=size, reverse=True)[:count]}


def _due(billing: Billing) -> dict[int, int]:
    sums: dict[int, int] = {}
    for document in billing.documents:
        number = _number(document.date)
        sums[number] = sums.get(number, 0) + document.due_minor - document.refund_minor
    return sums


def _credit_left(billing: Billing) -> dict[int, int]:
    """The balance of credits at the end of each month with a document, a lapse or a grant."""
    told = [(document.date, 0, document.credit_left_minor) for document in billing.documents]
    told += [(lapse.date, 1 if lapse.reason == "end" else -1, lapse.amount_minor) for lapse in billing.lapses]
    told += [(grant.date, -2, -grant.amount_minor) for grant in billing.grants]
    left, found = 0, {}
    for day, order, amount in sorted(told):  # what grew too old is lost before a document of the day
        left = amount if order == 0 else left - amount
        found[_number(day)] = left
    return found


def _added(some: Amounts, more: Amounts) -> Amounts:
    return tuple(one + other for one, other in zip(some, more, strict=True))


def _every(months: Iterable[int]) -> Iterator[int]:
    """Every month from the first to the last of these."""
    found = set(months)
    return iter(range(min(found), max(found) + 1)) if found else iter(())


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)
