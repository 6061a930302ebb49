"""The laws of the engine, over generated histories under generated policies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import day_of, midnight
from prorata.engine.causes import Causes
from prorata.engine.explain import explain
from prorata.engine.history import Event, Subscription
from prorata.engine.intake import read_history
from prorata.engine.money import speak_amount
from prorata.engine.policy.model import ChangeRules, Policy, Rules
from prorata.engine.policy.tariff import Plan
from prorata.engine.quantity import billed_quantity
from prorata.engine.refusal import CannotBill
from prorata.policies import load_policy
from tests.engine.judge import Judge, months_after, nearest, periods
from tests.engine.stories import remembered
from tests.engine.worlds import restarting, subscriptions

DAY_HOURS = 24
HOUR = 3_600_000_000


def settled(subscription: Subscription) -> date:
    """A day by which everything known has been on a period's own bill."""
    last = max(max(event.day, day_of(event.recorded), event.until or 0) for event in subscription.events)
    return months_after(date.fromordinal(last), 38)


def billed_by_period(billing: Billing) -> dict[tuple[date, str], int]:
    """What was billed of each item for the period that begins on a day."""
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for document in billing.documents:
        for line in document.lines:
            sums[date.fromordinal(line.period.start), line.item] += line.amount_minor
    return sums


def as_of(billing: Billing, number: int) -> Billing:
    """The run as it was when the document of a number came up: what was issued before, and the days before it."""
    document, before = billing.documents[number], billing.documents[:number]
    through, known_until = document.date - timedelta(days=1), midnight(document.date.toordinal())
    if before and before[-1].date == document.date:
        through, known_until = document.date, before[-1].known_until
    lapses = tuple(lapse for lapse in billing.lapses if lapse.date <= through)
    return replace(billing, through=through, known_until=known_until, documents=before, lapses=lapses)


@given(subscriptions())
def test_once_all_is_known_each_period_is_billed_its_exact_due_rounded_once(subscription: Subscription) -> None:
    assert_billed_exactly(subscription)


def assert_billed_exactly(subscription: Subscription) -> None:
    through = settled(subscription)
    billing = bill(subscription, through=through)
    sums = billed_by_period(billing)
    judge = Judge(subscription)
    for period in periods(subscription, through):
        if period.invoice_end > through:
            continue
        for item, exact in judge.due(period).items():
            rounding = judge.of(period, item).rules.rounding
            expected = nearest(exact, rounding.mode, rounding.digits)
            assert sums.pop((period.first, item), 0) == expected, (period.first, item, exact)
    assert all(day + timedelta(days=740) > through for (day, _), billed in sums.items() if billed)


@given(restarting())
@settings(max_examples=50)
def test_a_change_that_begins_a_new_period_leaves_each_period_its_exact_due(subscription: Subscription) -> None:
    assert_billed_exactly(subscription)


@given(st.sampled_from(["line", "seat", "day"]).flatmap(lambda stage: subscriptions(rounding=stage)))
def test_lines_rounded_on_their_own_are_each_what_the_stage_says(subscription: Subscription) -> None:
    through = settled(subscription)
    judge = Judge(subscription)
    judged = {period.first: period for period in periods(subscription, through + timedelta(days=366))}
    for document in bill(subscription, through=through).documents:
        for line in document.lines:
            assert line.amount_minor == judge.stated(judged[line.period_start], line), line
            told = explain(line, document, subscription).arithmetic
            assert told.endswith(speak_amount(line.amount_minor, document.currency)), told


@given(st.sampled_from(["line", "seat", "day"]).flatmap(lambda stage: subscriptions(rounding=stage)))
def test_what_is_given_back_of_the_same_days_is_what_they_cost(subscription: Subscription) -> None:
    sizes: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for document in bill(subscription, through=settled(subscription)).documents:
        for line in document.lines:
            same = (line.period.start, line.item, line.start_day, line.end_day, abs(line.quantity), line.price)
            sizes[same].add(abs(line.amount_minor))
    assert all(len(amounts) == 1 for amounts in sizes.values())


@given(subscriptions(), st.integers(0, 500))
def test_billing_twice_on_the_same_day_bills_once(subscription: Subscription, days: int) -> None:
    through = date.fromordinal(subscription.events[0].day + days)
    once = bill(subscription, through=through)
    for issued in (once, remembered(once)):
        again = bill(subscription, through=through, issued=issued)
        assert again.documents == ()
        assert again.lapses == ()
        assert again.credit_left_minor == once.credit_left_minor


