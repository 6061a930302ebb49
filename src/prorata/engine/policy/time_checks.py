"""What a policy may not say of time: intervals of days, how exactly it is counted, terms, and what begins a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prorata.engine.calendar import DAYS, MONTHS, Interval
from prorata.engine.policy.model import Policy, Rules
from prorata.engine.policy.problems import Path, Problem, tables, where_written

# What has no meaning where periods are counted in days: the table and key, and the way out.
_OF_MONTHS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("period", "anchor", ("calendar",), 'its periods are counted from the start: leave it out, or have months'),
    ("share", "by", ("days_of_month", "days_of_365", "months", "quarters"),
     'allowed with it: days_of_period, period'),
    ("rise", "takes_effect", ("month", "next_month", "quarter", "next_quarter"),
     'allowed with it: day, period, next_period'),
    ("rise", "settle", ("own_month", "own_quarter"), 'allowed with it: next_invoice, month, quarter, now'),
    ("fall", "takes_effect", ("month", "next_month", "quarter", "next_quarter"),
     'allowed with it: day, period, next_period, never'),
)  # fmt: skip


def of_days(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
    """Rules about months where the interval is one of days."""
    interval = next((one for one in policy.intervals if one in DAYS), None)
    if interval is None:
        return
    for table, key, months, way_out in _OF_MONTHS:
        value = getattr(getattr(rules, table), key)
        if value in months:
            sentence = f'{table}.{key} = "{value}" is about months, and the interval is {interval}; {way_out}'
            yield Problem((*path, table, key), sentence)
    if rules.period.measured:
        sentence = f"period.measured divides months, and the interval is {interval}; leave it out"
        yield Problem((*path, "period", "measured"), sentence)
    if rules.period.term_months:
        sentence = f"period.term_months counts months, and the interval is {interval}; leave it out, or have months"
        yield Problem((*path, "period", "term_months"), sentence)


def of_precision(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
    if policy.precision == "day":
        return
    said = f'precision = "{policy.precision}"'
    if rules.seats.change_day != "billed":
        yield Problem(
            (*path, "seats", "change_day"), f"seats.change_day would have no effect with {said}; leave it out"
        )
    if rules.share.by == "days_of_month":
        yield Problem((*path, "share", "by"), f'share.by = "days_of_month" needs whole days; with {said} '
                      'write "days_of_period"')  # fmt: skip
    if rules.share.started == "by_30" and rules.share.by == "months":
        yield Problem((*path, "share", "started"), f'share.started = "by_30" needs whole days; with {said} '
                      'write "by_days"')  # fmt: skip


def of_term(rules: Rules, intervals: Iterable[Interval], path: Path) -> Iterator[Problem]:
    """Terms that are no whole number of the intervals the rules are for, and rules of terms without any."""
    term, fall = rules.period.term_months, rules.fall
    if not term:
        uses = (
            (("fall", "takes_effect"), fall.effect, "next_term"),
            (("cancel", "ends"), rules.cancel.ends, "term"),
            (("prices", "in_force"), rules.prices.in_force, "term"),
        )
        for (table, key), value, word in uses:
            if value == word:
                yield Problem((*path, table, key), f'{table}.{key} = "{word}" needs period.term_months, such as 12')
        return
    at = (*path, "period", "term_months")
    for interval in intervals:
        if term % MONTHS[interval]:
            yield Problem(at, f"period.term_months = {term} is not a number of whole intervals; one is a {interval}")
    if rules.period.anchor == "calendar" and 12 % term:
        yield Problem(at, f"period.term_months is 1, 2, 3, 4, 6 or 12 with calendar periods, not {term}")


def of_settlement(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Rises that are settled within the invoice, where it is no longer than that."""
    for path, table in tables(document):
        settle = table.get("rise", {}).get("settle")
        months = {"own_month": 1, "own_quarter": 3}.get(settle)
        named = table.get("interval") if path else None
        intervals = [named] if named else policy.intervals
        if months and all(one not in DAYS and MONTHS[one] <= months for one in intervals):
            sentence = f'rise.settle = "{settle}" would have no effect; no invoice is longer than that: leave it out'
            yield Problem((*path, "rise", "settle"), sentence)


def of_change(policy: Policy, rules: Rules, chosen: tuple[int, ...], document: Mapping[str, Any]) -> Iterator[Problem]:
    """What no change can begin a new period beside."""
    for key in rules.change.restarting:
        at, said = where_written(document, chosen, "change", key), f'change.{key} = "restart"'
        if policy.precision != "day":
            yield Problem(at, f'{said} begins a period with a day; it needs precision = "day"')
        if rules.period.anchor == "calendar":
            sentence = 'begins a period on any day; it needs period.anchor = "start", not "calendar"'
            yield Problem(at, f"{said} {sentence}")
        if rules.period.measured is not None:
            yield Problem(at, f"{said} ends an invoice on any day, and period.measured divides it up; leave one out")
        if rules.fall.give == "nothing":
            sentence = (
                'credits the unused rest; it needs fall.give = "credit" or "refund", not "nothing" '
                '(fall.takes_effect = "next_period" keeps seats paid, too)'
            )
            yield Problem(at, f"{said} {sentence}")
    if rules.change.more_seats == "restart" and (rules.seats.measure, rules.rise.takes_effect) != ("level", "day"):
        at = where_written(document, chosen, "change", "more_seats")
        needs = 'it needs seats.measure = "level" and rise.takes_effect = "day"'
        yield Problem(at, f'change.more_seats = "restart" begins a period on the day of the rise; {needs}')
