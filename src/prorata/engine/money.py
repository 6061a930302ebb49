"""Money is a whole number of minor units of one currency."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NewType

Minor = NewType("Minor", int)  # an amount of a policy file, which is written as a plain decimal
RoundingMode = Literal["half_up", "half_even", "half_down", "up", "down"]

# ISO 4217: currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,15})(?:\.(?P<part>[0-9]{1,15}))?")


def digits_of(currency: str) -> int:
    """How many decimals an amount in `currency` has (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def parse_amount(text: str, currency: str) -> int:
    """Minor units of a plain decimal such as `699.00`; a ValueError says in a sentence what is wrong with it."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an amount; write digits with a point before the decimals, such as 699.00")
    digits = digits_of(currency)
    part = match["part"] or ""
    if len(part) > digits:
        raise ValueError(f"{text!r} has {len(part)} decimals; {currency} has {digits}")
    return int(match["whole"] + part.ljust(digits, "0"))


def format_amount(minor: int, currency: str) -> str:
    """A plain decimal with all the decimals of `currency`: 139800 öre are `1398.00`."""
    digits = digits_of(currency)
    if digits == 2 and minor >= 0:
        return f"{minor // 100}.{minor % 100:02}"
    return _plain(minor, digits)


def speak_amount(minor: int, currency: str) -> str:
    """An amount for reading, thousands apart: `1,398.00`."""
    return speak_decimal(minor, digits_of(currency))


def speak_decimal(number: int, digits: int) -> str:
    """A number with so many decimals for reading: 1633 with three are `1.633`."""
    whole, point, part = _plain(abs(number), digits).partition(".")
    return f"{'−' if number < 0 else ''}{int(whole):,}{point}{part}"


def _plain(number: int, digits: int) -> str:
    sign, text = "-" if number < 0 else "", str(abs(number)).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def speak_percent(rate: Fraction) -> str:
    """A rate for reading, with as many decimals as it has: `21.5 %`."""
    return f"{(Decimal(rate.numerator) / Decimal(rate.denominator)).normalize():f} %"


def rounded(numerator: int, denominator: int, mode: RoundingMode = "half_up") -> int:
    """The whole number nearest to a fraction; modes work on the size, so −0.5 and 0.5 round alike.

    `denominator` is positive. `half_up` is commercial rounding: a half goes away from zero (EN 16931).
    """
    if numerator < 0:
        return -rounded(-numerator, denominator, mode)
    whole, rest = divmod(numerator, denominator)
    if rest:
        half = 2 * rest - denominator
        if mode == "half_up":
            return whole + 1 if half >= 0 else whole
        if mode == "up" or (mode != "down" and half > 0) or (half == 0 and mode == "half_even" and whole % 2 == 1):
            return whole + 1
    return whole


def grain_of(currency: str, digits: int | None) -> Fraction:
    """How many minor units the last of so many decimals is worth: a krone is 100 øre, a tenth of an øre is 1/10.

    Where the number is left out, it is that of the currency, and the grain 1.
    """
    return Fraction(1) if digits is None else Fraction(10) ** (digits_of(currency) - digits)


def in_grains(numerator: int, denominator: int, grain: Fraction, mode: RoundingMode) -> int:
    """How many grains a fraction of minor units is, rounded to a whole number of them."""
    return rounded(numerator * grain.denominator, denominator * grain.numerator, mode)
