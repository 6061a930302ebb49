"""A billing period: its days, the rules and list prices it began with, and the day on which it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from prorata.engine.calendar import MONTHS, Day, Interval, border, calendar_start, later
from prorata.engine.policy.model import (
    OVERAGE,
    SEATS,
    Counting,
    FallEffect,
    FallRules,
    Policy,
    Rules,
    SeatRules,
    ShareRules,
    is_beyond,
    is_taken,
    seats_of,
)
from prorata.engine.policy.tariff import Price, Tariff
from prorata.engine.prepaid import Stock
from prorata.engine.rounding import Rounding, rounding_of
from prorata.engine.share import ONE_DAY, YEAR, Scale, Whole, make_scale

# The borders between which changes are drawn together: to the first of them before the change, or to the next one.
Waits: TypeAlias = tuple[tuple[Day, ...], bool]


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to `end`; the first may be a stub of its interval.

    `anchor` and `months` say from which day periods are counted and how many months after it this one starts (of
    periods of days: how many of them), so that a period that begins on 28 February is followed by one that begins on 31
    March where the agreement did. `plan_prices`, `add_on_prices` and `tariffs` are the list prices for it; what has
    none in its interval is left out. They are `is_flat` where all seats of a plan cost the same, and nothing beside
    them. `countings` says who counts as a seat of each role that is counted apart, and under "" who does as any
    other. The period is one of those of `unit` that are billed together from `invoice_start` up to `invoice_end`;
    mostly there is but one. `plan` and `payment_method` are those they begin with, where rules
    depend on them. Its amounts are counted in
    parts of a minor unit, `parts` of them each, of which every one is a whole number. A change counts `delay` days
    after it happens. `rise_waits` and `fall_waits` say where changes do not take effect on their day, `plan_waits` the
    same of dearer and cheaper plans.
    """

    start: Day
    end: Day
    interval: Interval
    anchor: Day
    months: int
    policy: Policy = field(repr=False)
    rules: Rules = field(repr=False, compare=False)
    scale: Scale = field(repr=False, compare=False)
    parts: int = field(repr=False, compare=False)
    plan_prices: Mapping[str, Price] = field(repr=False, compare=False)
    add_on_prices: Mapping[str, Price] = field(repr=False, compare=False)
    tariffs: Mapping[str, Tariff] = field(repr=False, compare=False)
    countings: Mapping[str, Counting] = field(repr=False, compare=False)
    alike: Mapping[str, SeatRules] = field(repr=False, compare=False)  # the roles whose seats are measured as its own
    is_flat: bool = field(repr=False, compare=False)
    at_once: bool = field(repr=False, compare=False)
    billed_on: Day = field(compare=False)
    invoice_start: Day = field(repr=False, compare=False)
    invoice_end: Day = field(repr=False, compare=False)
    unit: Interval = field(repr=False, compare=False)
    plan: str = field(repr=False, compare=False)
    payment_method: str = field(repr=False, compare=False)
    delay: int = field(repr=False, compare=False)
    rise_waits: Waits | None = field(repr=False, compare=False)
    fall_waits: Waits | None = field(repr=False, compare=False)
    plan_waits: tuple[Waits | None, Waits | None] = field(repr=False, compare=False)
    term_start: Day = field(repr=False, compare=False)
    is_bound: bool = field(repr=False, compare=False)  # whether what fell before is still billed
    bound_from: Day = field(repr=False, compare=False)  # if it fell on this day or later
    past: Day = field(repr=False, compare=False)  # from which day on what happened may decide what is billed
    looks_back: bool = field(repr=False, compare=False)  # whether that may lie before the period
    waiting: int = field(repr=False, compare=False)  # what rises and falls again sooner is not charged
    notice: int = field(repr=False, compare=False)  # so much later a fall counts than it was told
    since: Day = field(repr=False, compare=False)  # the agreement's first day, where that matters, or 0
    keeps: bool = field(repr=False, compare=False)  # whether what has risen stays to the end, and nothing else waits
    apart: Mapping[str, Period] = field(repr=False, compare=False)  # the same days by the rules of an item of its own
    is_later: bool = field(repr=False, compare=False)  # whether its item is in arrears on an invoice in advance
    once: bool = field(repr=False, compare=False)  # whether it is by those of an add-on that is paid once
    rounding: Rounding | None = field(repr=False, compare=False)  # None: amounts are running totals in minor units
    stock: Stock | None = field(repr=False, compare=False)  # what it is made of, where time is paid in advance
    begun: Day = field(repr=False, compare=False)  # the day on which the agreement came back; 0: it is the first time

    def of(self, item: str) -> Period:
        """The same days by the rules of an item."""
        if not self.apart:
            return self
        if is_beyond(item) and OVERAGE in self.apart:
            return self.apart[OVERAGE]
        if is_taken(item):
            return self.apart.get(seats_of(self.role_of(item))) or self.apart.get(SEATS, self)
        return self.apart.get(item, self)

    def counting(self, item: str) -> Counting:
        """Who counts for an item: the members of the role whose seats it is, or for an add-on all who take a seat."""
        if not item.startswith(SEATS):
            return self.rules.seats.counting
        return self.countings[self.role_of(item)]

    def role_of(self, item: str) -> str:
        """The role whose seats an item is, or "" where they are those of all that are not counted apart."""
        return next((role for role in self.countings if f"{item}>".startswith(f"{seats_of(role)}>")), "")

    def tax_rate(self, item: str, plan: str) -> Fraction:
        """The tax rate in percent of an add-on, or of seats on a plan."""
        sold = self.policy.add_ons.get(item) or self.policy.plans.get(plan)
        return self.rules.tax.rate if sold is None or sold.tax_rate is None else sold.tax_rate


