"""The commands for the vendor's programs: the tokens that let them in, and the server that answers them."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from prorata.console.asked import day_of, sentences
from prorata.console.database import VendorOption, add_row, console, database, vendor_called
from prorata.engine.intake import IntakeError

if TYPE_CHECKING:
    from prorata.vendors.models import Token
    from prorata.vendors.tokens import Scope

tokens = typer.Typer(help="The tokens by which a vendor's programs are let in.", no_args_is_help=True)


class ScopeName(StrEnum):
    read = "read"
    people = "people"
    agreements = "agreements"
    billing = "billing"
    payments = "payments"
    settings = "settings"


@tokens.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Which program it is for; its events are recorded by this name.")],
    scope: Annotated[
        list[ScopeName],
        typer.Option(
            "--scope",
            "-s",
            help="What it may do; may be repeated. read: see everything. people: move members. agreements: accounts, "
            "events and quotes. billing: run and verify bills. payments: record them. settings: policies, webhooks, "
            "clock, deletion.",
        ),
    ],
    vendor: VendorOption = None,
    expires: Annotated[str | None, typer.Option(help="The first day on which it no longer holds.")] = None,
) -> None:
    """Make a token. It is shown this once: only a digest of it is kept."""
    with sentences(), database():
        from prorata.vendors.tokens import make_token

        seller, now = vendor_called(vendor), datetime.now(UTC)
        until = None if expires is None else datetime.combine(day_of("--expires", expires), time.min, UTC)
        if until is not None and until <= now:
            raise IntakeError([f"--expires: {expires} is over already"])
        scopes: list[Scope] = [one.value for one in scope]
        _, text = make_token(vendor=seller, name=name, scopes=scopes, now=now, expires_at=until)
        console().print(text, markup=False)


@tokens.command("list")
def list_tokens(vendor: VendorOption = None) -> None:
    """The tokens of a vendor, with the numbers by which they are revoked."""
    with sentences(), database():
        table = Table("number", "name", "scopes", "made", "last used", "state", box=None, header_style="bold")
        for token in vendor_called(vendor).tokens.order_by("pk"):
            used = "" if token.used_on is None else str(token.used_on)
            made = str(token.made_at.date())
            add_row(table, str(token.pk), token.name, ", ".join(token.scopes), made, used, _state(token))
        console().print(table)


@tokens.command("revoke")
def revoke(
    token: Annotated[int, typer.Argument(help="The token's number, as prorata token list tells it.")],
    vendor: VendorOption = None,
) -> None:
    """Let nobody in by a token any more."""
    with sentences(), database():
        from prorata.vendors.tokens import revoke_token

        seller = vendor_called(vendor)
        found = seller.tokens.filter(pk=token).first()
        if found is None:
            raise IntakeError([f"vendor {seller.key} has no token {token}; prorata token list tells which there are"])
        revoke_token(token=found, now=datetime.now(UTC))
        console().print(f"Token {token} ({found.name}) is revoked.", markup=False)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="And the port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    threads: Annotated[
        int, typer.Option(min=1, help="How many requests each of them answers at a time, each with a connection.")
    ] = 16,
) -> None:
    """Answer the vendor's programs at /api/v1, with its description at /api/v1/docs."""
    with sentences(), database():
        from granian.constants import Interfaces
        from granian.server import Server

        address = _free(host, port)
        console().print(f"The API is at http://{host}:{port}/api/v1/docs; end it with Ctrl-C.", markup=False)
        Server(
            "prorata.site.wsgi:application",
            address=address,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            workers_kill_timeout=30,
            websockets=False,
            log_access=False,
        ).serve()


def _free(host: str, port: int) -> str:
    """The IP address of a host of this machine, if nobody listens at its port; raises IntakeError."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
    except OSError as error:
        raise IntakeError([f"{host}:{port} cannot be listened at: {error.strerror}"]) from None
    return str(address[0])


def _state(token: Token) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at.date()}"
    if token.expires_at is None:
        return "holds"
    return f"{'holds until' if token.expires_at > datetime.now(UTC) else 'expired'} {token.expires_at.date()}"
