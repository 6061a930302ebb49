"""The values that requests and answers are made of: days, moments, amounts as decimal strings, names."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from prorata.engine.calendar import YEARS

Amount: TypeAlias = Annotated[
    str, Field(description="An amount in the policy's currency.", examples=["1097.50"], max_length=40)
]
Name: TypeAlias = Annotated[str, Field(max_length=200)]


class In(Schema):
    """What a request says; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


def _day(value: Any) -> date:
    """A date that a string says."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a date; write one like 2026-04-01") from None
    _near(day)
    return day


def _moment(value: Any) -> datetime:
    """A moment that a string says."""
    try:
        if not isinstance(value, str) or value[4:5] + value[7:8] != "--" or len(value) < 19:
            raise ValueError
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{value!r} is not a moment; write one with its zone, like 2026-04-01T09:30:00Z"
        ) from None  # fmt: skip
    _near(moment)
    return moment


def _near(day: date) -> None:
    if day.year not in YEARS:
        raise ValueError(f"{day} is too far away; write a year from {YEARS[0]} to {YEARS[-1]}")


def _key(text: str) -> str:
    if "/" in text or not text.isprintable():
        raise ValueError(f"{text!r} has a sign that a key cannot have; allowed: all that can be printed, but no /")
    return text


def _user(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError(
            f"{text!r} cannot be what a person is called; leave out spaces at its ends and what is not seen"
        )
    return text


def _country(text: str) -> str:
    if not re.fullmatch("([A-Z]{2})?", text):
        raise ValueError(f"{text!r} is not a country; write two capital letters, such as SE")
    return text


def _email(text: str) -> str:
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise ValueError(f"{text!r} is not an e-mail address") from None
    return text


Email: TypeAlias = Annotated[str, Field(max_length=254, examples=["anna@example.com"]), AfterValidator(_email)]
Copy: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=254, examples=["books@example.com"]), AfterValidator(_email)
]
Country: TypeAlias = Annotated[
    str,
    AfterValidator(_country),
    Field(description="Two letters, by ISO 3166-1.", json_schema_extra={"pattern": "^([A-Z]{2})?$"}),
]
Day: TypeAlias = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment: TypeAlias = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
User: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_user)]
Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_key)]


class PartyIn(In):
    """Who sells or buys, as documents name them; what is left out stays as it is."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    organisation_number: Annotated[str, Field(max_length=40)] | None = None
    vat_number: Annotated[str, Field(max_length=40)] | None = None
    address: Annotated[str, Field(max_length=2000, description="What stands above the city, in lines.")] | None = None
    postal_code: Annotated[str, Field(max_length=20)] | None = None
    city: Annotated[str, Field(max_length=100)] | None = None
    country: Country | None = None
