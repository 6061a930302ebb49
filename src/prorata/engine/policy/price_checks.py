"""What a policy may not say of its plans, its add-ons and their prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from prorata.engine.calendar import Interval, add_months, to_date, to_day
from prorata.engine.policy.model import Policy, is_taken
from prorata.engine.policy.problems import Path, Problem
from prorata.engine.policy.tariff import Plan, PriceRow
from prorata.engine.words import listed


def of_prices(policy: Policy) -> Iterator[Problem]:
    sold = [("plans", name, plan.prices) for name, plan in policy.plans.items()]
    sold += [("add_ons", name, add_on.prices) for name, add_on in policy.add_ons.items()]
    for table, names in (("plans", policy.plans), ("add_ons", policy.add_ons), ("roles", policy.roles)):
        yield from of_names(table, names)
    for name in (name for name in policy.roles if ">" in name):
        yield Problem(("roles", name), f"roles.{name}: a role's name has no >, which its lines are told apart by")
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


def unpriced(policy: Policy) -> Iterator[str]:
    """What accounts can only be billed for at a price that is agreed with them, as sentences."""
    roles = billed_roles(policy) or [""]
    for name, plan in policy.plans.items():
        missing = {
            interval: tuple(role for role in roles if not is_priced(plan, role, interval))
            for interval in policy.intervals
        }
        without = [interval for interval in missing if len(missing[interval]) == len(roles)]
        if without:
            yield f"plan {name} has no price for interval {listed(without, 'or')}"
        some = {interval: missing[interval] for interval in missing if interval not in without}
        for others in {of_roles: None for of_roles in some.values() if of_roles}:
            intervals = [interval for interval in some if some[interval] == others]
            billed = "" if len(intervals) == len(some) else f" billed by {listed(intervals, 'or')}"
            yield f"plan {name} has no price for {listed(others, 'or')} seats{billed}"


def billed_roles(policy: Policy) -> list[str]:
    """The roles whose members take a seat somewhere."""
    free = [role for role in policy.roles if all(role in rules.seats.free for rules in policy.variants.values())]
    return [role for role, one in policy.roles.items() if one.billed and role not in free]


def is_priced(plan: Plan, role: str, interval: Interval, *, alone: bool = False) -> bool:
    """Whether a plan has a price for a role's seats in an interval; `alone`: for them and no others."""
    roles = (role,) if alone else (None, role)
    return any(row.interval in (None, interval) and row.role in roles for row in plan.prices)


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


def of_names(table: str, names: Iterable[str]) -> Iterator[Problem]:
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
