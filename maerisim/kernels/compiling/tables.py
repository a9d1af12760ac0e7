"""What a kernel is handed: a table of 64-bit words, and the types of what lies in it.

A table has one word for a number; address, shape and strides for an array; a group (a NamedTuple) within a group lies in the
table of the outer one. The arguments of a kernel are the fields of one table.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import numpy as np

_lend: Any = (ctypes.c_char * 0).from_buffer
"""Nothing at the address of an array's data, however little there is."""

C_ORDER, FORTRAN_ORDER, WRITABLE = 0x1, 0x2, 0x400
"""Flags of an array that its type depends on, as NumPy numbers them."""
_IN_C_ORDER = C_ORDER | WRITABLE
_FLAGS = C_ORDER | FORTRAN_ORDER | WRITABLE

Kinds = tuple[Any, ...]
"""The type of each field of a table: ``int``, ``float`` or ``bool``, (character of the dtype, dimensions, flags) of an array,
(class, kinds of its fields) of a group, and any other class of what has no place in a table.
"""


def table_of(fields: tuple[Any, ...]) -> tuple[bytes, Kinds]:
    """The table of some fields, and their kinds."""
    words: list[int] = []
    kinds = _append(fields, words)
    return struct.pack(f"{len(words)}q", *words), kinds


def _append(fields: tuple[Any, ...], words: list[int]) -> Kinds:
    kinds: list[Any] = []
    for field in fields:
        kind = type(field)
        if kind is np.ndarray:
            try:
                words.append(ctypes.addressof(_lend(field)))  # a fifth of the time of the other way
            except TypeError:  # only arrays that are contiguous and can be written lend their buffer
                words.append(field.ctypes.data)
            words += field.shape
            words += field.strides
            flags = field.flags.num
            kinds.append((field.dtype.char, field.ndim, flags & (_IN_C_ORDER if flags & C_ORDER else _FLAGS)))
        elif kind is int:
            words.append(field)
            kinds.append(int)
        elif isinstance(field, tuple):
            kinds.append((kind, _append(field, words)))
        elif isinstance(field, float):
            words += struct.unpack("q", struct.pack("d", field))
            kinds.append(float)
        elif isinstance(field, (bool, np.bool_)):
            words.append(int(field))
            kinds.append(bool)
        elif isinstance(field, (int, np.integer)):
            words.append(int(field))
            kinds.append(int)
        else:
            words.append(0)
            kinds.append(kind)
    return tuple(kinds)


def described(kinds: Kinds) -> str:
    """The kinds as a text that is the same in every process."""
    return ",".join(_description(kind) for kind in kinds)


def _description(kind: Any) -> str:
    if isinstance(kind, type):
        return kind.__qualname__
    if isinstance(kind, tuple) and kind and isinstance(kind[0], type):
        return f"{kind[0].__qualname__}({described(kind[1])})"
    return repr(kind)
