"""What a `when` may not say: where rules cannot differ so, and where nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from prorata.engine.policy.model import Policy, When
from prorata.engine.policy.problems import Problem


def differences(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every reason why a `when` cannot be meant, with the way out."""
    for at, when in enumerate(policy.whens):
        if not set(document["when"][at]) - {"interval", "plan", "item", "from", "until"}:
            yield Problem(("when", at), "when says no rule that differs; write one, such as rise.settle")
        if when.interval is not None and when.interval not in policy.intervals:
            yield Problem(("when", at, "interval"), f"when.interval: {when.interval} is not one of intervals")
        if (when.from_ or date.min) >= (when.until or date.max):
            yield Problem(("when", at, "until"), f"when: until {when.until} is not after from {when.from_}")
        dated = when.plan is not None or when.from_ is not None or when.until is not None
        if dated and "measured" in document["when"][at].get("period", {}):
            sentence = "period.measured can differ by interval only; an invoice that has begun keeps its parts"
            yield Problem(("when", at, "period", "measured"), sentence)
        if when.plan is not None and when.plan not in policy.plans:
            yield Problem(("when", at, "plan"), f"when.plan: {when.plan} is not one of plans")
        yield from _of_item(policy, at, document["when"][at])
        if when == When():
            yield Problem(
                ("when", at),
                "when says neither interval nor plan nor item nor from nor until, so it is not a difference; "
                "write these rules above instead",
            )


# The rules that can differ by item, of each table some or all; the others are of the whole invoice.
_BY_ITEM: Mapping[str, Callable[[str], bool]] = {
    "share": lambda _: True,
    "rounding": lambda _: True,
    "rise": lambda key: key == "takes_effect",
    "fall": lambda key: key != "settle",
}


def _of_item(policy: Policy, at: int, written: Mapping[str, Any]) -> Iterator[Problem]:
    item = policy.whens[at].item
    if item is None:
        return
    if item != "seats" and item not in policy.add_ons:
        named = ", ".join(policy.add_ons) or "none"
        yield Problem(("when", at, "item"), f"when.item: {item} is neither seats nor one of add_ons ({named})")
    once = item in policy.add_ons and policy.add_ons[item].charge == "once"
    for table, keys in written.items():
        differs = _BY_ITEM.get(table)
        for key in keys if isinstance(keys, Mapping) else ():
            if differs is None or not differs(key):
                sentence = (
                    f"{table}.{key} is of the whole invoice; by item may differ share, rounding, rise.takes_effect, "
                    "fall.takes_effect, fall.give, fall.window_days and fall.notice_days"
                )
                yield Problem(("when", at, table, key), sentence)
            elif once and table != "rounding":
                sentence = f'{table}.{key} would have no effect on {item}, which is charged once (charge = "once")'
                yield Problem(("when", at, table, key), sentence)
