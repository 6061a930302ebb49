"""Tests whose commits are real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _emptied(transactional_db: None) -> Iterator[None]:  # noqa: ARG001 — emptied after this ends
    """Lets the tables be emptied after a test, which they refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
