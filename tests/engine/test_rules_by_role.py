"""Rules that differ by role: how many of its seats are sold, who takes one, how many are bought, when they fall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from prorata.engine.refusal import CannotBill
from tests.engine.stories import documents, policy_of, refusals, refused_rows, remembered

SOLD = """\
currency = "EUR"
intervals = ["month", "year"]
[plans.team]
[[plans.team.prices]]
price = "30.00 per month"
[[plans.team.prices]]
role = "viewer"
price = "6.00 per month"
[roles.editor]
[roles.viewer]
[roles.guest]
"""
START: Mapping[str, object] = {"at": "2026-04-01", "event": "start"}


def joins(user: str, role: str, at: str = "2026-04-01", kind: str = "activate") -> Mapping[str, object]:
    return {"at": at, "event": kind, "user": user, "role": role}


def leaves(user: str, at: str) -> Mapping[str, object]:
    return {"at": at, "event": "deactivate", "user": user}


def of_role(role: str, rules: str) -> str:
    return f'[[when]]\nrole = "{role}"\n{rules}\n'


def lines(text: str, *rows: Mapping[str, object], through: date = date(2026, 4, 1)) -> list[tuple[str, str, int, int]]:
    """Item, kind, quantity and amount of every line."""
    found = documents([START, *rows], policy_of(text), through)
    return [(line.item, line.kind, line.quantity, line.amount_minor) for one in found for line in one.lines]


EDITOR, VIEWER = joins("anna", "editor"), joins("vera", "viewer")


def test_a_minimum_of_a_role_is_of_its_seats_alone() -> None:
    assert lines(SOLD + of_role("viewer", "seats.minimum = 3"), EDITOR, VIEWER) == [
        ("seats", "period", 1, 3000), ("seats:viewer", "period", 3, 1800),
    ]  # fmt: skip


def test_packages_of_a_role_are_of_its_seats_alone() -> None:
    assert lines(SOLD + of_role("viewer", "seats.packages = [5]"), EDITOR, VIEWER) == [
        ("seats", "period", 1, 3000), ("seats:viewer", "period", 5, 3000),
    ]  # fmt: skip


def test_what_is_written_for_all_sells_the_seats_of_the_other_roles() -> None:
    text = SOLD + "[seats]\npackages = [4]\nmaximum = 8\n" + of_role("viewer", "seats.included = 1")
    assert lines(text, EDITOR, VIEWER, joins("vito", "viewer")) == [
        ("seats", "period", 4, 12000), ("seats:viewer", "period", 1, 600),
    ]  # fmt: skip


def test_a_minimum_written_for_all_is_of_the_other_roles() -> None:
    text = SOLD + "[seats]\nminimum = 2\n" + of_role("viewer", "seats.packages = [5]")
    assert lines(text, EDITOR, VIEWER) == [("seats", "period", 2, 6000), ("seats:viewer", "period", 5, 3000)]


def test_a_role_with_rules_and_no_price_of_its_own_costs_what_the_others_do() -> None:
    text = SOLD + of_role("guest", "seats.included = 2")
    guests = [joins(f"guest {number}", "guest") for number in range(3)]
    assert lines(text, EDITOR, *guests) == [("seats", "period", 1, 3000), ("seats:guest", "period", 1, 3000)]


def test_a_role_falls_with_its_period_while_the_others_fall_on_their_day() -> None:
    text = SOLD + of_role("viewer", 'fall.takes_effect = "next_period"')
    rows = [EDITOR, VIEWER, joins("eva", "editor"), joins("vito", "viewer")]
    gone = [leaves("eva", "2026-04-16"), leaves("vito", "2026-04-16")]
    # 30.00 × 15/30 is credited; the viewer's seat stays paid for until May
    assert lines(text, *rows, *gone, through=date(2026, 5, 1))[2:] == [
        ("seats", "fall", -1, -1500), ("seats", "period", 1, 3000), ("seats:viewer", "period", 1, 600),
    ]  # fmt: skip


def test_a_role_counts_whole_months_while_the_others_count_days() -> None:
    text = SOLD + of_role("viewer", 'share.by = "months"')
    later = [joins("eva", "editor", "2026-04-16"), joins("vito", "viewer", "2026-04-16")]
    assert lines(text, EDITOR, VIEWER, *later, through=date(2026, 5, 1))[2:4] == [
        ("seats", "rise", 1, 1500), ("seats:viewer", "rise", 1, 600),
    ]  # fmt: skip


def test_seats_of_one_role_are_bought_and_those_of_another_used() -> None:
    text = SOLD + '[seats]\ncount = "bought"\n' + of_role("viewer", 'seats.count = "active"')
    bought: Mapping[str, object] = {"at": "2026-04-01", "event": "seats", "quantity": 4}
    assert lines(text, bought, EDITOR, VIEWER, joins("vito", "viewer")) == [
        ("seats", "period", 4, 12000), ("seats:viewer", "period", 2, 1200),
    ]  # fmt: skip


def test_people_of_one_role_count_only_when_they_are_active() -> None:
    text = SOLD + of_role("viewer", 'seats.counts_from = "activity"\nseats.idle_days = 10')
    rows = [EDITOR, VIEWER, joins("vito", "viewer"), joins("vito", "viewer", "2026-04-01", "activity")]
    # vito for the ten days after his activity; vera never; anna without any
    assert lines(text, *rows, through=date(2026, 5, 1)) == [
        ("seats", "period", 1, 3000), ("seats:viewer", "period", 1, 600), ("seats:viewer", "fall", -1, -400),
        ("seats", "period", 1, 3000),
    ]  # fmt: skip


def test_one_role_is_measured_by_the_month_and_does_not_take_who_had_another() -> None:
    text = SOLD + '[period]\ncharge = "arrears"\n'
    text += of_role("viewer", 'seats.measure = "distinct"\nseats.counts_from = "activity"')
    active = [joins("vera", "editor", "2026-04-01", "activity"), joins("vera", "viewer", "2026-04-20", "activity")]
    becomes: Mapping[str, object] = {"at": "2026-04-02", "event": "role", "user": "vera", "role": "viewer"}
    rows = [joins("vera", "editor"), becomes, *active]
    # an editor for 1 of 30 days at 30.00, and a viewer of the month at 6.00
    assert lines(text, *rows, through=date(2026, 5, 1)) == [
        ("seats", "period", 1, 100), ("seats:viewer", "period", 1, 600),
    ]  # fmt: skip


def test_roles_that_are_measured_alike_count_somebody_once_in_the_dearest() -> None:
    text = SOLD + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\n'
    text += of_role("viewer", 'seats.suspended = "free"') + of_role("guest", 'seats.measure = "level"')
    moves = [("2026-04-11", "viewer"), ("2026-04-21", "guest")]
    rows = [{"at": at, "event": "role", "user": "anna", "role": role} for at, role in moves]
    # an editor of the month; a guest, who counts day by day, for 10 of 30 days at 30.00
    assert lines(text, EDITOR, *rows, through=date(2026, 5, 1)) == [
        ("seats", "period", 1, 3000), ("seats:guest", "period", 1, 1000),
    ]  # fmt: skip


def test_who_is_never_active_is_not_counted_where_the_role_asks_for_activity() -> None:
    text = SOLD + '[seats]\nmeasure = "distinct"\n' + of_role("viewer", 'seats.counts_from = "activity"')
    rows = [EDITOR, joins("vera", "viewer", "2026-04-05")]
    assert lines(text, *rows, through=date(2026, 5, 1)) == [("seats", "period", 1, 3000), ("seats", "period", 1, 3000)]


CONTRACT = SOLD.replace('price = "30.00 per month"', 'price = "30.00 per month"\noverage = "45.00 per month"')


def test_a_role_without_a_price_of_its_own_has_the_overage_of_the_others() -> None:
    text = CONTRACT + '[seats]\ncount = "larger"\n' + of_role("guest", 'seats.suspended = "free"')
    ordered: Mapping[str, object] = {"at": "2026-04-01", "event": "seats", "quantity": 1, "role": "guest"}
    assert lines(text, ordered, joins("gina", "guest"), joins("gert", "guest")) == [
        ("seats:guest", "period", 1, 3000), ("seats:guest>ordered", "period", 1, 4500),
    ]  # fmt: skip


def test_a_role_whose_active_members_are_billed_has_no_overage() -> None:
    text = CONTRACT + '[seats]\ncount = "larger"\n' + of_role("guest", 'seats.count = "active"')
    assert lines(text, joins("gina", "guest"), joins("gert", "guest")) == [("seats:guest", "period", 2, 6000)]


BOUGHT_VIEWERS = SOLD + of_role("viewer", 'seats.count = "bought"')


def test_an_account_without_members_of_a_role_need_not_buy_seats_of_it() -> None:
    assert lines(BOUGHT_VIEWERS, EDITOR) == [("seats", "period", 1, 3000)]


def test_members_of_a_role_whose_seats_are_bought_need_an_order_of_them() -> None:
    seats: Mapping[str, object] = {"at": "2026-04-01", "event": "seats", "quantity": 5}
    with pytest.raises(CannotBill, match="the policy bills bought viewer seats and the history buys none"):
        lines(BOUGHT_VIEWERS, EDITOR, VIEWER, seats)


def test_rules_of_a_role_hold_for_an_interval_where_that_is_said_as_well() -> None:
    text = SOLD + '[[when]]\nrole = "viewer"\ninterval = "year"\nseats.minimum = 3\n'
    assert lines(text, EDITOR, VIEWER) == [("seats", "period", 1, 3000), ("seats:viewer", "period", 1, 600)]
    [year] = documents([START, EDITOR, VIEWER], policy_of(text), date(2026, 4, 1), interval="year")
    assert [(line.item, line.quantity) for line in year.lines] == [("seats", 1), ("seats:viewer", 3)]


def test_an_add_on_for_each_seat_is_for_those_that_are_sold_of_a_role() -> None:
    text = (
        SOLD + '[add_ons.backup]\nprice = "1.00 per month"\ncharge = "seat"\n' + of_role("viewer", "seats.minimum = 3")
    )
    added: Mapping[str, object] = {"at": "2026-04-01", "event": "add_on", "item": "backup"}
    assert ("backup", "period", 4, 400) in lines(text, EDITOR, VIEWER, added)


def test_a_second_run_bills_nothing_of_a_role_again() -> None:
    rules = 'seats.packages = [2]\nseats.minimum = 3\nfall.takes_effect = "next_period"\nfall.notice_days = 20'
    policy = policy_of(SOLD + of_role("viewer", rules))
    rows = [START, EDITOR, VIEWER, joins("vito", "viewer", "2026-04-10"), leaves("vito", "2026-05-20")]
    history = read_history(rows, policy=policy)
    whole = bill(history, through=date(2026, 9, 1))
    first = bill(history, through=date(2026, 5, 20))
    second = bill(history, through=date(2026, 9, 1), issued=remembered(first))
    assert [*first.documents, *second.documents] == [*whole.documents]


def explained(text: str, *rows: Mapping[str, object], through: date = date(2026, 4, 1)) -> list[str]:
    history = read_history([START, *rows], policy=policy_of(text))
    return [
        "\n".join([one.text, *one.causes, *one.rules])
        for document in bill(history, through=through).documents
        for one in (explain(line, document, history) for line in document.lines)
    ]


def test_a_line_of_a_role_names_the_role_and_the_rule_by_which_so_many_are_billed() -> None:
    text = SOLD + "[seats]\nminimum = 9\n" + of_role("guest", "seats.minimum = 3\nseats.packages = [5]")
    _, guests = explained(text, EDITOR, joins("gina", "guest"))
    assert guests.startswith("5 guest seats team, 1–30 April 2026")
    assert "seats are sold in packages of 5 (seats.packages)" in guests
    assert "9" not in guests
    text = SOLD + of_role("viewer", "seats.minimum = 3")
    assert "never fewer than 3 viewer seats are billed (seats.minimum)" in explained(text, EDITOR, VIEWER)[1]


def test_an_add_on_for_each_seat_is_explained_where_a_role_falls_with_another_notice() -> None:
    text = SOLD + '[add_ons.backup]\nprice = "1.00 per month"\ncharge = "seat"\n[fall]\nnotice_days = 20\n'
    added: Mapping[str, object] = {"at": "2026-04-01", "event": "add_on", "item": "backup"}
    rows = [EDITOR, joins("vera", "viewer", "2026-04-05"), joins("eva", "editor", "2026-05-10"), added]
    found = explained(text + of_role("viewer", "fall.notice_days = 5"), *rows, through=date(2026, 6, 1))
    assert any(one.startswith("1 × backup added, 10–31 May 2026\neva joined on 10 May 2026") for one in found)


def test_who_left_is_named_while_a_role_is_billed_for_its_notice() -> None:
    text = SOLD + of_role("viewer", "fall.notice_days = 20")
    rows = [EDITOR, VIEWER, joins("vito", "viewer"), leaves("vito", "2026-04-25"), leaves("anna", "2026-04-26")]
    rows += [joins("eva", "editor", "2026-04-26")]
    [may] = [one for one in explained(text, *rows, through=date(2026, 5, 1)) if "viewer seats team, 1–14 May" in one]
    assert "vito was deactivated on 25 April 2026" in may
    assert "anna" not in may
    assert "(fall.notice_days)" in may


def test_a_line_of_a_role_says_by_which_plan_s_rules_it_goes_until_the_next_invoice() -> None:
    text = SOLD.replace("[roles.editor]", '[plans.pro]\nprice = "50.00 per month"\n[roles.editor]')
    text += '[[when]]\nrole = "viewer"\nplan = "pro"\nseats.minimum = 3\n'
    plan: Mapping[str, object] = {"at": "2026-04-16", "event": "plan", "plan": "pro"}
    viewers = [one for one in explained(text, VIEWER, plan, through=date(2026, 5, 1)) if "from team to pro" in one]
    assert ["until the next invoice the rules of team hold, on which this one began (when.plan)" in one
            for one in viewers] == [True]  # fmt: skip


def test_who_leaves_a_role_is_named_when_its_seat_falls() -> None:
    text = SOLD + of_role("viewer", 'fall.takes_effect = "next_month"')
    rows = [EDITOR, VIEWER, joins("vito", "viewer"), leaves("vito", "2026-04-16")]
    policy_text = text.replace('["month", "year"]', '["year"]')
    found = explained(policy_text, *rows, through=date(2027, 4, 1))
    [fall] = [one for one in found if "removed" in one]
    assert "vito was deactivated on 16 April 2026" in fall
    assert "(fall.takes_effect)" in fall


def test_the_policy_tells_what_is_otherwise_with_a_role() -> None:
    text = (
        SOLD + "[seats]\nminimum = 2\n" + of_role("viewer", 'seats.packages = [5]\nfall.takes_effect = "next_period"')
    )
    [_, month, _] = tell(policy_of(text))
    told = {sentence.text: sentence.example for sentence in month.sentences}
    sold = told["Seats of the role viewer: seats are sold in packages of 5."]
    assert sold == "With 4: 5 × 6.00 × 31/31 = 30.00, on 1 January 2026"
    fall = "Seats of the role viewer: a user fewer counts from the next month on; until then it stays paid for."
    assert told[fall] == "One user fewer of 6 on 10 April 2026: 5 × 6.00 × 31/31 = 30.00, on 1 May 2026"
    assert not any(one.startswith("Seats of the role viewer: a user added") for one in told)


def test_what_is_sold_of_the_other_roles_names_them_as_they_are_written() -> None:
    text = SOLD.replace("[roles.guest]", "[roles.QA]") + "[seats]\npackages = [5]\n"
    [_, month, _] = tell(policy_of(text))
    assert "Editor or QA seats are sold in packages of 5." in [sentence.text for sentence in month.sentences]


def test_the_policy_tells_how_the_seats_of_a_role_are_rounded() -> None:
    [_, month, _] = tell(policy_of(SOLD + of_role("viewer", 'rounding.mode = "down"')))
    told = [sentence.text for sentence in month.sentences if sentence.text.startswith("Seats of the role viewer")]
    assert len(told) == 1
    assert "down" in told[0]


def test_a_policy_that_lets_bought_seats_not_fall_below_the_members_asks_so_of_each_role() -> None:
    text = SOLD + '[seats]\ncount = "bought"\nbelow_active = "refused"\n'
    head = {"at": "2026-04-01", "event": "start", "quantity": "5"}
    viewers = {"at": "2026-04-01", "event": "seats", "quantity": "1", "role": "viewer"}
    people = [{"at": "2026-04-02", "event": "activate", "user": f"e{number}", "role": "editor"} for number in range(3)]
    documents([head, viewers, *people], policy_of(text), date(2026, 5, 1))  # three editors on five seats
    two = [{"at": "2026-04-02", "event": "activate", "user": f"v{number}", "role": "viewer"} for number in range(2)]
    assert refused_rows([head, viewers, *people, *two], policy_of(text)) == (
        "line 8, column user: 2 viewer members hold seats; buy more than 1 first",
    )
    assert refused_rows([head, *people, *two], policy_of(text)) == (
        "line 7, column user: 2 viewer members hold seats; buy more than 0 first",
    )


OF_INVOICE = (
    "is of the whole invoice; by role may differ seats (but for free, change_day and below_active), share, rounding, "
    "rise.takes_effect, fall.takes_effect, fall.window_days, fall.notice_days and period.charge"
)


@pytest.mark.parametrize(
    ("condition", "rules", "sentence"),
    [
        ('role = "owner"', "seats.minimum = 3", "line 15: when.role: owner is not one of roles (editor, viewer, "
         "guest, free)"),
        ('role = "free"', "seats.minimum = 3", "line 15: when.role: members with the role free are not billed "
         "(roles.free)"),
        ('role = "viewer"\nitem = "seats"', "seats.minimum = 3", "line 16: when.item: a role is about seats only; "
         "leave item out"),
        ('role = "viewer"', "", "line 14: when says no rule that differs; write one, such as rise.settle"),
        ('role = "viewer"', 'rise.settle = "now"', f"line 16: rise.settle {OF_INVOICE}"),
        ('role = "viewer"', 'fall.give = "refund"', f"line 16: fall.give {OF_INVOICE}"),
        ('role = "viewer"', 'fall.give = "nothing"', "line 16: fall.give is of the whole invoice; where nothing is "
         'given for a role, its seats stay paid for: fall.takes_effect = "next_period"'),
        ('role = "viewer"', "period.term_months = 12", f"line 16: period.term_months {OF_INVOICE}"),
        ('role = "viewer"', 'seats.change_day = "not_billed"', f"line 16: seats.change_day {OF_INVOICE}"),
        ('role = "viewer"', 'seats.free = ["viewer"]', f"line 16: seats.free {OF_INVOICE}"),
        ('role = "viewer"', 'seats.count = "bought"\nseats.suspended = "free"', "line 17: seats.suspended would have "
         'no effect; it needs seats.count = "active" or "larger"'),
    ],
)  # fmt: skip
def test_what_cannot_differ_by_role_is_refused(condition: str, rules: str, sentence: str) -> None:
    text = f"{SOLD}[roles.free]\nbilled = false\n[[when]]\n{condition}\n{rules}\n"
    assert f"test.toml, {sentence}" in refusals(text)


def test_rules_for_a_role_that_is_free_are_refused() -> None:
    text = SOLD + '[seats]\nfree = ["viewer"]\n' + of_role("viewer", "seats.minimum = 3")
    assert refusals(text) == ("test.toml, line 15: when.role: members with the role viewer are free (seats.free)",)


def test_a_role_is_not_named_like_a_tier_of_another() -> None:
    assert refusals(SOLD + '[roles."viewer>1"]\n') == (
        "test.toml, line 12: roles.viewer>1: a role's name has no >, which its lines are told apart by",
    )


def test_who_has_not_been_in_a_dearer_role_for_long_enough_counts_in_the_other_one() -> None:
    text = SOLD + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\nleast_days = 5\n'
    text += of_role("viewer", "seats.least_days = 1")
    viewer = [joins("x", "viewer", "2026-04-04"), leaves("x", "2026-04-06")]
    before = [joins("x", "editor", "2026-04-03"), joins("x", "viewer", "2026-04-04", "role"), viewer[1]]
    longer = [joins("x", "editor", "2026-04-01"), *before[1:]]
    of_viewer = [("seats:viewer", "period", 1, 600)]
    assert lines(text, *viewer, through=date(2026, 5, 1)) == of_viewer
    assert lines(text, *before, through=date(2026, 5, 1)) == of_viewer  # 1 day of 5, and with it 3 of 1
    # from the 1st to the 5th: an editor on enough days, viewer days included
    assert lines(text, *longer, through=date(2026, 5, 1)) == [("seats", "period", 1, 3000)]


def test_a_role_that_is_bought_is_explained_beside_others_that_are_not() -> None:
    policy = policy_of(SOLD + of_role("viewer", 'seats.minimum = 1\nseats.count = "bought"'))
    history = read_history([START, EDITOR], policy=policy)
    [document] = bill(history, through=date(2026, 4, 1)).documents
    assert [str(explain(line, document, history)).splitlines()[1:] for line in document.lines] == [
        ["held by anna", "1 × 30.00 × 30/30 = 30.00"],
        ["1 × 6.00 × 30/30 = 6.00", "never fewer than 1 viewer seat is billed (seats.minimum)"],
    ]


def test_an_add_on_for_every_seat_tells_of_each_role_by_its_own_rules() -> None:
    text = SOLD + '[add_ons.backup]\nprice = "1.00 per month"\ncharge = "seat"\n'
    policy = policy_of(text + of_role("viewer", 'seats.count = "larger"'))
    rows = [
        START, EDITOR, VIEWER, {"at": "2026-04-01", "event": "add_on", "item": "backup"},
        {"at": "2026-04-10", "event": "seats", "role": "viewer", "quantity": 3},
        joins("vito", "viewer", "2026-04-15"),  # for whom a seat was ordered
        leaves("anna", "2026-04-20"),
    ]  # fmt: skip
    history = read_history(rows, policy=policy)
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    told = [str(explain(line, document, history)).splitlines()[0] for line in document.lines if line.item == "backup"]
    assert told[:2] == [
        "2 × backup added, 10–19 April 2026: viewer seats set to 3 on 10 April 2026",
        "1 × backup added, 20–30 April 2026: viewer seats set to 3 on 10 April 2026, anna was deactivated on 20 April "
        "2026",
    ]


def test_who_holds_the_distinct_seats_of_a_role_is_named_in_the_dearest_one() -> None:
    policy = policy_of(SOLD + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\n')
    rows = [
        START, EDITOR, VIEWER, joins("x", "editor", "2026-04-03"), joins("x", "viewer", "2026-04-04", "role")
    ]  # fmt: skip
    history = read_history(rows, policy=policy)
    [document] = bill(history, through=date(2026, 5, 1)).documents
    held = [str(explain(line, document, history)).splitlines()[1] for line in document.lines]
    assert held == ["held by anna, x", "held by vera"]
