"""Step functions, judged day by day: what holds, what a window sees, what two of them say together."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.steps import Level, Steps, Window, joined, overlaid, pieces

V = TypeVar("V")
SETS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=12)


def values_of(window: Window[V], end: int) -> dict[int, V]:
    """What a window says of each of its days."""
    ends = [day for day, _ in window[1:]] + [end]
    return {day: value for (first, value), past in zip(window, ends, strict=True) for day in range(first, past)}


def windows(end: int) -> st.SearchStrategy[Window[int]]:
    """Windows from 0 up to `end`, whose steps all change something."""
    days = st.lists(st.integers(1, end - 1), unique=True, max_size=6).map(sorted)
    pairs = days.flatmap(
        lambda days: st.lists(st.integers(0, 2), min_size=len(days) + 1, max_size=len(days) + 1).map(
            lambda values: list(zip([0, *days], values, strict=True))
        )
    )
    return pairs.map(joined)


def test_what_is_set_holds_from_its_day_until_the_next() -> None:
    steps = Steps(0)
    steps.set(10, 5)
    steps.set(20, 7)
    steps.set(15, 6)  # told later than the others
    assert [steps.at(day) for day in (9, 10, 14, 15, 19, 20, 99)] == [0, 5, 5, 6, 6, 7, 7]


def test_the_last_word_of_a_day_holds() -> None:
    steps = Steps("before")
    steps.set(10, "first")
    steps.set(10, "second")
    assert (steps.at(9), steps.at(10)) == ("before", "second")
    assert steps.days == [10]


@given(SETS)
def test_at_is_the_last_value_set_on_or_before_the_day(sets: list[tuple[int, int]]) -> None:
    steps = Steps(-1)
    naive: dict[int, int] = {}
    for day, value in sets:
        steps.set(day, value)
        naive[day] = value
    for day in range(-1, 33):
        earlier = [at for at in naive if at <= day]
        assert steps.at(day) == (naive[max(earlier)] if earlier else -1)


def test_a_change_counts_on_its_day_without_delay_and_on_the_next_with_it() -> None:
    level = Level()
    level.add(1, 3)
    level.add(10, 1)
    assert level.window((5, 20, 5, 0)) == [(5, 3), (10, 4)]
    assert level.window((5, 20, 4, 1)) == [(5, 3), (11, 4)]


def test_the_day_before_the_window_decides_its_first_day_when_changes_are_delayed() -> None:
    level = Level()
    level.add(5, 1)  # on the window's first day
    assert level.window((5, 20, 5, 0)) == [(5, 1)]
    assert level.window((5, 20, 4, 1)) == [(5, 0), (6, 1)]
    assert level.window((5, 20, 5, 1)) == [(5, 1)]


def test_a_change_on_the_last_day_is_outside_the_window_when_delayed() -> None:
    level = Level()
    level.add(19, 1)
    assert level.window((5, 20, 5, 0)) == [(5, 0), (19, 1)]
    assert level.window((5, 20, 4, 1)) == [(5, 0)]


@given(SETS, st.integers(0, 25), st.integers(1, 20), st.integers(0, 1), st.booleans())
def test_a_window_says_of_each_day_what_held_at_its_end_or_its_beginning(
    sets: list[tuple[int, int]], start: int, length: int, delay: int, opening: bool
) -> None:
    steps = Steps(0)
    for day, value in sets:
        steps.set(day, value)
    end = start + length
    window = steps.window((start, end, start if opening else start - delay, delay))
    naive = {day: steps.at(day if opening and day == start else day - delay) for day in range(start, end)}
    assert values_of(window, end) == naive
    assert all(one[1] != two[1] and one[0] < two[0] for one, two in pairwise(window))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-3, 3)), max_size=15))
def test_a_level_is_the_sum_of_what_came_by_the_day_in_whatever_order_it_was_told(
    changes: list[tuple[int, int]],
) -> None:
    level = Level()
    for day, change in changes:
        level.add(day, change)
    assert [level.at(at) for at in range(-1, 23)] == [
        sum(change for day, change in changes if day <= at) for at in range(-1, 23)
    ]


@given(windows(20), windows(20))
def test_two_windows_in_pieces_say_of_each_day_what_both_say_and_step_where_either_does(
    left: Window[int], right: Window[int]
) -> None:
    found = pieces(left, right, 20)
    said = {day: (one, two) for first, past, one, two in found for day in range(first, past)}
    assert said == {day: (values_of(left, 20)[day], values_of(right, 20)[day]) for day in range(20)}
    assert sum(past - first for first, past, _, _ in found) == 20  # no day twice
    assert [first for first, *_ in found] == sorted({day for day, _ in (*left, *right)})
    assert all(one[1] == two[0] and one[2:] != two[2:] for one, two in pairwise(found))


@given(windows(20), st.integers(0, 19), st.integers(1, 20), st.integers(0, 2))
def test_what_is_laid_over_a_window_holds_on_its_days_and_nothing_else_moves(
    window: Window[int], start: int, length: int, value: int
) -> None:
    end = min(start + length, 20)
    found = overlaid(window, start, end, 20, value)
    assert values_of(found, 20) == {**values_of(window, 20), **dict.fromkeys(range(start, end), value)}
    assert all(one[0] < two[0] and one[1] != two[1] for one, two in pairwise(found))
