"""Who asks: programs with a token of the vendor, of another one, with one that no longer holds, and with none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from prorata.vendors.models import Vendor
from prorata.vendors.tokens import SCOPES, Scope, make_token, revoke_token


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that asks, with a token or without."""

    token: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """The answer to a request to /api/v1."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        answer = Client().generic(method, f"/api/v1{path}", data, content_type="application/json", headers=sent)
        assert isinstance(answer, HttpResponse)
        return answer

    def get(self, path: str) -> Any:
        return told(self.ask("GET", path))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return told(self.ask("POST", path, body, **headers))


def told(answer: HttpResponse) -> Any:
    """What an answer says; that it was refused is a mistake of the test."""
    assert answer.status_code < 400, answer.content.decode()
    return json.loads(answer.content) if answer.content else None


def refused(answer: HttpResponse, status: int) -> list[str]:
    """The sentences of a problem."""
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert problem["status"] == status
    assert problem["detail"] == "\n".join(problem["errors"])
    assert problem["errors"]
    sentences: list[str] = problem["errors"]
    return sentences


def program(vendor: Vendor, *scopes: Scope, name: str = "crm") -> Caller:
    """A program of the vendor, with these scopes or with all."""
    _, text = make_token(vendor=vendor, name=name, scopes=scopes or list(SCOPES), now=datetime.now(UTC))
    return Caller(text)


def revoked(vendor: Vendor) -> Caller:
    """A program whose token was revoked."""
    token, text = make_token(vendor=vendor, name="old", scopes=list(SCOPES), now=datetime.now(UTC))
    revoke_token(token=token, now=datetime.now(UTC))
    return Caller(text)


def expired(vendor: Vendor) -> Caller:
    """A program whose token held until yesterday."""
    now = datetime.now(UTC)
    yesterday = now - timedelta(days=1)
    _, text = make_token(
        vendor=vendor, name="old", scopes=list(SCOPES), now=now - timedelta(days=9), expires_at=yesterday
    )
    return Caller(text)
