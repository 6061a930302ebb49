"""Why a line is what it is: the people and events behind it, the arithmetic, the rules of the policy in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from prorata.engine.arithmetic import arithmetic, is_by_day, is_seat_exact
from prorata.engine.calendar import MONTHS, Day, day_of, speak_day, speak_point, speak_stretch, to_day
from prorata.engine.causes import Causes
from prorata.engine.document import Document, Line
from prorata.engine.due import BASE, SEATS
from prorata.engine.early import BEGINNINGS, ended_early, in_time
from prorata.engine.history import Event, Subscription
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import RiseRules, Rules, SeatRules
from prorata.engine.prepaid import Stock, months_of
from prorata.engine.quantity import billed_quantity


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line in words. `people` are those who hold the seats on its first day, where people are counted.

    Where everyone of the period counts, they are all of them.
    """

    text: str
    causes: tuple[str, ...]
    people: tuple[str, ...]
    arithmetic: str
    rules: tuple[str, ...]

    def __str__(self) -> str:
        because = f": {_listed(self.causes)}" if self.causes else ""
        held = [f"held by {_listed(self.people)}"] if self.people else []
        return "\n".join([self.text + because, *held, self.arithmetic, *self.rules])


def explain(line: Line, document: Document, subscription: Subscription) -> Explanation:
    """The reasons of one line of `document`, from the history of the account that it was billed to."""
    return Explainer(subscription).explain(line, document)


class Explainer:
    """Explains an account's lines, one after the other."""

    def __init__(self, subscription: Subscription) -> None:
        self._causes = Causes(subscription)

    def explain(self, line: Line, document: Document) -> Explanation:
        people = tuple(self._causes.holders(line, document))
        drawn = self._causes.drawn(line, document)
        causes = self._causes.of(line, document)
        if people:  # besides them, what was drawn forward to the first day
            by_then = line.start_day - line.period.delay
            causes = tuple(event for event in causes if drawn and event.day > by_then)
        return Explanation(
            text=describe(line, document),
            causes=tuple(_cause(event, document.currency, line.period.policy.ticks) for event in causes),
            people=people,
            arithmetic=arithmetic(line, document.currency),
            rules=tuple(self._rules(line, document, people, causes)),
        )

    def _rules(
        self, line: Line, document: Document, people: Collection[str], causes: Collection[Event]
    ) -> Iterator[str]:
        """The rules that make the line what it is, those that decide how many first."""
        if self._causes.is_ordered(line, document):
            yield "as many seats are billed as are ordered (seats.count)"
        if line.item == SEATS and _minimum_decides(line, people, causes):
            yield f"never fewer than {line.period.rules.seats.minimum} seats are billed (seats.minimum)"
        counted = self._causes.counted(line, document)
        if counted is not None:
            yield from _sold(line, *counted)
        judged = self._causes.judged(line, causes)
        yield from _rules(line, document, causes, judged, self._causes.drawn(line, document))
        yield from _rounding_rule(line)
        if line.after is not None and (plan := _keeps_rules_of(line)):
            yield f"until the next invoice the rules of {plan} hold, on which this one began (when.plan)"


def _keeps_rules_of(line: Line) -> str:
    """The plan with which the line's invoice began, where it has other rules than the one that is billed."""
    period, policy = line.period, line.period.policy
    if not policy.by_plan or line.price.plan in ("", period.plan):
        return ""
    day = period.start // policy.ticks
    began, billed = (policy.rules(period.interval, day, plan) for plan in (period.plan, line.price.plan))
    return (policy.plans[period.plan].title or period.plan) if began != billed else ""


def describe(line: Line, document: Document | None = None) -> str:
    """What the line bills, as a customer reads it: `1 seat PRO added, 11–30 April 2026`.

    Beside the other lines of its document it may be the rest of a period that ended early.
    """
    policy = line.period.policy
    days = speak_stretch(line.start_day, line.end_day, policy.ticks)
    count = abs(line.quantity)
    if line.price.plan:
        plan = policy.plans[line.price.plan].title or line.price.plan
        what = f"{plan}, base price" if line.item == BASE else f"{_seats(line, count)} {plan}{_which(line)}"
    else:
        add_on = policy.add_ons.get(line.item)
        what = f"{count} × {add_on.title if add_on and add_on.title else line.item}"
    if line.kind == "plan" and line.before and line.after:
        old, new = (policy.plans[price.plan].title or price.plan for _, price in (line.before, line.after))
        moved = "base price" if line.item == BASE else _seats(line, count)
        return f"{moved} from {old} to {new}, {days}"
    ending = {"rise": " added", "fall": " removed", "price": ", price changed"}.get(line.kind, "")
    if document is not None and ended_early(line, document):
        ending = ", rest of the period that ended early"
    return f"{what}{ending}, {days}"


