"""What may not be said about the days something waits for: notice before a fall, and rises that must last."""

from __future__ import annotations

from collections.abc import Iterator

from prorata.engine.policy.model import Rules
from prorata.engine.policy.problems import Path, Problem

_MOST_DAYS = 366


def of_waiting(rules: Rules, path: Path) -> Iterator[Problem]:
    """Days of notice and of waiting beside what they cannot be meant with."""
    told = {
        ("rise", "waiting_days"): rules.rise.waiting_days,
        ("fall", "notice_days"): rules.fall.notice_days,
        ("cancel", "notice_days"): rules.cancel.notice_days,
    }
    for (table, key), days in told.items():
        if days > _MOST_DAYS:
            yield Problem((*path, table, key), f"{table}.{key} is at most {_MOST_DAYS}, not {days}")
    if told["fall", "notice_days"] and rules.fall.window_days:
        sentence = "fall.window_days lets seats be given back at once, and fall.notice_days lets every fall wait"
        yield Problem((*path, "fall", "window_days"), f"{sentence}; leave one of them out")
    for table, key in (("rise", "waiting_days"), ("fall", "notice_days")):
        if not told[table, key]:
            continue
        if rules.seats.measure != "level":
            sentence = f'{table}.{key} is about the seats of each day; it needs seats.measure = "level"'
            if rules.seats.measure in ("high_water", "held"):
                sentence += ' (fall.takes_effect = "next_period" keeps a freed seat paid, too)'
            yield Problem((*path, table, key), sentence)
        elif anew := next((one for one in rules.change.restarting if one != "interval"), None):
            sentence = f'{table}.{key} lets changes wait, and change.{anew} = "restart" begins a period at once'
            yield Problem((*path, table, key), f"{sentence}; leave one of them out")
