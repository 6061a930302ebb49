"""What is asked for on the command line: options that several commands share, read; what is wrong said in sentences."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import Progress

from prorata.engine.calendar import MONTHS, YEARS, Interval
from prorata.engine.intake import INTERVAL_WORDS, Intake, IntakeError
from prorata.engine.policy.model import Policy
from prorata.engine.policy.reading import PolicyError


class Step(Protocol):
    """Told how many more are done."""

    def __call__(self, more: int = 1, /) -> None: ...


class SeatsRule(StrEnum):
    follow = "follow"


PolicyOption = Annotated[str, typer.Option("--policy", "-p", help="A policy that ships, or the path of a policy file.")]
EventsOption = Annotated[
    str, typer.Option("--events", "-e", help="Event file, CSV or JSON Lines; - is standard input.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Do all of it and keep nothing.")]
StartOption = Annotated[
    str | None,
    typer.Option(help="Accounts without a start of their own start on this day, with the members they have by then."),
]
PlanOption = Annotated[str | None, typer.Option(help="The plan of accounts that name none.")]
IntervalOption = Annotated[str | None, typer.Option(help="How often accounts that say nothing are billed.")]
PaymentOption = Annotated[
    str | None, typer.Option("--payment-method", help="How accounts pay that do not say it: a name of the policy's.")
]
AccountOption = Annotated[list[str] | None, typer.Option("--account", "-a", help="Only this account; may be repeated.")]
RoleOption = Annotated[
    list[str] | None,
    typer.Option("--map-role", metavar="FROM=TO", help="Translate a role of the file; may be repeated."),
]
SeatsOption = Annotated[
    SeatsRule | None,
    typer.Option(help="follow: accounts that never buy seats have as many as their active members need."),
]


@contextmanager
def sentences() -> Iterator[None]:
    """What is wrong with people's input is told in sentences on standard error, with exit code 2."""
    try:
        yield
    except (IntakeError, PolicyError) as error:
        say(str(error))
        raise typer.Exit(2) from None


def say(text: str) -> None:
    """On standard error, after what has been written to standard output."""
    sys.stdout.flush()
    Console(stderr=True, highlight=False, soft_wrap=True, emoji=False).print(text, markup=False)


@contextmanager
def steps(description: str, count: int) -> Iterator[Step]:
    """A bar on standard error that moves with every call, by one or by so many, while that is a terminal."""
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(description, total=count)
        yield lambda more=1: progress.advance(task, more)


def day_of(option: str, text: str) -> date:
    try:
        day = datetime.strptime(text.encode("ascii").decode(), "%Y-%m-%d").date()
    except ValueError:
        raise IntakeError([f"{option}: {text!r} is not a date; write one like 2026-04-01"]) from None
    if day.year not in YEARS:
        raise IntakeError([f"{option}: {text!r} is too far away; write a year from {YEARS[0]} to {YEARS[-1]}"])
    return day


def interval_of(text: str | None) -> Interval | None:
    if text is None:
        return None
    interval = INTERVAL_WORDS.get(text.lower())
    if interval is None:
        raise IntakeError([f"--interval: {text!r} is not an interval; allowed: {', '.join(MONTHS)}"])
    return interval


def roles_of(map_role: list[str] | None) -> tuple[tuple[str, str], ...]:
    pairs = []
    for pair in map_role or ():
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise IntakeError([f"--map-role: {pair!r} is not FROM=TO, such as member=paying"])
        pairs.append((old, new))
    return tuple(pairs)


def intake_of(
    policy: Policy,
    *,
    plan: str | None,
    interval: str | None,
    payment_method: str | None,
    start: str | None,
    map_role: list[str] | None,
    seats: SeatsRule | None,
) -> Intake:
    """How the rows of an event file are read, by the options of the command; raises IntakeError."""
    return Intake(
        policy=policy,
        plan=plan,
        interval=interval_of(interval),
        payment_method=payment_method,
        start=day_of("--start", start) if start else None,
        roles=dict(roles_of(map_role)),
        seats_follow=seats is SeatsRule.follow,
    )