def _seats(line: Line, count: int) -> str:
    role = f"{line.price.role} " if line.price.role else ""
    return f"{count} {role}{_plural('seat', count)}"


def _which(line: Line) -> str:
    if line.item.endswith(">ordered"):
        return " beyond those ordered"
    return f" above {line.price.above}" if line.price.above else ""


def _cause(event: Event, currency: str, ticks: int) -> str:
    price = "" if event.price_minor is None else f" at {speak_amount(event.price_minor, currency)}"
    last = speak_point(event.until or event.day, ticks)
    said = {
        "invite": f"{event.user} was invited",
        "accept": f"{event.user} accepted the invitation",
        "activate": f"{event.user} joined",
        "deactivate": f"{event.user} was deactivated",
        "suspend": f"{event.user} was suspended",
        "resume": f"{event.user} was let in again",
        "activity": f"{event.user} was active",
        "idle": f"{event.user} was last active on {last} and is not billed any more,",
        "role": f"{event.user} became {event.role}",
        "seats": f"{event.role} seats set to {event.quantity}".strip(),
        "plan": f"plan {event.plan} agreed" if price else f"plan changed to {event.plan}",
        "trial_plan": f"the trial of {event.plan} began",
        "start": "the agreement started",
        "trial": "the trial began",
        "add_on": f"{event.item} added",
        "remove_add_on": f"{event.item} removed",
        "cancel": "the agreement was cancelled",
        "interval": "the interval was changed",
        "payment_method": f"the payment method was changed to {event.payment_method}",
    }[event.kind]
    why = f" ({event.reason})" if event.reason else ""
    recorded = day_of(event.recorded)
    late = "" if recorded == event.day // ticks else f" (recorded on {speak_day(recorded)})"
    ends = f", to end with {speak_day((event.until - 1) // ticks)}" if event.kind == "cancel" and event.until else ""
    return f"{said}{price} on {speak_point(event.day, ticks)}{ends}{why}{late}"


def _minimum_decides(line: Line, people: Collection[str], causes: Iterable[Event]) -> bool:
    """Whether more seats are billed, or fewer come or go, than there are people behind it."""
    seats = line.period.rules.seats
    told = [held[0] for held in (line.before, line.after) if held is not None]
    if not seats.minimum or seats.minimum not in told or seats.packages or seats.included:
        return False
    if seats.count == "bought":
        return line.after is not None and line.after[0] == seats.minimum
    moved = len(people) if line.kind == "period" else sum(1 for event in causes if event.user)
    return not moved or moved != abs(line.quantity)


def _sold(line: Line, before: int, after: int) -> Iterator[str]:
    """The rules by which other numbers come or go than were counted: step by step as `billed_quantity` goes."""
    seats = line.period.rules.seats
    last = seats.packages[-1] if seats.packages else 0
    sizes = ", ".join(str(size) for size in seats.packages)
    step = f", and beyond {last} in steps of {last - seats.packages[-2]}" if len(seats.packages) > 1 else ""
    said = {
        "packages": f"seats are sold in packages of {sizes}{step} (seats.packages)",
        "included": f"{seats.included} of the seats {'is' if seats.included == 1 else 'are'} included (seats.included)",
        "maximum": f"never more than {seats.maximum} {_plural('seat', seats.maximum)} "
        f"{'is' if seats.maximum == 1 else 'are'} billed (seats.maximum)",
    }
    none = replace(seats, packages=(), included=0, maximum=0)
    so_far = _more(none, line, before, after)
    for key, rules in (
        ("packages", replace(none, packages=seats.packages)),
        ("included", replace(none, packages=seats.packages, included=seats.included)),
        ("maximum", seats),
    ):
        more = _more(rules, line, before, after)
        if more != so_far:
            yield said[key]
        so_far = more


