"""The command that does what is to be done by itself: webhooks are sent, and bills run every night."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, time, timedelta
from threading import Event
from typing import Annotated

import typer

from prorata.console.asked import say, sentences
from prorata.console.database import console, database
from prorata.console.service import write_outcome
from prorata.engine.intake import IntakeError

_WAIT = 10  # seconds until the database is tried again
_PAUSE = 2  # seconds between two looks at what is to be sent
_LOOK = timedelta(minutes=1)  # between two looks at whose night it is


def worker(
    bills_at: Annotated[
        str,
        typer.Option(help="When the bills are run each night, by the clock of each account; never: not at all."),
    ] = "01:00",
    workers: Annotated[int, typer.Option(min=1, help="How many processes bill at the same time.")] = 1,
    once: Annotated[bool, typer.Option("--once", help="Do what is to be done now, and end.")] = False,
) -> None:
    """Send webhooks, and run the bills of every vendor each night. Several may run at once; each does a part."""
    with sentences(), database():
        from django.db import Error, close_old_connections, connection

        from prorata.invoicing.actions.nightly import run_nightly
        from prorata.vendors.answers import forget_old_answers
        from prorata.webhooks.actions import deliver, forget_old

        at = None if bills_at == "never" else _time(bills_at)
        if workers > 1 and connection.vendor == "sqlite":
            raise IntakeError(["--workers: SQLite lets one process write at a time; with PostgreSQL more can"])
        end, next_look = _ended(), datetime.min.replace(tzinfo=UTC)
        while not end.is_set():
            now = datetime.now(UTC)
            close_old_connections()
            try:
                if now >= next_look:
                    next_look = now + _LOOK
                    if at is not None:
                        for vendor, outcome in run_nightly(now=now, at=at, workers=workers):
                            write_outcome(vendor.key, outcome)
                    forget_old(now=now)
                    forget_old_answers(now=now)
                sent = deliver(now=datetime.now(UTC))
            except Error as error:
                if once:
                    raise
                say(f"the database cannot be used: {str(error).strip()}; trying again in {_WAIT} seconds")
                end.wait(_WAIT)
                continue
            if sent:
                console().print(f"{sent} {'webhook' if sent == 1 else 'webhooks'} sent.", markup=False)
            elif once:
                return
            else:
                end.wait(_PAUSE)


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise IntakeError([f"--bills-at: {text!r} is not a time; write one like 01:00, or never"]) from None


def _ended() -> Event:
    """Is set when somebody ends the process; what it is doing by then it does to the end."""
    ended = Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    return ended
