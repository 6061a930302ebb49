"""Long lists come in pages, each with a cursor that leads to the next, whatever is added meanwhile."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query, Schema
from ninja.errors import HttpError
from pydantic import Field

_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")

Cursor = Annotated[str, Query(description="Where to go on: `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


class Page(Schema, Generic[_Item]):
    """A part of a list."""

    items: list[_Item]
    next: str | None = Field(description="The cursor of the page after this one; null on the last.")


def page(
    rows: QuerySet[_Row],
    cursor: str,
    limit: int,
    told: Callable[[Sequence[_Row]], Sequence[_Item]],
    *,
    newest_first: bool = False,
) -> Page[_Item]:
    """The page behind a cursor, in the order in which rows were written, or the other way round."""
    rows = rows.order_by("-pk" if newest_first else "pk")
    if cursor:
        last = _decoded(cursor)
        rows = rows.filter(pk__lt=last) if newest_first else rows.filter(pk__gt=last)
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return Page(items=list(told(found[:limit])), next=_encoded(found[limit - 1].pk) if more else None)


def _encoded(pk: int) -> str:
    return urlsafe_b64encode(str(pk).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        last = int(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not 0 <= last < 2**63:
            raise ValueError
    except ValueError:
        raise HttpError(422, f"query cursor: {cursor!r} is no cursor; take `next` of the page before") from None
    return last
