"""What is refused, as problem details by RFC 9457: a status, and sentences that name the place and what is allowed."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.main import Exc
from pydantic import Field

from prorata.database.refused import Refused
from prorata.engine.intake import IntakeError
from prorata.engine.policy.reading import PolicyError
from prorata.engine.refusal import CannotBill
from prorata.invoicing.actions.advance_clock import ClockRefused
from prorata.invoicing.actions.run_bills import NotYet
from prorata.vendors.actions import UnfitPolicy
from prorata.vendors.queries import NoPolicy

MEDIA_TYPE = "application/problem+json"


class Problem(Schema):
    """Why a request was refused."""

    type: str = Field(description="Always about:blank: the status says which kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="Why, in sentences.")
    errors: list[str] = Field(description="The same, sentence by sentence, each with the place it is about.")


class Gone(Exception):
    """Something that is not there, or not for who asks; says what."""


def problem(status: int, sentences: Sequence[str], **more: Any) -> HttpResponse:
    """The answer to a request that is refused; `more` is what is told besides."""
    told = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail="\n".join(sentences),
        errors=list(sentences),
    )
    body = json.dumps({**told.model_dump(), **more}, ensure_ascii=False)
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def say_problems(api: NinjaAPI) -> None:
    """Answers whatever an operation raises with its problem."""
    for raised, status in _STATUS.items():
        api.add_exception_handler(raised, _answering(status))
    api.add_exception_handler(AuthenticationError, _who_are_you)
    api.add_exception_handler(OperationalError, _busy)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _invalid)


_STATUS: Mapping[type[Exception], int] = {
    Gone: 404,
    Http404: 404,
    Refused: 409,
    CannotBill: 409,
    ClockRefused: 409,
    NoPolicy: 409,
    NotYet: 422,
    IntakeError: 422,
    PolicyError: 422,
    UnfitPolicy: 422,
    ModelError: 422,
}


def _answering(status: int) -> Callable[[HttpRequest, Any], HttpResponse]:
    def answer(_request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(status, _sentences(error))

    return answer


def _sentences(error: Exception) -> Sequence[str]:
    if isinstance(error, Refused | IntakeError):
        return [_ROW.sub(r"body \1.\2: ", sentence) for sentence in error.sentences]
    if isinstance(error, ModelError):
        return [f"{name}: {sentence}" for name, told in error.message_dict.items() for sentence in told]
    return str(error).splitlines()


def _who_are_you(_request: HttpRequest, _error: Exc[AuthenticationError]) -> HttpResponse:
    answer = problem(401, ["say who you are: Authorization: Bearer TOKEN, with a token that was not revoked"])
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def _busy(_request: HttpRequest, error: Exc[OperationalError]) -> HttpResponse:
    """Somebody else holds what this needs, for too long; or the database cannot be reached."""
    logging.getLogger(__name__).error("the database is busy: %s", error)
    answer = problem(503, ["the database is busy, and nothing was done; ask again in a while"])
    answer["Retry-After"] = "5"
    return answer


def _http_error(_request: HttpRequest, error: Exc[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    said = str(error)
    if error.status_code == 400 and error.__cause__ is not None:
        said = f"the request cannot be read: {error.__cause__}"
    return problem(error.status_code, [said])


def _invalid(_request: HttpRequest, error: Exc[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)
    return problem(422, [_sentence(one) for one in error.errors])


_ROW = re.compile(r"^(events\[[0-9]+\]), column (\w+): ")  # as a row of a file is called


def _sentence(error: Mapping[str, Any]) -> str:
    """What is wrong with a value: where it stands, and what is allowed there."""
    source, *path = error["loc"]
    if source == "body":
        path = path[1:]  # the name that the body has within the program
    place = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path).lstrip(".")
    said = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    if "allowed" in error:
        said = f"is not a field here; allowed: {', '.join(error['allowed'])}"
    return f"{source} {place}: {said[:1].lower()}{said[1:]}" if place else f"{source}: {said[:1].lower()}{said[1:]}"
