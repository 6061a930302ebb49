"""Sending: one message to one address, over a connection that leads nowhere within our own walls."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Timer
from urllib.parse import urlsplit

SECONDS = 15
_MOST_SAID = 500
_TRANSLATED = IPv6Network("64:ff9b::/96")  # addresses that a network translates into older ones, private ones too


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
        with closing(_connection(url, anywhere)) as connection, _cut_off(connection):
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
def _cut_off(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Ends a connection that takes too long as a whole: a timeout is only for each of its reads."""

    def end() -> None:
        if connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(2 * SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _connection(url: str, anywhere: bool) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        return _Tls(
            parts.hostname, parts.port, timeout=SECONDS, context=ssl.create_default_context(), anywhere=anywhere
        )
    return _Plain(parts.hostname, parts.port, timeout=SECONDS, anywhere=anywhere)


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int | None, *, timeout: float, anywhere: bool) -> None:
        super().__init__(host, port, timeout=timeout)
        self.anywhere = anywhere

    def connect(self) -> None:
        self.sock = _socket(self.host, self.port, self.anywhere)


class _Tls(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int | None, *, timeout: float, context: ssl.SSLContext, anywhere: bool) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self.context, self.anywhere = context, anywhere

    def connect(self) -> None:
        plain = _socket(self.host, self.port, self.anywhere)
        self.sock = self.context.wrap_socket(plain, server_hostname=self.host)


def _is_public(address: str) -> bool:
    """Whether an address is of the public internet, as itself and as the older one that it may stand for."""
    ip = ip_address(address)
    meant = (ip.ipv4_mapped or ip.sixtofour or ip) if isinstance(ip, IPv6Address) else ip
    return ip.is_global and meant.is_global and not ip.is_multicast and ip not in _TRANSLATED


def _socket(host: str, port: int, anywhere: bool) -> socket.socket:
    """A connection to the first address of a host; the one that was looked at is the one that is called."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    if not anywhere and not _is_public(str(address[0])):
        raise OSError(f"{host} is {address[0]}, which is not an address of the public internet")
    plain = socket.socket(family, kind, protocol)
    plain.settimeout(SECONDS)
    try:
        plain.connect(address)
    except OSError:
        plain.close()
        raise
    return plain
