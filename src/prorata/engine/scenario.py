"""A scenario is a story of money over time with the documents expected: a test, and an example in the documentation."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import zip_longest
from numbers import Real
from typing import Any

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import YEARS
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, IntakeError, Row, near, read_histories
from prorata.engine.money import format_amount
from prorata.engine.policy.problems import Path
from prorata.engine.policy.reading import PolicyError, line_of, read_document
from prorata.engine.record import document_record
from prorata.engine.refusal import CannotBill

# The keys of a scenario, of a document and of a line, with the types of their values.
_KEYS: dict[str, type] = {
    "claims": list, "title": str, "policy": str, "changes": dict, "plan": str, "interval": str, "payment_method": str,
    "start": date, "roles": dict, "seats_follow": bool, "through": date, "history": str, "document": list,
    "lapse": list, "refused": str, "verdict": str,
}  # fmt: skip
_SETTINGS = ("plan", "interval", "payment_method", "start", "roles", "seats_follow")
_DOCUMENT_KEYS: dict[str, type] = {
    "account": str, "kind": str, "date": date, "currency": str, "lines": list, "subtotal": str, "tax": str,
    "total": str, "credit_used": str, "credit_left": str, "due": str, "refund": str,
}  # fmt: skip
_LINE_KEYS: dict[str, type] = {
    "item": str, "kind": str, "quantity": int, "unit_price": str, "start": date, "end": date, "days": Real,
    "share": str, "amount": str, "text": str,
}  # fmt: skip
_LAPSE_KEYS: dict[str, type] = {"account": str, "date": date, "amount": str}
_WORDS: dict[type, str] = {
    str: "a text in quotes", int: "a whole number", Real: "a number", bool: "true or false",
    date: "a day without quotes", list: "a list", dict: "a table",
}  # fmt: skip


class ScenarioError(ValueError):
    """A scenario file that is not one; says why."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story: the policy as plain data, the history, how far to bill, what is expected.

    Of an expected document only what is stated is compared, but every document of the story must be there, and where
    lines are stated all of them. `refused` is part of the sentence with which the story must be refused.
    """

    name: str
    title: str
    claims: tuple[str, ...]
    policy_name: str
    policy: Mapping[str, Any]
    settings: Mapping[str, Any]
    history: tuple[Row, ...]
    through: date
    documents: tuple[Mapping[str, Any], ...]
    lapses: tuple[Mapping[str, Any], ...]
    refused: str | None


def read_scenario(text: str, *, name: str, policy_document: Callable[[str], Mapping[str, Any]]) -> Scenario:
    """The scenario a TOML text writes down; `policy_document` gives a policy's file by name as plain data."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name}: this is not TOML: {error}") from error
    check = partial(_check_keys, name, text)
    check("a scenario", (), told, _KEYS)
    for key in ("title", "policy", "through", "history"):
        if key not in told:
            raise ScenarioError(f"{name}: {key} is missing")
    for role, into in told.get("roles", {}).items():
        if not isinstance(into, str):
            place = f"{name}, line {line_of(text, ('roles', role))}"
            raise ScenarioError(f"{place}: roles.{role} is a text in quotes, not {into!r}")
    for key in ("through", "start"):
        if key in told and told[key].year not in YEARS:
            place = f"{name}, line {line_of(text, (key,))}"
            raise ScenarioError(f"{place}: {key} is a day of the years {YEARS[0]} to {YEARS[-1]}, not {told[key]}")
    expected = told.get("document", [])
    for at, document in enumerate(expected):
        check("document", ("document", at), document, _DOCUMENT_KEYS)
        for number, line in enumerate(document.get("lines", [])):
            check("document.lines", ("document", at, "lines", number), line, _LINE_KEYS)
    for at, lapse in enumerate(told.get("lapse", [])):
        check("lapse", ("lapse", at), lapse, _LAPSE_KEYS)
    if not expected and "refused" not in told:
        raise ScenarioError(f"{name}: a scenario expects at least one [[document]], or to be refused")
    claims = told.get("claims", [])
    return Scenario(
        name=name,
        title=told["title"],
        claims=tuple(claims),
        policy_name=told["policy"],
        policy=_merged(policy_document(told["policy"]), told.get("changes", {})),
        settings={key: told[key] for key in _SETTINGS if key in told},
        history=tuple(_rows(told["history"])),
        through=told["through"],
        documents=tuple(expected),
        lapses=tuple(told.get("lapse", ())),
        refused=told.get("refused"),
    )


