"""Who and what is behind a line: the people who hold its seats, the events that made it what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, TypeAlias

from prorata.engine.aggregate import counts_in
from prorata.engine.calendar import Day, Moment, day_of
from prorata.engine.counted import Counts, Seen
from prorata.engine.document import Document, Line
from prorata.engine.early import BEGINNINGS, asked, ended_early, given_back, gone_too_soon, is_less
from prorata.engine.history import END_EVENTS, PERSON_EVENTS, Event, Subscription, buys, in_force, returns, starts_on
from prorata.engine.judged import as_count, by_seats, drawn_from, roles_of, stretch
from prorata.engine.period import period_before
from prorata.engine.policy.model import BASE, SEATS, SeatRules, is_beyond, seats_of
from prorata.engine.population import People, by_order
from prorata.engine.quantity import billed_quantity
from prorata.engine.steps import Span

Drawn: TypeAlias = Literal["rise", "fall"]

_BY_PERSON = ("level", "high_water", "held", "distinct")  # a seat is a person's


def _but_cancelled(causes: set[Event], line: Line) -> set[Event]:
    """The causes of a line; of one that a cancellation ends no falls before it that are still waiting."""
    ended, waits = {event for event in causes if event.kind in END_EVENTS}, line.period.fall_waits
    return ended if ended and waits is not None and not waits[1] else causes


class Causes:
    """Finds the causes of an account's lines, one after the other."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._ticks = subscription.policy.ticks
        self.came_back = returns(subscription.events)
        self._known_until: Moment = -1
        self._as_of(0)

    def _as_of(self, known_until: Moment) -> None:
        """Nothing counts that was recorded later than a document could know."""
        if known_until == self._known_until:
            return
        known = [event for event in self._subscription.events if event.recorded < known_until]
        events = in_force(known)
        self._known_until = known_until
        self._start = starts_on([event for event in events if event not in self.came_back])
        self._orders = [event.day for event in events if buys(event)]
        self._returns = [event.day for event in self.came_back if event in events]
        self._cancels = [event for event in known if event.kind in END_EVENTS and event.withdraws is None]
        self._of_plans = sorted((event for event in events if event.plan), key=by_order)
        self._of_people = sorted((event for event in events if event.kind in PERSON_EVENTS), key=by_order)
        self._told: dict[str, list[Event]] = {}
        for event in self._of_people:
            self._told.setdefault(event.user, []).append(event)
        self._known = known
        today = day_of(known_until - 1)
        self._today = (today + 1) * self._ticks - 1
        self._counts = Counts(self._subscription, known, today)

    def of(self, line: Line, document: Document) -> tuple[Event, ...]:
        """The events that made the quantity or price what it is, in the order in which they took effect.

        Of a person an event is a cause only if, on the line's first day, it is by what is known now that the person
        takes a seat and was not by what the document before knew, or the other way round.
        """
        self._as_of(document.known_until)
        latest: dict[tuple[str, str], Event] = {}
        is_rest = ended_early(line, document)
        line = as_count(line)
        seated = by_seats(line)
        for event in sorted({*line.news, *self._bought_on_trial(line)}, key=by_order):
            judged = seated if event.user or buys(event) else line
            thing = self._beginning(event, judged) if is_rest else self._thing(event, judged)
            if thing is not None and self._acts(event, judged):
                latest[thing] = self._deciding(latest.get(thing), event, judged)
        found = []
        moved = 0
        for (kind, user), event in latest.items():
            if kind != "person":
                found.append((kind, event))
                continue
            turn = self._turn(user, seated, joins=is_rest)
            if turn is not None:
                found.append((kind, turn[0] or event))
                moved += turn[1]
        if is_rest:  # who joined before was there already when the new period began
            found = [(kind, event) for kind, event in found if kind != "person" or self._is_of(event, line)]
        if moved and moved == line.quantity and line.price.plan:  # they are all of it, whatever else was told
            found = [(kind, event) for kind, event in found if kind == "person"]
        causes = {event for _, event in found}
        causes = causes if is_rest else _but_cancelled(causes, line)
        if self.kept(line, document)[0]:
            causes = causes.union(self._noticed(seated))
        early = given_back(self.judged(line, causes), causes)
        return tuple(sorted({*causes, *early, *gone_too_soon(seated, causes)}, key=by_order))

    def _noticed(self, line: Line) -> Iterator[Event]:
        """What gave up seats that are still billed for their notice where a period's own line begins."""
        people = People(self._subscription.policy)
        people.learn(self._of_people)
        counting = line.period.counting(line.item)
        seated = set(people.seated(self._seen_from(line), counting))
        first, past = self._seen_from(line) - line.period.notice, self._seen_from(line) + 1
        latest = {event.user: event for event in line.news if first < event.day < past and is_less(event, line)}
        for user, event in latest.items():
            if user not in seated and people.stays(user, (first, past, first, 0), counting):
                yield event

    def _end(self, event: Event, line: Line) -> Day:
        """The first day after the agreement, by a cancellation and the rules of the line."""
        return event.until or line.period.rules.cancel.counts_from(event.day, self._ticks)

    def _had_ended(self, line: Line) -> bool:
        """Whether by what was known before the agreement had ended where the line begins to bill something."""
        if line.kind != "rise" or line.before is not None:
            return False
        came_back = max((day for day in self._returns if day <= line.start_day), default=-1)
        return any(
            came_back <= self._end(event, line) <= line.start_day for event in self._cancels if event not in line.news
        )

    def _is_noticed(self, event: Event, line: Line) -> bool:
        """Whether a seat given up is billed for its notice: not if by what is known now nobody ever took it."""
        if not event.user or not line.period.notice or line.period.rules.seats.measure != "level":
            return True
        people, first = People(self._subscription.policy), self._seen_from(line)
        people.learn(self._told.get(event.user, ()))
        since = (first - line.period.notice, first + 1, first - line.period.notice, 0)
        return bool(people.stays(event.user, since, line.period.counting(line.item)))

    def judged(self, line: Line, causes: Collection[Event]) -> Line:
        """The line by the rules that say when its causes count: an add-on's own, or those of the seats it is for."""
        return line if any(event.item for event in causes) else by_seats(as_count(line))

    def _acts(self, event: Event, line: Line) -> bool:
        """Whether what happened counts on the line's first day; where nothing was billed yet, first on it."""
        start = line.start_day
        if event.kind in END_EVENTS:
            return line.after is not None or self._end(event, line) <= start
        if event.kind in ("start", "trial") and line.after is None:
            return True
        if line.period.once:
            return max(event.day, self._start or event.day) == start
        if line.kind != "period" and line.period.rules.seats.measure == "distinct" and event.user:
            return event.day + line.period.delay < self._counted_days(line)[1]
        if (drawn := drawn_from(line)) is not None:
            return event.day + line.period.delay < drawn
        counts_from = self._trial_end(event) or event.day + line.period.delay
        if start == event.day and (start == self._start or event in self.came_back):
            counts_from = start
        if line.kind == "period":
            after, before = self._reach(event, line)
            return after < counts_from < before
        if line.quantity < 0:
            return counts_from + (line.period.notice if self._is_noticed(event, line) else 0) <= start
        waiting = line.period.waiting
        lasted = not waiting or counts_from == self._start or counts_from + waiting <= self._today
        return counts_from <= start and lasted

    def _reach(self, event: Event, line: Line) -> tuple[Day, Day]:
        """After and before which day an event counts on the first day of a period's own line."""
        waits, start = (line.period.rise_waits, line.period.fall_waits), line.start_day
        if waits == (None, None) and not line.period.notice:
            return start - 1, start + 1
        if event.user or buys(event):
            was_on, is_on = self._borders(line)
            return was_on, is_on + 1
        after, before = stretch(waits, start)
        return after - (line.period.notice if start > line.period.start else 0), before

    def _deciding(self, earlier: Event | None, event: Event, line: Line) -> Event:
        """Of two events about one thing, the one by which the line is what it is: mostly the later.

        Where rises are drawn forward it is the one with the most, and where falls are the one with the least.
        """
        if earlier is not None and earlier.kind in END_EVENTS and earlier.withdraws is not None:
            return earlier  # what begins to be billed again does so because of that
        rises, falls = (one is not None and one[1] for one in (line.period.rise_waits, line.period.fall_waits))
        if line.kind != "period":
            rises, falls = rises and line.quantity > 0, falls and line.quantity < 0
        if earlier is None or event.user or rises == falls or earlier.day + line.period.delay <= line.start_day:
            return event
        more = asked(event) - asked(earlier)
        return earlier if (more <= 0 if rises else more >= 0) else event

    def counted(self, line: Line, document: Document) -> tuple[int, int] | None:
        """How many seats were counted where the line begins, before its news and with them; 0 where none were billed.

        None where the line is not about how many, and where as many are billed as are counted.
        """
        self._as_of(document.known_until)
        rules = line.period.rules.seats
        as_counted = not rules.minimum and not rules.sold_apart
        role = line.period.role_of(line.item)
        if line.item != seats_of(role) or as_counted or line.kind not in ("period", "rise", "fall"):
            return None
        found = []
        for held, news in ((line.before, line.news), (line.after, ())):
            seen = self._counts.seen(line.period, line.start_day, [role], news) if held is not None else None
            if held is not None and (seen is None or seen.billed != held[0]):
                return None
            found.append(0 if seen is None else seen.counted)
        return found[0], found[1]

    def drawn(self, line: Line, document: Document, causes: Collection[Event]) -> Drawn | None:
        """Whether a rise or a fall is drawn forward or put off to the day on which a period's own line begins."""
        self._as_of(document.known_until)
        line = self.judged(line, causes)
        period = line.period
        if line.kind != "period" or (period.rise_waits is None and period.fall_waits is None):
            return None
        was, now = self._seen(line)
        if now.billed > now.on_its_day:
            return "rise" if period.rise_waits is not None and period.rise_waits[1] else "fall"
        if now.billed < now.on_its_day:
            return "fall" if period.fall_waits is not None and period.fall_waits[1] else "rise"
        if line.start_day > period.start and was.billed != was.on_its_day:
            return "rise" if now.billed > was.billed else "fall"
        moved = [event for event in causes if event.day + period.delay != line.start_day]
        if not moved or any(event.user or event.kind in END_EVENTS or self._trial_end(event) for event in moved):
            return None
        forward = moved[0].day + period.delay > line.start_day
        waits = {"rise": period.rise_waits, "fall": period.fall_waits}
        tables = [table for table, one in waits.items() if one is not None and one[1] == forward]
        return ("rise" if tables == ["rise"] else "fall") if len(tables) == 1 else None

    def kept(self, line: Line, document: Document) -> tuple[bool, bool]:
        """Whether a period's own line bills seats that fell already: for their notice, and for what falls wait for."""
        self._as_of(document.known_until)
        line = by_seats(line)
        if line.kind != "period" or not line.period.notice:
            return False, False
        _, now = self._seen(line)
        return now.noticed > now.on_its_day, now.billed > now.noticed

    def _seen(self, line: Line) -> tuple[Seen, Seen]:
        """By which days' counts the day before a line is billed, and its own first day."""
        roles, days = roles_of(line), (line.start_day - 1, line.start_day)
        was, now = (self._counts.seen(line.period, day, roles) if roles else None for day in days)
        nobody = Seen(line.start_day, 0, 0, 0, 0)
        return was or nobody, now or nobody

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
        if event.kind in END_EVENTS:
            return ("cancel", "") if line.after is None or self._had_ended(line) else None
        if event.kind == "interval" and line.after is None and line.period.rules.change.interval == "restart":
            return ("interval", "") if event.interval != line.period.interval else None
        if event.kind in ("start", "trial") and line.after is None and self._start and line.end_day <= self._start:
            return ("start", "")  # the agreement starts later than was billed
        if line.kind == "period" and line.start_day == event.day and self._lets_it_run(event):
            return ("start", "")
        if line.item == BASE and (event.kind in PERSON_EVENTS or not event.plan):
            return None
        if not line.price.plan:
            add_on = line.period.policy.add_ons.get(line.item)
            if line.period.once:  # each of them counts, and taking one away changes nothing
                is_sale = event.item == line.item and event.kind == "add_on"
                return ("add_on", str(event.order)) if is_sale else None
            if event.item == line.item:
                return ("add_on", event.item)
            if add_on is None or add_on.charge == "flat" or line.kind == "price":
                return None
        elif line.kind in ("plan", "price") or line.kind == "period" or None in (line.before, line.after):
            # Where the old goes and the new comes, the price may have moved as well as the seats.
            told_plan = event.plan if event.kind in ("plan", "start") and line.kind != "price" else ""
            comes = (line.kind != "fall") == (event.withdraws is None)
            if told_plan and (told_plan == line.price.plan) == comes:
                return ("plan", "")
            if event.kind == "trial_plan" and line.before and event.plan == line.before[1].plan != line.price.plan:
                return ("plan", "")
            if event.price_minor is not None and not event.item and event.interval in (None, line.period.interval):
                return ("price", "")
        if line.kind in ("plan", "price"):
            return None
        if event.kind in PERSON_EVENTS:
            return self._person(event, line)
        return self._order(event, line) if buys(event) else None

    def _lets_it_run(self, event: Event) -> bool:
        """Whether with the event the agreement comes back, or has the payment method for which it waited."""
        if event.kind == "payment_method":
            return self._subscription.policy.may_wait and event.day == self._start
        return event in self.came_back and not buys(event)

    def _beginning(self, event: Event, line: Line) -> tuple[str, str] | None:
        """What the event is about, if that is something with which a new period begins within the line's."""
        keys = [key for key in line.period.rules.change.restarting if event.kind in BEGINNINGS[key]]
        if not keys:
            return None
        taken_back = event.withdraws is not None
        if event.kind == "interval":
            return ("interval", "") if taken_back or event.interval != line.period.interval else None
        if event.kind == "plan":
            return ("plan", "") if taken_back or event.plan != line.price.plan else None
        if event.kind in PERSON_EVENTS:
            return self._person(event, line)
        return self._order(event, line)

    def _is_of(self, event: Event, line: Line) -> bool:
        """Whether an event began to count, or was told, on the line's first day."""
        return line.start_day in (event.day + line.period.delay, day_of(event.recorded))

    def _person(self, event: Event, line: Line) -> tuple[str, str] | None:
        """The person an event is about, where people are counted: of the larger of people and order, if they decide."""
        role = self._role_of(event, line)
        if not self._counts_people(line, role):
            return None
        if _rules_of(line, role).count == "larger":
            if _is_parted(line) and not is_beyond(line.item):
                return None
            (was, _), (people, ordered) = self._floors(line, role)
            if max(people, ordered) == max(was, ordered) and people <= ordered:
                return None
        return "person", event.user

    def _order(self, event: Event, line: Line) -> tuple[str, str] | None:
        """The order an event is, where it is of the line's seats: of the larger of people and order, if it decides."""
        role = line.period.policy.role_apart(event.role)
        is_larger = _rules_of(line, role).count == "larger"
        if role not in roles_of(line) or (self._counts_people(line, role) and not is_larger):
            return None
        if is_larger:
            (_, was), (people, ordered) = self._floors(line, role)
            if _is_parted(line):
                sold = {billed_quantity(_rules_of(line, role), [(0, count)])[0][1] for count in (was, ordered)}
                return ("seats", role) if len(sold) > 1 else None
            if max(people, ordered) == max(people, was):
                return None
        return "seats", role

    def _role_of(self, event: Event, line: Line) -> str:
        """Whose seats a person takes after an event, or of a role's own line that role."""
        if line.item.startswith(SEATS):
            return line.period.role_of(line.item)
        told = [one.role for one in self._told.get(event.user, ()) if one.role and one.order <= event.order]
        return line.period.policy.role_apart(told[-1] if told else next(iter(line.period.policy.roles), ""))

    def is_ordered(self, line: Line, document: Document) -> bool:
        """Whether more seats are billed than there are people, since so many are ordered."""
        self._as_of(document.known_until)
        role = line.period.role_of(line.item)
        if line.item != seats_of(role) or line.after is None or line.period.rules.seats.count != "larger":
            return False
        _, (people, ordered) = self._floors(line, role)
        return ordered > people

    def parted(self, line: Line, document: Document) -> tuple[int, int]:
        """How many seats are used where a line of those beyond an order begins, and how many are ordered."""
        self._as_of(document.known_until)
        return self._floors(line, line.period.role_of(line.item))[1]

    def _floors(self, line: Line, role: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """How many people of a role are counted and seats ordered where the line begins: before, and now."""
        was, now = self._seen(line)
        floor, period = self._counts.floor, line.period.of(seats_of(role))
        if line.kind != "period":
            return floor(period, line.start_day, role, line.news), floor(period, now.day, role)
        return floor(period, was.day, role) if line.start_day > period.start else (0, 0), floor(period, now.day, role)

    def _counts_people(self, line: Line, role: str) -> bool:
        rules = _rules_of(line, role)
        if rules.measure not in _BY_PERSON:
            return False
        if rules.count != "bought":
            return True
        ordered = any(day + line.period.delay <= line.start_day for day in self._orders)
        return self._subscription.seats_follow and not ordered

    def _turn(self, user: str, line: Line, *, joins: bool) -> tuple[Event | None, int] | None:
        """How the line's news moved the person on its days: 1 into a seat, -1 out of one, and the event of it.

        None where they did not; where nothing is billed any more, only who `joins` counts or only who leaves. There is
        no event where the person's latest turn was known before.
        """
        rules, first = line.period.rules.seats, self._seen_from(line)
        span = self._days(line)
        past = first if rules.measure != "distinct" else span[1] - rules.delay_days
        if line.kind == "period" and rules.measure != "distinct":
            was_on, is_on = self._borders(line)
            span = self._on(line, is_on)
            first = past = is_on if is_on == self._start else is_on - rules.delay_days
        counting = line.period.counting(line.item)
        news = {event.order for event in line.news}
        known = self._told.get(user, [])
        now = People(self._subscription.policy)
        now.learn(known)
        seated = counts_in(now, user, span, rules, counting, self._ticks)
        if line.kind != "period":
            before = People(self._subscription.policy)
            told = [event for event in self._known if event.user == user and event.order not in news]
            before.learn(sorted(in_force(told), key=by_order))
            was = counts_in(before, user, span, rules, counting, self._ticks)
        elif rules.measure == "distinct":
            was = bool(now.stays(user, (line.start_day - 1, line.start_day, first - 1, rules.delay_days), counting))
        else:  # nothing was billed before; the line is another than the one before it
            was = counts_in(now, user, self._on(line, was_on), rules, counting, self._ticks)
        if seated == was or (line.after is None and seated != joins):
            return None
        if line.kind != "period" and line.before is None and not seated:  # no seat was billed that could be given up
            return None
        turns = [event for event, counts in now.turns(user, counting) if counts == seated and event.order in news]
        by_then = [event for event in turns if event.day <= first or event.day < past]
        return (by_then[-1] if by_then else None), 1 if seated else -1

    def _borders(self, line: Line) -> tuple[Day, Day]:
        """The days whose people a period's own line is compared by: of the line before it, and its own."""
        start, period = line.start_day, line.period
        if period.rise_waits is None and period.fall_waits is None and not period.notice:
            return start - 1, start
        was, now = self._seen(line)
        if start > period.start and now.day < was.day:  # given back in time, down to what was there before
            return start - 1, start
        return (was.day if start > period.start else start), now.day

    def _on(self, line: Line, day: Day) -> Span:
        """The days on which a person takes a seat to be counted on a day of the line's period."""
        rules, period = line.period.rules.seats, line.period
        if rules.measure == "held" and day >= period.start:
            opened = period.start if period.start == self._start else period.start - rules.delay_days
            return period.start, day + 1, opened, rules.delay_days
        return day, day + 1, day if day == self._start else day - rules.delay_days, rules.delay_days

    def _days(self, line: Line) -> Span:
        """The days on which a person has to take a seat to be billed for it on the line."""
        first, rules = line.period.start, line.period.rules.seats
        opened = first if first == self._start else first - rules.delay_days
        if rules.measure == "held":
            return first, line.start_day + 1, opened, rules.delay_days
        if rules.measure == "distinct":
            return self._counted_days(line)
        if (drawn := drawn_from(line)) is not None:
            day = line.start_day if line.quantity > 0 else drawn - 1
            return day, drawn, day - rules.delay_days, rules.delay_days
        return line.start_day, line.start_day + 1, self._seen_from(line), rules.delay_days

    def _counted_days(self, line: Line) -> Span:
        """The days on which the people of a period are counted: its own or, where that is the rule, those before."""
        rules, first, past = line.period.rules.seats, line.period.start, line.end_day
        if rules.of == "period_before":
            before = max(period_before(line.period), self._start or first)
            first, past = (before, first) if before < first else (first, first + 1)
        return first, past, first if first == self._start else first - rules.delay_days, rules.delay_days

    def _seen_from(self, line: Line) -> Day:
        """The day whose end tells what holds on the line's first day."""
        return line.start_day if line.start_day == self._start else line.start_day - line.period.delay

    def holders(self, line: Line, document: Document) -> Iterator[str]:
        """The people who hold the seats that a period's own line bills, where a seat is a person's."""
        self._as_of(document.known_until)
        rules = line.period.rules.seats
        if rules.count != "active" or line.kind != "period" or rules.measure not in _BY_PERSON:
            return
        if not self._names_all(line) or line.start_day > line.period.start:
            return
        if rules.measure == "distinct":
            role = line.period.role_of(line.item)
            yield from self._counts.distinct(line.period, self._counted_days(line), role)
            return
        people = People(self._subscription.policy)
        people.learn(self._of_people)
        yield from people.seated(self._seen_from(line), line.period.counting(line.item))

    def _names_all(self, line: Line) -> bool:
        """Whether the line is about all seats of its kind, each held by whoever counts on its first day."""
        period = line.period
        tariff = period.tariffs.get(line.price.plan)
        apart = tariff is not None and (tariff.graduated or tariff.overage)
        return line.price.plan != "" and line.item != BASE and not apart and not period.looks_back


def _is_parted(line: Line) -> bool:
    """Whether the line is of seats of which those beyond the order cost another price."""
    tariff, role = line.period.tariffs.get(line.price.plan), line.period.role_of(line.item)
    return tariff is not None and (role if role in tariff.tiers else "") in tariff.overage


def _rules_of(line: Line, role: str) -> SeatRules:
    """By which rules the seats of a role are counted for a line; those of an add-on are for the seats of every role."""
    return line.period.of(seats_of(role)).rules.seats
