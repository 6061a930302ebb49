"""The picture of a preset's story: the users and the seats that are billed for them, and the documents below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from prorata.console.plot import COLOURS, EPOCH, major, money_axis, style, time_axis
from prorata.engine.calendar import Day, speak_day, to_day
from prorata.engine.document import Document, Line
from prorata.engine.history import Event, Subscription, buys

_BLUE, _RED, _DARK = COLOURS[0], COLOURS[1], "#333333"


def draw_story(subscription: Subscription, documents: Sequence[Document], currency: str) -> Figure:
    """Seats day by day and amounts at the dates of the documents, from the first event to a little after the last."""
    start = subscription.events[0].day
    last = to_day(documents[-1].date)
    end = last + max(8, (last - start) // 12)
    with style():
        figure = Figure(figsize=(8, 4.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1])
        _draw_seats(above, subscription, documents, start, end)
        _draw_documents(below, documents, currency, (end - start) / 36)
        time_axis(below, [start - EPOCH - (end - start) / 24, end - EPOCH])
    return figure


def _draw_seats(axes: Axes, subscription: Subscription, documents: Sequence[Document], start: Day, end: Day) -> None:
    billed = _billed((line for document in documents for line in document.lines), end)
    _stairs(axes, billed, start, end, label="seats billed", color=_BLUE, fill=True, alpha=0.35)
    people, ordered = _people(subscription.events), _ordered(subscription.events)
    if ordered:
        _stairs(axes, ordered, start, end, label="seats ordered", color=_RED, baseline=None, linewidth=1.6)
    if people:
        _stairs(axes, people, start, end, label="users", color=_DARK, baseline=None, linewidth=1.6, linestyle="--")
    most = max(max(counts.values()) for counts in (billed, people, ordered) if counts)
    axes.set_ylim(0, 1.15 * most)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"Seats from {speak_day(start)}")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)


def _draw_documents(axes: Axes, documents: Sequence[Document], currency: str, width: float) -> None:
    for document in documents:
        amount = major(document.total_minor, currency)
        colour = _BLUE if amount >= 0 else _RED
        bar = axes.bar(to_day(document.date) - EPOCH, amount, width, align="edge", color=colour)
        axes.bar_label(bar, fmt=lambda value: f"{value:,.2f}".replace("-", "−"), padding=2, fontsize=8)
    money_axis(axes)
    amounts = [major(document.total_minor, currency) for document in documents]
    axes.set_ylim(top=1.2 * max(amounts))
    if min(amounts) < 0:
        axes.set_ylim(bottom=min(amounts) - 0.2 * max(amounts))
        axes.axhline(0, color="#888888", linewidth=0.8)
    axes.set_title(f"Invoices in {currency}" if min(amounts) >= 0 else f"Invoices and credit notes in {currency}")


def _stairs(axes: Axes, counts: Mapping[Day, int], start: Day, end: Day, **look: object) -> None:
    """The counts as steps, each from its day to the next one's, those outside the picture left out."""
    days = sorted({start, end, *(day for day in counts if start < day < end)})
    values = [counts[max(known)] if (known := [day for day in counts if day <= at]) else 0 for at, _ in pairwise(days)]
    axes.stairs(values, [float(day - EPOCH) for day in days], **look)  # type: ignore[arg-type]


def _billed(lines: Iterable[Line], end: Day) -> dict[Day, int]:
    """How many seats the documents bill for each day."""
    changes: dict[Day, int] = {}
    for line in lines:
        if line.item == "seats":
            changes[line.start_day] = changes.get(line.start_day, 0) + line.quantity
            changes[line.end_day] = changes.get(line.end_day, 0) - line.quantity
    counts, count = {}, 0
    for day in sorted(changes):
        count += changes[day]
        counts[day] = count
    return counts or {end: 0}


def _people(events: Iterable[Event]) -> dict[Day, int]:
    """How many members there are from each day on."""
    members: set[str] = set()
    counts = {}
    for event in events:
        if event.kind == "activate":
            members.add(event.user)
        elif event.kind == "deactivate":
            members.remove(event.user)
        else:
            continue
        counts[event.day] = len(members)
    return counts


def _ordered(events: Iterable[Event]) -> dict[Day, int]:
    return {event.day: event.quantity or 0 for event in events if buys(event)}