def subscriptions_of(scenario: Scenario) -> tuple[Subscription, ...]:
    """The accounts of the story; raises PolicyError or IntakeError."""
    policy = read_document(scenario.policy, name=scenario.policy_name, source=scenario.name)
    return read_histories(scenario.history, Intake(policy=policy, account="account", as_keys=True, **scenario.settings))


def run_scenario(scenario: Scenario) -> tuple[str, ...]:
    """The differences between what is expected and what is computed, as sentences; none when it passes."""
    try:
        billings = [
            (subscription, bill(subscription, through=scenario.through)) for subscription in subscriptions_of(scenario)
        ]
    except (PolicyError, IntakeError, CannotBill) as error:
        if scenario.refused is None:
            return (f"refused: {error}",)
        return () if scenario.refused in str(error) else (f"expected refusal: {scenario.refused}", f"computed: {error}")
    if scenario.refused is not None:
        return (f"expected refusal: {scenario.refused}", "computed: it was accepted")
    return tuple(_differences(scenario, [billing for _, billing in billings]))


def _differences(scenario: Scenario, billings: list[Billing]) -> Iterable[str]:
    computed = [document_record(document) for billing in billings for document in billing.documents]
    for number, (expected, record) in enumerate(zip_longest(scenario.documents, computed), 1):
        if record is None:
            yield f"document {number}: expected {_brief(expected)}, computed none"
        elif expected is None:
            yield f"document {number}: expected none, computed {_brief(record)}"
        else:
            yield from _compared(f"document {number} of {record['date']}", expected, record)
    lapses = [
        {
            "account": lapse.account,
            "date": lapse.date.isoformat(),
            "amount": format_amount(lapse.amount_minor, currency),
        }
        for billing in billings
        for lapse in billing.lapses
        for currency in [scenario.policy["currency"]]
    ]
    for number, (expected, lapse) in enumerate(zip_longest(scenario.lapses, lapses), 1):
        if expected is None or lapse is None:
            yield f"lapse {number}: expected {expected or 'none'}, computed {lapse or 'none'}"
        else:
            yield from _compared(f"lapse {number}", expected, lapse)


def _compared(where: str, expected: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterable[str]:
    for key, value in expected.items():
        if key == "lines":
            for at, (line, record) in enumerate(zip_longest(value, computed["lines"]), 1):
                if line is None or record is None:
                    shown = [None if one is None else _brief(one) for one in (line, record)]
                    yield f"{where}, line {at}: expected {shown[0] or 'none'}, computed {shown[1] or 'none'}"
                else:
                    yield from _compared(f"{where}, line {at}", line, record)
            continue
        said = value.isoformat() if isinstance(value, date) else value
        if said != computed[key]:
            yield f"{where}: {key} expected {said}, computed {computed[key]}"


def _brief(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in record.items() if key not in ("lines", "currency", "item"))


def _rows(history: str) -> Iterable[Row]:
    lines = [line for line in history.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    reader = csv.DictReader(lines, skipinitialspace=True)
    for number, row in enumerate(reader, 1):
        cells = {name.strip(): (value or "").strip() for name, value in row.items() if name is not None}
        yield Row(f"history, row {number}", {name: value for name, value in cells.items() if value})


def _check_keys(name: str, text: str, where: str, path: Path, table: Any, allowed: Mapping[str, type]) -> None:
    """Raises ScenarioError with the line of the first key that is none or has a value of another type."""
    if not isinstance(table, dict):
        raise ScenarioError(f"{name}, line {line_of(text, path)}: {where} is a table, not {table!r}")
    for key, value in table.items():
        place = f"{name}, line {line_of(text, (*path, key))}"
        if key not in allowed:
            keys = sorted(allowed)
            hint = near(key, keys)
            raise ScenarioError(f"{place}: {key} is not a key of {where}; {hint}allowed: {', '.join(keys)}")
        other = {int: bool, Real: bool, date: datetime}.get(allowed[key])  # which Python takes for one
        if not isinstance(value, allowed[key]) or (other is not None and isinstance(value, other)):
            raise ScenarioError(f"{place}: {key} of {where} is {_WORDS[allowed[key]]}, not {value!r}")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in base.items() if key != "price" or "prices" not in over}
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
