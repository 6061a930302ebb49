"""A vendor's database, made once and copied for each test: a command that makes the tables takes seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.console.command import prorata

_DATABASE = "prorata.sqlite3"
_NOWHERE = {"DATABASE_URL": "", "PRORATA_HOME": ""}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that has a vendor."""
    folder = tmp_path_factory.mktemp("made")
    said = prorata("migrate", cwd=folder, env=_NOWHERE)
    assert said.out == f"The tables of {folder}/{_DATABASE} are up to date.\n"
    said = prorata("vendor", "add", "acme", "--name", "Acme AB", "--policy", "mainter", cwd=folder, env=_NOWHERE)
    assert said.out == "Vendor acme bills by mainter.\n"
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; commands run there keep their database in it."""
    for name in _NOWHERE:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def shop(folder: Path, made: Path) -> Path:
    """A folder with a database that has a vendor."""
    shutil.copy(made / _DATABASE, folder)
    return folder
