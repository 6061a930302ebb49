"""Pictures of what is billed, as SVG or PNG: the same input gives the same file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from prorata.engine.calendar import add_months, speak_month, to_day
from prorata.engine.compare import Amounts, total
from prorata.engine.money import digits_of, speak_amount

# Okabe and Ito's colours, which people tell apart whatever they see of red and green; without their yellow, which is
# too faint for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":")
_STYLE: dict[Any, object] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "font.size": 9,
    "font.family": ["DejaVu Sans"],
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "prorata",
    "text.parse_math": False,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}
EPOCH = to_day(date(1970, 1, 1))  # matplotlib's day 0
_MOST_BARS = 48  # more are drawn as lines


def draw_comparison(months: Mapping[date, Amounts], labels: Sequence[str], currency: str, title: str) -> Figure:
    """What is to be paid in each month under each policy, and below it the sum so far.

    `months` has at least one month, with an amount in minor units for each label.
    """
    with style():
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        figure.suptitle(title, x=0.01, horizontalalignment="left")
        above, below = figure.subplots(2, 1, sharex=True)
        edges = _edges(months)
        for at, label in enumerate(labels):
            paid = [major(due[at], currency) for due in months.values()]
            _draw_months(above, edges, paid, at, len(labels))
            said = f"{speak_amount(total(months.values())[at], currency)} {label}"
            below.stairs(list(accumulate(paid)), edges, baseline=None, label=said, **_look(at))
        first = next(iter(months))
        above.set_title(f"{currency} per month")
        below.set_title(f"{currency} since {speak_month(to_day(first))} {first.year}")
        for axes in (above, below):
            money_axis(axes)
        time_axis(below, edges)
        below.legend(loc="upper left")
    return figure


def save(figure: Figure, path: Path, title: str) -> None:
    """Writes a picture, by the ending of the path, with nothing in it that differs from run to run; raises OSError."""
    unsaid = {".svg": ("Date", "Creator"), ".png": ("Software",)}[path.suffix]
    with style():
        figure.savefig(path, metadata={"Title": title, **dict.fromkeys(unsaid)}, dpi=150)


@contextmanager
def style() -> Iterator[None]:
    """Our looks, whatever a person's own settings of matplotlib are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def major(minor: int, currency: str) -> float:
    """An amount for drawing, in whole units of the currency: nothing is reckoned with it."""
    return minor / float(10 ** digits_of(currency))


def money_axis(axes: Axes) -> None:
    """Amounts from zero up, thousands apart."""
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda amount, _: f"{amount:,.10g}".replace("-", "−")))
    axes.tick_params(axis="y", length=0)


def time_axis(axes: Axes, edges: Sequence[float]) -> None:
    """Days from the first of the edges to the last, counted from EPOCH, named by month or year."""
    axes.set_xlim(edges[0], edges[-1])
    locator = AutoDateLocator(minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def _draw_months(axes: Axes, edges: Sequence[float], paid: Sequence[float], at: int, policies: int) -> None:
    if len(paid) * policies > _MOST_BARS:
        axes.stairs(paid, edges, baseline=None, **_look(at))
        return
    room = [0.8 * (end - start) for start, end in pairwise(edges)]
    lefts = [start + width * (0.125 + at / policies) for start, width in zip(edges, room, strict=False)]
    axes.bar(lefts, paid, [width / policies for width in room], align="edge", color=COLOURS[at % len(COLOURS)])


def _look(at: int) -> dict[str, Any]:
    """The line of the policy at this place: each thinner than the one before, so that none hides where they agree."""
    dashes = _DASHES[at // len(COLOURS) % len(_DASHES)]
    return {"color": COLOURS[at % len(COLOURS)], "linestyle": dashes, "linewidth": max(1.0, 3.4 - 1.1 * at)}


def _edges(months: Mapping[date, object]) -> list[float]:
    """The first days of the months, and of the one after the last, as the picture counts days."""
    days = [to_day(month) for month in months]
    return [float(day - EPOCH) for day in [*days, *(add_months(day, 1) for day in days[-1:])]]
