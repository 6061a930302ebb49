"""When changes take effect: on their day, with the month around them, or with the next one."""

from __future__ import annotations

from datetime import date

import pytest

from tests.engine.stories import BASE, documents, policy_of


def person(at: str, user: str, event: str = "activate") -> dict[str, object]:
    return {"at": at, "event": event, "user": user}


START: dict[str, object] = {"at": "2026-01-01", "event": "start"}
# Two from the start; chris from 11 February; ben leaves on 11 March.
ROWS = [
    START,
    person("2026-01-01", "anna"),
    person("2026-01-01", "ben"),
    person("2026-02-11", "chris"),
    person("2026-03-11", "ben", "deactivate"),
]


def stretches(rules: str, interval: str = "quarter") -> list[tuple[str, int, str]]:
    """The seats billed in arrears for the first quarter: from when, how many, until when."""
    text = BASE.replace('["month", "year"]', '["month", "quarter", "year"]')
    policy = policy_of(text + f'[period]\ncharge = "arrears"\n{rules}\n')
    found = documents(ROWS, policy, date(2026, 4, 1), interval=interval)
    return [
        (f"{line.start:%d %b}", line.quantity, f"{line.end:%d %b}") for document in found for line in document.lines
    ]


@pytest.mark.parametrize(
    ("rise", "fall", "expected"),
    [
        ("day", "day", [("01 Jan", 2, "11 Feb"), ("11 Feb", 3, "11 Mar"), ("11 Mar", 2, "01 Apr")]),
        ("month", "day", [("01 Jan", 2, "01 Feb"), ("01 Feb", 3, "11 Mar"), ("11 Mar", 2, "01 Apr")]),
        ("next_month", "day", [("01 Jan", 2, "01 Mar"), ("01 Mar", 3, "11 Mar"), ("11 Mar", 2, "01 Apr")]),
        ("day", "month", [("01 Jan", 2, "11 Feb"), ("11 Feb", 3, "01 Mar"), ("01 Mar", 2, "01 Apr")]),
        ("day", "next_month", [("01 Jan", 2, "11 Feb"), ("11 Feb", 3, "01 Apr")]),
        ("quarter", "day", [("01 Jan", 3, "11 Mar"), ("11 Mar", 2, "01 Apr")]),
        ("period", "next_period", [("01 Jan", 3, "01 Apr")]),
        ("next_period", "day", [("01 Jan", 2, "01 Apr")]),
        ("month", "month", [("01 Jan", 2, "01 Feb"), ("01 Feb", 3, "01 Mar"), ("01 Mar", 2, "01 Apr")]),
    ],
)
def test_a_rise_and_a_fall_take_effect_each_in_its_own_way(
    rise: str, fall: str, expected: list[tuple[str, int, str]]
) -> None:
    assert stretches(f'[rise]\ntakes_effect = "{rise}"\n[fall]\ntakes_effect = "{fall}"') == expected


def test_where_nothing_is_given_for_a_fall_it_takes_effect_with_the_next_period() -> None:
    assert stretches('[fall]\ngive = "nothing"') == stretches('[fall]\ntakes_effect = "next_period"')


def test_until_a_fall_takes_effect_its_seat_can_be_used_again() -> None:
    policy = policy_of(BASE + '[fall]\ntakes_effect = "next_month"\n')
    again = person("2026-03-20", "dora")
    rows = [*ROWS, again, person("2026-04-15", "dora", "deactivate")]
    *_, march, april, may = documents(rows, policy, date(2026, 5, 1), interval="month")
    assert [(line.kind, line.quantity) for line in march.lines] == [("rise", 1), ("period", 3)]
    assert [(line.kind, line.quantity) for line in april.lines] == [("period", 3)]
    assert [(line.kind, line.quantity) for line in may.lines] == [("period", 2)]


def test_who_joins_pays_the_month_whole_and_who_leaves_is_credited_by_days() -> None:
    policy = policy_of(BASE + '[rise]\ntakes_effect = "month"\n')
    _, _, march, april = documents(ROWS, policy, date(2026, 4, 1), interval="month")
    # Chris: all of February; ben: 21 of 31 days of March
    assert [(line.kind, line.amount_minor) for line in march.lines] == [("rise", 1000), ("period", 3000)]
    assert [(line.kind, line.amount_minor) for line in april.lines] == [("fall", -677), ("period", 2000)]
