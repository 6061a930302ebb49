"""Explanations: what caused a line, who holds the seats, the arithmetic and the rules, in words that are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import Explanation, describe, explain
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from prorata.policies import load_policy
from tests.engine.stories import BASE, policy_of

MAINTER, KONFIDENS, SLONEEK = load_policy("mainter"), load_policy("konfidens"), load_policy("sloneek")


def person(at: str, user: str, event: str = "activate", **more: str) -> dict[str, object]:
    return {"at": at, "event": event, "user": user, **more}


def explained(
    rows: Sequence[Mapping[str, object]],
    policy: Policy,
    on: str,
    *,
    interval: str | None = None,
    plan: str | None = None,
    follow: bool = False,
) -> list[Explanation]:
    """The explanations of the lines of the document of a day."""
    history = read_history(rows, policy=policy, interval=interval, plan=plan, seats_follow=follow)
    day = date.fromisoformat(on)
    [document] = [one for one in bill(history, through=day).documents if one.date == day]
    return [explain(line, document, history) for line in document.lines]


TWO = [person("2026-01-01", "anna"), person("2026-01-01", "ben")]


def test_a_joiner_is_the_cause_of_the_rise_and_the_numbers_are_shown() -> None:
    [rise] = explained([*TWO, person("2026-03-27", "dora")], KONFIDENS, "2026-04-01")
    assert str(rise).splitlines() == [
        "1 seat Konfidens added, 27 March – 30 June 2026: dora joined on 27 March 2026",
        "1 × 365.00 × 96/365 = 96.00",  # 5 + 30 + 31 + 30 = 96 days
        "the day someone joins is billed, the day someone leaves is not (seats.change_day)",
        "a day is worth 1/365 of the yearly price (share.by)",
        "what is added is charged on the first day of the next month (rise.settle)",
    ]


def test_someone_who_came_and_went_before_the_bill_is_no_cause() -> None:
    visit = [person("2026-03-10", "zoe"), person("2026-03-12", "zoe", "deactivate")]
    lines = explained([*TWO, *visit, person("2026-03-27", "dora")], KONFIDENS, "2026-04-01")
    assert [line.causes for line in lines] == [
        ("zoe joined on 10 March 2026",),  # the two days of the visit
        ("dora joined on 27 March 2026",),
    ]


def test_someone_who_left_and_came_back_is_no_cause_of_what_follows() -> None:
    away = [person("2026-03-10", "ben", "deactivate"), person("2026-03-12", "ben")]
    lines = explained([*TWO, *away, person("2026-03-27", "dora")], KONFIDENS, "2026-04-01")
    assert [(line.text, line.causes) for line in lines] == [
        ("1 seat Konfidens removed, 10–11 March 2026", ("ben was deactivated on 10 March 2026",)),
        ("1 seat Konfidens added, 27 March – 30 June 2026", ("dora joined on 27 March 2026",)),
    ]


def test_an_invitation_is_no_cause_where_the_acceptance_counts() -> None:
    rows = [*TWO, person("2026-03-20", "dora", "invite"), person("2026-03-27", "dora", "accept")]
    [rise] = explained(rows, KONFIDENS, "2026-04-01")
    assert rise.causes == ("dora accepted the invitation on 27 March 2026",)


def test_a_late_entry_says_when_it_was_recorded() -> None:
    rows = [*TWO, person("2026-03-27", "dora", recorded_at="2026-04-02")]
    [rise] = explained(rows, KONFIDENS, "2026-05-01")
    assert rise.causes == ("dora joined on 27 March 2026 (recorded on 2 April 2026)",)


def test_a_plan_line_is_caused_by_the_change_of_plan_alone() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        person("2026-04-15", "ben"),
        {"at": "2026-04-20", "event": "plan", "plan": "PRO"},
    ]
    lines = explained(rows, MAINTER, "2026-05-01")
    moved = [line for line in lines if " from BASIC to PRO" in line.text]
    assert [line.causes for line in moved] == [("plan changed to PRO on 20 April 2026",)]


def test_a_plan_bought_during_its_trial_is_named_where_the_trial_ends() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-10", "event": "trial_plan", "plan": "PRO"},
        {"at": "2026-04-20", "event": "plan", "plan": "PRO"},
    ]
    basic, pro = explained(rows, MAINTER, "2026-05-01")
    assert (basic.text, basic.people) == ("1 seat BASIC, 1–9 May 2026", ("anna",))
    assert (pro.text, pro.causes) == ("1 seat PRO, 10–31 May 2026", ("plan changed to PRO on 20 April 2026",))


def test_an_agreement_that_is_cancelled_says_how_it_ends_and_not_which_day_a_leaver_is_billed() -> None:
    start = person("2026-04-01", "anna")
    on_the_day = policy_of(BASE + '[cancel]\nends = "day"\n')
    [fall] = explained([start, {"at": "2026-04-10", "event": "cancel"}], on_the_day, "2026-05-01")
    assert fall.rules[0] == "a cancelled agreement ends with the day of the cancellation (cancel.ends)"
    [fall] = explained([start, {"at": "2026-04-10", "event": "cancel", "until": "2026-04-16"}], MAINTER, "2026-05-01")
    assert fall.causes == ("the agreement was cancelled on 10 April 2026, to end with 15 April 2026",)
    assert not any("change_day" in rule or "cancel" in rule for rule in fall.rules)


def test_of_a_period_s_own_line_the_people_are_named_in_the_order_they_came() -> None:
    [line] = explained([*TWO, person("2026-01-01", "carl")], KONFIDENS, "2026-01-01")
    assert line.people == ("anna", "ben", "carl")
    assert "held by anna, ben, carl" in str(line)
    assert line.causes == ()


def test_of_many_people_eight_are_named_and_the_others_counted() -> None:
    [line] = explained([person("2026-01-01", f"u{number}") for number in range(10)], KONFIDENS, "2026-01-01")
    assert len(line.people) == 10
    assert "held by u0, u1, u2, u3, u4, u5, u6, u7 and 2 more" in str(line)


def test_people_with_a_free_role_and_people_who_left_hold_no_seat() -> None:
    rows = [*TWO, person("2026-01-01", "carl", role="free"), person("2026-01-20", "ben", "deactivate")]
    assert explained(rows, MAINTER, "2026-02-01")[-1].people == ("anna",)


def test_who_joins_where_that_day_is_not_billed_is_the_cause_of_a_line_that_is_charged_at_once() -> None:
    policy = policy_of(BASE + '[seats]\nchange_day = "not_billed"\n[rise]\nsettle = "now"\n')
    [rise] = explained([*TWO, person("2026-01-11", "carl")], policy, "2026-01-11")
    assert (rise.text, rise.causes) == ("1 seat basic added, 12–31 January 2026", ("carl joined on 11 January 2026",))


def test_a_cancellation_told_anew_is_the_cause_of_what_is_billed_longer() -> None:
    def cancel(at: str, until: str) -> dict[str, object]:
        return {"at": at, "event": "cancel", "until": until}

    rows = [*TWO, cancel("2026-01-10", "2026-02-10"), cancel("2026-02-08", "2026-02-20")]
    [rise] = explained(rows, policy_of(BASE), "2026-03-01")
    assert rise.text == "2 seats basic added, 10–19 February 2026"
    assert rise.causes == ("the agreement was cancelled on 8 February 2026, to end with 19 February 2026",)


def test_who_joins_on_the_first_is_not_among_the_people_where_that_day_is_not_billed() -> None:
    rows = [person("2026-04-01", "anna"), person("2026-05-01", "ben")]
    first, rest = explained(rows, MAINTER, "2026-05-01")
    assert (first.text, first.people) == ("1 seat BASIC, 1 May 2026", ("anna",))
    assert rest.text == "2 seats BASIC, 2–31 May 2026"


def test_who_is_there_on_the_agreement_s_first_day_is_among_the_people() -> None:
    [line] = explained(TWO, MAINTER, "2026-01-01")
    assert line.people == ("anna", "ben")


@pytest.mark.parametrize("name", ["konfidens", "mainter"])
def test_a_period_s_own_line_names_as_many_people_as_it_bills_seats(name: str) -> None:
    rows = [
        *TWO,
        person("2026-07-01", "carl"),
        person("2026-07-01", "anna", "deactivate"),
        person("2026-07-01", "dora"),
    ]
    line = explained(rows, load_policy(name), "2026-07-01")[0]
    assert line.text.startswith(f"{len(line.people)} seat")


def test_of_a_year_s_rest_the_share_is_told_in_months() -> None:
    rows = [*TWO, person("2026-02-10", "dora")]
    [rise] = explained(rows, MAINTER, "2026-04-01", interval="year", plan="PRO")
    # 18/28 + 10 = 298/28; 699 × 298 / 28 = 7,439.357142…
    assert rise.arithmetic == (
        "1 × 699.00 × 298/28 (18 of 28 days of February, then 10 months) = 7,439.35714…, rounded to 7,439.36"
    )


def test_days_before_and_after_whole_months_are_told_in_their_order() -> None:
    leaves = person("2026-05-20", "dora", "deactivate", recorded_at="2026-03-15")
    [rise] = explained([*TWO, person("2026-02-10", "dora"), leaves], MAINTER, "2026-04-01", interval="year", plan="PRO")
    # 18/28 + 2 + 20/31 = (558 + 1736 + 560) / 868 = 2854/868; 699 × 2854 / 868 = 2,298.3248…
    assert rise.arithmetic == (
        "1 × 699.00 × 2854/868 (18 of 28 days of February, then 2 months, then 20 of 31 days of May) "
        "= 2,298.32488…, rounded to 2,298.32"
    )


def test_an_exact_amount_is_not_called_rounded() -> None:
    rows = [*TWO, person("2026-04-10", "dora")]
    rise = explained(rows, MAINTER, "2026-05-01", plan="PRO")[0]
    assert rise.arithmetic == "1 × 699.00 × 20/30 = 466.00"


def test_a_rounded_amount_is_shown_before_rounding_too_and_below_zero_alike() -> None:
    rows = [*TWO, person("2026-04-10", "ben", "deactivate")]
    fall = explained(rows, MAINTER, "2026-05-01")[0]
    # 299 × 20 / 30 = 199.333…
    assert fall.arithmetic == "−1 × 299.00 × 20/30 = −199.33333…, rounded to −199.33"
    assert fall.causes == ("ben was deactivated on 10 April 2026",)


def test_a_line_that_makes_up_for_earlier_fractions_says_so() -> None:
    rows = [person("2026-04-01", "anna"), person("2026-05-01", "ben")]
    first, rest = explained(rows, MAINTER, "2026-05-01")
    # 299 / 31 = 9.64516, and 2 × 299 × 30 / 31 = 578.70967; together 588.35483, so 588.35 less 9.65 are 578.70
    assert first.arithmetic == "1 × 299.00 × 1/31 = 9.64516…, rounded to 9.65"
    assert rest.arithmetic == (
        "2 × 299.00 × 30/31 = 578.70967…, with the fractions of what the period was billed before 578.70"
    )


@pytest.mark.parametrize(
    ("currency", "price", "arithmetic"),
    [
        # 1 × 100 × 20/30 of each
        ("JPY", "100", "1 × 100 × 20/30 = 66.666…, rounded to 67"),
        ("KWD", "0.100", "1 × 0.100 × 20/30 = 0.066666…, rounded to 0.067"),
        ("EUR", "0.01", "1 × 0.01 × 20/30 = 0.00666…, rounded to 0.01"),
    ],
)
def test_the_exact_amount_has_three_decimals_more_than_the_currency(currency: str, price: str, arithmetic: str) -> None:
    policy = policy_of(BASE.replace("EUR", currency).replace("10.00", price) + '[seats]\nchange_day = "not_billed"\n')
    rise = explained([person("2026-04-01", "anna"), person("2026-04-10", "ben")], policy, "2026-05-01")[0]
    assert rise.arithmetic == arithmetic


def test_the_minimum_is_named_where_it_decides_and_only_there() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-01-01", "event": "start", "quantity": 4},
        {"at": "2026-02-10", "event": "seats", "quantity": 12},
    ]
    minimum = "never fewer than 10 seats are billed (seats.minimum)"
    assert minimum in explained(rows, SLONEEK, "2026-02-01")[0].rules
    added, march = explained(rows, SLONEEK, "2026-03-01")
    # 12 seats less the 10 that were billed, 18 of 28 days: 2 × 8 × 18 / 28 = 10.2857…
    assert added.text == "2 seats Professional added, 11–28 February 2026"
    assert added.arithmetic == "2 × 8.00 × 18/28 = 10.28571…, rounded to 10.29"
    assert added.causes == ("seats set to 12 on 10 February 2026",)
    assert minimum not in added.rules
    assert minimum not in march.rules


def test_a_whole_period_needs_no_word_about_days() -> None:
    [line] = explained(TWO, MAINTER, "2026-01-01")
    assert line.arithmetic == "2 × 299.00 × 31/31 = 598.00"
    assert line.rules == ()


def test_what_a_line_is_for_is_said_by_its_kind() -> None:
    policy = policy_of(
        BASE + '[add_ons.sms]\nprice = "5.00 per month"\ntitle = "Text messages"\n[rise]\nsettle = "now"\n'
    )
    rows: list[dict[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-11", "event": "add_on", "item": "sms", "quantity": 3},
    ]
    history = read_history(rows, policy=policy)
    first, added = bill(history, through=date(2026, 4, 11)).documents
    assert [describe(line) for line in first.lines] == ["1 seat basic, 1–30 April 2026"]
    assert [describe(line) for line in added.lines] == ["3 × Text messages added, 11–30 April 2026"]
    # 3 × 5.00 × 20/30 = 10.00
    assert explain(added.lines[0], added, history).causes == ("sms added on 11 April 2026",)
    assert added.total_minor == 1_000


def test_where_nobody_has_a_seat_now_nobody_who_came_is_the_cause() -> None:
    policy = policy_of(BASE + '[cancel]\nends = "day"\n')
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        person("2026-04-05", "carla"),
        {"at": "2026-04-11", "event": "cancel"},
    ]
    assert caused(rows, policy, "2026-05-01") == [
        ("1 seat basic added", ("carla joined on 5 April 2026",)),
        ("1 seat basic removed", ("the agreement was cancelled on 11 April 2026",)),
    ]


def test_an_add_on_for_every_seat_is_bought_though_its_people_join_that_day() -> None:
    policy = policy_of(BASE + '[add_ons.video]\nprice = "5.00 per month"\ncharge = "seat"\n')
    rows = [person("2026-04-01", "anna"), person("2026-04-10", "ben")]
    bought = {"at": "2026-04-10", "event": "add_on", "item": "video"}
    added = explained([*rows, bought], policy, "2026-05-01")[1]
    assert (added.text, added.causes) == (
        "2 × video added, 10–30 April 2026",
        ("ben joined on 10 April 2026", "video added on 10 April 2026"),
    )


def test_on_a_later_period_s_first_day_what_happened_that_day_does_not_count_yet() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "bought"\nchange_day = "not_billed"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-04-01", "event": "start", "quantity": 5},
        {"at": "2026-04-30", "event": "seats", "quantity": 6, "recorded_at": "2026-05-03"},
        {"at": "2026-05-01", "event": "seats", "quantity": 7, "recorded_at": "2026-05-03"},
    ]
    assert caused(rows, policy, "2026-06-01")[:2] == [
        ("1 seat basic added", ("seats set to 6 on 30 April 2026 (recorded on 3 May 2026)",)),
        ("2 seats basic added", ("seats set to 7 on 1 May 2026 (recorded on 3 May 2026)",)),
    ]


def test_a_price_agreed_with_the_interval_is_the_cause_of_what_seats_cost() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-10", "event": "interval", "interval": "month", "price": "250.00"},
    ]
    [moved, _] = caused(rows, MAINTER, "2026-05-01")
    assert moved == ("1 seat BASIC", ("the interval was changed at 250.00 on 10 April 2026",))


def test_a_trial_told_late_is_the_cause_of_the_plan_that_falls_back() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-10", "event": "plan", "plan": "PRO"},
        {"at": "2026-04-05", "event": "trial_plan", "plan": "PRO", "recorded_at": "2026-05-05"},
    ]
    because = ("the trial of PRO began on 5 April 2026 (recorded on 5 May 2026)",)
    back = ("1 seat from PRO to BASIC", because)
    assert [one for one in caused(rows, MAINTER, "2026-06-01") if one[1]][:2] == [back, back]


def test_what_was_said_of_a_document_stays_said_whatever_is_recorded_later() -> None:
    rows = [person("2026-04-01", "anna"), person("2026-04-10", "ben")]
    order = {"at": "2026-04-05", "event": "seats", "quantity": 4, "recorded_at": "2026-06-20"}
    policy = policy_of(BASE + '[seats]\ncount = "bought"\n')
    for told in (rows, [*rows, order]):
        [rise, _] = explained(told, policy, "2026-05-01", follow=True)
        assert rise.causes == ("ben joined on 10 April 2026",)


def test_a_minimum_is_told_where_it_takes_in_some_who_joined() -> None:
    policy = policy_of(BASE + "[seats]\nminimum = 3\n")
    rows = [person("2026-04-01", "anna"), *(person("2026-04-10", user) for user in ("ben", "carl", "dora"))]
    rise = explained(rows, policy, "2026-05-01")[0]
    assert rise.text == "1 seat basic added, 10–30 April 2026"
    assert "never fewer than 3 seats are billed (seats.minimum)" in rise.rules


def test_a_plan_one_has_at_a_new_price_is_agreed_and_not_changed() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-10", "event": "plan", "plan": "BASIC", "price": "250.00"},
    ]
    assert caused(rows, MAINTER, "2026-05-01")[0][1] == ("plan BASIC agreed at 250.00 on 10 April 2026",)


def caused(rows: Sequence[Mapping[str, object]], policy: Policy, on: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.text.partition(",")[0], line.causes) for line in explained(rows, policy, on)]


def test_an_add_on_with_a_price_of_its_own_is_no_cause_of_what_seats_cost() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-05", "event": "add_on", "item": "sms", "price": "12.00"},
        {"at": "2026-04-12", "event": "plan", "plan": "PRO"},
    ]
    assert ("1 seat from BASIC to PRO", ("plan changed to PRO on 12 April 2026",)) in caused(
        rows, MAINTER, "2026-05-01"
    )


def test_a_price_agreed_for_the_next_interval_is_no_cause_in_this_one() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-10", "event": "interval", "interval": "year", "price": "500.00"},
        {"at": "2026-04-12", "event": "plan", "plan": "PRO"},
    ]
    assert ("1 seat from BASIC to PRO", ("plan changed to PRO on 12 April 2026",)) in caused(
        rows, MAINTER, "2026-05-01"
    )


def test_who_leaves_after_a_change_of_plan_leaves_for_no_other_reason() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-05", "event": "plan", "plan": "PRO"},
        person("2026-04-10", "anna", "deactivate"),
    ]
    assert caused(rows, MAINTER, "2026-05-01") == [
        ("1 seat from BASIC to PRO", ("plan changed to PRO on 5 April 2026",)),
        ("1 seat BASIC removed", ("anna was deactivated on 10 April 2026",)),
    ]


def test_a_person_s_cause_is_the_event_that_turned_it_not_what_came_after() -> None:
    policy = policy_of(BASE)
    rows = [person("2026-04-01", "anna"), person("2026-04-10", "dora"), person("2026-04-12", "dora", "invite")]
    assert caused(rows, policy, "2026-05-01")[0] == ("1 seat basic added", ("dora joined on 10 April 2026",))
    rows = [
        *(person("2026-04-01", user) for user in ("anna", "ben")),
        person("2026-04-10", "ben", "deactivate", recorded_at="2026-05-15"),
        person("2026-04-20", "ben", "deactivate", recorded_at="2026-05-15"),
    ]
    why = ("ben was deactivated on 10 April 2026 (recorded on 15 May 2026)",)
    assert caused(rows, policy, "2026-06-01")[:2] == [("1 seat basic removed", why)] * 2


def test_an_order_at_an_agreed_price_is_the_price_s_cause_though_another_order_followed() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "bought"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-04-01", "event": "start", "quantity": 3},
        {"at": "2026-04-05", "event": "seats", "quantity": 3, "price": "8.00"},
        {"at": "2026-04-10", "event": "seats", "quantity": 4},
    ]
    agreed, ordered = ("seats set to 3 at 8.00 on 5 April 2026",), ("seats set to 4 on 10 April 2026",)
    assert caused(rows, policy, "2026-05-01")[:3] == [
        ("3 seats basic", agreed),
        ("3 seats basic", agreed),
        ("1 seat basic added", ordered),
    ]


def test_who_is_told_late_is_the_cause_also_where_everyone_of_the_period_counts() -> None:
    policy = policy_of(BASE + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\n')
    rows = [person("2026-04-01", "anna"), person("2026-04-10", "dora", recorded_at="2026-05-15")]
    added = caused(rows, policy, "2026-06-01")[0]
    assert added == ("1 seat basic added", ("dora joined on 10 April 2026 (recorded on 15 May 2026)",))


def test_an_end_that_lies_before_its_telling_is_the_cause_of_what_falls_away() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-20", "event": "cancel", "until": "2026-04-11"},
    ]
    policy = policy_of(BASE)
    assert caused(rows, policy, "2026-05-01") == [
        ("1 seat basic removed", ("the agreement was cancelled on 20 April 2026, to end with 10 April 2026",))
    ]


def test_naming_the_plan_one_has_moves_no_price() -> None:
    rows: list[Mapping[str, object]] = [
        person("2026-04-01", "anna"),
        {"at": "2026-04-05", "event": "plan", "plan": "basic", "price": "8.00"},
        {"at": "2026-04-12", "event": "plan", "plan": "basic"},
    ]
    assert caused(rows, policy_of(BASE), "2026-05-01")[0] == (
        "1 seat basic",
        ("plan basic agreed at 8.00 on 5 April 2026",),
    )


THREE = [person("2026-01-01", user) for user in ("anna", "ben", "carl")]
ARREARS = BASE + '[period]\ncharge = "arrears"\n'


def test_where_the_period_before_is_counted_its_people_hold_the_seats() -> None:
    policy = policy_of(BASE + '[seats]\nmeasure = "distinct"\nof = "period_before"\n')
    rows = [*THREE, person("2026-02-10", "dora"), person("2026-03-01", "ben", "deactivate")]
    held = {on: explained(rows, policy, on)[0].people for on in ("2026-01-01", "2026-03-01", "2026-04-01")}
    assert held == {
        "2026-01-01": ("anna", "ben", "carl"),
        "2026-03-01": ("anna", "ben", "carl", "dora"),  # whoever was there in February
        "2026-04-01": ("anna", "carl", "dora"),
    }


def test_in_arrears_whoever_is_drawn_to_the_month_s_first_day_is_the_cause() -> None:
    policy = policy_of(ARREARS + '[rise]\ntakes_effect = "month"\n')
    [line] = explained([*THREE, person("2026-04-10", "dora")], policy, "2026-05-01")
    assert str(line).splitlines() == [
        "4 seats basic, 1–30 April 2026: dora joined on 10 April 2026",
        "held by anna, ben, carl",
        "4 × 10.00 × 30/30 = 40.00",
        "what is added takes effect with the first day of its month (rise.takes_effect)",
    ]


def test_in_arrears_whoever_left_is_the_cause_where_it_counts_with_the_next_month() -> None:
    policy = policy_of(ARREARS + '[fall]\ntakes_effect = "next_month"\n')
    rows = [*THREE, person("2026-04-10", "ben", "deactivate")]
    _, line = explained(rows, policy, "2027-01-01", interval="year")
    assert line.text == "2 seats basic, 1 May – 31 December 2026"
    assert line.causes == ("ben was deactivated on 10 April 2026",)
    assert "what falls away takes effect with the next month (fall.takes_effect)" in line.rules


def test_of_those_who_came_and_went_within_a_month_those_of_its_fullest_day_are_the_cause() -> None:
    policy = policy_of(ARREARS + '[rise]\ntakes_effect = "month"\n')
    rows = [
        *THREE,
        person("2026-04-05", "ben", "deactivate"),
        *(person("2026-04-10", user) for user in ("dora", "erik")),
        person("2026-04-20", "dora", "deactivate"),
    ]
    # three, two from the 5th, four from the 10th, three from the 20th
    assert caused(rows, policy, "2026-05-01") == [
        (
            "4 seats basic",
            ("ben was deactivated on 5 April 2026", "dora joined on 10 April 2026", "erik joined on 10 April 2026"),
        ),
        ("3 seats basic", ("dora was deactivated on 20 April 2026",)),
    ]


def test_in_arrears_an_order_and_a_plan_are_drawn_to_the_month_s_first_day_too() -> None:
    rises = ARREARS + '[rise]\ntakes_effect = "month"\n'
    orders: list[Mapping[str, object]] = [
        {"at": "2026-01-01", "event": "start", "quantity": 3},
        {"at": "2026-04-10", "event": "seats", "quantity": 5},
    ]
    bought = policy_of(rises + '[seats]\ncount = "bought"\n')
    assert caused(orders, bought, "2026-05-01") == [("5 seats basic", ("seats set to 5 on 10 April 2026",))]
    plans = policy_of(rises + '[plans.pro]\nprice = "30.00 per month"\n')
    moved = {"at": "2026-04-10", "event": "plan", "plan": "pro"}
    [line] = explained([*THREE, moved], plans, "2026-05-01")
    assert (line.causes, line.people) == (("plan changed to pro on 10 April 2026",), ("anna", "ben", "carl"))


@pytest.mark.parametrize(("charge", "text"), [("advance", "2 × sms added"), ("arrears", "2 × sms")])
def test_of_two_events_of_an_add_on_the_one_that_was_drawn_forward_is_the_cause(charge: str, text: str) -> None:
    policy = policy_of(
        BASE + f'[add_ons.sms]\nprice = "5.00 per month"\n[period]\ncharge = "{charge}"\n'
        '[rise]\ntakes_effect = "month"\n'
    )
    rows: list[Mapping[str, object]] = [
        *THREE,
        {"at": "2026-04-05", "event": "add_on", "item": "sms", "quantity": 2},
        {"at": "2026-04-15", "event": "remove_add_on", "item": "sms"},
    ]
    assert (text, ("sms added on 5 April 2026",)) in caused(rows, policy, "2026-05-01")


def test_packages_included_seats_and_a_maximum_are_named_where_they_decide() -> None:
    packed = "seats are sold in packages of 5 (seats.packages)"
    policy = policy_of(BASE + "[seats]\npackages = [5]\n")
    rows = [*THREE, *(person("2026-04-10", user) for user in ("d", "e", "f")), person("2026-05-10", "f", "deactivate")]
    assert packed in explained(rows, policy, "2026-01-01")[0].rules  # three are sold as five
    assert packed in explained(rows, policy, "2026-05-01")[0].rules  # six as ten: five more for three who joined
    assert packed in explained(rows, policy, "2026-06-01")[0].rules  # five fewer for one who left
    assert packed not in explained(rows, policy, "2026-06-01")[1].rules  # five are five

    policy = policy_of(BASE + "[seats]\nincluded = 2\nmaximum = 4\n")
    rows = [*THREE, *(person("2026-04-10", user) for user in ("d", "e", "f", "g"))]
    included, most = (
        "2 of the seats are included (seats.included)",
        "never more than 4 seats are billed (seats.maximum)",
    )
    assert explained(rows, policy, "2026-01-01")[0].rules == (included,)  # one of three
    added, may = explained(rows, policy, "2026-05-01")
    assert added.text.startswith("3 seats basic added")  # from one to four, where five of seven would be left
    assert added.rules[0] == most
    assert included not in added.rules  # of the four who joined none is
    assert may.rules == (included, most)


def test_an_order_is_the_cause_where_it_is_larger_than_the_people_are_many() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "larger"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-01-01", "event": "start", "quantity": 2},
        *THREE,
        {"at": "2026-04-10", "event": "seats", "quantity": 7},
        person("2026-04-12", "dora"),
        {"at": "2026-05-10", "event": "seats", "quantity": 3},
    ]
    assert caused(rows, policy, "2026-01-01")[0][1] == (
        "anna joined on 1 January 2026", "ben joined on 1 January 2026", "carl joined on 1 January 2026",
    )  # fmt: skip
    added, may = explained(rows, policy, "2026-05-01")
    assert added.text == "4 seats basic added, 10–30 April 2026"
    assert added.causes == ("seats set to 7 on 10 April 2026",)  # dora is one of the seven
    ordered = "as many seats are billed as are ordered (seats.count)"
    assert ordered in added.rules
    assert ordered in may.rules
    removed = explained(rows, policy, "2026-06-01")[0]
    assert removed.text == "3 seats basic removed, 10–31 May 2026"  # from seven to the four who are there
    assert removed.causes == ("seats set to 3 on 10 May 2026",)
    assert ordered not in removed.rules


BY_PLAN = policy_of(
    BASE + '[plans.pro]\nprice = "30.00 per month"\n[[when]]\nplan = "pro"\nseats.minimum = 3\n[[when]]\n'
    'plan = "basic"\nseats.minimum = 2\n'
)
KEEPS_BASIC = "until the next invoice the rules of basic hold, on which this one began (when.plan)"


def test_a_plan_chosen_on_a_period_s_first_day_has_its_price_and_the_rules_of_the_one_before() -> None:
    pro: dict[str, object] = {"at": "2026-05-01", "event": "plan", "plan": "pro"}
    rows = [person("2026-04-01", "anna"), pro]
    [april] = explained(rows, BY_PLAN, "2026-04-01")
    [may] = explained(rows, BY_PLAN, "2026-05-01")
    [june] = explained(rows, BY_PLAN, "2026-06-01")
    # the minimum of basic at the price of pro; then that of pro
    assert (may.arithmetic, june.arithmetic) == ("2 × 30.00 × 31/31 = 60.00", "3 × 30.00 × 30/30 = 90.00")
    assert [KEEPS_BASIC in month.rules for month in (april, may, june)] == [False, True, False]


def test_a_plan_chosen_before_a_period_begins_brings_its_rules_with_it() -> None:
    told = {"at": "2026-05-01", "event": "plan", "plan": "pro", "recorded_at": "2026-04-30"}
    [may] = explained([person("2026-04-01", "anna"), told], BY_PLAN, "2026-05-01")
    assert (may.arithmetic, KEEPS_BASIC in may.rules) == ("3 × 30.00 × 31/31 = 90.00", False)


def test_a_price_that_fell_because_there_are_more_seats_says_that_it_is_credited_although_falls_give_nothing() -> None:
    base = BASE.replace("[plans", "[[plans").replace("]\nprice", ".prices]]\nprice")
    base += '[[plans.basic.prices]]\nprice = "8.00 per month"\nabove = 2\n'
    rows = [*TWO, person("2026-01-17", "cara")]
    cheaper, added, _ = explained(rows, policy_of(f'{base}[fall]\ngive = "nothing"\n'), "2026-02-01")
    said = "a price that fell because there are more is credited, although falls give nothing (fall.give)"
    assert said in str(cheaper)  # −2 × 2.00 × 15/31
    assert said not in str(added)
    cheaper, *_ = explained(rows, policy_of(base), "2026-02-01")
    assert said not in str(cheaper)
