"""Credits that are granted without a document: used on the next invoices like any other, and withdrawn if need be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import midnight
from prorata.engine.intake import read_history
from tests.engine.stories import BASE, policy_of, refused_rows, remembered

START: Mapping[str, object] = {"at": "2026-04-01", "event": "start"}
ANNA: Mapping[str, object] = {"at": "2026-04-01", "event": "activate", "user": "anna"}  # 10.00 a month


def grant(at: str, amount: str, **more: object) -> Mapping[str, object]:
    return {"at": at, "event": "credit", "amount": amount, **more}


def billed(*rows: Mapping[str, object], text: str = BASE, through: date = date(2026, 7, 1)) -> Billing:
    return bill(read_history([START, ANNA, *rows], policy=policy_of(text)), through=through)


def used(billing: Billing) -> dict[str, tuple[int, int]]:
    """Of each document, by its day, the credit it uses and what is left then."""
    return {f"{one.date}": (one.credit_used_minor, one.credit_left_minor) for one in billing.documents}


def lost(billing: Billing) -> list[tuple[str, int, str]]:
    return [(f"{lapse.date}", lapse.amount_minor, lapse.reason) for lapse in billing.lapses]


def test_a_grant_pays_the_next_invoices_until_it_is_used_up() -> None:
    billing = billed(grant("2026-04-10", "15.00", reason="the outage of March"))
    assert used(billing) == {
        "2026-04-01": (0, 0),
        "2026-05-01": (1000, 500),
        "2026-06-01": (500, 0),
        "2026-07-01": (0, 0),
    }
    assert [(f"{one.date}", one.amount_minor, one.reason) for one in billing.grants] == [
        ("2026-04-10", 1500, "the outage of March")
    ]


def test_a_grant_told_late_is_used_from_then_on_and_one_ahead_from_its_day_on() -> None:
    late = grant("2026-04-10", "5.00", recorded_at="2026-05-20")
    ahead = grant("2026-06-15", "5.00", recorded_at="2026-04-02")
    assert [one[0] for one in used(billed(late, ahead)).values()] == [0, 0, 500, 500]


def test_what_is_left_of_a_grant_that_is_withdrawn_is_lost() -> None:
    in_time = billed(grant("2026-04-10", "15.00", withdrawn_at="2026-04-20"))
    assert (lost(in_time), set(used(in_time).values())) == ([("2026-04-20", 1500, "withdrawn")], {(0, 0)})
    late = billed(grant("2026-04-10", "15.00", withdrawn_at="2026-05-20"))
    assert lost(late) == [("2026-05-20", 500, "withdrawn")]
    assert [one[0] for one in used(late).values()] == [0, 1000, 0, 0]
    too_late = billed(grant("2026-04-10", "15.00", withdrawn_at="2026-06-20"))
    assert (lost(too_late), too_late.credit_left_minor) == ([], 0)


def test_a_grant_that_is_withdrawn_before_its_day_never_was() -> None:
    billing = billed(grant("2026-06-15", "15.00", recorded_at="2026-04-02", withdrawn_at="2026-05-02"))
    assert (billing.grants, billing.lapses, set(used(billing).values())) == ((), (), {(0, 0)})


def test_grants_grow_old_and_end_with_the_agreement_as_the_policy_says() -> None:
    aged = billed(grant("2026-04-10", "35.00"), text=BASE + "[credits]\nlapse_months = 2\n")
    assert lost(aged) == [("2026-07-01", 1500, "age")]
    cancel = {"at": "2026-05-10", "event": "cancel"}
    ended = billed(grant("2026-04-10", "35.00"), cancel, text=BASE + '[credits]\nlapse = "agreement_end"\n')
    assert [reason for _, _, reason in lost(ended)] == ["end"]


@pytest.mark.parametrize("day", ["2026-04-10", "2026-04-20", "2026-05-01", "2026-05-20", "2026-06-30"])
def test_a_run_that_goes_on_finds_the_credits_where_they_were(day: str) -> None:
    rows = [
        grant("2026-04-10", "15.00", withdrawn_at="2026-05-20"),
        grant("2026-05-01", "3.00"),
        grant("2026-06-15", "2.00", recorded_at="2026-05-21"),
    ]
    history = read_history([START, ANNA, *rows], policy=policy_of(BASE))
    at_once = bill(history, through=date(2026, 7, 1))
    first = bill(history, through=date.fromisoformat(day))
    rest = bill(history, through=date(2026, 7, 1), issued=remembered(first))
    assert first.followed_by(rest) == at_once


def test_within_a_day_a_run_knows_what_was_granted_and_withdrawn_before_it() -> None:
    row = grant("2026-04-10", "15.00", recorded_at="2026-05-01T08:00:00Z", withdrawn_at="2026-05-01T12:00:00Z")
    history = read_history([START, ANNA, row], policy=policy_of(BASE))
    morning = midnight(date(2026, 5, 1).toordinal()) + 10 * 3_600_000_000
    first = bill(history, through=date(2026, 5, 1), known_until=morning)
    assert used(first)["2026-05-01"] == (1000, 500)
    rest = bill(history, through=date(2026, 6, 1), issued=remembered(first))
    assert lost(rest) == [("2026-05-01", 500, "withdrawn")]
    assert used(rest) == {"2026-06-01": (0, 0)}


def test_a_credit_of_nothing_is_none() -> None:
    row = {"at": "2026-04-01", "event": "credit", "amount": "0.00"}
    assert refused_rows([row], policy_of(BASE)) == (
        "line 2, column amount: '0.00' is no credit; grant more than nothing",
    )
    row = {"at": "2026-04-01", "event": "credit", "price": "5.00"}
    assert "line 2, column amount: is empty; credit needs it" in refused_rows([row], policy_of(BASE))
