"""When bills come, how an agreement begins and ends, and how amounts are made."""

from __future__ import annotations

from collections.abc import Iterator

from prorata.engine.calendar import MONTHS, add_months, speak_day, to_day
from prorata.engine.money import rounded, speak_amount, speak_percent
from prorata.engine.policy.plain.stories import Case
from prorata.engine.policy.plain.words import WORD, Sentence, days, rest

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
    begin = f"A {word} is counted from the day the agreement starts."
    if rules.anchor == "calendar":
        begin = f"A {word} begins {_BEGIN[case.interval]}; the first one is shorter where the start lies within it."
        if rules.stub == "next_invoice":
            begin = f"{begin[:-1]}, and is billed with the next."
    if MONTHS[case.unit] < MONTHS[case.interval]:
        begin += f" Each {WORD[case.unit]} of it is counted on its own."
    when = "its first day, in advance" if rules.charge == "advance" else "the day after its last, for the time past"
    if case.policy.precision != "day":
        begin += f" Time is counted to the {case.policy.precision}."
    if rules.term_months:
        begin += f" You bind yourself for {rules.term_months} months at a time."
    return Sentence(f"{begin} It is billed on {when}.", case.first("", case.bills()))


def trial(case: Case) -> Iterator[Sentence]:
    """Free time."""
    terms = case.rules.trial
    if terms.days:
        text = f"A trial is free for {days(terms.days)}; paid periods begin on the day after it."
        yield Sentence(text, case.first(f"A trial from {speak_day(to_day(case.start))}", case.bills(opening="trial")))
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
    word = WORD[case.interval]
    text = f"A cancellation ends the agreement with the {word} in which it is made."
    if case.rules.cancel.ends == "term":
        text = "A cancellation ends the agreement with the term in which it is made."
    if case.rules.cancel.ends == "day" and case.rules.fall.give != "nothing":
        text = "A cancellation ends the agreement with the day on which it is made."
        left = rest("day", case.rules, case.unit)
        if case.rules.period.charge == "advance" and left:
            back = "paid back" if case.rules.fall.give == "refund" else "credited"
            text = f"{text[:-1]}; the unused rest is {back}."
    if case.rules.credits.lapse_months:
        text += f" A credit is lost {case.rules.credits.lapse_months} months after it was given."
    if case.rules.credits.lapse == "agreement_end":
        text += " Credits that are left then are lost."
    documents = case.bills([{"at": case.change, "event": "cancel"}])
    return Sentence(text, case.last(f"{case.on(case.change, 'Cancelled')}, the last bill", documents))


def amounts(case: Case) -> Iterator[Sentence]:
    """How prices change, tax and rounding."""
    months = case.rules.prices.notice_months
    if months:
        first = add_months(to_day(case.start), months)
        yield Sentence(
            f"A new price is announced {months} month{'' if months == 1 else 's'} ahead and holds for periods that "
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
        "running": "What is billed for a period adds up to its exact amount, rounded once.",
        "line": "Each line is rounded on its own.",
    }[rounding.stage]
    text = " ".join([said, _MODES[rounding.mode]]).strip()
    if case.plan is None:
        yield Sentence(text)
        return
    price = case.policy.price(case.policy.plans[case.plan].prices, case.interval, case.at, case.plan)
    assert price is not None
    part = rounded(price.minor, 3, rounding.mode)
    if rounding.stage == "line":
        third, whole = (speak_amount(minor, case.policy.currency) for minor in (part, price.minor))
        yield Sentence(text, f"A third of {whole} is {third}")
        return
    thirds = [speak_amount(minor, case.policy.currency) for minor in (part, price.minor - part, price.minor)]
    yield Sentence(
        text, f"A third of {thirds[2]} billed first, the rest later: {thirds[0]} + {thirds[1]} = {thirds[2]}"
    )
