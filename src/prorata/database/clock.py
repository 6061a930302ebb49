"""The clock of an account's time zone: everybody's moments, as the database keeps them, and the account's own."""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from zoneinfo import ZoneInfo

from prorata.database.rows import Microseconds, microseconds_of, time_of
from prorata.engine.calendar import Moment, instant_of, moment_of

_BLOCK = 900_000_000  # microseconds; in nearly all zones days have begun with a quarter of an hour since 1970


class Clock:
    """Leads from a row's moments to the account's and back, quickly since it remembers each quarter of an hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._blocks: dict[int, int | None] = {}  # by how much the account's moments are ahead, where all alike
        self._kept: dict[Moment, Microseconds] = {}

    def moment(self, kept: Microseconds) -> Moment:
        block = kept // _BLOCK
        try:
            ahead = self._blocks[block]
        except KeyError:
            first = block * _BLOCK
            ahead, at_last = self._exactly(first) - first, self._exactly(first + _BLOCK - 1) - first - _BLOCK + 1
            self._blocks[block] = ahead = ahead if ahead == at_last else None
        return kept + ahead if ahead is not None else self._exactly(kept)

    def kept(self, moment: Moment) -> Microseconds:
        """A moment of the account as rows have it."""
        found = self._kept.get(moment)
        if found is None:
            found = self._kept[moment] = microseconds_of(instant_of(moment, self.zone))
        return found

    def _exactly(self, kept: Microseconds) -> Moment:
        return moment_of(time_of(kept).replace(tzinfo=UTC), self.zone)


@lru_cache(maxsize=600)
def clock_of(time_zone: str) -> Clock:
    """The clock of a zone by its name in the IANA database."""
    return Clock(ZoneInfo(time_zone))
