"""A column of the time on an account's own clock: a day, or where a policy counts more exactly a day with its time."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _Field: TypeAlias = models.Field[date | datetime | None, datetime | None]
else:
    _Field = models.Field


class LocalTimeField(_Field):
    """A timestamp without time zone. A date is the beginning of its day; periods are half open, as everywhere."""

    description = "a time on the account's own clock"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "timestamp" if connection.vendor == "postgresql" else "datetime"

    def get_internal_type(self) -> str:
        return "LocalTimeField"

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime.combine(value, time.min)
        return value

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return str(value) if isinstance(value, datetime) and connection.vendor == "sqlite" else value

    def from_db_value(self, value: Any, _expression: object, _connection: object) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> Any:
        return datetime.fromisoformat(value) if isinstance(value, str) else self.get_prep_value(value)
