"""What a seat more or fewer, and another plan, come to within a period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from prorata.engine.calendar import MONTHS, Interval, speak_day, to_day
from prorata.engine.policy.model import ONE_NUMBER, SEATS, FallEffect, seats_of
from prorata.engine.policy.plain.seats import day_of
from prorata.engine.policy.plain.stories import Case, Row
from prorata.engine.policy.plain.words import STAYS, WORD, Sentence, begins, in_short, rest
from prorata.engine.reasons import enough
from prorata.engine.words import days

_LEFT_OVER = " Where that exceeds the invoice, nothing is charged and the rest "


def change_day(case: Case) -> Iterator[Sentence]:
    """Whether the day of a change counts, where changes count from a day on."""
    if case.rules.seats.measure in ONE_NUMBER or case.policy.ticks > 1 or case.rules.change.is_prepaid:
        return
    ends = case.rules.seats.change_day == "billed"
    first = to_day(case.change) + case.rules.seats.delay_days
    moves, examples = [], []
    if _by_day(case, case.rules.rise.takes_effect) and not case.rules.seats.free_days:
        moves.append(f"a {case.noun} more counts from {'that day' if ends else 'the next day'} on")
        examples.append(f"One {case.noun} more on {speak_day(to_day(case.change))} is billed from {speak_day(first)}")
    if _by_day(case, _fall(case)) and not case.rules.fall.notice_days:
        moves.append(f"a {case.noun} fewer {'' if moves else 'counts '}until {_last_day(case)}")
        examples.append(
            f"One {case.noun} fewer on {speak_day(to_day(case.change))} is billed until {speak_day(first - 1)}"
        )
    if moves:
        text = f"The day of a change is billed as it {'ends' if ends else 'began'}: {', '.join(moves)}."
        yield Sentence(text, examples[0])


def _last_day(case: Case) -> str:
    if case.policy.ticks > 1:
        return "that moment"
    return "the day before" if case.rules.seats.change_day == "billed" else "that day"


def _by_day(case: Case, effect: FallEffect) -> bool:
    left = rest(effect, case.rules, case.unit, case.policy.ticks)
    return effect == "day" and bool(left) and left != f"the whole {WORD[case.unit]}"


def _fall(case: Case) -> FallEffect:
    """From when on fewer seats are billed: where those of a period never get fewer, from the next one."""
    keeps = case.rules.seats.measure in ("high_water", "held")
    return "next_period" if keeps else case.rules.fall.effect


def rise(case: Case) -> Sentence:
    """A seat more within a period."""
    who = case.on(case.change, f"One {case.noun} more")
    if case.rules.change.more_seats == "restart":
        what = f"Once more {case.noun}s are billed than before"
        text = f"{what}, a new {WORD[case.unit]} of all of them begins on that day{_rest_credited(case)}."
        return Sentence(text, case.different(who, case.bills([case.added()]), case.bills()))
    if case.rules.change.is_prepaid:
        return Sentence(_uses_up(case), _until(case, who))
    if case.rules.seats.counts_from == "activity" and not case.bought:
        who = f"One {case.noun} more, active from {speak_day(to_day(case.change))} on"
    example = case.different(who, case.bills([case.added()]), case.bills()) or _unmoved(case, who)
    if case.over is not None:
        return Sentence(_beyond(case, case.over), example)
    if case.rules.seats.measure in ONE_NUMBER:
        return Sentence(_number_rises(case), example)
    joins = "added in between" if case.bought or not _in_arrears(case) else "who joins"
    text = moves(case, f"A {case.noun} {joins} is", "charged", case.rules.rise.takes_effect)
    if waiting := case.rules.rise.waiting_days:
        text += f" What is gone again within {days(waiting)} is not charged."
    return Sentence(text, example)


def _beyond(case: Case, over: Case) -> str:
    """What is used beyond an order, by rules of its own."""
    one, unit = f"A {case.noun} beyond those ordered", WORD[case.unit]
    if case.rules.seats.measure in ONE_NUMBER:
        text = f"{one} counts for the whole {unit}."
    else:
        text = moves(over, f"{one} is", "charged", over.rules.rise.takes_effect)
    if case.charge != over.rules.period.charge:
        text += f" It is billed once the {unit} is over, {_settle(case, rises=True)}."
    if case.rules.seats.measure in ONE_NUMBER:
        return f"{text} It is counted anew in the next {unit}."
    return f"{text} {falls(over, f'{one} less', f'{one} less is', _fall(over))}"


def later(case: Case) -> Iterator[Sentence]:
    """What is billed in arrears of an invoice in advance."""
    policy, when = case.whole, f"once the {WORD[case.unit]} is over, {_settle(case, rises=True)}"
    named = {SEATS: "Seats are", **{seats_of(role): f"Seats of the role {role} are" for role in policy.roles_apart}}
    named |= {name: f"{add_on.title or name} is" for name, add_on in policy.add_ons.items()}
    for item in (item for item in policy.apart if item in named):
        own = policy.rules(case.interval, case.at, case.plans[0], item, case.payment_method)
        if own.period.charge != case.charge:
            yield Sentence(f"{named[item]} billed in arrears, {when}.")


def _uses_up(case: Case) -> str:
    """What a seat more does to time that is paid in advance."""
    word, noun = WORD[case.unit], case.noun
    ends = f"the {word} ends when all {noun}s together have used up what is paid for"
    if case.rules.change.more_seats == "use_up":
        return f"A {noun} more costs nothing; {ends}, sooner than it would have."
    return f"A {noun} more is charged at once for a whole {word}. That is added to what is left, and {ends}."


def _until(case: Case, who: str) -> str:
    """What a seat more costs, and up to when that is paid, or when the next bill comes."""
    bills = case.bills([case.added()])
    said = case.different(who, bills, case.bills())
    added = next((line for document in bills for line in document.lines if line.kind == "rise"), None)
    return said if added is None else f"{said}; paid up to {speak_day(added.end_day - 1)}"


def fall(case: Case) -> Sentence:
    """A seat fewer within a period."""
    if case.rules.change.is_prepaid and case.rules.fall.effect == "day":
        word = WORD[case.unit]
        text = f"A {case.noun} fewer gives nothing back; what is left of the {word} lasts longer."
        return Sentence(text, _fewer(case, seen=False))
    if case.over is not None:
        text = falls(case, "A seat ordered less", "A seat ordered less is", case.rules.fall.effect)
        less = case.different(
            case.on(_told(case), "One seat ordered less"), case.bills([case.lowered(_told(case))]), case.bills()
        )
        return Sentence(text, less)
    if case.rules.seats.measure in ONE_NUMBER:
        return Sentence(_number_falls(case), _fewer(case, seen=_falls_within(case)))
    example = _fewer(case, seen=False)
    gone = f"A {case.noun} {'given back' if case.bought else 'who leaves'} is"
    return Sentence(falls(case, f"A {case.noun} fewer", gone, _fall(case)), example)


def _fewer(case: Case, *, seen: bool) -> str:
    """What fewer seats come to; where it must be `seen` in the period of the change, on a day on which it is, if any.

    A number of the whole period does not fall with every seat: whoever leaves late may have been there long enough.
    """
    count = f"{case.fewer} {case.noun}s" if case.fewer > 1 else f"One {case.noun}"
    who = f"{count} fewer" if case.before_fall == case.seats else f"{count} fewer of {case.before_fall}"
    without = case.bills(seats=case.before_fall)
    told = [*case.days_of_change] if seen else [_told(case)]
    for day in told:
        bills = case.bills(case.removed(day), seats=case.before_fall)
        if not seen or case.moves(day, bills, without):
            return case.different(case.on(day, who), bills, without) or _unmoved(case, case.on(day, who))
    return ""


def _told(case: Case) -> date:
    """The day on which it is told of a fall: where that needs notice, too late for the end of the period."""
    if not case.rules.fall.notice_days:
        return case.change
    effect, notice = _fall(case), _ahead(case)
    if effect == "next_term":
        return case.noticed(notice, case.unit, case.rules.period.term_months)
    return case.noticed(notice, case.unit) if not rest(effect, case.rules, case.unit) else case.change


def _unmoved(case: Case, who: str) -> str:
    """That a change moves nothing, where what is paid does not depend on the number of seats."""
    return f"{who}: nothing changes" if not case.is_felt and case.bills() else ""


def falls(case: Case, fewer: str, gone: str, effect: FallEffect) -> str:
    """The sentence of something that falls within a period, by two names for it: `A seat fewer`, `A seat … is`."""
    left = rest(effect, case.rules, case.unit, case.policy.ticks)
    if effect in STAYS:
        text = f"{fewer} counts {_waits(case, effect)}; until then it stays paid for, and can be used."
        return text + window(case)
    if not left and _in_arrears(case):
        waits = f" {fewer} counts {_waits(case, effect)}." if case.rules.fall.notice_days else ""
        return f"{gone} billed to the end of the {WORD[case.unit]}.{waits}"
    if not left:
        text = f"{fewer} counts {_waits(case, effect)}; until then it stays paid for."
        return text + _later_parts(case) + window(case)
    return moves(case, gone, _given(case), effect) + _notice(case, fewer)


def _waits(case: Case, effect: FallEffect) -> str:
    """From when on something counts that falls and waits for a period or a term."""
    if not case.rules.fall.notice_days or effect == "never":
        return STAYS.get(effect, f"from the next {WORD[case.unit]} on")
    notice, word = _ahead(case), "term" if effect == "next_term" else WORD[case.unit]
    return f"from the first {word} on that begins {days(notice)} or more after it was told"


def _ahead(case: Case) -> int:
    """How many days before a period a fall has to be told; where its own day is billed, that day is one of them."""
    return case.rules.fall.notice_days + case.rules.seats.delay_days


def _notice(case: Case, what: str) -> str:
    """How much later than it was told a fall counts."""
    notice = case.rules.fall.notice_days
    return f" {what} counts {days(notice)} after it was told." if notice else ""


def window(case: Case) -> str:
    """For how long something can be given back at once all the same, and what becomes of what was paid for it."""
    back = case.rules.fall.window_days
    if not back:
        return ""
    said = f" Within {days(back)} after it was bought or renewed it can be given back at once"
    if _in_arrears(case):
        return f"{said}."
    settled = f"the unused rest is {_given(case)} {_settle(case, rises=False)}"
    return f"{said}, and {settled}.{credit_left(case)}"


def moves(case: Case, subject: str, verb: str, effect: FallEffect) -> str:
    """The sentence of what rises (charged) or falls (credited or paid back) within a period."""
    left = rest(effect, case.rules, case.unit, case.policy.ticks)
    since = begins(effect, case.unit)
    rises = verb == "charged"
    left = left if rises else in_short(left)
    if _in_arrears(case):
        if not left:
            return f"{subject} billed from the next {WORD[case.unit]} on."
        if not rises and effect == "day" and ("days" in left or "time" in left):
            return f"{subject} billed until {_last_day(case)}."
        if not rises and left == f"the whole {WORD[case.unit]}":
            return f"{subject} not billed for that {WORD[case.unit]} at all."
        return f"{subject} {'' if rises else 'not '}billed {since}for {left}."
    settle = _settle(case, rises=rises)
    if not left:
        when = f", {settle}" if case.unit != case.interval else ""
        return f"{subject} {verb} from the next {WORD[case.unit]} on{when}."
    left_over = "" if rises else credit_left(case)
    return f"{subject} {verb} {since}for {left}{_and_after(case)}, {settle}.{left_over}"


def _given(case: Case) -> str:
    """What happens to the unused rest of what falls away: it is credited, or paid back at once."""
    fall = case.rules.fall
    return "paid back" if fall.give == "refund" and fall.settle == "now" else "credited"


def _in_arrears(case: Case) -> bool:
    return case.rules.period.charge == "arrears"


def _settle(case: Case, *, rises: bool) -> str:
    if rises:
        next_bill = f"with the bill of the next {WORD[case.interval]}"
        months = MONTHS[case.interval]
        when = {
            "next_invoice": next_bill,
            "month": "on the first day of the next month",
            "quarter": "at the next calendar quarter",
            "own_month": f"when the next month of the {WORD[case.interval]} begins" if months > 1 else next_bill,
            "own_quarter": f"when the next quarter of the {WORD[case.interval]} begins" if months > 3 else next_bill,
            "now": f"after {days(waiting)}" if (waiting := case.rules.rise.waiting_days) else "at once",
        }[case.rules.rise.settle]
        return when + enough(case.rules.rise, case.policy.currency)
    return {"next_invoice": "with the next invoice", "now": "at once"}[case.rules.fall.settle]


def credit_left(case: Case) -> str:
    """What becomes of a credit that exceeds the invoice it is on."""
    if case.rules.fall.settle == "now":
        return ""
    return _LEFT_OVER + ("is paid back." if case.rules.fall.give == "refund" else "stays for the next ones.")


def _and_after(case: Case) -> str:
    """The other parts that a period billed ahead is measured in."""
    return "" if case.unit == case.interval else f" and the {WORD[case.unit]}s of the {WORD[case.interval]} after it"


def _later_parts(case: Case) -> str:
    if case.unit == case.interval or _in_arrears(case):
        return ""
    later = f"{WORD[case.unit]}s of the {WORD[case.interval]} after it"
    return f" The {later} are {_given(case)} {_settle(case, rises=False)}."


def _number_rises(case: Case) -> str:
    """A seat more, where one number is billed for all of a period."""
    unit = WORD[case.unit]
    if not _can_rise(case) or case.rules.seats.of == "period_before":
        return f"A {case.noun} more counts {_from_next(case, seen=_can_rise(case))}{_parts(case, rises=True)}."
    if _in_arrears(case):
        return f"A {case.noun} more counts for the whole {unit}, {_in_number(case, 'there', 'higher')}."
    return (
        "A bill counts what is known on its day. Where the number turns out higher, the difference is charged for the "
        f"whole {unit}{_and_after(case)}, {_settle(case, rises=True)}."
    )


def _number_falls(case: Case) -> str:
    unit = WORD[case.unit]
    if not _falls_within(case):
        return f"A {case.noun} fewer counts {_from_next(case, seen=_can_fall(case))}{_parts(case, rises=False)}."
    if _in_arrears(case):
        return f"A {case.noun} fewer counts for the whole {unit}, {_in_number(case, 'gone', 'lower')}."
    said = (
        f"Where the number turns out lower, the difference is {_given(case)} for the whole {unit}{_and_after(case)}, "
    )
    return f"{said}{_settle(case, rises=False)}.{credit_left(case)}"


def _in_number(case: Case, is_seen: str, moved: str) -> str:
    """Where a change within a period is seen in its number."""
    if case.rules.seats.measure != "snapshot":
        return f"as far as it makes that number {moved}"
    day = day_of(case.rules.seats.on_day, case.unit)
    return f"if it is {is_seen} on {day.removesuffix(',')}, and else from the next {WORD[case.unit]} on"


def _from_next(case: Case, *, seen: bool) -> str:
    unit = WORD[case.unit]
    if case.rules.seats.of == "this_period" or seen:
        return f"from the next {unit} on"
    return f"from the {unit} after the next on"


def _parts(case: Case, *, rises: bool) -> str:
    """When later parts of a period that was billed ahead are settled."""
    if case.unit == case.interval or _in_arrears(case):
        return ""
    return f", {'charged' if rises else _given(case)} {_settle(case, rises=rises)}"


def _can_rise(case: Case) -> bool:
    """Whether a seat more within a period may be seen in its number."""
    seats = case.rules.seats
    if seats.measure == "snapshot":
        return seats.on_day != 1
    return seats.measure != "distinct" or seats.least_days > 0


def _falls_within(case: Case) -> bool:
    """Whether a seat fewer may be seen in what is billed for the period in which it goes."""
    return _can_fall(case) and case.rules.seats.of == "this_period"


def _can_fall(case: Case) -> bool:
    seats = case.rules.seats
    if seats.measure == "snapshot":
        return seats.on_day != 1
    return seats.measure == "mean" or (seats.measure == "distinct" and seats.least_days != 1)


def plans(case: Case) -> Iterator[Sentence]:
    """A dearer and a cheaper plan chosen within a period that began on one of the case's plans."""
    if not case.by_price:
        return
    here = [name for name in case.by_price if name in case.plans]
    cheapest, dearest = case.by_price[0], case.by_price[-1]
    if here and case.yearly(here[0]) < case.yearly(dearest):
        effect = _EFFECT_OF.get(case.rules.change.dearer_plan, case.rules.rise.takes_effect)
        yield _plan(case, "A dearer plan", effect, here[0], dearest)
    if here and case.yearly(here[-1]) > case.yearly(cheapest):
        effect = _EFFECT_OF.get(case.rules.change.cheaper_plan, case.rules.fall.effect)
        yield _plan(case, "A cheaper plan", effect, here[-1], cheapest)


