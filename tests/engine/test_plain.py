"""A policy in plain sentences: the vendors' claims are in them, and every example's arithmetic is right."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prorata.engine.policy.model import Policy
from prorata.engine.policy.plain import tell
from prorata.policies import load_policy
from tests.engine.stories import BASE, documents, policy_of
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
    assert sums >= 7


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
        ("konfidens", "Billed every half-year", "A user who leaves",
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
        ("mainter", "Billed every month", "A user who leaves",
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
         "Every active user holds a seat, from the acceptance of the invitation on, whatever the role. "
         "Suspended users are billed, too."),  # K7, K9
        ("konfidens", "Billed every half-year",
         "A new price is announced 3 months ahead and holds for periods that begin afterwards."),  # K12
        ("mainter", "Mainter", "BASIC costs SEK 299.00 a month per seat."),  # M2
        ("mainter", "Mainter", "PRO costs SEK 699.00 a month per seat."),
        ("mainter", "Billed every month", "Every active user holds a seat, from the acceptance of the invitation on; "
         "users with the role free cost nothing. Suspended users are billed, too."),  # M1, M3
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


# What is rounded, and how exactly time is counted; the price of a day needs whole days.
STAGES = st.sampled_from(
    [*((stage, "day") for stage in ("running", "line", "seat", "day")), ("running", "hour"), ("seat", "second")]
)


@given(STAGES.flatmap(lambda one: policies(rounding=one[0], precision=one[1])), st.integers(0, 1))
@settings(max_examples=80)
def test_any_policy_can_be_told(policy: Policy, which: int) -> None:
    interval = policy.intervals[which % len(policy.intervals)]
    parts = tell(policy, interval=interval)
    assert parts[0].title == policy.title
    assert all(sentence.text.endswith(".") for part in parts for sentence in part.sentences)


def say(policy: Policy, about: str, *, part: str = "Billed every month") -> tuple[str, str]:
    """The sentence of a part that begins with some words, and its example."""
    [sentences] = [one.sentences for one in tell(policy) if one.title == part]
    [found] = [one for one in sentences if one.text.startswith(about)]
    return found.text, found.example


@pytest.mark.parametrize("measure", ["held", "high_water"])
def test_where_seats_of_a_period_never_get_fewer_no_credit_is_promised(measure: str) -> None:
    text, example = say(policy_of(BASE + f'[seats]\nmeasure = "{measure}"\n'), "A user fewer")
    assert text == "A user fewer counts from the next month on; until then it stays paid for."
    assert example == "One user fewer on 10 April 2026: 2 × 10.00 × 31/31 = 20.00, on 1 May 2026"


PLANS = BASE + '[plans.pro]\nprice = "30.00 per month"\n'


def test_a_plan_change_is_told_by_when_rises_and_falls_take_effect() -> None:
    policy = policy_of(PLANS + '[rise]\ntakes_effect = "next_period"\n[fall]\ntakes_effect = "next_month"\n')
    text, example = say(policy, "A dearer plan")
    assert text == "A dearer plan counts from the next month on."
    assert example == "3 users from basic to pro on 10 April 2026: 3 × 30.00 × 31/31 = 90.00, on 1 May 2026"
    text, example = say(policy, "A cheaper plan", part="Billed every year")
    assert text == (
        "A cheaper plan gives the difference as credit, from the next month on, for the days left of the year, "
        "with the next invoice."
    )
    # 3 × (10 − 30) × 12 × 306/365 from 1 March on
    assert example.endswith("−3 × 20.00 × 12 × 306/365 = −603.62, on 1 January 2027")


def test_how_seats_are_measured_does_not_move_when_a_plan_counts() -> None:
    policy = policy_of(PLANS + '[seats]\nmeasure = "high_water"\n')
    text, example = say(policy, "A cheaper plan")
    assert (
        text == "A cheaper plan gives the difference as credit, for the days left of the month, with the next invoice."
    )
    # 3 × 20.00 × 21/30 = 42.00
    assert example == "3 users from pro to basic on 10 April 2026: −3 × 20.00 × 21/30 = −42.00, on 1 May 2026"


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("peak", "The highest number of any day counts for the whole month."),
        ("mean", "The average number of the days, rounded to a whole one, counts for the whole month."),
        ("snapshot", "The number on the first day of the month counts for all of it."),
        ("high_water", "Within a month a seat given back stays paid, and is yours to its end."),
    ],
)
def test_how_bought_seats_are_measured_is_told(measure: str, said: str) -> None:
    policy = policy_of(BASE + f'[seats]\ncount = "bought"\nmeasure = "{measure}"\n')
    assert say(policy, "The seats you have bought")[0] == f"The seats you have bought are billed, used or not. {said}"


def test_where_months_of_a_year_are_measured_all_that_a_change_comes_to_is_shown() -> None:
    policy = policy_of(BASE + '[period]\nmeasured = "month"\n[rise]\nsettle = "now"\n')
    text, example = say(policy, "A user added", part="Billed every year")
    assert text == (
        "A user added in between is charged for the days left of the month and the months of the year after it, "
        "at once."
    )
    # 10.00 × 19/28 = 6.79 and ten months at 10.00
    assert example == (
        "One user more on 10 February 2026: 1 × 10.00 × 19/28 = 6.79; 1 × 10.00 × 31/31 = 10.00; and 9 more, "
        "together 106.79, on 10 February 2026"
    )


def test_one_more_is_shown_where_packages_and_a_maximum_let_it_make_a_difference() -> None:
    policy = policy_of(BASE + "[seats]\npackages = [3, 4, 7]\nmaximum = 5\n")
    # four are sold as four, five as seven, of which five are billed
    assert say(policy, "A user added")[1].startswith("One user more on 10 April 2026: 1 × 10.00 × 21/30 = 7.00")
    assert say(policy, "A user who leaves")[1].startswith("One user fewer on 10 April 2026: −1 × 10.00 × 21/30 = −7.00")
    assert say(policy, "Seats are sold")[1] == "With 2: 3 × 10.00 × 31/31 = 30.00, on 1 January 2026"


def test_whoever_is_active_stays_so_in_what_is_shown() -> None:
    policy = policy_of(BASE + '[seats]\ncounts_from = "activity"\nmeasure = "peak"\n')
    assert say(policy, "A bill counts")[1] == (
        "One user more, active from 10 April 2026 on: 1 × 10.00 × 30/30 = 10.00, on 1 May 2026"
    )
    assert say(policy, "A user fewer") == (
        "A user fewer counts from the next month on.",
        "One user fewer on 10 April 2026: 2 × 10.00 × 31/31 = 20.00, on 1 May 2026",
    )


@pytest.mark.parametrize(
    ("started", "rises", "amount"),
    [
        ("full", "the months left, the started one included", "110.00"),
        ("free", "the months left after the started one", "100.00"),
        # 19 of 28 days and ten months
        ("by_days", "the months left and the days left of the started one", "106.79"),
        # 19 of 30 days and ten months
        ("by_30", "the months left and the days left of the started one, each 1/30 of it and all of it at most",
         "106.33"),
    ],
)  # fmt: skip
def test_what_a_started_month_is_worth_is_told(started: str, rises: str, amount: str) -> None:
    policy = policy_of(BASE + f'[share]\nby = "months"\nstarted = "{started}"\n')
    text, example = say(policy, "A user added", part="Billed every year")
    assert text == f"A user added in between is charged for {rises}, with the bill of the next year."
    assert f" = {amount}, on 1 January 2027" in example


def test_a_month_that_is_free_once_begun_is_charged_from_the_next_one() -> None:
    policy = policy_of(BASE + '[share]\nby = "months"\nstarted = "free"\n')
    assert say(policy, "A user added")[0] == "A user added in between is charged from the next month on."
    assert say(policy, "A user fewer")[0] == (
        "A user fewer counts from the next month on; until then it stays paid for."
    )  # fmt: skip


def test_in_arrears_a_leaver_is_billed_until_they_leave() -> None:
    policy = policy_of(BASE + '[period]\ncharge = "arrears"\n')
    text, example = say(policy, "A user who leaves")
    assert text == "A user who leaves is billed until the day before."
    # 3 on 9 days, 2 on 21
    assert "3 × 10.00 × 9/30 = 9.00; 2 × 10.00 × 21/30 = 14.00, together 23.00" in example
    whole = policy_of(BASE + '[period]\ncharge = "arrears"\n[share]\nby = "months"\n')
    assert say(whole, "A user who leaves")[0] == "A user who leaves is not billed for that month at all."
    kept = policy_of(BASE + '[period]\ncharge = "arrears"\n[fall]\ntakes_effect = "next_period"\n')
    assert say(kept, "A user who leaves")[0] == "A user who leaves is billed to the end of the month."


def test_one_included_seat_is_told_as_one() -> None:
    assert "The first seat is included and costs nothing." in texts(policy_of(BASE + "[seats]\nincluded = 1\n"))
    assert "The first 3 seats are included and cost nothing." in texts(policy_of(BASE + "[seats]\nincluded = 3\n"))


def test_rules_of_another_plan_are_told_apart_and_shown_on_it() -> None:
    policy = policy_of(PLANS + '[[when]]\nplan = "pro"\nseats.minimum = 5\n')
    assert [part.title for part in tell(policy, interval="month")][1:] == [
        "Billed every month on basic",
        "Billed every month on pro",
    ]
    assert say(policy, "Never fewer", part="Billed every month on pro") == (
        "Never fewer than 5 seats are billed.",
        "With 1: 5 × 30.00 × 31/31 = 150.00, on 1 January 2026",
    )
    assert "Never fewer" not in " ".join(
        sentence.text for sentence in tell(policy)[1].sentences
    )  # fmt: skip


def test_plans_with_the_same_rules_are_told_together() -> None:
    plans = PLANS + '[plans.max]\nprice = "40.00 per month"\n'
    policy = policy_of(plans + '[[when]]\nplan = "pro"\nfrom = 2025-06-01\nseats.minimum = 5\n')
    assert [part.title for part in tell(policy, interval="month")][1:] == [
        "Billed every month on basic and max",
        "Billed every month on pro, since 1 June 2025",
        "Billed every month on pro: periods that began before 1 June 2025",
    ]


def test_each_version_is_shown_by_its_own_rules() -> None:
    policy = policy_of(
        BASE + "[seats]\nminimum = 1\n[[when]]\nfrom = 2025-03-01\nseats.minimum = 5\n"
        "[[when]]\nfrom = 2025-06-01\nseats.minimum = 8\n"
    )
    between = "Billed every month: periods that began from 1 March 2025 and before 1 June 2025"
    assert say(policy, "Never fewer", part=between)[1] == "With 1: 5 × 10.00 × 31/31 = 50.00, on 1 January 2024"


def test_what_was_counted_in_the_period_before_is_told_with_when_a_change_is_billed() -> None:
    policy = policy_of(BASE + '[seats]\nmeasure = "snapshot"\nof = "period_before"\n')
    assert "What is counted in a month is billed for the next one; the first is billed by its first day." in texts(
        policy
    )
    # April counted three on its first day, May four; so June is billed for four
    assert say(policy, "A user more") == (
        "A user more counts from the month after the next on.",
        "One user more on 10 April 2026: 4 × 10.00 × 30/30 = 40.00, on 1 June 2026",
    )


def test_suspended_users_and_roles_that_are_free_on_a_plan_are_told() -> None:
    policy = policy_of(
        PLANS + '[roles.editor]\n[roles.commenter]\n[seats]\nsuspended = "free"\n'
        '[[when]]\nplan = "pro"\nseats.free = ["commenter"]\n'
    )
    assert "Suspended users cost nothing." in say(policy, "Every active", part="Billed every month on basic")[0]
    assert "users with the role commenter cost nothing" in say(policy, "Every", part="Billed every month on pro")[0]


def test_a_base_price_is_named_in_the_examples() -> None:
    policy = policy_of(
        BASE.replace('month"\n', 'month"\nbase = "50.00 per month"\n', 1).replace('"month", ', '"month",')
    )
    assert say(policy, "A month is")[1] == (
        "3 × 10.00 × 31/31 = 30.00; base price 1 × 50.00 × 31/31 = 50.00, together 80.00, on 1 January 2026"
    )


def test_where_nothing_is_given_a_cancelled_agreement_is_told_to_run_to_its_period_s_end() -> None:
    policy = policy_of(BASE + '[fall]\ngive = "nothing"\n')
    assert say(policy, "A cancellation")[0] == "A cancellation ends the agreement with the month in which it is made."
    credits = policy_of(BASE + '[cancel]\nends = "day"\n')
    assert say(credits, "A cancellation") == (
        "A cancellation ends the agreement with the day on which it is made; the unused rest is credited.",
        # 3 × 10.00 × 20/30 from 11 April on
        "Cancelled on 10 April 2026, the last bill: −3 × 10.00 × 20/30 = −20.00, on 1 May 2026",
    )


def test_a_number_that_turns_out_lower_is_shown_by_someone_who_leaves_early_enough() -> None:
    text, example = say(policy_of(BASE + '[seats]\nmeasure = "distinct"\nleast_days = 5\n'), "Where the number")
    assert text.startswith("Where the number turns out lower, the difference is credited for the whole month")
    # there on the 1st and 2nd; who goes on the 10th was there on more than 5 days
    assert example == "One user fewer on 3 April 2026: −1 × 10.00 × 30/30 = −10.00, on 1 May 2026"


def test_a_number_that_can_only_turn_out_lower_by_late_news_is_told_without_an_example() -> None:
    rules = '[seats]\nmeasure = "distinct"\nleast_days = 2\nchange_day = "not_billed"\n'
    # whoever goes on the 2nd was there on two days; whoever goes on the 1st is known to by the bill of that day
    assert say(policy_of(BASE + rules), "Where the number")[1] == ""


def test_the_notice_of_a_fall_is_told_of_seats_plans_and_add_ons_alike() -> None:
    policy = policy_of(
        PLANS + '[add_ons.sms]\nprice = "10.00 per month"\n[fall]\nnotice_days = 10\n[[when]]\nitem = "sms"\n'
        'fall.notice_days = 20\nfall.takes_effect = "next_period"\n'
    )
    assert say(policy, "A user who leaves")[0].endswith("A user fewer counts 10 days after it was told.")
    text, example = say(policy, "A cheaper plan")
    assert text.endswith("with the next invoice. It counts 10 days after it was told.")
    # told on 10 April, in effect on the 20th: 11 of 30 days
    assert example == "3 users from pro to basic on 10 April 2026: −3 × 20.00 × 11/30 = −22.00, on 1 May 2026"
    assert "told" not in say(policy, "A dearer plan")[0]
    assert say(policy, "Less of sms")[0] == (
        "Less of sms counts from the first month on that begins 20 days or more after it was told; until then it stays "
        "paid for."
    )


def test_where_falls_need_notice_no_user_is_said_to_be_billed_until_the_day_before() -> None:
    text, _ = say(policy_of(BASE + "[fall]\nnotice_days = 10\n"), "The day of a change")
    assert text == "The day of a change is billed as it ends: a user more counts from that day on."


ROLES = BASE.replace("[plans.basic]\nprice", "[[plans.basic.prices]]\nprice") + (
    '[[plans.basic.prices]]\nprice = "5.00 per month"\nrole = "viewer"\n[roles.editor]\n[roles.viewer]\n'
)


@pytest.mark.parametrize("fall", ["notice_days = 10", 'give = "nothing"', 'takes_effect = "next_month"'])
def test_that_a_change_of_role_is_billed_twice_is_told_where_falls_wait(fall: str) -> None:
    said = "whoever changes role takes a seat of the new one, and the old one stays paid for as any seat that is freed."
    assert said in texts(policy_of(f"{ROLES}[fall]\n{fall}\n"))
    assert said not in texts(policy_of(ROLES))
    assert said not in texts(policy_of(f"{BASE}[fall]\n{fall}\n"))


def test_two_who_change_roles_are_billed_as_three_seats_while_falls_wait() -> None:
    policy = policy_of(ROLES + "[fall]\nnotice_days = 10\n")
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "activate", "user": "anna", "role": "editor"},
        {"at": "2026-04-01", "event": "activate", "user": "ben", "role": "viewer"},
        {"at": "2026-04-11", "event": "role", "user": "anna", "role": "viewer"},
        {"at": "2026-04-21", "event": "role", "user": "ben", "role": "editor"},
    ]
    added = documents(rows, policy, date(2026, 5, 1))[1].lines[0]
    # the second viewer from 11 April on: 5.00 × 20/30; anna's editor seat is ben's when its notice is over
    assert (added.item, added.quantity, added.amount_minor) == ("seats:viewer", 1, 333)


def test_roles_are_named_before_the_other_seats() -> None:
    prices = [sentence.text for sentence in tell(policy_of(ROLES))[0].sentences]
    assert prices == [
        "basic costs EUR 5.00 a month per viewer seat.",
        "basic costs EUR 10.00 a month per editor seat.",
    ]


# On 10 April a user leaves three: 2 are the average of 9 × 3 + 21 × 2 = 69 seat-days (2.3), and stand on the 15th
FINER = {
    ('measure = "mean"', "arrears"): "2 × 10.00 × 30/30 = 20.00",
    ('measure = "mean"', "advance"): "−1 × 10.00 × 30/30 = −10.00",
    ('measure = "snapshot"\non_day = 15', "arrears"): "2 × 10.00 × 30/30 = 20.00",
    ('measure = "distinct"\nleast_days = 20', "advance"): "−1 × 10.00 × 30/30 = −10.00",
}


@pytest.mark.parametrize(("measure", "charge"), FINER)
def test_one_number_of_a_period_is_told_where_seconds_are_counted_too(measure: str, charge: str) -> None:
    rules = f'[seats]\n{measure}\n[period]\ncharge = "{charge}"\n'
    about = "A user fewer" if charge == "arrears" else "Where the number turns out lower"
    example = say(policy_of('precision = "second"\n' + BASE + rules), about)[1]
    assert example == f"One user fewer on 10 April 2026: {FINER[measure, charge]}, on 1 May 2026"


def may_give_nothing(policy: Policy) -> bool:
    """Whether fewer seats need not cost less: all of them cost what their number says, or a mean stays in a package."""
    volume = (plan for plan in policy.plans.values() if plan.tiers == "volume")
    seats = (rules.seats for rules in policy.variants.values())
    return any(row.above for plan in volume for row in plan.prices) or any(
        one.measure == "mean" and one.packages for one in seats
    )


@given(policies(), st.integers(0, 1))
@settings(max_examples=60)
def test_no_credit_is_shown_where_it_is_said_that_a_seat_stays_paid_for(policy: Policy, which: int) -> None:
    for part in tell(policy, interval=policy.intervals[which % len(policy.intervals)]):
        for sentence in part.sentences:
            if sentence.text.endswith("until then it stays paid for."):
                assert ": −" not in sentence.example
            later = "after it was told" in sentence.text  # on which day a bill may know of it beforehand
            if "is credited for" in sentence.text and sentence.example and not later and not may_give_nothing(policy):
                assert "−" in sentence.example
