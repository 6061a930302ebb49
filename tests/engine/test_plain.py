"""A policy in plain sentences: the vendors' claims are in them, and every example's arithmetic is right."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prorata.engine.policy.model import Policy
from prorata.engine.policy.plain import tell
from prorata.policies import load_policy
from tests.engine.stories import BASE, policy_of
from tests.engine.worlds import policies

SUM = re.compile(r"(−?)([\d,]+) × ([\d,.]+) × (\d+)(?:/(\d+))? = (−?)([\d,.]+)")


def told(name: str) -> dict[str, dict[str, str]]:
    """Part by part, what is said with its example."""
    return {
        part.title: {sentence.text: sentence.example for sentence in part.sentences} for part in tell(load_policy(name))
    }


def example(name: str, title: str, beginning: str) -> str:
    [found] = [said for text, said in told(name)[title].items() if text.startswith(beginning)]
    return found


@pytest.mark.parametrize("name", ["konfidens", "mainter", "sloneek"])
def test_every_sum_in_an_example_comes_out_when_done_by_hand(name: str) -> None:
    sums = 0
    for sentences in told(name).values():
        for said in sentences.values():
            for minus, quantity, price, numerator, denominator, negative, amount in SUM.findall(said):
                exact = (
                    int(quantity.replace(",", ""))
                    * Fraction(price.replace(",", ""))
                    * Fraction(int(numerator), int(denominator or 1))
                )
                cents = (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)
                assert cents == Decimal(amount.replace(",", "")), said
                assert minus == negative
                sums += 1
    assert sums >= 8


@pytest.mark.parametrize(
    ("name", "title", "beginning", "said"),
    [
        # K1: 31 + 28 + 31 + 30 + 31 + 30 = 181 days × 3 at 1.00
        ("konfidens", "Billed every half-year", "A half-year begins",
         "3 × 365.00 × 181/365 = 543.00, on 1 January 2026"),
        # K2, K7: from 10 February, that day billed: 19 + 31 + 30 + 31 + 30 = 141 days
        ("konfidens", "Billed every half-year", "A user added",
         "One user more on 10 February 2026: 1 × 365.00 × 141/365 = 141.00, on 1 March 2026"),
        # K3, K10: that day not billed any more, credited with the next half-year
        ("konfidens", "Billed every half-year", "For a user",
         "One user fewer on 10 February 2026: −1 × 365.00 × 141/365 = −141.00, on 1 July 2026"),
        # K11: three users on 31 days of January, for the month past
        ("konfidens", "Billed every month", "A month begins", "3 × 365.00 × 31/365 = 93.00, on 1 February 2026"),
        # K11: 9 days × 3 + 21 days × 4 = 111
        ("konfidens", "Billed every month", "A user who joins",
         "One user more on 10 April 2026: 3 × 365.00 × 9/365 = 27.00; 4 × 365.00 × 21/365 = 84.00, together 111.00, "
         "on 1 May 2026"),
        # M4: 10 days into a month of 30, 20 left, at the start of the next
        ("mainter", "Billed every month", "A user added",
         "One user more on 10 April 2026: 1 × 299.00 × 20/30 = 199.33, on 1 May 2026"),
        # M5: 18 of 28 days of February and ten months are 298/28, at the next calendar quarter
        ("mainter", "Billed every year", "A user added",
         "One user more on 10 February 2026: 1 × 299.00 × 298/28 (18 of 28 days of February, then 10 months) "
         "= 3,182.21, on 1 April 2026"),
        # M6
        ("mainter", "Billed every month", "For a user",
         "One user fewer on 10 April 2026: −1 × 299.00 × 20/30 = −199.33, on 1 May 2026"),
        # M7: 699 − 299 = 400; 400 × 3 × 20/30 = 800
        ("mainter", "Billed every month", "A dearer plan",
         "3 users from BASIC to PRO on 10 April 2026: 3 × 400.00 × 20/30 = 800.00, on 1 May 2026"),
        # S2: 14 days, 1 to 14 January
        ("sloneek", "Billed every month, since 1 June 2023", "A trial is free for 14 days",
         "A trial from 1 January 2026: 12 × 8.00 × 31/31 = 96.00, on 15 January 2026"),
        # S4
        ("sloneek", "Billed every month, since 1 June 2023", "Never fewer than 10",
         "With 4: 10 × 8.00 × 31/31 = 80.00, on 1 January 2026"),
        # S5, S7: the day of change not billed, 20 days left of April, with the next period
        ("sloneek", "Billed every month, since 1 June 2023", "A seat added",
         "One seat more on 10 April 2026: 1 × 8.00 × 20/30 = 5.33, on 1 May 2026"),
        # S7: down at the next period, without credit: 11 × 8 = 88
        ("sloneek", "Billed every month, since 1 June 2023", "A seat fewer",
         "One seat fewer on 10 April 2026: 11 × 8.00 × 31/31 = 88.00, on 1 May 2026"),
        # S3: until 31 May 2023 at the end of the period
        ("sloneek", "Billed every month: periods that began before 1 June 2023", "A month is counted",
         "12 × 8.00 × 31/31 = 96.00, on 1 February 2022"),
        # S6: the started February counts, eleven months are left, at once
        ("sloneek", "Billed every year", "A seat added",
         "One seat more on 10 February 2026: 1 × 60.00 × 11/12 = 55.00, on 10 February 2026"),
    ],
)  # fmt: skip
def test_the_claims_are_told_with_an_example_in_money(name: str, title: str, beginning: str, said: str) -> None:
    assert example(name, title, beginning) == said


@pytest.mark.parametrize(
    ("name", "title", "text"),
    [
        ("konfidens", "Konfidens", "Konfidens costs NOK 365.00 a year per seat."),
        ("konfidens", "Billed every half-year",
         "Every active user holds a seat, from the acceptance of the invitation on, whatever the role."),  # K7, K9
        ("konfidens", "Billed every half-year",
         "A new price is announced 3 months ahead and holds for periods that begin afterwards."),  # K12
        ("mainter", "Mainter", "BASIC costs SEK 299.00 a month per seat."),  # M2
        ("mainter", "Mainter", "PRO costs SEK 699.00 a month per seat."),
        ("mainter", "Billed every month", "Every active user holds a seat, from the acceptance of the invitation on; "
         "users with the role free cost nothing."),  # M1, M3
        ("mainter", "Billed every month", "A higher plan can be tried for 30 days at the price of the present one."),
        ("sloneek", "Billed every month, since 1 June 2023", "The seats you have bought are billed, used or not. "
         "They cannot be made fewer than your active users."),  # S7
        ("sloneek", "Sloneek", "Essential costs EUR 6.00 a month per seat."),
    ],
)  # fmt: skip
def test_what_the_vendors_promise_is_said(name: str, title: str, text: str) -> None:
    assert text in told(name)[title]


def test_mainter_says_what_becomes_of_credits() -> None:
    said = " ".join(told("mainter")["Billed every month"])
    assert "Where that exceeds the invoice, nothing is charged and the rest stays for the next ones." in said  # M10
    assert "Credits that are left then are lost." in said  # M11


def test_sloneek_told_who_counted_until_2023() -> None:
    said = " ".join(told("sloneek")["Billed every month: periods that began before 1 June 2023"])
    assert "Everyone who was there on any day of the month counts for all of it." in said  # S4
    assert "It is billed on the day after its last, for the time past." in said  # S3


def test_only_one_interval_is_told_where_one_is_asked_for() -> None:
    titles = [part.title for part in tell(load_policy("konfidens"), interval="month")]
    assert titles == ["Konfidens", "Billed every month", "Decided where the vendor's page is silent"]


def texts(policy: Policy) -> str:
    return "\n".join(sentence.text for part in tell(policy) for sentence in part.sentences)


def test_how_distinct_people_are_counted_is_said_beside_free_roles_too() -> None:
    policy = policy_of(
        BASE + '[roles.paying]\n[roles.free]\nbilled = false\n[period]\ncharge = "arrears"\n'
        '[seats]\nmeasure = "distinct"\n'
    )
    assert "Everyone who was there on any day of the month counts for all of it." in texts(policy)
    assert "free cost nothing" in texts(policy)


def test_rules_that_begin_on_a_day_are_told_beside_those_before() -> None:
    policy = policy_of(BASE + "[seats]\nminimum = 4\n[[when]]\nfrom = 2027-01-01\nseats.minimum = 7\n")
    assert "Never fewer than 7 seats are billed." in texts(policy)
    assert "Never fewer than 4 seats are billed." in texts(policy)


def test_a_policy_whose_first_role_is_free_is_told() -> None:
    policy = policy_of(BASE + "[roles.guest]\nbilled = false\n[roles.paying]\n")
    assert "users with the role guest cost nothing" in texts(policy)


def test_a_policy_whose_only_plan_is_free_is_told() -> None:
    assert "basic costs EUR 0.00 a month per seat." in texts(policy_of(BASE.replace("10.00", "0.00")))


def test_a_policy_with_a_plan_that_has_no_price_for_an_interval_is_told() -> None:
    policy = policy_of('currency = "EUR"\nintervals = ["month", "year"]\n[[plans.basic.prices]]\n'
                       'price = "1.00 per month"\ninterval = "year"\n')  # fmt: skip
    assert "basic costs EUR 1.00 a month per seat when billed every year." in texts(policy)


def test_an_add_on_s_prices_are_told_with_their_interval_and_day() -> None:
    policy = policy_of(
        BASE + '[[add_ons.sms.prices]]\nprice = "5.00 per month"\n'
        '[[add_ons.sms.prices]]\nprice = "4.00 per month"\ninterval = "year"\nfrom = 2027-01-01\n'
    )
    assert "sms costs EUR 4.00 a month when billed every year from 1 January 2027." in texts(policy)


@given(policies(), st.integers(0, 1))
@settings(max_examples=60)
def test_any_policy_can_be_told(policy: Policy, which: int) -> None:
    interval = policy.intervals[which]
    parts = tell(policy, interval=interval)
    assert parts[0].title == policy.title
    assert all(sentence.text.endswith(".") for part in parts for sentence in part.sentences)
