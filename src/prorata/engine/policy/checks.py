"""What a policy may not say: choices that contradict each other, and keys that would never have an effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from prorata.engine.calendar import DAYS, MONTHS, Interval, is_time_zone
from prorata.engine.policy.differences import differences
from prorata.engine.policy.model import ONE_NUMBER, OVERAGE, SEATS, WHOLE, Policy, Rules
from prorata.engine.policy.notice_checks import of_waiting
from prorata.engine.policy.prepaid_checks import of_prepaid
from prorata.engine.policy.price_checks import of_names, of_prices
from prorata.engine.policy.problems import Path, Problem, tables, where_written
from prorata.engine.policy.rounding_checks import of_rounding
from prorata.engine.policy.seat_checks import days_beyond, never_billed, nobody_free, of_estimate, of_seats
from prorata.engine.policy.time_checks import of_change, of_days, of_precision, of_settlement, of_term


def contradictions(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every reason why the policy as a whole cannot be meant, with the way out."""
    yield from _identity(policy)
    yield from of_prices(policy)
    yield from _ways_to_pay(policy, document)
    yield from differences(policy, document)
    yield from _without_effect(policy, document)
    yield from nobody_free(document)
    yield from days_beyond(policy, document)
    yield from _nothing_waits(policy, document)
    yield from never_billed(policy, document)
    yield from _nothing_to_change(policy, document)
    yield from of_settlement(policy, document)
    yield from of_rounding(policy, document)
    yield from _no_credits(policy, document)
    waits = {rules.seats.idle_days for rules in policy.variants.values() if rules.seats.counts_from == "activity"}
    told = [at for at, when in enumerate(document.get("when", ())) if "idle_days" in when.get("seats", {})]
    if len(waits) > 1:
        at: Path = ("when", told[-1], "seats", "idle_days")
        yield Problem(at, "seats.idle_days is the same in every when; people are idle once")
    for path, table in tables(document):
        if path and "free_days" in table.get("seats", {}):
            sentence = "seats.free_days is the same in every when; people are new once: write it under [seats]"
            yield Problem((*path, "seats", "free_days"), sentence)
    for chosen, rules in policy.variants.items():
        yield from _of_variant(policy, rules, chosen, document)


def _of_variant(
    policy: Policy, rules: Rules, chosen: tuple[int, ...], document: Mapping[str, Any]
) -> Iterator[Problem]:
    """What cannot be meant by the rules of some of the differences together."""
    path: Path = ("when", chosen[-1]) if chosen else ()
    if not _add_ons_of(policy, chosen):
        if _is_of_orders(policy, rules, chosen):  # which count day by day, whatever the measure
            rules = replace(rules, seats=replace(rules.seats, measure="level"))
        yield from of_seats(rules.seats, rules.fall, path)
        yield from of_estimate(policy, rules, path)
    yield from _free_roles(policy, rules, path)
    yield from _measured(policy, rules, path)
    if rules.share.started == "by_30" and rules.share.by in ("quarters", "period"):
        yield Problem((*path, "share", "started"), 'share.started = "by_30" counts a month as 30 days; it needs '
                      'share.by = "months"')  # fmt: skip
    yield from of_days(policy, rules, path)
    yield from of_term(rules, _intervals(policy, chosen), path)
    yield from of_change(policy, rules, chosen, document)
    yield from of_prepaid(policy, rules, chosen, document)
    yield from of_waiting(rules, path)
    yield from of_precision(policy, rules, path)
    of_item = any(policy.whens[at].of_item is not None for at in chosen)
    if rules.fall.give == "nothing" and rules.fall.settle == "now" and not of_item:
        yield Problem(
            (*path, "fall", "settle"),
            'fall.settle = "now" has nothing to settle with fall.give = "nothing"; leave one of them out',
        )


def _intervals(policy: Policy, chosen: tuple[int, ...]) -> list[Interval]:
    """The intervals of the periods that some of the differences together are for."""
    named = {when.interval for when in (policy.whens[at] for at in chosen) if when.interval is not None}
    if named:
        return sorted(named)
    elsewhere = {when.interval for at, when in enumerate(policy.whens) if at not in chosen and when.is_by_interval}
    return [interval for interval in policy.intervals if interval not in elsewhere]


