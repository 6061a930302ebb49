"""The judge: what is due, counted day by day, slowly and obviously, sharing no code with the engine but its values."""

from __future__ import annotations

import math
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TypeVar

from prorata.engine.calendar import Interval, Moment, midnight
from prorata.engine.history import Event, Subscription
from prorata.engine.policy.model import Policy, PriceRow, Rules

N = TypeVar("N", int, Fraction)

ONE = timedelta(days=1)
MAY = (("suspend", "active"), ("resume", "suspended"))
MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass
class JudgedPeriod:
    first: date
    past: date
    interval: Interval
    rules: Rules
    month_borders: list[date]  # of the full interval it is part of
    before: date  # the first day of as long a period before it
    invoice_start: date  # the interval in which it is billed
    invoice_end: date


def months_after(day: date, months: int) -> date:
    month0 = day.year * 12 + day.month - 1 + months
    year, month = month0 // 12, month0 % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def start_of(subscription: Subscription) -> date:
    starts = [date.fromordinal(event.day) for event in subscription.events if event.kind == "start"]
    trials = [date.fromordinal(event.until or 0) for event in subscription.events if event.kind == "trial"]
    return max(starts + trials)


def opening_of(subscription: Subscription) -> date:
    """The first period's first day: where the agreement starts by what was told before that day, or told first."""
    told = sorted((one for one in subscription.events if one.kind in ("start", "trial")), key=lambda one: one.recorded)
    first = start_of(replace(subscription, events=(told[0],)))
    for later in told[1:]:
        if later.recorded < max(midnight(first.toordinal()), told[0].recorded + 1):
            first = start_of(replace(subscription, events=tuple(told)))
    return first


