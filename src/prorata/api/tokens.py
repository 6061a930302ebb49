"""Who is let in: a program with a token of its vendor's, to what the token's scopes allow."""

from __future__ import annotations

from typing import cast
from urllib.parse import unquote

from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from prorata.vendors.models import Token, Vendor
from prorata.vendors.tokens import Scope, token_of


class Bearer(HttpBearer):
    """Lets in who shows a token with a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__()

    def authenticate(self, _request: HttpRequest, token: str) -> Token | None:
        found = token_of(token)
        if found is not None and self.scope not in found.scopes:
            has = ", ".join(found.scopes) or "none"
            raise AuthorizationError(message=f"this asks for the scope {self.scope}; token {found.name} has: {has}")
        return found


def vendor_of(request: HttpRequest) -> Vendor:
    """The vendor whose token was shown."""
    return _token(request).vendor


def actor_of(request: HttpRequest) -> str:
    """Who acts: the token, and whoever the program says that it acts for, percent-encoded where it is not ASCII."""
    behind = " ".join(unquote(request.headers.get("Prorata-Actor", "")).split())[:80]
    token = f"token {_token(request).name}"
    return f"{behind} ({token})" if behind else token


def _token(request: HttpRequest) -> Token:
    return cast(Token, request.auth)  # type: ignore[attr-defined]  # what ninja keeps there is not typed
