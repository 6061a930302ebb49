"""What a policy may not say: choices that contradict each other, and keys that would never have an effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from prorata.engine.calendar import DAYS, MONTHS, Interval, add_months, to_date, to_day
from prorata.engine.policy.differences import differences
from prorata.engine.policy.model import ONE_NUMBER, WHOLE, FallRules, Policy, Rules, SeatRules, is_taken
from prorata.engine.policy.problems import Path, Problem
from prorata.engine.policy.tariff import PriceRow


def contradictions(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every reason why the policy as a whole cannot be meant, with the way out."""
    yield from _identity(policy)
    yield from _prices(policy)
    yield from _ways_to_pay(policy, document)
    yield from differences(policy, document)
    yield from _without_effect(policy, document)
    yield from _nobody_free(document)
    yield from _beyond(policy, document)
    yield from _nothing_waits(policy, document)
    yield from _never_billed(policy, document)
    yield from _nothing_to_change(policy, document)
    yield from _no_credits(policy, document)
    waits = {rules.seats.idle_days for rules in policy.variants.values() if rules.seats.counts_from == "activity"}
    told = [at for at, when in enumerate(document.get("when", ())) if "idle_days" in when.get("seats", {})]
    if len(waits) > 1:
        path: Path = ("when", told[-1], "seats", "idle_days")
        yield Problem(path, "seats.idle_days is the same in every when; people are idle once")
    for chosen, rules in policy.variants.items():
        path = ("when", chosen[-1]) if chosen else ()
        if not _add_ons_of(policy, chosen):
            yield from _seats(rules.seats, rules.fall, path)
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
        if rules.share.started == "by_30" and rules.share.by in ("quarters", "period"):
            yield Problem((*path, "share", "started"), 'share.started = "by_30" counts a month as 30 days; it needs '
                          'share.by = "months"')  # fmt: skip
        yield from _of_days(policy, rules, path)
        yield from _term(policy, rules, path)
        yield from _change(policy, rules, chosen, document)
        yield from _precision(policy, rules, path)
        of_item = any(policy.whens[at].item is not None for at in chosen)
        if rules.fall.give == "nothing" and rules.fall.settle == "now" and not of_item:
            yield Problem(
                (*path, "fall", "settle"),
                'fall.settle = "now" has nothing to settle with fall.give = "nothing"; leave one of them out',
            )


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


