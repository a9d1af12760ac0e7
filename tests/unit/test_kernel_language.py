"""What kernels are written in means the same compiled as in Python: loops, built-in functions, arrays of every layout."""

from __future__ import annotations

import math
import os

import numpy as np
import numpy.typing as npt
import pytest

from maerisim.arrays import Ints, Mask, Places
from maerisim.kernels.compiling import choice
from maerisim.kernels.compiling.jit import helper, kernel

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

COMPILED = not choice.is_stock() and os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"


@helper
def listed(first: int, end: int, step: int, found: Ints) -> int:
    """Write the numbers of some ranges one behind the other; return how many there are."""
    count = 0
    for number in range(end):
        found[count] = number
        count += 1
    for number in range(first, end):
        found[count] = number
        count += 1
    for number in range(first, end, step):
        found[count] = number
        count += 1
    for number in range(first, end, -2):
        found[count] = number
        count += 1
    for number in range(end, first, 3):
        if number % 2:
            continue
        if number > 20:
            break
        found[count] = number
        count += 1
    return count


@kernel
def ranges(first: int, end: int, step: int, found: Ints) -> int:
    """The same, twice, as a loop in a loop."""
    count = 0
    for _ in range(2):
        count += listed(first, end, step, found)
    return count


@kernel
def extremes(a: int, b: int, x: float, y: float, flag: bool, found: Floats) -> None:
    """Every way in which kernels compare numbers."""
    found[0] = max(a, b)
    found[1] = min(a, b, 3)
    found[2] = max(x, y)
    found[3] = min(x, y, 0.5)
    found[4] = max(a, x)
    found[5] = min(y, b)
    found[6] = max(a, flag)
    found[7] = int(flag) + int(a > b)
    found[8] = int(a) // max(1, abs(int(b))) + int(a) % max(1, abs(int(b)))


@kernel
def whole(x: float) -> int:
    """Towards zero."""
    return int(x)


@kernel
def elements(
    table: Ints, mask: Mask, places: Places, small: Bytes, cube: Ints, floats: Floats, found: Ints
) -> tuple[int, float]:
    """Read and write arrays in all ways that kernels do."""
    rows, columns = table.shape
    found[0], found[1], found[2] = rows, columns, len(places)
    found[3] = table[1, 2] + table[rows - 1, columns - 1]
    found[4] = int(places[1]) + int(small[1])
    mask[1] = found[0] > 2
    mask[0] |= mask[1]
    small[2] += 250
    for i in range(cube.shape[0]):
        for j in range(cube.shape[1]):
            for k in range(cube.shape[2]):
                cube[i, j, k] += 100 * i + 10 * j + k
    table[0, 1] = -5
    row = table[1]
    row[0] = 77
    found[5] = total(row) + len(row)
    floats[1] = found[5]
    return total(table[0]), floats[0] + floats[1]


@helper
def total(row: Ints) -> int:
    """The sum of a row."""
    result = 0
    for each in range(row.shape[0]):
        result += row[each]
    return int(result)


@kernel
def last_known(turns: int, found: Ints) -> int:
    """Variables that are assigned in some places and used in others, before and behind loops."""
    before = found[0]
    kept = before
    for turn in range(turns):
        if found[turn] > kept:
            kept, other = found[turn], kept
            found[turn] = other
        elif turn == 2:
            kept = before
        before, kept = kept, before
    while kept > 3:
        kept -= before if before > 2 else 3
        before += 1
    return int(1000 * before + kept)


def both(called, *arguments):
    """What a kernel returns and writes, compiled and in Python."""
    results = []
    for function in (called, called.function):
        handed = [each.copy(order="K") if isinstance(each, np.ndarray) else each for each in arguments]
        with np.errstate(over="ignore"):
            returned = function(*handed)
        results.append((returned, [each.tolist() for each in handed if isinstance(each, np.ndarray)]))
    return results


@pytest.mark.parametrize("ends", [(0, 0), (2, 9), (9, 2), (-4, 5), (5, -6), (3, 4), (7, 7)])
@pytest.mark.parametrize("step", [1, 2, 5, -1, -3])
def test_loops_take_the_same_numbers(ends, step):
    compiled, python = both(ranges, *ends, step, np.zeros(100, np.int64))
    assert compiled == python


@pytest.mark.parametrize("integers", [(0, 0), (-7, 3), (2**62, -(2**62)), (5, 5), (-1, 0)])
@pytest.mark.parametrize("numbers", [(0.0, 1.5), (-2.5, math.inf), (math.nan, 1.0), (1.0, math.nan), (3.0, 3.0)])
@pytest.mark.parametrize("flag", [False, True])
def test_comparisons_find_the_same(integers, numbers, flag):
    compiled, python = both(extremes, *integers, *numbers, flag, np.zeros(9))
    assert repr(compiled) == repr(python)


@pytest.mark.parametrize("number", [0.0, -0.9, 0.9, -3.5, 1e15, -7.0])
def test_numbers_are_cut_off_towards_zero(number):
    compiled, python = both(whole, number)
    assert compiled == python


@pytest.mark.parametrize("layout", ["C", "F", "part"])
def test_arrays_of_every_layout_are_read_and_written(layout):
    table, cube = np.arange(20).reshape(4, 5), np.arange(24).reshape(2, 3, 4)
    if layout == "F":
        table, cube = np.asfortranarray(table), np.asfortranarray(cube)
    if layout == "part":
        table, cube = np.arange(80).reshape(8, 10)[::2, ::2], np.arange(192).reshape(4, 6, 8)[1::2, ::2, ::2]
    others = (
        *(np.array([False, False]), np.array([1, 4_000_000_000, 3], np.uint32), np.array([1, 255, 3], np.uint8)),
        *(cube, np.array([0.5, 1.5]), np.zeros(6, np.int64)),
    )
    results = []
    for function in (elements, elements.function):
        mine, mask, places, small, block, floats, found = (np.array(each, order="K") for each in (table, *others))
        if layout == "part":
            whole_table, whole_cube = np.zeros((8, 10), np.int64), np.zeros((4, 6, 8), np.int64)
            whole_table[::2, ::2], whole_cube[1::2, ::2, ::2] = table, cube
            mine, block = whole_table[::2, ::2], whole_cube[1::2, ::2, ::2]
        with np.errstate(over="ignore"):
            returned = function(mine, mask, places, small, block, floats, found)
        results.append((returned, *(each.tolist() for each in (mine, mask, small, block, floats, found))))
    assert results[0] == results[1]


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("seed", range(5))
def test_variables_keep_their_values(turns, seed):
    compiled, python = both(last_known, turns, np.random.default_rng(seed).integers(-5, 9, 6))
    assert compiled == python


def of_two(number: int) -> int:
    """A call of a function that numba compiles itself."""
    return 1 if number in (1, 2) else 0


def failing(number: int) -> int:
    """What raises an error."""
    if number < 0:
        raise ValueError(number)
    return number


@pytest.mark.skipif(not COMPILED, reason="stock numba and Python take it")
@pytest.mark.parametrize(
    ("function", "message"), [(of_two, "kernels call helpers alone, not .*contains"), (failing, "raise")]
)
def test_what_kernels_cannot_do_is_an_error(function, message, monkeypatch):
    from numba.core.errors import NumbaError

    from maerisim.kernels.compiling import cache

    monkeypatch.setattr(cache, "directory", lambda: None)
    with pytest.raises((NumbaError, NotImplementedError), match=message):
        kernel(function)(1)