@given(subscriptions() | restarting(), st.integers(0, 700))
def test_a_history_billed_in_two_runs_gives_what_one_run_gives(subscription: Subscription, days: int) -> None:
    through = settled(subscription)
    cut = date.fromordinal(subscription.events[0].day + days)
    first = bill(subscription, through=min(cut, through))
    whole = bill(subscription, through=through)
    for issued in (first, remembered(first)):
        assert first.followed_by(bill(subscription, through=through, issued=issued)) == whole


@given(subscriptions(moments=True) | restarting(moments=True))
def test_who_is_billed_when_something_is_recorded_and_when_a_look_is_due_is_billed_all(
    subscription: Subscription,
) -> None:
    through = settled(subscription)
    whole = bill(subscription, through=through)
    news = sorted({date.fromordinal(day_of(event.recorded)) for event in subscription.events})
    due: date | None = None
    run: Billing | None = None
    while news or (due is not None and due <= through):
        day = min([*news[:1], *([] if due is None else [due])])
        news = news[1:] if news and news[0] == day else news
        events = tuple(event for event in subscription.events if day_of(event.recorded) <= day.toordinal())
        if all(event.kind not in ("start", "trial") for event in events):
            continue
        known = replace(subscription, events=events)
        more = bill(known, through=day, issued=None if run is None else remembered(run))
        run, due = (more if run is None else run.followed_by(more)), more.next_look
    assert run is not None
    assert (run.documents, run.lapses) == (whole.documents, whole.lapses)


@given(subscriptions(moments=True) | restarting(moments=True), st.lists(st.integers(0, 60 * DAY_HOURS), max_size=8))
def test_bills_made_at_any_hours_come_to_the_same_and_can_each_be_computed_again(
    subscription: Subscription, pauses: list[int]
) -> None:
    now = midnight(subscription.events[0].day)
    runs: list[Billing] = []
    for pause in [*pauses, None]:
        through = settled(subscription)
        if pause is not None:
            now += pause // DAY_HOURS * midnight(1) + pause % DAY_HOURS * HOUR
            through = min(date.fromordinal(day_of(now)), through)
        known_until = None if pause is None else now
        issued = remembered(runs[-1]) if runs else None
        more = bill(subscription, through=through, known_until=known_until, issued=issued)
        again = bill(subscription, through=through, known_until=known_until, issued=issued)
        assert more == again
        runs.append(runs[-1].followed_by(more) if runs else more)
    *_, all_runs = runs
    at_once = billed_by_period(bill(subscription, through=all_runs.through))
    by_runs = billed_by_period(all_runs)
    horizon = all_runs.through - timedelta(days=740)
    for key in by_runs.keys() | at_once.keys():
        if key[0] < horizon:
            assert by_runs.get(key, 0) == at_once.get(key, 0), key
    for number, document in enumerate(all_runs.documents):
        again = bill(
            subscription,
            through=document.date,
            known_until=document.known_until,
            issued=as_of(all_runs, number),
        )
        assert again.documents == (document,)


@given(subscriptions() | restarting(), st.integers(0, 30))
def test_any_document_can_be_computed_again_from_what_was_known_that_day(subscription: Subscription, at: int) -> None:
    documents = bill(subscription, through=settled(subscription)).documents
    assume(documents)
    document = documents[at % len(documents)]
    by_then = tuple(event for event in subscription.events if event.recorded < document.known_until)
    again = bill(replace(subscription, events=by_then), through=document.date).documents[-1]
    assert again == document
    assert bill(subscription, through=document.date, known_until=document.known_until).documents[-1] == document
    told = [str(explain(line, document, subscription)) for line in document.lines]
    assert [str(explain(line, again, subscription)) for line in again.lines] == told


def with_one_price(policy: Policy) -> dict[str, Plan]:
    """The plans with the prices only that are for all seats."""
    rows = {name: tuple(row for row in plan.prices if row.seats == ("", 0)) for name, plan in policy.plans.items()}
    plain = {name: tuple(replace(row, overage=None) for row in found) for name, found in rows.items()}
    return {name: replace(plan, prices=plain[name], tiers="volume") for name, plan in policy.plans.items()}


def by_members(subscription: Subscription) -> Subscription:
    """The subscription under the same policy, if that billed the members of each day as they are."""

    def plain(rules: Rules) -> Rules:
        seats = replace(rules.seats, count="active", measure="level", minimum=0, packages=(), maximum=0, included=0)
        # With notice a seat may be billed that nobody holds, and another take it; who has not lasted yet is not billed.
        rise = replace(rules.rise, takes_effect="day", waiting_days=0)
        fall = replace(rules.fall, give="credit", takes_effect="day", window_days=0, notice_days=0)
        # Where more seats begin a new period, a rise is the cause of the rest that is given back.
        change = replace(rules.change, more_seats="difference")
        return replace(rules, seats=seats, rise=rise, fall=fall, change=change)

    policy = subscription.policy
    variants = {matching: plain(rules) for matching, rules in policy.variants.items()}
    plans = with_one_price(policy)
    return replace(subscription, policy=replace(policy, variants=variants, plans=plans), seats_follow=False)


