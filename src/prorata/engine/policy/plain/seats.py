"""Who holds a seat, how seats are measured, and how many of them are billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prorata.engine.calendar import DAYS, MONTHS, Interval, speak_day, to_day
from prorata.engine.policy.model import ONE_NUMBER
from prorata.engine.policy.plain.stories import Case, Row
from prorata.engine.policy.plain.words import WORD, Sentence, in_sizes
from prorata.engine.words import days, plural

_HOLDS = {
    "acceptance": "Every active user holds a seat, from the acceptance of the invitation on",
    "invitation": "Every user holds a seat, from the invitation on",
    "activity": "Every user holds a seat for {days} from each activity on, its own day the first",
}
_EACH_DAY = "Every user holds a seat on the days on which they are active"
_PEOPLE = {
    "level": "",
    "high_water": "Within a {period} a freed seat stays paid and can be given to someone else.",
    "held": "Whoever counted once is paid for to the end of the {period}.",
    "peak": "The highest number of any day counts for the whole {period}.",
    "mean": "The average number of the days, rounded to a whole one, counts for the whole {period}.",
    "distinct": "Everyone who was there on {days} of the {period} counts for all of it.",
    "snapshot": "Whoever is there on {day} of the {period} counts for all of it.",
}
_BOUGHT = _PEOPLE | {
    "high_water": "Within a {period} a seat given back stays paid, and is yours to its end.",
    "snapshot": "The number on {day} of the {period} counts for all of it.",
}


def who(case: Case) -> Sentence:
    """Who holds a seat, and how they are measured."""
    return _who_bought(case) if case.bought else _who_is_there(case)


def _who_bought(case: Case) -> Sentence:
    said = ["The seats you have bought are billed, used or not.", *_measured(case, _BOUGHT)]
    if case.rules.seats.below_active == "refused":
        said.append("They cannot be made fewer than your active users.")
    used = f"{case.seats} bought, {min(3, case.seats)} used"
    return Sentence(" ".join(said), case.first(used, case.bills()))


def _who_is_there(case: Case) -> Sentence:
    seats = case.rules.seats
    said = [_holders(case)]
    if seats.free_days:
        said.append(f"For {days(seats.free_days)} from the day of joining a new user is free.")
    if seats.counts_from != "activity" or seats.suspended == "free":
        said.append(f"Suspended users {'cost nothing' if seats.suspended == 'free' else 'are billed, too'}.")
    said += _measured(case, _PEOPLE)
    if seats.count == "larger":
        said.append("Where you have ordered more seats than that, those are billed.")
    return Sentence(" ".join(said), _joining(case))


def _holders(case: Case) -> str:
    seats = case.rules.seats
    free = [name for name, role in case.policy.roles.items() if not role.billed or name in seats.free]
    each_day = seats.counts_from == "activity" and seats.idle_days == 1
    text = _EACH_DAY if each_day else _HOLDS[seats.counts_from].format(days=days(seats.idle_days))
    if case.of_role or (case.whole.roles_apart and not free):
        return f"{text}."
    return text + (f"; users with the role {' or '.join(free)} cost nothing." if free else ", whatever the role.")


def _measured(case: Case, words: dict[str, str]) -> Iterator[str]:
    seats = case.rules.seats
    period, day = WORD[case.unit], day_of(seats.on_day, case.unit)
    text = words[seats.measure].format(period=period, days=_days_of(case), day=day)
    if text:
        yield text
    if case.alike > 1 and seats.measure in ("distinct", "held") and not case.bought:
        yield "Whoever had several of the roles that are counted apart counts once, in the dearest."
    if _roles_wait(case):
        yield (
            "Seats are counted by role: whoever changes role takes a seat of the "
            "new one, and the old one stays paid for as any seat that is freed."
        )
    if seats.measure in ONE_NUMBER and seats.of == "period_before":
        yield f"What is counted in a {period} is billed for the next one; the first is billed by its first day."


def _roles_wait(case: Case) -> bool:
    """Whether a change of role is billed twice for a while, as a seat more and a seat fewer that waits."""
    fall, measure = case.rules.fall, case.rules.seats.measure
    waits = fall.effect not in ("day", "month", "quarter", "period") or fall.notice_days or measure == "high_water"
    return bool(waits) and bool(case.policy.roles_apart) and measure in ("level", "high_water") and not case.bought


def _days_of(case: Case) -> str:
    least = case.rules.seats.least_days
    if least < 2:
        return "any day" if least else "every day"
    return f"at least {days(least)}{', or every day' if least > _shortest(case.unit) else ''}"


def day_of(day: int, unit: Interval) -> str:
    """The day of a period on which a snapshot is taken."""
    if day < 2:
        return "the first day" if day else "the last day"
    return f"day {day}{', or the last day,' if day > _shortest(unit) else ''}"


def _shortest(interval: Interval) -> int:
    """How many days an interval has at least."""
    return DAYS.get(interval) or 28 * MONTHS[interval]


def _joining(case: Case) -> str:
    """Somebody who is invited and joins, as far as that is told."""
    if case.rules.seats.counts_from == "activity":
        who = f"{case.seats} users active from {speak_day(to_day(case.start))} on"
        return case.first(who, case.bills())
    invited = case.change - timedelta(days=4)
    rows: list[Row] = [
        {"at": invited, "event": "invite", "user": "dora", "role": case.role},
        {"at": case.change, "event": "accept", "user": "dora"},
    ]
    told = f"{case.on(invited, 'Invited')}, {case.on(case.change, 'accepted')}"
    return case.different(told, case.bills(rows), case.bills())


def sold(case: Case) -> Iterator[Sentence]:
    """From the seats that are counted to those that are billed, in the order in which that is reckoned."""
    seats, seat, each = case.rules.seats, case.seat, plural(case.seat, 2)
    if seats.minimum:
        word = "counted" if seats.packages or seats.included else "billed"
        least = f"{seats.minimum} {plural(seat, seats.minimum)} {_are(seats.minimum)}"
        yield _with(case, f"Never fewer than {least} {word}.", max(seats.minimum - 6, min(1, seats.minimum - 1)))
    if seats.packages and seats.packages != (1,):
        yield _with(case, f"{each[0].upper()}{each[1:]} are sold in {in_sizes(seats.packages)}.", _between(case))
    if seats.included:
        one = seats.included == 1
        of_them = f"{seat} is included and costs" if one else f"{seats.included} {each} are included and cost"
        yield _with(case, f"The first {of_them} nothing.", max(seats.included, seats.minimum) + 2)
    if seats.maximum:
        text = f"Never more than {seats.maximum} {plural(seat, seats.maximum)} {_are(seats.maximum)} billed."
        yield _with(case, text, seats.maximum + seats.included + 2)


def tiers(case: Case) -> Iterator[Sentence]:
    """What becomes of the price where the seats become so many that they are in another tier."""
    if case.crossing is None or case.plan is None:
        return
    text = "Seats above a number cost the price said for those, and the others keep theirs."
    if case.policy.plans[case.plan].tiers == "volume":
        text = "Once there are more seats than a price is for, all of them cost the next one."
        if all(not row.price.minor for row in case.policy.plans[case.plan].prices):
            text = "Users more or fewer cost nothing else until their number reaches another price."
    if case.crossing == case.seats:  # one more is told as an example anyway
        yield Sentence(text)
        return
    bills, without = case.bills([case.added(case.crossing)], seats=case.crossing), case.bills(seats=case.crossing)
    who = case.on(case.change, f"One {case.noun} more than {case.crossing}")
    yield Sentence(text, case.different(who, bills, without))


def _with(case: Case, text: str, count: int) -> Sentence:
    return Sentence(text, case.first(f"With {count or 'none'}", case.bills(seats=count)))


def _between(case: Case) -> int:
    """A number of seats that is not sold, if there is one: the package after it is billed."""
    sizes = case.rules.seats.packages
    least = max(case.rules.seats.minimum, case.rules.seats.included) + 1
    between = (size - 1 for size in sizes if size > least and size - 1 not in sizes)
    return next(between, case.seats + 1)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
