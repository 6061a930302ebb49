"""Who and what is behind a line: the people who hold its seats, the events that made it what it is."""

from __future__ import annotations

from collections.abc import Iterator

from prorata.engine.aggregate import counts_in
from prorata.engine.calendar import Day, Moment
from prorata.engine.document import Document, Line
from prorata.engine.due import BASE, SEATS
from prorata.engine.history import PERSON_EVENTS, Event, Subscription, buys, starts_on
from prorata.engine.population import People, by_order
from prorata.engine.steps import Span

_BY_PERSON = ("level", "high_water", "held", "distinct")  # a seat is a person's


def _drawn_from(line: Line) -> Day | None:
    """The end of the month, quarter or period whose changes were drawn together on the line's first day, if so."""
    waits = line.period.rise_waits if line.quantity > 0 else line.period.fall_waits
    if line.kind == "period" or waits is None or not waits[1]:
        return None
    return next((border for border in waits[0] if border > line.start_day), None)


class Causes:
    """Finds the causes of an account's lines, one after the other."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._known_until: Moment = -1
        self._as_of(0)

    def _as_of(self, known_until: Moment) -> None:
        """Nothing counts that was recorded later than a document could know."""
        if known_until == self._known_until:
            return
        events = [event for event in self._subscription.events if event.recorded < known_until]
        self._known_until = known_until
        self._start = starts_on(events)
        self._orders = [event.day for event in events if buys(event)]
        self._of_plans = sorted((event for event in events if event.plan), key=by_order)
        self._of_people = sorted((event for event in events if event.kind in PERSON_EVENTS), key=by_order)
        self._told: dict[str, list[Event]] = {}
        for event in self._of_people:
            self._told.setdefault(event.user, []).append(event)

    def of(self, line: Line, document: Document) -> tuple[Event, ...]:
        """The events that made the quantity or price what it is, in the order in which they took effect.

        Of a person an event is a cause only if, on the line's first day, it is by what is known now that the person
        takes a seat and was not by what the document before knew, or the other way round.
        """
        self._as_of(document.known_until)
        latest: dict[tuple[str, str], Event] = {}
        for event in sorted({*line.news, *self._bought_on_trial(line)}, key=by_order):
            thing = self._thing(event, line)
            if thing is not None and self._acts(event, line):
                latest[thing] = event
        found = []
        moved = 0
        for (kind, user), event in latest.items():
            if kind != "person":
                found.append((kind, event))
                continue
            turn = self._turn(user, line)
            if turn is not None:
                found.append((kind, turn[0] or event))
                moved += turn[1]
        if moved and moved == line.quantity and line.price.plan:  # they are all of it, whatever else was told
            found = [(kind, event) for kind, event in found if kind == "person"]
        return tuple(sorted((event for _, event in found), key=by_order))

    def _acts(self, event: Event, line: Line) -> bool:
        """Whether what happened counts on the line's first day; where nothing was billed yet, first on it."""
        start = line.start_day
        if event.kind == "cancel":
            return (event.until or event.day + 1) <= start
        if event.kind in ("start", "trial") and line.after is None:
            return True
        if line.kind != "period" and line.period.rules.seats.measure == "distinct":
            return event.day < line.end_day
        if (drawn := _drawn_from(line)) is not None:
            return event.day + line.period.delay < drawn
        counts_from = self._trial_end(event) or event.day + line.period.delay
        if start == event.day == self._start:
            counts_from = start
        return counts_from <= start and (line.kind != "period" or counts_from == start)

    def _bought_on_trial(self, line: Line) -> Iterator[Event]:
        """The plan whose trial ends as the line begins; it may have been bought before anything the line is about."""
        for event in self._of_plans:
            if self._trial_end(event) == line.start_day:
                yield event

    def _trial_end(self, event: Event) -> Day | None:
        """From which day a plan is billed that was bought while it was on trial."""
        if event.kind != "plan":
            return None
        trials = [one for one in self._of_plans if one.kind == "trial_plan" and one.order < event.order]
        if not trials or trials[-1].plan != event.plan:
            return None
        end = trials[-1].until
        return end if end is not None and end > event.day else None

    def _thing(self, event: Event, line: Line) -> tuple[str, str] | None:
        """What the event is about, if that is something which can move this line."""
        if event.kind == "cancel":
            return ("cancel", "") if line.after is None else None
        if event.kind in ("start", "trial") and line.after is None and self._start and line.end_day <= self._start:
            return ("start", "")  # the agreement starts later than was billed
        if line.item == BASE and (event.kind in PERSON_EVENTS or not event.plan):
            return None
        if not line.price.plan:
            add_on = line.period.policy.add_ons.get(line.item)
            if event.item == line.item:
                return ("add_on", event.item)
            if add_on is None or add_on.charge == "flat" or line.kind == "price":
                return None
        elif line.kind in ("plan", "price") or line.kind == "period" or None in (line.before, line.after):
            # Where the old goes and the new comes, the price may have moved as well as the seats.
            told_plan = event.plan if event.kind in ("plan", "start") and line.kind != "price" else ""
            if told_plan and (told_plan == line.price.plan) == (line.kind != "fall"):
                return ("plan", "")
            if event.kind == "trial_plan" and line.before and event.plan == line.before[1].plan != line.price.plan:
                return ("plan", "")
            if event.price_minor is not None and not event.item and event.interval in (None, line.period.interval):
                return ("price", "")
        if line.kind in ("plan", "price"):
            return None
        if event.kind in PERSON_EVENTS:
            return ("person", event.user) if self._counts_people(line) else None
        return ("seats", "") if buys(event) and not self._counts_people(line) else None

    def _counts_people(self, line: Line) -> bool:
        rules = line.period.rules.seats
        if rules.measure not in _BY_PERSON:
            return False
        if rules.count != "bought":
            return True
        ordered = any(day + line.period.delay <= line.start_day for day in self._orders)
        return self._subscription.seats_follow and not ordered

    def _turn(self, user: str, line: Line) -> tuple[Event | None, int] | None:
        """How the line's news moved the person on its days: 1 into a seat, -1 out of one, and the event of it.

        None where they did not. There is no event where the person's latest turn was known before.
        """
        rules, first = line.period.rules.seats, self._seen_from(line)
        span = self._days(line)
        past = line.end_day - rules.delay_days if rules.measure == "distinct" else first
        news = {event.order for event in line.news}
        known = self._told.get(user, [])
        now = People(self._subscription.policy)
        now.learn(known)
        seated = counts_in(now, user, span, rules)
        if line.kind == "period":  # nothing was billed before; the line is another than the one before it
            was = bool(
                now.stays(user, (line.start_day - 1, line.start_day, first - 1, rules.delay_days), rules.counting)
            )
        else:
            before = People(self._subscription.policy)
            before.learn(event for event in known if event.order not in news)
            was = counts_in(before, user, span, rules)
        if seated == was or (line.after is None and seated):  # where nobody has a seat now, nobody has taken one
            return None
        turns = [event for event, counts in now.turns(user, rules.counting) if counts == seated and event.order in news]
        by_then = [event for event in turns if event.day <= first or event.day < past]
        return (by_then[-1] if by_then else None), 1 if seated else -1

    def _days(self, line: Line) -> Span:
        """The days on which a person has to take a seat to be billed for it on the line."""
        first, rules = line.period.start, line.period.rules.seats
        opened = first if first == self._start else first - rules.delay_days
        if rules.measure == "held":
            return first, line.start_day + 1, opened, rules.delay_days
        if rules.measure == "distinct":
            return first, line.end_day, opened, rules.delay_days
        if (drawn := _drawn_from(line)) is not None:
            day = line.start_day if line.quantity > 0 else drawn - 1
            return day, drawn, day - rules.delay_days, rules.delay_days
        return line.start_day, line.start_day + 1, self._seen_from(line), rules.delay_days

    def _seen_from(self, line: Line) -> Day:
        """The day whose end tells what holds on the line's first day."""
        return line.start_day if line.start_day == self._start else line.start_day - line.period.delay

    def holders(self, line: Line, document: Document) -> Iterator[str]:
        """The people who hold the seats that a period's own line bills, where a seat is a person's."""
        self._as_of(document.known_until)
        rules = line.period.rules.seats
        if line.item != SEATS or rules.count != "active" or line.kind != "period" or rules.measure not in _BY_PERSON:
            return
        if line.start_day > line.period.start:
            return
        people = People(self._subscription.policy)
        people.learn(self._of_people)
        day = self._seen_from(line)
        if rules.measure == "distinct":
            yield from (user for user in people.users if counts_in(people, user, self._days(line), rules))
        else:
            yield from people.seated(day, rules.counting)
