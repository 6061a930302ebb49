"""Every test of the service has the database, and leaves it as it was: SQLite, or the one DATABASE_URL names."""

from __future__ import annotations

import os

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prorata.site.settings")
django.setup()


@pytest.fixture(autouse=True)
def _database(db: None) -> None: ...
