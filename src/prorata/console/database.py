"""The database as commands find it: with its tables, its vendors, and whatever it refuses as sentences."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prorata.engine.intake import IntakeError, near

if TYPE_CHECKING:
    from prorata.vendors.models import Vendor

VendorOption = Annotated[str | None, typer.Option("--vendor", help="The vendor's key; needed where there are several.")]
ACTOR = "command line"


@contextmanager
def database(*, migrated: bool = True) -> Iterator[None]:
    """The database that the settings name, with its tables as they should be; raises IntakeError where they are not."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prorata.site.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured, ValidationError

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise IntakeError([str(error)]) from None
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import DatabaseError

    from prorata.books.sie import NoSie
    from prorata.database.refused import Refused
    from prorata.database.workers import WorkerDied
    from prorata.invoicing.actions.advance_clock import ClockRefused
    from prorata.invoicing.actions.run_bills import NotYet
    from prorata.vendors.actions import UnfitPolicy
    from prorata.vendors.queries import NoPolicy

    try:
        if migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise IntakeError([f"the tables of {database_name()} are not there, or older; run: prorata migrate"])
        yield
    except (NoSie, NoPolicy, UnfitPolicy, NotYet, ClockRefused, WorkerDied) as error:
        raise IntakeError([str(error)]) from None
    except Refused as error:
        raise IntakeError(error.sentences) from None
    except ValidationError as error:
        said = error.message_dict.items()
        raise IntakeError([f"{name}: {sentence}" for name, sentences_ in said for sentence in sentences_]) from None
    except DatabaseError as error:
        raise IntakeError([f"{database_name()} cannot be used: {str(error).strip()}"]) from None


def set_up_tables() -> None:
    """Creates the tables of the database, or brings them up to date."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def console() -> Console:
    """Standard output, as wide as what is written; of a table, where nobody looks at it in a window."""
    return Console(highlight=False, soft_wrap=True, emoji=False, width=None if sys.stdout.isatty() else 250)


def vendors_called(key: str | None) -> Iterable[Vendor]:
    """The vendor that is named, or all."""
    from prorata.vendors.models import Vendor

    if key is not None:
        return [vendor_called(key)]
    found = list(Vendor.objects.order_by("key"))
    if not found:
        raise IntakeError(["there is no vendor yet; add one: prorata vendor add KEY --name NAME --policy POLICY"])
    return found


def vendor_called(key: str | None) -> Vendor:
    """The vendor that is named, or the only one."""
    from prorata.vendors.models import Vendor

    found = {vendor.key: vendor for vendor in Vendor.objects.order_by("key")}
    if key is None:
        if len(found) == 1:
            return next(iter(found.values()))
        way_out = f"say which: --vendor {' or '.join(found)}" if found else "add one: prorata vendor add"
        raise IntakeError([f"there are {len(found)} vendors; {way_out}"])
    if key not in found:
        known = ", ".join(found) or "none"
        raise IntakeError([f"--vendor: {key!r} is not a vendor; {near(key, tuple(found))}there: {known}"])
    return found[key]


def add_row(table: Table, *cells: object) -> None:
    """Adds a row whose cells say what they say, brackets and all."""
    table.add_row(*(Text(str(cell)) for cell in cells))


def database_name() -> str:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    return f"the PostgreSQL database {name}" if connection.vendor == "postgresql" else str(name)