def _more(seats: SeatRules, line: Line, before: int, after: int) -> int:
    """How many more seats are billed by some of the rules; none were where nothing was billed, or is."""
    was, now = (billed_quantity(seats, [(0, count)])[0][1] for count in (before, after))
    return (0 if line.after is None else now) - (0 if line.before is None else was)


def _rules(
    line: Line, document: Document, causes: Collection[Event], judged: Line, drawn: Literal["rise", "fall"] | None
) -> Iterator[str]:
    """By the rules of its own period, and where they say when a change counts by those it is `judged` by."""
    rules, moves = line.period.rules, judged.period.rules
    if ended_early(line, document):
        begun = _begun_anew(line, causes)
        yield f"a new period begins on that day, and the rest of this one is credited ({begun})"
        yield from _share_rule(line, rules)
        return
    if line.period.stock is not None and line.item == SEATS:
        yield from _stock_rule(line, line.period.stock, causes)
        return
    cancel = next((event for event in causes if event.kind == "cancel"), None)
    if cancel is not None:
        if cancel.until is None:
            when = "with the day" if line.period.policy.ticks == 1 else "at the moment"
            yield f"a cancelled agreement ends {when} of the cancellation (cancel.ends)"
            if notice := rules.cancel.notice_days:
                yield f"a cancellation counts {_days(notice)} after it was told (cancel.notice_days)"
    elif (
        line.period.policy.ticks == 1
        and not line.period.once
        and (line.kind != "period" or line.start_day > line.period.start)
    ):
        yield _CHANGE_DAY[rules.seats.change_day]
    table = drawn or ("rise" if line.quantity > 0 else "fall")
    effect = moves.rise.takes_effect if table == "rise" else moves.fall.effect
    gives_nothing = table == "fall" and moves.fall.give == "nothing"
    if in_time(judged, causes):
        yield f"within {_days(moves.fall.window_days)} after it was bought it can be given back (fall.window_days)"
    elif (drawn or line.kind != "period") and effect != "day" and not gives_nothing:
        yield f"what {_MOVES[table]} takes effect {_EFFECT[effect]} ({table}.takes_effect)"
    if line.period.notice and cancel is None and _was_noticed(line, causes):
        notice = rules.fall.notice_days
        yield f"what falls away counts {_days(notice)} after it was told (fall.notice_days)"
    if line.period.once:
        yield f"{line.item} is paid once, when it is added (add_ons.{line.item}.charge)"
    else:
        yield from _share_rule(line, rules)
    if line.kind == "period":
        return
    own_bill = any(other.period.billed_on == to_day(document.date) for other in document.lines)
    settle = rules.rise.settle if line.amount_minor >= 0 else rules.fall.settle
    if settle in ("next_invoice", "now") or not own_bill:
        if line.amount_minor < 0:
            yield _REFUND[settle] if rules.fall.give == "refund" else f"{_FALL[settle]} (fall.settle)"
        else:
            settled = _RISE[settle]
            if settle == "now" and (days := rules.rise.waiting_days):
                settled = f"what is added is charged {_days(days)} later, if it is still there"
            yield f"{settled}{enough(rules.rise, document.currency)} (rise.settle)"


def enough(rise: RiseRules, currency: str) -> str:
    """From how much on what has risen is settled before the next period's bill; nothing where any is enough."""
    least = [f"{rise.least_seats} {_plural('seat', rise.least_seats)} more"] if rise.least_seats else []
    least += [speak_amount(rise.least_amount, currency)] if rise.least_amount else []
    return f" where {' or '.join(least)} are open by then, and else with the next invoice" if least else ""


def _was_noticed(line: Line, causes: Iterable[Event]) -> bool:
    """Whether a fall of some days before is what the line is about."""
    if line.kind != "period":
        return line.quantity < 0
    inside = line.start_day > line.period.start
    return inside and any(event.day + line.period.delay < line.start_day for event in causes)


def _begun_anew(line: Line, causes: Collection[Event]) -> str:
    """By which rules a new period began within the one of which the line credits the rest."""
    keys = line.period.rules.change.restarting
    kinds = {event.kind for event in causes}
    return ", ".join(f"change.{key}" for key in [key for key in keys if BEGINNINGS[key] & kinds] or keys)


