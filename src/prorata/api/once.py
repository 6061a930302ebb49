"""One request is one transaction, and happens once: repeated with its key it gets the same answer again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar, get_type_hints

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Schema, Status
from ninja.errors import HttpError

from prorata.api.tokens import vendor_of
from prorata.engine.intake import near
from prorata.vendors.answers import keep
from prorata.vendors.models import Answer

_View = TypeVar("_View", bound=Callable[..., Any])


def in_steps(view: _View) -> _View:
    """Marks an operation that commits what it does step by step, and that does nothing more when it is repeated."""
    view.in_steps = True  # type: ignore[attr-defined]
    return view


def is_in_steps(view: Callable[..., Any]) -> bool:
    """Whether an operation is marked so."""
    return hasattr(view, "in_steps")


def answered(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """How every operation is answered. What one that writes raises undoes all of it, so that it can be tried again.

    The answer to an `Idempotency-Key` is kept for a week; what was refused is not.
    """

    allowed = _parameters(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        _refuse_others(request, allowed)
        if request.method == "GET" or is_in_steps(view):
            return _http(*_told(view(request, *args, **named)))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 255:
            raise HttpError(400, f"header Idempotency-Key: {len(key)} signs are too many; allowed: 255")
        with transaction.atomic():
            kept, is_new = _keep(request, key, str(named.get("account", ""))) if key else (Answer(), True)
            if is_new:
                result = view(request, *args, **named)
                if isinstance(result, HttpResponse):  # a problem, with something that is kept although it is refused
                    Answer.objects.filter(pk=kept.pk).delete()
                    return result
                kept.status, kept.body = _told(result)
                if key:
                    kept.save(update_fields=["status", "body"])
        response = _http(kept.status, kept.body)
        if not is_new:
            response["Idempotent-Replayed"] = "true"
        return response

    return answer


def _parameters(view: Callable[..., Any]) -> list[str]:
    """What the query of an operation's address may name."""
    found = []
    for name, told in get_type_hints(view, include_extras=True).items():
        of_query = [one for one in getattr(told, "__metadata__", ()) if type(one).__name__ == "Query"]
        found += [getattr(one, "alias", None) or name for one in of_query]
    return found


def _refuse_others(request: HttpRequest, allowed: Sequence[str]) -> None:
    """A parameter that is not known is a mistake: what it was to leave out would be there."""
    for name in request.GET:
        if name not in allowed:
            said = f"{near(name, allowed)}allowed: {', '.join(allowed) or 'none'}"
            raise HttpError(422, f"query {name[:40]}: is not a parameter here; {said}")


def _keep(request: HttpRequest, key: str, account: str) -> tuple[Answer, bool]:
    """The row of a key, and whether it is new; refused where the key was used for something else."""
    asked = sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    kept, is_new = keep(vendor=vendor_of(request), key=key, account=account, sha256=asked, now=datetime.now(UTC))
    if kept.sha256 != asked:
        raise HttpError(422, f"header Idempotency-Key: {key!r} was used for another request; take a new one for this")
    return kept, is_new


def _told(result: Any) -> tuple[int, str]:
    status, value = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    if value is None:
        return status, ""
    assert isinstance(value, Schema)
    return status, value.model_dump_json()


def _http(status: int, body: str) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")
