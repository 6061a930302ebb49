"""What counts at the edges: the last day, the first day, several things on one day, orders not known yet."""

from __future__ import annotations

from datetime import date

import pytest

from prorata.engine.history import Event
from prorata.engine.population import People
from tests.engine.stories import BASE, documents, policy_of

START: dict[str, object] = {"at": "2026-04-01", "event": "start"}
DISTINCT = policy_of(
    BASE + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\nchange_day = "not_billed"\n[roles.lead]\n'
)
BOUGHT = policy_of(BASE + '[seats]\ncount = "bought"\nchange_day = "not_billed"\n')


def person(at: str, user: str, event: str = "activate", **more: str) -> dict[str, object]:
    return {"at": at, "event": event, "user": user, **more}


def test_who_joins_on_the_last_day_counts_the_day_after_and_so_not_in_that_period() -> None:
    rows: list[dict[str, object]] = [
        START,
        person("2026-04-01", "anna"),
        person("2026-04-29", "ben"),  # counts on the 30th
        person("2026-04-30", "carl"),  # counts on 1 May
        person("2026-05-01", "dora"),
    ]
    april, may = documents(rows, DISTINCT, date(2026, 6, 1))
    assert [(line.quantity, line.amount_minor) for line in april.lines] == [(2, 2_000)]
    assert [(line.quantity, line.amount_minor) for line in may.lines] == [(4, 4_000)]


def test_who_was_told_something_while_away_and_comes_back_with_the_next_period_is_not_in_this_one() -> None:
    rows: list[dict[str, object]] = [
        START,
        person("2026-04-01", "anna"),
        person("2026-03-01", "ben"),
        person("2026-03-15", "ben", "deactivate"),
        person("2026-04-10", "ben", "role", role="lead"),
        person("2026-04-30", "ben"),  # counts on 1 May
    ]
    april, may = documents(rows, DISTINCT, date(2026, 6, 1))
    assert [line.quantity for line in april.lines] == [1]
    assert [line.quantity for line in may.lines] == [2]


def test_before_the_first_order_is_known_nothing_is_bought() -> None:
    rows: list[dict[str, object]] = [START, {"at": "2026-04-20", "event": "seats", "quantity": 3}]
    [may] = documents(rows, BOUGHT, date(2026, 5, 1))
    # 21–30 April: 3 × 10.00 × 10/30
    assert [(line.quantity, line.days, line.amount_minor) for line in may.lines] == [(3, 10, 1_000), (3, 31, 3_000)]


def test_an_order_on_the_first_day_counts_from_that_day_whatever_the_members_need() -> None:
    rows: list[dict[str, object]] = [{**START, "quantity": 5}, person("2026-04-01", "anna")]
    [april] = documents(rows, BOUGHT, date(2026, 4, 1), seats_follow=True)
    assert [(line.quantity, line.days) for line in april.lines] == [(5, 30)]


def test_an_order_on_the_last_day_counts_from_the_next_period_on() -> None:
    rows: list[dict[str, object]] = [
        START,
        person("2026-04-01", "anna"),
        {"at": "2026-04-30", "event": "seats", "quantity": 5},
    ]
    april, may = documents(rows, BOUGHT, date(2026, 5, 1), seats_follow=True)
    assert [(line.quantity, line.days) for line in april.lines] == [(1, 30)]
    assert [(line.quantity, line.days) for line in may.lines] == [(5, 31)]


def test_of_several_things_on_one_day_the_last_counts() -> None:
    people = People(DISTINCT)
    told = [("activate", 10), ("deactivate", 10), ("activate", 12), ("deactivate", 15), ("activate", 15)]
    people.learn(Event(kind, day, 0, order, user="zoe") for order, (kind, day) in enumerate(told))  # type: ignore[arg-type]
    assert list(people.counted("zoe", ("acceptance", True, ()))) == [(10, False), (12, True), (15, True)]
    assert [list(people.seated(day, ("acceptance", True, ()))) for day in (9, 10, 11, 12, 15)] == [
        [],
        [],
        [],
        ["zoe"],
        ["zoe"],
    ]


def test_seats_on_a_plan_that_costs_nothing_are_added_when_it_is_changed_to_one_that_does() -> None:
    policy = policy_of(BASE + '[plans.free]\nprice = "0.00 per month"\n')
    rows: list[dict[str, object]] = [
        {**START, "plan": "free"},
        person("2026-04-01", "anna"),
        {"at": "2026-04-16", "event": "plan", "plan": "basic"},
    ]
    [may] = documents(rows, policy, date(2026, 5, 1))
    added, _ = may.lines
    assert (added.kind, added.quantity, added.days, added.amount_minor) == ("rise", 1, 15, 500)
    assert (added.before, added.after) == (None, (1, added.price))


