"""Tables whose rows are written once, or stay: the database itself refuses to change or to delete them."""

from __future__ import annotations

from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_FUNCTION = """
CREATE OR REPLACE FUNCTION prorata_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never %', TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_ON_POSTGRESQL = """
CREATE OR REPLACE TRIGGER {table}_refuses_{verb} BEFORE {verb} ON {table}
FOR EACH {each} EXECUTE FUNCTION prorata_refuse('{refused}')
"""
_ON_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_refuses_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'rows of {table} are never {refused}'); END
"""


class Kept(migrations.RunPython):
    """The migration after which no row of a table can be deleted; to be undone before the table is dropped.

    It has to follow every later migration of the table anew: on SQLite Django copies a table to alter it, and what
    guarded the old one is gone.
    """

    refuses: ClassVar[dict[str, str]] = {"DELETE": "deleted"}

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(self._guard, self._release)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return type(self).__qualname__, [self.table], {}

    def _guard(self, _apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        if on_postgresql := editor.connection.vendor == "postgresql":
            editor.execute(_FUNCTION, params=None)
        trigger = _ON_POSTGRESQL if on_postgresql else _ON_SQLITE
        for verb, refused in self._refuses(editor):
            each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
            editor.execute(trigger.format(table=self.table, verb=verb, refused=refused, each=each))

    def _release(self, _apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        on = f" ON {self.table}" if editor.connection.vendor == "postgresql" else ""
        for verb, _ in self._refuses(editor):
            editor.execute(f"DROP TRIGGER IF EXISTS {self.table}_refuses_{verb}{on}")

    def _refuses(self, editor: BaseDatabaseSchemaEditor) -> list[tuple[str, str]]:
        """The verbs that are refused, and how that is said; SQLite does not know the last."""
        refuses = list(self.refuses.items())
        return [*refuses, ("TRUNCATE", "deleted")] if editor.connection.vendor == "postgresql" else refuses


class AppendOnly(Kept):
    """The migration after which a table's rows can be neither changed nor deleted."""

    refuses: ClassVar[dict[str, str]] = {"UPDATE": "changed", "DELETE": "deleted"}
