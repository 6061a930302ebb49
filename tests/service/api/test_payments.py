"""Payments by the API: recorded, counted, sent back, and what is open said wherever it matters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prorata.invoicing.models import Payment
from prorata.invoicing.verify import verify
from prorata.vendors.models import Vendor
from prorata.webhooks.actions import add_endpoint
from prorata.webhooks.models import Message
from tests.service.api.cast import Caller, refused
from tests.service.world import at


def documents(vera: Caller, more: str = "") -> dict[str, str]:
    """What is open of each document."""
    return {one["document"]: one["open"] for one in vera.get(f"/documents{more}")["items"]}


def test_a_payment_is_recorded_and_counts_for_the_oldest_first(vera: Caller) -> None:
    # two seats PRO on 1 January and on 1 February: 1,398.00 each
    assert documents(vera) == {"invoice-2": "1398.00", "invoice-1": "1398.00"}
    told = {"date": "2026-02-09", "amount": "2000.00", "method": "bank transfer", "reference": "OCR 17"}
    payment = vera.post("/accounts/nord/payments", told)
    assert payment == {
        "id": payment["id"], "account": "nord", "date": "2026-02-09", "currency": "SEK", "amount": "2000.00",
        "method": "bank transfer", "reference": "OCR 17", "left": "0.00", "paid_back": "0.00", "returns": None,
        "counts_for": [{"document": "invoice-1", "amount": "1398.00"}, {"document": "invoice-2", "amount": "602.00"}],
        "recorded_at": "2026-02-10T12:00:00Z", "actor": "token crm",
    }  # fmt: skip
    assert vera.get(f"/payments/{payment['id']}") == payment
    assert vera.get("/payments?account=nord")["items"] == [payment]
    assert vera.get("/payments?left=true")["items"] == []
    assert documents(vera) == {"invoice-2": "796.00", "invoice-1": "0.00"}
    assert documents(vera, "?open=true") == {"invoice-2": "796.00"}
    assert vera.get("/documents/invoice-2")["open"] == "796.00"
    assert vera.get("/accounts/nord/balance") == {
        "currency": "SEK", "to_pay": "796.00", "to_pay_back": "0.00", "left": "0.00",
    }  # fmt: skip


def test_what_is_left_is_said_and_pays_the_next_invoice(vera: Caller, vendor: Vendor) -> None:
    payment = vera.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "3000.00"})
    assert (payment["left"], vera.get("/accounts/nord/balance")["left"]) == ("204.00", "204.00")
    assert vera.get("/payments?left=true")["items"] == [payment]
    vera.post("/clock", {"to": "2026-03-01T12:00:00Z"})
    assert documents(vera, "?open=true") == {"invoice-3": "1194.00"}
    assert vera.get(f"/payments/{payment['id']}")["left"] == "0.00"
    assert list(verify(vendor)) == []


def test_a_payment_goes_from_one_document_to_another_and_back_to_who_paid(vera: Caller) -> None:
    told = {"date": "2026-02-10", "amount": "1500.00", "documents": [{"document": "invoice-2", "amount": "1000.00"}]}
    payment = vera.post("/accounts/nord/payments", told)
    path = f"/payments/{payment['id']}"
    assert (payment["left"], documents(vera)) == ("500.00", {"invoice-2": "398.00", "invoice-1": "1398.00"})
    moved = json.loads(vera.ask("DELETE", f"{path}/allocations/invoice-2").content)
    assert (moved["counts_for"], moved["left"]) == ([], "1500.00")
    moved = vera.post(f"{path}/allocations", {"document": "invoice-1"})
    assert (moved["counts_for"], moved["left"]) == ([{"document": "invoice-1", "amount": "1398.00"}], "102.00")
    back = vera.post(f"{path}/refund", {"date": "2026-02-10", "amount": "2.00"})
    assert (back["amount"], back["left"], back["counts_for"]) == ("-2.00", "0.00", [])
    assert back["returns"] == payment["id"]
    assert vera.get(path)["paid_back"] == "2.00"
    back = vera.post(f"{path}/return", {"date": "2026-02-10", "method": "charged back"})
    assert (back["amount"], back["method"]) == ("-1498.00", "charged back")
    assert documents(vera) == {"invoice-2": "1398.00", "invoice-1": "1398.00"}


def test_who_wants_to_know_is_told_what_was_paid(vera: Caller, vendor: Vendor) -> None:
    add_endpoint(vendor=vendor, url="https://crm.example/hooks", kinds=[], now=at("2026-02-10"))
    payment = vera.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "1398.00"})
    vera.post(f"/payments/{payment['id']}/return", {"date": "2026-02-10"})
    told = [(one.kind, json.loads(one.body)["data"]) for one in Message.objects.order_by("pk")]
    of_it = {"account": "nord", "date": "2026-02-10", "currency": "SEK", "amount": "1398.00"}
    of_it |= {"method": "", "reference": ""}
    assert told == [
        ("document.paid", {"document": "invoice-1", "account": "nord", "currency": "SEK"}),
        ("payment.received", {"payment": payment["id"], "returns": None, **of_it}),
        ("document.reopened", {"document": "invoice-1", "account": "nord", "currency": "SEK", "open": "1398.00"}),
        ("payment.paid_back", {"payment": payment["id"] + 1, "returns": payment["id"], **of_it}),
    ]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"amount": "10"}, 422, "body date: field required"),
        ({"date": "2026-02-10", "amount": "0"}, 422, "body amount: '0' is nothing; write an amount above zero"),
        ({"date": "2026-02-10", "amount": "-5"}, 422, "body amount: '-5' is not an amount; write digits with a point"),
        ({"date": "2026-02-10", "amount": "1.005"}, 422, "body amount: '1.005' has 3 decimals; SEK has 2"),
        ({"date": "2026-02-11", "amount": "1"}, 409, "2026-02-11 has not come yet; it is 2026-02-10 for account nord"),
        (
            {"date": "2026-02-10", "amount": "1", "documents": [{"document": "invoice-1", "amount": "x"}]},
            422,
            "body documents[0].amount: 'x' is not an amount; write digits with a point",
        ),
        ({"date": "2026-02-10", "amount": "1", "documents": [{"document": "invoice-9"}]}, 404, "there is no invoice-9"),
        (
            {"date": "2026-02-10", "amount": "1", "documents": [{"document": "invoice-1", "amount": "2.00"}]},
            409,
            "1.00 SEK are left of the payment, not 2.00 SEK",
        ),
    ],
)
def test_a_payment_that_cannot_be_is_refused(vera: Caller, body: Any, status: int, why: str) -> None:
    [sentence] = refused(vera.ask("POST", "/accounts/nord/payments", body), status)
    assert sentence.startswith(why)
    assert not Payment.objects.exists()


def test_a_payment_is_recorded_once_however_often_it_is_sent(vera: Caller) -> None:
    told = {"date": "2026-02-10", "amount": "10.00", "reference": "R1"}
    first = vera.post("/accounts/nord/payments", told, Idempotency_Key="one")
    assert vera.post("/accounts/nord/payments", told, Idempotency_Key="one") == first
    [sentence] = refused(vera.ask("POST", "/accounts/nord/payments", told), 409)
    assert sentence == f"the reference 'R1' is that of payment {first['id']} already"
