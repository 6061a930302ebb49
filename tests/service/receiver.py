"""A real HTTP server that is told things, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server
from ssl import SSLContext
from threading import Event, Thread
from time import sleep
from typing import Any

from standardwebhooks import Webhook


@dataclass(slots=True)
class Receiver:
    """Answers with the statuses given, one after the other, and with 200 from then on."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    waits: float = 0.0
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def messages(self, secret: str) -> list[dict[str, Any]]:
        """What was told, each verified by the reference implementation of the scheme."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.told]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.told]


@contextmanager
def receiving(*answers: int, tls: SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
            sleep(receiver.waits)
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.end_headers()
            self.wfile.write(b"told")

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # so that nobody of many who call at once is turned away

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/hooks?from=prorata"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dripping() -> Iterator[str]:
    """The address of a server that answers at once, and then goes on for ever, a byte at a time."""
    listening = create_server(("127.0.0.1", 0))
    ended = Event()

    def drip() -> None:
        listening.settimeout(0.1)
        caller = None
        while caller is None:
            if ended.is_set():
                return
            with suppress(TimeoutError):
                caller, _ = listening.accept()
        with caller, suppress(OSError):
            caller.recv(65536)
            caller.sendall(b"HTTP/1.0 500 Sorry\r\nConnection: close\r\n\r\n")
            while not ended.wait(0.05):
                caller.sendall(b".")

    thread = Thread(target=drip)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        ended.set()
        thread.join()
        listening.close()
