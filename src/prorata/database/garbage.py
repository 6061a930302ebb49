"""Work that makes thousands of values and keeps them all to its end: looking for garbage among them is in vain."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_to_the_end() -> Iterator[None]:
    """Nothing is looked for meanwhile, which takes a tenth of the time of a bill, and half of a large account's."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
