"""References in tables that grow by the million, where a check and an index for each would cost more than the rows."""

from __future__ import annotations

from typing import Any, TypeAlias

from django.db import models

Reference: TypeAlias = models.ForeignKey[Any, Any]


def unchecked(to: type[models.Model] | str, *, null: bool = False, related_name: str = "+") -> Reference:
    """A reference that the database does not check when a row is written, and has no index of its own for.

    What it refers to the database never deletes (see Kept), and it is only written by code that has just read or
    written what it names; verify looks for references to nothing. Decision 0026 has the measurements.
    """
    return models.ForeignKey(
        to, models.PROTECT, null=null, related_name=related_name, db_constraint=False, db_index=False
    )
