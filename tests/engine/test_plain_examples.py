"""What the examples of a policy's sentences show: base prices, tiers, orders, notice, money paid back."""

from __future__ import annotations

from datetime import date

import pytest

from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, documents, policy_of
from tests.engine.test_plain import say, texts

HEAD = 'currency = "EUR"\nintervals = ["month"]\n'
FLAT = HEAD + "[plans.core]\nprices = [{ price = '0.00 per month', base = '250.00 per month' }"
BANDS = FLAT + ", { above = 25, price = '10.00 per month', base = '0.00 per month' }]\n"
ARREARS = '[period]\nanchor = "calendar"\ncharge = "arrears"\n[share]\nby = "period"\n'
WITH_BASE = (
    HEAD + '[plans.basic]\nprice = "6.00 per month"\nbase = "49.00 per month"\n'
)  # fmt: skip


def test_an_account_of_a_flat_band_has_as_many_seats_as_the_band_so_that_one_more_is_seen() -> None:
    policy = policy_of(BANDS + ARREARS)
    assert say(policy, "A month begins")[1] == "25 users: base price 1 × 250.00 × 1 = 250.00, on 1 February 2026"
    # 26 × 10.00 instead of the base price, of the whole month
    assert say(policy, "A user who joins")[1] == (
        "One user more on 10 April 2026: 26 × 10.00 × 1 = 260.00, on 1 May 2026"
    )


def test_one_fewer_is_shown_of_the_first_number_that_is_more_than_a_flat_band() -> None:
    text, example = say(policy_of(BANDS + '[fall]\ngive = "nothing"\n'), "A user fewer")
    assert text == "A user fewer counts from the next month on; until then it stays paid for."
    assert example == "One user fewer of 26 on 10 April 2026: base price 1 × 250.00 × 31/31 = 250.00, on 1 May 2026"


def test_where_no_number_of_seats_moves_anything_the_example_says_so() -> None:
    policy = policy_of(FLAT + "]\n")
    assert say(policy, "A month is")[1] == "base price 1 × 250.00 × 31/31 = 250.00, on 1 January 2026"
    assert say(policy, "A user added")[1] == "One user more on 10 April 2026: nothing changes"
    assert say(policy, "A user who leaves")[1] == "One user fewer on 10 April 2026: nothing changes"
    assert say(policy, "What is billed")[1] == "A third of 250.00 billed first, the rest later: 83.33 + 166.67 = 250.00"


def test_the_account_is_on_the_first_plan_on_which_one_seat_more_is_seen() -> None:
    tiers = "[plans.big]\ntiers = 'graduated'\nprices = [{ price = '0.00 per month', base = '300.00 per month' }, "
    policy = policy_of(FLAT + "]\n" + tiers + "{ above = 5, price = '30.00 per month' }]\n")
    assert say(policy, "A month is")[1] == "5 users on big: base price 1 × 300.00 × 31/31 = 300.00, on 1 January 2026"
    # the sixth on 21 of 30 days
    assert say(policy, "A user added")[1] == "One user more on 10 April 2026: 1 × 30.00 × 21/30 = 21.00, on 1 May 2026"


def test_plans_that_differ_by_their_base_price_only_are_told_as_dearer_and_cheaper() -> None:
    plans = FLAT + "]\n[plans.more]\nprices = [{ price = '0.00 per month', base = '400.00 per month' }]\n"
    policy = policy_of(plans + '[change]\ncheaper_plan = "next_period"\n')
    # 400.00 − 250.00 on 21 of 30 days
    assert say(policy, "A dearer plan")[1] == (
        "3 users from core to more on 10 April 2026: base price 1 × 150.00 × 21/30 = 105.00, on 1 May 2026"
    )
    assert say(policy, "A cheaper plan") == (
        "A cheaper plan counts from the next month on.",
        "3 users from more to core on 10 April 2026: base price 1 × 250.00 × 31/31 = 250.00, on 1 May 2026",
    )


def test_of_two_plans_the_dearer_is_that_on_which_the_seats_with_their_tiers_cost_more() -> None:
    # three seats: 3 × 10.00 = 30.00 on basic, 12.00 + 2 × 5.00 = 22.00 on steps
    steps = "[plans.steps]\ntiers = 'graduated'\nprices = [{ price = '12.00 per month' }, "
    policy = policy_of(BASE + steps + "{ above = 1, price = '5.00 per month' }]\n")
    assert "3 users from basic to steps" in say(policy, "A cheaper plan")[1]


def test_the_bill_of_a_seat_more_in_arrears_is_shown_with_its_base_price() -> None:
    policy = policy_of(WITH_BASE + ARREARS)
    assert say(policy, "A user who joins")[1] == (
        "One user more on 10 April 2026: 4 × 6.00 × 1 = 24.00; base price 1 × 49.00 × 1 = 49.00, together 73.00, "
        "on 1 May 2026"
    )