_EFFECT_OF: dict[str, FallEffect] = {"next_period": "next_period"}


def interval(case: Case) -> Iterator[Sentence]:
    """Another interval chosen within a period, where that does not wait for the next invoice."""
    if case.rules.change.interval == "restart" and len(case.policy.intervals) > 1:
        others = (one for one in case.policy.intervals if one != case.interval)
        text = f"Another interval begins on the day it is chosen{_rest_credited(case)}."
        yield Sentence(text, next(filter(None, (_chosen(case, other) for other in others)), ""))


def _chosen(case: Case, other: Interval) -> str:
    """What choosing another interval comes to; nothing where the plan has no price for it."""
    if case.plan is None or not case.is_sold(case.plan, other):
        return ""
    row: Row = {"at": case.change, "event": "interval", "interval": other}
    who = case.on(case.change, f"From every {WORD[case.interval]} to every {WORD[other]}")
    return case.different(who, case.bills([row], into=other), case.bills(into=other))


def _rest_credited(case: Case) -> str:
    if _in_arrears(case):
        return ", and the running one is billed to the day before"
    return ", and the unused rest of the running one is credited"


def _plan(case: Case, subject: str, effect: FallEffect, old: str, new: str) -> Sentence:
    bills = case.bills([{"at": case.change, "event": "plan", "plan": new}], plan=old)
    who = case.on(case.change, f"{case.seats} {case.noun}s from {old} to {new}")
    rises = subject == "A dearer plan"
    change = case.rules.change
    anew = (change.dearer_plan if rises else change.cheaper_plan) == "restart"
    example = case.different(who, bills, case.bills(plan=old))
    if anew:
        return Sentence(f"{subject} begins a new {WORD[case.unit]} on its day{_rest_credited(case)}.", example)
    left = in_short(rest(effect, case.rules, case.unit, case.policy.ticks))
    if not left:
        since = f"from the next {WORD[case.unit]} on" if rises else _waits(case, effect)
        return Sentence(f"{subject} counts {since}.", example)
    notice = "" if rises else _notice(case, "It")
    since = begins(effect, case.unit)
    if _in_arrears(case):
        return Sentence(f"{subject} is billed {since}for {left}.{notice}", example)
    gives = "as credit" if case.rules.fall.give == "credit" else "back"
    what = "is charged with the difference" if rises else f"gives the difference {gives}"
    when = f"{since}for {left}{_and_after(case)}, {_settle(case, rises=rises)}"
    return Sentence(f"{subject} {what}, {when}.{notice}", example)
