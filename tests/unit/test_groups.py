"""What kernels read from groups is what lies in the arrays and numbers that Python hands over."""

from __future__ import annotations

import os
import re
import struct
from typing import NamedTuple

import numpy as np
import pytest

from maerisim.arrays import Ints, Mask, Places
from maerisim.kernels.compiling import choice
from maerisim.kernels.compiling.jit import helper, inlined, kernel
from maerisim.kernels.compiling.tables import table_of


class Inner(NamedTuple):
    """A group within a group."""

    before: int
    values: Ints
    after: bool


class Outer(NamedTuple):
    """Numbers and arrays of several types, and a group between them."""

    scale: float
    mask: Mask
    inner: Inner
    places: Places
    count: int


@inlined
def total(inner: Inner, least: int) -> int:
    """The sum of the values that are at least as large."""
    result = inner.before
    for row in range(inner.values.shape[0]):
        for column in range(inner.values.shape[1]):
            if inner.values[row, column] >= least:
                result += max(least, inner.values[row, column])
    return result


@helper
def put(inner: Inner, row: int, value: int) -> int:
    """Write a value into the last column; return what was there."""
    last = inner.values.shape[1] - 1
    before = inner.values[row, last]
    inner.values[row, last] = value
    return int(max(before, 0))


@kernel
def gather(outer: Outer, least: int, found: Ints) -> float:
    """Fill ``found`` with numbers of each field."""
    found[0] = total(outer.inner, least)
    found[1] = put(outer.inner, 1, -7)
    found[2] = len(outer.mask) + 10 * outer.mask[1]
    found[3] = outer.places[2]
    found[4] = 1 if outer.inner.after else 2
    found[5] = outer.count
    return outer.scale * outer.count


@kernel
def put_first(outer: Outer, value: int) -> int:
    """A second kernel with the same helper."""
    return put(outer.inner, 0, value)


VALUES = np.arange(12).reshape(3, 4)


def outer_with(values):
    mask, places = np.array([False, True, False]), np.array([1, 2, 4_000_000_000], np.uint32)
    return Outer(0.25, mask, Inner(100, values, True), places, 6)


@pytest.mark.parametrize(
    "arranged",
    [
        np.copy,
        np.asfortranarray,
        lambda values: np.repeat(values, 2, axis=1)[:, ::2],
        lambda values: np.flip(np.flip(values).copy()),
    ],
    ids=["in C order", "in Fortran order", "every other column", "backwards"],
)
def test_kernels_and_their_helpers_read_and_write_the_arrays_of_a_group(arranged):
    values = arranged(VALUES)
    found = np.zeros(6, np.int64)
    assert gather(outer_with(values), 5, found) == 0.25 * 6
    # 100, and 5 to 11 in sum; 7 was in the last column of row 1.
    assert found.tolist() == [100 + sum(range(5, 12)), 7, 3 + 10, 4_000_000_000, 1, 6]
    assert values.tolist() == [[0, 1, 2, 3], [4, 5, 6, -7], [8, 9, 10, 11]]
    assert put_first(outer_with(values), -1) == 3
    assert values[0, 3] == -1


def test_kernels_read_arrays_that_cannot_be_written():
    @kernel
    def largest(inner: Inner) -> int:
        return int(max(inner.before, inner.values[2, 3]))

    values = VALUES.copy()
    values.flags.writeable = False
    assert largest(Inner(3, values, False)) == 11


def test_a_table_has_a_word_for_a_number_and_address_shape_and_strides_for_an_array():
    values, flags = VALUES.astype(np.int64), np.zeros(5, bool)
    written = struct.unpack("=q" + "5q" + "3q" + "qd", table_of((7, (values, flags), True, -0.5))[0])
    assert written == (7, values.ctypes.data, 3, 4, 32, 8, flags.ctypes.data, 5, 1, 1, -0.5)


def test_an_array_without_elements_has_a_table_too():
    assert struct.unpack("3q", table_of((np.zeros(0, np.int64),))[0])[1] == 0


OWN = pytest.mark.skipif(
    choice.is_stock() or os.environ.get("NUMBA_DISABLE_JIT", "0") == "1",
    reason="stock numba and plain Python take what comes",
)


@OWN
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 2.5}, "Outer.count has to be int, not float"),
        ({"count": "six"}, "Outer.count has to be int, not str"),
        ({"count": None}, "Outer.count has to be int, not NoneType"),
        ({"count": object()}, "Outer.count has to be int, not object"),
        ({"scale": 1}, "Outer.scale has to be float, not int"),
        ({"scale": np.float32(0.5)}, "Outer.scale has to be float, not float32"),
        ({"mask": np.zeros(3, np.int64)}, "Outer.mask has to be an array of bool, not an array of int64"),
        ({"mask": True}, "Outer.mask has to be an array of bool, not bool"),
        ({"inner": (1, VALUES, True)}, "Outer.inner has to be Inner, not "),
        (
            {"inner": Inner(1, VALUES.astype(float), True)},
            "Inner.values has to be an array of int64, not an array of float64",
        ),
        ({"inner": Inner(1, VALUES, 1)}, "Inner.after has to be bool, not int"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_that_is_not_as_declared_is_refused(changed, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        gather(outer_with(VALUES)._replace(**changed), 5, np.zeros(6, np.int64))


def test_numbers_of_numpy_are_numbers():
    outer, found = outer_with(VALUES.copy()), np.zeros(6, np.int64)
    inner = outer.inner._replace(before=np.int64(100), after=np.bool_(True))
    assert gather(outer._replace(scale=np.float64(0.25), count=np.int64(6), inner=inner), 5, found) == 0.25 * 6
    assert found.tolist() == [100 + sum(range(5, 12)), 7, 3 + 10, 4_000_000_000, 1, 6]
