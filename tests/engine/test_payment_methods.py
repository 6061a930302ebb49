"""Rules by payment method: what was told before a period begins counts for it, and stays within an invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from prorata.engine.bill import bill
from prorata.engine.intake import read_history
from prorata.engine.policy.plain import tell
from tests.engine.stories import BASE, documents, policy_of, refusals, refused_rows, remembered

WAYS = 'payment_methods = ["card", "invoice"]\n'
AT_ONCE = '[[when]]\npayment_method = "invoice"\nrise.settle = "now"\n'
POLICY = policy_of(WAYS + BASE + AT_ONCE)
ANNA, BEN, CHRIS, DORA = (
    {"at": at, "event": "activate", "user": user}
    for at, user in (("2026-01-01", "anna"), ("2026-01-10", "ben"), ("2026-01-20", "chris"), ("2026-02-10", "dora"))
)
ERIK = {"at": "2026-03-10", "event": "activate", "user": "erik"}
BY_INVOICE = {"at": "2026-01-15", "event": "payment_method", "payment_method": "invoice"}


def totals(*rows: Mapping[str, object], through: date = date(2026, 2, 28), **settings: str) -> list[tuple[str, int]]:
    return [(str(one.date), one.total_minor) for one in documents(rows, POLICY, through, **settings)]


def test_another_payment_method_counts_from_the_next_period_on() -> None:
    # January is by card: Ben's 22 and Chris's 12 days of 31 wait for 1 February, 10.97 beside 3 × 10.00.
    # February is by invoice: Dora's 19 of 28 days, 6.79, are charged at once.
    assert totals(ANNA, BEN, BY_INVOICE, CHRIS, DORA) == [
        ("2026-01-01", 1000), ("2026-02-01", 4097), ("2026-02-10", 679),
    ]  # fmt: skip


def test_a_payment_method_told_after_a_period_began_counts_from_the_one_after_it() -> None:
    late = {**BY_INVOICE, "recorded_at": "2026-02-03"}
    # February is still by card, so Dora waits for 1 March: 6.79 beside 4 × 10.00. Erik's 22 of 31 days: 7.10 at once.
    assert totals(ANNA, BEN, late, CHRIS, DORA, ERIK, through=date(2026, 3, 31)) == [
        ("2026-01-01", 1000), ("2026-02-01", 4097), ("2026-03-01", 4679), ("2026-03-10", 710),
    ]  # fmt: skip


def test_the_first_of_the_policy_is_the_default_unless_something_says_otherwise() -> None:
    waits, at_once = [("2026-01-01", 1000), ("2026-02-01", 2710)], [("2026-01-01", 1000), ("2026-01-10", 710)]
    assert totals(ANNA, BEN, through=date(2026, 2, 1)) == waits  # Ben's 22 of 31 days: 7.10, beside 2 × 10.00
    assert totals(ANNA, BEN, through=date(2026, 1, 31), payment_method="Invoice") == at_once
    start = {"at": "2026-01-01", "event": "start", "payment_method": "invoice"}
    assert totals(start, ANNA, BEN, through=date(2026, 1, 31)) == at_once


def test_within_an_invoice_the_payment_method_stays() -> None:
    text = WAYS + BASE.replace('"month", "year"', '"quarter"') + '[period]\nmeasured = "month"\n' + AT_ONCE
    rows = [ANNA, BY_INVOICE, DORA, {"at": "2026-04-10", "event": "activate", "user": "erik"}]
    told = [(str(one.date), one.total_minor) for one in documents(rows, policy_of(text), date(2026, 4, 30))]
    # The quarter is by card: Dora's 19 of 28 days of February and March, 16.79, wait for April's 2 × 30.00.
    # From April it is by invoice: Erik's 21 of 30 days, and May and June: 27.00 at once.
    assert told == [("2026-01-01", 3000), ("2026-04-01", 7679), ("2026-04-10", 2700)]


def test_a_trial_is_as_long_as_the_payment_method_says() -> None:
    policy = policy_of(WAYS + BASE + '[trial]\ndays = 7\n[[when]]\npayment_method = "invoice"\ntrial.days = 14\n')
    rows = [{"at": "2026-01-01", "event": "trial"}, ANNA]
    for method, first in (("card", date(2026, 1, 8)), ("invoice", date(2026, 1, 15))):
        [document] = documents(rows, policy, date(2026, 1, 31), payment_method=method)
        assert document.date == first


def test_two_runs_with_a_change_of_method_between_them_are_one() -> None:
    history = read_history([ANNA, BEN, BY_INVOICE, CHRIS, DORA], policy=POLICY)
    whole = bill(history, through=date(2026, 3, 1))
    for day in (date(2026, 1, 16), date(2026, 2, 1)):
        first = bill(history, through=day)
        assert first.followed_by(bill(history, through=date(2026, 3, 1), issued=remembered(first))) == whole


def test_a_policy_that_names_no_payment_methods_takes_any_and_heeds_none() -> None:
    rows = [ANNA, {**BY_INVOICE, "payment_method": "cheque"}, DORA]
    told = [str(one.date) for one in documents(rows, policy_of(BASE), date(2026, 2, 28))]
    assert told == ["2026-01-01", "2026-02-01"]


def test_a_payment_method_that_is_none_is_refused_with_those_there_are() -> None:
    row = {"at": "2026-01-15", "event": "payment_method"}
    assert refused_rows([{**row, "payment_method": "invoise"}], POLICY) == (
        "line 2, column payment_method: 'invoise' is not a payment method of policy test; did you mean 'invoice'? "
        "allowed: card, invoice",
    )
    assert refused_rows([row], POLICY) == ("line 2, column payment_method: is empty; payment_method needs it",)
    assert refused_rows([{"at": "2026-01-01", "event": "start"}], POLICY, payment_method="bank") == (
        "--payment-method: 'bank' is not a payment method of policy test; allowed: card, invoice",
    )
    assert refused_rows([{"at": "2026-01-01", "event": "start"}], policy_of(BASE), payment_method="bank") == (
        "--payment-method: policy test names no payment_methods",
    )


BROKEN = {
    "when.payment_method: bank is not one of payment_methods (card, invoice)":
        WAYS + BASE + AT_ONCE + '[[when]]\npayment_method = "bank"\nrise.settle = "month"\n',
    "when.payment_method: invoice is not one of payment_methods (none)": BASE + AT_ONCE,
    "payment_methods would have no effect; no [[when]] names one of them": WAYS + BASE,
    "payment_methods would have no effect; there is but one": 'payment_methods = ["invoice"]\n' + BASE + AT_ONCE,
    "payment_methods: debit would have no effect; no [[when]] names it, so it is the same as card":
        'payment_methods = ["card", "debit", "invoice"]\n' + BASE + AT_ONCE,
    "payment_methods names card twice": 'payment_methods = ["invoice", "card", "card"]\n' + BASE
        + AT_ONCE + AT_ONCE.replace("invoice", "card"),
    "payment_methods.invoice and payment_methods.Invoice differ in capitals only; rename one":
        'payment_methods = ["card", "Invoice", "invoice"]\n' + BASE + AT_ONCE + AT_ONCE.replace("invoice", "Invoice"),
    "payment_methods names none; leave it out": "payment_methods = []\n" + BASE,
    "period.measured can differ by interval only; an invoice that has begun keeps its parts":
        WAYS + BASE + AT_ONCE + 'period.measured = "month"\n',
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_payment_methods_that_cannot_be_meant_are_refused(sentence: str) -> None:
    [told] = refusals(BROKEN[sentence])
    assert told.partition(": ")[2] == sentence


def test_what_differs_by_payment_method_is_told_apart() -> None:
    said = {part.title: [one.text for one in part.sentences] for part in tell(POLICY, interval="month")}
    assert said["Where an account pays by invoice: billed every month"] == [
        "A user added in between is charged for the days left of the month, at once.",
    ]


def test_methods_with_the_same_rules_are_told_together_and_those_like_the_first_with_it() -> None:
    text = 'payment_methods = ["card", "invoice", "bank"]\n' + BASE + AT_ONCE + AT_ONCE.replace("invoice", "bank")
    titles = [part.title for part in tell(policy_of(text), interval="month")]
    assert titles == ["test", "Billed every month", "Where an account pays by invoice or bank: billed every month"]
