"""Reading as of one moment, while others write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def of_one_moment() -> Iterator[None]:
    """A transaction in which all that is read is as it was at its first reading, unless it is part of another one.

    On SQLite it waits for nobody who writes, and may not write itself.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with _deferred():
            yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql" and not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def _deferred() -> Iterator[None]:
    """A transaction of SQLite's own; those that Django opens ask for the right to write at their beginning."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
