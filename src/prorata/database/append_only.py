"""Tables whose rows are written once: the database itself refuses to change or delete them."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_FUNCTION = """
CREATE OR REPLACE FUNCTION prorata_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are written once and never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_ON_POSTGRESQL = """
CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION prorata_refuse()
"""
_ON_SQLITE = """
CREATE TRIGGER {table}_refuses_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'rows of {table} are written once and never changed or deleted'); END
"""


class AppendOnly(migrations.RunPython):
    """The migration that makes a table append-only; to be undone before the table is dropped."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(self._guard, self._release)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return type(self).__qualname__, [self.table], {}

    def _guard(self, _apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(_FUNCTION, params=None)
            editor.execute(_ON_POSTGRESQL.format(table=self.table))
            return
        for verb in ("UPDATE", "DELETE"):
            editor.execute(_ON_SQLITE.format(table=self.table, verb=verb))

    def _release(self, _apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(f"DROP TRIGGER {self.table}_is_append_only ON {self.table}")
            return
        for verb in ("UPDATE", "DELETE"):
            editor.execute(f"DROP TRIGGER {self.table}_refuses_{verb}")
