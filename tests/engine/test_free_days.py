"""Days after joining on which nobody takes a seat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, documents, policy_of, refusals, remembered

FREE = BASE + "[seats]\nfree_days = 14\n"
START: Mapping[str, object] = {"at": "2026-04-01", "event": "start"}
ANNA: Mapping[str, object] = {"at": "2026-03-01", "event": "activate", "user": "anna"}


def happens(at: str, event: str, user: str = "ben", **more: object) -> Mapping[str, object]:
    return {"at": at, "event": event, "user": user, **more}


def totals(text: str, *rows: Mapping[str, object], through: date = date(2026, 6, 1)) -> dict[str, int]:
    """The total of each document, by its day."""
    return {f"{one.date}": one.total_minor for one in documents([START, ANNA, *rows], policy_of(text), through)}


def test_somebody_new_takes_a_seat_once_the_free_days_are_over() -> None:
    assert totals(FREE, happens("2026-04-05", "activate")) == {
        "2026-04-01": 1000,  # anna's days were over in March
        "2026-05-01": 400 + 2000,  # ben from 19 April on, 12 of 30 days
        "2026-06-01": 2000,
    }


def test_whoever_is_gone_by_then_costs_nothing() -> None:
    gone = totals(FREE, happens("2026-04-05", "activate"), happens("2026-04-19", "deactivate"))
    assert set(gone.values()) == {1000}


def test_what_is_charged_at_once_is_charged_when_they_are_over() -> None:
    found = totals(FREE + '[rise]\nsettle = "now"\n', happens("2026-04-05", "activate"))
    assert found == {"2026-04-01": 1000, "2026-04-19": 400, "2026-05-01": 2000, "2026-06-01": 2000}


def test_they_go_on_while_somebody_is_away_and_come_but_once() -> None:
    rows = [happens("2026-04-05", "activate"), happens("2026-04-08", "deactivate"), happens("2026-04-16", "activate")]
    assert totals(FREE, *rows)["2026-05-01"] == 400 + 2000  # from 19 April on
    again = [*rows[:2], happens("2026-05-11", "activate")]
    assert totals(FREE, *again)["2026-06-01"] == 677 + 2000  # from 11 May on, 21 of 31 days


def test_an_invitation_begins_them_where_it_takes_a_seat() -> None:
    rows = [happens("2026-04-01", "invite"), happens("2026-04-10", "accept")]
    assert totals(FREE, *rows)["2026-05-01"] == 233 + 2000  # 14 days from 10 April: from the 24th on, 7 of 30 days
    text = FREE + 'counts_from = "invitation"\n'
    assert totals(text, *rows)["2026-05-01"] == 533 + 2000  # 14 days from 1 April: from the 15th on, 16 of 30 days


def test_that_somebody_joined_sooner_ends_them_sooner_whenever_it_is_told() -> None:
    late = happens("2026-03-20", "activate", recorded_at="2026-05-10")
    found = totals(FREE, happens("2026-04-05", "activate"), late)
    # 14 days from 20 March: from 3 April on, of which 12 days were charged in May
    assert (found["2026-05-01"], found["2026-06-01"]) == (400 + 2000, 933 - 400 + 2000)


def test_two_runs_are_one() -> None:
    history = read_history([START, ANNA, happens("2026-04-05", "activate")], policy=policy_of(FREE))
    whole = bill(history, through=date(2026, 6, 1))
    for last in (date(2026, 4, 10), date(2026, 4, 19), date(2026, 5, 1)):
        first = bill(history, through=last)
        assert first.followed_by(bill(history, through=date(2026, 6, 1), issued=remembered(first))) == whole


def test_a_line_tells_whose_free_days_were_over() -> None:
    history = read_history([START, ANNA, happens("2026-04-05", "activate")], policy=policy_of(FREE))
    document = bill(history, through=date(2026, 5, 1)).documents[-1]
    assert str(explain(document.lines[0], document, history)).splitlines()[0] == (
        "1 seat basic added, 19–30 April 2026: the free days of ben, who joined on 5 April 2026, were over on 19 April "
        "2026"
    )


def test_they_are_told_with_the_policy() -> None:
    said = " ".join(sentence.text for part in tell(policy_of(FREE)) for sentence in part.sentences)
    assert "For 14 days from the day of joining a new user is free." in said
    assert "a user more counts from that day on" not in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            FREE + 'count = "bought"\n',
            'line 6: seats.free_days would have no effect; it needs seats.count = "active" or "larger"',
        ),
        (
            BASE + '[[when]]\ninterval = "year"\nseats.free_days = 14\n',
            "line 7: seats.free_days is the same in every when; people are new once: write it under [seats]",
        ),
    ],
)
def test_free_days_that_cannot_be_meant_are_refused(text: str, sentence: str) -> None:
    assert refusals(text) == (f"test.toml, {sentence}",)