@given(subscriptions().map(by_members))
def test_the_people_who_caused_a_line_add_up_to_its_seats(subscription: Subscription) -> None:
    causes_of = Causes(subscription).of
    through = settled(subscription)
    judged = {period.first: period for period in periods(subscription, through)}
    for document in bill(subscription, through=through).documents:
        known = tuple(event for event in subscription.events if event.recorded < document.known_until)
        judge = Judge(replace(subscription, events=known))
        for line in document.lines:
            causes = causes_of(line, document)
            if line.start > document.date and subscription.policy.idle_days:
                continue  # who will be idle by then is not known yet
            if line.item == "seats" and line.kind in ("rise", "fall") and all(event.user for event in causes):
                holders = judge.holders(judged[line.period_start], line.start)
                assert sum(1 if holders.get(event.user) == "" else -1 for event in causes) == line.quantity


def by_people(subscription: Subscription) -> Subscription:
    """The subscription under the same policy, if that counted people only, each with a seat of their own."""

    def plain(rules: Rules) -> Rules:
        seats = rules.seats
        personal = seats.measure in ("level", "high_water", "held", "distinct")
        stays = rules.fall.takes_effect in ("next_term", "never")
        fall = replace(rules.fall, takes_effect="day", window_days=0) if stays else rules.fall
        seats = replace(seats, count="active", measure=seats.measure if personal else "level")
        # With notice seats are billed that nobody holds, and who has not lasted yet holds one that is not billed.
        fall, rise = replace(fall, notice_days=0), replace(rules.rise, waiting_days=0)
        return replace(rules, seats=seats, fall=fall, rise=rise)

    policy = subscription.policy
    variants = {matching: plain(rules) for matching, rules in policy.variants.items()}
    plans = with_one_price(policy)
    return replace(subscription, policy=replace(policy, variants=variants, plans=plans), seats_follow=False)


@given(subscriptions().map(by_people))
def test_who_holds_the_seats_of_a_period_and_who_moved_them_are_as_many_as_its_line_bills(
    subscription: Subscription,
) -> None:
    causes = Causes(subscription)
    for document in bill(subscription, through=settled(subscription)).documents:
        for line in document.lines:
            if line.item != "seats" or line.kind != "period" or line.start_day > line.period.start:
                continue
            people = set(causes.holders(line, document))
            found = causes.of(line, document)
            drawn = found if causes.drawn(line, document, found) else ()
            moved = sum(-1 if event.user in people else 1 for event in drawn if event.user)
            rules = line.period.rules.seats
            assert billed_quantity(rules, [(0, len(people) + moved)]) == [(0, line.quantity)]


def without_restarts(subscription: Subscription) -> Subscription:
    """The subscription under the same policy, if no change began a new period: one begins when it is told."""
    policy = subscription.policy
    variants = {chosen: replace(rules, change=ChangeRules()) for chosen, rules in policy.variants.items()}
    return replace(subscription, policy=replace(policy, variants=variants))


@given(subscriptions().map(without_restarts))
def test_the_order_in_which_things_became_known_does_not_change_the_sum(subscription: Subscription) -> None:
    fixed = {"start", "trial", "interval", "payment_method"}  # by which a period is opened; it stays as it was known
    if subscription.policy.by_plan:
        fixed |= {"plan", "trial_plan"}
    told_at_once = replace(
        subscription,
        events=tuple(
            event if event.kind in fixed else event._replace(recorded=midnight(event.day))
            for event in subscription.events
        ),
    )
    through = settled(subscription)
    late, at_once = (billed_by_period(bill(one, through=through)) for one in (subscription, told_at_once))
    horizon = through - timedelta(days=740)
    for key in late.keys() | at_once.keys():
        if key[0] < horizon:
            assert late.get(key, 0) == at_once.get(key, 0), key


