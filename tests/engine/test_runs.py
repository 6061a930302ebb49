"""Runs as a service makes them: at some hour of a day, one after the other, from what a database remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import Moment, moment_of
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.policy.model import Policy
from prorata.engine.refusal import CannotBill
from tests.engine.stories import BASE, policy_of, remembered

ADVANCE = policy_of(BASE)
AT_ONCE = policy_of(BASE + '[rise]\nsettle = "now"\n')
MONTHLY = policy_of(BASE + '[rise]\nsettle = "month"\n')


def moment(text: str) -> Moment:
    return moment_of(datetime.fromisoformat(text), ZoneInfo("UTC"))


def history(*rows: tuple[str, str, str], policy: Policy = ADVANCE) -> Subscription:
    told = [{"at": at, "event": event, "user": user} for at, event, user in rows]
    return read_history([{"at": "2026-04-01", "event": "start"}, *told], policy=policy, interval="month")


def run(subscription: Subscription, at: str, issued: Billing | None = None) -> Billing:
    """The bill run of a moment, after what was issued, which comes back as a database remembers it."""
    known_until = moment(at)
    through = date.fromisoformat(at[:10])
    more = bill(subscription, through=through, known_until=known_until, issued=remembered(issued) if issued else None)
    return issued.followed_by(more) if issued else more


def lines(billing: Billing) -> list[tuple[str, str, int, int]]:
    return [
        (document.date.isoformat(), line.start.isoformat(), line.quantity, line.amount_minor)
        for document in billing.documents
        for line in document.lines
    ]


def test_what_is_recorded_after_the_run_of_a_day_is_on_the_next_bill_with_its_cause() -> None:
    subscription = history(("2026-04-01", "activate", "anna"), ("2026-05-01T15:00:00Z", "activate", "ben"))
    april = run(subscription, "2026-04-01T06:00:00+00:00")
    may = run(subscription, "2026-05-01T06:00:00+00:00", april)
    june = run(subscription, "2026-06-01T06:00:00+00:00", may)
    assert lines(june) == [
        ("2026-04-01", "2026-04-01", 1, 1000),
        ("2026-05-01", "2026-05-01", 1, 1000),
        ("2026-06-01", "2026-05-01", 1, 1000),
        ("2026-06-01", "2026-06-01", 2, 2000),
    ]
    late = june.documents[-1]
    assert explain(late.lines[0], late, subscription).causes == ("ben joined on 1 May 2026",)


def test_what_is_charged_at_once_is_charged_at_every_run_of_a_day() -> None:
    subscription = history(
        ("2026-04-01", "activate", "anna"),
        ("2026-04-16T09:00:00Z", "activate", "ben"),
        ("2026-04-16T15:00:00Z", "activate", "chris"),
        policy=AT_ONCE,
    )
    morning = run(subscription, "2026-04-16T10:00:00+00:00")
    assert lines(morning)[1:] == [("2026-04-16", "2026-04-16", 1, 500)]
    assert run(subscription, "2026-04-16T11:00:00+00:00", morning) == Billing(
        date(2026, 4, 16), moment("2026-04-16T11:00:00+00:00"), morning.documents, (), 0
    )
    evening = run(subscription, "2026-04-16T20:00:00+00:00", morning)
    assert lines(evening)[2:] == [("2026-04-16", "2026-04-16", 1, 500)]
    assert explain(evening.documents[2].lines[0], evening.documents[2], subscription).causes == (
        "chris joined on 16 April 2026",
    )
    assert lines(bill(subscription, through=date(2026, 4, 16)))[1:] == [("2026-04-16", "2026-04-16", 2, 1000)]


def test_what_is_new_after_a_period_s_own_bill_of_the_same_day_is_a_rise() -> None:
    rows = [
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
        {"at": "2026-04-01T15:00:00Z", "event": "add_on", "item": "sms", "price": "5.00"},
    ]
    subscription = read_history(rows, policy=AT_ONCE)
    morning = run(subscription, "2026-04-01T10:00:00+00:00")
    evening = run(subscription, "2026-04-01T20:00:00+00:00", morning)
    kinds = [[(line.item, line.kind) for line in document.lines] for document in evening.documents]
    assert kinds == [[("seats", "period")], [("sms", "rise")]]
    [whole] = bill(subscription, through=date(2026, 4, 1)).documents
    assert [(line.item, line.kind) for line in whole.lines] == [("seats", "period"), ("sms", "period")]


def test_a_start_told_after_a_trial_was_billed_moves_nothing_that_was_billed() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-01-01", "event": "trial", "until": "2026-01-15"},
        {"at": "2026-01-15", "event": "activate", "user": "anna"},
        {"at": "2026-01-15T15:00:00Z", "event": "start"},
    ]
    subscription = read_history(rows, policy=ADVANCE)
    morning = run(subscription, "2026-01-15T06:00:00+00:00")
    assert lines(morning) == [("2026-01-15", "2026-01-15", 1, 1000)]
    assert run(subscription, "2026-01-15T20:00:00+00:00", morning).documents == morning.documents
    assert lines(bill(subscription, through=date(2026, 1, 15))) == lines(morning)


def test_a_trial_told_after_its_days_were_billed_has_them_credited() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
        {"at": "2026-04-01", "event": "trial", "until": "2026-04-10", "recorded_at": "2026-04-05"},
    ]
    subscription = read_history(rows, policy=ADVANCE)
    april = run(subscription, "2026-04-01T06:00:00+00:00")
    # Nine days of April's thirty, and May
    may = run(subscription, "2026-05-01T06:00:00+00:00", april)
    assert lines(may)[1:] == [("2026-05-01", "2026-04-01", -1, -300), ("2026-05-01", "2026-05-01", 1, 1000)]
    said = explain(may.documents[1].lines[0], may.documents[1], subscription)
    assert said.causes == ("the trial began on 1 April 2026 (recorded on 5 April 2026)",)


def test_a_start_that_is_moved_after_its_first_period_credits_all_of_it_whenever_it_is_run() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-03-10", "event": "trial", "until": "2026-03-20"},
        {"at": "2026-03-10", "event": "activate", "user": "anna"},
        {"at": "2026-04-01", "event": "start", "recorded_at": "2026-04-02"},
    ]
    policy = policy_of(BASE + '[period]\nanchor = "calendar"\n')
    subscription = read_history(rows, policy=policy)
    whole = bill(subscription, through=date(2026, 6, 1))
    assert lines(whole)[1:3] == [("2026-04-01", "2026-04-01", 1, 1000), ("2026-05-01", "2026-03-20", -1, -387)]
    for day in range(1, 31):
        first = bill(subscription, through=date(2026, 4, day))
        assert first.followed_by(bill(subscription, through=date(2026, 6, 1), issued=remembered(first))) == whole


def test_an_interval_asked_for_after_the_start_was_told_is_the_next_period_s_whoever_ran_between() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01T09:00:00Z", "event": "start"},
        {"at": "2026-04-01T15:00:00Z", "event": "interval", "interval": "year"},
        {"at": "2026-04-10", "event": "activate", "user": "anna"},
    ]
    subscription = read_history(rows, policy=ADVANCE)
    first = run(subscription, "2026-04-01T10:00:00+00:00")
    assert first.documents == ()
    may = run(subscription, "2026-05-01T10:00:00+00:00", first)
    june = run(subscription, "2026-06-01T10:00:00+00:00", may)
    expected = [("2026-05-01", "2026-04-10", 1, 700), ("2026-05-01", "2026-05-01", 1, 12_000)]
    assert lines(june) == lines(may) == lines(bill(subscription, through=date(2026, 6, 1))) == expected


def test_a_settlement_day_that_was_looked_at_is_over() -> None:
    subscription = read_history(
        [
            {"at": "2026-04-15", "event": "start", "interval": "year"},
            {"at": "2026-04-15", "event": "activate", "user": "anna"},
            {"at": "2026-05-01T15:00:00Z", "event": "activate", "user": "ben"},
        ],
        policy=MONTHLY,
    )
    april = run(subscription, "2026-04-15T06:00:00+00:00")
    may = run(subscription, "2026-05-01T06:00:00+00:00", april)
    assert run(subscription, "2026-05-02T06:00:00+00:00", may).documents == april.documents
    june = run(subscription, "2026-06-01T06:00:00+00:00", may)
    assert [document.date for document in june.documents] == [date(2026, 4, 15), date(2026, 6, 1)]
    # A run that comes a day late finds what that day's end knew.
    late = run(subscription, "2026-05-02T06:00:00+00:00", april)
    assert [document.date for document in late.documents] == [date(2026, 4, 15), date(2026, 5, 1)]


def test_the_present_moment_and_a_later_day_tell_what_will_be_billed_if_nothing_changes() -> None:
    subscription = history(("2026-04-01", "activate", "anna"), ("2026-04-20", "activate", "ben"))
    preview = bill(subscription, through=date(2026, 5, 1), known_until=moment("2026-04-10T12:00:00+00:00"))
    assert lines(preview) == [("2026-04-01", "2026-04-01", 1, 1000), ("2026-05-01", "2026-05-01", 1, 1000)]
    assert {document.known_until for document in preview.documents} == {
        moment("2026-04-02T00:00:00+00:00"),
        moment("2026-04-10T12:00:00+00:00"),
    }


def test_before_the_start_was_recorded_there_is_nothing_to_bill() -> None:
    subscription = history(("2026-04-01", "activate", "anna"), policy=policy_of(BASE + "[seats]\nminimum = 2\n"))
    for known_until in ("2026-03-31T12:00:00+00:00", "2026-04-01T00:00:00+00:00"):  # what is recorded then is later
        assert bill(subscription, through=date(2026, 9, 1), known_until=moment(known_until)).documents == ()
    assert bill(subscription, through=date(2026, 4, 1), known_until=moment("2026-04-01T00:00:01+00:00")).documents


def test_an_interval_that_is_recorded_at_the_very_moment_of_the_run_is_known_to_the_next() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
        {"at": "2026-04-20T12:00:00Z", "event": "interval", "interval": "year"},
    ]
    subscription = read_history(rows, policy=ADVANCE, interval="month")
    preview = bill(subscription, through=date(2026, 5, 1), known_until=moment("2026-04-20T12:00:00+00:00"))
    assert [line.end for document in preview.documents for line in document.lines] == [
        date(2026, 5, 1),
        date(2026, 6, 1),
    ]
    year = bill(subscription, through=date(2026, 5, 1), known_until=moment("2026-04-20T12:00:01+00:00"))
    assert [line.end for document in year.documents for line in document.lines] == [date(2026, 5, 1), date(2027, 5, 1)]


def test_what_was_recorded_after_the_first_run_of_a_day_does_not_move_what_that_run_billed() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
        {"at": "2026-04-01T15:00:00Z", "event": "interval", "interval": "year"},
    ]
    subscription = read_history(rows, policy=ADVANCE, interval="month")
    april = run(subscription, "2026-04-01T06:00:00+00:00")
    middle = run(subscription, "2026-04-15T12:00:00+00:00", april)
    for before in (april, middle):
        may = run(subscription, "2026-05-01T06:00:00+00:00", before)
        assert [document.lines[0].end for document in may.documents] == [date(2026, 5, 1), date(2027, 5, 1)]


def test_a_credit_that_came_after_a_lapse_of_the_same_day_is_kept() -> None:
    policy = policy_of(BASE + '[fall]\nsettle = "now"\n[credits]\nlapse = "agreement_end"\n')
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
        {"at": "2026-04-01", "event": "activate", "user": "ben"},
        {"at": "2026-04-10", "event": "deactivate", "user": "ben"},
        {"at": "2026-04-12", "event": "cancel"},
        {"at": "2026-04-20", "event": "deactivate", "user": "anna", "recorded_at": "2026-05-01T09:00:00Z"},
    ]
    subscription = read_history(rows, policy=policy, interval="month")
    early = run(subscription, "2026-05-01T06:00:00+00:00")
    assert [lapse.amount_minor for lapse in early.lapses] == [700]  # 21 of 30 days, ben's
    late = run(subscription, "2026-05-01T10:00:00+00:00", early)
    assert (late.documents[-1].total_minor, late.credit_left_minor) == (-367, 367)  # 11 of 30 days, anna's
    assert run(subscription, "2026-06-02T10:00:00+00:00", late).documents == late.documents


def test_remembered_credits_that_do_not_add_up_are_refused() -> None:
    issued = bill(history(("2026-04-01", "activate", "anna")), through=date(2026, 4, 1))
    wrong = replace(issued, documents=(issued.documents[0]._replace(credit_used_minor=5),))
    with pytest.raises(CannotBill, match="what was issued on 2026-04-01 does not add up: credits of 5"):
        bill(history(("2026-04-01", "activate", "anna")), through=date(2026, 5, 1), issued=wrong)


def test_a_run_does_not_go_back_before_the_last() -> None:
    subscription = history(("2026-04-01", "activate", "anna"))
    issued = bill(subscription, through=date(2026, 5, 1))
    with pytest.raises(CannotBill, match="billed through 2026-05-01 already; 2026-04-01 lies before that"):
        bill(subscription, through=date(2026, 4, 1), issued=issued)


def test_a_document_is_computed_again_though_a_trial_was_told_afterwards() -> None:
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
    ]
    before = read_history(rows, policy=ADVANCE, interval="month")
    trial = {"at": "2026-03-25", "event": "trial", "until": "2026-04-10", "recorded_at": "2026-04-05"}
    after = read_history([trial, *rows], policy=ADVANCE, interval="month")
    at = "2026-04-01T06:00:00+00:00"
    assert lines(run(after, at)) == lines(run(before, at)) == [("2026-04-01", "2026-04-01", 1, 1000)]


def test_days_that_were_worth_nothing_are_remembered_as_they_were_billed() -> None:
    policy = policy_of(BASE + '[share]\nby = "months"\n')
    rows: list[dict[str, object]] = [
        {"at": "2026-01-01", "event": "start"},
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-01-01", "event": "activate", "user": "ben"},
        {"at": "2026-01-10", "event": "activate", "user": "dora", "recorded_at": "2026-02-01"},
        {"at": "2026-01-20", "event": "deactivate", "user": "dora", "recorded_at": "2026-02-01"},
        {"at": "2026-02-01", "event": "activate", "user": "erik"},
        {"at": "2026-01-20", "event": "activate", "user": "dora", "recorded_at": "2026-02-10"},
    ]
    subscription = read_history(rows, policy=policy, interval="month")
    first = bill(subscription, through=date(2026, 2, 5))
    second = bill(subscription, through=date(2026, 3, 1), issued=remembered(first))
    assert first.followed_by(second) == bill(subscription, through=date(2026, 3, 1))


def test_the_rules_of_a_billed_period_cannot_change_its_shares() -> None:
    rows = [("2026-04-01", "activate", "anna"), ("2026-05-12", "activate", "ben")]
    issued = bill(history(*rows), through=date(2026, 6, 1))
    by_year = policy_of(BASE + '[share]\nby = "days_of_365"\n')
    with pytest.raises(CannotBill, match="the period from 1 May 2026 was billed in shares that its rules do not have"):
        bill(history(*rows, policy=by_year), through=date(2026, 7, 1), issued=issued)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2026-03-29T00:00:00+01:00", 0),
        ("2026-03-29T01:59:59+01:00", 2),
        ("2026-03-29T03:00:00+02:00", 2),  # the clocks have just jumped over an hour
        ("2026-10-25T02:30:00+02:00", 2.5),
        ("2026-10-25T02:30:00+01:00", 3.5),  # the second half past two of that night
        ("2026-10-25T23:30:00+01:00", 24.5),
        ("2026-10-25T22:30:00+00:00", 24.5),
    ],
)
def test_moments_are_a_day_and_what_has_passed_of_it_whatever_the_clocks_show(text: str, hours: float) -> None:
    found = moment_of(datetime.fromisoformat(text), ZoneInfo("Europe/Oslo"))
    assert found // 10**11 == date.fromisoformat(text[:10]).toordinal()
    assert found % 10**11 == pytest.approx(hours * 3_600_000_000, abs=1_000_000)


def test_a_cancellation_that_names_a_later_day_than_one_before_it_gives_back_the_days_between() -> None:
    policy = policy_of(BASE + '[cancel]\nends = "day"\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-01-01", "event": "activate", "user": "anna"},
        {"at": "2026-01-10", "event": "cancel"},
        {"at": "2026-03-05", "event": "cancel", "until": "2026-06-01"},
    ]
    history = read_history(rows, policy=policy)
    whole = bill(history, through=date(2026, 7, 1))
    assert sum(one.total_minor for one in whole.documents) == 5000  # January to May
    for last in (date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 5), date(2026, 5, 2)):
        first = bill(history, through=last)
        assert first.followed_by(bill(history, through=date(2026, 7, 1), issued=remembered(first))) == whole


def test_a_credit_is_lost_so_many_months_after_it_was_given() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "bought"\n[fall]\nsettle = "now"\n[credits]\nlapse_months = 2\n')
    rows: list[Mapping[str, object]] = [
        {"at": "2026-04-01", "event": "start", "quantity": 3},
        {"at": "2026-04-16", "event": "seats", "quantity": 0},  # 3 × 10.00 × 15/30 = 15.00 on 16 April
        {"at": "2026-06-16", "event": "seats", "quantity": 1},
    ]
    history = read_history(rows, policy=policy)
    whole = bill(history, through=date(2026, 8, 1))
    assert [(lapse.date, lapse.amount_minor, lapse.reason) for lapse in whole.lapses] == [
        (date(2026, 7, 1), 1500, "age")
    ]
    assert [(one.date, one.credit_used_minor) for one in whole.documents][2:] == [
        (date(2026, 7, 1), 0), (date(2026, 8, 1), 0),
    ]  # fmt: skip
    first = bill(history, through=date(2026, 7, 1))
    assert first.followed_by(bill(history, through=date(2026, 8, 1), issued=remembered(first))) == whole
