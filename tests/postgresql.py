"""A PostgreSQL server of the tests' own, in a folder that is deleted afterwards.

    python -m tests.postgresql COMMAND...

runs the command with DATABASE_URL naming it. Where DATABASE_URL is set already, that server is used.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_INSTALL = ("apt-get", "install", "--yes", "-qq", "--no-install-recommends", "postgresql")
_SETTINGS = "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100"


@contextmanager
def server(settings: str = _SETTINGS) -> Iterator[str]:
    """Starts a server and gives its DATABASE_URL."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="prorata-postgresql-"))
    try:
        data, port = folder / "data", _free_port()
        if os.geteuid() == 0:  # the server refuses to be root
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        _as_server([programs / "initdb", "-D", data, "-U", "prorata", "-A", "trust", "-E", "UTF8", "--locale=C"])
        options = f"-p {port} -k {folder} {settings}"
        _as_server([programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start"])
        try:
            yield f"postgresql://prorata@127.0.0.1:{port}/postgres"
        finally:
            _as_server([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Where the server's programs lie; on Debian they are installed where they are not."""
    found = _installed()
    if found is None and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("==> there is no PostgreSQL server: installing postgresql", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True, stdout=subprocess.DEVNULL, env=environment)
        subprocess.run(_INSTALL, check=True, stdout=subprocess.DEVNULL, env=environment)
        found = _installed()
    if found is None:
        sys.exit(
            "the tests need a PostgreSQL server: install one (on Debian and Ubuntu: apt-get install postgresql), "
            "or name one that may be written to, such as DATABASE_URL=postgresql://user@localhost/postgres"
        )
    return found


def _installed() -> Path | None:
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(of_debian[-1]) if of_debian else shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


def _as_server(command: Sequence[str | Path]) -> None:
    """Runs a program of the server's, as the user postgres where we are root."""
    user = "postgres" if os.geteuid() == 0 else None
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd="/", capture_output=True, text=True, env=environment, check=False, user=user, group=user
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def main(command: Sequence[str]) -> int:
    """Runs a command with a server; its exit code."""
    if not command:
        sys.exit(f"what to run? {__doc__}")
    if "DATABASE_URL" in os.environ:
        return subprocess.run(command, check=False).returncode
    with server() as url:
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
