"""Short ways to tell a story in a test: a policy in a few lines of TOML, rows of events, the documents that come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from prorata.engine.bill import bill
from prorata.engine.document import Document
from prorata.engine.intake import Intake, IntakeError, Row, read_histories, read_history
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError, read_policy
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
