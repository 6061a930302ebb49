"""The books by the API."""

from __future__ import annotations

import pytest

from tests.service.api.cast import Caller, refused, told


def test_the_journal_tells_what_was_issued_paid_and_earned(vera: Caller) -> None:
    vera.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "1398.00"})
    entries = vera.get("/books?from=2026-01-01&through=2026-01-31")["entries"]
    # issued on the 10th: 9 of 31 days of 1,398.00 were over by then
    assert [(one["debit"], one["credit"], one["amount"], one["reason"]) for one in entries] == [
        ("receivable", "deferred_revenue", "992.13", "invoice-1"),
        ("receivable", "revenue", "405.87", "invoice-1"),
        ("deferred_revenue", "revenue", "992.13", "earned in 2026-01"),
    ]
    assert [(one["date"], one["currency"]) for one in entries] == [
        ("2026-01-10", "SEK"), ("2026-01-10", "SEK"), ("2026-01-31", "SEK"),
    ]  # fmt: skip
    whole = vera.get("/books?through=2026-02-10")["entries"]
    assert whole[: len(entries)] == entries
    paid = [one for one in whole if one["debit"] == "bank"]
    assert [(one["credit"], one["amount"], one["date"]) for one in paid] == [("receivable", "1398.00", "2026-02-10")]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "query through: field required"),
        ("through=2026-02-30", "query through: '2026-02-30' is not a date; write one like 2026-04-01"),
        ("from=2026-01-02&through=2026-01-31", "query from: 2026-01-02 is not the first day of a month, with which"),
        ("from=2026-01-01&through=2026-01-30", "query through: 2026-01-30 is not the last day of a month, as which"),
        ("from=2026-02-01&through=2026-02-28", "query through: the month of 2026-02-28 is not over; hand over its"),
        ("from=2026-02-01&through=2026-01-31", "query from: 2026-02-01 is after 2026-01-31"),
    ],
)
def test_a_part_of_the_books_is_of_months_that_are_over(vera: Caller, query: str, why: str) -> None:
    [sentence] = refused(vera.ask("GET", f"/books?{query}"), 422)
    assert sentence.startswith(why)


def test_ledgers_have_the_numbers_of_the_vendor_s_own_books(vera: Caller) -> None:
    body = {"ledgers": [{"ledger": "bank", "number": "1930", "name": "Företagskonto"}]}
    ledgers = {one["ledger"]: one for one in told(vera.ask("PUT", "/ledgers", body))["ledgers"]}
    assert ledgers["bank"] == {"ledger": "bank", "number": "1930", "name": "Företagskonto"}
    assert ledgers["receivable"]["number"] == ""
    assert vera.get("/ledgers")["ledgers"] == list(ledgers.values())
    [sentence] = refused(vera.ask("PUT", "/ledgers", {"ledgers": [{"ledger": "cash", "number": "1"}]}), 422)
    assert sentence.startswith("body ledgers[0].ledger: input should be 'receivable', 'deferred_revenue', 'revenue'")
    [sentence] = refused(vera.ask("PUT", "/ledgers", {"ledgers": [{"ledger": "bank", "number": "19 30"}]}), 422)
    assert sentence.startswith("body ledgers[0].number: string should match pattern")