def test_the_bill_after_a_seat_fewer_is_shown_with_all_tiers_and_the_base_price() -> None:
    tiers = HEAD + "[plans.p]\ntiers = 'graduated'\nprices = [{ price = '10.00 per month', base = '4.00 per month' }, "
    policy = policy_of(tiers + "{ above = 1, price = '99.00 per month' }]\n[fall]\ngive = 'nothing'\n")
    assert say(policy, "A user fewer")[1] == (
        "One user fewer on 10 April 2026: 1 × 10.00 × 31/31 = 10.00; 1 × 99.00 × 31/31 = 99.00; "
        "base price 1 × 4.00 × 31/31 = 4.00, together 113.00, on 1 May 2026"
    )


def test_what_only_moved_is_shown_without_the_rest_of_the_bill() -> None:
    assert say(policy_of(WITH_BASE), "A user added")[1] == (
        "One user more on 10 April 2026: 1 × 6.00 × 21/30 = 4.20, on 1 May 2026"
    )


def test_a_price_of_nothing_beside_a_base_price_is_told_as_seats_included() -> None:
    said = texts(policy_of(BANDS))
    assert "core costs EUR 250.00 a month, up to 25 seats included.\n" in said
    assert "core costs EUR 10.00 a month per seat, where there are more than 25.\n" in said
    assert "core costs EUR 250.00 a month, all seats included.\n" in texts(policy_of(FLAT + "]\n"))


@pytest.mark.parametrize(
    ("tiers", "text", "example"),
    [
        # all five at 4.00 instead of four at 5.00, on 21 of 30 days: −4 × 1.00 × 0.7 and 4.00 × 0.7
        ("volume", "Once there are more seats than a price is for, all of them cost the next one.",
         "One user more than 4 on 10 April 2026: −4 × 1.00 × 21/30 = −2.80; 1 × 4.00 × 21/30 = 2.80, together 0.00"),
        ("graduated", "Seats above a number cost the price said for those, and the others keep theirs.",
         "One user more than 4 on 10 April 2026: 1 × 4.00 × 21/30 = 2.80"),
    ],
)  # fmt: skip
def test_tiers_are_shown_by_the_seat_with_which_the_next_one_begins(tiers: str, text: str, example: str) -> None:
    prices = f"[plans.p]\ntiers = '{tiers}'\nprices = [{{ price = '5.00 per month' }}, "
    policy = policy_of(f"{HEAD}{prices}{{ above = 4, price = '4.00 per month' }}]\n")
    assert say(policy, text[:24]) == (text, f"{example}, on 1 May 2026")


def test_another_interval_that_begins_at_once_is_shown_with_what_is_given_back() -> None:
    prices = "[plans.p]\nprices = [{ price = '5.00 per month' }, { price = '50.00 per year', interval = 'year' }]\n"
    intervals = HEAD.replace('"month"', '"month", "year"')
    policy = policy_of(intervals + prices + '[change]\ninterval = "restart"\n[rise]\nsettle = "now"\n')
    text, example = say(policy, "Another interval")
    assert text == (
        "Another interval begins on the day it is chosen, and the unused rest of the running one is credited."
    )
    assert example == (
        "From every month to every year on 10 April 2026: −3 × 5.00 × 21/30 = −10.50; 3 × 50.00 × 365/365 = 150.00, "
        "together 139.50, on 10 April 2026"
    )
    back = say(policy, "Another interval", part="Billed every year")[1]
    # −3 × 50.00 × 325/365 from 10 February on, and a month of 28 days
    assert "−3 × 50.00 × 325/365 = −133.56; 3 × 5.00 × 28/28 = 15.00" in back


def test_no_example_is_shown_of_an_interval_in_which_the_plan_is_not_sold() -> None:
    prices = "[plans.p]\nprices = [{ price = '5.00 per month', interval = 'month' }]\n"
    policy = policy_of(HEAD.replace('"month"', '"month", "year"') + prices + '[change]\ninterval = "restart"\n')
    assert say(policy, "Another interval")[1] == ""


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('give = "refund"\nsettle = "now"\n', ", and the unused rest is paid back at once."),
        ('settle = "now"\n', ", and the unused rest is credited at once."),
        ('give = "refund"\n', ", and the unused rest is credited with the next invoice. Where that exceeds the "
         "invoice, nothing is charged and the rest is paid back."),
    ],
)  # fmt: skip
def test_what_is_given_back_within_its_window_is_told_with_what_becomes_of_the_money(rules: str, said: str) -> None:
    policy = policy_of(BASE + '[fall]\ntakes_effect = "next_period"\nwindow_days = 14\n' + rules)
    text, _ = say(policy, "A user fewer")
    assert text.endswith(f" Within 14 days after it was bought or renewed it can be given back at once{said}")


def test_a_cancellation_says_that_what_it_gives_back_is_paid_at_once() -> None:
    policy = policy_of(BASE + '[fall]\ngive = "refund"\nsettle = "now"\n[cancel]\nends = "day"\n')
    assert say(policy, "A cancellation")[0] == (
        "A cancellation ends the agreement with the day on which it is made; the unused rest is paid back at once."
    )


LARGER = HEAD + "[plans.p]\nprices = [{ price = '9.00 per month', overage = '18.00 per month' }]\n"


