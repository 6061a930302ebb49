"""Rows as bare tuples, read and written many at a time, where a model for each would cost more than the work itself.

In such a row a moment, or a time on an account's own clock, is a whole number: the microseconds since the beginning of
the year 2000, as PostgreSQL itself keeps them. Days are dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from django.db import connection
from django.db.models import DateTimeField, Field, Model, QuerySet, TextField, Value
from django.db.models.functions import NullIf
from psycopg.types.numeric import Int8BinaryLoader

from prorata.database.local_time import LocalTimeField

Row: TypeAlias = tuple[Any, ...]
Microseconds: TypeAlias = int

_EPOCH, _ONE = datetime(2000, 1, 1), timedelta(microseconds=1)
_TYPES = {"date": "date", "boolean": "bool", "smallint": "int2", "integer": "int4", "bigint": "int8"}


def microseconds_of(at: datetime) -> Microseconds:
    """A moment, or where it names no zone a time on an account's own clock, as the rows have it."""
    return (at.replace(tzinfo=None) - (at.utcoffset() or timedelta()) - _EPOCH) // _ONE


def time_of(microseconds: Microseconds) -> datetime:
    """A time as it was before microseconds_of, in UTC, without its zone."""
    return _EPOCH + timedelta(microseconds=microseconds)


def spoken(model: type[Model], name: str, value: Any) -> str:
    """A value of a row for reading."""
    return str(time_of(value)) if value is not None and _is_time(_field(model, name)) else str(value)


def rows_of(asked: QuerySet[Any, Row]) -> list[Row]:
    """What a values_list asks for."""
    sql, params = asked.query.sql_with_params()
    if connection.vendor == "postgresql":
        with _postgresql() as cursor:
            for name in ("timestamptz", "timestamp"):
                cursor.adapters.register_loader(name, Int8BinaryLoader)
            return cursor.execute(sql.encode(), params, binary=True).fetchall()
    with connection.cursor() as django_cursor:
        django_cursor.execute(sql, params)
        found = django_cursor.fetchall()
    return [tuple(microseconds_of(one) if isinstance(one, datetime) else one for one in row) for row in found]


def unless_empty(name: str) -> NullIf:
    """A column of a text, or no value where that is empty, which is read in half the time."""
    return NullIf(name, Value(""), output_field=TextField())


def add_rows(model: type[Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes new rows with these columns; what is left out gets its default from the database."""
    fields = [_field(model, name) for name in names]
    table, columns = model._meta.db_table, ", ".join(f'"{field.column}"' for field in fields)
    if connection.vendor == "postgresql":
        with (
            _postgresql() as cursor,
            cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN (FORMAT BINARY)'.encode()) as copy,
        ):
            copy.set_types([_type_of(field) for field in fields])
            write = copy.write_row
            for row in rows:
                write(row)
        return
    places = ", ".join(["%s"] * len(fields))
    with connection.cursor() as django_cursor:
        django_cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', list(_as_text(fields, rows)))


def set_rows(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Writes columns of rows that there are; the first is the primary key."""
    fields = [_field(model, name) for name in names]
    table, (key, *others) = model._meta.db_table, fields
    if connection.vendor == "postgresql":
        casts = ", ".join(f"%s::{_type_of(field)}[]" for field in fields)
        told = ", ".join(f'"{field.column}" = {_value_of(field)}' for field in others)
        columns = ", ".join(f'"{field.column}"' for field in fields)
        sql = f'UPDATE "{table}" SET {told} FROM unnest({casts}) AS new ({columns}) WHERE "{table}".id = new.id'
        with _postgresql() as cursor:
            cursor.execute(
                sql.encode(), [array_of(column) for column in zip(*rows, strict=True)] or ["{}"] * len(fields)
            )
        return
    told = ", ".join(f'"{field.column}" = %s' for field in others)
    values = [(*row[1:], row[0]) for row in _as_text(fields, rows)]
    with connection.cursor() as django_cursor:
        django_cursor.executemany(f'UPDATE "{table}" SET {told} WHERE "{key.column}" = %s', values)


def array_of(values: Iterable[object]) -> str:
    """Values as PostgreSQL writes an array; the driver takes ten times as long to make one of a list."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def next_ids(model: type[Model], count: int) -> list[int]:
    """As many ids as there will be new rows, which nobody else is given."""
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        sql = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        with _postgresql() as cursor:
            return [one for (one,) in cursor.execute(sql, [table, count])]
    with connection.cursor() as django_cursor:
        django_cursor.execute(f'SELECT coalesce(max(id), 0) FROM "{table}"')
        [(last,)] = django_cursor.fetchall()
    return list(range(last + 1, last + 1 + count))


@contextmanager
def _postgresql() -> Iterator[psycopg.Cursor[Row]]:
    """A cursor of the driver's own, in the transaction that Django has open; what it raises are Django's errors."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _is_time(field: Field[Any, Any]) -> bool:
    return isinstance(field, DateTimeField | LocalTimeField)


def _type_of(field: Field[Any, Any]) -> str:
    """The type as which a column is sent; a time is sent as the number it is kept as."""
    name = (field.rel_db_type(connection) if field.primary_key else field.db_type(connection)) or ""
    return "int8" if _is_time(field) else _TYPES.get(name, "text")


def _value_of(field: Field[Any, Any]) -> str:
    """What becomes of a column of numbers that was sent."""
    column = f'new."{field.column}"'
    if not _is_time(field):
        return column
    zone = "tz" if isinstance(field, DateTimeField) else ""
    return f"timestamp{zone} '2000-01-01{' 00:00+00' if zone else ''}' + {column} * interval '1 microsecond'"


def _as_text(fields: Sequence[Field[Any, Any]], rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with times and days as SQLite keeps them."""
    convert: list[Callable[[Any], Any] | None] = [_time_as_text if _is_time(field) else None for field in fields]
    for row in rows:
        yield tuple(
            value if value is None else to(value) if to else str(value) if isinstance(value, date) else value
            for to, value in zip(convert, row, strict=True)
        )


def _time_as_text(microseconds: Microseconds) -> str:
    return str(time_of(microseconds))
