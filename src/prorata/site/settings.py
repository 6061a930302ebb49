"""Settings, each from the environment: SQLite in a file unless DATABASE_URL names a PostgreSQL database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url

_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",  # who writes waits at the beginning, and is never refused half way
    "timeout": 20,
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
}


def _database() -> dict[str, Any]:
    default = f"sqlite:///{Path(os.environ.get('PRORATA_HOME', '.')).absolute() / 'prorata.sqlite3'}"
    database: dict[str, Any] = dict(dj_database_url.parse(os.environ.get("DATABASE_URL") or default))
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {**database.get("OPTIONS", {}), **_SQLITE_OPTIONS}
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "prorata.vendors",
    "prorata.accounts",
    "prorata.subscriptions",
    "prorata.invoicing",
]
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
TIME_ZONE = "UTC"
USE_TZ = True
