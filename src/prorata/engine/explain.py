"""Why a line is what it is: the people and events behind it, the arithmetic, the rules of the policy in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from prorata.engine.arithmetic import arithmetic
from prorata.engine.calendar import day_of, speak_day, speak_point, speak_stretch
from prorata.engine.causes import Causes, Drawn
from prorata.engine.document import Document, Line
from prorata.engine.early import ended_early
from prorata.engine.history import END_EVENTS, FOLLOWING, Event, Subscription
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import BASE, SeatRules, is_beyond, seats_of
from prorata.engine.quantity import billed_quantity
from prorata.engine.reasons import Grounds, rules_of
from prorata.engine.words import plural, some_of


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
        because = f": {some_of(self.causes)}" if self.causes else ""
        held = [f"held by {some_of(self.people)}"] if self.people else []
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
        causes = self._causes.of(line, document)
        drawn = self._causes.drawn(line, document, causes)
        if people:  # besides them, what was drawn forward to the first day
            by_then = line.start_day - line.period.delay
            causes = tuple(event for event in causes if drawn and event.day > by_then)
        return Explanation(
            text=describe(line, document),
            causes=tuple(self._cause(event, line, document) for event in causes),
            people=people,
            arithmetic=arithmetic(line, document.currency),
            rules=tuple(self._rules(line, document, people, causes, drawn)),
        )

    def _cause(self, event: Event, line: Line, document: Document) -> str:
        said = _cause(event, document.currency, line.period.policy.ticks)
        return said.replace("started", "came back", 1) if event in self._causes.came_back else said

    def _rules(
        self, line: Line, document: Document, people: Collection[str], causes: tuple[Event, ...], drawn: Drawn | None
    ) -> Iterator[str]:
        """The rules that make the line what it is, those that decide how many first."""
        if self._causes.is_ordered(line, document):
            yield "as many seats are billed as are ordered (seats.count)"
        if is_beyond(line.item) and line.after is not None and line.kind != "price":
            used, ordered = self._causes.parted(line, document)
            if used - ordered == line.after[0]:  # and nothing waits, nor is sold in packages
                are = "is" if used == 1 else "are"
                yield f"{used} {plural('seat', used)} {are} used, and {ordered} ordered (seats.count)"
        role = line.period.role_of(line.item)
        if line.item == seats_of(role) and _minimum_decides(line, people, causes):
            least = line.period.rules.seats.minimum
            each = plural(f"{role} seat".strip(), least)
            yield f"never fewer than {least} {each} {'is' if least == 1 else 'are'} billed (seats.minimum)"
        counted = self._causes.counted(line, document)
        if counted is not None:
            yield from _sold(line, *counted)
        judged, kept = self._causes.judged(line, causes), self._causes.kept(line, document)
        yield from rules_of(Grounds(line, document, causes, judged, drawn, kept))
        if line.after is not None and (plan := _keeps_rules_of(line)):
            yield f"until the next invoice the rules of {plan} hold, on which this one began (when.plan)"


def _keeps_rules_of(line: Line) -> str:
    """The plan with which the line's invoice began, where it has other rules than the one that is billed."""
    period, policy = line.period, line.period.policy
    if not policy.by_plan or line.price.plan in ("", period.plan):
        return ""
    day, item = period.start // policy.ticks, seats_of(period.role_of(line.item))
    began, billed = (policy.rules(period.interval, day, plan, item) for plan in (period.plan, line.price.plan))
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
    role = f"{name} " if (name := line.period.role_of(line.item)) else ""
    return f"{count} {role}{plural('seat', count)}"


def _which(line: Line) -> str:
    if is_beyond(line.item):
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
        "free_end": f"the free days of {event.user}, who joined on {last}, were over",
        "role": f"{event.user} became {event.role}",
        "seats": f"{event.role} seats set to {event.quantity}".strip(),
        "plan": f"plan {event.plan} agreed" if price else f"plan changed to {event.plan}",
        "trial_plan": f"the trial of {event.plan} began",
        "start": "the agreement started",
        "trial": "the trial began",
        "add_on": f"{event.item} added",
        "remove_add_on": f"{event.item} removed",
        "cancel": "the agreement was cancelled",
        "pause": "the agreement was paused",
        "wait": "paid periods waited for a payment method after the trial, which began",
        "interval": "the interval was changed",
        "credit": f"credits of {speak_amount(event.price_minor or 0, currency)} were granted",
        "payment_method": f"the payment method was changed to {event.payment_method}",
    }[event.kind]
    ends = f", to end with {speak_day((event.until - 1) // ticks)}" if event.kind in END_EVENTS and event.until else ""
    why = f" ({event.reason})" if event.reason else ""
    happened = f"{said}{price} on {speak_point(event.day, ticks)}{ends}{why}"
    if event.withdraws is not None:
        if event.kind in FOLLOWING:
            joined_or_was = "joined" if event.kind == "free_end" else "was active"
            happened = f"{event.user} {joined_or_was} on {last}"
        return f"withdrawn on {speak_day(day_of(event.recorded))}: {happened}"
    recorded = day_of(event.recorded)
    late = "" if recorded == event.day // ticks else f" (recorded on {speak_day(recorded)})"
    return f"{happened}{late}"


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
        "maximum": f"never more than {seats.maximum} {plural('seat', seats.maximum)} "
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