def first_period(
    policy: Policy, interval: Interval, start: Day, plan: str = "", payment_method: str = "", *, again: bool = False
) -> Period:
    """The period with which an agreement begins on `start`, or comes back `again`, on a plan, paid by a method."""
    since, begun = start if _remembers(policy) else 0, start if again else 0
    return _period(policy, interval, start, start, 0, plan, payment_method, None, since, begun, "")


def next_period(period: Period, interval: Interval, plan: str = "", payment_method: str = "") -> Period:
    """The period after this one; its terms may be others than before once the invoice is full."""
    invoice = None
    if period.end < period.invoice_end:
        interval, plan, payment_method = period.interval, period.plan, period.payment_method
        invoice = (period.invoice_start, period.invoice_end)
    if period.rules.period.anchor == "start":
        months = period.months + MONTHS[period.unit]
        anchor = period.anchor
    else:
        anchor, months = period.end, 0
    since, begun = period.since, period.begun
    return _period(period.policy, interval, period.end, anchor, months, plan, payment_method, invoice, since, begun, "")


def restarted(period: Period, start: Day, interval: Interval, plan: str, payment_method: str) -> Period:
    """The full period that a change begins on a day of this one; the next ones are counted from there."""
    since, begun = period.since, period.begun
    return _period(period.policy, interval, start, start, 0, plan, payment_method, None, since, begun, "")


def stocked(period: Period, stock: Stock) -> Period:
    """The period as the stretch that a stock lasts."""
    counted, opened = (period.start, period.anchor, period.months), (period.plan, period.payment_method)
    return _period(period.policy, period.interval, *counted, *opened, None, period.since, period.begun, "", stock)


