"""What decided a line is told, and nothing that did not: who is behind it, and the rules by which it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import Explanation, explain
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from tests.engine.stories import BASE, policy_of

Row = dict[str, object]
CHANGE_DAY = "the day someone joins is billed, the day someone leaves is not (seats.change_day)"
BY_DAYS = "a day is worth one part of the billing period's days (share.by)"
WITH_NEXT = "what falls away is credited with the next invoice (fall.settle)"
PLANS = BASE + '[plans.pro]\nprice = "20.00 per month"\n'
ROLES = BASE.replace("[plans.basic]\nprice", "[[plans.basic.prices]]\nprice") + (
    '[[plans.basic.prices]]\nprice = "3.00 per month"\nrole = "viewer"\n[roles.editor]\n[roles.viewer]\n'
)


def row(at: str, event: str, **more: object) -> Row:
    return {"at": at, "event": event, **more}


def joins(at: str, *users: str, **more: object) -> list[Row]:
    return [row(at, "activate", user=user, **more) for user in users]


def leaves(at: str, user: str) -> Row:
    return row(at, "deactivate", user=user)


def explained(rows: Sequence[Row], policy: Policy, on: str, interval: str = "month") -> list[Explanation]:
    """The explanations of the lines of the document of a day."""
    history = read_history(rows, policy=policy, interval=interval)
    day = date.fromisoformat(on)
    [document] = [one for one in bill(history, through=day).documents if one.date == day]
    return [explain(line, document, history) for line in document.lines]


def test_a_seat_that_is_kept_for_its_notice_alone_says_so() -> None:
    policy = policy_of(BASE + '[fall]\nnotice_days = 30\ntakes_effect = "next_period"\n')
    rows = [*joins("2026-01-01", "anna", "ben"), leaves("2026-01-20", "ben")]
    # 20 January and 30 days are 19 February: with March
    [february], [march] = explained(rows, policy, "2026-02-01"), explained(rows, policy, "2026-03-01")
    notice = "what falls away counts 30 days after it was told (fall.notice_days)"
    assert (february.text, february.rules) == ("2 seats basic, 1–28 February 2026", (notice,))
    assert february.causes == ("ben was deactivated on 20 January 2026",)
    assert (march.text, march.rules, march.causes) == ("1 seat basic, 1–31 March 2026", (), ())


def test_a_seat_whose_notice_was_over_long_ago_is_kept_for_the_term() -> None:
    policy = policy_of(
        BASE + '[period]\nterm_months = 12\n[fall]\ntakes_effect = "next_term"\nnotice_days = 10\n[seats]\n'
        'count = "bought"\n'
    )
    rows = [row("2026-01-01", "start", quantity=3), row("2026-03-02", "seats", quantity=2)]
    assert explained(rows, policy, "2026-06-01")[0].rules == (
        "what falls away takes effect with the next term (fall.takes_effect)",
    )


def test_a_cancellation_waits_for_nothing_that_falls_wait_for() -> None:
    policy = policy_of(BASE + '[fall]\ntakes_effect = "next_period"\n[cancel]\nends = "day"\n')
    rows = [*joins("2026-04-01", "anna", "ben"), leaves("2026-04-10", "ben"), row("2026-04-11", "cancel")]
    [fall] = explained(rows, policy, "2026-05-01")
    assert fall.text == "2 seats basic removed, 12–30 April 2026"
    assert fall.causes == ("the agreement was cancelled on 11 April 2026",)  # ben's seat was paid to the month's end
    ends = "a cancelled agreement ends with the day of the cancellation (cancel.ends)"
    assert fall.rules == (ends, BY_DAYS, WITH_NEXT)


LARGER = ROLES + '[seats]\ncount = "larger"\n[rise]\nsettle = "now"\n'
LARGER += '[add_ons.sso]\nprice = "1.00 per month"\ncharge = "seat"\n'


def test_where_the_larger_number_counts_each_role_names_its_own_people_and_orders() -> None:
    rows = [
        row("2026-04-01", "start", quantity=3),
        row("2026-04-01", "add_on", item="sso"),
        *joins("2026-04-01", "anna", role="editor"),
        *joins("2026-04-05", "vera", role="viewer"),
        *joins("2026-04-07", "ben", role="editor"),
        row("2026-04-07", "seats", quantity=2, role="viewer"),
    ]
    policy = policy_of(LARGER)
    vera, ordered = "vera joined on 5 April 2026", "viewer seats set to 2 on 7 April 2026"
    # anna and ben are two of three seats that are ordered, vera is the first of the viewers
    assert [(one.text, one.causes) for one in explained(rows, policy, "2026-04-05")] == [
        ("1 viewer seat basic added, 5–30 April 2026", (vera,)),
        ("1 × sso added, 5–30 April 2026", (vera,)),
    ]
    assert [(one.text, one.causes) for one in explained(rows, policy, "2026-04-07")] == [
        ("1 viewer seat basic added, 7–30 April 2026", (ordered,)),
        ("1 × sso added, 7–30 April 2026", (ordered,)),
    ]


def test_an_order_is_no_cause_of_what_it_does_not_move() -> None:
    policy = policy_of(
        ROLES.replace('10.00 per month"\n', '10.00 per month"\nbase = "100.00 per month"\n')
        + '[add_ons.sms]\nprice = "5.00 per month"\n[seats]\ncount = "bought"\n[period]\ncharge = "arrears"\n'
        '[rise]\ntakes_effect = "month"\n'
    )
    rows = [
        row("2026-03-01", "start", quantity=4),
        row("2026-03-01", "seats", quantity=9, role="viewer"),
        row("2026-03-01", "add_on", item="sms"),
        row("2026-04-20", "seats", quantity=6),
    ]
    told = {one.text: (one.causes, one.rules) for one in explained(rows, policy, "2026-05-01")}
    drawn = "what is added takes effect with the first day of its month (rise.takes_effect)"
    assert told == {
        "6 seats basic, 1–30 April 2026": (("seats set to 6 on 20 April 2026",), (drawn,)),
        "9 viewer seats basic, 1–30 April 2026": ((), ()),
        "basic, base price, 1–30 April 2026": ((), ()),
        "1 × sms, 1–30 April 2026": ((), ()),
    }


TIERS = 'currency = "EUR"\nintervals = ["month"]\n[[plans.team.prices]]\nprice = "10.00 per month"\n' + (
    '[[plans.team.prices]]\nprice = "8.00 per month"\nabove = 2\n[rise]\nsettle = "now"\n'
)
BY_NUMBER = "what a seat costs depends on how many there are (plans.team.tiers)"


@pytest.mark.parametrize("give", ["nothing", "credit"])
def test_a_price_that_falls_with_the_number_of_seats_names_who_joined_and_no_credit(give: str) -> None:
    rows = [*joins("2026-04-01", "anna", "ben"), *joins("2026-04-16", "chris")]
    cheaper, added = explained(rows, policy_of(TIERS + f'[fall]\ngive = "{give}"\n'), "2026-04-16")
    # 2 × 2.00 less, and one more at 8.00, for 15 of 30 days
    assert cheaper.arithmetic == "−2 × 2.00 × 15/30 = −2.00"
    assert cheaper.causes == added.causes == ("chris joined on 16 April 2026",)
    although = "a price that fell because there are more is credited, although falls give nothing (fall.give)"
    assert cheaper.rules == (CHANGE_DAY, BY_NUMBER, *([although] if give == "nothing" else []), BY_DAYS)
    assert added.rules == (CHANGE_DAY, BY_DAYS, "what is added is charged at once (rise.settle)")


def test_a_price_that_rises_as_the_seats_get_fewer_names_who_left() -> None:
    rows = [*joins("2026-04-01", "anna", "ben", "chris"), leaves("2026-04-16", "ben")]
    left, dearer, _ = explained(rows, policy_of(TIERS), "2026-05-01")
    assert left.causes == dearer.causes == ("ben was deactivated on 16 April 2026",)
    assert dearer.arithmetic == "2 × 2.00 × 15/30 = 2.00"
    assert dearer.rules == (CHANGE_DAY, BY_NUMBER, BY_DAYS)


def test_an_agreed_price_is_no_tier() -> None:
    rows = [*joins("2026-04-01", "anna"), row("2026-04-16", "plan", plan="team", price="9.00")]
    moved, _ = explained(rows, policy_of(TIERS), "2026-05-01")
    assert (moved.causes, BY_NUMBER in moved.rules) == (("plan team agreed at 9.00 on 16 April 2026",), False)


def restarts(text: str, rows: Sequence[Row], on: str) -> str:
    """By what a new period began on a day."""
    rest = explained(rows, policy_of(text), on)[0]
    return rest.rules[0].partition("credited ")[2]


BOTH = '[change]\ndearer_plan = "restart"\ncheaper_plan = "restart"\n'
BASE_PRICE = 'base = "100.00 per month"\n'


@pytest.mark.parametrize("base", ["", BASE_PRICE], ids=["by seats", "by base price"])
def test_of_a_dearer_and_a_cheaper_plan_the_one_is_named_that_began_the_period(base: str) -> None:
    plans = PLANS.replace('"20.00 per month"\n', f'"20.00 per month"\n{base}') + BOTH
    if base:  # the dearer plan for one seat is the one whose seats are cheaper
        plans = plans.replace("20.00", "5.00")
    rows = [
        *joins("2026-04-01", "anna"),
        row("2026-04-11", "plan", plan="pro"),
        row("2026-04-21", "plan", plan="basic"),
    ]
    assert restarts(plans, rows, "2026-04-11") == "(change.dearer_plan)"
    assert restarts(plans, rows, "2026-04-21") == "(change.cheaper_plan)"


WAITS = BASE + '[rise]\nsettle = "now"\nwaiting_days = 5\n'


def test_what_is_charged_after_some_days_names_them() -> None:
    charged = explained([*joins("2026-04-01", "anna"), *joins("2026-04-10", "ben")], policy_of(WAITS), "2026-04-15")
    assert charged[0].rules[-1] == (
        "what is added is charged 5 days later, if it is still there (rise.settle, rise.waiting_days)"
    )


@pytest.mark.parametrize("give", ["credit", "nothing"])
def test_what_was_charged_and_did_not_last_is_credited_with_who_left_and_why(give: str) -> None:
    policy = policy_of(WAITS + f'[fall]\ngive = "{give}"\n')
    left = row("2026-04-12", "deactivate", user="ben", recorded_at="2026-04-20")
    back = explained([*joins("2026-04-01", "anna"), *joins("2026-04-10", "ben"), left], policy, "2026-05-01")[0]
    assert back.text.startswith("1 seat basic removed, 10")
    assert back.causes == ("ben was deactivated on 12 April 2026 (recorded on 20 April 2026)",)
    assert "what is gone again within 5 days is not charged (rise.waiting_days)" in back.rules


def test_who_joined_is_named_once_that_has_lasted_on_either_side_of_a_periods_border() -> None:
    policy = policy_of(WAITS)
    rows = [*joins("2026-04-01", "anna"), *joins("2026-04-27", "dora"), *joins("2026-04-28", "chris")]
    for day, name in (("2026-05-02", "dora joined on 27 April 2026"), ("2026-05-03", "chris joined on 28 April 2026")):
        april, may = explained(rows, policy, day)
        assert (april.causes, may.causes) == ((name,), (name,))


def test_an_add_on_that_is_paid_once_need_not_last() -> None:
    policy = policy_of(WAITS + '[add_ons.setup]\nprice = "49.00 once"\ncharge = "once"\n')
    rows = [*joins("2026-04-01", "anna"), row("2026-04-10", "add_on", item="setup")]
    [setup] = explained(rows, policy, "2026-04-10")
    assert setup.rules[-1] == "what is added is charged at once (rise.settle)"


def test_where_nothing_is_given_a_correction_is_no_fall() -> None:
    policy = policy_of(BASE + '[fall]\ngive = "nothing"\n')
    late = row("2026-04-01", "deactivate", user="ben", recorded_at="2026-04-20")
    fall, _ = explained([*joins("2026-04-01", "anna", "ben"), late], policy, "2026-05-01")
    assert fall.rules[-1] == "what was billed and is not due is credited with the next invoice"
