"""Settings, each from the environment: SQLite in a file unless DATABASE_URL names a PostgreSQL database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",  # who writes waits at the beginning, and is never refused half way
    "timeout": 20,
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
}
_UNKNOWN = "DATABASE_URL names no database of ours; write postgresql://user:password@host/name or sqlite:///path"


def _database() -> dict[str, Any]:
    default = f"sqlite:///{Path(os.environ.get('PRORATA_HOME', '.')).absolute() / 'prorata.sqlite3'}"
    url = os.environ.get("DATABASE_URL") or default
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise ImproperlyConfigured(_UNKNOWN) from None
    if database["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise ImproperlyConfigured(_UNKNOWN)
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {**database.get("OPTIONS", {}), **_SQLITE_OPTIONS}
    else:
        database |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost 127.0.0.1 [::1]").split()
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "ninja",
    "prorata.vendors",
    "prorata.accounts",
    "prorata.subscriptions",
    "prorata.invoicing",
    "prorata.webhooks",
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {message}", "style": "{"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["errors"], "level": "ERROR"},
}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "prorata.site.problems.api_problems",
]
ROOT_URLCONF = "prorata.site.urls"
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
STATIC_URL = "static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
TIME_ZONE = "UTC"
USE_TZ = True
# Whether webhooks may call plain HTTP and private addresses, such as on a developer's own machine.
WEBHOOKS_ANYWHERE = os.environ.get("WEBHOOKS_ANYWHERE") == "1"
WHITENOISE_USE_FINDERS = True
WSGI_APPLICATION = "prorata.site.wsgi.application"
