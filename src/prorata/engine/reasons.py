"""The rules of a policy that make a line what it is, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from prorata.engine.arithmetic import is_by_day, is_seat_exact
from prorata.engine.calendar import MONTHS, to_day
from prorata.engine.document import Document, Line
from prorata.engine.early import BEGINNINGS, ended_early, gone_too_soon, in_time
from prorata.engine.history import END_EVENTS, Event
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import SEATS, RiseRules
from prorata.engine.prepaid import Stock, months_of
from prorata.engine.price import yearly
from prorata.engine.words import days, plural


@dataclass(frozen=True, slots=True)
class Grounds:
    """A line of a document, and what is behind it.

    It is told by the rules of its own period, and where they say when a change counts by those of the line that it is
    `judged` as. `drawn` says whether a rise or a fall is drawn forward or put off to its first day, `kept` whether
    seats that fell are still billed for their notice, and for what falls wait for.
    """

    line: Line
    document: Document
    causes: Collection[Event]
    judged: Line
    drawn: Literal["rise", "fall"] | None
    kept: tuple[bool, bool]

    @property
    def cancel(self) -> Event | None:
        return next((event for event in self.causes if event.kind in END_EVENTS), None)

    @property
    def is_of_tier(self) -> bool:
        """Whether it is what the seats cost that their number moved."""
        return self.line.kind == "price" and self.judged.kind != "price"


def rules_of(one: Grounds) -> Iterator[str]:
    """The rules by which a line begins on its day, is worth its share, is settled on its document and is rounded."""
    line = one.line
    if ended_early(line, one.document):
        keys = ", ".join(f"change.{key}" for key in _beginning(one))
        yield f"a new period begins on that day, and the rest of this one is credited ({keys})"
        yield from _share(line)
    elif line.period.stock is not None and line.item == SEATS:
        yield from _lasting(line, line.period.stock, one.causes)
    else:
        if one.causes and all(event.withdraws is not None for event in one.causes):
            yield "what is withdrawn is billed as if it had never been told"
        else:
            yield from _cancelled(one) if one.cancel else _moved(one)
        if line.period.once:
            yield f"{line.item} is paid once, when it is added (add_ons.{line.item}.charge)"
        else:
            yield from _share(line)
        if line.period.is_later:
            yield f"it is billed in arrears, once its {line.period.unit.replace('_', ' ')} is over (period.charge)"
        if line.kind != "period" and not one.is_of_tier:
            yield from _settled(one)
    yield from _rounding(line)


def _lasting(line: Line, stock: Stock, causes: Iterable[Event]) -> Iterator[str]:
    """How long what is paid lasts, and where it ended another day than it would have."""
    by_months = line.period.rules.share.by == "months"
    if stock.carried:
        left, whole, lasts = (
            months_of(line.start_day, end) if by_months else Fraction(end - line.start_day)
            for end in (stock.paid_until, stock.whole_until, stock.end)
        )
        rest = stock.carried * left + stock.bought * whole - stock.seats * lasts
        paid = f"{_count(stock.carried)} with {_speak_time(left, by_months)} left"
        bought = f" and {_count(stock.bought)} of {_speak_time(whole, by_months)}" if stock.bought else ""
        lost = ", and the rest of a day is lost" if rest else ""
        yield f"{paid}{bought} last {_count(stock.seats)} {_speak_time(lasts, by_months)}{lost} (change.more_seats)"
    elif line.period.anchor == line.period.start and not any(event.kind in ("start", "trial") for event in causes):
        yield "what was paid for before lasted up to this day (change.more_seats)"


def _count(seats: int) -> str:
    return f"{seats} {plural('seat', seats)}"


def _speak_time(time: Fraction, by_months: bool) -> str:
    """`31 days`, `7 months`, `2 1/15 months`, `1/6 of a month`."""
    if not by_months:
        return days(int(time))
    whole, part = divmod(time, 1)
    if not whole:
        return f"{part} of a month"
    return f"{whole}{f' {part}' if part else ''} {plural('month', 1 if time == 1 else 2)}"


def _cancelled(one: Grounds) -> Iterator[str]:
    assert one.cancel is not None
    if one.cancel.until is not None:
        return
    when = "with the day" if one.line.period.policy.ticks == 1 else "at the moment"
    was, of = ("paused", "pause") if one.cancel.kind == "pause" else ("cancelled", "cancellation")
    yield f"a {was} agreement ends {when} of the {of} (cancel.ends)"
    if notice := one.line.period.rules.cancel.notice_days:
        yield f"a {of} counts {days(notice)} after it was told (cancel.notice_days)"


def _moved(one: Grounds) -> Iterator[str]:
    """From when on what rose or fell counts."""
    line = one.line
    is_inside = line.kind != "period" or line.start_day > line.period.start
    if line.period.policy.ticks == 1 and not line.period.once and is_inside:
        yield _CHANGE_DAY[line.period.rules.seats.change_day]
    if one.is_of_tier:
        yield f"what a seat costs depends on how many there are (plans.{line.price.plan}.tiers)"
        if line.amount_minor < 0 < one.judged.quantity and line.period.rules.fall.give == "nothing":
            yield "a price that fell because there are more is credited, although falls give nothing (fall.give)"
    yield from _effect(one)
    if one.kept[0] or _was_noticed(one.judged, one.causes):
        notice = one.judged.period.rules.fall.notice_days
        yield f"what falls away counts {days(notice)} after it was told (fall.notice_days)"


def _effect(one: Grounds) -> Iterator[str]:
    moves = one.judged.period.rules
    table = one.drawn or ("rise" if one.judged.quantity > 0 else "fall")
    effect = moves.rise.takes_effect if table == "rise" else moves.fall.effect
    too_soon = gone_too_soon(one.judged, ())
    if too_soon and set(too_soon) == set(one.causes):
        yield f"what is gone again within {days(moves.rise.waiting_days)} is not charged (rise.waiting_days)"
    elif in_time(one.judged, one.causes):
        yield f"within {days(moves.fall.window_days)} after it was bought it can be given back (fall.window_days)"
    elif effect == "day" or (table == "fall" and (moves.fall.give == "nothing" or one.kept == (True, False))):
        return
    elif one.drawn or one.line.kind != "period":
        yield f"what {_MOVES[table]} takes effect {_EFFECT[effect]} ({table}.takes_effect)"


def _settled(one: Grounds) -> Iterator[str]:
    """How what rose or fell came on a document, where that is not its period's own."""
    line, rules = one.line, one.line.period.rules
    own_bill = any(other.period.billed_on == to_day(one.document.date) for other in one.document.lines)
    settle = rules.rise.settle if line.amount_minor >= 0 else rules.fall.settle
    if own_bill and settle not in ("next_invoice", "now"):
        return
    if line.amount_minor >= 0:
        yield _charged(line, one.document.currency)
    elif rules.fall.give == "nothing":  # a correction
        yield _CORRECTED[settle]
    else:
        yield _REFUND[settle] if rules.fall.give == "refund" else f"{_FALL[settle]} (fall.settle)"


