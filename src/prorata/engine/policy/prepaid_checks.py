"""What has no meaning where time is paid in advance and another number of seats moves its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prorata.engine.policy.model import Policy, Rules
from prorata.engine.policy.problems import Path, Problem, where_written

# What is allowed of the keys that do have one, by table and key.
_ALLOWED: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("period", "anchor"): ("start",),
    ("period", "charge"): ("advance",),
    ("period", "measured"): (None,),
    ("period", "term_months"): (0,),
    ("seats", "count"): ("bought",),
    ("seats", "measure"): ("level",),
    ("share", "by"): ("days_of_period", "months"),
    ("rise", "takes_effect"): ("day",),
    ("rise", "waiting_days"): (0,),
    ("fall", "takes_effect"): ("day", "next_period"),
    ("fall", "window_days"): (0,),
    ("fall", "notice_days"): (0,),
    ("fall", "give"): ("credit", "nothing"),
    ("change", "interval"): ("next_invoice",),
    ("cancel", "ends"): ("period",),
    ("rounding", "stage"): ("running", "line", "seat"),
}
# What is charged at once and whole is neither settled later nor rounded up to months.
_UNUSED = (
    ("share", "started"), ("rise", "settle"), ("rise", "least_seats"), ("rise", "least_amount"), ("fall", "settle"),
)  # fmt: skip


def of_prepaid(policy: Policy, rules: Rules, chosen: tuple[int, ...], document: Mapping[str, Any]) -> Iterator[Problem]:
    """What another rule would do to a stock of paid time."""
    if not rules.change.is_prepaid:
        return
    at = where_written(document, chosen, "change", "more_seats")
    said = f'change.more_seats = "{rules.change.more_seats}"'
    for (table, key), allowed in _ALLOWED.items():
        if (value := getattr(getattr(rules, table), key)) not in allowed:
            path: Path = where_written(document, chosen, table, key)
            needs = f"it needs {_needs(table, key, allowed)}, not {_say(value)}"
            yield Problem(path, f"{said} moves the end of what is paid; {needs}")
    unused = _UNUSED if all(add_on.charge != "once" for add_on in policy.add_ons.values()) else _UNUSED[:1]
    for table, key in unused:
        path = where_written(document, chosen, table, key)
        if _is_written(document, path):
            yield Problem(path, f"{table}.{key} would have no effect with {said}; leave it out")
    yield from _sold(policy, at, said)


def _needs(table: str, key: str, allowed: tuple[Any, ...]) -> str:
    if allowed in ((None,), (0,)):
        return f"no {table}.{key}"
    return f"{table}.{key} = {' or '.join(_say(one) for one in allowed)}"


def _say(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _is_written(document: Mapping[str, Any], path: Path) -> bool:
    table: Any = document
    for part in path:
        if isinstance(table, Mapping) and part not in table:
            return False
        table = table[part]
    return True


def _sold(policy: Policy, at: Path, said: str) -> Iterator[Problem]:
    if policy.precision != "day":
        yield Problem(at, f'{said} counts days; it needs precision = "day"')
    if len(policy.intervals) > 1:
        yield Problem(at, f"{said} needs a single interval: what is left of one is no time of another")
    if not all(one.change.is_prepaid for one in policy.variants.values()):
        yield Problem(at, f"{said} has to hold in every when, or what is left would be lost")
    if len(policy.plans) > 1:
        yield Problem(at, f"{said} needs a single plan: what is left of one is no time of another")
    rows = [row for plan in policy.plans.values() for row in plan.prices]
    if policy.roles_apart or any(row.above or row.base is not None for row in rows):
        yield Problem(at, f"{said} needs one price for all seats, without base price, tiers and prices by role")
    for name in sorted(name for name, add_on in policy.add_ons.items() if add_on.charge != "once"):
        yield Problem(
            ("add_ons", name),
            f'add_ons.{name} recurs, and with {said} no period is sure of its end; use charge = "once"',
        )
