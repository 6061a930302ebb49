"""What counts at the edges: the last day, the first day, several things on one day, orders not known yet."""

from __future__ import annotations

from datetime import date

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
    assert list(people.counted("zoe", "acceptance")) == [(10, False), (12, True), (15, True)]
    assert [list(people.seated(day, "acceptance")) for day in (9, 10, 11, 12, 15)] == [[], [], [], ["zoe"], ["zoe"]]


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