_CHANGE_DAY = {
    "billed": "the day someone joins is billed, the day someone leaves is not (seats.change_day)",
    "not_billed": "the day of change is not billed (seats.change_day)",
}
_MOVES = {"rise": "is added", "fall": "falls away"}
_EFFECT = {
    "month": "with the first day of its month",
    "quarter": "with the first day of its quarter",
    "period": "with the first day of the period",
    "next_month": "with the next month",
    "next_quarter": "with the next quarter",
    "next_period": "with the next period",
    "next_term": "with the next term",
    "never": "with the end of the agreement",
}
_RISE = {
    "next_invoice": "what is added is charged with the next invoice",
    "month": "what is added is charged on the first day of the next month",
    "quarter": "what is added is charged at the next calendar quarter",
    "own_month": "what is added is charged when the next month of the period begins",
    "own_quarter": "what is added is charged when the next quarter of the period begins",
    "now": "what is added is charged at once",
}
_FALL = {
    "next_invoice": "what falls away is credited with the next invoice",
    "now": "what falls away is credited at once",
}

_REFUND = {
    "next_invoice": "what falls away is taken off the next invoice, and what exceeds that is paid back (fall.give)",
    "now": "what falls away is paid back at once (fall.settle)",
}

_STARTED = {
    "full": "a started {} counts whole",
    "free": "a started {} counts from the next one",
    "by_days": "a started {} counts by its days",
    "by_30": "a started {} counts by its days, each 1/30",
}


def _stock_rule(line: Line, stock: Stock, causes: Iterable[Event]) -> Iterator[str]:
    """How long what is paid lasts, and where it ended another day than it would have."""
    by_months = line.period.rules.share.by == "months"
    if stock.carried:
        left, whole, lasts = (
            _speak_time(line.start_day, end, by_months) for end in (stock.paid_until, stock.whole_until, stock.end)
        )
        paid = f"{_count(stock.carried)} with {left} left"
        bought = f" and {_count(stock.bought)} of {whole}" if stock.bought else ""
        yield f"{paid}{bought} last {_count(stock.seats)} {lasts} (change.more_seats)"
    elif line.period.anchor == line.period.start and not any(event.kind in ("start", "trial") for event in causes):
        yield "what was paid for before lasted up to this day (change.more_seats)"


def _count(seats: int) -> str:
    return f"{seats} {_plural('seat', seats)}"


def _speak_time(start: Day, end: Day, by_months: bool) -> str:
    if not by_months:
        return _days(end - start)
    months = months_of(start, end)
    whole, part = divmod(months, 1)
    said = f"{whole} {part}" if whole and part else f"{part or whole}"
    return f"{said} {_plural('month', 1 if months == 1 else 2)}"


def _share_rule(line: Line, rules: Rules) -> Iterator[str]:
    numerator, denominator = line.share
    if numerator * line.price.months == denominator * MONTHS[line.period.unit]:
        return  # all of the period
    by_time = "time is worth its part of the billing period"
    by_days = "a day is worth one part of the billing period's days"
    yield {
        "days_of_period": by_time if line.period.policy.ticks > 1 else by_days,
        "days_of_month": "a day is worth one part of its calendar month's days",
        "days_of_365": "a day is worth 1/365 of the yearly price",
        "months": _STARTED[rules.share.started].format("month"),
        "quarters": _STARTED[rules.share.started].format("quarter"),
        "period": _STARTED[rules.share.started].format("period"),
    }[rules.share.by] + " (share.by)"


def _rounding_rule(line: Line) -> Iterator[str]:
    """Where something else was rounded than the amount, or to other decimals."""
    rules = line.period.rules.rounding
    keys = "rounding.stage" if rules.digits is None else "rounding.stage, rounding.digits"
    if rules.stage == "seat" and not is_seat_exact(line):
        yield f"the price of one is rounded before it is multiplied ({keys})"
    elif rules.stage == "day" and is_by_day(line):
        yield f"the price of a day is rounded before it is multiplied ({keys})"
    elif rules.stage in ("running", "line") and rules.digits is not None and line.exact_minor != line.amount_minor:
        yield f"amounts are rounded to {rules.digits or 'no'} {_plural('decimal', rules.digits)} (rounding.digits)"


def _listed(words: Iterable[str], most: int = 8) -> str:
    said = list(words)
    return ", ".join(said[:most]) + (f" and {len(said) - most} more" if len(said) > most else "")


def _days(count: int) -> str:
    return f"{count} {_plural('day', count)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
