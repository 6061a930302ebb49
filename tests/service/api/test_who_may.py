"""Every operation, asked for by everybody: by whom it may, by whom it may not, and by programs of another vendor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from prorata.api.main import api
from prorata.policies import policy_text
from prorata.vendors.models import Vendor
from prorata.vendors.tokens import SCOPES, Scope
from tests.service.api.cast import Caller, expired, program, refused, revoked
from tests.service.api.conftest import sandbox

_JOINS = {"events": [{"event": "activate", "user": "chris"}]}

# Each operation: the scope it asks for, where it is asked for, what with, and what it answers who may.
OPERATIONS: dict[str, tuple[Scope, str, Any, int]] = {
    "GET /vendor": ("read", "/vendor", None, 200),
    "PATCH /vendor": ("settings", "/vendor", {"city": "Uppsala"}, 200),
    "POST /clock": ("settings", "/clock", {"to": "2026-02-11T12:00:00Z"}, 200),
    "GET /policies": ("read", "/policies", None, 200),
    "GET /policies/{name}": ("read", "/policies/mainter", None, 200),
    "PUT /policies/{name}": ("settings", "/policies/mainter", {"text": policy_text("mainter") + "\n"}, 200),
    "POST /policies/{name}/effects": ("settings", "/policies/mainter/effects", {"text": policy_text("mainter")}, 200),
    "GET /accounts": ("read", "/accounts", None, 200),
    "POST /accounts": ("agreements", "/accounts", {"key": "syd"}, 201),
    "GET /accounts/{account}": ("read", "/accounts/nord", None, 200),
    "PATCH /accounts/{account}": ("agreements", "/accounts/nord", {"name": "Nord"}, 200),
    "DELETE /accounts/{account}": ("settings", "/accounts/gone", None, 204),
    "GET /accounts/{account}/members": ("read", "/accounts/nord/members", None, 200),
    "GET /accounts/{account}/members/{user}": ("read", "/accounts/nord/members/anna", None, 200),
    "POST /accounts/{account}/members/{user}/{verb}": ("people", "/accounts/nord/members/dora/invite", None, 201),
    "POST /reconciliations": ("people", "/reconciliations", {"users": [{"account": "nord", "user": "anna"}]}, 200),
    "GET /accounts/{account}/events": ("read", "/accounts/nord/events", None, 200),
    "POST /accounts/{account}/events": ("agreements", "/accounts/nord/events", _JOINS, 201),
    "GET /accounts/{account}/events/{event}": ("read", "/accounts/nord/events/{event}", None, 200),
    "POST /accounts/{account}/events/{event}/withdrawal": (
        "agreements", "/accounts/nord/events/{event}/withdrawal", None, 201,
    ),
    "POST /events": (
        "agreements", "/events", {"events": [{"account": "nord", "event": "activate", "user": "eva"}]}, 201,
    ),
    "GET /accounts/{account}/preview": ("read", "/accounts/nord/preview", None, 200),
    "POST /accounts/{account}/quotes": ("agreements", "/accounts/nord/quotes", _JOINS, 201),
    "GET /quotes/{quote}": ("read", "/quotes/{quote}", None, 200),
    "POST /quotes/{quote}/acceptance": ("agreements", "/quotes/{quote}/acceptance", None, 201),
    "GET /documents": ("read", "/documents", None, 200),
    "GET /documents/{document}": ("read", "/documents/invoice-1", None, 200),
    "GET /documents/{document}/explanation": ("read", "/documents/invoice-1/explanation", None, 200),
    "POST /verifications": ("billing", "/verifications", {"account": "nord"}, 200),
    "POST /accounts/{account}/payments": (
        "payments", "/accounts/nord/payments", {"date": "2026-02-10", "amount": "10.00"}, 201,
    ),
    "GET /accounts/{account}/balance": ("read", "/accounts/nord/balance", None, 200),
    "GET /payments": ("read", "/payments", None, 200),
    "GET /payments/{payment}": ("read", "/payments/{payment}", None, 200),
    "POST /payments/{payment}/allocations": (
        "payments", "/payments/{payment}/allocations", {"document": "invoice-1", "amount": "0.50"}, 201,
    ),
    "DELETE /payments/{payment}/allocations/{document}": (
        "payments", "/payments/{payment}/allocations/invoice-1", None, 200,
    ),
    "POST /payments/{payment}/return": ("payments", "/payments/{payment}/return", {"date": "2026-02-10"}, 201),
    "POST /payments/{payment}/refund": ("payments", "/payments/{payment}/refund", {"date": "2026-02-10"}, 201),
    "POST /documents/{document}/refund": ("payments", "/documents/invoice-1/refund", {"date": "2026-02-10"}, 409),
    "GET /books": ("read", "/books?through=2026-02-28", None, 200),
    "GET /ledgers": ("read", "/ledgers", None, 200),
    "PUT /ledgers": ("settings", "/ledgers", {"ledgers": [{"ledger": "bank", "number": "1930"}]}, 200),
    "GET /bill-runs": ("read", "/bill-runs", None, 200),
    "POST /bill-runs": ("billing", "/bill-runs", {"through": "2026-02-10", "account": "nord"}, 200),
    "GET /bill-runs/{run}": ("read", "/bill-runs/{run}", None, 200),
    "GET /bill-runs/{run}/problems": ("read", "/bill-runs/{run}/problems", None, 200),
    "GET /webhooks": ("read", "/webhooks", None, 200),
    "POST /webhooks": ("settings", "/webhooks", {"url": "https://crm.example/hooks"}, 201),
    "GET /webhooks/{webhook}": ("read", "/webhooks/{webhook}", None, 200),
    "PATCH /webhooks/{webhook}": ("settings", "/webhooks/{webhook}", {"enabled": False}, 200),
    "DELETE /webhooks/{webhook}": ("settings", "/webhooks/{webhook}", None, 204),
    "POST /webhooks/{webhook}/secret": ("settings", "/webhooks/{webhook}/secret", None, 201),
    "POST /webhooks/{webhook}/test": ("settings", "/webhooks/{webhook}/test", None, 201),
    "GET /webhooks/{webhook}/deliveries": ("read", "/webhooks/{webhook}/deliveries", None, 200),
    "POST /webhooks/{webhook}/deliveries/{delivery}/replay": (
        "settings", "/webhooks/{webhook}/deliveries/{delivery}/replay", None, 201,
    ),
}  # fmt: skip
# What another vendor's program is told where nothing of ours is named: it sees its own, or changes it.
_ITS_OWN = {
    "GET /vendor", "PATCH /vendor", "POST /clock", "GET /policies", "GET /policies/{name}", "PUT /policies/{name}",
    "POST /policies/{name}/effects", "GET /accounts", "POST /accounts", "GET /documents", "GET /bill-runs",
    "GET /webhooks", "POST /webhooks", "GET /payments", "GET /books",
    "GET /ledgers", "PUT /ledgers",
}  # fmt: skip
_REFUSED = {"POST /events": 422, "POST /reconciliations": 409}  # which name an account in what they say


@pytest.fixture
def ids(vera: Caller) -> dict[str, int]:
    """What the vendor has, beside its account: one that has left, an event, a quote, a run."""
    told = vera.post("/accounts/nord/events", {"events": [{"event": "activate", "user": "fred"}]})
    quote = vera.post("/accounts/nord/quotes", {"events": [{"event": "activate", "user": "gina"}]})
    vera.post("/accounts", {"key": "gone"})
    for_it = {"documents": [{"document": "invoice-1", "amount": "1.00"}]}
    payment = vera.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "10.00", **for_it})["id"]
    run = vera.get("/bill-runs?limit=1")["items"][0]["id"]
    webhook = vera.post("/webhooks", {"url": "https://crm.example/hooks", "kinds": ["webhook.test"]})["id"]
    delivery = vera.post(f"/webhooks/{webhook}/test")["id"]
    event = told["events"][0]["id"]
    named = {"event": event, "quote": quote["id"], "run": run, "webhook": webhook, "delivery": delivery}
    return {**named, "payment": payment}


def test_every_operation_is_asked_for_here() -> None:
    assert sorted(OPERATIONS) == sorted(_described())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_is_for_whoever_has_its_scope_and_nobody_else(
    operation: str, vera: Caller, vendor: Vendor, ids: dict[str, int]
) -> None:
    scope, path, body, status = OPERATIONS[operation]
    method, path = operation.split(maxsplit=1)[0], path.format(**ids)
    before = _rows()
    for nobody in (Caller(), Caller("prorata_x"), Caller(f"{vera.token}x"), revoked(vendor), expired(vendor)):
        answer = nobody.ask(method, path, body)
        [sentence] = refused(answer, 401)
        assert sentence.startswith("say who you are: Authorization: Bearer TOKEN")
        assert answer["WWW-Authenticate"] == "Bearer"
    others = [one for one in SCOPES if one != scope]
    [sentence] = refused(program(vendor, *others, name="crm").ask(method, path, body), 403)
    assert sentence == f"this asks for the scope {scope}; token crm has: {', '.join(others)}"
    assert _rows() == before
    answer = program(vendor, scope).ask(method, path, body)
    assert answer.status_code == status, answer.content.decode()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_another_vendor_sees_and_changes_nothing_of_it(operation: str, vera: Caller, ids: dict[str, int]) -> None:
    _, path, body, _ = OPERATIONS[operation]
    dora = program(sandbox("other"))
    before = {path: vera.ask("GET", path).content for path in _seen(ids)}
    answer = dora.ask(operation.split(maxsplit=1)[0], path.format(**ids), body)
    if operation in _ITS_OWN:
        assert answer.status_code < 300, answer.content.decode()
        assert b"nord" not in answer.content.lower()
    else:
        refused(answer, _REFUSED.get(operation, 404))
    assert {path: vera.ask("GET", path).content for path in _seen(ids)} == before


def test_a_list_of_another_vendor_is_its_own(vera: Caller) -> None:
    vera.post("/webhooks", {"url": "https://crm.example/hooks"})
    dora = program(sandbox("other"))
    for path in ("/accounts", "/documents", "/bill-runs", "/webhooks"):
        assert vera.get(path)["items"]
        assert dora.get(path)["items"] == []
    assert dora.get("/vendor")["key"] == "other"


def _seen(ids: dict[str, int]) -> list[str]:
    """Everything that can be looked at."""
    return [path.format(**ids) for name, (_, path, _, _) in OPERATIONS.items() if name.startswith("GET")]


def _described() -> Iterator[str]:
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method in operations:
            yield f"{method.upper()} {path.removeprefix('/api/v1')}"


def _rows() -> dict[str, int]:
    """How many rows of each kind there are, but for tokens."""
    models = [model for model in apps.get_models() if model.__module__.startswith("prorata.")]
    return {model.__name__: model.objects.count() for model in models if model.__name__ != "Token"}  # type: ignore[attr-defined]


def test_the_description_is_open_and_its_page_fetches_nothing_elsewhere() -> None:
    answer = Caller().ask("GET", "/openapi.json")
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"] == "3.1.0"
    page = Caller().ask("GET", "/docs")
    assert page.status_code == 200
    assert b"//" not in page.content.replace(b"<!DOCTYPE html>", b"").replace(b"</", b"")
