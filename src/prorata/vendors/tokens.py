"""Tokens: how a vendor's programs are let in, made once, shown once and found again by their digest."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, TypeAlias

from prorata.vendors.models import Token, Vendor

Scope: TypeAlias = Literal["read", "people", "agreements", "billing", "payments", "settings"]

# What each scope lets a program do.
SCOPES: Mapping[Scope, str] = {
    "read": "see everything of the vendor",
    "people": "invite, let in and remove members, and give them roles",
    "agreements": "open and change accounts, record any event, make and accept quotes",
    "billing": "run bills and verify them",
    "payments": "record what was paid and what went back, and what it counts for",
    "settings": "change policies, webhooks and the test clock, delete accounts",
}
_MARK = "prorata_"  # by which programs that look for lost secrets know one of ours


def make_token(
    *, vendor: Vendor, name: str, scopes: Collection[Scope], now: datetime, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token, and its text, which is told this once. It has 256 random bits, so that its digest needs no salt."""
    assert set(scopes) <= set(SCOPES)
    text = _MARK + secrets.token_urlsafe(32)
    told = [scope for scope in SCOPES if scope in scopes]
    token = Token(
        vendor=vendor, name=name, sha256=_digest(text), scopes=told, made_at=now, expires_at=expires_at
    )  # fmt: skip
    token.full_clean()
    token.save()
    return token, text


def token_of(text: str) -> Token | None:
    """The token of a text, if it holds today."""
    now = datetime.now(UTC)
    token = Token.objects.select_related("vendor").filter(sha256=_digest(text), revoked_at=None).first()
    if token is None or (token.expires_at is not None and token.expires_at <= now):
        return None
    if token.used_on != now.date():
        Token.objects.filter(pk=token.pk).update(used_on=now.date())
    return token


def revoke_token(*, token: Token, now: datetime) -> None:
    """The token lets nobody in any more."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
