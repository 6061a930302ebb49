"""Previews and quotes: what will be sent if nothing changes, and what a change makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.bill import Billing, bill, upcoming
from prorata.engine.calendar import Moment, day_of, midnight, to_date
from prorata.engine.facts import Fact, history
from prorata.engine.history import Subscription
from prorata.engine.intake import Intake, Row, read_facts
from prorata.engine.policy.model import Policy
from prorata.engine.quote import Quote, Recurring, outlook, quote
from prorata.policies import load_policy
from tests.engine.stories import BASE, policy_of, remembered
from tests.engine.worlds import restarting, subscriptions

MAINTER, KONFIDENS, SLONEEK = load_policy("mainter"), load_policy("konfidens"), load_policy("sloneek")


def moment(day: str, hour: int = 12) -> Moment:
    return midnight(date.fromisoformat(day).toordinal()) + hour * 3_600_000_000


def fact(kind: str, day: str, user: str = "", **more: object) -> Fact:
    at = moment(day, 0)
    return Fact(kind, at, at, user, **more)  # type: ignore[arg-type]


def told(policy: Policy, *facts: Fact, **settings: str) -> tuple[Subscription, tuple[Fact, ...]]:
    """An account that begins on 1 January 2026 with two members, and what else is told."""
    rows = [Row("row", {"at": "2026-01-01", "event": "activate", "user": user}) for user in ("anna", "ben")]
    [(agreement, known)] = read_facts(rows, Intake(policy=policy, account="nord", **settings))  # type: ignore[arg-type]
    return agreement, (*known, *facts)


def quoted(
    agreement: Subscription, facts: Iterable[Fact], change: Fact, *, now: str, billed: str | None = None
) -> Quote:
    """The quote of a change at noon of a day, after bills up to and with another."""
    known = tuple(facts)
    issued: Billing | None = None
    if billed is not None:
        issued = bill(history(agreement, known), through=date.fromisoformat(billed))
    return quote(agreement, known, [change], now=moment(now), issued=issued)


def amounts(one: Quote) -> tuple[int, int, int]:
    return one.now_minor, one.next_minor, one.per_period_minor


def test_a_user_more_costs_the_rest_of_the_month_with_the_next_invoice_and_a_seat_each_month() -> None:
    agreement, facts = told(MAINTER, plan="PRO")
    one = quoted(agreement, facts, fact("activate", "2026-04-10", "chris"), now="2026-04-10", billed="2026-04-01")
    # 699.00 × 20/30 = 466.00 beside the 699.00 of May (M4)
    assert amounts(one) == (0, 46600 + 69900, 69900)
    assert one.changed.recurring == Recurring(date(2026, 5, 1), date(2026, 6, 1), 3 * 69900)
    assert one.changed.next_document is not None
    assert one.changed.next_document.date == date(2026, 5, 1)


def test_seats_of_a_yearly_licence_cost_their_months_now() -> None:
    rows = [Row("row", {"at": "2024-01-01", "event": "start", "quantity": "100", "interval": "year"})]
    [(agreement, facts)] = read_facts(rows, Intake(policy=SLONEEK, account="nord"))
    one = quoted(agreement, facts, fact("seats", "2024-07-01", quantity=150), now="2024-07-01", billed="2024-01-01")
    # 50 × 60.00 × 6/12 at once, and 50 × 60.00 more each year (S6)
    assert amounts(one) == (150000, 300000, 300000)
    assert one.changed.recurring == Recurring(date(2025, 1, 1), date(2026, 1, 1), 900000)


def test_a_user_who_leaves_is_a_credit_of_the_next_invoice() -> None:
    agreement, facts = told(KONFIDENS)
    one = quoted(agreement, facts, fact("deactivate", "2026-05-10", "ben"), now="2026-05-10", billed="2026-05-01")
    # 52 days back (K3), and 184 days less in the half-year from July
    assert amounts(one) == (0, -5200 - 18400, -18400)


def test_what_is_due_today_anyway_is_no_part_of_what_a_change_costs() -> None:
    agreement, facts = told(MAINTER)
    one = quoted(agreement, facts, fact("activate", "2026-02-01", "chris"), now="2026-02-01", billed="2026-01-01")
    assert one.unchanged.now_minor == 2 * 29900
    # the invoice of today is not out yet: 27 of 28 days go on it (the day of change is not billed)
    assert amounts(one) == (round(29900 * 27 / 28), 29900, 29900)


def test_a_change_that_is_planned_costs_from_its_own_day() -> None:
    agreement, facts = told(policy_of(BASE))
    one = quoted(agreement, facts, fact("activate", "2026-06-16", "chris"), now="2026-04-10", billed="2026-04-01")
    assert amounts(one) == (0, 0, 1000)
    assert one.changed.recurring == Recurring(date(2026, 7, 1), date(2026, 8, 1), 3000)


def test_an_agreement_that_ends_has_nothing_to_come() -> None:
    agreement, facts = told(policy_of(BASE), fact("cancel", "2026-03-10"))
    one = outlook(history(agreement, facts), now=moment("2026-03-11"))
    assert [document.date for document in one.now] == [date(2026, month, 1) for month in (1, 2, 3)]
    assert (one.next_document, one.recurring) == (None, None)
    one = outlook(history(agreement, facts[:-1]), now=moment("2026-03-11"))
    assert one.recurring == Recurring(date(2026, 4, 1), date(2026, 5, 1), 2000)


def test_what_ended_before_its_first_bill_in_arrears_is_still_to_come() -> None:
    policy = policy_of(BASE + '[period]\ncharge = "arrears"\n[cancel]\nends = "day"\n')
    agreement, facts = told(policy, fact("cancel", "2026-01-01")._replace(until=date(2026, 1, 16).toordinal()))
    billing = bill(history(agreement, facts), through=date(2026, 1, 20))
    assert billing.ended == date(2026, 1, 16)
    assert billing.next_look == date(2026, 2, 1)
    one = outlook(history(agreement, facts), now=moment("2026-01-20"), issued=remembered(billing))
    assert one.next_document is not None
    assert one.next_document.total_minor == 968  # two seats for 15 of 31 days: 20.00 × 15/31


def test_tax_is_part_of_what_is_quoted() -> None:
    agreement, facts = told(policy_of(BASE + '[tax]\nrate = "25"\n'))
    one = quoted(agreement, facts, fact("activate", "2026-04-16", "chris"), now="2026-04-16", billed="2026-04-01")
    assert amounts(one) == (0, (500 + 1000) * 125 // 100, 1250)


@given(subscriptions() | restarting(), st.integers(0, 400))
def test_what_is_coming_up_is_what_will_be_billed(subscription: Subscription, days: int) -> None:
    last = max(max(event.day, day_of(event.recorded)) for event in subscription.events)
    today = last + days
    issued = remembered(bill(subscription, through=to_date(last)))
    coming = list(islice(upcoming(subscription, known_until=midnight(today + 1), issued=issued), 4))
    until = coming[-1].date if len(coming) == 4 else to_date(today + 800)
    billed = bill(subscription, through=until, known_until=midnight(today + 1), issued=issued)
    assert tuple(coming) == billed.documents[:4]


def test_an_account_that_nobody_uses_has_nothing_to_come_and_one_of_which_somebody_is_known_to_join_has() -> None:
    agreement, _ = told(policy_of(BASE + '[period]\ncharge = "arrears"\n'))
    start = fact("start", "2026-01-01", "")
    one = outlook(history(agreement, [start]), now=moment("2026-01-02"))
    assert (one.now, one.next_document, one.recurring) == ((), None, None)
    joins = fact("activate", "2045-05-01", "anna")._replace(recorded=moment("2026-01-01"))
    one = outlook(history(agreement, [start, joins]), now=moment("2026-01-02"))
    assert one.next_document is not None
    assert one.next_document.date == date(2045, 6, 1)
