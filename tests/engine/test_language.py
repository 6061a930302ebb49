"""Keys of the language that other tests do not tell a story of: base prices, measured periods, rules by plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import describe, explain
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from tests.engine.stories import BASE, documents, policy_of, refusals, refused_rows

START: dict[str, object] = {"at": "2026-01-01", "event": "start"}


def person(at: str, user: str, event: str = "activate") -> dict[str, object]:
    return {"at": at, "event": event, "user": user}


def lines(
    rows: list[Mapping[str, object]], policy: Policy, through: date, **settings: object
) -> list[tuple[str, str, int, int, int]]:
    """Document date, item, quantity, days and amount of every line."""
    billing = bill(read_history(rows, policy=policy, **settings), through=through)
    return [
        (f"{document.date:%d %b}", line.item, line.quantity, line.days, line.amount_minor)
        for document in billing.documents
        for line in document.lines
    ]


BASED = policy_of(
    'currency = "BRL"\nintervals = ["month"]\n[plans.basic]\nprice = "39.90 per month"\nbase = "240.00 per month"\n'
    '[plans.pro]\nprice = "49.90 per month"\nbase = "300.00 per month"\n[seats]\nincluded = 5\n'
)


def test_a_base_price_is_charged_beside_the_seats_that_it_does_not_include() -> None:
    rows: list[Mapping[str, object]] = [START, *(person("2026-01-01", f"u{number}") for number in range(7))]
    assert lines(rows, BASED, date(2026, 1, 1)) == [
        ("01 Jan", "seats", 2, 31, 7_980),
        ("01 Jan", "base", 1, 31, 24_000),
    ]


def test_a_base_price_is_charged_though_nobody_needs_more_than_it_includes() -> None:
    rows: list[Mapping[str, object]] = [START, person("2026-01-01", "anna")]
    assert lines(rows, BASED, date(2026, 1, 1)) == [("01 Jan", "base", 1, 31, 24_000)]


def test_a_dearer_plan_has_a_dearer_base_and_the_change_is_named() -> None:
    rows: list[Mapping[str, object]] = [START, {"at": "2026-01-17", "event": "plan", "plan": "pro"}]
    history = read_history(rows, policy=BASED)
    _, february = bill(history, through=date(2026, 2, 1)).documents
    # 60.00 × 15/31 = 29.03
    moved = february.lines[0]
    assert (describe(moved), moved.kind, moved.amount_minor) == (
        "base price from basic to pro, 17–31 January 2026", "plan", 2_903,
    )  # fmt: skip
    assert explain(moved, february, history).causes == ("plan changed to pro on 17 January 2026",)
    assert describe(february.lines[1]) == "pro, base price, 1–28 February 2026"


def test_the_base_price_has_a_name_that_nothing_else_may_have() -> None:
    assert refusals(BASE + '[add_ons.base]\nprice = "1.00 per month"\n') == (
        "test.toml, line 5: add_ons.base: the name is the base price's; call the add-on something else",
    )
    assert refusals(BASE + '[[add_ons.sms.prices]]\nprice = "1.00 per month"\nbase = "1.00 per month"\n') == (
        "test.toml, line 7: add_ons.sms.prices: an add-on has no seats, and so no base beside them",
    )
    row = {"at": "2026-01-01", "event": "add_on", "item": "base", "price": "1.00"}
    assert refused_rows([row], BASED) == (
        "line 2, column item: 'base' is the name of a plan's base price; call the add-on something else",
    )


PEAKS = policy_of(
    'currency = "EUR"\nintervals = ["quarter"]\n[plans.basic]\nprice = "10.00 per month"\n'
    '[period]\nanchor = "calendar"\ncharge = "arrears"\nmeasured = "month"\n[seats]\nmeasure = "peak"\n'
)
YEAR = [
    START,
    person("2026-01-01", "anna"),
    person("2026-01-20", "ben"),
    person("2026-02-10", "ben", "deactivate"),
    person("2026-03-15", "chris"),
]


def test_each_month_is_measured_on_its_own_and_the_quarter_is_one_invoice() -> None:
    # Two in January, two in February, ben gone in March but chris there: two
    assert lines([*YEAR, person("2026-04-10", "dora")], PEAKS, date(2026, 7, 1)) == [
        ("01 Apr", "seats", 2, 31, 2_000),
        ("01 Apr", "seats", 2, 28, 2_000),
        ("01 Apr", "seats", 2, 31, 2_000),
        ("01 Jul", "seats", 3, 30, 3_000),
        ("01 Jul", "seats", 3, 31, 3_000),
        ("01 Jul", "seats", 3, 30, 3_000),
    ]


def test_an_account_that_starts_within_a_quarter_is_billed_with_its_end() -> None:
    rows: list[Mapping[str, object]] = [{"at": "2026-02-11", "event": "start"}, person("2026-02-11", "anna")]
    # 18 of February's 28 days: 6.43
    assert lines(rows, PEAKS, date(2026, 4, 1)) == [("01 Apr", "seats", 1, 18, 643), ("01 Apr", "seats", 1, 31, 1_000)]


def test_in_advance_all_months_of_the_invoice_are_billed_at_its_beginning() -> None:
    policy = policy_of(
        'currency = "EUR"\nintervals = ["quarter"]\n[plans.basic]\nprice = "10.00 per month"\n'
        '[period]\nmeasured = "month"\n'
    )
    rows: list[Mapping[str, object]] = [
        {"at": "2026-01-15", "event": "start"},
        person("2026-01-15", "anna"),
        person("2026-03-01", "ben"),
    ]
    found = lines(rows, policy, date(2026, 4, 15))
    assert found[:3] == [("15 Jan", "seats", 1, days, 1_000) for days in (31, 28, 31)]
    # Ben from 1 March: 14 of 28 days of the second month, and the third
    assert found[3:5] == [("15 Apr", "seats", 1, 14, 500), ("15 Apr", "seats", 1, 31, 1_000)]
    assert [line[:3] for line in found[5:]] == [("15 Apr", "seats", 2)] * 3


def test_an_interval_asked_for_within_an_invoice_begins_with_the_next() -> None:
    text = 'currency = "EUR"\nintervals = ["quarter", "month"]\n[plans.basic]\nprice = "10.00 per month"\n'
    policy = policy_of(text + '[period]\ncharge = "arrears"\nmeasured = "month"\n')
    rows: list[Mapping[str, object]] = [
        START,
        person("2026-01-01", "anna"),
        {"at": "2026-01-20", "event": "interval", "interval": "month"},
    ]
    assert [line[0] for line in lines(rows, policy, date(2026, 5, 1))] == ["01 Apr"] * 3 + ["01 May"]


def test_a_measured_period_as_long_as_every_invoice_is_refused() -> None:
    assert refusals(BASE + '[period]\nmeasured = "year"\n') == (
        'test.toml, line 6: period.measured = "year" is not shorter than any of intervals',
    )


def test_a_plan_can_be_billed_by_rules_of_its_own() -> None:
    policy = policy_of(
        BASE + '[plans.enterprise]\nprice = "20.00 per month"\n[seats]\ncount = "bought"\n'
        '[[when]]\nplan = "enterprise"\nseats.count = "active"\n'
    )
    rows: list[Mapping[str, object]] = [
        {**START, "quantity": 5},
        person("2026-01-01", "anna"),
        {"at": "2026-01-20", "event": "plan", "plan": "enterprise"},
    ]
    found = lines(rows, policy, date(2026, 2, 1))
    # January keeps its rules: five seats bought, dearer from the 20th on. 5 × 10.00 × 12/31 = 19.35
    assert found == [
        ("01 Jan", "seats", 5, 31, 5_000),
        ("01 Feb", "seats", 5, 12, 1_935),
        ("01 Feb", "seats", 1, 28, 2_000),
    ]


def test_rules_for_a_plan_that_there_is_not_are_refused() -> None:
    assert refusals(BASE + '[[when]]\nplan = "gold"\nseats.minimum = 3\n') == (
        "test.toml, line 6: when.plan: gold is not one of plans",
    )


def test_a_cancelled_agreement_runs_to_the_end_of_the_invoice_though_its_months_are_measured() -> None:
    rows: list[Mapping[str, object]] = [*YEAR, {"at": "2026-04-20", "event": "cancel"}]
    assert lines(rows, PEAKS, date(2027, 1, 1))[3:] == [("01 Jul", "seats", 2, days, 2_000) for days in (30, 31, 30)]


def test_in_advance_nothing_given_back_and_months_measured_apart_contradict_each_other() -> None:
    assert refusals(BASE + '[period]\nmeasured = "month"\n[fall]\ngive = "nothing"\n') == (
        "test.toml, line 6: period.measured has a fall take effect with the next of them, and billed in advance that "
        'is a credit; with fall.give = "nothing" leave it out, or bill in arrears',
    )


@pytest.mark.parametrize(
    "known",
    [
        'measure = "mean"\nof = "period_before"\n',
        'measure = "peak"\n',
        'measure = "snapshot"\n',
        'measure = "distinct"\n',
        'measure = "distinct"\nleast_days = 5\n[period]\ncharge = "arrears"\n',
    ],
)
def test_a_number_that_never_turns_out_lower_than_billed_can_be_one_of_which_nothing_is_given(known: str) -> None:
    policy = policy_of(BASE + '[fall]\ngive = "nothing"\n[seats]\n' + known)
    rows = [person("2026-04-01", "anna"), person("2026-04-01", "ben"), person("2026-05-20", "ben", "deactivate")]
    # two in April and May, then one at least; no line gives anything back
    found = documents(rows, policy, date(2026, 8, 1))
    assert [line.amount_minor for one in found for line in one.lines][:2] == [2000, 2000]
    assert all(line.amount_minor > 0 for one in found for line in one.lines)


@pytest.mark.parametrize("measure", ["snapshot", "distinct"])
def test_where_hours_count_a_first_day_is_not_over_when_its_period_is_billed(measure: str) -> None:
    text = f'{BASE}[fall]\ngive = "nothing"\n[seats]\nmeasure = "{measure}"\n'
    assert len(refusals('precision = "hour"\n' + text)) == 1


def test_a_shorter_first_period_can_be_on_the_first_full_period_s_invoice() -> None:
    text = 'currency = "EUR"\nintervals = ["month"]\n[plans.basic]\nprice = "10.00 per month"\n[period]\n'
    rows: list[Mapping[str, object]] = [{"at": "2026-04-16", "event": "start"}, person("2026-04-16", "anna")]
    for charge, days in (("arrears", ["01 Jun", "01 Jun", "01 Jul"]), ("advance", ["16 Apr", "16 Apr", "01 Jun"])):
        policy = policy_of(text + f'anchor = "calendar"\nstub = "next_invoice"\ncharge = "{charge}"\n')
        through = date(2026, 7, 1) if charge == "arrears" else date(2026, 6, 1)
        found = lines(rows, policy, through)
        assert [line[0] for line in found] == days
        assert [line[3:] for line in found] == [(15, 500), (31, 1_000), (30, 1_000)]


def test_a_role_can_be_free_on_one_plan_and_billed_on_another() -> None:
    policy = policy_of(
        BASE + '[plans.business]\nprice = "20.00 per month"\n[roles.editor]\n[roles.commenter]\n'
        '[[when]]\nplan = "business"\nseats.free = ["commenter"]\n'
    )
    rows: list[Mapping[str, object]] = [
        START,
        {**person("2026-01-01", "anna"), "role": "editor"},
        {**person("2026-01-01", "ben"), "role": "commenter"},
        {"at": "2026-01-31", "event": "plan", "plan": "business", "recorded_at": "2026-01-31"},
    ]
    found = lines(rows, policy, date(2026, 2, 1))
    assert [line[1:4] for line in found] == [("seats", 2, 31), ("seats", 2, 1), ("seats", 1, 28)]


def test_free_roles_that_are_none_or_leave_nobody_are_refused() -> None:
    assert refusals(BASE + '[roles.editor]\n[seats]\nfree = ["viewer"]\n') == (
        "test.toml, line 7: seats.free: viewer is not one of roles (editor)",
    )
    assert refusals(BASE + '[roles.editor]\n[seats]\nfree = ["editor"]\n') == (
        "test.toml, line 7: seats.free leaves nobody to be billed; leave a role out of it",
    )


def test_a_cancellation_in_a_stub_ends_with_the_stub_whichever_invoice_it_is_on() -> None:
    text = 'currency = "EUR"\nintervals = ["quarter"]\n[plans.basic]\nprice = "30.00 per month"\n[period]\n'
    rows: list[Mapping[str, object]] = [
        {"at": "2028-02-15", "event": "start"},
        person("2028-02-15", "anna"),
        {"at": "2028-03-10", "event": "cancel"},
    ]
    for stub in ("own_invoice", "next_invoice"):
        policy = policy_of(text + f'anchor = "calendar"\ncharge = "arrears"\nstub = "{stub}"\n')
        assert [line[3:] for line in lines(rows, policy, date(2028, 10, 1))] == [(46, 4_549)]  # 90.00 × 46/91


def test_what_is_included_is_taken_off_before_the_maximum_is_looked_at() -> None:
    policy = policy_of(BASE + "[seats]\nmaximum = 7\nincluded = 2\n")
    rows: list[Mapping[str, object]] = [START, *(person("2026-01-01", f"u{number}") for number in range(9))]
    assert lines(rows, policy, date(2026, 1, 1)) == [("01 Jan", "seats", 7, 31, 7_000)]


def test_the_parts_of_an_invoice_differ_by_interval_only() -> None:
    assert refusals(BASE + '[[when]]\nfrom = 2026-02-15\nperiod.measured = "month"\n') == (
        "test.toml, line 7: period.measured can differ by interval only; an invoice that has begun keeps its parts",
    )


def test_own_quarters_are_those_of_the_period_and_not_of_an_interval_before_it() -> None:
    policy = policy_of(BASE + '[rise]\nsettle = "own_quarter"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-02-20", "event": "interval", "interval": "year"},  # the year begins on 1 March
        {"at": "2026-03-10", "event": "activate", "user": "ben"},
    ]
    found = documents(rows, policy, date(2026, 12, 1))
    assert [f"{one.date}" for one in found] == ["2026-01-01", "2026-02-01", "2026-03-01", "2026-06-01"]


def test_a_true_up_by_the_accounts_own_quarters_comes_when_they_begin() -> None:
    policy = policy_of(
        BASE + '[seats]\ncount = "bought"\n[rise]\ntakes_effect = "next_quarter"\nsettle = "own_quarter"\n'
    )
    rows: list[Mapping[str, object]] = [
        {"at": "2026-02-15", "event": "start", "quantity": 2, "interval": "year"},
        {"at": "2026-03-20", "event": "seats", "quantity": 3},
    ]
    # a seat from 15 May on: 276 of 365 days of 120.00
    assert lines(rows, policy, date(2026, 12, 1))[1:] == [("15 May", "seats", 1, 276, 9_074)]
