"""What is sold at which price: rows of prices, plans and add-ons, and the tariff that rows make for a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from prorata.engine.calendar import Interval
from prorata.engine.policy.key import key


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs for so many months: 36,500 øre for 12 months; once and for all where they are 0.

    `role` and `above` say whose and which seats it is for, where not all of a plan cost the same.
    """

    minor: int
    months: int
    plan: str = ""
    role: str = ""
    above: int = 0
    yearly_minor: int = field(init=False, repr=False, compare=False)  # what a year costs; the months all divide it

    def __post_init__(self) -> None:
        object.__setattr__(self, "yearly_minor", self.minor * (12 // (self.months or 1)))


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price of a plan or add-on; of several for the same seats the last row that matches applies."""

    price: Price = key(
        'The amount per unit and the interval it buys. Of an add-on with `charge = "once"`: `49.00 once`.',
        'price = "8.00 per month"',
    )
    base: Price | None = key(
        "What the plan costs beside its seats, whatever their number. A price `above` a number that names none has "
        'that of the one below it; `base = "0.00 per month"` ends it. A plan with a single price may have it beside '
        "`price`, as `plans.PRO.base`. Of a plan, not of an add-on.",
        'base = "240.00 per month"',
        None,
    )
    role: str | None = key(
        "Only for the seats of members with this role, which are then counted apart: each role with a price of its "
        "own has lines of its own. `seats.minimum`, `seats.packages`, `seats.included` and `seats.maximum` are about "
        "the seats of all other members; a role's own are said in a `[[when]]` with the role. Members of other roles "
        "need a price without `role`. Seats of a role are ordered by the event `seats` with that role. "
        "Whoever changes role takes a seat of the new one, and the old one falls as "
        "`fall` says; with `distinct` and `held`, whoever had several roles that are measured so counts "
        "once, in the dearest (by the highest price of its tiers). Of a plan, not of an add-on.",
        'role = "viewer"',
        None,
    )
    above: int = key(
        "Only beyond so many seats: a tier. `tiers` of the plan says whether all seats cost what the last of them "
        "does, or each what its own tier says. Of a plan, not of an add-on.",
        "above = 10",
        0,
    )
    overage: Price | None = key(
        'With `seats.count = "larger"`: what a seat beyond those ordered costs. Of a plan, not of an add-on.',
        'overage = "12.00 per month"',
        None,
    )
    interval: Interval | None = key("Only for accounts billed in this interval.", 'interval = "year"', None)
    from_: date | None = key(
        "In force for periods that begin on this day or later. A period keeps the price with which it began.",
        "from = 2027-01-01",
        None,
        name="from",
    )
    announced: date | None = key(
        "When customers were told. Needed where `prices.notice_months` is set, and checked against it.",
        "announced = 2026-09-15",
        None,
    )

    def covers(self, interval: Interval, day: date) -> bool:
        """Whether the row is for periods of this interval that begin on `day`."""
        return self.interval in (None, interval) and (self.from_ is None or self.from_ <= day)

    @property
    def seats(self) -> tuple[str, int]:
        """Which seats the row is for: those of a role, beyond a number."""
        return self.role or "", self.above


@dataclass(frozen=True, slots=True)
class Plan:
    """A package that seats can be on."""

    prices: tuple[PriceRow, ...] = key(
        'The price per seat. A single price may be written as `price = "699.00 per month"`, with `base` beside it.',
        '[[plans.PRO.prices]]\nprice = "699.00 per month"',
    )
    tiers: Literal["volume", "graduated"] = key(
        "Where there are prices `above` a number of seats. `volume`: all seats cost what the number of them says, and "
        "`base` too; where more seats make all of them cheaper, what those before were charged beyond that is "
        "credited whatever `fall.give` says, for it is a price that fell and no seat. `graduated`: each seat costs "
        "what its own tier says.",
        'tiers = "graduated"',
        "volume",
    )
    title: str | None = key("The plan's name on documents, where it is not its key.", 'title = "Pro"', None)
    tax_rate: Fraction | None = key("Its tax rate in percent, where it is not `tax.rate`.", 'tax_rate = "12"', None)


@dataclass(frozen=True, slots=True)
class AddOn:
    """Something bought beside the seats."""

    prices: tuple[PriceRow, ...] = key(
        'The price per unit. A single price may be written as `price = "49.00 per month"`.',
        '[[add_ons.sms.prices]]\nprice = "49.00 per month"',
    )
    charge: Literal["seat", "flat", "once"] = key(
        "`seat`: for every seat billed. `flat`: by its own quantity, 1 unless the event says more. `once`: its whole "
        "price for each one added, in the period in which it is added; it does not recur, and removing it gives "
        "nothing back. Its price is written `49.00 once`.",
        'charge = "seat"',
        "flat",
    )
    title: str | None = key("Its name on documents, where it is not its key.", 'title = "Text messages"', None)
    tax_rate: Fraction | None = key("Its tax rate in percent, where it is not `tax.rate`.", 'tax_rate = "12"', None)


@dataclass(frozen=True, slots=True)
class Tier:
    """What the seats beyond so many cost, and what the plan costs beside them."""

    above: int
    price: Price
    base: Price | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a plan costs in a period: its tiers by role, rising; the role "" is all without prices of their own."""

    tiers: Mapping[str, tuple[Tier, ...]]
    overage: Mapping[str, Price]
    graduated: bool


def row_for(rows: Iterable[PriceRow], interval: Interval, day: date) -> PriceRow | None:
    """The row of something that costs the same whoever uses it, for periods of the interval that begin on `day`."""
    found = None
    for row in rows:
        if row.covers(interval, day):
            found = row
    return found


def tariff(name: str, plan: Plan, interval: Interval, day: date) -> Tariff | None:
    """What the plan costs in periods of this interval that begin on `day`; None where it has no price for them."""
    rows: dict[tuple[str, int], PriceRow] = {}
    for row in plan.prices:
        if row.covers(interval, day):
            rows[row.seats] = row
    tiers: dict[str, tuple[Tier, ...]] = {}
    overage: dict[str, Price] = {}
    for (role, above), row in sorted(rows.items()):
        price = Price(row.price.minor, row.price.months, name, role, above if plan.tiers == "graduated" else 0)
        base = None if row.base is None else Price(row.base.minor, row.base.months, name)
        tiers[role] = (*tiers.get(role, ()), Tier(above, price, base))
        if row.overage is not None:
            overage[role] = Price(row.overage.minor, row.overage.months, name, role)
    return Tariff(tiers, overage, plan.tiers == "graduated") if tiers else None