def test_inviting_a_member_who_is_there_changes_nothing_not_even_the_role() -> None:
    policy = policy_of(BASE + "[roles.paying]\n[roles.free]\nbilled = false\n")
    rows: list[dict[str, object]] = [
        START,
        person("2026-04-01", "anna"),
        person("2026-04-16", "anna", "invite", role="free"),
    ]
    _, may = documents(rows, policy, date(2026, 5, 1))
    assert [(line.kind, line.quantity) for line in may.lines] == [("period", 1)]


def test_a_plan_of_the_same_price_but_another_tax_takes_back_the_old_and_charges_the_new() -> None:
    policy = policy_of(BASE + 'tax_rate = "25"\n[plans.pro]\nprice = "10.00 per month"\ntax_rate = "10"\n')
    rows: list[dict[str, object]] = [
        START,
        person("2026-04-01", "anna"),
        {"at": "2026-04-16", "event": "plan", "plan": "pro"},
    ]
    _, may = documents(rows, policy, date(2026, 5, 1))
    assert [(line.kind, line.amount_minor, int(line.tax_rate)) for line in may.lines] == [
        ("fall", -500, 25),
        ("rise", 500, 10),
        ("period", 1_000, 10),
    ]
    assert [(int(tax.rate), tax.base_minor, tax.tax_minor) for tax in may.taxes] == [(25, -500, -125), (10, 1_500, 150)]


def counted(seats: str, *rows: dict[str, object]) -> list[tuple[int, int]]:
    """Quantity and days of the lines billed for April 2026."""
    policy = policy_of(BASE + f'[period]\ncharge = "arrears"\n[seats]\n{seats}\n')
    return [
        (line.quantity, line.days)
        for document in documents([START, *rows], policy, date(2026, 5, 1))
        for line in document.lines
        if line.period_start == date(2026, 4, 1)
    ]


# Anna all April; ben from the 11th to the 20th; carl from the 16th on, away on the 20th, back on the 25th.
APRIL = [
    person("2026-04-01", "anna"),
    person("2026-04-11", "ben"),
    person("2026-04-16", "carl"),
    person("2026-04-20", "carl", "deactivate"),
    person("2026-04-21", "ben", "deactivate"),
    person("2026-04-25", "carl"),
]


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        # 1 to the 10th, 2 on 11–15, 3 on 16–19, 2 on the 20th, 1 on 21–24, 2 on 25–30
        ('measure = "level"', [(1, 10), (2, 5), (3, 4), (2, 1), (1, 4), (2, 6)]),
        ('measure = "high_water"', [(1, 10), (2, 5), (3, 15)]),
        ('measure = "peak"', [(3, 30)]),
        # 10 + 10 + 12 + 2 + 4 + 12 = 50 seat-days, 50/30 = 1.67
        ('measure = "mean"', [(2, 30)]),
        ('measure = "held"', [(1, 10), (2, 5), (3, 15)]),
        ('measure = "distinct"', [(3, 30)]),
        # Ben is there on ten days, carl on 4 + 6 of them
        ('measure = "distinct"\nleast_days = 10', [(3, 30)]),
        ('measure = "distinct"\nleast_days = 11', [(1, 30)]),
        ('measure = "distinct"\nleast_days = 0', [(1, 30)]),
        ('measure = "snapshot"', [(1, 30)]),
        ('measure = "snapshot"\non_day = 16', [(3, 30)]),
        ('measure = "snapshot"\non_day = 0', [(2, 30)]),
        ('measure = "snapshot"\non_day = 31', [(2, 30)]),
        ('measure = "snapshot"\non_day = 16\nchange_day = "not_billed"', [(2, 30)]),
        ('measure = "peak"\nincluded = 2', [(1, 30)]),
        ('measure = "peak"\npackages = [5]', [(5, 30)]),
        ('measure = "peak"\nmaximum = 2', [(2, 30)]),
        ('measure = "peak"\npackages = [2]\nincluded = 1', [(3, 30)]),
    ],
)  # fmt: skip
def test_one_april_measured_in_every_way(seats: str, expected: list[tuple[int, int]]) -> None:
    assert counted(seats, *APRIL) == expected


@pytest.mark.parametrize(
    ("members", "billed"), [(0, 0), (1, 5), (5, 5), (6, 10), (20, 20), (21, 30), (30, 30), (31, 40), (50, 50)]
)
def test_packages_go_on_in_steps_as_large_as_the_last(members: int, billed: int) -> None:
    rows = [person("2026-04-01", f"u{number}") for number in range(members)]
    found = counted("packages = [5, 10, 15, 20, 30]", *rows)
    assert found == ([(billed, 30)] if billed else [])


