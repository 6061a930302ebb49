"""Tokens from the command line, and the server that they open, over a real connection."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.console.command import COMMAND, environment, prorata
from tests.service.receiver import receiving


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database that has a vendor with a test clock."""
    for name in ("DATABASE_URL", "PRORATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    prorata("migrate", cwd=tmp_path)
    clock = ("--test-clock", "2026-01-01")
    prorata("vendor", "add", "acme", "--name", "Acme AB", "--policy", "mainter", *clock, cwd=tmp_path)
    return tmp_path


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of a server that ends with the block."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    command = [*COMMAND, "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=40) == 0
    assert server.stdout is not None


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


def test_a_token_opens_the_api_until_it_is_revoked(sandbox: Path) -> None:
    token = prorata("token", "add", "crm", "-s", "read", "-s", "agreements", cwd=sandbox).out.strip()
    assert re.fullmatch(r"prorata_[\w-]{43}", token)
    assert token.encode() not in (sandbox / "prorata.sqlite3").read_bytes()
    with served(sandbox) as port:

        def ask(path: str, body: object = None) -> tuple[int, dict[str, object]]:
            data = None if body is None else json.dumps(body).encode()
            request = Request(f"http://127.0.0.1:{port}/api/v1{path}", data, {"Authorization": f"Bearer {token}"})
            try:
                with urlopen(request, timeout=20) as answer:
                    return answer.status, json.load(answer)
            except HTTPError as error:
                return error.code, json.load(error)

        assert ask("/vendor")[1]["key"] == "acme"
        status, account = ask("/accounts", {"key": "nord", "events": [{"event": "activate", "user": "anna"}]})
        assert (status, account["key"]) == (201, "nord")
        assert ask("/bill-runs", {"through": "2026-01-01"})[0] == 403
        prorata("token", "revoke", "1", cwd=sandbox)
        status, problem = ask("/vendor")
        assert (status, problem["title"]) == (401, "Unauthorized")
        for name, kind in (("docs", "text/html"), ("openapi.json", "application/json")):
            with urlopen(f"http://127.0.0.1:{port}/api/v1/{name}", timeout=20) as page:
                assert page.headers["Content-Type"].startswith(kind)
        with urlopen(f"http://127.0.0.1:{port}/static/ninja/swagger-ui.css", timeout=20) as style:
            assert style.status == 200


def test_a_server_that_cannot_listen_says_so(sandbox: Path) -> None:
    with served(sandbox) as port:
        said = prorata("serve", "--port", str(port), cwd=sandbox, code=2)
        assert said.errors == f"127.0.0.1:{port} cannot be listened at: Address already in use\n"
        assert said.out == ""
    said = prorata("serve", "--host", "no.such.host.invalid", cwd=sandbox, code=2)
    assert said.errors.startswith("no.such.host.invalid:8000 cannot be listened at: ")
    said = prorata("serve", "--host", "192.0.2.1", cwd=sandbox, code=2)
    assert said.errors == "192.0.2.1:8000 cannot be listened at: Cannot assign requested address\n"


def test_who_reads_waits_for_nobody_who_writes(sandbox: Path) -> None:
    (sandbox / "events.csv").write_text("at,account,event,user\n2026-01-01,nord,activate,anna\n", encoding="utf-8")
    prorata("import", "--events", "events.csv", cwd=sandbox)
    token = prorata("token", "add", "crm", "-s", "read", cwd=sandbox).out.strip()
    with served(sandbox) as port, closing(sqlite3.connect(sandbox / "prorata.sqlite3")) as writer:

        def ask(path: str) -> int:
            request = Request(f"http://127.0.0.1:{port}/api/v1{path}", None, {"Authorization": f"Bearer {token}"})
            with urlopen(request, timeout=10) as answer:
                status: int = answer.status
                return status

        assert ask("/vendor") == 200
        writer.execute("BEGIN IMMEDIATE")
        for path in ("/accounts/nord", "/accounts/nord/members", "/accounts/nord/preview", "/documents"):
            assert ask(path) == 200


