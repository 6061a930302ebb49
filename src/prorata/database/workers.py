"""Work that is spread over processes, each with a connection of its own to the same database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

import django
from django.db import connection

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


class WorkerDied(RuntimeError):
    """A process was ended by somebody else; what it had not committed is undone."""

    def __str__(self) -> str:
        return "a worker process was ended before its work was done; whole batches are kept: begin again for the rest"


def in_processes(workers: int, work: Callable[[_Piece], _Result], pieces: Iterable[_Piece]) -> Iterator[_Result]:
    """What the work gives for each piece, in their order, done by so many processes; by this one where it is one.

    The work and its pieces have to be picklable. Raises WorkerDied where a process ends before its work is done.
    """
    if workers == 1:
        yield from map(work, pieces)
        return
    spawn, name = get_context("spawn"), connection.settings_dict["NAME"]
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin, initargs=(name,)) as pool:
        try:
            yield from pool.map(work, pieces)
        except BrokenProcessPool:
            raise WorkerDied from None


def _begin(name: str) -> None:
    django.setup()
    connection.settings_dict["NAME"] = name
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """Whoever kills a run means its workers, too."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
