"""The judge: what is due, counted day by day, slowly and obviously, sharing no code with the engine but its values."""

from __future__ import annotations

import math
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any, TypeAlias, TypeVar

from prorata.engine.calendar import Interval, Moment, midnight
from prorata.engine.document import Line
from prorata.engine.history import Event, Subscription
from prorata.engine.policy.model import Policy, Rules
from prorata.engine.policy.tariff import PriceRow

V = TypeVar("V")
Offer: TypeAlias = tuple[str, dict[str, tuple[int, int]]]  # a plan, and the prices agreed for it by interval
Standing: TypeAlias = tuple[Offer, dict[str, int]]  # an offer, and seats by role

ONE = timedelta(days=1)
EVER: Moment = 1 << 62
MAY = (("suspend", "active"), ("resume", "suspended"))
DAYS = {"week": 7, "two_weeks": 14, "four_weeks": 28, "30_days": 30}
MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12} | dict.fromkeys(DAYS, 1)


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
    term_start: date
    priced_on: date  # the day whose list prices hold
    plan: str
    method: str
    of_term: date  # the first day of the term, whatever takes effect with it
    cut: date | None = None  # the day on which a change begins a new period within it


def months_after(day: date, months: int) -> date:
    month0 = day.year * 12 + day.month - 1 + months
    year, month = month0 // 12, month0 % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def later(day: date, interval: str, count: int) -> date:
    """So many months later, or so many of an interval of days."""
    return day + count * DAYS[interval] * ONE if interval in DAYS else months_after(day, count)


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
    method = subscription.payment_method
    anew: Moment | None = None  # by when was known what began it, where a change did
    while first < until:
        by = anew or max(told + 1, midnight(first.toordinal()))
        asked = _interval(subscription, first, by)
        opens = first >= invoice_end
        interval = asked if opens else interval
        plan = _plan(subscription, first, by) if opens else plan
        method = _method(subscription, first, by) if opens else method
        rules = policy.rules(interval, first.toordinal(), plan, payment_method=method)
        length = min(MONTHS[interval], MONTHS[rules.period.measured or interval])
        if rules.period.anchor == "start" and was_calendar:
            anchor, counted, was_calendar = first, 0, False
        before = later(anchor, interval, counted - length)
        full = MONTHS[interval]
        invoice_start = first if opens else invoice_start
        if opens and rules.period.anchor == "calendar":
            begun = date(first.year, (first.month - 1) // full * full + 1, 1)
            late = begun < first and rules.period.stub == "next_invoice"
            invoice_end = months_after(begun, 2 * full if late else full)
        elif opens:
            invoice_end = later(anchor, interval, counted + full)
        if rules.period.anchor == "calendar":
            month = (first.month - 1) // length * length + 1
            whole = date(first.year, month, 1)
            borders = [months_after(whole, at) for at in range(length + 1)]
            was_calendar = True
            yesterday = first - ONE
            before = date(yesterday.year, (yesterday.month - 1) // length * length + 1, 1)
        else:
            borders = [later(anchor, interval, counted + at) for at in range(length + 1)]
            counted += length
        term = rules.period.term_months
        if not term:
            of_term = invoice_start
        elif rules.period.anchor == "calendar":
            of_term = date(first.year, (first.month - 1) // term * term + 1, 1)
        else:
            of_term = months_after(anchor, (counted - length) // term * term)
        term_start, priced = bound(subscription, rules, first, of_term)
        past = borders[-1]
        found.append(
            JudgedPeriod(
                first,
                past,
                interval,
                rules,
                borders,
                before,
                invoice_start,
                first,
                term_start,
                priced,
                plan,
                method,
                of_term,
            )
        )
        first = borders[-1]
        found[-1].invoice_end = invoice_end = max(invoice_end, first)
        cut = _cut(subscription, found[-1], anew or told + 1) if rules.change.restarting else None
        anew = cut and cut[1]
        if cut is not None:
            first = found[-1].cut = found[-1].invoice_end = invoice_end = anchor = cut[0]
            counted, was_calendar = 0, False
            if found[-1].first == first:
                found.pop()
    return found


def _cut(subscription: Subscription, period: JudgedPeriod, since: Moment) -> tuple[date, Moment] | None:
    """The first day of the period on which a change begins a new one from a moment on, and by when that was known."""
    events = subscription.events
    days = {event.day + delay for event in events for delay in (0, 1)}
    days |= {event.recorded // midnight(1) for event in events} | {event.until for event in events if event.until}
    for day in map(date.fromordinal, sorted(days)):
        opening = max(midnight(day.toordinal()), since)
        if not period.first <= day < period.past or midnight(day.toordinal() + 1) < since:
            continue
        moments = {event.recorded + 1 for event in events if event.recorded >= opening}
        known = [opening, *sorted(moment for moment in moments if moment <= midnight(day.toordinal() + 1))]
        before = (_judge(subscription, opening), day - ONE)
        for by in known:
            judge = _judge(subscription, by)
            if _is_anew(judge, period, day, *before):
                return day, by
            before = (judge, day)
    return None


def _judge(subscription: Subscription, by: Moment) -> Judge:
    """What was known by a moment."""
    return Judge(replace(subscription, events=_known(subscription, by)))


def _known(subscription: Subscription, by: Moment) -> tuple[Event, ...]:
    """What had been told by a moment and not been withdrawn by then."""
    told = [event for event in subscription.events if event.recorded < by]
    return tuple(
        event for event in told if event.withdraws is None and not any(other.withdraws == event.order for other in told)
    )


def _is_anew(judge: Judge, period: JudgedPeriod, day: date, before: Judge, before_day: date) -> bool:
    rules, subscription = period.rules, judge.subscription
    if judge.cancel is not None or day < judge.start:
        return False
    delay = 1 if rules.seats.change_day == "not_billed" else 0
    if rules.change.interval == "restart":
        asked = _interval(subscription, max(day - ONE * delay, period.first), midnight(day.toordinal() + 1))
        if asked != period.interval:
            return True
    if day in (period.first, judge.start):
        return False
    changes_plan = judge.terms(period, day)[0] != before.terms(period, before_day)[0]
    if not changes_plan and rules.change.more_seats != "restart":
        return False
    was, now = before.stands(period, before_day), judge.stands(period, day)
    if was is None or now is None:
        return False
    (old, counts), (new, more) = was, now
    if rules.change.more_seats == "restart" and sum(more.values()) > sum(counts.values()):
        return True
    dearer = judge.cost(period, new, more) - judge.cost(period, old, more)
    word = rules.change.dearer_plan if dearer > 0 else rules.change.cheaper_plan
    return bool(old[0] != new[0] and dearer and word == "restart")


def bound(subscription: Subscription, rules: Rules, first: date, of_term: date) -> tuple[date, date]:
    """Since when what falls is still billed by rules, and the day whose list prices hold."""
    begun = opening_of(subscription)
    priced = {"period": first, "term": max(of_term, begun), "agreement": begun}[rules.prices.in_force]
    return begun if rules.fall.effect == "never" else of_term, priced


def _plan(subscription: Subscription, first: date, by: Moment) -> str:
    plan = subscription.plan
    for event in _known(subscription, by):
        asked = event.plan and event.kind in ("start", "trial", "plan")
        if asked and event.day <= first.toordinal():
            plan = event.plan
    return plan


def _method(subscription: Subscription, first: date, by: Moment) -> str:
    method = subscription.payment_method
    for event in _known(subscription, by):
        if event.payment_method and event.day <= first.toordinal():
            method = event.payment_method
    return method


def _interval(subscription: Subscription, first: date, by: Moment) -> Interval:
    interval: Interval = subscription.interval
    for event in _known(subscription, by):
        if event.interval and event.day <= first.toordinal():
            interval = event.interval
    return interval


def nearest(exact: Fraction, mode: str, digits: int | None = None) -> Fraction:
    """Minor units rounded to so many decimals of SEK, or to its own two."""
    unit = Fraction(10) ** (0 if digits is None else 2 - digits)
    size = abs(exact) / unit
    below = math.floor(size)
    rest = size - below
    half = Fraction(1, 2)
    goes_up = {
        "half_up": rest >= half,
        "half_down": rest > half,
        "half_even": rest > half or (rest == half and below % 2 == 1),
        "up": rest > 0,
        "down": False,
    }[mode]
    return (below + goes_up) * unit * (-1 if exact < 0 else 1)


class Judge:
    """Counts one account, everything known."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription = replace(subscription, events=_known(subscription, EVER))
        self.policy: Policy = subscription.policy
        self.start = start_of(subscription)
        self.told: dict[tuple[Interval, int, str, str, str, date], tuple[Rules, date, date]] = {}
        named = {row.role for plan in self.policy.plans.values() for row in plan.prices}
        named |= {when.role for when in self.policy.whens}
        self.roles = ["", *(role for role in self.policy.roles if role in named)]  # those whose seats are counted apart
        self.has_overage = any(row.overage for plan in self.policy.plans.values() for row in plan.prices)
        self.cancel: Event | None = None
        for event in subscription.events:
            if event.kind != "cancel":
                continue
            before: Event | None = self.cancel
            if before is None or (event.until if before.until is None else event.day < before.until):
                self.cancel = event

    def of(self, period: JudgedPeriod, item: str) -> JudgedPeriod:
        """The period by the rules of an item."""
        named = "seats" if item == "base" else item.split(">", maxsplit=1)[0]
        if item.endswith(">ordered") and any(when.item == "overage" for when in self.policy.whens):
            named = "overage"
        if named.startswith("seats:") and named[6:] not in self.roles:
            named = "seats"
        terms = (period.interval, period.first.toordinal(), period.plan, named, period.method, period.of_term)
        if terms not in self.told:
            rules = self.policy.rules(*terms[:5])
            self.told[terms] = (rules, *bound(self.subscription, rules, period.first, period.of_term))
        rules, term_start, priced = self.told[terms]
        return replace(period, rules=rules, term_start=term_start, priced_on=priced)

    def days(self, period: JudgedPeriod, last: date | None = None) -> list[date]:
        """The days on which the agreement runs, with those around the period that decide what is billed in it."""
        last = self.last_day(period) if last is None else last
        if last < max(period.first, self.start):
            return []
        is_bound = period.rules.fall.effect in ("next_term", "never")
        waiting = period.rules.rise.waiting_days
        first = (period.term_start if is_bound else period.first) - (period.rules.fall.notice_days + waiting) * ONE
        first = max(first, self.start)
        if waiting and last == period.past - ONE:
            last = self.runs_on(period, waiting)
        return [first + ONE * at for at in range((last - first).days + 1)]

    def runs_on(self, period: JudgedPeriod, waiting: int) -> date:
        """The last day of those after a period on which the agreement still runs."""
        last, cancel, cancelling = period.past - ONE, self.cancel, period.rules.cancel
        if cancel is None:
            return last + waiting * ONE
        if cancel.until is not None:
            return max(last, min(last + waiting * ONE, date.fromordinal(cancel.until) - ONE))
        told = date.fromordinal(cancel.day)
        if cancelling.ends == "day":
            return max(last, min(last + waiting * ONE, told + cancelling.notice_days * ONE))
        return last + waiting * ONE if told + max(cancelling.notice_days - 1, 0) * ONE > last else last

    def due(self, invoiced: JudgedPeriod) -> dict[str, Fraction]:
        """The exact amount of each item for the period, in minor units."""
        amounts: dict[str, Fraction] = defaultdict(Fraction)
        period = self.of(invoiced, "seats")
        days = self.days(period)
        counts = self.billed(period)
        offers = self.offers(period, days, counts)
        inside = [(day, offer) for day, offer in zip(days, offers, strict=True) if period.first <= day < period.past]
        for role, each in counts.items():
            within, total = self.parted(period, role, each)
            for day, offer in inside:
                costs = self.prices_of(period, offer, role, each[day], within[day], total[day])
                for item, amount in costs.items():
                    amounts[item] += amount * self.weight(self.of(period, item), day)
                if not role:
                    row = self.rows(period, offer[0], "").get(0)
                    count = each[day] if row is None or row.overage is None else within[day]
                    amounts["base"] += self.base(period, offer, count) * self.weight(period, day)
        seats_of = {day: sum(each[day] for each in counts.values()) for day, _ in inside}
        for item in {event.item for event in self.subscription.events if event.item}:
            if item in self.policy.add_ons and self.policy.add_ons[item].charge == "once":
                amounts[item] += self.paid_once(self.of(invoiced, item), item, self.last_day(invoiced))
                continue
            period = self.of(invoiced, item)
            days = self.days(period)
            told = [self.add_on(period, day, item) for day in days]
            units = [quantity for quantity, _, _ in told]
            prices = [Fraction(price, months) if quantity else Fraction(0) for quantity, price, months in told]
            units, prices = self.in_effect(period, days, units), self.in_effect(period, days, prices)
            sold = self.policy.add_ons.get(item)
            for day, unit, cost in zip(days, units, prices, strict=True):
                number = unit * seats_of.get(day, 0) if sold is not None and sold.charge == "seat" else unit
                amounts[item] += number * cost * self.weight(period, day)
        return dict(amounts)

    def stated(self, invoiced: JudgedPeriod, line: Line) -> Fraction:
        """What a line comes to on its own, by what the policy rounds, its days counted one by one."""
        period = self.of(invoiced, line.item)
        rounding = period.rules.rounding
        mode, digits = rounding.mode, rounding.digits
        price = Fraction(line.price.minor, line.price.months or 1)
        days = [date.fromordinal(day) for day in range(line.start_day, line.end_day)]
        worths = [price * self.weight(period, day) if line.price.months else price for day in days]
        if rounding.stage == "line":
            return nearest(line.quantity * Fraction(sum(worths)), mode, digits)
        if rounding.stage == "seat":
            return nearest(line.quantity * nearest(Fraction(sum(worths)), mode, digits), mode)
        one = Fraction(0)
        whole = {period.month_borders[0] + ONE * at for at in range((period.past - period.month_borders[0]).days)}
        for month in {(day.year, day.month) for day in days}:
            months = [at for at, day in enumerate(days) if (day.year, day.month) == month]
            if period.rules.share.by == "days_of_month" and line.price.months:
                uncut = len(months) == monthrange(*month)[1]
            else:
                uncut = set(days) == whole or not line.price.months
            one += sum(worths[at] if uncut else nearest(worths[at], mode, digits) for at in months)
        return nearest(line.quantity * one, mode)

    def offers(self, period: JudgedPeriod, days: list[date], counts: dict[str, dict[date, int]]) -> list[Offer]:
        """The plan of each day, as its changes take effect."""
        inside = [day for day in days if period.first <= day < period.past]
        most = {role: max((each[day] for day in inside), default=0) for role, each in counts.items()}
        offers = [self.terms(period, day) for day in days]
        worths = {
            str(offer): self.cost(period, offer, most)
            for offer in dict(zip(map(str, offers), offers, strict=True)).values()
        }
        words = [
            {"restart": "day", "difference": word}.get(said, said)
            for said, word in (
                (period.rules.change.dearer_plan, period.rules.rise.takes_effect),
                (period.rules.change.cheaper_plan, period.rules.fall.effect),
            )
        ]
        return self.in_effect(period, days, offers, key=lambda offer: worths[str(offer)], words=words)

    def stands(self, period: JudgedPeriod, day: date) -> Standing | None:
        """The plan and the seats that the period bills on a day, as far as is known."""
        if day < max(period.first, self.start):
            return None
        counts = self.billed(period, day)
        offers = self.offers(period, self.days(period, day), counts)
        return offers[-1], {role: each[day] for role, each in counts.items()}

    def paid_once(self, period: JudgedPeriod, item: str, last: date) -> int:
        """What was added of an item within the period up to its last day, or before the start."""
        listed = self.listed(self.policy.add_ons[item].prices, period)
        total = 0
        for event in self.subscription.events:
            day = max(date.fromordinal(event.day), self.start)
            if event.item == item and event.kind == "add_on" and period.first <= day <= last:
                price = event.price_minor if event.price_minor is not None else listed[0] if listed else 0
                total += (1 if event.quantity is None else event.quantity) * price
        return total

    def billed(self, period: JudgedPeriod, last: date | None = None) -> dict[str, dict[date, int]]:
        """How many seats are billed on each day up to a last one, by the roles counted apart; "" are all others."""
        last = self.last_day(period) if last is None else last
        found: dict[str, dict[date, int]] = {}
        for role in self.roles:
            own = self.of_role(period, role)
            days = self.days(own, last)
            sold = [self.sold(own, count) for count in self.counts(own, days, role)]
            found[role] = dict(zip(days, self.in_effect(own, days, sold), strict=True))
            if own.rules.seats.count == "larger" and self.has_overage:
                within, total = self.parted(period, role, found[role])
                found[role] = {day: max(within[day], total[day]) for day in within if day in total}
        return found

    def parted(
        self, period: JudgedPeriod, role: str, counts: dict[date, int]
    ) -> tuple[dict[date, int], dict[date, int]]:
        """How many seats of a role are within the order on each day, and how many there are with those beyond it."""
        own, over = self.of_role(period, role), self.of(period, f"seats:{role}>ordered" if role else "seats>ordered")
        if own.rules.seats.count != "larger" or not self.has_overage:
            return counts, counts
        ordered = [self.sold(own, self.bought(own, day, role)) for day in self.days(own)]
        used = [self.sold(own, count) for count in self.counts(own, self.days(over), role, only_people=True)]
        return (
            dict(zip(self.days(own), self.in_effect(own, self.days(own), ordered), strict=True)),
            dict(zip(self.days(over), self.in_effect(over, self.days(over), used), strict=True)),
        )

    def of_role(self, period: JudgedPeriod, role: str) -> JudgedPeriod:
        """The period by the rules of the seats of a role; "" are all others."""
        return self.of(period, f"seats:{role}" if role else "seats")

    def cost(self, period: JudgedPeriod, offer: Offer, counts: dict[str, int]) -> Fraction:
        """What a month of so many seats costs with a plan, nothing ordered."""
        total = self.base(period, offer, counts[""])
        for role, count in counts.items():
            tiers = self.tiers(period, offer, role)
            total += sum(self.tiered(offer, tiers, count).values()) if count else 0
        return total

    def prices_of(
        self, period: JudgedPeriod, offer: Offer, role: str, count: int, within: int, total: int
    ) -> dict[str, Fraction]:
        """What so many seats cost a month, by item; of them so many are within the order, or so many more."""
        item = f"seats:{role}" if role else "seats"
        found: dict[str, Fraction] = {}
        over = (self.rows(period, offer[0], role) or self.rows(period, offer[0], "")).get(0)
        by_order = self.of_role(period, role).rules.seats.count == "larger"
        if by_order and over is not None and over.overage is not None:
            found[f"{item}>ordered"] = max(total - within, 0) * Fraction(over.overage.minor, over.overage.months)
            count = within
        if count:
            for above, amount in self.tiered(offer, self.tiers(period, offer, role), count).items():
                found[f"{item}>{above}" if above else item] = amount
        return found

    def tiered(self, offer: Offer, tiers: dict[int, Fraction], count: int) -> dict[int, Fraction]:
        """What so many seats cost a month, seat by seat; by tier where each has its own."""
        if self.policy.plans[offer[0]].tiers == "volume":
            reached = max((above for above in tiers if above < count), default=0)
            return {0: count * tiers[reached]}
        found: dict[int, Fraction] = defaultdict(Fraction)
        for seat in range(1, count + 1):
            tier = max(above for above in tiers if above < seat)
            found[tier] += tiers[tier]
        return found

    def tiers(self, period: JudgedPeriod, offer: Offer, role: str) -> dict[int, Fraction]:
        """The monthly price of a seat by the number beyond which it holds."""
        plan, agreed = offer
        rows = self.rows(period, plan, role) or self.rows(period, plan, "")
        own = role and self.rows(period, plan, role)
        if period.interval in agreed and not own:
            return {0: Fraction(*agreed[period.interval])}
        return {above: Fraction(row.price.minor, row.price.months) for above, row in rows.items()}

    def rows(self, period: JudgedPeriod, plan: str, role: str) -> dict[int, PriceRow]:
        found = {}
        for row in self.policy.plans[plan].prices:
            in_force = row.interval in (None, period.interval) and (row.from_ is None or row.from_ <= period.priced_on)
            if in_force and (row.role or "") == role:
                found[row.above] = row
        return found

    def in_effect(
        self,
        period: JudgedPeriod,
        days: list[date],
        values: list[V],
        *,
        key: Callable[[Any], Any] = lambda value: value,
        words: Sequence[str] = (),
    ) -> list[V]:
        """The values of days by when rises, and then falls, take effect."""
        fall, waiting = period.rules.fall, period.rules.rise.waiting_days
        if waiting:
            values = [self.lasting(values, at, waiting, key) for at in range(len(values))]
        if fall.notice_days:
            values = [max(values[max(at - fall.notice_days, 0) : at + 1], key=key) for at in range(len(values))]
        base = period.term_start if fall.effect in ("next_term", "never") else period.first
        rises, falls = words or (period.rules.rise.takes_effect, fall.effect)
        for word, early, late in ((rises, max, min), (falls, min, max)):
            if word == "day":
                continue
            step: int = {"month": 1, "quarter": 3}.get(word.removeprefix("next_"), 12)
            borders = [*period.month_borders[::step], period.past]
            if word in ("next_term", "never"):
                borders = [period.term_start, period.past]
            for first, past in pairwise(borders):
                within = [at for at, day in enumerate(days) if max(first, base) <= day < past]
                waits = word.startswith("next_") or word == "never"
                back = fall.window_days if early is min and waits else 0
                best, order = (late, within) if waits else (early, within[::-1])
                values = values[:]
                for place, at in enumerate(order):
                    if back and place <= back:
                        continue  # so soon everything can be given back
                    if back:
                        least = min((values[one] for one in order[place - back - 1 : place]), key=key)
                        values[at] = late(values[at], least, key=key)
                    elif place:
                        values[at] = best(values[order[place - 1]], values[at], key=key)
        return values

    def lasting(self, values: list[V], at: int, waiting: int, key: Callable[[Any], Any]) -> V:
        """The most of which there was no less for so many days around a day; the first and last value last on."""
        padded = [values[0]] * waiting + values + [values[-1]] * waiting
        here = at + waiting
        stretches = (padded[first : first + waiting] for first in range(here - waiting + 1, here + 1))
        return max((min(stretch, key=key) for stretch in stretches), key=key)

    def last_day(self, period: JudgedPeriod) -> date:
        if period.cut is not None:
            return min(self.last_day(replace(period, cut=None)), period.cut - ONE)
        whole = period.past - ONE
        if self.cancel is None:
            return whole
        if self.cancel.until is not None:
            last = date.fromordinal(self.cancel.until) - ONE
        else:
            ends, notice = period.rules.cancel.ends, period.rules.cancel.notice_days
            last = date.fromordinal(self.cancel.day) + (notice if ends == "day" else max(notice - 1, 0)) * ONE
            if ends == "term":
                return whole if period.of_term <= last else period.first - ONE
            if self.whole(period) <= last and ends == "period":
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

    def holders(self, period: JudgedPeriod, day: date) -> dict[str, str]:
        """Who counts, each with the role that has a price of its own, or ""."""
        upto = self.moment(period, day).toordinal()
        standing: dict[str, tuple[str, str]] = {}
        seen: dict[str, int] = {}
        joined: dict[str, int] = {}
        first_role = next(iter(self.policy.roles), "")
        for event in self.subscription.events:
            if event.day > upto or not event.user:
                continue
            state, role = standing.get(event.user, ("gone", first_role))
            if event.kind in self.policy.joins_with:
                joined[event.user] = min(event.day, joined.get(event.user, event.day))
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
        rules_of = {role: self.of_role(period, role).rules.seats for role in self.roles}
        waits = max(
            (one.seats.idle_days for one in self.policy.variants.values() if one.seats.counts_from == "activity"),
            default=0,
        )
        found = {}
        for user, (state, role) in standing.items():
            apart = role if role in rules_of else ""
            rules = rules_of[apart]
            counted = {"active", "invited"} if rules.counts_from == "invitation" else {"active"}
            counted |= {"suspended"} if rules.suspended == "billed" else set()
            is_idle = rules.counts_from == "activity" and seen.get(user, -waits) + waits <= upto
            is_free = role in rules.free or (role in self.policy.roles and not self.policy.roles[role].billed)
            is_new = self.policy.free_days and upto < joined.get(user, upto) + self.policy.free_days
            if state in counted and not is_idle and not is_free and not is_new:
                found[user] = apart
        return found

    def has_ordered(self, period: JudgedPeriod, day: date, role: str) -> bool:
        """Whether the account buys seats by then, or its seats do not follow its members."""
        return bool(self.orders(period, day, role)) or not self.subscription.seats_follow

    def counts(self, period: JudgedPeriod, days: list[date], role: str, *, only_people: bool = False) -> list[int]:
        """What is measured for each day of a role's seats, before minimum and the like."""
        rules = period.rules.seats
        if not days:
            return []
        over = days
        if rules.of == "period_before" and rules.measure in ("peak", "mean", "distinct", "snapshot"):
            first = max(period.before, self.start)
            over = [first + ONE * at for at in range((period.first - first).days)]
        if not over:
            found = [self.daily(period, days, role)[0]] * len(days)
        else:
            found = self.measured(period, over, role)
            found = found if over is days else [found[0]] * len(days)
        if rules.count == "larger" and not only_people:
            found = [max(count, self.bought(period, day, role)) for count, day in zip(found, days, strict=True)]
        return found

    def measured(self, period: JudgedPeriod, days: list[date], role: str) -> list[int]:
        rules = period.rules.seats
        daily = self.daily(period, days, role)
        if rules.measure == "high_water":
            return list(accumulate(daily, max))
        if rules.measure == "held":
            had = [self.holders(period, day) for day in days]
            return [self.in_dearest(period, days[0], had[: at + 1], role) for at in range(len(days))]
        if rules.measure == "peak":
            return [max(daily)] * len(days)
        if rules.measure == "mean":
            return [math.floor(Fraction(sum(daily), len(days)) + Fraction(1, 2))] * len(days)
        if rules.measure == "snapshot":
            at = len(days) - 1 if rules.on_day == 0 else min(rules.on_day, len(days)) - 1
            return [daily[at]] * len(days)
        if rules.measure == "distinct":
            had = [self.holders(period, day) for day in days]
            return [self.in_dearest(period, days[0], had, role)] * len(days)
        return daily

    def in_dearest(self, period: JudgedPeriod, first: date, had: list[dict[str, str]], role: str) -> int:
        """How many counted on enough of the days whose dearest role, by the plan of the first day, it was."""
        plan, _ = self.terms(period, first)
        measure = period.rules.seats.measure
        alike = [one for one in self.roles if self.of_role(period, one).rules.seats.measure == measure]
        prices = {one: max(self.tiers(period, (plan, {}), one).values(), default=Fraction(0)) for one in alike}
        count = 0
        for user in set().union(*had):
            roles = [day[user] for day in had if day.get(user) in alike]
            enough = [one for one in set(roles) if len(roles) >= self.least(period, one, len(had))]
            if enough:
                count += role == max(sorted(enough, key=self.roles.index), key=lambda one: prices[one])
        return count

    def least(self, period: JudgedPeriod, role: str, length: int) -> int:
        """On how many days somebody has to count to be one of a role's people."""
        rules = self.of_role(period, role).rules.seats
        return min(rules.least_days or length, length) if rules.measure == "distinct" else 1

    def daily(self, period: JudgedPeriod, days: list[date], role: str) -> list[int]:
        """How many there are on each day."""
        found: list[int] = []
        for day in days:
            if period.rules.seats.count == "bought" and self.has_ordered(period, day, role):
                found.append(self.bought(period, day, role))
                continue
            count = sum(one == role for one in self.holders(period, day).values())
            found.append(max([count, *found[-1:]]) if period.rules.seats.count == "bought" else count)
        return found

    def bought(self, period: JudgedPeriod, day: date, role: str) -> int:
        return next((event.quantity or 0 for event in self.orders(period, day, role)), 0)

    def orders(self, period: JudgedPeriod, day: date, role: str) -> list[Event]:
        """What was ordered for a role by then, the latest first."""
        upto = self.moment(period, day).toordinal()
        found: list[Event] = []
        for event in self.subscription.events:
            told = event.kind in ("start", "trial", "seats") and event.quantity is not None and event.day <= upto
            if told and (event.role if event.role in self.roles else "") == role:
                found.insert(0, event)
        return found

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

    def base(self, period: JudgedPeriod, offer: Offer, count: int) -> Fraction:
        """What the plan costs beside so many seats, a month."""
        volume = self.policy.plans[offer[0]].tiers == "volume"
        found = Fraction(0)
        for above, row in sorted(self.rows(period, offer[0], "").items()):
            if row.base is not None and (above == 0 or (volume and above < count)):
                found = Fraction(row.base.minor, row.base.months)
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
        return self.listed_on(rows, period.interval, period.priced_on)

    def listed_on(self, rows: tuple[PriceRow, ...], interval: str, day: date) -> tuple[int, int] | None:
        found = None
        for row in rows:
            plain = row.role is None and not row.above
            if plain and row.interval in (None, interval) and (row.from_ is None or row.from_ <= day):
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
        """How many months the day is worth in the period."""
        if not period.first <= day < period.past:
            return Fraction(0)
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
