"""What a `when` may not say: where rules cannot differ so, and where nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, TypeAlias

from prorata.engine.policy.model import OVERAGE, SEATS, Policy, When
from prorata.engine.policy.problems import Problem


def differences(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every reason why a `when` cannot be meant, with the way out."""
    yield from _payment_methods(policy)
    for at, when in enumerate(policy.whens):
        if not set(document["when"][at]) - _CONDITIONS:
            yield Problem(("when", at), "when says no rule that differs; write one, such as rise.settle")
        if when.interval is not None and when.interval not in policy.intervals:
            yield Problem(("when", at, "interval"), f"when.interval: {when.interval} is not one of intervals")
        if (when.from_ or date.min) >= (when.until or date.max):
            yield Problem(("when", at, "until"), f"when: until {when.until} is not after from {when.from_}")
        method = when.payment_method
        dated = method is not None or when.plan is not None or when.from_ is not None or when.until is not None
        if dated and "measured" in document["when"][at].get("period", {}):
            sentence = "period.measured can differ by interval only; an invoice that has begun keeps its parts"
            yield Problem(("when", at, "period", "measured"), sentence)
        if when.plan is not None and when.plan not in policy.plans:
            yield Problem(("when", at, "plan"), f"when.plan: {when.plan} is not one of plans")
        if method is not None and method not in policy.payment_methods:
            named = ", ".join(policy.payment_methods) or "none"
            sentence = f"when.payment_method: {method} is not one of payment_methods ({named})"
            yield Problem(("when", at, "payment_method"), sentence)
        yield from _of_item(policy, at, document["when"][at])
        yield from _of_role(policy, at, document["when"][at])
        if when == When():
            yield Problem(
                ("when", at),
                "when says no condition, so it is not a difference; write interval, plan, payment_method, item, role, "
                "from or until, or these rules above instead",
            )


_CONDITIONS = frozenset({"interval", "plan", "payment_method", "item", "role", "from", "until"})


def _payment_methods(policy: Policy) -> Iterator[Problem]:
    """Ways to pay by which nothing differs. One of them may stand for all that no `when` names."""
    methods = policy.payment_methods
    named = {when.payment_method for when in policy.whens}
    rest = [method for method in methods if method not in named]
    if methods and (len(methods) == 1 or len(rest) == len(methods)):
        why = "there is but one" if len(methods) == 1 else "no [[when]] names one of them"
        yield Problem(("payment_methods",), f"payment_methods would have no effect; {why}")
        return
    for method in rest[1:]:
        sentence = f"{method} would have no effect; no [[when]] names it, so it is the same as {rest[0]}"
        yield Problem(("payment_methods",), f"payment_methods: {sentence}")


_Differs: TypeAlias = Mapping[str, Callable[[str], bool]]

# The rules that can differ by item and by role, of each table some or all; the others are of the whole invoice.
_BY_ITEM: _Differs = {
    "period": lambda key: key == "charge",
    "share": lambda _: True,
    "rounding": lambda _: True,
    "rise": lambda key: key == "takes_effect",
    "fall": lambda key: key != "settle",
}
_BY_ROLE: _Differs = {
    **_BY_ITEM,
    "fall": lambda key: key not in ("settle", "give"),
    "seats": lambda key: key not in ("free", "free_days", "change_day", "below_active"),
}


def _of_invoice(written: Mapping[str, Any], differs: _Differs) -> Iterator[tuple[str, str]]:
    """What is written that cannot differ so: the table and the key."""
    for table, keys in written.items():
        may = differs.get(table)
        for key in keys if isinstance(keys, Mapping) else ():
            if may is None or not may(key):
                yield table, key


