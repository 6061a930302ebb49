"""hledger, which reads the books that are exported; on Debian it is installed where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_INSTALL = ("apt-get", "install", "--yes", "-qq", "--no-install-recommends", "hledger")


def program() -> str:
    """Where hledger lies; ends the program with what to do where there is none."""
    found = shutil.which("hledger")
    if found is None and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("==> there is no hledger: installing it", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True, stdout=subprocess.DEVNULL, env=environment)
        subprocess.run(_INSTALL, check=True, stdout=subprocess.DEVNULL, env=environment)
        found = shutil.which("hledger")
    if found is None:
        sys.exit("the tests need hledger: install it (on Debian and Ubuntu: apt-get install hledger)")
    return found


if __name__ == "__main__":
    program()
