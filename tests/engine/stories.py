"""Short ways to tell a story in a test: a policy in a few lines of TOML, rows of events, the documents that come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import Day, Moment
from prorata.engine.credits import Lapse
from prorata.engine.document import Document
from prorata.engine.due import Holding
from prorata.engine.intake import Intake, IntakeError, Row, read_histories, read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError, read_policy
from prorata.engine.policy.tariff import Price
from prorata.engine.record import document_record

# One plan at ten euros a month; what a test is about is put before (keys) or behind (tables).
BASE = """\
currency = "EUR"
intervals = ["month", "year"]
[plans.basic]
price = "10.00 per month"
"""


def policy_of(text: str) -> Policy:
    return read_policy(text, name="test", source="test.toml")


def refusals(text: str) -> tuple[str, ...]:
    """The sentences with which a policy's text is refused."""
    with pytest.raises(PolicyError) as caught:
        policy_of(text)
    return caught.value.sentences


def refused_rows(rows: Sequence[Mapping[str, str]], policy: Policy, **settings: Any) -> tuple[str, ...]:
    """The sentences with which rows of an event file are refused; rows are called line 2, line 3, …"""
    told = [Row(f"line {number}", row) for number, row in enumerate(rows, 2)]
    with pytest.raises(IntakeError) as caught:
        read_histories(told, Intake(policy=policy, **{"account": "A", **settings}))
    return caught.value.sentences


def documents(
    rows: Sequence[Mapping[str, object]], policy: Policy, through: date, **settings: Any
) -> tuple[Document, ...]:
    return bill(read_history(rows, policy=policy, **settings), through=through).documents


def records(
    rows: Sequence[Mapping[str, object]], policy: Policy, through: date, **settings: Any
) -> list[dict[str, Any]]:
    return [document_record(document) for document in documents(rows, policy, through, **settings)]


@dataclass(frozen=True)
class RememberedLine:
    period_start_day: Day
    period_end_day: Day
    item: str
    start_day: Day
    end_day: Day
    after: Holding | None
    exact_worth: tuple[int, int]
    amount_minor: int


@dataclass(frozen=True)
class RememberedDocument:
    date: date
    known_until: Moment
    lines: tuple[RememberedLine, ...]
    total_minor: int
    credit_used_minor: int
    refund_minor: int


@dataclass(frozen=True)
class Remembered:
    """What a database keeps of a run."""

    through: date
    known_until: Moment
    documents: tuple[RememberedDocument, ...]
    lapses: tuple[Lapse, ...]


def remembered(billing: Billing) -> Remembered:
    """The run as it comes back from a store that knows nothing but text."""
    rows = json.loads(json.dumps([_document_row(document) for document in billing.documents]))
    documents = tuple(
        RememberedDocument(
            date.fromisoformat(row["date"]),
            row["known_until"],
            tuple(_remembered_line(line) for line in row["lines"]),
            row["total"],
            row["used"],
            row["refund"],
        )
        for row in rows
    )
    return Remembered(billing.through, billing.known_until, documents, billing.lapses)


def price_row(price: Price) -> list[Any]:
    return [price.minor, price.months, price.plan, price.role, price.above]


def _document_row(document: Document) -> dict[str, Any]:
    return {
        "date": document.date.isoformat(),
        "known_until": document.known_until,
        "total": document.total_minor,
        "used": document.credit_used_minor,
        "refund": document.refund_minor,
        "lines": [
            {
                "days": [line.period_start_day, line.period_end_day, line.start_day, line.end_day],
                "item": line.item,
                "after": line.after and [line.after[0], *price_row(line.after[1])],
                "exact": line.exact_minor.as_integer_ratio(),
                "amount": line.amount_minor,
            }
            for line in document.lines
        ],
    }


def _remembered_line(row: dict[str, Any]) -> RememberedLine:
    period_start, period_end, start, end = row["days"]
    after = row["after"] and (row["after"][0], Price(*row["after"][1:]))
    numerator, denominator = row["exact"]
    exact = numerator, denominator
    return RememberedLine(period_start, period_end, row["item"], start, end, after, exact, row["amount"])