def _free_roles(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
    for role in rules.seats.free:
        if role not in policy.roles:
            named = ", ".join(policy.roles) or "none"
            yield Problem((*path, "seats", "free"), f"seats.free: {role} is not one of roles ({named})")
    if (
        policy.roles
        and rules.seats.count == "active"
        and not rules.seats.minimum
        and all(role in rules.seats.free or not one.billed for role, one in policy.roles.items())
        and rules.seats.free
    ):
        yield Problem((*path, "seats", "free"), "seats.free leaves nobody to be billed; leave a role out of it")


def _measured(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
    if (
        rules.period.measured
        and not any(one in DAYS for one in policy.intervals)
        and all(MONTHS[rules.period.measured] >= MONTHS[interval] for interval in policy.intervals)
    ):
        sentence = f'period.measured = "{rules.period.measured}" is not shorter than any of intervals'
        yield Problem((*path, "period", "measured"), sentence)
    if rules.period.measured and rules.period.charge == "advance" and rules.fall.give == "nothing":
        sentence = (
            "period.measured has a fall take effect with the next of them, and billed in advance that is a credit; "
            'with fall.give = "nothing" leave it out, or bill in arrears'
        )
        yield Problem((*path, "period", "measured"), sentence)


def _identity(policy: Policy) -> Iterator[Problem]:
    if not re.fullmatch(r"[A-Z]{3}", policy.currency):
        yield Problem(("currency",), f'currency is a code of three capitals like EUR, not "{policy.currency}"')
    if not is_time_zone(policy.time_zone):
        yield Problem(("time_zone",), f'time_zone is a name like Europe/Oslo, not "{policy.time_zone}"')
    if len(set(policy.intervals)) < len(policy.intervals):
        yield Problem(("intervals",), "intervals names an interval twice")
    elif len(policy.intervals) > 1 and (of_days := [one for one in policy.intervals if one in DAYS]):
        sentence = f"{of_days[0]} stands alone, since its periods are days and not months; leave the others out"
        yield Problem(("intervals",), f"intervals: {sentence}")
    free = policy.roles and not any(role.billed for role in policy.roles.values())
    if free and all(rules.seats.count == "active" and not rules.seats.minimum for rules in policy.variants.values()):
        yield Problem(("roles",), "roles leaves nobody to be billed; let a role have billed = true, or set a minimum")


def _ways_to_pay(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    methods = policy.payment_methods
    if not methods and "payment_methods" in document:
        yield Problem(("payment_methods",), "payment_methods names none; leave it out")
    for problem in of_names("payment_methods", methods):
        yield Problem(("payment_methods",), problem.sentence)
    for method in sorted({method for method in methods if methods.count(method) > 1}):
        yield Problem(("payment_methods",), f"payment_methods names {method} twice")


def _add_ons_of(policy: Policy, chosen: Iterable[int]) -> set[str]:
    """The add-ons that the rules are for alone."""
    return {item for item in (policy.whens[at].item for at in chosen) if item not in (None, SEATS, OVERAGE)}


def _is_of_orders(policy: Policy, rules: Rules, chosen: Iterable[int]) -> bool:
    """Whether what falls is only what is ordered, since what is used beyond it has rules of its own."""
    of_beyond = any(policy.whens[at].item == OVERAGE for at in chosen)
    return rules.seats.count == "larger" and OVERAGE in policy.apart and not of_beyond


def _nothing_waits(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Effects put off or drawn forward where all that can change is one number for the whole period."""
    all_rules = policy.variants.values()
    if len(policy.plans) > 1 or policy.add_ons:
        return
    if any(rules.seats.measure not in ONE_NUMBER or rules.seats.count == "larger" for rules in all_rules):
        return
    found: dict[Problem, None] = {}
    for chosen, rules in policy.variants.items():
        for table, effect in (("rise", rules.rise.takes_effect), ("fall", rules.fall.takes_effect)):
            if effect != "day":
                sentence = (
                    f'{table}.takes_effect has nothing to move: with seats.measure = "{rules.seats.measure}" one '
                    "number holds for the whole period, and there is no second plan and no add-on; leave it out"
                )
                found[Problem(where_written(document, chosen, table, "takes_effect"), sentence)] = None
    yield from found


def _nothing_to_change(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Choices about a change of what there is but one of."""
    one = {"interval": len(policy.intervals) == 1}
    one |= dict.fromkeys(("dearer_plan", "cheaper_plan"), len(policy.plans) == 1)
    for path, table in tables(document):
        for key in (key for key in table.get("change", {}) if one.get(key)):
            what = "interval" if key == "interval" else "plan"
            yield Problem((*path, "change", key), f"change.{key} would have no effect; there is but one {what}")


def _no_credits(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """What becomes of credits, where none is ever left."""
    of_invoice = (chosen for chosen in policy.variants if all(policy.whens[at].of_item is None for at in chosen))
    if any(policy.variants[chosen].fall.give != "refund" for chosen in of_invoice):
        return
    for path, table in tables(document):
        for key in table.get("credits", {}):
            sentence = 'would have no effect; with fall.give = "refund" no credit is ever left'
            yield Problem((*path, "credits", key), f"credits.{key} {sentence}")


_Used = Callable[[Rules], bool]

# Keys that mean something only beside another: the table and key, when it has an effect, and what it needs.
_NEEDS: tuple[tuple[str, str, _Used, str], ...] = (
    ("seats", "below_active", lambda rules: rules.seats.count == "bought", 'seats.count = "bought"'),
    ("seats", "counts_from", lambda rules: rules.seats.count != "bought", 'seats.count = "active" or "larger"'),
    ("seats", "free", lambda rules: rules.seats.count != "bought", 'seats.count = "active" or "larger"'),
    ("period", "stub", lambda rules: rules.period.anchor == "calendar", 'period.anchor = "calendar"'),
    ("period", "term_months", lambda rules: "next_term" in (rules.fall.effect, f"next_{rules.cancel.ends}")
     or rules.prices.in_force == "term", 'fall.takes_effect = "next_term", cancel.ends or prices.in_force = "term"'),
    ("seats", "suspended", lambda rules: rules.seats.count != "bought", 'seats.count = "active" or "larger"'),
    ("seats", "free_days", lambda rules: rules.seats.count != "bought", 'seats.count = "active" or "larger"'),
    ("seats", "idle_days", lambda rules: rules.seats.counts_from == "activity", 'seats.counts_from = "activity"'),
    ("seats", "on_day", lambda rules: rules.seats.measure == "snapshot", 'seats.measure = "snapshot"'),
    ("seats", "least_days", lambda rules: rules.seats.measure == "distinct", 'seats.measure = "distinct"'),
    ("seats", "of", lambda rules: rules.seats.measure in ONE_NUMBER,
     f"a measure that is one number: {', '.join(ONE_NUMBER)}"),
    ("share", "started", lambda rules: rules.share.by in WHOLE, 'share.by = "months", "quarters" or "period"'),
    ("rise", "settle", lambda rules: rules.period.charge == "advance",
     'period.charge = "advance": in arrears a rise is on its period\'s bill anyway'),
    *(("rise", key, lambda rules: rules.rise.settle != "next_invoice" and rules.period.charge == "advance",
       'rise.settle = "month", "quarter" or "now": at the next invoice all is settled')
      for key in ("least_seats", "least_amount")),
    ("fall", "takes_effect", lambda rules: rules.fall.give != "nothing",
     'fall.give = "credit" or "refund": where nothing is given, it takes effect with the next period'),
    ("fall", "window_days", lambda rules: rules.fall.give != "nothing" and rules.fall.effect.startswith("ne"),
     'a fall.takes_effect that lets falls wait, such as "next_period" or "next_term", and fall.give = "credit" or '
     '"refund"'),
    ("fall", "notice_days", lambda rules: rules.fall.effect != "never",
     'falls that take effect, and fall.takes_effect = "never" lets none'),
    ("cancel", "ends", lambda rules: rules.cancel.ends != "day" or rules.fall.give != "nothing",
     'fall.give = "credit" or "refund": where nothing is given, an agreement ends with the period'),
    ("fall", "settle", lambda rules: rules.period.charge == "advance",
     'period.charge = "advance": in arrears a fall is on its period\'s bill anyway'),
)  # fmt: skip


def _without_effect(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys written down that no period would ever heed."""
    by_role = {("when", at) for at, when in enumerate(policy.whens) if when.role is not None}
    for table, key, used, needs in _NEEDS:
        is_used = any(used(rules) for rules in policy.variants.values())
        for path, written in tables(document):
            if key not in written.get(table, {}):
                continue
            if path in by_role:
                is_heeded = any(used(rules) for chosen, rules in policy.variants.items() if path[1] in chosen)
            else:
                is_heeded = is_used
            if not is_heeded:
                yield Problem((*path, table, key), f"{table}.{key} would have no effect; it needs {needs}")
