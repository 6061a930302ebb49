"""The API and its description: operations, who may ask for them, and what can be wrong with a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from pydantic import BaseModel

from prorata.api import (
    accounts,
    bill_runs,
    books,
    documents,
    events,
    payments,
    people,
    policies,
    quotes,
    vendor,
    webhooks,
)
from prorata.api.once import answered, is_in_steps
from prorata.api.problems import MEDIA_TYPE, Problem, say_problems
from prorata.api.tokens import Bearer

_DESCRIPTION = """\
Everything a vendor can do, for its programs. A token says which vendor asks and what it may do: `prorata token add`.

Amounts are decimal strings in the currency of the account's policy, such as `"1097.50"`. Days are ISO dates; a stretch
of days is half open: it ends before its `end`. Moments name their zone. What is refused is answered with problem
details (RFC 9457), whose `errors` are sentences. A request that writes does all it says or nothing; with an
`Idempotency-Key` it happens once, however often it is sent within a week; bill runs, verifications and the clock, which
go on where they were, need none. `Prorata-Actor` says for whom the program acts, which is kept with what it records.
"""

# What can be wrong with any request, beside what its operation says.
_PROBLEMS = {
    "400": "The request cannot be read.",
    "401": "No token, or one that does not hold.",
    "403": "The token lacks the scope.",
    "404": "It is not there, or not this vendor's.",
    "409": "It cannot be done as things are.",
    "422": "A value is not what it should be.",
    "503": "The database is busy; ask again.",
}

# What any request that writes may say beside the rest.
_HEADERS: list[dict[str, Any]] = [
    {
        "in": "header",
        "name": "Prorata-Actor",
        "required": False,
        "description": "For whom the program acts, percent-encoded where it is not ASCII.",
        "schema": {"type": "string", "maxLength": 200},
    },
    {
        "in": "header",
        "name": "Idempotency-Key",
        "required": False,
        "description": "A name of your choice for this request; sent again, it gets the same answer.",
        "schema": {"type": "string", "maxLength": 255},
    },
]


class _Parser(Parser):
    """Reads JSON without what no database keeps."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = json.loads(request.body.decode("utf-8"))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except ValueError as error:
            digits = "a number in it has too many digits"
            raise ValueError(digits if "set_int_max_str_digits" in str(error) else str(error)) from None
        for text in _texts(body):
            if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
                raise ValueError(f"{text[:40]!r} holds a sign that is none")
        return body


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


class _Description(OpenAPISchema):
    """The description, with the scope that each operation asks for."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        told = super().operation_details(operation)
        [auth] = operation.auth_callbacks
        assert isinstance(auth, Bearer)
        told["summary"] = operation.view_func.__name__.replace("_", " ").capitalize()
        if "GET" not in operation.methods:
            told["parameters"] += _HEADERS[: 1 if is_in_steps(operation.view_func) else 2]
        told["security"] = [{type(auth).__name__: [auth.scope]}]
        return told


class _Api(NinjaAPI):
    """An API that says of every operation what can be wrong with a request, and of every value what is allowed."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        schema = _Description(self, path_prefix or self.get_root_path(path_params or {}))
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, description in _PROBLEMS.items():
                    operation["responses"].setdefault(status, {"description": description, "content": content})
        return schema

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        error = super().validation_error_from_error_contexts(error_contexts)
        told = [
            (context.model, one) for context in error_contexts for one in context.pydantic_validation_error.errors()
        ]
        for (model, one), said in zip(told, error.errors, strict=True):
            if one["type"] == "extra_forbidden":
                said["allowed"] = list(_within(model, one["loc"][:-1]).model_fields)
        return error


def _within(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of a part of a body."""
    for name in (part for part in path if isinstance(part, str)):
        model = _model_in(model.model_fields[name].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one)) is not None), None)


api = _Api(title="Prorata", version="v1", description=_DESCRIPTION, parser=_Parser(), urls_namespace="api")
say_problems(api)
api.add_decorator(answered)
for part in (vendor, policies, accounts, people, events, quotes, documents, payments, books, bill_runs, webhooks):
    api.add_router("", part.router)
