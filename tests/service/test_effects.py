"""What another version of a policy would make of accounts' documents is what it makes of them."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from prorata.engine.policy.reading import PolicyError
from prorata.invoicing.actions.run_bills import run_bills
from prorata.invoicing.effects import Amounts, Effect, concerned, effects
from prorata.invoicing.models import Document
from prorata.policies import policy_text
from prorata.subscriptions.actions.record import change_policy, tell
from prorata.vendors.actions import UnfitPolicy, fitting
from prorata.vendors.models import Vendor
from tests.service.world import a_year, at, customer, fact, seller, with_people

TEXT = policy_text("mainter")
BASIC = 'price = "299.00 per month"\n'
DEARER = TEXT.replace(BASIC, 'price = "319.00 per month"\n')
LATER = '[[plans.BASIC.prices]]\nprice = "319.00 per month"\nfrom = 2026-07-01\n'
FROM_JULY = TEXT.replace(BASIC, f"[[plans.BASIC.prices]]\n{BASIC}{LATER}")
ONLY_FROM_JULY = TEXT.replace(BASIC, LATER)
NOW = at("2026-04-10")


def found(vendor: Vendor, text: str, now: datetime = NOW) -> list[Effect]:
    policy = fitting(vendor=vendor, name="mainter", text=text, now=now)
    return list(effects(concerned(vendor, "mainter").order_by("pk"), policy, now))


@pytest.fixture
def vendor() -> Vendor:
    """A vendor with three seats billed for April, one customer who has left by then, and one not billed yet."""
    vendor = seller()
    assert DEARER != TEXT != FROM_JULY
    with_people(vendor, "nord", "anna", "ben", "chris", day="2026-04-01")
    left = with_people(vendor, "syd", "dora", day="2026-03-01")
    tell(subscription=left, facts=[fact("cancel", "2026-03-10")], now=at("2026-03-10"), actor="test")
    run_bills(vendor=vendor, through=date(2026, 4, 1), now=at("2026-04-01", 20))
    with_people(vendor, "ost", "eva", day="2026-04-05")
    return vendor


def test_the_same_rules_concern_nobody(vendor: Vendor) -> None:
    assert found(vendor, TEXT + "\n") == []


def test_a_price_of_a_day_to_come_is_told_with_the_old_and_the_new_amount(vendor: Vendor) -> None:
    nord = Effect(
        account="nord", currency="SEK", now=Amounts(0, 0), next=Amounts(89700, 89700), next_date=date(2026, 5, 1),
        per_period=Amounts(89700, 95700), start=date(2026, 7, 1),
    )  # fmt: skip
    assert found(vendor, FROM_JULY)[0] == nord
    assert [one.account for one in found(vendor, FROM_JULY)] == ["nord", "ost"]  # who has left pays none of it


def test_a_price_without_a_day_corrects_what_was_billed_and_says_so(vendor: Vendor) -> None:
    nord, syd, _ = found(vendor, DEARER)
    # 3 × 319.00 for May, and 3 × 20.00 for April, which was billed already
    assert nord.next == Amounts(89700, 101700)
    assert nord.per_period == Amounts(89700, 95700)
    assert nord.start == date(2026, 5, 1)
    # who has left was billed for March, and would be corrected, too
    assert syd.now.more_minor + syd.next.more_minor == 2000


def test_rules_by_which_somebody_could_not_be_billed_say_whom(vendor: Vendor) -> None:
    nord = found(vendor, ONLY_FROM_JULY)[0]
    assert nord.problem.startswith("plan BASIC has no price for interval month")


def test_rules_that_are_refused_concern_nobody(vendor: Vendor) -> None:
    with pytest.raises(UnfitPolicy, match="plan BASIC may be in use"):
        found(vendor, TEXT.replace("BASIC", "BASE"))
    with pytest.raises(PolicyError):
        found(vendor, "currency = 7")


@pytest.mark.parametrize("text", [DEARER, FROM_JULY])
def test_what_is_said_is_what_is_billed(text: str) -> None:
    vendor = a_year("mainter", accounts=8, through=date(2026, 4, 10))
    said = {one.account: one for one in found(vendor, text, now=at("2026-04-11"))}
    assert said
    issued = Document.objects.filter(vendor=vendor).count()
    change_policy(vendor=vendor, name="mainter", text=text, now=at("2026-04-11"), actor="test")
    for day in (date(2026, 4, 12), *sorted({one.next_date for one in said.values() if one.next_date})):
        run_bills(vendor=vendor, through=day, now=at(f"{day}", 3))
    documents = Document.objects.filter(vendor=vendor).order_by("id")[issued:]
    totals = {(one.account.key, one.date): one.total_minor for one in documents}
    for account, one in said.items():
        assert one.next_date is not None
        if one.next.after_minor:
            assert totals[account, one.next_date] == one.next.after_minor


KONFIDENS = policy_text("konfidens")
YEARLY = 'price = "365.00 per year"\n'


def priced(*rows: str) -> str:
    """The rules of konfidens with these rows of prices."""
    plan = re.search(r"^\[(plans\.\w+)\]", KONFIDENS, re.MULTILINE)
    assert plan is not None
    assert YEARLY in KONFIDENS
    return KONFIDENS.replace(YEARLY, "".join(f"[[{plan[1]}.prices]]\n{row}" for row in rows))


def row(price: str, since: str = "", on: str = "") -> str:
    return f'price = "{price}"\n' + (f"from = {since}\nannounced = {on}\n" if since else "")


def kept(vendor: Vendor, *rows: str, now: datetime = NOW) -> None:
    change_policy(vendor=vendor, name="konfidens", text=priced(*rows), now=now, actor="test")


def test_a_price_is_announced_when_it_is_recorded_and_not_before() -> None:
    vendor = seller("konfidens")
    with pytest.raises(UnfitPolicy, match=r"becomes dearer on 2026-07-01, .* allows it from 2026-07-10 on"):
        kept(vendor, YEARLY, row("465.00 per year", "2026-07-01", "2026-01-15"))
    with pytest.raises(PolicyError, match="must be announced by 2026-04-01, 3 months ahead"):
        kept(vendor, YEARLY, row("465.00 per year", "2026-07-01", "2026-04-10"))
    kept(vendor, YEARLY, row("465.00 per year", "2026-07-10", "2026-04-10"))


@pytest.mark.parametrize(
    "rows",
    [
        [row("465.00 per year")],
        [YEARLY, row("465.00 per year", "2026-01-01", "2025-09-01")],
        [row("31.00 per month")],  # 372.00 a year
    ],
)
def test_a_price_that_needs_a_notice_cannot_become_dearer_at_once(rows: list[str]) -> None:
    with pytest.raises(UnfitPolicy, match="becomes dearer on 2026-04-10"):
        kept(seller("konfidens"), *rows)


def test_the_notice_cannot_be_dropped_with_the_price_that_needed_it() -> None:
    dearer = priced(row("465.00 per year")).replace("notice_months = 3", "notice_months = 0")
    with pytest.raises(UnfitPolicy, match=r"prices\.notice_months = 3 allows it from"):
        change_policy(vendor=seller("konfidens"), name="konfidens", text=dearer, now=NOW, actor="test")


@pytest.mark.parametrize(
    "rows",
    [
        [row("300.00 per year")],
        [row("30.00 per month")],
        [YEARLY + 'interval = "month"\n', YEARLY + 'interval = "half_year"\n', YEARLY + 'interval = "year"\n'],
        [YEARLY, row("350.00 per year", "2026-05-01", "2026-01-15")],
    ],
)
def test_a_price_that_becomes_no_dearer_needs_no_notice(rows: list[str]) -> None:
    kept(seller("konfidens"), *rows)


def test_a_price_that_was_announced_can_be_put_off_lowered_or_restored() -> None:
    vendor, rise = seller("konfidens"), row("465.00 per year", "2026-08-01", "2026-04-10")
    kept(vendor, YEARLY, rise)
    later = at("2026-06-20")
    kept(vendor, YEARLY, row("465.00 per year", "2026-09-01", "2026-04-10"), now=later)
    kept(vendor, YEARLY, row("400.00 per year", "2026-09-01", "2026-04-10"), now=later)
    kept(vendor, YEARLY, now=later)
    kept(vendor, YEARLY, rise, now=later)
    with pytest.raises(UnfitPolicy, match="becomes dearer on 2026-08-01"):
        kept(vendor, YEARLY, row("500.00 per year", "2026-08-01", "2026-04-10"), now=later)


def test_who_cannot_be_billed_either_way_is_not_told_of(vendor: Vendor) -> None:
    unbilled = customer(vendor, "vast")
    tell(
        subscription=unbilled,
        facts=[fact("start", "2026-04-05"), fact("add_on", "2026-04-05", item="x")],
        now=at("2026-04-05"), actor="test",
    )  # fmt: skip
    assert found(vendor, TEXT + "\n") == []
