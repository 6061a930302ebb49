"""Requests by the thousand, made from the API's description, good ones and bad ones: none finds an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from prorata.policies import policy_text
from prorata.site.wsgi import application
from prorata.vendors.models import Vendor
from tests.service.api.cast import Caller, program
from tests.service.world import at, seller

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]
_THERE = {"account": "nord", "document": "invoice-1", "name": "mainter", "user": "anna"}


@schema.hook
def map_path_parameters(_context: object, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the requests name what there is."""
    if path_parameters is None:
        return None
    named = dict(path_parameters)
    for name, value in named.items():
        if name in _THERE and len(str(value)) % 2:
            named[name] = _THERE[name]
        elif name in ("event", "quote", "run", "payment") and isinstance(value, int) and value % 2:
            named[name] = 1 + value % 5
    return named


# What an event of each kind may well say.
_SAID: dict[str, dict[str, Any]] = {
    **{kind: {"user": "dora"} for kind in ("invite", "activate", "activity")},
    **{kind: {"user": "ben"} for kind in ("accept", "deactivate", "suspend", "resume")},
    "role": {"user": "anna", "role": "free"},
    "seats": {"quantity": 7},
    "plan": {"plan": "BASIC"},
    "trial_plan": {"plan": "PRO", "until": "2026-04-01"},
    "add_on": {"item": "help", "price": "12.50"},
    "remove_add_on": {"item": "help"},
    "interval": {"interval": "year"},
    "payment_method": {"payment_method": "card"},
    "cancel": {"reason": "too dear", "until": "2026-06-01"},
    "credit": {"amount": "10.00"},
}
_SENSIBLE: dict[str, Any] = {
    "to": "2026-03-15T12:00:00Z",
    "through": "2026-02-10",
    "text": policy_text("mainter"),
    "country": "SE",
    "email": "anna@example.com",
    "policy": "mainter",
    "plan": "PRO",
    "interval": "month",
    "account": "nord",
    "date": "2026-02-10",
    "amount": "10.00",
    "document": "invoice-1",
}


@schema.hook
def map_body(_context: object, body: Any) -> Any:
    """Half of the requests say what makes sense."""
    if not isinstance(body, dict) or len(str(body)) % 2:
        return body
    told = {name: _SENSIBLE.get(name, value) for name, value in body.items()}
    if isinstance(told.get("documents"), list):
        told["documents"] = [{"document": "invoice-1", "amount": "1.00"}]
    for name in ("events", "users"):
        some = told.get(name)
        if isinstance(some, list):
            told[name] = [_sensible(one) if isinstance(one, dict) else one for one in some]
    return told


def _sensible(one: dict[str, Any]) -> dict[str, Any]:
    of_account = {"account": "nord"} if "account" in one else {}
    if "event" not in one:
        return {"user": "anna", "role": "paying", **of_account}
    return {"event": one["event"], **_SAID.get(str(one["event"]), {}), **of_account}


@pytest.fixture
def vera() -> Iterator[Caller]:
    """The vendor's program; from then on the test's connection stays open, as with Django's own test client."""
    vendor = seller()
    Vendor.objects.filter(pk=vendor.pk).update(test_clock=at("2026-01-10"))
    caller = program(vendor)
    people = [{"event": "activate", "user": user, "at": "2026-01-01"} for user in ("anna", "ben")]
    caller.post("/accounts", {"key": "nord", "plan": "PRO", "events": people})
    caller.post("/clock", {"to": "2026-02-10T12:00:00Z"})
    for _ in range(3):
        caller.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "2000.00"})
    caller.post("/accounts/nord/quotes", {"events": [{"event": "activate", "user": "chris"}]})
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield caller
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_no_request_finds_an_error_or_an_answer_that_is_not_described(case: Case[Any], vera: Caller) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {vera.token}"}, checks=_CHECKS)