def _of_days(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
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


def _precision(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
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


def _term(policy: Policy, rules: Rules, path: Path) -> Iterator[Problem]:
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
    for interval in policy.intervals:
        if term % MONTHS[interval]:
            yield Problem(at, f"period.term_months = {term} is not a number of whole intervals; one is a {interval}")
    if rules.period.anchor == "calendar" and 12 % term:
        yield Problem(at, f"period.term_months is 1, 2, 3, 4, 6 or 12 with calendar periods, not {term}")


def _change(policy: Policy, rules: Rules, chosen: tuple[int, ...], document: Mapping[str, Any]) -> Iterator[Problem]:
    """What no change can begin a new period beside."""
    for key in rules.change.restarting:
        at, said = _written(document, chosen, "change", key), f'change.{key} = "restart"'
        if policy.precision != "day":
            yield Problem(at, f'{said} begins a period with a day; it needs precision = "day"')
        if rules.period.anchor == "calendar":
            sentence = 'begins a period on any day; it needs period.anchor = "start", not "calendar"'
            yield Problem(at, f"{said} {sentence}")
        if rules.period.measured is not None:
            yield Problem(at, f"{said} ends an invoice on any day, and period.measured divides it up; leave one out")
        if rules.fall.give == "nothing":
            yield Problem(
                at, f'{said} credits the unused rest; it needs fall.give = "credit" or "refund", not "nothing"'
            )
    if rules.change.more_seats == "restart" and (rules.seats.measure, rules.rise.takes_effect) != ("level", "day"):
        at = _written(document, chosen, "change", "more_seats")
        needs = 'it needs seats.measure = "level" and rise.takes_effect = "day"'
        yield Problem(at, f'change.more_seats = "restart" begins a period on the day of the rise; {needs}')


def _identity(policy: Policy) -> Iterator[Problem]:
    if not re.fullmatch(r"[A-Z]{3}", policy.currency):
        yield Problem(("currency",), f'currency is a code of three capitals like EUR, not "{policy.currency}"')
    try:
        ZoneInfo(policy.time_zone)
    except (KeyError, ValueError, OSError):
        yield Problem(("time_zone",), f'time_zone is a name like Europe/Oslo, not "{policy.time_zone}"')
    if len(set(policy.intervals)) < len(policy.intervals):
        yield Problem(("intervals",), "intervals names an interval twice")
    elif len(policy.intervals) > 1 and (of_days := [one for one in policy.intervals if one in DAYS]):
        sentence = f"{of_days[0]} stands alone, since its periods are days and not months; leave the others out"
        yield Problem(("intervals",), f"intervals: {sentence}")
    free = policy.roles and not any(role.billed for role in policy.roles.values())
    if free and all(rules.seats.count == "active" and not rules.seats.minimum for rules in policy.variants.values()):
        yield Problem(("roles",), "roles leaves nobody to be billed; let a role have billed = true, or set a minimum")


def _prices(policy: Policy) -> Iterator[Problem]:
    sold = [("plans", name, plan.prices) for name, plan in policy.plans.items()]
    sold += [("add_ons", name, add_on.prices) for name, add_on in policy.add_ons.items()]
    for table, names in (("plans", policy.plans), ("add_ons", policy.add_ons), ("roles", policy.roles)):
        yield from _names(table, names)
    for name in filter(is_taken, policy.add_ons):
        whose = "the base price's" if name == "base" else "the seats' own"
        yield Problem(("add_ons", name), f"add_ons.{name}: the name is {whose}; call the add-on something else")
    for name, plan in policy.plans.items():
        if plan.tiers == "graduated" and not any(row.above for row in plan.prices):
            yield Problem(
                ("plans", name, "tiers"), f"plans.{name}.tiers would have no effect; it needs prices above some number"
            )
    for table, name, prices in sold:
        in_use = {at for interval in policy.intervals for at in _used(prices, interval)}
        for at, row in enumerate(prices):
            path: Path = (table, name, "prices", at)
            if at not in in_use and row.interval in (None, *policy.intervals):
                yield Problem(
                    path,
                    f"{table}.{name}.prices: row {at + 1} would never apply; the last row that matches does, "
                    "so write the general before the special and the earlier before the later",
                )
            yield from _once(policy, table, name, row, path)
            yield from _of_add_on(name, row, path) if table == "add_ons" else _of_plan(policy, name, row, path)
            if row.interval is not None and row.interval not in policy.intervals:
                yield Problem(path, f"{table}.{name}.prices: {row.interval} is not one of intervals")
            yield from _notice(policy, row, path)


def _ways_to_pay(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    methods = policy.payment_methods
    if not methods and "payment_methods" in document:
        yield Problem(("payment_methods",), "payment_methods names none; leave it out")
    for problem in _names("payment_methods", methods):
        yield Problem(("payment_methods",), problem.sentence)
    for method in sorted({method for method in methods if methods.count(method) > 1}):
        yield Problem(("payment_methods",), f"payment_methods names {method} twice")


def _once(policy: Policy, table: str, name: str, row: PriceRow, path: Path) -> Iterator[Problem]:
    """Prices that recur where the add-on does not, and the other way round."""
    if table == "add_ons" and policy.add_ons[name].charge == "once":
        if row.price.months:
            sentence = 'charge = "once" needs a price that is paid once, such as "49.00 once"'
            yield Problem((*path, "price"), f"add_ons.{name}.prices: {sentence}")
        return
    way_out = 'give the add-on charge = "once"' if table == "add_ons" else "only an add-on can be paid once"
    for key, price in (("price", row.price), ("base", row.base), ("overage", row.overage)):
        if price is not None and not price.months:
            sentence = f"{table}.{name}.prices: {key} is paid again in every period; {way_out}"
            yield Problem((*path, key), sentence)


def _of_add_on(name: str, row: PriceRow, path: Path) -> Iterator[Problem]:
    if row.base is not None:
        yield Problem((*path, "base"), f"add_ons.{name}.prices: an add-on has no seats, and so no base beside them")
    told = {"role": row.role, "above": row.above, "overage": row.overage}
    for key in (key for key, value in told.items() if value):
        yield Problem((*path, key), f"add_ons.{name}.prices: {key} is about seats; an add-on has one price for all")


def _of_plan(policy: Policy, name: str, row: PriceRow, path: Path) -> Iterator[Problem]:
    if row.role is not None:
        role = policy.roles.get(row.role)
        if role is None:
            named = ", ".join(policy.roles) or "none"
            yield Problem((*path, "role"), f"plans.{name}.prices: {row.role} is not one of roles ({named})")
        elif not role.billed:
            yield Problem(
                (*path, "role"),
                f"plans.{name}.prices: members with the role {row.role} are not billed (roles.{row.role})",
            )
    of_role = f" of the role {row.role}; write one that is not above any" if row.role else ""
    if row.above and (row.role, 0) not in {(one.role, one.above) for one in policy.plans[name].prices}:
        yield Problem(
            (*path, "above"), f"plans.{name}.prices: there is no price for the first {row.above} seats{of_role}"
        )
    if row.above and row.overage is not None:
        yield Problem((*path, "overage"), f"plans.{name}.prices: overage belongs to the price of the first seats")
    if row.role is not None and row.base is not None:
        yield Problem((*path, "base"), f"plans.{name}.prices: base is of the plan; write it with a price without role")
    if row.overage is not None and all(rules.seats.count != "larger" for rules in policy.variants.values()):
        yield Problem(
            (*path, "overage"), f'plans.{name}.prices: overage would have no effect; it needs seats.count = "larger"'
        )


def _used(prices: tuple[PriceRow, ...], interval: Interval) -> Iterator[int]:
    """The rows that apply to some period of the interval."""
    for day in {date.min, *(row.from_ for row in prices if row.from_ is not None)}:
        matching = [at for at, row in enumerate(prices) if row.covers(interval, day)]
        yield from {prices[at].seats: at for at in matching}.values()


def _names(table: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names are written in event files, where spaces around them are not seen and plans may be in other capitals."""
    met: dict[str, str] = {}
    for name in names:
        if not name.strip() or name != name.strip() or not name.isprintable():
            yield Problem((table, name), f"{table}.{name!r}: a name has signs on one line, and no space around them")
        alike = met.setdefault(name.lower(), name)
        if alike != name:
            yield Problem((table, name), f"{table}.{name} and {table}.{alike} differ in capitals only; rename one")


def _notice(policy: Policy, row: PriceRow, path: Path) -> Iterator[Problem]:
    if row.from_ is None:
        if row.announced is not None:
            yield Problem((*path, "announced"), "announced would have no effect; it needs from")
        return
    for interval in policy.intervals:
        months = policy.rules(interval, to_day(row.from_)).prices.notice_months
        if not months or row.interval not in (None, interval):
            continue
        if months > _MOST_MONTHS:
            yield Problem(("prices", "notice_months"), f"prices.notice_months is at most {_MOST_MONTHS}, not {months}")
        elif row.announced is None:
            yield Problem(
                path, f"a price from {row.from_} needs announced: prices.notice_months = {months} asks for a notice"
            )
        elif row.announced > (latest := to_date(add_months(to_day(row.from_), -months))):
            yield Problem(
                path,
                f"a price from {row.from_} must be announced by {latest}, {months} months ahead "
                f"(prices.notice_months); it was announced on {row.announced}",
            )
        return


_MOST_MONTHS = 120


def _add_ons_of(policy: Policy, chosen: Iterable[int]) -> set[str]:
    """The add-ons that the rules are for alone."""
    return {item for item in (policy.whens[at].item for at in chosen) if item not in (None, "seats")}


def _seats(seats: SeatRules, fall: FallRules, path: Path) -> Iterator[Problem]:
    if fall.effect in ("next_term", "never") and seats.measure != "level":
        yield Problem(
            (*path, "seats", "measure"),
            f'fall.takes_effect = "{fall.effect}" keeps what was counted day by day; it needs seats.measure = "level"',
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


def _least(seats: SeatRules) -> int:
    """How many seats the minimum comes to: in whole packages, less those included, as they are billed later on."""
    count, sizes = seats.minimum, seats.packages
    if count and sizes and 0 not in sizes:
        last = sizes[-1]
        step = max(last - (0, *sizes)[-2], 1)
        count = next((size for size in sizes if size >= count), last + -(-(count - last) // step) * step)
    return max(count - seats.included, 0)


def _nobody_free(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Lists of free roles that are empty; in a difference that takes back what is free elsewhere."""
    tables = [((), document), *((("when", at), table) for at, table in enumerate(document.get("when", ())))]
    written = [(path, table["seats"]["free"]) for path, table in tables if "free" in table.get("seats", {})]
    for path, roles in written:
        if not roles and (not path or not any(others for _, others in written)):
            yield Problem((*path, "seats", "free"), "seats.free names no role; name one, or leave it out")


_MOST_DAYS = {1: 31, 3: 92, 6: 184, 12: 366}


def _beyond(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Days of a period that no period has."""
    found: dict[Problem, None] = {}
    for chosen, rules in policy.variants.items():
        most = max(_lengths(policy, chosen, rules), default=max(_MOST_DAYS.values()))
        seats = rules.seats
        if seats.measure == "snapshot" and seats.on_day > most:
            sentence = f"seats.on_day = {seats.on_day} is after every period, of {most} days at most; 0 is the last day"
            found[Problem(_written(document, chosen, "seats", "on_day"), sentence)] = None
        if seats.measure == "distinct" and seats.least_days > most:
            sentence = f"seats.least_days = {seats.least_days} is more than a period's {most} days; 0 is all of them"
            found[Problem(_written(document, chosen, "seats", "least_days"), sentence)] = None
    yield from found


def _lengths(policy: Policy, chosen: tuple[int, ...], rules: Rules) -> Iterator[int]:
    """How many days the periods last at most that are measured by rules."""
    asked = {policy.whens[at].interval for at in chosen} - {None}
    for interval in policy.intervals:
        if not asked or interval in asked:
            months = min(MONTHS[rules.period.measured or interval], MONTHS[interval])
            yield DAYS.get(interval) or _MOST_DAYS[months]


def _written(document: Mapping[str, Any], chosen: tuple[int, ...], table: str, key: str) -> Path:
    """Where the value of a key stands that holds for some of the differences."""
    places = [at for at in chosen if key in document["when"][at].get(table, {})]
    return ("when", places[-1], table, key) if places else (table, key)


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
                found[Problem(_written(document, chosen, table, "takes_effect"), sentence)] = None
    yield from found


def _nothing_to_change(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Choices about a change of what there is but one of."""
    one = {"interval": len(policy.intervals) == 1}
    one |= dict.fromkeys(("dearer_plan", "cheaper_plan"), len(policy.plans) == 1)
    tables = [((), document), *((("when", at), table) for at, table in enumerate(document.get("when", ())))]
    for path, table in tables:
        for key in (key for key in table.get("change", {}) if one.get(key)):
            what = "interval" if key == "interval" else "plan"
            yield Problem((*path, "change", key), f"change.{key} would have no effect; there is but one {what}")


def _no_credits(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """What becomes of credits, where none is ever left."""
    of_invoice = (chosen for chosen in policy.variants if all(policy.whens[at].item is None for at in chosen))
    if any(policy.variants[chosen].fall.give != "refund" for chosen in of_invoice):
        return
    tables = [((), document), *((("when", at), table) for at, table in enumerate(document.get("when", ())))]
    for path, table in tables:
        for key in table.get("credits", {}):
            sentence = 'would have no effect; with fall.give = "refund" no credit is ever left'
            yield Problem((*path, "credits", key), f"credits.{key} {sentence}")


def _never_billed(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Minimums that included seats swallow, and packages that a maximum leaves no room for."""
    least = [(chosen, rules.seats) for chosen, rules in policy.variants.items() if rules.seats.minimum]
    if least and not any(_least(seats) for _, seats in least):
        chosen, seats = least[0]
        sentence = (
            f"seats.minimum = {seats.minimum} would have no effect, since seats.included = {seats.included} are taken "
            "off it; set it above them, or leave it out"
        )
        yield Problem(_written(document, chosen, "seats", "minimum"), sentence)
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
                found[Problem(_written(document, chosen, "seats", "packages"), sentence)] = None
    yield from found


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
    ("fall", "settle", lambda rules: rules.period.charge == "advance",
     'period.charge = "advance": in arrears a fall is on its period\'s bill anyway'),
)  # fmt: skip


def _without_effect(policy: Policy, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys written down that no period would ever heed."""
    places: list[tuple[Path, Mapping[str, Any]]] = [((), document)]
    places += [(("when", at), table) for at, table in enumerate(document.get("when", ()))]
    for table, key, used, needs in _NEEDS:
        if any(used(rules) for rules in policy.variants.values()):
            continue
        for path, written in places:
            if key in written.get(table, {}):
                yield Problem((*path, table, key), f"{table}.{key} would have no effect; it needs {needs}")
