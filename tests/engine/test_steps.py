"""Step functions, judged day by day: what holds, what a window sees, where two of them differ."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.steps import Level, Steps, Stretch, Window, compare, stretches, together

SETS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=12)


def values_of(window: Window[int], end: int) -> dict[int, int]:
    """What a window says of each of its days."""
    return {day: value for first, past, value in stretches(window, end) for day in range(first, past)}


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
    assert level.window(5, 20, 0, opening=False) == [(5, 3), (10, 4)]
    assert level.window(5, 20, 1, opening=False) == [(5, 3), (11, 4)]


def test_the_day_before_the_window_decides_its_first_day_when_changes_are_delayed() -> None:
    level = Level()
    level.add(5, 1)  # on the window's first day
    assert level.window(5, 20, 0, opening=False) == [(5, 1)]
    assert level.window(5, 20, 1, opening=False) == [(5, 0), (6, 1)]
    assert level.window(5, 20, 1, opening=True) == [(5, 1)]


def test_a_change_on_the_last_day_is_outside_the_window_when_delayed() -> None:
    level = Level()
    level.add(19, 1)
    assert level.window(5, 20, 0, opening=False) == [(5, 0), (19, 1)]
    assert level.window(5, 20, 1, opening=False) == [(5, 0)]


@given(SETS, st.integers(0, 25), st.integers(1, 20), st.integers(0, 1), st.booleans())
def test_a_window_says_of_each_day_what_held_at_its_end_or_its_beginning(
    sets: list[tuple[int, int]], start: int, length: int, delay: int, opening: bool
) -> None:
    steps = Steps(0)
    for day, value in sets:
        steps.set(day, value)
    end = start + length
    window = steps.window(start, end, delay, opening=opening)
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


@given(SETS, SETS, st.integers(1, 30))
def test_two_windows_together_say_of_each_day_what_both_say(
    left: list[tuple[int, int]], right: list[tuple[int, int]], end: int
) -> None:
    one, two = Steps(0), Steps(0)
    for steps, sets in ((one, left), (two, right)):
        for day, value in sets:
            steps.set(day, value)
    windows = one.window(0, end, 0, opening=False), two.window(0, end, 0, opening=False)
    both = together(*windows)
    said = {day: value for first, past, value in stretches(both, end) for day in range(first, past)}
    assert said == {day: (one.at(day), two.at(day)) for day in range(end)}
    assert all(first[0] < second[0] for first, second in pairwise(both))


@st.composite
def stretch_lists(draw: st.DrawFn) -> list[Stretch[int]]:
    """Stretches in order, some touching, some with days between them that nothing is said of."""
    day, found = draw(st.integers(0, 5)), []
    for _ in range(draw(st.integers(0, 5))):
        past = day + draw(st.integers(1, 6))
        found.append((day, past, draw(st.integers(1, 2))))
        day = past + draw(st.sampled_from([0, 0, 1, 4]))
    return found


@given(stretch_lists(), stretch_lists())
def test_a_comparison_names_every_day_that_differs_and_no_other(
    left: list[Stretch[int]], right: list[Stretch[int]]
) -> None:
    before = {day: value for first, past, value in left for day in range(first, past)}
    after = {day: value for first, past, value in right for day in range(first, past)}
    found = compare(left, right)
    said = {day: (one, two) for first, past, one, two in found for day in range(first, past)}
    assert said == {
        day: (before.get(day), after.get(day))
        for day in before.keys() | after.keys()
        if before.get(day) != after.get(day)
    }
    assert sum(past - first for first, past, _, _ in found) == len(said)  # no day twice
    assert all(one[1] < two[0] or (one[1] == two[0] and one[2:] != two[2:]) for one, two in pairwise(found))