def _charged(line: Line, currency: str) -> str:
    rise = line.period.rules.rise
    settled, keys = _RISE[rise.settle], "rise.settle"
    if rise.settle == "now" and rise.waiting_days and not line.period.once:
        settled = f"what is added is charged {days(rise.waiting_days)} later, if it is still there"
        keys = "rise.settle, rise.waiting_days"
    return f"{settled}{enough(rise, currency)} ({keys})"


def enough(rise: RiseRules, currency: str) -> str:
    """From how much on what has risen is settled before the next period's bill; nothing where any is enough."""
    least = [f"{rise.least_seats} {plural('seat', rise.least_seats)} more"] if rise.least_seats else []
    least += [speak_amount(rise.least_amount, currency)] if rise.least_amount else []
    return f" where {' or '.join(least)} are open by then, and else with the next invoice" if least else ""


def _was_noticed(line: Line, causes: Iterable[Event]) -> bool:
    """Whether a fall of some days before is what the line is about."""
    if line.kind != "period" or not line.period.notice:
        return line.quantity < 0 and line.period.notice > 0
    inside = line.start_day > line.period.start
    return inside and any(event.day + line.period.delay < line.start_day for event in causes)


def _beginning(one: Grounds) -> list[str]:
    """By which rules a new period began within the one of which the line credits the rest."""
    keys = one.line.period.rules.change.restarting
    kinds = {event.kind for event in one.causes}
    plan = _plan_rule(one.line, one.document) if "plan" in kinds else None
    found = [key for key in keys if BEGINNINGS[key] & kinds and (key in (plan, "interval", "more_seats") or not plan)]
    return found or list(keys)


def _plan_rule(line: Line, document: Document) -> Literal["dearer_plan", "cheaper_plan"] | None:
    """Whether the new period's plan is dearer or cheaper for the seats in it; None where no list price tells."""
    new = [one for one in document.lines if one.kind == "period" and one.period.start == line.start_day]
    same = next((one for one in new if one.item == line.item), None)
    if line.period.is_flat and same is not None:
        more = same.price.yearly_minor - line.price.yearly_minor
    else:
        plan = next((one.price.plan for one in new if one.price.plan), "")
        offers = [line.period.tariffs.get(name) for name in (line.price.plan, plan)]
        before, after = (None if offer is None else yearly(offer, _counts(new), line.period) for offer in offers)
        if before is None or after is None:
            return None
        more = after - before
    return "dearer_plan" if more > 0 else "cheaper_plan" if more < 0 else None


def _counts(lines: Iterable[Line]) -> Mapping[str, int]:
    """How many seats of each role some lines bill."""
    counts = {"": 0}
    for line in lines:
        if line.item.startswith(SEATS):
            role = line.period.role_of(line.item)
            counts[role] = counts.get(role, 0) + line.quantity
    return counts


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
_CORRECTED = {
    "next_invoice": "what was billed and is not due is credited with the next invoice",
    "now": "what was billed and is not due is credited at once",
}
_STARTED = {
    "full": "a started {} counts whole",
    "free": "a started {} counts from the next one",
    "by_days": "a started {} counts by its days",
    "by_30": "a started {} counts by its days, each 1/30",
}


def _share(line: Line) -> Iterator[str]:
    rules = line.period.rules
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


def _rounding(line: Line) -> Iterator[str]:
    """Where something else was rounded than the amount, or to other decimals."""
    rules = line.period.rules.rounding
    keys = "rounding.stage" if rules.digits is None else "rounding.stage, rounding.digits"
    if rules.stage == "seat" and not is_seat_exact(line):
        yield f"the price of one is rounded before it is multiplied ({keys})"
    elif rules.stage == "day" and is_by_day(line):
        yield f"the price of a day is rounded before it is multiplied ({keys})"
    elif rules.stage in ("running", "line") and rules.digits is not None and line.exact_minor != line.amount_minor:
        yield f"amounts are rounded to {rules.digits or 'no'} {plural('decimal', rules.digits)} (rounding.digits)"