def _of_item(policy: Policy, at: int, written: Mapping[str, Any]) -> Iterator[Problem]:
    item = policy.whens[at].item
    if item is None:
        return
    if item not in (SEATS, OVERAGE) and item not in policy.add_ons:
        named = ", ".join(policy.add_ons) or "none"
        sentence = f"when.item: {item} is neither {SEATS} nor {OVERAGE} nor one of add_ons ({named})"
        yield Problem(("when", at, "item"), sentence)
    if item == OVERAGE and not policy.has_overage:
        sentence = f"when.item: {item} is the seats beyond those ordered, and no price says what they cost (overage)"
        yield Problem(("when", at, "item"), sentence)
    yield from _later(policy, at, written)
    for table, key in _of_invoice(written, _BY_ITEM):
        sentence = (
            f"{table}.{key} is of the whole invoice; by item may differ share, rounding, rise.takes_effect, "
            "fall.takes_effect, fall.give, fall.window_days, fall.notice_days and period.charge"
        )
        yield Problem(("when", at, table, key), sentence)
    if written.get("fall", {}).get("give") == "refund":
        sentence = 'fall.give = "refund" is of the whole invoice; by item it is "credit" or "nothing"'
        yield Problem(("when", at, "fall", "give"), sentence)
    if item == OVERAGE and written.get("fall", {}).get("give") == "nothing":
        sentence = "is that of the seats; where nothing is given for seats beyond an order, they stay paid for: "
        way_out = 'fall.takes_effect = "next_period"'
        yield Problem(("when", at, "fall", "give"), f"fall.give {sentence}{way_out}")
    if item in policy.add_ons and policy.add_ons[item].charge == "once":
        for table in ("period", "share", "rise", "fall"):
            for key in filter(_BY_ITEM[table], written.get(table, {})):
                sentence = f'{table}.{key} would have no effect on {item}, which is charged once (charge = "once")'
                yield Problem(("when", at, table, key), sentence)


def _later(policy: Policy, at: int, written: Mapping[str, Any]) -> Iterator[Problem]:
    """What is billed in arrears of an invoice that is not in advance, or in advance alone."""
    charge = written.get("period", {}).get("charge")
    of_invoice = [
        rules for chosen, rules in policy.variants.items() if all(policy.whens[one].of_item is None for one in chosen)
    ]
    if charge == "advance":
        sentence = "an item is never billed sooner than the invoice it is on; leave it out"
        yield Problem(("when", at, "period", "charge"), f'period.charge = "advance": {sentence}')
    elif charge == "arrears" and all(rules.period.charge == "arrears" for rules in of_invoice):
        sentence = "period.charge would have no effect; the whole invoice is in arrears"
        yield Problem(("when", at, "period", "charge"), sentence)


def _of_role(policy: Policy, at: int, written: Mapping[str, Any]) -> Iterator[Problem]:
    role = policy.whens[at].role
    if role is None:
        return
    if role not in policy.roles:
        named = ", ".join(policy.roles) or "none"
        yield Problem(("when", at, "role"), f"when.role: {role} is not one of roles ({named})")
    elif not policy.roles[role].billed:
        sentence = f"when.role: members with the role {role} are not billed (roles.{role})"
        yield Problem(("when", at, "role"), sentence)
    elif any(at in chosen and role in rules.seats.free for chosen, rules in policy.variants.items()):
        yield Problem(("when", at, "role"), f"when.role: members with the role {role} are free (seats.free)")
    if policy.whens[at].item is not None:
        yield Problem(("when", at, "item"), "when.item: a role is about seats only; leave item out")
    if written.get("fall", {}).get("give") == "nothing":
        sentence = "fall.give is of the whole invoice; where nothing is given for a role, its seats stay paid for: "
        yield Problem(("when", at, "fall", "give"), f'{sentence}fall.takes_effect = "next_period"')
        written = {**written, "fall": {key: value for key, value in written["fall"].items() if key != "give"}}
    yield from _later(policy, at, written)
    for table, key in _of_invoice(written, _BY_ROLE):
        sentence = (
            f"{table}.{key} is of the whole invoice; by role may differ seats (but for free, change_day and "
            "below_active), share, rounding, rise.takes_effect, fall.takes_effect, fall.window_days, "
            "fall.notice_days and period.charge"
        )
        yield Problem(("when", at, table, key), sentence)