def test_tokens_are_listed_and_revoked(sandbox: Path) -> None:
    prorata("token", "add", "crm", "--scope", "read", "--expires", "2099-01-01", cwd=sandbox)
    prorata("token", "add", "hr", "--scope", "people", cwd=sandbox)
    assert prorata("token", "revoke", "2", cwd=sandbox).out == "Token 2 (hr) is revoked.\n"
    listed = prorata("token", "list", cwd=sandbox).out
    assert re.search(r"1 +crm +read +\d{4}-\d\d-\d\d +holds until 2099-01-01", listed)
    assert re.search(r"2 +hr +people +\d{4}-\d\d-\d\d +revoked \d{4}-\d\d-\d\d", listed)
    said = prorata("token", "revoke", "7", cwd=sandbox, code=2)
    assert said.errors == "vendor acme has no token 7; prorata token list tells which there are\n"
    said = prorata("token", "add", "crm", "--scope", "read", "--expires", "2020-01-01", cwd=sandbox, code=2)
    assert said.errors == "--expires: 2020-01-01 is over already\n"
    said = prorata("token", "add", "x" * 101, "--scope", "read", cwd=sandbox, code=2)
    assert said.errors == "name: Ensure this value has at most 100 characters (it has 101).\n"
    said = prorata("token", "add", "crm", "--scope", "admin", cwd=sandbox, code=2)
    assert "'admin'" in said.errors


def test_a_worker_runs_the_bills_of_the_night_and_tells_what_happened(
    sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prorata("vendor", "add", "real", "--name", "Real AB", "--policy", "mainter", cwd=sandbox)
    token = prorata("token", "add", "crm", "-s", "settings", "--vendor", "real", cwd=sandbox).out.strip()
    (sandbox / "events.csv").write_text("at,account,event,user\n2026-01-01,nord,activate,anna\n", encoding="utf-8")
    prorata("import", "--vendor", "real", "--events", "events.csv", cwd=sandbox)
    monkeypatch.setenv("WEBHOOKS_ANYWHERE", "1")
    with receiving() as receiver, served(sandbox) as port:
        body = json.dumps({"url": receiver.url, "kinds": ["bill_run.ended"]}).encode()
        request = Request(f"http://127.0.0.1:{port}/api/v1/webhooks", body, {"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=20) as answer:
            secret = json.load(answer)["secret"]
        billed, sent = prorata("worker", "--once", "--bills-at", "00:00", cwd=sandbox).out.splitlines()
        assert re.fullmatch(r"real: 1 account due; \d+ invoices of [\d,.]+ SEK, 0 credit notes\.", billed)
        assert sent == "1 webhook sent."
        [message] = receiver.messages(secret)
        assert (message["type"], message["data"]["looked_at"]) == ("bill_run.ended", 1)
        assert prorata("worker", "--once", "--bills-at", "00:00", cwd=sandbox).out == ""
    said = prorata("worker", "--once", "--bills-at", "1 am", cwd=sandbox, code=2)
    assert said.errors == "--bills-at: '1 am' is not a time; write one like 01:00, or never\n"


def test_a_worker_ends_when_it_is_asked_to(sandbox: Path) -> None:
    command = [*COMMAND, "worker", "--bills-at", "never"]
    with subprocess.Popen(command, cwd=sandbox, env=environment()) as worker:
        time.sleep(3)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0


def test_the_clock_of_a_sandbox_is_moved(sandbox: Path) -> None:
    (sandbox / "events.csv").write_text("at,account,event,user\n2026-01-01,nord,activate,anna\n", encoding="utf-8")
    prorata("import", "--events", "events.csv", cwd=sandbox)
    said = prorata("vendor", "clock", "acme", "2026-04-01", cwd=sandbox)
    # Midnight of 1 April in Stockholm is past: January to April.
    issued = "4 invoices of 1,196.00 SEK, 0 credit notes"
    assert said.out == f"It is 2026-04-01 00:00 UTC for vendor acme; {issued} on the way.\n"
    prorata("verify", cwd=sandbox)
    said = prorata("vendor", "clock", "acme", "2026-03-01", cwd=sandbox, code=2)
    assert said.errors == "the clock stands at 2026-04-01T00:00:00+00:00 and only moves forward\n"
    prorata("vendor", "add", "real", "--name", "Real", "--policy", "mainter", cwd=sandbox)
    said = prorata("vendor", "clock", "real", "2026-03-01", cwd=sandbox, code=2)
    assert said.errors.startswith("vendor real lives in real time; a test clock is given to a vendor as it is added")