def test_where_the_larger_number_counts_some_seats_are_ordered_and_one_more_is_used() -> None:
    policy = policy_of(LARGER + '[seats]\ncount = "larger"\n')
    assert say(policy, "A month is")[1] == (
        "2 seats ordered, 3 users: 2 × 9.00 × 31/31 = 18.00; 1 × 18.00 × 31/31 = 18.00, together 36.00, "
        "on 1 January 2026"
    )
    # beyond the order, on 21 of 30 days
    assert say(policy, "A user added")[1] == "One user more on 10 April 2026: 1 × 18.00 × 21/30 = 12.60, on 1 May 2026"


def test_that_nobody_is_beyond_the_order_any_more_is_shown_by_the_bill_of_the_order_alone() -> None:
    policy = policy_of(LARGER + '[seats]\ncount = "larger"\n[fall]\ngive = "nothing"\n')
    assert say(policy, "A user fewer")[1] == "One user fewer on 10 April 2026: 2 × 9.00 × 31/31 = 18.00, on 1 May 2026"


NOTICED = '[fall]\ntakes_effect = "next_period"\nnotice_days = 60\n[cancel]\nnotice_days = 60\n'


def test_a_fall_with_notice_is_told_by_the_first_period_that_begins_late_enough() -> None:
    text, example = say(policy_of(BASE + NOTICED), "A user fewer", part="Billed every year")
    assert text == (
        "A user fewer counts from the first year on that begins 60 days or more after it was told; "
        "until then it stays paid for."
    )
    # 59 days before 1 January 2027 is too late for that year
    assert example == "One user fewer on 3 November 2026: 2 × 10.00 × 12 × 366/366 = 240.00, on 1 January 2028"


def test_a_cancellation_with_notice_is_shown_by_one_that_comes_too_late() -> None:
    text, example = say(policy_of(BASE + NOTICED), "A cancellation", part="Billed every year")
    assert text == "A cancellation ends the agreement before the first year that begins 60 days or more after it."
    assert example.startswith("Cancelled on 3 November 2026, the last bill: ")
    assert example.endswith(", on 1 January 2027")


def test_the_notice_of_a_term_is_told_and_shown_by_terms() -> None:
    rules = '[period]\nterm_months = 12\n[seats]\ncount = "bought"\n[cancel]\nends = "term"\n'
    policy = policy_of(BASE + rules + '[fall]\ntakes_effect = "next_term"\nnotice_days = 30\n')
    text, example = say(policy, "A seat fewer")
    assert text.startswith("A seat fewer counts from the first term on that begins 30 days or more after it was told;")
    assert example == "One seat fewer on 3 December 2026: 2 × 10.00 × 31/31 = 20.00, on 1 January 2028"


@pytest.mark.parametrize(("change_day", "ahead"), [("billed", 10), ("not_billed", 11)])
def test_so_many_days_ahead_a_fall_counts_from_the_next_period_and_a_day_later_not(change_day: str, ahead: int) -> None:
    rules = f'[seats]\nchange_day = "{change_day}"\n[fall]\ntakes_effect = "next_period"\nnotice_days = 10\n'
    policy = policy_of(BASE + rules)
    assert f"that begins {ahead} days or more after it was told" in texts(policy)
    quantities = {}
    for day in (31 - ahead, 32 - ahead):  # of April, so many days before 1 May and one fewer
        rows: list[dict[str, object]] = [
            {"at": "2026-04-01", "event": "activate", "user": "anna"},
            {"at": "2026-04-01", "event": "activate", "user": "ben"},
            {"at": f"2026-04-{day}", "event": "deactivate", "user": "ben"},
        ]
        quantities[day] = [one.lines[0].quantity for one in documents(rows, policy, date(2026, 6, 1))]
    assert list(quantities.values()) == [[2, 1, 1], [2, 2, 1]]


@pytest.mark.parametrize(("settle", "interval"), [("own_month", "month"), ("own_quarter", "quarter")])
def test_the_next_month_of_a_month_is_told_as_its_next_bill(settle: str, interval: str) -> None:
    policy = policy_of(BASE.replace('"month", "year"', f'"{interval}", "year"') + f'[rise]\nsettle = "{settle}"\n')
    text, _ = say(policy, "A user added", part=f"Billed every {interval}")
    assert text.endswith(f"for the days left of the {interval}, with the bill of the next {interval}.")


def test_who_comes_after_the_day_of_a_snapshot_is_said_to_count_from_the_next_month() -> None:
    policy = policy_of(BASE + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "snapshot"\non_day = 15\n')
    assert say(policy, "A user more")[0] == (
        "A user more counts for the whole month, if it is there on day 15, and else from the next month on."
    )
    assert say(policy, "A user fewer")[0] == (
        "A user fewer counts for the whole month, if it is gone on day 15, and else from the next month on."
    )


def test_tiers_of_thousands_of_seats_are_told_without_an_account_of_as_many() -> None:
    prices = "[plans.p]\nprices = [{ price = '5.00 per month' }, { above = 9000, price = '4.00 per month' }]\n"
    policy = policy_of(HEAD + prices)
    assert say(policy, "A month is")[1].startswith("3 × 5.00 ")
    assert "Once there are more seats" not in texts(policy)
    assert len(tell(policy)) == 2
