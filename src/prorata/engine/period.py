"""A billing period: its days, the rules it began with, and the day on which it is billed."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from prorata.engine.calendar import MONTHS, Day, Interval, add_months, calendar_start
from prorata.engine.policy.model import Policy, Price, Rules
from prorata.engine.share import YEAR, Scale, make_scale


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to `end`; the first may be a stub of its interval.

    `anchor` and `months` say from which day periods are counted and how many months after it this one starts, so
    that a period that begins on 28 February is followed by one that begins on 31 March where the agreement did.
    """

    start: Day
    end: Day
    interval: Interval
    anchor: Day
    months: int
    policy: Policy = field(repr=False)
    rules: Rules = field(repr=False, compare=False)
    scale: Scale = field(repr=False, compare=False)
    billed_on: Day = field(compare=False)
    _following: dict[Interval, Period] = field(default_factory=dict, repr=False, compare=False)
    _prices: dict[str, Price | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def parts(self) -> int:
        """Into how many parts a minor unit is cut, so that every amount of the period is a whole number of them."""
        return self.scale.denominator * YEAR

    def tax_rate(self, item: str, plan: str) -> Fraction:
        """The tax rate in percent of an add-on, or of seats on a plan."""
        sold = self.policy.add_ons.get(item) or self.policy.plans.get(plan)
        return self.rules.tax.rate if sold is None or sold.tax_rate is None else sold.tax_rate

    def list_price(self, plan: str) -> Price | None:
        """The plan's price for this period, None where it has none in this interval."""
        if plan not in self._prices:
            prices = self.policy.plans[plan].prices
            self._prices[plan] = self.policy.price(prices, self.interval, self.start, plan)
        return self._prices[plan]

    def add_on_price(self, item: str) -> Price | None:
        """The add-on's price for this period, None where the policy does not know it or it has none."""
        add_on = self.policy.add_ons.get(item)
        return self.policy.price(add_on.prices, self.interval, self.start, "") if add_on else None


@lru_cache(maxsize=8192)
def first_period(policy: Policy, interval: Interval, start: Day) -> Period:
    """The period with which an agreement begins on `start`."""
    return _period(policy, interval, start, start, 0)


def next_period(period: Period, interval: Interval) -> Period:
    """The period after this one, billed in `interval`, which may be another than before."""
    following = period._following.get(interval)
    if following is None:
        anchor, months = period.end, 0
        if period.rules.period.anchor == "start":
            anchor, months = period.anchor, period.months + MONTHS[period.interval]
        following = period._following[interval] = _period(period.policy, interval, period.end, anchor, months)
    return following


def _period(policy: Policy, interval: Interval, start: Day, anchor: Day, months: int) -> Period:
    rules = policy.rules(interval, start)
    if rules.period.anchor == "start":
        counted_from = (anchor, months)
    else:
        counted_from = (calendar_start(start, MONTHS[interval]), 0)
    end = add_months(counted_from[0], counted_from[1] + MONTHS[interval])
    return Period(
        start=start,
        end=end,
        interval=interval,
        anchor=anchor,
        months=months,
        policy=policy,
        rules=rules,
        scale=make_scale(rules.share.by, rules.share.started_month, interval, start, end, counted_from),
        billed_on=start if rules.period.charge == "advance" else end,
    )
