"""Sending: one message to one address, over a connection that leads nowhere within our own walls."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Timer
from urllib.parse import urlsplit

SECONDS = 15
_MOST_SAID = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The status that was answered, or None and what went wrong; after how long."""

    status: int | None
    said: str
    milliseconds: int

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: str, headers: Mapping[str, str], *, anywhere: bool = False) -> Answer:
    """Sends a body; redirects are not followed, and private addresses are not called unless `anywhere` is meant."""
    began = time.monotonic()
    status, said = None, ""
    try:
        with closing(connection_to(url, anywhere=anywhere)) as connection, _cut_off(connection):
            parts = urlsplit(url)
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            named = {"Content-Type": "application/json", "User-Agent": "prorata", **headers}
            connection.request("POST", path, body.encode(), named)
            answer = connection.getresponse()
            status = answer.status
            said = answer.read(_MOST_SAID).decode("utf-8", errors="replace").replace("\0", "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = str(error) or type(error).__name__
    return Answer(status, said, round((time.monotonic() - began) * 1000))


@contextmanager
def _cut_off(connection: _Guarded) -> Iterator[None]:
    """Ends a connection that takes too long as a whole: a timeout is only for each of its reads."""

    def end() -> None:
        connection.is_late = True
        if connection.spare is not None:
            with suppress(OSError):
                connection.spare.shutdown(socket.SHUT_RDWR)

    timer = Timer(2 * SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if connection.spare is not None:
            connection.spare.close()


def connection_to(url: str, *, anywhere: bool = False) -> _Guarded:
    """The connection of an address, not opened yet; raises ValueError where it is none."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or parts.username is not None or parts.password is not None:
        raise ValueError("it names no host, no port, or somebody's password")
    f"{parts.path}?{parts.query}".encode("ascii")
    connection: _Guarded
    if parts.scheme == "https":
        connection = _Tls(parts.hostname, parts.port or 443, timeout=SECONDS, context=_context())
    else:
        connection = _Guarded(parts.hostname, parts.port or 80, timeout=SECONDS)
    connection.anywhere = anywhere
    return connection


class _Guarded(http.client.HTTPConnection):
    """A connection to the first address of its host; the one that was looked at is the one that is called.

    A `spare` handle of it is kept, by which it can be ended whatever became of the first one; `is_late` says that it
    was to be ended before there was any.
    """

    anywhere = False
    spare: socket.socket | None = None
    is_late = False

    def connect(self) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
        if not self.anywhere and not is_public(str(address[0])):
            raise OSError(f"{self.host} is {address[0]}, which is not an address of the public internet")
        self.sock = socket.socket(family, kind, protocol)
        self.sock.settimeout(SECONDS)
        self.spare = self.sock.dup()
        self._go_on()
        self.sock.connect(address)
        self._go_on()

    def _go_on(self) -> None:
        if self.is_late:
            raise TimeoutError("timed out")


class _Tls(http.client.HTTPSConnection, _Guarded):
    """The same; what HTTPSConnection wraps is what _Guarded has connected."""


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def is_public(address: str) -> bool:
    """Whether an address is of the public internet, and stands for none that is not."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, IPv6Address) and ip.is_site_local:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


# What Python takes for global although it leads elsewhere: translated, tunnelled and reserved addresses.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2002::/16",
            "2001::/32",
            "::/96",
            "::ffff:0:0:0/96",
            "3fff::/20",
            "5f00::/16",
            "192.0.0.0/24",
            "192.88.99.0/24",
        ),
    )
)
