"""A whole policy told: its prices, and for each interval the rules by plan and way to pay, since when and before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from prorata.engine.calendar import YEARS, Day, Interval, speak_day, to_day
from prorata.engine.money import speak_percent
from prorata.engine.policy.model import Policy, Rules
from prorata.engine.policy.plain import add_ons, changes, roles, seats, terms
from prorata.engine.policy.plain.stories import Case
from prorata.engine.policy.plain.words import EVERY, Part, Sentence, speak_price
from prorata.engine.policy.price_checks import billed_roles, is_priced
from prorata.engine.policy.tariff import Plan, Price, PriceRow
from prorata.engine.words import listed, plural


def tell(policy: Policy, interval: Interval | None = None) -> tuple[Part, ...]:
    """The whole policy as a customer would want to read it, or what holds for one interval."""
    parts = [Part(policy.title, tuple(_prices(policy)))]
    for one in policy.intervals if interval is None else (interval,):
        parts += _billed(policy, one)
        for methods in _paying_otherwise(policy, one):
            parts += _paid_by(policy, one, methods)
    if policy.notes:
        parts.append(Part("Decided where the vendor's page is silent", tuple(Sentence(note) for note in policy.notes)))
    return tuple(parts)


def _prices(policy: Policy) -> Iterator[Sentence]:
    for name, plan in policy.plans.items():
        for row in sorted(plan.prices, key=lambda row: row.role is None):  # `other seats` are others than named
            said = f"{_costs(row, plan, policy)}{_where(row)}"
            if row.above:
                said += f", where there are more than {row.above}" if plan.tiers == "volume" else f" above {row.above}"
            if row.overage:
                said += f", and a seat beyond those ordered {speak_price(row.overage, policy)}"
            yield Sentence(f"{plan.title or name} costs {said}{_taxed(plan.tax_rate)}.")
    for name, add_on in policy.add_ons.items():
        per = " for each seat that is billed" if add_on.charge == "seat" else ""
        for row in add_on.prices:
            said = f"{speak_price(row.price, policy)}{per}{_where(row)}"
            said += ", when it is added" if add_on.charge == "once" else ""
            yield Sentence(f"{add_on.title or name} costs {said}{_taxed(add_on.tax_rate)}.")


def _costs(row: PriceRow, plan: Plan, policy: Policy) -> str:
    """What a plan costs beside its seats, if anything, and a seat of it."""
    seat = _seat(row, plan, policy)
    each = f"{speak_price(row.price, policy)} per {seat}"
    told = _base(row, plan)
    if told is None or not told.minor:
        return each
    base = speak_price(told, policy)
    if row.price.minor:
        return f"{base}, and {each}"
    ends = min((other.above for other in plan.prices if other.role == row.role and other.above > row.above), default=0)
    return f"{base}, {f'up to {ends} {plural(seat, ends)}' if ends else f'all {seat}s'} included"


def _base(row: PriceRow, plan: Plan) -> Price | None:
    """What stands beside the seats of a price: of a tier that names none what does beside those below it."""
    if row.base is not None or plan.tiers == "graduated" or not row.above:
        return row.base
    below = [other for other in plan.prices if other.above < row.above and _is_beside(other, row)]
    return max(below, key=lambda other: other.above).base if below else None


def _is_beside(other: PriceRow, row: PriceRow) -> bool:
    """Whether a price has a base, and is for the same periods and the same seats but for their number."""
    same = (other.role, other.interval, other.from_) == (row.role, row.interval, row.from_)
    return same and other.base is not None


def _seat(row: PriceRow, plan: Plan, policy: Policy) -> str:
    if row.role:
        return f"{row.role} seat"
    if all(other.role is None for other in plan.prices):
        return "seat"
    intervals = (row.interval,) if row.interval else policy.intervals
    apart = [role for role in policy.roles if all(is_priced(plan, role, one, alone=True) for one in intervals)]
    others = [role for role in billed_roles(policy) if role not in apart]
    return f"{listed(others, 'or') if others else 'other'} seat"


def _where(row: PriceRow) -> str:
    only = f" when billed {EVERY[row.interval]}" if row.interval else ""
    return only + (f" from {speak_day(to_day(row.from_))}" if row.from_ else "")


def _taxed(rate: Fraction | None) -> str:
    return "" if rate is None else f", with {speak_percent(rate)} tax"


def _paying_otherwise(policy: Policy, interval: Interval) -> Iterator[list[str]]:
    """The payment methods with other rules than the first has, those with the same together."""
    moments = _moments(policy, interval)
    alike: dict[tuple[tuple[Rules, ...], ...], list[str]] = {}
    for method in policy.payment_methods:
        told = tuple(_rules(policy, interval, at, name, method) for at in moments for name in policy.plans)
        alike.setdefault(told, []).append(method)
    return iter([*alike.values()][1:])


def _paid_by(policy: Policy, interval: Interval, methods: Sequence[str]) -> Iterator[Part]:
    """What is told otherwise for an interval where accounts pay by one of these."""
    for part, case in _parts(policy, interval, methods[0]):
        usual = Case(policy, interval, case.plans, at=case.at, year=case.start.year)
        said = set(_sentences(usual))
        texts = {sentence.text for sentence in said}
        other = tuple(sentence for sentence in part.sentences if sentence.text not in texts)
        other = other or tuple(sentence for sentence in part.sentences if sentence not in said)
        if other:
            who = f"Where an account pays by {listed(methods, 'or')}"
            yield Part(f"{who}: {part.title[0].lower()}{part.title[1:]}", other)


def _billed(policy: Policy, interval: Interval) -> Iterator[Part]:
    """What holds for an interval where accounts pay as by default."""
    return (part for part, _ in _parts(policy, interval, ""))


def _moments(policy: Policy, interval: Interval) -> list[Day]:
    """The last days before other rules may hold, and one on which all that is known of does."""
    latest = max([2025, *(day.year for day in _dates(policy))]) + 1
    return [*(to_day(border) - 1 for border in _borders(policy, interval)), to_day(date(latest, 1, 1))]


def _parts(policy: Policy, interval: Interval, method: str) -> Iterator[tuple[Part, Case]]:
    """What holds for an interval: the plans with the same rules together, what held before after what holds now."""
    borders = [to_day(day) for day in _borders(policy, interval)]
    moments = _moments(policy, interval)
    alike: dict[tuple[tuple[Rules, ...], ...], list[str]] = {}
    for name in policy.plans:
        alike.setdefault(tuple(_rules(policy, interval, at, name, method) for at in moments), []).append(name)
    for versions, plans in alike.items():
        title = f"Billed {EVERY[interval]}"
        if len(alike) > 1:
            title += f" on {listed([policy.plans[name].title or name for name in plans])}"
        changed = [at for at in range(len(borders)) if versions[at] != versions[at + 1]]
        since = f", since {speak_day(borders[changed[-1]])}" if changed else ""
        latest = date.fromordinal(moments[-1]).year
        now = Case(policy, interval, plans, at=moments[-1], year=min(latest, _YEARS[1]), payment_method=method)
        yield Part(title + since, tuple(_sentences(now))), now
        for number, at in reversed(list(enumerate(changed))):
            first = f"from {speak_day(borders[changed[number - 1]])} and " if number else ""
            before = f"{title}: periods that began {first}before {speak_day(borders[at])}"
            year = max(date.fromordinal(borders[at]).year - 1, _YEARS[0])
            then = Case(policy, interval, plans, at=moments[at], year=min(year, _YEARS[1]), payment_method=method)
            yield Part(before, tuple(_sentences(then))), then


_YEARS = (YEARS.start + 1, YEARS.stop - 100)  # those in which a story can be told with all that comes of it


def _sentences(case: Case) -> Iterator[Sentence]:
    yield terms.period(case)
    yield from changes.later(case)
    yield seats.who(case)
    yield from changes.change_day(case)
    yield from seats.sold(case)
    yield from seats.tiers(case)
    yield changes.rise(case)
    yield changes.fall(case)
    yield from changes.plans(case)
    yield from changes.interval(case)
    yield from roles.apart(case)
    yield from add_ons.apart(case)
    yield from terms.trial(case)
    yield terms.cancel(case)
    yield from terms.amounts(case)


def _rules(policy: Policy, interval: Interval, at: Day, plan: str, method: str) -> tuple[Rules, ...]:
    """The rules of a day on a plan: those of the invoice, and those of each item with some of its own."""
    return tuple(policy.rules(interval, at, plan, item, method) for item in ("", *policy.apart))


def _borders(policy: Policy, interval: Interval) -> list[date]:
    """The days from which other rules may hold."""
    whens = [when for when in policy.whens if when.interval in (None, interval)]
    return sorted({day for when in whens for day in (when.from_, when.until) if day is not None})


def _dates(policy: Policy) -> Iterator[date]:
    """Every day on which something about the policy changes."""
    found = [day for when in policy.whens for day in (when.from_, when.until)]
    found += [row.from_ for plan in policy.plans.values() for row in plan.prices]
    return (day for day in found if day is not None)