def period_before(period: Period) -> Day:
    """The first day of as long a period before this one, whether or not the agreement ran by then."""
    if period.rules.period.anchor == "start":
        return border(period.anchor, period.months - MONTHS[period.unit], period.unit, period.policy.ticks)
    ticks = period.policy.ticks
    return calendar_start(period.start // ticks - 1, MONTHS[period.unit]) * ticks


def of_seats(period: Period) -> Period:
    """The days of an item's period by the rules of the seats."""
    item = SEATS if SEATS in period.policy.apart else ""
    policy, invoice = period.policy, (period.invoice_start, period.invoice_end)
    counted, opened = (period.start, period.anchor, period.months), (period.plan, period.payment_method)
    return _period(policy, period.interval, *counted, *opened, invoice, period.since, period.begun, item)


@lru_cache(maxsize=16384)
def _period(
    policy: Policy,
    interval: Interval,
    start: Day,
    anchor: Day,
    months: int,
    plan: str,
    payment_method: str,
    invoice: tuple[Day, Day] | None,
    since: Day,
    begun: Day,
    item: str,
    stock: Stock | None = None,
) -> Period:
    """`invoice` is the stretch that is billed together, where it began before `start`; `item` whose rules are meant.

    Where a `stock` was partly paid before, the period lasts as long as that does, and the next is counted from there.
    """
    ticks = policy.ticks
    terms = (policy, interval, start, anchor, months, plan, payment_method, invoice, since, begun)
    rules = policy.rules(interval, start // ticks, plan, item, payment_method)
    whole_rules = rules if not item else policy.rules(interval, start // ticks, plan, "", payment_method)
    once = item in policy.add_ons and policy.add_ons[item].charge == "once"
    if once:
        rules = replace(rules, share=ShareRules(), rise=replace(rules.rise, takes_effect="day"), fall=FallRules())
    unit = min(rules.period.measured or interval, interval, key=MONTHS.__getitem__)
    counted_from, whole = (_counted(rules, one, start, anchor, months, ticks) for one in (unit, interval))
    end = border(counted_from[0], counted_from[1] + MONTHS[unit], unit, ticks)
    invoice_start, invoice_end = invoice or (start, _billed_until(rules, interval, start, whole, ticks))
    invoice_end = max(invoice_end, end)
    moves = stock is not None and stock.carried > 0
    if stock is not None and moves:
        end = invoice_end = stock.end
        anchor, months = (end, -MONTHS[unit]) if end != stock.paid_until else stock.counted
    by, started = rules.share.by, rules.share.started
    scale = ONE_DAY if once else make_scale(by, started, unit, start, end, counted_from, ticks)
    if rules.change.is_prepaid and not once:
        scale = Whole((start, end), MONTHS[unit], "free", 1)
    term_start = _term_start(rules, start, anchor, months, invoice_start, ticks)
    bound_from = since if rules.fall.effect == "never" else term_start
    priced = {"period": start, "term": max(term_start, since), "agreement": since}[rules.prices.in_force] // ticks
    tariffs = policy.tariffs(interval, priced)
    add_ons = {name: policy.price(add_on.prices, interval, priced, "") for name, add_on in policy.add_ons.items()}
    rise_waits, fall_waits, whole_waits = (
        _waits(effect, unit, start, end, counted_from, ticks)
        for effect in (rules.rise.takes_effect, rules.fall.effect, _WHOLE)
    )
    plan_waits = (
        {"difference": rise_waits, "next_period": whole_waits}.get(rules.change.dearer_plan),
        {"difference": fall_waits, "next_period": whole_waits}.get(rules.change.cheaper_plan),
    )
    is_bound = rules.fall.effect in ("next_term", "never")
    waiting, notice = rules.rise.waiting_days * ticks, rules.fall.notice_days * ticks
    in_time = (rise_waits, fall_waits, *plan_waits) == (None, None, None, None)
    of_roles = _of_roles(policy, rules, interval, start // ticks, plan, payment_method)
    parts = scale.denominator * YEAR
    whole_days = 1 if once else end - border(*counted_from, unit, ticks)
    return Period(
        start=start,
        end=end,
        interval=interval,
        anchor=anchor,
        months=months,
        policy=policy,
        rules=rules,
        scale=scale,
        parts=parts,
        plan_prices={name: one.tiers[""][0].price for name, one in tariffs.items() if "" in one.tiers},
        add_on_prices={name: price for name, price in add_ons.items() if price is not None},
        tariffs=tariffs,
        countings=_countings(policy, of_roles),
        alike={role: seats for role, seats in of_roles.items() if seats.measure == rules.seats.measure},
        is_flat=all(_is_flat(one) for one in tariffs.values()) and not policy.roles_apart,
        at_once=in_time and not waiting and not notice,
        billed_on=(invoice_start if rules.period.charge == "advance" else invoice_end) // ticks,
        invoice_start=invoice_start,
        invoice_end=invoice_end,
        unit=unit,
        plan=plan,
        payment_method=payment_method,
        delay=rules.seats.delay_days,
        rise_waits=rise_waits,
        fall_waits=fall_waits,
        plan_waits=plan_waits,
        term_start=term_start,
        bound_from=bound_from,
        is_bound=is_bound,
        past=(bound_from if is_bound else start) - notice - waiting,
        looks_back=is_bound or notice > 0 or waiting > 0,
        waiting=waiting,
        notice=notice,
        since=since,
        keeps=(rules.rise.takes_effect, rules.fall.effect) == ("day", "next_period")
        and not (rules.fall.window_days or waiting or notice),
        apart={one: _period(*terms, one, stock) for one in policy.apart if not item or _is_within(one, item)},
        is_later=policy.has_later and rules.period.charge == "arrears" and whole_rules.period.charge == "advance",
        once=once,
        rounding=rounding_of(
            rules.rounding, policy.currency, scale, parts, whole_days, by_month=rules.share.by == "days_of_month"
        ),
        stock=stock,
        begun=begun,
    )


_WHOLE: FallEffect = "next_period"


def _counted(rules: Rules, unit: Interval, start: Day, anchor: Day, months: int, ticks: int) -> tuple[Day, int]:
    """From which day periods of a unit are counted, and how many months after it the one begins in which a day lies."""
    if rules.period.anchor == "start":
        return anchor, months
    return calendar_start(start // ticks, MONTHS[unit]) * ticks, 0


def _billed_until(rules: Rules, interval: Interval, start: Day, whole: tuple[Day, int], ticks: int) -> Day:
    """The end of what is billed with a period: of its interval, or with a stub of the next one, where that is said."""
    anchor, months = whole
    is_stub = start > border(anchor, months, interval, ticks)
    times = 2 if is_stub and rules.period.stub == "next_invoice" else 1
    return border(anchor, months + times * MONTHS[interval], interval, ticks)


def _is_flat(tariff: Tariff) -> bool:
    plain = tariff.tiers.get("", ())
    return len(plain) == 1 and plain[0].base is None and not tariff.overage


def _is_within(item: str, of: str) -> bool:
    """Whether an item is of some of the seats that the other one is of."""
    return (of == SEATS != item and is_taken(item)) or (is_taken(of) and item == OVERAGE != of)


def _of_roles(
    policy: Policy, rules: Rules, interval: Interval, day: Day, plan: str, payment_method: str
) -> dict[str, SeatRules]:
    """How the seats of each role that is counted apart are counted; under "" those of all others."""
    if not policy.roles_apart:
        return {"": rules.seats}
    roles = ("", *policy.roles_apart)
    return {role: policy.rules(interval, day, plan, seats_of(role), payment_method).seats for role in roles}


def _countings(policy: Policy, of_roles: Mapping[str, SeatRules]) -> dict[str, Counting]:
    countings: dict[str, Counting] = {}
    for role, seats in of_roles.items():
        counts_from, suspended, free = seats.counting
        others = [other for other in policy.roles if other != role] if role else policy.roles_apart
        countings[role] = (counts_from, suspended, (*free, *others))
    return countings


def _remembers(policy: Policy) -> bool:
    """Whether a period's rules may ask when the agreement began."""
    return any(rules.fall.effect == "never" or rules.prices.in_force != "period" for rules in policy.variants.values())


def _term_start(rules: Rules, start: Day, anchor: Day, months: int, invoice_start: Day, ticks: int) -> Day:
    """The first day of the term in which a period begins; without terms its invoice's."""
    term = rules.period.term_months
    if not term:
        return invoice_start
    if rules.period.anchor == "calendar":
        return calendar_start(start // ticks, term) * ticks
    return later(anchor, months // term * term, ticks)


def _waits(
    effect: FallEffect, interval: Interval, start: Day, end: Day, counted_from: tuple[Day, int], ticks: int
) -> Waits | None:
    if effect == "day":
        return None
    if effect in ("next_term", "never"):
        return (start, end), False
    anchor, before = counted_from
    months = {"month": 1, "quarter": 3}.get(effect.removeprefix("next_"), MONTHS[interval])
    inner = [border(anchor, before + month, interval, ticks) for month in range(months, MONTHS[interval], months)]
    return (start, *(day for day in inner if day > start), end), not effect.startswith("next_")