def test_a_peak_that_is_not_known_yet_is_settled_with_the_next_invoice() -> None:
    policy = policy_of(BASE + '[seats]\nmeasure = "peak"\n')
    rows: list[dict[str, object]] = [START, *APRIL]
    april, may = documents(rows, policy, date(2026, 5, 1))
    assert [(line.quantity, line.days) for line in april.lines] == [(1, 30)]
    assert [(line.kind, line.quantity, line.days) for line in may.lines] == [("rise", 2, 30), ("period", 2, 31)]


def test_the_middle_of_a_month_sets_the_next_one_s_invoice() -> None:
    policy = policy_of(BASE + '[seats]\nmeasure = "snapshot"\non_day = 15\nof = "period_before"\n')
    rows: list[dict[str, object]] = [START, *APRIL]
    found = [
        [(line.kind, line.quantity) for line in document.lines]
        for document in documents(rows, policy, date(2026, 6, 1))
    ]
    # Anna on the first day; anna and ben on 15 April; anna and carl on 15 May
    assert found == [[("period", 1)], [("period", 2)], [("period", 2)]]


def test_an_order_is_a_floor_where_the_larger_number_counts() -> None:
    order = {"at": "2026-04-01", "event": "seats", "quantity": 2}
    more = {"at": "2026-04-26", "event": "seats", "quantity": 4}
    assert counted('count = "larger"\nmeasure = "snapshot"\non_day = 0', *APRIL, order, more) == [(2, 25), (4, 5)]
    assert counted('count = "larger"', *APRIL) == counted("", *APRIL)


def test_who_is_suspended_counts_or_does_not_as_the_policy_says() -> None:
    rows = [
        person("2026-04-01", "anna"),
        person("2026-04-11", "anna", "suspend"),
        person("2026-04-12", "anna", "invite"),  # changes nothing
        person("2026-04-21", "anna", "resume"),
        person("2026-04-22", "anna", "resume"),
    ]
    assert counted("", *rows) == [(1, 30)]
    assert counted('suspended = "free"', *rows) == [(1, 10), (1, 10)]


def test_an_activity_counts_for_as_long_as_the_policy_waits_and_a_later_one_goes_on_from_there() -> None:
    rows = [
        person("2026-04-03", "anna", "activity"),
        person("2026-04-06", "anna", "activity"),
        person("2026-04-20", "anna", "activity"),
        person("2026-04-04", "ben"),  # a member who never used it
    ]
    by_use = 'counts_from = "activity"\nidle_days = '
    assert counted(by_use + "1", *rows) == [(1, 1), (1, 1), (1, 1)]
    assert counted(by_use + "5", *rows) == [(1, 8), (1, 5)]  # 3 to 10 April, 20 to 24 April
    assert counted(by_use + '1\nmeasure = "distinct"', *rows) == [(1, 30)]


def test_a_member_billed_in_advance_is_credited_once_they_were_idle_too_long() -> None:
    policy = policy_of(BASE + '[seats]\ncounts_from = "activity"\nidle_days = 28\n')
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        person("2026-04-01", "anna", "activity"),
        person("2026-04-01", "ben", "activity"),
        person("2026-04-20", "ben", "activity"),
    ]
    april, may, june = documents(rows, policy, date(2026, 6, 1))
    assert [(line.kind, line.quantity, line.days) for line in april.lines] == [("period", 2, 30)]
    # Anna was last active on 1 April: idle from 29 April on, two days of thirty are credited.
    assert [(line.kind, line.quantity, line.days) for line in may.lines] == [("fall", -1, 2), ("period", 1, 31)]
    # Ben on 20 April: idle from 18 May on.
    assert [(line.kind, line.quantity, line.days) for line in june.lines] == [("fall", -1, 14)]


def test_an_activity_told_late_takes_back_that_somebody_was_idle() -> None:
    policy = policy_of(BASE + '[seats]\ncounts_from = "activity"\nidle_days = 10\n')
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        person("2026-04-01", "anna", "activity"),
        person("2026-04-05", "anna", "activity", recorded_at="2026-05-20"),
    ]
    may, june = documents(rows, policy, date(2026, 6, 1))[1:]
    assert [(line.kind, line.quantity, line.start) for line in may.lines] == [("fall", -1, date(2026, 4, 11))]
    # 1 to 14 April after all
    assert [(line.kind, line.quantity, line.days) for line in june.lines] == [("rise", 1, 4)]
