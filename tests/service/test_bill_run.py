"""Bill runs: each document once, numbers without gaps, problems that stop nobody else."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from prorata.accounts.actions import members_called
from prorata.database.refused import Refused
from prorata.invoicing.actions.run_bills import NotYet, Outcome, run_bills
from prorata.invoicing.models import BillRun, Document, Problem
from prorata.invoicing.verify import verify
from prorata.policies import policy_text
from prorata.subscriptions.actions.record import change_policy, event_row, record, tell
from prorata.subscriptions.models import Event, Subscription
from prorata.vendors.actions import UnfitPolicy, set_policy
from prorata.vendors.models import PolicyVersion, Series, Vendor
from tests.service.world import a_year, at, customer, fact, seller, with_people


def totals(vendor: Vendor) -> list[tuple[str, int, str, int]]:
    rows = Document.objects.filter(vendor=vendor).order_by("id")
    return [(row.account.key, row.number, f"{row.date}", row.total_minor) for row in rows]


def test_a_second_run_on_the_same_day_bills_nobody_again() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", "ben")
    first = run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    again = run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 21))
    assert (first.looked_at, first.documents["invoice"]) == (1, 1)
    assert (again.looked_at, again.documents.total()) == (0, 0)
    assert totals(vendor) == [("nord", 1, "2026-01-01", 2 * 29900)]
    assert list(BillRun.objects.values_list("looked_at", "documents")) == [(1, 1), (0, 0)]


def test_nobody_is_looked_at_before_there_is_something_to_bill() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    subscription.refresh_from_db()
    assert (subscription.billed_through, subscription.next_look) == (date(2026, 1, 1), date(2026, 2, 1))
    for day in (15, 31):
        assert run_bills(vendor=vendor, through=date(2026, 1, day), now=at(f"2026-01-{day}", 20)).looked_at == 0
    tell(subscription=subscription, facts=[fact("activate", "2026-01-20", "ben")], now=at("2026-01-20"), actor="test")
    subscription.refresh_from_db()
    assert subscription.next_look == date(2026, 1, 20)


def test_who_cannot_be_billed_is_a_problem_of_the_run_and_the_others_are_billed() -> None:
    vendor = seller("sloneek")
    rows = [customer(vendor, key, "sloneek") for key in ("brno", "praha", "ostrava")]
    for row in rows:
        begins = fact("start", "2026-01-01", quantity=None if row.account.key == "praha" else 10)
        tell(subscription=row, facts=[begins], now=at("2026-01-01"), actor="test")
    outcome = run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    [problem] = outcome.problems
    assert problem.startswith(
        "account praha: the policy bills bought seats and the history buys none; add seats events"
    )
    assert Problem.objects.get().subscription == rows[1]
    assert [row[:2] for row in totals(vendor)] == [("brno", 1), ("ostrava", 2)]
    tell(subscription=rows[1], facts=[fact("seats", "2026-01-01", quantity=12)], now=at("2026-01-02"), actor="test")
    outcome = run_bills(vendor=vendor, through=date(2026, 1, 2), now=at("2026-01-02", 20))
    assert (outcome.looked_at, outcome.problems) == (1, [])
    # as known on its day: ten seats at least; the two more go on the next one
    assert totals(vendor)[-1] == ("praha", 3, "2026-01-01", 8000)


def test_a_dry_run_comes_to_the_same_and_keeps_nothing() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna", "ben")
    tried = run_bills(vendor=vendor, through=date(2026, 3, 1), now=at("2026-03-01", 20), dry_run=True)
    assert (Document.objects.count(), BillRun.objects.count()) == (0, 0)
    assert Subscription.objects.get().billed_through is None
    assert Series.objects.get(vendor=vendor, kind="invoice").last == 0
    assert run_bills(vendor=vendor, through=date(2026, 3, 1), now=at("2026-03-01", 20)) == tried
    assert tried.totals["invoice", "SEK"] == 3 * 2 * 29900


def test_each_vendor_numbers_its_own_documents_and_a_run_bills_its_vendor_alone() -> None:
    first, second = seller(key="first"), seller(key="second")
    for vendor in (first, second):
        with_people(vendor, "nord", "anna")
    run_bills(vendor=first, through=date(2026, 2, 1), now=at("2026-02-01", 20))
    assert [row[1] for row in totals(first)] == [1, 2]
    assert totals(second) == []
    run_bills(vendor=second, through=date(2026, 2, 1), now=at("2026-02-01", 20))
    assert [row[1] for row in totals(second)] == [1, 2]


def test_what_is_told_late_goes_on_the_next_document_and_the_last_one_stays_as_it_is() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna", "ben")
    run_bills(vendor=vendor, through=date(2026, 4, 1), now=at("2026-04-01", 20))
    before = list(Document.objects.order_by("id").values_list("record", flat=True))
    tell(subscription=subscription, facts=[fact("deactivate", "2026-03-10", "ben")], now=at("2026-04-03"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 5, 1), now=at("2026-05-01", 20))
    after = list(Document.objects.order_by("id").values_list("record", flat=True))
    assert after[:-1] == before
    # ben's day of leaving is not billed: 21 of 31 days of March and all of April back, less May of anna
    assert [line["amount"] for line in json.loads(after[-1])["lines"]] == ["202.55", "299.00", "-299.00"]
    assert list(verify(vendor)) == []


def test_a_run_knows_what_was_recorded_before_it_and_the_next_one_the_rest_of_the_day() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    tell(
        subscription=subscription, facts=[fact("activate", "2026-01-01", "ben")], now=at("2026-01-01", 15), actor="test"
    )
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 14))
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 16))
    run_bills(vendor=vendor, through=date(2026, 2, 1), now=at("2026-02-01", 20))
    assert [row[2:] for row in totals(vendor)] == [("2026-01-01", 29900), ("2026-02-01", 3 * 29900)]
    assert list(verify(vendor)) == []


def test_a_new_version_of_the_policy_bills_from_now_on_and_old_documents_keep_the_old_one() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    dearer = policy_text("mainter").replace("299.00", "310.00")
    assert set_policy(vendor=vendor, name="mainter", text=dearer, now=at("2026-01-10"), actor="test").number == 2
    assert set_policy(vendor=vendor, name="mainter", text=dearer, now=at("2026-01-11"), actor="test").number == 2
    run_bills(vendor=vendor, through=date(2026, 2, 1), now=at("2026-02-01", 20))
    assert [document.policy.number for document in Document.objects.order_by("id")] == [1, 2]
    # a price that was always another one is a correction of January, too
    assert totals(vendor)[-1][3] == 31000 + (31000 - 29900)
    assert list(verify(vendor)) == []


def test_names_that_have_no_room_on_a_line_are_refused_before_they_stop_a_run() -> None:
    vendor = seller()
    long = "x" * 101
    text = policy_text("mainter").replace("plans.PRO", f"plans.{long}")
    with pytest.raises(UnfitPolicy, match=r"policy other: x{40}… has 101 signs; allowed in a name: 100"):
        set_policy(vendor=vendor, name="other", text=text, now=at("2026-01-10"), actor="test")


def test_a_run_sums_up_its_parts_and_documents_of_nothing_count() -> None:
    part = Outcome(1, Counter(invoice=2), Counter({("invoice", "SEK"): 0}), ["one"], {1})
    whole = Outcome()
    whole.include(part)
    whole.include(part)
    assert whole == Outcome(2, Counter(invoice=4), Counter({("invoice", "SEK"): 0}), ["one", "one"], {1})
    assert ("invoice", "SEK") in whole.totals


def test_what_contradicts_the_history_is_refused_and_nothing_of_it_is_recorded() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    facts = [fact("activate", "2026-01-02", "ben"), fact("deactivate", "2026-01-02", "zoe")]
    count = Event.objects.count()
    with pytest.raises(Refused, match="user: 'zoe' was never active before 2 January 2026"):
        tell(subscription=subscription, facts=facts, now=at("2026-01-02"), actor="test")
    with pytest.raises(Refused, match="the account has a start on 1 January 2026 already"):
        tell(subscription=subscription, facts=[fact("start", "2026-02-01")], now=at("2026-01-02"), actor="test")
    assert Event.objects.count() == count


def test_nothing_can_claim_to_have_been_known_when_it_was_billed_without() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    run_bills(vendor=vendor, through=date(2026, 1, 1), now=at("2026-01-01", 20))
    early = fact("activate", "2026-01-01", "ben")
    with pytest.raises(Refused, match="is too early: the account was billed with all that was recorded before"):
        record(subscription=subscription, facts=[early], now=at("2026-01-02"), actor="test")
    future = fact("activate", "2026-01-03", "ben")
    with pytest.raises(Refused, match=r"2026-01-02T23:00:00\+00:00 has not come yet; it is 2026-01-02T12:00:00"):
        record(subscription=subscription, facts=[future], now=at("2026-01-02"), actor="test")


def test_who_told_what_and_when_is_kept() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    told = tell(
        subscription=subscription, facts=[fact("deactivate", "2026-01-05", "anna")], now=at("2026-01-09"), actor="vera"
    )
    [event] = Event.objects.filter(pk__in=[one.pk for one in told])
    assert event.member is not None
    assert (event.member.key, event.actor) == ("anna", "vera")
    assert event.at == datetime(2026, 1, 4, 23, tzinfo=UTC)  # midnight of the fifth in Stockholm
    assert event.recorded_at == at("2026-01-09")


def test_a_year_of_many_accounts_is_without_gaps_and_right_when_computed_again() -> None:
    vendor = a_year("konfidens", accounts=6)
    numbers = list(
        Document.objects.filter(vendor=vendor, kind="invoice").order_by("id").values_list("number", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 20
    days = Document.objects.order_by("id").values_list("date", flat=True)
    assert max(days) - min(days) > timedelta(200)
    assert list(verify(vendor)) == []


def test_nobody_is_billed_through_a_day_that_has_not_come() -> None:
    vendor = seller()
    with_people(vendor, "nord", "anna")
    with pytest.raises(NotYet, match="2062-05-01 has not come yet; a dry run says what would be billed by then"):
        run_bills(vendor=vendor, through=date(2062, 5, 1), now=at("2026-05-01", 20))
    ahead = run_bills(vendor=vendor, through=date(2026, 12, 31), now=at("2026-05-01", 20), dry_run=True)
    assert ahead.documents["invoice"] == 12
    # on 2 January it is the first in Stockholm at ten in the evening of the first in London, and not before
    run_bills(vendor=vendor, through=date(2026, 1, 2), now=at("2026-01-01", 20))
    assert Subscription.objects.get().billed_through == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('currency = "SEK"', 'currency = "EUR"', "currency was 'SEK' and cannot become 'EUR'"),
        ('time_zone = "Europe/Stockholm"', 'time_zone = "Asia/Tokyo"', "time_zone was 'Europe/Stockholm' and cannot"),
        ("[plans.BASIC]", "[plans.SMALL]", "plan BASIC may be in use; it has to stay"),
        ("[roles.free]", "[roles.guest]", "role free may be in use; it has to stay"),
    ],
)
def test_rules_that_make_nonsense_of_what_was_agreed_are_refused(old: str, new: str, sentence: str) -> None:
    vendor = seller()
    text = policy_text("mainter")
    assert old in text
    with pytest.raises(UnfitPolicy, match=sentence):
        change_policy(vendor=vendor, name="mainter", text=text.replace(old, new), now=at("2026-01-10"), actor="test")
    assert PolicyVersion.objects.count() == 1


def test_a_new_version_is_looked_at_also_for_who_has_left() -> None:
    vendor = seller()
    subscription = with_people(vendor, "nord", "anna")
    tell(subscription=subscription, facts=[fact("cancel", "2026-01-20")], now=at("2026-01-20"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 3, 1), now=at("2026-03-01", 20))
    subscription.refresh_from_db()
    assert (subscription.next_look, subscription.ended_on) == (None, date(2026, 2, 1))
    cheaper = policy_text("mainter").replace("299.00", "280.00")
    change_policy(vendor=vendor, name="mainter", text=cheaper, now=at("2026-03-10"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 4, 1), now=at("2026-04-01", 20))
    assert totals(vendor)[-1] == ("nord", 1, "2026-04-01", -1900)
    subscription.refresh_from_db()
    assert list(verify(vendor)) == []


def test_what_was_wrong_before_does_not_keep_anybody_from_leaving() -> None:
    vendor = seller("sloneek")
    subscription = customer(vendor, "brno", "sloneek")
    people = [fact("activate", "2026-01-01", f"u{number}") for number in range(11)]
    known = [fact("start", "2026-01-01", quantity=10), *people]
    Event.objects.bulk_create(
        event_row(
            subscription,
            one,
            members_called(account=subscription.account, keys=[one.user])[one.user] if one.user else None,
            ZoneInfo("Europe/Prague"),
            1,
            "older rules",
        )
        for one in known
    )
    tell(subscription=subscription, facts=[fact("cancel", "2026-02-01")], now=at("2026-02-01"), actor="test")
    with pytest.raises(Refused, match="12 members hold seats; buy more than 10 first"):
        tell(subscription=subscription, facts=[fact("activate", "2026-02-02", "x")], now=at("2026-02-02"), actor="test")
