"""When bills come, how an agreement begins and ends, and how amounts are made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prorata.engine.calendar import MONTHS, Interval, add_months, speak_day, to_day
from prorata.engine.money import (
    digits_of,
    grain_of,
    in_grains,
    rounded,
    speak_amount,
    speak_decimal,
    speak_percent,
)
from prorata.engine.policy.plain.stories import Case
from prorata.engine.policy.plain.words import WORD, Sentence, rest
from prorata.engine.policy.tariff import Price
from prorata.engine.words import days, plural

_BEGIN = {
    "month": "with the calendar month",
    "quarter": "on 1 January, 1 April, 1 July and 1 October",
    "half_year": "on 1 January and 1 July",
    "year": "on 1 January",
}
_MODES = {
    "half_up": "",
    "half_even": "Halves are rounded to the even number.",
    "half_down": "Halves are rounded down.",
    "up": "Fractions are rounded up.",
    "down": "Fractions are rounded down.",
}


def period(case: Case) -> Sentence:
    """Which days a bill is for, and when it comes."""
    word = WORD[case.interval]
    rules = case.rules.period
    exact = case.policy.precision != "day"
    begin = f"A {word} is counted from the {'moment' if exact else 'day'} the agreement starts."
    if rules.anchor == "calendar":
        begin = f"A {word} begins {_BEGIN[case.interval]}; the first one is shorter where the start lies within it."
        if rules.stub == "next_invoice":
            begin = f"{begin[:-1]}, and is billed with the next."
    if MONTHS[case.unit] < MONTHS[case.interval]:
        begin += f" Each {WORD[case.unit]} of it is counted on its own."
    when = "its first day, in advance" if case.charge == "advance" else "the day after its last, for the time past"
    if exact:
        begin += f" Time is counted to the {case.policy.precision}."
    if rules.term_months:
        begin += f" You bind yourself for {rules.term_months} months at a time."
    subject = f"A {word}" if exact or rules.term_months else "It"
    return Sentence(f"{begin} {subject} is billed on {when}.", case.first(case.opened, case.bills()))


def trial(case: Case) -> Iterator[Sentence]:
    """Free time."""
    terms = case.rules.trial
    if terms.days:
        after = "when it is over" if case.policy.ticks > 1 else "on the day after it"
        text = f"A trial is free for {days(terms.days)}; paid periods begin {after}."
        began = f"A trial from {speak_day(to_day(case.start))}"
        yield Sentence(text, case.first(began, case.bills(opening="trial")))
        if terms.without_payment_method == "suspended":
            on = case.start + timedelta(terms.days + 5)
            told: list[dict[str, object]] = [{"at": on, "event": "payment_method", "payment_method": case.method}]
            yield Sentence(
                "Where no payment method is on file by then the account is suspended, and paid periods begin on the "
                "day on which one is told of.",
                case.first(
                    f"{began}, {case.method} on {speak_day(to_day(on))}", case.bills(told, opening="trial_only")
                ),
            )
    if terms.plan_days and len(case.by_price) > 1:
        low, high = case.by_price[0], case.by_price[-1]
        row: dict[str, object] = {"at": case.change, "event": "trial_plan", "plan": high}
        tried, untried = case.bills([row], plan=low), case.bills(plan=low)
        text = f"A higher plan can be tried for {days(terms.plan_days)} at the price of the present one."
        who = f"{high} tried from {speak_day(to_day(case.change))}"
        example = case.different(who, tried, untried) or f"{who}: nothing is charged for it"
        yield Sentence(text, example)


def cancel(case: Case) -> Sentence:
    """When a cancelled agreement ends."""
    text, day = f"{_ends(case)}.", case.change
    if _at_once(case):
        if case.rules.period.charge == "advance" and rest("day", case.rules, case.unit):
            back = "paid back" if case.rules.fall.give == "refund" else "credited"
            text = f"{text[:-1]}; the unused rest is {back}{' at once' if case.rules.fall.settle == 'now' else ''}."
    else:
        term = case.rules.period.term_months if case.rules.cancel.ends == "term" else 0
        day = case.noticed(case.rules.cancel.notice_days, case.interval, term)
    if case.rules.credits.lapse_months:
        text += f" A credit is lost {case.rules.credits.lapse_months} months after it was given."
    if case.rules.credits.lapse == "agreement_end":
        text += " Credits that are left then are lost."
    documents = case.bills([{"at": day, "event": "cancel"}])
    return Sentence(text, case.last(f"{case.on(day, 'Cancelled')}, the last bill", documents))


def _ends(case: Case) -> str:
    """When a cancelled agreement ends, without the full stop."""
    cancel, notice = case.rules.cancel, case.rules.cancel.notice_days
    if _at_once(case):
        when = "at the moment at" if case.policy.ticks > 1 else "with the day on"
        when = f"{days(notice)} after it was told" if notice else f"{when} which it is made"
        return f"A cancellation ends the agreement {when}"
    word = "term" if cancel.ends == "term" else WORD[case.interval]
    if notice:
        return f"A cancellation ends the agreement before the first {word} that begins {days(notice)} or more after it"
    return f"A cancellation ends the agreement with the {word} in which it is made"


def _at_once(case: Case) -> bool:
    """Whether an agreement can end within a period."""
    return case.rules.cancel.ends == "day" and case.rules.fall.give != "nothing"


def amounts(case: Case) -> Iterator[Sentence]:
    """How prices change, tax and rounding."""
    months = case.rules.prices.notice_months
    if months:
        first = add_months(to_day(case.start), months)
        yield Sentence(
            f"A new price is announced {months} {plural('month', months)} ahead and holds for periods that "
            "begin afterwards.",
            f"{case.on(case.start, 'Announced')}: in force from {speak_day(first)} at the earliest",
        )
    if case.rules.prices.in_force != "period":
        word = case.rules.prices.in_force
        yield Sentence(f"The price in force when the {word} began holds for all of the {word}.")
    if case.rules.tax.rate:
        tax = rounded(10000 * case.rules.tax.rate.numerator, 100 * case.rules.tax.rate.denominator)
        amount, whole = (speak_amount(minor, case.policy.currency) for minor in (10000, 10000 + tax))
        yield Sentence(f"Tax of {speak_percent(case.rules.tax.rate)} is added.", f"{amount} makes {whole}")
    yield from _rounding(case)


def _rounding(case: Case) -> Iterator[Sentence]:
    rounding = case.rules.rounding
    said = {
        "running": "What is billed for a period adds up to its exact amount, rounded once{}.",
        "line": "Each line is rounded on its own{}.",
        "seat": "The price of one seat for the days billed is rounded{}, and then multiplied by the seats.",
        "day": "The price of one seat for a day is rounded{}, and then multiplied by days and seats; a whole {} is not "
        "cut into days.",
    }[rounding.stage].format(_to(rounding.digits), WORD[_whole(case)])
    text = " ".join([said, _MODES[rounding.mode]]).strip()
    price = None if case.plan is None else _price(case, case.plan, rounding.stage)
    yield Sentence(text, "" if price is None else _rounding_example(case, price))


def _to(digits: int | None) -> str:
    if digits is None:
        return ""
    return f" to {digits} {plural('decimal', digits)}" if digits else " to a whole number"


def _whole(case: Case) -> Interval:
    """What is not cut into days."""
    return "month" if case.rules.share.by == "days_of_month" else case.unit


def _price(case: Case, plan: str, stage: str) -> Price | None:
    """What the plan costs for a seat, or where seats are included beside them; that is not multiplied by seats."""
    rows = case.policy.plans[plan].prices
    found = [row.price for row in rows] + [row.base for row in rows if row.base is not None and stage != "seat"]
    return next((price for price in found if price.minor), None)


def _rounding_example(case: Case, price: Price) -> str:
    """A third of the price, billed as it is rounded."""
    rounding, currency = case.rules.rounding, case.policy.currency
    whole = speak_amount(price.minor, currency)
    if rounding.stage == "day":
        return case.different(f"One {case.noun} more", case.bills([case.added()]), case.bills())
    grain = grain_of(currency, rounding.digits)
    third = in_grains(price.minor, 3, grain, rounding.mode)
    if rounding.stage == "seat":
        product = third * grain * case.seats
        told = speak_decimal(third, digits_of(currency) if rounding.digits is None else rounding.digits)
        amount = rounded(product.numerator, product.denominator, rounding.mode)
        return f"{case.seats} seats for a third of {whole}: {case.seats} × {told} = {speak_amount(amount, currency)}"
    part = third * grain.numerator
    if rounding.stage == "line":
        return f"A third of {whole} is {speak_amount(part, currency)}"
    all_ = in_grains(price.minor, 1, grain, rounding.mode) * grain.numerator
    first, rest, total = (speak_amount(minor, currency) for minor in (part, all_ - part, all_))
    return f"A third of {whole} billed first, the rest later: {first} + {rest} = {total}"
