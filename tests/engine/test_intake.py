"""Intake: what rows mean, and the exact sentence about each row that means nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.bill import bill
from prorata.engine.calendar import day_of, midnight
from prorata.engine.document import Document
from prorata.engine.history import Event, Subscription
from prorata.engine.intake import COLUMNS, KINDS, Intake, IntakeError, Row, read_histories, read_history
from prorata.engine.policy.model import Policy
from prorata.policies import load_policy
from tests.engine.stories import BASE, policy_of, refused_rows

MAINTER, KONFIDENS, SLONEEK = load_policy("mainter"), load_policy("konfidens"), load_policy("sloneek")
WRITE = "write a date like 2026-04-01, or a moment with its zone like 2026-04-01T09:30:00Z"
ALL_KINDS = ", ".join(KINDS)
JOIN: Mapping[str, str] = {"at": "2026-01-01", "event": "activate", "user": "anna"}

# One row that is wrong under mainter, and the sentence about it.
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "an unknown column": (
        {**JOIN, "usr": "anna"},
        f"line 2: 'usr' is not a column; did you mean 'user'? allowed: {', '.join(COLUMNS)}",
    ),
    "an unknown event": (
        {**JOIN, "event": "activated"},
        f"line 2, column event: 'activated' is not an event; did you mean 'activate'? allowed: {ALL_KINDS}",
    ),
    "no event": (
        {"at": "2026-01-01", "user": "anna"},
        f"line 2, column event: '' is not an event; allowed: {ALL_KINDS}",
    ),
    "an unknown plan": (
        {"at": "2026-01-01", "event": "plan", "plan": "PRI"},
        "line 2, column plan: 'PRI' is not a plan of policy mainter; did you mean 'PRO'? allowed: BASIC, PRO",
    ),
    "an unknown role": (
        {**JOIN, "role": "member"},
        "line 2, column role: 'member' is not a role of policy mainter; allowed: paying, free; "
        "--map-role member=ROLE translates it into one of them",
    ),
    "an unknown interval": (
        {"at": "2026-01-01", "event": "interval", "interval": "quarterly"},
        "line 2, column interval: 'quarterly' is not an interval of policy mainter; allowed: month, year",
    ),
    "an add-on without a price": (
        {"at": "2026-01-01", "event": "add_on", "item": "sms"},
        "line 2, column item: 'sms' is not an add-on of policy mainter (it has: none), so the row needs a price",
    ),
    "no user": (
        {"at": "2026-01-01", "event": "activate"},
        "line 2, column user: is empty; activate needs it",
    ),
    "no quantity": (
        {"at": "2026-01-01", "event": "seats"},
        "line 2, column quantity: is empty; seats needs it",
    ),
    "a column that means nothing with the event": (
        {**JOIN, "quantity": "3"},
        "line 2, column quantity: '3' has no meaning with activate, which takes: "
        "reason, recorded_at, role, user, withdrawn_at",
    ),
    "no date": (
        {"event": "activate", "user": "anna"},
        f"line 2, column at: is empty; {WRITE}",
    ),
    "a day that is none": (
        {**JOIN, "at": "2026-02-30"},
        f"line 2, column at: '2026-02-30' is not a date; {WRITE}",
    ),
    "a day in another order": (
        {**JOIN, "at": "01.02.2026"},
        f"line 2, column at: '01.02.2026' is not a date; {WRITE}",
    ),
    "a moment without its zone": (
        {**JOIN, "at": "2026-02-01T10:00:00"},
        f"line 2, column at: '2026-02-01T10:00:00' has no time zone; {WRITE}",
    ),
    "a week for a day": (
        {**JOIN, "at": "2026-W15-3"},
        f"line 2, column at: '2026-W15-3' is not a date; {WRITE}",
    ),
    "a recorded day that is none": (
        {**JOIN, "recorded_at": "soon"},
        f"line 2, column recorded_at: 'soon' is not a date; {WRITE}",
    ),
    "half a seat": (
        {"at": "2026-01-01", "event": "seats", "quantity": "2.5"},
        "line 2, column quantity: '2.5' is not a number of seats or units; allowed: a whole number, 0 or more",
    ),
    "fewer than no seats": (
        {"at": "2026-01-01", "event": "seats", "quantity": "-1"},
        "line 2, column quantity: '-1' is not a number of seats or units; allowed: a whole number, 0 or more",
    ),
    "seats in other digits": (
        {"at": "2026-01-01", "event": "seats", "quantity": "٣"},
        "line 2, column quantity: '٣' is not a number of seats or units; allowed: a whole number, 0 or more",
    ),
    "too many decimals": (
        {"at": "2026-01-01", "event": "plan", "plan": "PRO", "price": "699.001"},
        "line 2, column price: '699.001' has 3 decimals; SEK has 2",
    ),
    "a price that is none": (
        {"at": "2026-01-01", "event": "plan", "plan": "PRO", "price": "free"},
        "line 2, column price: 'free' is not an amount; write digits with a point before the decimals, such as 699.00",
    ),
    "an end before the beginning": (
        {"at": "2026-01-10", "event": "trial_plan", "plan": "PRO", "until": "2026-01-10"},
        "line 2, column until: '2026-01-10' is not after 2026-01-10; it is the first day no longer included",
    ),
    "a trial of no length": (
        {"at": "2026-01-10", "event": "trial"},
        "line 2, column until: is empty, and policy mainter says nothing of trial.days; give the first day after it",
    ),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_a_row_that_means_nothing_is_refused_with_its_place_and_what_is_allowed(refused: str) -> None:
    row, sentence = REFUSED[refused]
    assert refused_rows([row], MAINTER) == (sentence,)


def test_a_row_without_an_account_is_refused_where_the_file_has_several() -> None:
    assert refused_rows([JOIN], MAINTER, account=None) == (
        "line 2, column account: is empty; every row names its account",
    )


def test_every_problem_of_every_row_is_told_at_once() -> None:
    rows = [{**JOIN, "role": "member", "price": "1"}, {**JOIN}, {**JOIN, "at": "x"}]
    assert refused_rows(rows, MAINTER) == (
        "line 2, column price: '1' has no meaning with activate, which takes: "
        "reason, recorded_at, role, user, withdrawn_at",
        "line 2, column role: 'member' is not a role of policy mainter; allowed: paying, free; "
        "--map-role member=ROLE translates it into one of them",
        f"line 4, column at: 'x' is not a date; {WRITE}",
    )


def test_of_very_many_problems_twenty_are_said_and_the_others_counted() -> None:
    with pytest.raises(IntakeError) as caught:
        read_history([{**JOIN, "at": f"x{number}"} for number in range(25)], policy=MAINTER)
    assert len(caught.value.sentences) == 25
    assert str(caught.value).splitlines()[-1] == "… and 5 more."
    assert len(str(caught.value).splitlines()) == 21


def test_a_problem_that_every_row_has_is_said_once() -> None:
    with pytest.raises(IntakeError) as caught:
        read_history([{**JOIN, "at": "x"}] * 25, policy=MAINTER)
    assert str(caught.value) == f"row 1, column at: 'x' is not a date; {WRITE} (and 24 more times)"


def test_someone_who_was_never_active_is_not_deactivated() -> None:
    rows = [JOIN, {"at": "2026-01-05", "event": "deactivate", "user": "ben"}]
    assert refused_rows(rows, MAINTER) == (
        "line 3, column user: 'ben' was never active before 5 January 2026",
    )  # fmt: skip


def test_someone_who_is_deactivated_before_joining_was_not_active_either() -> None:
    rows = [{**JOIN, "at": "2026-01-05"}, {"at": "2026-01-04", "event": "deactivate", "user": "anna"}]
    assert refused_rows(rows, MAINTER) == ("line 3, column user: 'anna' was never active before 4 January 2026",)


def test_someone_who_was_only_invited_was_never_active() -> None:
    rows = [JOIN, {"at": "2026-01-02", "event": "role", "user": "ben", "role": "free"}]
    assert refused_rows(rows, MAINTER) == ("line 3, column user: 'ben' was never a member before 2 January 2026",)


def test_an_invitation_can_be_withdrawn() -> None:
    history = read_history(
        [JOIN, {"at": "2026-01-02", "event": "invite", "user": "ben"},
         {"at": "2026-01-03", "event": "deactivate", "user": "ben"}], policy=KONFIDENS,
    )  # fmt: skip
    assert [event.kind for event in history.events] == ["start", "activate", "invite", "deactivate"]


def seats(day: str, quantity: str, event: str = "seats") -> dict[str, str]:
    return {"at": day, "event": event, "quantity": quantity}


def person(day: str, user: str, event: str = "activate") -> dict[str, str]:
    return {"at": day, "event": event, "user": user}


def test_seats_are_not_lowered_below_the_members_who_hold_them() -> None:
    rows = [seats("2026-01-01", "12", "start"), *(person("2026-01-02", f"user {one}") for one in range(8))]
    assert refused_rows([*rows, seats("2026-02-01", "7")], SLONEEK) == (
        "line 11, column quantity: 8 members hold seats; free some before reducing to 7",
    )
    lowered = read_history([*rows, seats("2026-02-01", "8")], policy=SLONEEK)
    assert lowered.events[-1].quantity == 8


def test_who_leaves_on_the_same_date_has_left_wherever_the_row_stands() -> None:
    rows = [seats("2026-01-01", "2", "start"), person("2026-01-02", "anna"), person("2026-01-02", "ben")]
    after = [seats("2026-02-01", "1"), person("2026-02-01", "ben", "deactivate")]
    assert read_history([*rows, *after], policy=SLONEEK).events[-1].kind == "deactivate"
    late = [seats("2026-02-01", "1"), person("2026-02-02", "ben", "deactivate")]
    assert refused_rows([*rows, *late], SLONEEK) == (
        "line 5, column quantity: 2 members hold seats; free some before reducing to 1",
    )


def test_where_the_policy_allows_it_seats_go_below_the_members() -> None:
    policy = policy_of(BASE + '[seats]\ncount = "bought"\n')
    rows = [seats("2026-01-01", "2", "start"), person("2026-01-02", "anna"), seats("2026-02-01", "0")]
    assert read_history(rows, policy=policy).events[-1].quantity == 0


def test_an_account_starts_once_and_its_trial_comes_first() -> None:
    start, trial = {"at": "2026-01-05", "event": "start"}, {"at": "2026-01-06", "event": "trial"}
    assert refused_rows([start, {**start, "at": "2026-03-01"}], SLONEEK) == (
        "line 3, column event: the account has a start on 5 January 2026 already",
    )
    assert refused_rows([start, trial], SLONEEK) == (
        "line 3, column at: the trial begins after the agreement started on 5 January 2026",
    )


def test_settings_are_checked_as_rows_are() -> None:
    assert refused_rows([JOIN], MAINTER, plan="GOLD") == (
        "--plan: 'GOLD' is not a plan of policy mainter; allowed: BASIC, PRO",
    )
    assert refused_rows([JOIN], MAINTER, interval="quarter") == (
        "--interval: 'quarter' is not an interval of policy mainter; allowed: month, year",
    )


def test_a_role_that_is_mapped_to_no_role_is_told_what_there_is() -> None:
    assert refused_rows([JOIN], MAINTER, roles={"member": "payed"}) == (
        "--map-role: 'payed' is not a role of policy mainter; allowed: paying, free",
    )


def test_an_interval_that_is_not_offered_is_refused_even_where_every_interval_has_rules_of_its_own() -> None:
    policy = policy_of(
        BASE + '[seats]\ncount = "bought"\n[[when]]\ninterval = "month"\nseats.minimum = 2\n'
        '[[when]]\ninterval = "year"\nseats.minimum = 3\n'
    )
    rows = [seats("2026-01-01", "2", "start"), person("2026-01-02", "anna"), seats("2026-02-01", "0")]
    assert refused_rows(rows, policy, interval="quarter") == (
        "--interval: 'quarter' is not an interval of policy test; allowed: month, year",
    )


# What rows mean


def told(rows: list[dict[str, str]], policy: Policy = MAINTER, **settings: Any) -> list[tuple[str, str, str]]:
    """Kind, user and day of each event, in the order in which they took effect."""
    events = read_history(rows, policy=policy, **settings).events
    return [(event.kind, event.user, date.fromordinal(event.day).isoformat()) for event in events]


def test_rows_are_put_in_order_and_those_of_one_moment_stay_as_they_stand() -> None:
    rows = [
        person("2026-03-01", "carl"),
        person("2026-01-01", "anna"),
        person("2026-01-01", "anna", "deactivate"),
        person("2026-01-01", "anna", "activate"),
    ]
    assert [(kind, user) for kind, user, _ in told(rows)] == [
        ("start", ""), ("activate", "anna"), ("deactivate", "anna"), ("activate", "anna"), ("activate", "carl"),
    ]  # fmt: skip


def test_a_date_is_the_beginning_of_that_day_where_the_vendor_is() -> None:
    # In Stockholm 2026-06-30T22:30Z is half past midnight of 1 July: after the date's own beginning.
    rows = [person("2026-06-30T22:30:00Z", "later"), person("2026-07-01", "earlier")]
    assert told(rows) == [
        ("start", "", "2026-07-01"), ("activate", "earlier", "2026-07-01"), ("activate", "later", "2026-07-01"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-31T22:59:59Z", "2026-01-31"),  # winter: an hour ahead of UTC
        ("2026-01-31T23:00:00Z", "2026-02-01"),
        ("2026-06-30T21:59:59Z", "2026-06-30"),  # summer: two hours
        ("2026-06-30T22:00:00Z", "2026-07-01"),
        ("2026-03-28T22:59:59Z", "2026-03-28"),  # the night before the clocks go forward
        ("2026-03-28T23:00:00Z", "2026-03-29"),
        ("2026-03-29T21:59:59Z", "2026-03-29"),  # the day of 23 hours ends at 22:00 UTC
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),  # the day of 25 hours ends at 23:00 UTC
        ("2026-10-25T23:00:00Z", "2026-10-26"),
        ("2026-07-01T00:30:00+09:00", "2026-06-30"),  # written in Tokyo
        ("2026-06-30T18:00:00-07:00", "2026-07-01"),  # written in California
    ],
)
def test_a_moment_falls_on_the_day_of_the_policy_s_zone(moment: str, day: str) -> None:
    assert told([person(moment, "anna")])[1] == ("activate", "anna", day)


def test_without_a_start_the_account_starts_with_its_first_event() -> None:
    assert told([person("2026-05-04", "anna"), person("2026-04-02", "ben")])[0] == ("start", "", "2026-04-02")


def test_with_the_start_option_it_starts_on_that_day_with_the_members_it_has_by_then() -> None:
    rows = [person("2026-01-04", "anna"), person("2026-02-02", "ben"), person("2026-04-02", "carl")]
    history = read_history(rows, policy=MAINTER, start=date(2026, 3, 1))
    assert told(rows, start=date(2026, 3, 1))[2] == ("start", "", "2026-03-01")
    documents = bill(history, through=date(2026, 3, 1)).documents
    # two members by 1 March: 2 × 299.00
    assert [(one.date, one.total_minor) for one in documents] == [(date(2026, 3, 1), 59_800)]


def test_the_start_option_leaves_accounts_that_tell_their_own_start_alone() -> None:
    rows = [{"at": "2026-02-01", "event": "start"}, person("2026-02-01", "anna")]
    assert told(rows, start=date(2026, 1, 1))[0] == ("start", "", "2026-02-01")


def test_the_start_option_comes_before_the_events_of_its_own_day() -> None:
    rows = [person("2026-03-01", "anna")]
    assert [kind for kind, _, _ in told(rows, start=date(2026, 3, 1))] == ["start", "activate"]


def event_of(row: Mapping[str, object], policy: Policy = MAINTER, **settings: Any) -> Event:
    kind = row["event"]
    return next(event for event in read_history([row], policy=policy, **settings).events if event.kind == kind)


def test_what_is_recorded_later_is_known_later_in_the_zone_s_day() -> None:
    event = event_of({**JOIN, "recorded_at": "2026-03-01T23:30:00Z"})
    assert date.fromordinal(day_of(event.recorded)) == date(2026, 3, 2)  # half past midnight in Stockholm
    assert date.fromordinal(event.day) == date(2026, 1, 1)
    assert event_of(JOIN).recorded == midnight(event_of(JOIN).day)


def test_trials_last_as_long_as_the_policy_says_unless_they_name_their_end() -> None:
    trial = event_of({"at": "2025-12-27", "event": "trial"}, SLONEEK)
    assert date.fromordinal(trial.until or 0) == date(2026, 1, 10)  # 27 December to 9 January are 14 days
    plan = event_of({"at": "2026-04-01", "event": "trial_plan", "plan": "PRO"})
    assert date.fromordinal(plan.until or 0) == date(2026, 5, 1)  # 30 days
    named = event_of({"at": "2026-04-01", "event": "trial_plan", "plan": "PRO", "until": "2026-04-08"})
    assert date.fromordinal(named.until or 0) == date(2026, 4, 8)


def test_roles_are_translated_and_the_others_kept() -> None:
    rows = [
        {**person("2026-01-01", "anna"), "role": "admin"},
        {**person("2026-01-01", "ben"), "role": "guest"},
        {**person("2026-01-01", "carl"), "role": "free"},
    ]
    history = read_history(rows, policy=MAINTER, roles={"admin": "paying", "guest": "free"})
    assert [event.role for event in history.events[1:]] == ["paying", "free", "free"]


def test_a_policy_without_roles_takes_any_and_without_a_role_the_first_holds() -> None:
    assert event_of({**JOIN, "role": "therapist"}, KONFIDENS).role == "therapist"
    [document] = bill(read_history([JOIN], policy=MAINTER), through=date(2026, 1, 1)).documents
    assert document.total_minor == 29_900  # paying is mainter's first role


def test_plans_are_found_in_any_case_and_intervals_by_several_words() -> None:
    assert event_of({"at": "2026-01-01", "event": "plan", "plan": "pro"}).plan == "PRO"
    for word in ("year", "yearly", "annual", "Annually", "YEARLY"):
        assert event_of({"at": "2026-01-01", "event": "interval", "interval": word}).interval == "year"
    assert read_history([JOIN], policy=MAINTER, plan="Pro").plan == "PRO"


def test_an_agreed_price_is_read_in_the_policy_s_currency() -> None:
    yen = policy_of(BASE.replace("EUR", "JPY").replace("10.00", "1000"))
    row = {"at": "2026-01-01", "event": "start", "price": "900"}
    assert event_of(row).price_minor == 90_000
    assert event_of(row, yen).price_minor == 900


def test_rows_may_hold_python_values() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    rows: list[Mapping[str, object]] = [
        {"at": date(2026, 1, 1), "event": "start", "quantity": 0, "price": Decimal("9.50"), "plan": None, "user": ""},
        {"at": datetime(2026, 1, 1, 9, tzinfo=stockholm), "event": "activate", "user": 7},
        {"at": datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(0))), "event": "activate", "user": "ben"},
        {"at": "2026-02-02", "event": "seats", "quantity": 3},
    ]
    start, anna, ben, bought = read_history(rows, policy=MAINTER).events
    assert (start.quantity, start.price_minor) == (0, 950)
    assert (anna.user, anna.day) == ("7", date(2026, 1, 1).toordinal())
    assert ben.day == date(2026, 2, 1).toordinal()  # half past midnight in Stockholm
    assert bought.quantity == 3


def test_one_history_is_of_one_account() -> None:
    with pytest.raises(IntakeError) as caught:
        read_history([{**JOIN, "account": "A"}, {**JOIN, "account": "B"}], policy=MAINTER)
    assert str(caught.value) == "the rows are of 2 accounts; give those of one"
    with pytest.raises(IntakeError) as caught:
        read_history([], policy=MAINTER)
    assert str(caught.value) == "the rows are of 0 accounts; give those of one"


def test_accounts_come_in_the_order_of_the_file_and_keep_their_people_apart() -> None:
    rows = [Row(f"line {at}", {**JOIN, "account": account}) for at, account in enumerate("BAB", 2)]
    one, two = read_histories(rows, Intake(policy=MAINTER))
    assert (one.account, two.account) == ("B", "A")
    assert (len(one.events), len(two.events)) == (3, 2)  # with each a start


# Nothing but IntakeError

CELLS = {
    "at": st.sampled_from(["2026-01-01", "2026-02-28", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00Z",
                           "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-W05-1", "20260101",
                           "2026-01-01T00:00", "2026-01-01 10:00:00.5+01:00"]),
    "recorded_at": st.sampled_from(["2026-01-01", "0001-01-01", "9999-12-31", ""]),
    "until": st.sampled_from(["2026-03-01", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00"]),
    "event": st.sampled_from(KINDS),
    "user": st.sampled_from(["anna", "ben", " "]),
    "role": st.sampled_from(["paying", "free", "x"]),
    "plan": st.sampled_from(["PRO", "BASIC", "basic", "professional"]),
    "quantity": st.sampled_from(["0", "3", "999999999", "١", "1e3", "²"]),
    "price": st.sampled_from(["1.00", "0", "999999999999999.99", "1.001", "²", "-1"]),
    "interval": st.sampled_from(["month", "year", "annual", "İ", "week"]),
    "item": st.sampled_from(["sms", "seats", "x"]),
    "account": st.sampled_from(["A", "B"]),
    "reason": st.text(max_size=3),
}  # fmt: skip
ROWS = st.fixed_dictionaries(
    {name: CELLS[name] for name in ("at", "event")},
    optional={name: cells for name, cells in CELLS.items() if name not in ("at", "event")},
)
RANDOM_ROWS = st.lists(
    st.one_of(
        ROWS,
        st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12)),
        st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3),
    ),
    max_size=6,
)


@given(RANDOM_ROWS, st.sampled_from(["konfidens", "mainter", "sloneek"]), st.booleans())
def test_any_rows_are_a_history_or_an_intake_error(rows: list[dict[str, str]], name: str, follow: bool) -> None:
    intake = Intake(policy=load_policy(name), account="A", seats_follow=follow)
    subscriptions: tuple[Subscription, ...] = ()
    sentences: tuple[str, ...] = ()
    try:
        subscriptions = read_histories([Row(f"line {at}", row) for at, row in enumerate(rows, 2)], intake)
    except IntakeError as error:
        sentences = error.sentences
    assert all(sentence.startswith(("line ", "the account")) for sentence in sentences)
    for subscription in subscriptions:
        assert [event.order for event in subscription.events] == list(range(len(subscription.events)))


@given(st.lists(ROWS, max_size=6))
def test_any_history_that_is_read_is_billed_or_refused_in_a_sentence(rows: list[dict[str, str]]) -> None:
    kept = [{**row, "account": "A", "plan": "PRO"} if "plan" in row else {**row, "account": "A"} for row in rows]
    documents: tuple[Document, ...] = ()
    said = ""
    try:
        documents = bill(read_history(kept, policy=MAINTER), through=date(2026, 6, 1)).documents
    except ValueError as error:
        said = str(error)
    assert "out of range" not in said, "a sentence of Python's, not of ours"
    assert all(document.date <= date(2026, 6, 1) for document in documents)
