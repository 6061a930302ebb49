"""Time paid in advance as a stock: another number of seats moves the day on which it is used up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import add_months, midnight, to_date, to_day
from prorata.engine.document import Document
from prorata.engine.explain import explain
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import policy_of, refusals, remembered

Row = Mapping[str, object]
YEARS = """\
currency = "EUR"
intervals = ["year"]
[plans.basic]
price = "120.00 per year"
[seats]
count = "bought"
"""
MONTHS = YEARS.replace('"year"', '"month"').replace("120.00 per year", "10.00 per month")
EXTEND = '[change]\nmore_seats = "extend"\n'
USE_UP = '[change]\nmore_seats = "use_up"\n'
BY_MONTHS = '[share]\nby = "months"\n'
KEEPS = '[fall]\ngive = "nothing"\n'


def started(quantity: int, at: str) -> Row:
    return {"at": at, "event": "start", "quantity": quantity}


def ordered(quantity: int, at: str, **more: str) -> Row:
    return {"at": at, "event": "seats", "quantity": quantity, **more}


def billing(text: str, *rows: Row, through: date) -> Billing:
    return bill(read_history(rows, policy=policy_of(text)), through=through)


def paid(text: str, *rows: Row, through: date) -> list[tuple[str, str, int, int]]:
    """The first day and the end of each line, its seats and its amount."""
    found = billing(text, *rows, through=through)
    for document in found.documents:
        assert all(line.start == document.date for line in document.lines)
    return [
        (str(line.start), str(line.end), line.quantity, line.amount_minor)
        for document in found.documents
        for line in document.lines
    ]


def test_seats_more_put_what_is_left_and_what_they_pay_into_one_stock() -> None:
    # 5 × 31 days are left, and 2 × 365 are bought: 885 days are 126 for each of 7, and 3 are lost
    rows = (started(5, "2017-08-21"), ordered(7, "2018-07-21"))
    assert paid(YEARS + EXTEND, *rows, through=date(2018, 12, 1)) == [
        ("2017-08-21", "2018-08-21", 5, 60000), ("2018-07-21", "2018-11-24", 2, 24000),
        ("2018-11-24", "2019-11-24", 7, 84000),
    ]  # fmt: skip


def test_a_stock_of_months_is_used_up_in_months() -> None:
    # 100 × 2 months are left, and 100 × 12 are bought: 7 months for 200
    rows = (started(100, "2026-01-01"), ordered(200, "2026-11-01"))
    first, second, third = paid(YEARS + BY_MONTHS + EXTEND, *rows, through=date(2027, 6, 1))
    assert first == ("2026-01-01", "2027-01-01", 100, 1200000)
    assert second == ("2026-11-01", "2027-06-01", 100, 1200000)
    assert third == ("2027-06-01", "2028-06-01", 200, 2400000)


def test_of_a_started_month_a_stock_of_months_counts_the_days() -> None:
    # on 16 November a month and 16 of 31 days are left: (1 + 16/31 + 12) / 2 = 6 + 47/62 months; 16 May and 23 days
    rows = (started(1, "2026-01-01"), ordered(2, "2026-11-16"))
    assert paid(YEARS + BY_MONTHS + EXTEND, *rows, through=date(2027, 1, 1))[1] == (
        "2026-11-16",
        "2027-06-08",
        1,
        12000,
    )


def test_seats_more_can_use_up_what_is_paid_and_cost_nothing() -> None:
    # 184 days of 2 seats are 122 of 3
    rows = (started(2, "2026-01-01"), ordered(3, "2026-07-01"))
    assert paid(YEARS + USE_UP, *rows, through=date(2026, 12, 31)) == [
        ("2026-01-01", "2027-01-01", 2, 24000), ("2026-10-31", "2027-10-31", 3, 36000),
    ]  # fmt: skip


@pytest.mark.parametrize("way", [EXTEND, USE_UP])
def test_seats_fewer_make_it_last_longer(way: str) -> None:
    # 184 days of 3 seats are 276 of 2
    rows = (started(3, "2026-01-01"), ordered(2, "2026-07-01"))
    assert paid(YEARS + way, *rows, through=date(2027, 4, 3)) == [
        ("2026-01-01", "2027-01-01", 3, 36000), ("2027-04-03", "2028-04-03", 2, 24000),
    ]  # fmt: skip


def test_where_fewer_seats_give_nothing_they_count_from_the_next_period_and_can_be_taken_again() -> None:
    rows = (started(3, "2026-01-01"), ordered(2, "2026-07-01"), ordered(3, "2026-08-01"), ordered(2, "2026-09-01"))
    assert paid(YEARS + EXTEND + KEEPS, *rows, through=date(2027, 1, 1)) == [
        ("2026-01-01", "2027-01-01", 3, 36000), ("2027-01-01", "2028-01-01", 2, 24000),
    ]  # fmt: skip


def test_without_any_seat_the_time_runs_on() -> None:
    rows = (started(2, "2026-01-01"), ordered(0, "2026-03-01"), ordered(1, "2027-02-01"))
    assert paid(YEARS + EXTEND, *rows, through=date(2027, 3, 1)) == [
        ("2026-01-01", "2027-01-01", 2, 24000), ("2027-02-01", "2028-02-01", 1, 12000),
    ]  # fmt: skip


def test_what_is_told_late_counts_from_the_day_it_is_told() -> None:
    late = ordered(2, "2026-03-01", recorded_at="2026-07-02T10:00:00Z")
    # 183 days of one seat, and 365 of another: 548 days, 274 for two
    rows = (started(1, "2026-01-01"), late)
    assert paid(YEARS + EXTEND, *rows, through=date(2026, 12, 1)) == [
        ("2026-01-01", "2027-01-01", 1, 12000), ("2026-07-02", "2027-04-02", 1, 12000),
    ]  # fmt: skip


def test_what_is_taken_back_on_its_day_moves_nothing() -> None:
    rows = (started(31, "2026-01-31"), ordered(40, "2026-07-01"), ordered(31, "2026-07-01"))
    assert paid(YEARS + EXTEND, *rows, through=date(2027, 1, 31)) == [
        ("2026-01-31", "2027-01-31", 31, 372000), ("2027-01-31", "2028-01-31", 31, 372000),
    ]  # fmt: skip


def test_a_cancelled_agreement_ends_when_what_is_paid_is_used_up() -> None:
    rows = (started(1, "2026-01-01"), ordered(2, "2026-07-02"), {"at": "2026-08-01", "event": "cancel"})
    found = billing(YEARS + EXTEND, *rows, through=date(2027, 12, 1))
    assert (len(found.documents), found.ended) == (2, date(2027, 4, 2))  # 183 + 365 days are 274 for two


def test_what_is_bought_after_a_cancellation_is_paid_and_the_agreement_ends_when_all_is_used_up() -> None:
    rows = (started(1, "2026-01-01"), {"at": "2026-05-01", "event": "cancel"}, ordered(2, "2026-07-02"))
    found = billing(YEARS + EXTEND, *rows, through=date(2027, 12, 1))
    # 183 + 365 days are 274 for two
    assert [(one.total_minor, f"{one.lines[0].end}") for one in found.documents] == [
        (12000, "2027-01-01"), (12000, "2027-04-02"),
    ]  # fmt: skip
    assert found.ended == date(2027, 4, 2)


def test_a_cancellation_of_some_later_day_lets_seats_be_bought_until_then() -> None:
    cancel: Row = {"at": "2026-01-15", "event": "cancel", "until": "2028-01-01"}
    rows = (started(5, "2026-01-01"), cancel, ordered(50, "2026-02-01"))
    # 5 × 334 and 45 × 365 days are 361 for 50
    assert paid(YEARS + EXTEND, *rows, through=date(2026, 12, 1))[1] == ("2026-02-01", "2027-01-28", 45, 540000)


def test_many_seats_have_the_day_on_which_they_come() -> None:
    # a day of one seat is less than a day of nine
    rows = (started(1, "2026-01-01"), ordered(9, "2026-12-31"))
    assert paid(YEARS + USE_UP, *rows, through=date(2027, 1, 1))[-1] == ("2027-01-01", "2028-01-01", 9, 108000)


def test_all_that_was_bought_on_a_day_can_be_taken_back_on_it() -> None:
    day = date(2026, 7, 1)
    rows = [started(5, "2026-01-01"), ordered(7, f"{day}T09:00:00Z"), ordered(0, f"{day}T11:00:00Z")]
    history = read_history(rows, policy=policy_of(YEARS + EXTEND))
    noon = bill(history, through=day, known_until=midnight(to_day(day)) + 10 * HOUR)
    evening = bill(history, through=day, issued=remembered(noon))
    assert [one.total_minor for one in (*noon.documents, *evening.documents)] == [60000, 24000, -24000]
    # the time of the five runs on, and nobody is there when it is over
    later = bill(history, through=date(2027, 6, 1), issued=remembered(noon.followed_by(evening)))
    assert not later.documents


def test_what_comes_and_goes_on_a_day_leaves_the_days_of_the_renewals_as_they_are() -> None:
    rows = [started(2, "2026-01-31"), ordered(3, "2026-02-10T09:00:00Z"), ordered(2, "2026-02-10T11:00:00Z")]
    assert [start for start, _, _, _ in paid(MONTHS + EXTEND, *rows, through=date(2026, 4, 30))] == [
        "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30",
    ]  # fmt: skip


def test_what_is_paid_once_is_billed_in_the_stretch_of_its_day() -> None:
    text = YEARS + EXTEND + '[add_ons.setup]\nprice = "49.00 once"\ncharge = "once"\n'
    rows = (
        started(1, "2026-01-01"),
        ordered(2, "2026-07-02"),
        {"at": "2026-07-02", "event": "add_on", "item": "setup"},
    )
    _, second = billing(text, *rows, through=date(2026, 12, 1)).documents
    assert [(line.item, line.amount_minor) for line in second.lines] == [("seats", 12000), ("setup", 4900)]


def test_runs_at_hours_of_the_day_of_a_change_bill_what_one_does_at_its_end() -> None:
    day = date(2026, 7, 1)
    rows = [started(5, "2026-01-01"), *(ordered(seats, f"{day}T{hour}:00:00Z") for seats, hour in HOURS)]
    history = read_history(rows, policy=policy_of(YEARS + EXTEND))
    so_far = bill(history, through=day - timedelta(days=1))
    found: list[Document] = []
    for hour in (10, 12):
        more = bill(history, through=day, known_until=midnight(to_day(day)) + hour * HOUR, issued=remembered(so_far))
        found += more.documents
        so_far = so_far.followed_by(more)
    found += bill(history, through=date(2027, 3, 9), issued=remembered(so_far)).documents
    # 184 days of 5 seats are left; a year is 365 days: 1650 for 7, 1285 for 6, 2015 for 8
    assert [(str(one.date), one.total_minor, str(one.lines[0].end)) for one in found] == [
        ("2026-07-01", 24000, "2027-02-21"), ("2026-07-01", -12000, "2027-01-31"), ("2026-07-01", 24000, "2027-03-09"),
        ("2027-03-09", 96000, "2028-03-09"),
    ]  # fmt: skip


HOURS = ((7, "09"), (6, "11"), (8, "15"))
HOUR = 3_600_000_000  # of microseconds


def test_a_line_says_what_its_time_is_made_of() -> None:
    rows = (started(5, "2017-08-21"), ordered(7, "2018-07-21"), ordered(4, "2018-09-01"))
    history = read_history(rows, policy=policy_of(YEARS + EXTEND))
    _, more, renewed = bill(history, through=date(2019, 2, 1)).documents
    told = explain(more.lines[0], more, history)
    assert told.text == "2 seats basic added, 21 July – 23 November 2018"
    assert told.rules == (
        "5 seats with 31 days left and 2 seats of 365 days last 7 seats 126 days, and the rest of a day is lost "
        "(change.more_seats)",
    )
    assert explain(renewed.lines[0], renewed, history).rules == (
        "what was paid for before lasted up to this day (change.more_seats)",
    )


def test_a_line_counts_months_where_the_stock_does() -> None:
    rows = (started(1, "2026-01-01"), ordered(2, "2026-11-16"))
    history = read_history(rows, policy=policy_of(YEARS + BY_MONTHS + EXTEND))
    *_, more = bill(history, through=date(2027, 1, 1)).documents
    assert explain(more.lines[0], more, history).rules == (
        "1 seat with 1 16/31 months left and 1 seat of 12 months last 2 seats 6 23/31 months, and the rest of a day "
        "is lost (change.more_seats)",
    )


def test_a_policy_tells_what_moves_the_end() -> None:
    said = {
        way: [(one.text, one.example) for part in tell(policy_of(YEARS + way)) for one in part.sentences]
        for way in (EXTEND, USE_UP)
    }
    # 3 seats with 325 days left and one of 365 last 4 of them 335 days
    assert (
        "A seat more is charged at once for a whole year. That is added to what is left, and the year ends when all "
        "seats together have used up what is paid for.",
        "One seat more on 10 February 2026: 1 × 120.00 × 1 = 120.00, on 10 February 2026; paid up to 10 January 2027",
    ) in said[EXTEND]
    # 3 × 325 days are 243 for 4
    assert (
        "A seat more costs nothing; the year ends when all seats together have used up what is paid for, sooner than "
        "it would have.",
        "One seat more on 10 February 2026: 4 × 120.00 × 1 = 480.00, on 11 October 2026",
    ) in said[USE_UP]
    # 3 × 325 days are 487 for 2
    assert (
        "A seat fewer gives nothing back; what is left of the year lasts longer.",
        "One seat fewer on 10 February 2026: 2 × 120.00 × 1 = 240.00, on 12 June 2027",
    ) in said[EXTEND]


MOVES = 'change.more_seats = "extend" moves the end of what is paid; it needs '
BROKEN = {
    '[[when]]\nfrom = 2027-01-01\nchange.more_seats = "difference"\n':
        'change.more_seats = "extend" has to hold in every when, or what is left would be lost',
    '[period]\ncharge = "arrears"\n': MOVES + 'period.charge = "advance", not "arrears"',
    '[period]\nanchor = "calendar"\n': MOVES + 'period.anchor = "start", not "calendar"',
    '[period]\nterm_months = 24\n': MOVES + "no period.term_months, not 24",
    '[share]\nby = "period"\n': MOVES + 'share.by = "days_of_period" or "months", not "period"',
    '[rise]\ntakes_effect = "month"\n': MOVES + 'rise.takes_effect = "day", not "month"',
    '[fall]\ngive = "refund"\n': MOVES + 'fall.give = "credit" or "nothing", not "refund"',
    '[cancel]\nends = "day"\n': MOVES + 'cancel.ends = "period", not "day"',
    '[rounding]\nstage = "day"\n': MOVES + 'rounding.stage = "running" or "line" or "seat", not "day"',
    '[rise]\nsettle = "now"\n': 'rise.settle would have no effect with change.more_seats = "extend"; leave it out',
    '[plans.pro]\nprice = "240.00 per year"\n':
        'change.more_seats = "extend" needs a single plan: what is left of one is no time of another',
    '[add_ons.sms]\nprice = "9.00 per year"\n':
        'add_ons.sms recurs, and with change.more_seats = "extend" no period is sure of its end; use charge = "once"',
}  # fmt: skip


@pytest.mark.parametrize("rules", BROKEN)
def test_what_has_no_meaning_beside_a_stock_is_refused(rules: str) -> None:
    assert BROKEN[rules] in [one.partition(": ")[2] for one in refusals(YEARS + EXTEND + rules)]


def test_a_stock_of_two_intervals_is_refused() -> None:
    sentences = refusals(YEARS.replace('["year"]', '["year", "month"]') + EXTEND)
    assert [one.partition(": ")[2] for one in sentences] == [
        'change.more_seats = "extend" needs a single interval: what is left of one is no time of another'
    ]


def test_who_bought_is_named_where_the_day_of_a_change_is_not_billed() -> None:
    history = read_history(
        [started(5, "2026-01-01"), ordered(7, "2026-03-15")],
        policy=policy_of(YEARS + 'change_day = "not_billed"\n' + EXTEND),
    )
    *_, more = bill(history, through=date(2026, 12, 1)).documents
    assert (more.date, explain(more.lines[0], more, history).causes) == (
        date(2026, 3, 16), ("seats set to 7 on 15 March 2026",),
    )  # fmt: skip


def test_a_stock_of_seats_that_come_and_go_by_themselves_is_refused() -> None:
    sentences = refusals(YEARS.replace('count = "bought"', 'count = "active"') + EXTEND)
    assert [one.partition(": ")[2] for one in sentences] == [MOVES + 'seats.count = "bought", not "active"']


@st.composite
def stories(draw: st.DrawFn) -> Subscription:
    """Orders, told on their day or later, under any way in which seats move the end."""
    text = draw(st.sampled_from([YEARS, MONTHS])) + draw(st.sampled_from([EXTEND, USE_UP]))
    text += draw(st.sampled_from(["", KEEPS])) + draw(st.sampled_from(["", BY_MONTHS]))
    start = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 60)))
    rows: list[Row] = [started(draw(st.integers(0, 9)), str(start))]
    for _ in range(draw(st.integers(0, 6))):
        day = start + timedelta(days=draw(st.integers(0, 500)))
        told = day + timedelta(days=draw(st.sampled_from([0, 0, 0, 1, 40])))
        rows.append(ordered(draw(st.integers(0, 9)), str(day), recorded_at=f"{told}T12:00:00Z"))
    return read_history(rows, policy=policy_of(text))


def orders_by(subscription: Subscription, day: int) -> int:
    """The seats ordered at the end of a day, by what was recorded by then."""
    found = [one for one in subscription.events if one.day <= day and one.recorded < midnight(day + 1)]
    return [one.quantity for one in found if one.quantity is not None][-1]


def bought(subscription: Subscription, through: int) -> Iterator[tuple[date, int]]:
    """Day by day: who renews, who buys more, and when what is paid is used up."""
    rules = next(iter(subscription.policy.variants.values()))
    unit = 12 if subscription.interval == "year" else 1
    anchor = end = subscription.events[0].day
    seats = count = 0
    for day in range(anchor, through + 1):
        asked = orders_by(subscription, day)
        if day == end:
            seats, count = asked, count + unit
            end = add_months(anchor, count)
            if seats:
                yield to_date(day), seats
            continue
        if rules.fall.give == "nothing":
            asked = max(asked, seats)
        if asked in (0, seats):
            continue
        whole = add_months(day, unit)
        more = asked - seats if asked > seats and (rules.change.more_seats == "extend" or not seats) else 0
        if more:
            yield to_date(day), more
        end = lasting(day, asked, [(seats, end), (more, whole)], by_months=rules.share.by == "months")
        anchor, count, seats = (end, 0, asked) if seats else (day, unit, asked)


def lasting(day: int, seats: int, paid_for: list[tuple[int, int]], *, by_months: bool) -> int:
    """The day on which seats have used up what is paid for, found by trying each."""
    if not by_months:
        stock = sum(count * (end - day) for count, end in paid_for)
        end = day + 1
        while (end + 1 - day) * seats <= stock:
            end += 1
        return end
    units = sum(count * hours(day, end) for count, end in paid_for)
    end = day + 1
    while hours(day, end + 1) * seats <= units:
        end += 1
    return end


def hours(start: int, end: int) -> int:
    """Months, in parts of which every length of a month has a whole number."""
    whole = 0
    while add_months(start, whole + 1) <= end:
        whole += 1
    first, past = add_months(start, whole), add_months(start, whole + 1)
    return (whole * (past - first) + end - first) * (28 * 29 * 30 * 31) // (past - first)


@given(stories())
@settings(max_examples=150)
def test_each_day_is_paid_by_whoever_walks_through_it(subscription: Subscription) -> None:
    through = subscription.events[0].day + 900
    found = bill(subscription, through=to_date(through))
    lines = [(line.start, line.quantity) for document in found.documents for line in document.lines]
    assert lines == list(bought(subscription, through))
    assert all(line.start == document.date for document in found.documents for line in document.lines)


@given(stories(), st.lists(st.integers(0, 900), max_size=6))
@settings(max_examples=60)
def test_runs_on_any_days_bill_what_one_run_does(subscription: Subscription, days: list[int]) -> None:
    start = subscription.events[0].day
    whole = bill(subscription, through=to_date(start + 900))
    first, *others = [*sorted(set(days)), 900]
    so_far = bill(subscription, through=to_date(start + first))
    for day in others:
        more = bill(subscription, through=to_date(start + day), issued=remembered(so_far))
        so_far = so_far.followed_by(more)
    assert so_far == whole


@given(stories())
@settings(max_examples=40)
def test_every_line_can_be_explained(subscription: Subscription) -> None:
    found = bill(subscription, through=to_date(subscription.events[0].day + 900))
    for document in found.documents:
        for line in document.lines:
            told = explain(line, document, subscription)
            assert told.arithmetic.startswith(f"{line.quantity} × ")
            assert line.period.stock is not None
            if line.kind == "rise":
                assert told.causes
                assert "last" in told.rules[0]


@given(stories())
@settings(max_examples=25)
def test_every_document_can_be_computed_again_from_what_it_knew(subscription: Subscription) -> None:
    for document in bill(subscription, through=to_date(subscription.events[0].day + 900)).documents:
        again = bill(subscription, through=document.date, known_until=document.known_until)
        assert again.documents[-1] == document
