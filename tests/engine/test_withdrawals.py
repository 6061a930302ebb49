"""What was told and is taken back: bills until then knew it, and for those after it never happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.explain import explain
from prorata.engine.intake import IntakeError, read_history
from prorata.engine.policy.model import Policy
from tests.engine.stories import BASE, documents, policy_of, records, refused_rows, remembered
from tests.engine.worlds import histories, policies

START: Mapping[str, object] = {"at": "2026-04-01", "event": "start"}
ANNA: Mapping[str, object] = {"at": "2026-04-01", "event": "activate", "user": "anna"}
BEN: Mapping[str, object] = {"at": "2026-04-01", "event": "activate", "user": "ben"}
BOUGHT = BASE + '[seats]\ncount = "bought"\n'


def happens(at: str, event: str, withdrawn_at: str, **more: object) -> Mapping[str, object]:
    return {"at": at, "event": event, "withdrawn_at": withdrawn_at, **more}


def totals(text: str, *rows: Mapping[str, object], through: date = date(2026, 7, 1)) -> dict[str, int]:
    """The total of each document, by its day."""
    return {f"{one.date}": one.total_minor for one in documents([START, *rows], policy_of(text), through)}


def explained(text: str, *rows: Mapping[str, object], through: date = date(2026, 7, 1)) -> str:
    history = read_history([START, *rows], policy=policy_of(text))
    document = bill(history, through=through).documents[-1]
    return "\n".join(str(explain(line, document, history)) for line in document.lines)


def test_who_was_deactivated_by_mistake_is_charged_again() -> None:
    gone = happens("2026-04-16", "deactivate", "2026-05-10", user="ben")
    assert totals(BASE, ANNA, BEN, gone) == {
        "2026-04-01": 2000,
        "2026-05-01": 1000 - 500,  # ben from 16 to 30 April
        "2026-06-01": 2000 + 1000 + 500,  # and again, with May
        "2026-07-01": 2000,
    }


def test_what_is_taken_back_before_it_is_billed_is_on_no_document() -> None:
    joins = happens("2026-04-10", "activate", "2026-04-20", user="ben")
    assert set(totals(BASE, ANNA, joins).values()) == {1000}


def test_a_change_that_was_to_come_is_undone_and_those_beside_it_stay() -> None:
    bought = {**START, "quantity": 5}
    ahead = {"at": "2026-06-01", "event": "seats", "recorded_at": "2026-04-10", "quantity": 3}
    further = {"at": "2026-07-01", "event": "seats", "recorded_at": "2026-04-11", "quantity": 8}
    rows = [bought, {**ahead, "withdrawn_at": "2026-05-20"}, further]
    found = documents(rows, policy_of(BOUGHT), date(2026, 7, 1))
    assert [one.total_minor for one in found] == [5000, 5000, 5000, 8000]


def test_a_cancellation_is_taken_back_before_and_after_what_it_gave_is_credited() -> None:
    policy = BASE + '[cancel]\nends = "day"\n'
    assert set(totals(policy, ANNA, happens("2026-04-16", "cancel", "2026-04-20")).values()) == {1000}
    assert totals(policy, ANNA, happens("2026-04-16", "cancel", "2026-06-10")) == {
        "2026-04-01": 1000,
        "2026-05-01": -467,  # from 17 April on, 14 of 30 days
        "2026-07-01": 467 + 3 * 1000,  # these, May, June, July
    }


def test_a_period_keeps_the_interval_that_was_known_before_it_began() -> None:
    yearly = {"at": "2026-05-01", "event": "interval", "recorded_at": "2026-04-20", "interval": "year"}
    assert totals(BASE, ANNA, yearly) == {"2026-04-01": 1000, "2026-05-01": 12000}
    late = {**yearly, "withdrawn_at": "2026-06-10"}
    assert totals(BASE, ANNA, late) == {"2026-04-01": 1000, "2026-05-01": 12000}
    in_time = {**yearly, "withdrawn_at": "2026-04-30"}
    assert set(totals(BASE, ANNA, in_time).values()) == {1000}


def test_a_trial_keeps_the_end_that_it_had_when_it_was_told() -> None:
    policy = BASE + '[trial]\ndays = 14\n[[when]]\ninterval = "year"\n[when.trial]\ndays = 30\n'
    yearly = {"at": "2026-03-01", "event": "interval", "interval": "year", "withdrawn_at": "2026-05-20"}
    trial = {"at": "2026-04-01", "event": "trial"}
    known = read_history([yearly, trial, ANNA], policy=policy_of(policy))
    at_once = bill(known, through=date(2027, 7, 1))
    assert [one.date for one in at_once.documents] == [
        date(2026, 5, 1),
        date(2027, 5, 1),
        date(2027, 6, 1),
        date(2027, 7, 1),
    ]
    first = bill(known, through=date(2026, 5, 10))
    assert first.followed_by(bill(known, through=date(2027, 7, 1), issued=remembered(first))) == at_once


def test_a_line_says_what_was_withdrawn() -> None:
    gone = happens("2026-04-16", "deactivate", "2026-05-10", user="ben")
    said = explained(BASE, ANNA, BEN, gone, through=date(2026, 6, 1))
    assert "withdrawn on 10 May 2026: ben was deactivated on 16 April 2026" in said
    cancelled = happens("2026-04-16", "cancel", "2026-06-10", reason="moving")
    said = explained(BASE + '[cancel]\nends = "day"\n', ANNA, cancelled, {"at": "2026-05-16", "event": "cancel"})
    assert "what is withdrawn is billed as if it had never been told" in said
    assert "withdrawn on 10 June 2026: the agreement was cancelled on 16 April 2026 (moving)" in said
    plans = BASE + '[plans.pro]\nprice = "30.00 per month"\n'
    upgrade = happens("2026-04-16", "plan", "2026-05-10", plan="pro")
    said = explained(plans, ANNA, upgrade)
    assert "withdrawn" not in said  # July is billed as ever
    said = explained(plans, ANNA, upgrade, through=date(2026, 6, 1))
    assert said.count("withdrawn on 10 May 2026: plan changed to pro on 16 April 2026") == 2, said


def test_the_beginning_and_what_was_not_told_yet_cannot_be_taken_back() -> None:
    policy = policy_of(BASE)
    assert refused_rows([{"at": "2026-04-01", "event": "start", "withdrawn_at": "2026-05-01"}], policy) == (
        "line 2, column withdrawn_at: what an agreement begins with stays; cancel it instead of its start",
    )
    rows = [{"at": "2026-04-01", "event": "activate", "user": "anna", "withdrawn_at": "2026-04-01"}]
    assert refused_rows(rows, policy) == (
        "line 2, column withdrawn_at: '2026-04-01' is not after 2026-04-01, when it was recorded",
    )


@given(st.data(), policies())
def test_what_is_taken_back_on_the_day_it_was_told_was_never_told(data: st.DataObject, policy: Policy) -> None:
    rows = [
        {name: value for name, value in row.items() if name != "withdrawn_at"}
        for row in data.draw(histories(policy.intervals))
    ]
    place = data.draw(st.integers(1, max(1, len(rows) - 1)))
    assume(len(rows) > place and rows[place]["event"] not in ("start", "trial"))
    # What a period begins with is asked as it begins, and what begins a new one when it is told, not when the day ends.
    assume(not policy.restarts)
    assume(rows[place]["event"] != "interval" and not (policy.by_plan and "plan" in rows[place]))
    assume(not (policy.by_payment_method and rows[place]["event"] == "payment_method"))
    told = rows[place].get("recorded_at", rows[place]["at"])
    back = {**rows[place], "withdrawn_at": f"{told}T12:00:00Z"}
    without = [*rows[:place], *rows[place + 1 :]]
    taken_back = [*rows[:place], back, *rows[place + 1 :]]
    try:
        read_history(without, policy=policy)
    except IntakeError:
        assume(False)
    through = rows[-1]["at"] + timedelta(days=500)
    assert records(taken_back, policy, through) == records(without, policy, through)
