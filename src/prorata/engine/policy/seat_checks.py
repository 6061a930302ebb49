"""What a policy may not say of its seats: how they are measured, and how many of them are billed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from prorata.engine.calendar import DAYS, MONTHS
from prorata.engine.policy.model import ONE_NUMBER, FallRules, Policy, Rules, SeatRules
from prorata.engine.policy.problems import Path, Problem, tables, where_written


def of_seats(seats: SeatRules, fall: FallRules, path: Path) -> Iterator[Problem]:
    if fall.effect in ("next_term", "never") and seats.measure != "level":
        yield Problem(
            (*path, "seats", "measure"),
            f'fall.takes_effect = "{fall.effect}" keeps what was counted day by day; it needs seats.measure = "level"'
            + (', or rules of the overage alone ([[when]] item = "overage")' if seats.count == "larger" else ""),
        )
    if seats.measure in ("distinct", "held") and seats.count == "bought":
        yield Problem(
            (*path, "seats", "measure"),
            f'seats.measure = "{seats.measure}" counts people; it needs seats.count = "active" or "larger"',
        )
    sizes = seats.packages
    if sizes and (0 in sizes or any(one >= other for one, other in pairwise(sizes))):
        yield Problem(
            (*path, "seats", "packages"), "seats.packages are numbers above 0, each larger than the one before"
        )
    if seats.maximum and seats.maximum < (least := _least(seats)):
        comes_to = "" if least == seats.minimum else f", which comes to {least} with seats.packages and seats.included"
        yield Problem(
            (*path, "seats", "maximum"),
            f"seats.maximum = {seats.maximum} is below seats.minimum = {seats.minimum}{comes_to}",
        )
    if seats.counts_from == "activity" and not seats.idle_days:
        yield Problem((*path, "seats", "idle_days"), "seats.idle_days is 1 or more; 1 counts the days with an activity")


def of_estimate(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
    """A number that is billed before it is known, where nothing is given for what turns out lower."""
    seats = rules.seats
    known_on = {"snapshot": seats.on_day, "distinct": seats.least_days}  # 1: with its period's first day
    is_known = seats.measure == "peak" or (known_on.get(seats.measure) == 1 and policy.precision == "day")
    if (
        seats.measure in ONE_NUMBER
        and not is_known
        and seats.of == "this_period"
        and rules.period.charge == "advance"
        and rules.fall.give == "nothing"
    ):
        yield Problem(
            (*path, "seats", "measure"),
            f'seats.measure = "{seats.measure}" billed in advance is an estimate, and where it turns out lower that is '
            'a credit; with fall.give = "nothing" bill in arrears, or write seats.of = "period_before"',
        )


def _least(seats: SeatRules) -> int:
    """How many seats the minimum comes to: in whole packages, less those included, as they are billed later on."""
    count, sizes = seats.minimum, seats.packages
    if count and sizes and 0 not in sizes:
        last = sizes[-1]
        step = max(last - (0, *sizes)[-2], 1)
        count = next((size for size in sizes if size >= count), last + -(-(count - last) // step) * step)
    return max(count - seats.included, 0)


def nobody_free(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Lists of free roles that are empty; in a difference that takes back what is free elsewhere."""
    written = [(path, table["seats"]["free"]) for path, table in tables(document) if "free" in table.get("seats", {})]
    for path, roles in written:
        if not roles and (not path or not any(others for _, others in written)):
            yield Problem((*path, "seats", "free"), "seats.free names no role; name one, or leave it out")


_MOST_DAYS = {1: 31, 3: 92, 6: 184, 12: 366}


def days_beyond(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Days of a period that no period has."""
    found: dict[Problem, None] = {}
    for chosen, rules in policy.variants.items():
        most = max(_lengths(policy, chosen, rules), default=max(_MOST_DAYS.values()))
        seats = rules.seats
        if seats.measure == "snapshot" and seats.on_day > most:
            sentence = f"seats.on_day = {seats.on_day} is after every period, of {most} days at most; 0 is the last day"
            found[Problem(where_written(document, chosen, "seats", "on_day"), sentence)] = None
        if seats.measure == "distinct" and seats.least_days > most:
            sentence = f"seats.least_days = {seats.least_days} is more than a period's {most} days; 0 is all of them"
            found[Problem(where_written(document, chosen, "seats", "least_days"), sentence)] = None
    yield from found


def _lengths(policy: Policy, chosen: tuple[int, ...], rules: Rules) -> Iterator[int]:
    """How many days the periods last at most that are measured by rules."""
    asked = {policy.whens[at].interval for at in chosen} - {None}
    for interval in policy.intervals:
        if not asked or interval in asked:
            months = min(MONTHS[rules.period.measured or interval], MONTHS[interval])
            yield DAYS.get(interval) or _MOST_DAYS[months]


def never_billed(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Minimums that included seats swallow, and packages that a maximum leaves no room for."""
    least = [(chosen, rules.seats) for chosen, rules in policy.variants.items() if rules.seats.minimum]
    if least and not any(_least(seats) for _, seats in least):
        chosen, seats = least[0]
        sentence = (
            f"seats.minimum = {seats.minimum} would have no effect, since seats.included = {seats.included} are taken "
            "off it; set it above them, or leave it out"
        )
        yield Problem(where_written(document, chosen, "seats", "minimum"), sentence)
    found: dict[Problem, None] = {}
    for chosen, rules in policy.variants.items():
        seats = rules.seats
        for size, before in zip(seats.packages, (0, *seats.packages), strict=False):
            room = seats.maximum + seats.included
            if seats.maximum and (before >= room or (before == 0 and size > room)):
                sentence = (
                    f"seats.packages: {size} would never be billed; seats.maximum = {seats.maximum} is reached before. "
                    "Leave it out, or raise the maximum"
                )
                found[Problem(where_written(document, chosen, "seats", "packages"), sentence)] = None
    yield from found
