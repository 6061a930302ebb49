"""Signatures by the Standard Webhooks scheme, version 1.0: by them a receiver knows who told it, and when."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable

_MARK = "whsec_"


def new_secret() -> str:
    """A secret of 256 random bits."""
    return _MARK + b64encode(secrets.token_bytes(32)).decode()


def headers_of(*, message: str, sent: int, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The headers that go with a message of an id, sent at a moment (in seconds since 1970), signed with each key."""
    signed = f"{message}.{sent}.{body}".encode()
    signatures = (hmac.digest(b64decode(key.removeprefix(_MARK)), signed, "sha256") for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(sent),
        "webhook-signature": " ".join(f"v1,{b64encode(one).decode()}" for one in signatures),
    }
