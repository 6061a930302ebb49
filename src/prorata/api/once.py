"""One request is one transaction, and happens once: repeated with its key it gets the same answer again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Schema, Status
from ninja.errors import HttpError

from prorata.api.models import Answer
from prorata.api.tokens import vendor_of

DAYS_KEPT = 7

_View = TypeVar("_View", bound=Callable[..., Any])


def in_steps(view: _View) -> _View:
    """Marks an operation that commits what it does step by step, and that does nothing more when it is repeated."""
    view.in_steps = True  # type: ignore[attr-defined]
    return view


def answered(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """How every operation is answered. What one that writes raises undoes all of it, so that it can be tried again.

    The answer to an `Idempotency-Key` is kept for a week; what was refused is not.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if request.method == "GET" or hasattr(view, "in_steps"):
            return _http(*_told(view(request, *args, **named)))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 255:
            raise HttpError(400, f"header Idempotency-Key: {len(key)} signs are too many; allowed: 255")
        with transaction.atomic():
            kept, is_new = _keep(request, key) if key else (Answer(), True)
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


def _keep(request: HttpRequest, key: str) -> tuple[Answer, bool]:
    """The row of a key, and whether it is new. Who asks for the same at the same time waits for the first."""
    vendor, now = vendor_of(request), datetime.now(UTC)
    asked = sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    Answer.objects.filter(vendor=vendor, made_at__lt=now - timedelta(days=DAYS_KEPT)).delete()
    try:
        with transaction.atomic():
            return Answer.objects.create(vendor=vendor, key=key, sha256=asked, made_at=now), True
    except IntegrityError:
        kept = Answer.objects.get(vendor=vendor, key=key)
    if kept.sha256 != asked:
        raise HttpError(422, f"header Idempotency-Key: {key!r} was used for another request; take a new one for this")
    return kept, False


def _told(result: Any) -> tuple[int, str]:
    status, value = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    if value is None:
        return status, ""
    assert isinstance(value, Schema)
    return status, value.model_dump_json()


def _http(status: int, body: str) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")
