"""The words that every sentence about a policy is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prorata.engine.calendar import DAYS, MONTHS, Interval
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import FallEffect, Policy, Rules
from prorata.engine.policy.tariff import Price


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a policy says about one thing, and what that is in money."""

    text: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The sentences about one way of being billed."""

    title: str
    sentences: tuple[Sentence, ...]


EVERY = {
    "month": "every month", "quarter": "every quarter", "half_year": "every half-year", "year": "every year",
    "week": "every week", "two_weeks": "every two weeks", "four_weeks": "every four weeks", "30_days": "every 30 days",
}  # fmt: skip
WORD = {
    "month": "month", "quarter": "quarter", "half_year": "half-year", "year": "year", "week": "week",
    "two_weeks": "period of two weeks", "four_weeks": "period of four weeks", "30_days": "period of 30 days",
}  # fmt: skip
_FOR = {"two_weeks": "for two weeks", "four_weeks": "for four weeks", "30_days": "for 30 days"}


# Falls that do not even count from the next period on, and from when on they do.
STAYS: dict[str, str] = {"next_term": "from the next term on", "never": "only when the agreement has ended"}


def speak_price(price: Price, policy: Policy) -> str:
    """`EUR 10.00 a month`."""
    if not price.months:
        return f"{policy.currency} {speak_amount(price.minor, policy.currency)} once"
    of_days = [interval for interval in policy.intervals if interval in DAYS]
    interval = next(one for one in (*of_days, *MONTHS) if MONTHS[one] == price.months)
    per = _FOR.get(interval, f"a {WORD[interval]}")
    return f"{policy.currency} {speak_amount(price.minor, policy.currency)} {per}"


def begins(effect: FallEffect, unit: Interval) -> str:
    """From when on a change within a period counts, where that is not its day; nothing where it is."""
    if effect == "day" or _step(effect, unit) >= MONTHS[unit]:
        return ""
    word = effect.removeprefix("next_")
    return f"from the first day of its {word} on, " if word == effect else f"from the next {word} on, "


def in_short(rest: str) -> str:
    """The rest without what each of its days is worth."""
    return rest.partition(", each")[0]


def rest(effect: FallEffect, rules: Rules, unit: Interval, ticks: int = 1) -> str:
    """What of a period's price a change within it moves; nothing where it counts from the next period only.

    Where a day is divided into ticks, that is the time left and not the days.
    """
    if ticks > 1:
        return rest(effect, rules, unit).replace("days left", "time left").replace(", each 1/", ", each day 1/")
    if effect in STAYS:
        return ""
    length, step = MONTHS[unit], _step(effect, unit)
    if step >= length:
        return "" if effect.startswith("next_") else f"the whole {WORD[unit]}"
    by = rules.share.by
    if by in _BY_DAYS:
        return _BY_DAYS[by].format(WORD[unit])
    size = min({"months": 1, "quarters": 3}.get(by, length), length)
    started = rules.share.started
    if size == length and started == "free" and step and not effect.startswith("next_"):
        return f"the whole {WORD[unit]} if that is its first day"
    if size == length:
        return _OF_ONE[started].format(WORD[unit])
    word = {1: "months", 3: "quarters"}[size]
    return f"the {word} left" if step and step % size == 0 else _OF_SOME[started].format(word)


def _step(effect: FallEffect, unit: Interval) -> int:
    """How many months lie between the days on which changes take effect; 0: they do so on their own."""
    return {"day": 0, "month": 1, "quarter": 3}.get(effect.removeprefix("next_"), MONTHS[unit])


_BY_DAYS = {
    "days_of_period": "the days left of the {}",
    "days_of_month": "the days left, each by the length of its month",
    "days_of_365": "the days left of the {}, each 1/365 of the yearly price",
}
_OF_ONE = {
    "full": "the whole {}",
    "free": "",
    "by_days": "the days left of the {}",
    "by_30": "the days left of the {}, each 1/30 of it and all of it at most",
}
_OF_SOME = {
    "full": "the {} left, the started one included",
    "free": "the {} left after the started one",
    "by_days": "the {} left and the days left of the started one",
    "by_30": "the {} left and the days left of the started one, each 1/30 of it and all of it at most",
}


def in_sizes(sizes: Sequence[int]) -> str:
    """In which numbers seats are sold."""
    last = sizes[-1]
    if len(sizes) == 1:
        return f"packages of {last}"
    step = last - sizes[-2]
    return f"packages of {', '.join(str(size) for size in sizes)}, and beyond {last} in steps of {step}"
