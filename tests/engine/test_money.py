"""Money: amounts as they are written, as they are shown, and fractions led back to whole cents."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.money import RoundingMode, digits_of, format_amount, parse_amount, rounded, speak_amount

DECIMAL_MODES: dict[RoundingMode, str] = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "half_down": ROUND_HALF_DOWN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("699.00", "SEK", 69_900),
        ("699", "SEK", 69_900),
        ("699.5", "SEK", 69_950),
        ("0.07", "EUR", 7),
        ("0", "EUR", 0),
        (" 8.00 ", "EUR", 800),
        ("1500", "JPY", 1_500),
        ("1.234", "KWD", 1_234),
        ("1.2", "KWD", 1_200),
        ("999999999999999", "EUR", 99_999_999_999_999_900),
    ],
)
def test_an_amount_is_read_as_minor_units_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "sentence"),
    [
        ("1.001", "EUR", "'1.001' has 3 decimals; EUR has 2"),
        ("1.0", "JPY", "'1.0' has 1 decimals; JPY has 0"),
        ("1.0000", "KWD", "'1.0000' has 4 decimals; KWD has 3"),
    ],
)
def test_too_many_decimals_are_refused_even_where_they_are_zeros(text: str, currency: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="decimals") as caught:
        parse_amount(text, currency)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "text",
    ["", "ten", "-5.00", "+5.00", "1,50", "1 000", "1_000", ".50", "5.", "1e3", "0x10", "NaN", "1" * 16, "5.00\n6"],
)
def test_what_is_no_plain_decimal_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount") as caught:
        parse_amount(text, "EUR")
    said = f"{text!r} is not an amount; write digits with a point before the decimals, such as 699.00"
    assert str(caught.value) == said


def test_digits_of_other_scripts_are_no_amount_as_they_are_no_quantity() -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        parse_amount("٦٩٩.٠٠", "SEK")


@pytest.mark.parametrize(
    ("minor", "currency", "written", "spoken"),
    [
        (139_800, "SEK", "1398.00", "1,398.00"),
        (7, "EUR", "0.07", "0.07"),
        (0, "EUR", "0.00", "0.00"),
        (-7, "EUR", "-0.07", "−0.07"),
        (-123_456_789, "EUR", "-1234567.89", "−1,234,567.89"),
        (1_500, "JPY", "1500", "1,500"),
        (-5, "JPY", "-5", "−5"),
        (1_234, "KWD", "1.234", "1.234"),
        (5, "KWD", "0.005", "0.005"),
    ],
)
def test_an_amount_is_shown_with_all_the_decimals_of_its_currency(
    minor: int, currency: str, written: str, spoken: str
) -> None:
    assert format_amount(minor, currency) == written
    assert speak_amount(minor, currency) == spoken


@given(st.integers(0, 10**14), st.sampled_from(["EUR", "JPY", "KWD", "UYW"]))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    written = format_amount(minor, currency)
    assert parse_amount(written, currency) == minor
    assert len(written.partition(".")[2]) == digits_of(currency)


@pytest.mark.parametrize(
    ("mode", "halves"),
    [  #          0.5 1.5 2.5 and the same below zero
        ("half_up", (1, 2, 3, -1, -2, -3)),
        ("half_down", (0, 1, 2, 0, -1, -2)),
        ("half_even", (0, 2, 2, 0, -2, -2)),
        ("up", (1, 2, 3, -1, -2, -3)),
        ("down", (0, 1, 2, 0, -1, -2)),
    ],
)
def test_halves_go_where_the_mode_says_and_negative_ones_mirror_them(
    mode: RoundingMode, halves: tuple[int, ...]
) -> None:
    assert tuple(rounded(numerator, 2, mode) for numerator in (1, 3, 5, -1, -3, -5)) == halves


@pytest.mark.parametrize(
    ("mode", "expected"),
    [  #          1/3 2/3 3/3 and the same below zero
        ("half_up", (0, 1, 1, 0, -1, -1)),
        ("half_down", (0, 1, 1, 0, -1, -1)),
        ("half_even", (0, 1, 1, 0, -1, -1)),
        ("up", (1, 1, 1, -1, -1, -1)),
        ("down", (0, 0, 1, 0, 0, -1)),
    ],
)
def test_a_third_and_two_thirds_are_no_halves(mode: RoundingMode, expected: tuple[int, ...]) -> None:
    assert tuple(rounded(numerator, 3, mode) for numerator in (1, 2, 3, -1, -2, -3)) == expected


def test_commercial_rounding_is_what_happens_unless_another_mode_is_asked_for() -> None:
    assert rounded(5, 2) == 3
    assert rounded(-5, 2) == -3


@given(st.integers(-(10**12), 10**12), st.sampled_from([1, 2, 4, 5, 8, 10, 16, 20, 1000]))
def test_every_mode_rounds_as_decimal_does(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)  # these denominators give finite decimals
    for mode, decimal_mode in DECIMAL_MODES.items():
        assert rounded(numerator, denominator, mode) == int(exact.quantize(Decimal(1), rounding=decimal_mode))