@given(subscriptions(), st.integers(0, 200))
def test_a_change_undone_on_the_same_day_costs_nothing(subscription: Subscription, days: int) -> None:
    start = next(event for event in subscription.events if event.kind in ("start", "trial"))
    day = start.day + days
    place = sum(event.day <= day for event in subscription.events)
    visit = [
        Event("activate", day, midnight(day), 0, user="zoe"),
        Event("deactivate", day, midnight(day), 0, user="zoe"),
    ]
    moved = [  # two places on, and what is withdrawn with them
        event._replace(order=event.order + 2, withdraws=None if event.withdraws is None else event.withdraws + 2)
        for event in subscription.events[place:]
    ]
    first = moved[0].order - 2 if moved else subscription.events[-1].order + 1
    visit = [event._replace(order=first + at) for at, event in enumerate(visit)]
    visited = replace(subscription, events=(*subscription.events[:place], *visit, *moved))
    through = settled(subscription)
    amounts = [
        [(document.date, document.total_minor, [line.amount_minor for line in document.lines])
         for document in bill(one, through=through).documents]
        for one in (subscription, visited)
    ]  # fmt: skip
    assert amounts[0] == amounts[1]


@given(subscriptions())
def test_lines_add_up_tax_is_exact_and_credits_stay_in_bounds(subscription: Subscription) -> None:
    billing = bill(subscription, through=settled(subscription))
    granted, used = sum(grant.amount_minor for grant in billing.grants), 0
    for document in billing.documents:
        assert document.lines
        assert document.subtotal_minor == sum(line.amount_minor for line in document.lines)
        assert document.total_minor == document.subtotal_minor + sum(tax.tax_minor for tax in document.taxes)
        for tax in document.taxes:
            exact = tax.base_minor * tax.rate / 100
            modes = {line.period.rules.rounding.mode for line in document.lines}
            assert abs(tax.tax_minor - exact) <= (1 if modes & {"up", "down"} else Fraction(1, 2))
        assert document.refund_minor in (0, -document.total_minor)
        granted += max(-document.total_minor, 0) - document.refund_minor
        used += document.credit_used_minor
        assert 0 <= document.credit_used_minor <= max(document.total_minor, 0)
        assert document.credit_left_minor >= 0
        if document.kind == "invoice":
            assert document.due_minor + document.credit_used_minor == document.total_minor
        assert used <= granted
    lost = sum(lapse.amount_minor for lapse in billing.lapses)
    assert granted - used - lost == billing.credit_left_minor


@given(subscriptions())
def test_what_is_paid_less_what_is_paid_back_is_what_was_charged_but_for_the_credits_left(
    subscription: Subscription,
) -> None:
    billing = bill(subscription, through=settled(subscription))
    charged = sum(document.total_minor for document in billing.documents)
    paid = sum(document.due_minor - document.refund_minor for document in billing.documents)
    lost = sum(lapse.amount_minor for lapse in billing.lapses)
    granted = sum(grant.amount_minor for grant in billing.grants)
    assert paid - lost - billing.credit_left_minor + granted == charged


@given(subscriptions())
def test_a_document_below_zero_is_paid_back_where_the_latest_period_that_was_billed_says_so(
    subscription: Subscription,
) -> None:
    through = settled(subscription)
    judged = periods(subscription, through)
    for document in bill(subscription, through=through).documents:
        if document.total_minor < 0:
            days = [one.invoice_start if one.rules.period.charge == "advance" else one.invoice_end for one in judged]
            latest = max(at for at, day in enumerate(days) if max(days[: at + 1]) <= document.date)
            refunds = judged[latest].rules.fall.give == "refund"
            assert document.refund_minor == (-document.total_minor if refunds else 0)


@given(subscriptions(), subscriptions())
@settings(max_examples=30)
def test_accounts_do_not_touch_each_other(one: Subscription, two: Subscription) -> None:
    alone = bill(one, through=settled(one))
    bill(two, through=settled(two))
    assert bill(one, through=settled(one)) == alone


def test_a_start_that_is_moved_after_it_was_billed_is_refused_in_a_sentence() -> None:
    policy = load_policy("mainter")
    rows: list[dict[str, object]] = [
        {"at": "2026-04-01", "event": "start"},
        {"at": "2026-04-01", "event": "activate", "user": "anna"},
    ]
    issued = bill(read_history(rows, policy=policy), through=date(2026, 5, 1))
    rows[0] = {"at": "2026-03-20", "event": "start", "recorded_at": "2026-05-10"}
    with pytest.raises(CannotBill, match="the document of 2026-04-01 bills a period from 1 April 2026"):
        bill(read_history(rows, policy=policy), through=date(2026, 6, 1), issued=issued)


def test_a_history_without_a_start_cannot_be_billed() -> None:
    history = read_history([{"at": "2026-04-01", "event": "start"}], policy=load_policy("mainter"))
    with pytest.raises(CannotBill, match="no event says when the agreement starts"):
        bill(replace(history, events=()), through=date(2026, 6, 1))
