"""A billing period: its days, the rules it began with, and the day on which it is billed."""

from __future__ import annotations

from dataclasses import dataclass, field
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

    @property
    def parts(self) -> int:
        """Into how many parts a minor unit is cut, so that every amount of the period is a whole number of them."""
        return self.scale.denominator * YEAR

    def list_price(self, plan: str) -> Price | None:
        """The plan's price for this period, None where it has none in this interval."""
        return _list_price(self.policy, plan, self.interval, self.start)

    def add_on_price(self, item: str) -> Price | None:
        """The add-on's price for this period, None where the policy does not know it or it has none."""
        return _add_on_price(self.policy, item, self.interval, self.start)


@lru_cache(maxsize=8192)
def _list_price(policy: Policy, plan: str, interval: Interval, day: Day) -> Price | None:
    return policy.price(policy.plans[plan].prices, interval, day, plan)


@lru_cache(maxsize=8192)
def _add_on_price(policy: Policy, item: str, interval: Interval, day: Day) -> Price | None:
    return policy.price(policy.add_ons[item].prices, interval, day, "") if item in policy.add_ons else None


@lru_cache(maxsize=8192)
def first_period(policy: Policy, interval: Interval, start: Day) -> Period:
    """The period with which an agreement begins on `start`."""
    return _period(policy, interval, start, anchor=start, months=0)


@lru_cache(maxsize=65536)
def next_period(period: Period, interval: Interval) -> Period:
    """The period after this one, billed in `interval`, which may be another than before."""
    if period.rules.period.anchor == "start":
        return _period(
            period.policy, interval, period.end, anchor=period.anchor, months=period.months + MONTHS[period.interval]
        )
    return _period(period.policy, interval, period.end, anchor=period.end, months=0)


def _period(policy: Policy, interval: Interval, start: Day, *, anchor: Day, months: int) -> Period:
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