def periods(subscription: Subscription, until: date) -> list[JudgedPeriod]:
    """Every period that begins before `until`, one after the other."""
    policy = subscription.policy
    first = opening_of(subscription)
    told = min(event.recorded for event in subscription.events if event.kind in ("start", "trial"))
    found: list[JudgedPeriod] = []
    anchor, counted = first, 0
    was_calendar = False
    invoice_start, invoice_end, interval, plan = first, first, subscription.interval, subscription.plan
    while first < until:
        asked = _interval(subscription, first, max(told + 1, midnight(first.toordinal())))
        opens = first >= invoice_end
        interval = asked if opens else interval
        plan = _plan(subscription, first, max(told + 1, midnight(first.toordinal()))) if opens else plan
        rules = policy.rules(interval, first.toordinal(), plan)
        length = min(MONTHS[interval], MONTHS[rules.period.measured or interval])
        if rules.period.anchor == "start" and was_calendar:
            anchor, counted, was_calendar = first, 0, False
        before = months_after(anchor, counted - length)
        full = MONTHS[interval]
        invoice_start = first if opens else invoice_start
        if opens and rules.period.anchor == "calendar":
            begun = date(first.year, (first.month - 1) // full * full + 1, 1)
            late = begun < first and rules.period.stub == "next_invoice"
            invoice_end = months_after(begun, 2 * full if late else full)
        elif opens:
            invoice_end = months_after(anchor, counted + full)
        if rules.period.anchor == "calendar":
            month = (first.month - 1) // length * length + 1
            whole = date(first.year, month, 1)
            borders = [months_after(whole, at) for at in range(length + 1)]
            was_calendar = True
            yesterday = first - ONE
            before = date(yesterday.year, (yesterday.month - 1) // length * length + 1, 1)
        else:
            borders = [months_after(anchor, counted + at) for at in range(length + 1)]
            counted += length
        found.append(JudgedPeriod(first, borders[-1], interval, rules, borders, before, invoice_start, first))
        first = borders[-1]
        found[-1].invoice_end = invoice_end = max(invoice_end, first)
    return found


def _plan(subscription: Subscription, first: date, by: Moment) -> str:
    plan = subscription.plan
    for event in subscription.events:
        asked = event.plan and event.kind in ("start", "trial", "plan")
        if asked and event.day <= first.toordinal() and event.recorded < by:
            plan = event.plan
    return plan


def _interval(subscription: Subscription, first: date, by: Moment) -> Interval:
    interval: Interval = subscription.interval
    for event in subscription.events:
        if event.interval and event.day <= first.toordinal() and event.recorded < by:
            interval = event.interval
    return interval


class Judge:
    """Counts one account, everything known."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.policy: Policy = subscription.policy
        self.start = start_of(subscription)
        self.cancel: Event | None = None
        for event in subscription.events:
            if event.kind == "cancel":
                self.cancel = event

    def due(self, period: JudgedPeriod) -> dict[str, Fraction]:
        """The exact amount of each item for the period, in minor units."""
        amounts: dict[str, Fraction] = defaultdict(Fraction)
        last = self.last_day(period)
        days = []
        day = max(period.first, self.start)
        while day <= last:
            days.append(day)
            day += ONE
        seats = [self.sold(period, count) for count in self.counts(period, days)]
        rates = [Fraction(*self.seat_price(period, day)) for day in days]
        seats, rates = self.in_effect(period, days, seats), self.in_effect(period, days, rates)
        for day, count, rate in zip(days, seats, rates, strict=True):
            amounts["seats"] += count * rate * self.weight(period, day)
        for item in {event.item for event in self.subscription.events if event.item}:
            told = [self.add_on(period, day, item) for day in days]
            units = [quantity for quantity, _, _ in told]
            costs = [Fraction(price, months) if quantity else Fraction(0) for quantity, price, months in told]
            units, costs = self.in_effect(period, days, units), self.in_effect(period, days, costs)
            sold = self.policy.add_ons.get(item)
            for day, unit, cost, count in zip(days, units, costs, seats, strict=True):
                number = unit * count if sold is not None and sold.charge == "seat" else unit
                amounts[item] += number * cost * self.weight(period, day)
        bases = [self.base(period, day) for day in days]
        for day, base in zip(days, self.in_effect(period, days, bases), strict=True):
            amounts["base"] += base * self.weight(period, day)
        return dict(amounts)

    def in_effect(self, period: JudgedPeriod, days: list[date], values: list[N]) -> list[N]:
        """The values of days by when rises, and then falls, take effect."""
        fall = period.rules.fall
        for word, early, late in (
            (period.rules.rise.takes_effect, max, min),
            ("next_period" if fall.give == "nothing" else fall.takes_effect, min, max),
        ):
            if word == "day":
                continue
            step: int = {"month": 1, "quarter": 3}.get(word.removeprefix("next_"), 12)
            borders = [*period.month_borders[::step], period.past]
            for first, past in pairwise(borders):
                within = [at for at, day in enumerate(days) if first <= day < past]
                changed = list(values)
                for at in within:
                    if word.startswith("next_"):
                        changed[at] = late(values[one] for one in within if one <= at)
                    else:
                        changed[at] = early(values[one] for one in within if one >= at)
                values = changed
        return values

    def last_day(self, period: JudgedPeriod) -> date:
        whole = period.past - ONE
        if self.cancel is None:
            return whole
        if self.cancel.until is not None:
            last = date.fromordinal(self.cancel.until) - ONE
        else:
            last = date.fromordinal(self.cancel.day)
            if self.whole(period) <= last and period.rules.cancel.ends == "period":
                return whole
        keeps = period.rules.fall.give == "nothing"
        if last < (self.whole(period) if keeps else period.first):
            return min(last, period.first - ONE)
        return whole if period.rules.fall.give == "nothing" else min(last, whole)

    def whole(self, period: JudgedPeriod) -> date:
        """Where the period begins with which an agreement ends: the invoice's, where parts of it are measured."""
        return period.invoice_start if period.rules.period.measured else period.first

    def moment(self, period: JudgedPeriod, day: date) -> date:
        """The day whose end tells what holds on `day`."""
        if period.rules.seats.change_day == "billed" or day == self.start:
            return day
        return day - ONE

    def holders(self, period: JudgedPeriod, day: date) -> set[str]:
        upto = self.moment(period, day).toordinal()
        standing: dict[str, tuple[str, str]] = {}
        seen: dict[str, int] = {}
        first_role = next(iter(self.policy.roles), "")
        for event in self.subscription.events:
            if event.day > upto or not event.user:
                continue
            state, role = standing.get(event.user, ("gone", first_role))
            if event.kind == "invite" and state in ("active", "suspended"):
                continue
            if event.kind in ("idle", "suspend", "resume") and (event.kind, state) not in MAY:
                continue
            role = event.role or role
            if event.kind == "activity":
                seen[event.user] = event.day
                state = "suspended" if state == "suspended" else "active"
            elif event.kind == "suspend":
                state = "suspended"
            elif event.kind == "resume":
                state = "active"
            if event.kind == "deactivate":
                state = "gone"
                seen.pop(event.user, None)
            elif event.kind in ("activate", "accept"):
                state = "active"
            elif event.kind == "invite" and state == "gone":
                state = "invited"
            standing[event.user] = (state, role)
        rules = period.rules.seats
        counted = {"active", "invited"} if rules.counts_from == "invitation" else {"active"}
        counted |= {"suspended"} if rules.suspended == "billed" else set()
        if rules.counts_from == "activity":
            waits = max(
                one.seats.idle_days for one in self.policy.variants.values() if one.seats.counts_from == "activity"
            )
            standing = {user: told for user, told in standing.items() if seen.get(user, -waits) + waits > upto}
        return {
            user
            for user, (state, role) in standing.items()
            if state in counted
            and not (role in self.policy.roles and not self.policy.roles[role].billed)
            and role not in rules.free
        }

    def has_ordered(self, period: JudgedPeriod, day: date) -> bool:
        """Whether the account buys seats by then, or its seats do not follow its members."""
        upto = self.moment(period, day).toordinal()
        orders = [event for event in self.subscription.events if event.kind in ("start", "trial", "seats")]
        ordered = any(event.day <= upto and event.quantity is not None for event in orders)
        return ordered or not self.subscription.seats_follow

    def counts(self, period: JudgedPeriod, days: list[date]) -> list[int]:
        """What is measured for each day, before minimum and the like."""
        rules = period.rules.seats
        if not days:
            return []
        over = days
        if rules.of == "period_before" and rules.measure in ("peak", "mean", "distinct", "snapshot"):
            first = max(period.before, self.start)
            over = [first + ONE * at for at in range((period.first - first).days)]
        if not over:
            found = [self.daily(period, days)[0]] * len(days)
        else:
            found = self.measured(period, over)
            found = found if over is days else [found[0]] * len(days)
        if rules.count == "larger":
            found = [max(count, self.bought(period, day)) for count, day in zip(found, days, strict=True)]
        return found

    def measured(self, period: JudgedPeriod, days: list[date]) -> list[int]:
        rules = period.rules.seats
        daily = self.daily(period, days)
        holders = [self.holders(period, day) for day in days]
        if rules.measure == "high_water":
            return list(accumulate(daily, max))
        if rules.measure == "held":
            return [len(set().union(*holders[: at + 1])) for at in range(len(days))]
        if rules.measure == "peak":
            return [max(daily)] * len(days)
        if rules.measure == "mean":
            return [math.floor(Fraction(sum(daily), len(days)) + Fraction(1, 2))] * len(days)
        if rules.measure == "snapshot":
            at = len(days) - 1 if rules.on_day == 0 else min(rules.on_day, len(days)) - 1
            return [daily[at]] * len(days)
        if rules.measure == "distinct":
            least = min(rules.least_days or len(days), len(days))
            everyone = set().union(*holders)
            return [sum(sum(one in day for day in holders) >= least for one in everyone)] * len(days)
        return daily

    def daily(self, period: JudgedPeriod, days: list[date]) -> list[int]:
        """How many there are on each day."""
        if period.rules.seats.count != "bought":
            return [len(self.holders(period, day)) for day in days]
        found: list[int] = []
        for day in days:
            if self.has_ordered(period, day):
                found.append(self.bought(period, day))
            else:
                found.append(max([len(self.holders(period, day)), *found[-1:]]))
        return found

    def bought(self, period: JudgedPeriod, day: date) -> int:
        upto = self.moment(period, day).toordinal()
        bought = 0
        for event in self.subscription.events:
            if event.day <= upto and event.kind in ("start", "trial", "seats") and event.quantity is not None:
                bought = event.quantity
        return bought

    def sold(self, period: JudgedPeriod, count: int) -> int:
        """How many are billed of so many."""
        rules = period.rules.seats
        count = max(count, rules.minimum)
        if rules.packages:
            sizes = [0, *rules.packages]
            while sizes[-1] < count:
                sizes.append(sizes[-1] + rules.packages[-1] - [0, *rules.packages][-2])
            count = min(size for size in sizes if size >= count)
        billed = max(count - rules.included, 0)
        return min(billed, rules.maximum) if rules.maximum else billed

    def seat_price(self, period: JudgedPeriod, day: date) -> tuple[int, int]:
        plan, agreed = self.terms(period, day)
        if period.interval in agreed:
            return agreed[period.interval]
        listed = self.listed(self.policy.plans[plan].prices, period)
        assert listed is not None
        return listed

    def base(self, period: JudgedPeriod, day: date) -> Fraction:
        """What the plan costs beside its seats, a month."""
        plan, _ = self.terms(period, day)
        found = Fraction(0)
        for row in self.policy.plans[plan].prices:
            if row.interval in (None, period.interval) and (row.from_ is None or row.from_ <= period.first):
                found = Fraction(row.base.minor, row.base.months) if row.base else Fraction(0)
        return found

    def terms(self, period: JudgedPeriod, day: date) -> tuple[str, dict[str, tuple[int, int]]]:
        """The plan, and the prices agreed for it by interval."""
        upto = self.moment(period, day).toordinal()
        plan = self.subscription.plan
        agreed: dict[str, tuple[int, int]] = {}
        asked: str = self.subscription.interval
        free: Event | None = None
        waiting: tuple[int, str] | None = None
        for event in self.subscription.events:
            if event.kind in ("start", "trial", "interval") and event.interval:
                asked = event.interval
            if event.kind in ("start", "trial") and event.plan and event.day > upto:
                plan = event.plan
            if event.day > upto:
                continue
            if event.kind == "trial_plan":
                free = event
            if waiting and waiting[0] <= event.day:
                plan, waiting = waiting[1], None
            if event.kind in ("start", "trial", "plan") and event.plan:
                if event.kind == "plan":
                    waiting = None
                if event.plan != plan:
                    agreed = {}
                    if event.kind == "plan" and free and free.plan == event.plan and (free.until or 0) > event.day:
                        ends = date.fromordinal(free.until or 0)
                        waiting = ((free.until or 0) - self.delay(ends), event.plan)
                    else:
                        plan = event.plan
            if event.price_minor is not None and event.kind in ("start", "trial", "plan", "seats", "interval"):
                then = self.listed_on(self.policy.plans[plan].prices, asked, date.fromordinal(event.day))
                agreed[asked] = (event.price_minor, then[1] if then else MONTHS[asked])
        if waiting and waiting[0] <= upto:
            plan = waiting[1]
        return plan, agreed

    def delay(self, day: date) -> int:
        interval = self.subscription.interval
        return int(self.policy.rules(interval, day.toordinal()).seats.change_day == "not_billed")

    def listed(self, rows: tuple[PriceRow, ...], period: JudgedPeriod) -> tuple[int, int] | None:
        return self.listed_on(rows, period.interval, period.first)

    def listed_on(self, rows: tuple[PriceRow, ...], interval: str, day: date) -> tuple[int, int] | None:
        found = None
        for row in rows:
            if row.interval in (None, interval) and (row.from_ is None or row.from_ <= day):
                found = (row.price.minor, row.price.months)
        return found

    def add_on(self, period: JudgedPeriod, day: date, item: str) -> tuple[int, int, int]:
        upto = self.moment(period, day).toordinal()
        quantity, agreed = 0, None
        asked, asked_then = self.subscription.interval, self.subscription.interval
        for event in self.subscription.events:
            if event.interval and event.kind in ("start", "trial", "interval"):
                asked = event.interval
            if event.day <= upto and event.item == item:
                if event.kind == "remove_add_on":
                    quantity, agreed = 0, None
                else:
                    quantity, agreed = (1 if event.quantity is None else event.quantity), event.price_minor
                    asked_then = asked
        sold = self.policy.add_ons.get(item)
        listed = self.listed(sold.prices, period) if sold else None
        if agreed is not None:
            return quantity, agreed, MONTHS[asked_then]  # the generated histories agree on prices of unlisted ones only
        return (quantity, *listed) if listed else (0, 0, 1)

    def weight(self, period: JudgedPeriod, day: date) -> Fraction:
        """How many months the day is worth."""
        share = period.rules.share
        if share.by == "days_of_365":
            return Fraction(12, 365)
        if share.by == "days_of_month":
            return Fraction(1, monthrange(day.year, day.month)[1])
        borders = period.month_borders
        step = {"months": 1, "quarters": 3}.get(share.by, 12)
        if share.by == "days_of_period":
            return Fraction(len(borders) - 1, (borders[-1] - borders[0]).days)
        for first, past in pairwise(borders[::step] if len(borders) > step else [borders[0], borders[-1]]):
            months = min(step, len(borders) - 1)
            if first <= day < past:
                if share.started == "by_days":
                    return Fraction(months, (past - first).days)
                if share.started == "by_30":
                    left = (past - day).days
                    here, after = (1 if day == first else Fraction(min(left, 30), 30)), Fraction(min(left - 1, 30), 30)
                    return months * (here - after)
                # A month goes whole to one of its days: its last (full) or its first (free).
                deciding = past - ONE if share.started == "full" else first
                return Fraction(months * int(day == deciding))
        raise AssertionError("a day outside its period")
