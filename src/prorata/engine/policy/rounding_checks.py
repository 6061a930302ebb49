"""What may not be said about rounding: what is rounded, and to how many decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prorata.engine.money import digits_of
from prorata.engine.policy.model import WHOLE, Policy, Rules
from prorata.engine.policy.problems import Path, Problem, tables, where_written
from prorata.engine.words import plural

_MOST_DIGITS = 6  # of the price of a seat or of a day


def of_rounding(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """What is rounded, and to how many decimals: what neither the shares nor the currency have."""
    found: dict[Problem, None] = {}
    for chosen, rules in policy.variants.items():
        stage, digits = (where_written(document, chosen, "rounding", key) for key in ("stage", "digits"))
        if rules.rounding.stage == "day":
            found |= dict.fromkeys(
                Problem(stage, f'rounding.stage = "day" {one}') for one in _by_day(policy, rules, stage)
            )
        found |= dict.fromkeys(Problem(digits, f"rounding.digits {why}") for why in _digits(policy, rules))
    yield from found
    told = ((path, table.get("rounding", {})) for path, table in tables(document))
    written = {path: rounding["digits"] for path, rounding in told if "digits" in rounding}
    if written and set(written.values()) == {digits_of(policy.currency)}:
        sentence = f"{policy.currency} has {_decimals(digits_of(policy.currency))} anyway; leave it out"
        for path in written:
            yield Problem((*path, "rounding", "digits"), f"rounding.digits would have no effect; {sentence}")


def _by_day(policy: Policy, rules: Rules, path: Path) -> Iterator[str]:
    """Why the price of a day cannot be rounded, where that is asked for at a path."""
    item = policy.whens[int(path[1])].item if path[0] == "when" else None
    if item is not None and item in policy.add_ons and policy.add_ons[item].charge == "once":
        yield f'would have no effect on {item}, which is charged once (charge = "once")'
    elif rules.share.by in WHOLE:
        needs = "days_of_period, days_of_month or days_of_365"
        yield f'needs a share of days: share.by = {needs}, not "{rules.share.by}"; or write "seat"'
    if policy.precision != "day":
        yield f'needs whole days; with precision = "{policy.precision}" write "seat"'


def _digits(policy: Policy, rules: Rules) -> Iterator[str]:
    digits, stage = rules.rounding.digits, rules.rounding.stage
    if digits is None:
        return
    if stage in ("seat", "day") and digits > _MOST_DIGITS:
        yield f"is at most {_MOST_DIGITS}, not {digits}"
    elif stage in ("running", "line") and digits > digits_of(policy.currency):
        yield (
            f"= {digits} is too many: amounts are what is rounded, and {policy.currency} has "
            f'{_decimals(digits_of(policy.currency))}; leave it out, or round prices with stage = "seat" or "day"'
        )


def _decimals(digits: int) -> str:
    return f"{digits or 'no'} {plural('decimal', digits)}"
