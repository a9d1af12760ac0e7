"""Counts of 64 neighbouring switches at a time, as *bit planes*: one bit of each count per machine word."""

from __future__ import annotations

from typing import Any

import numpy as np

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping.machine import Bits

NONE, ONE, SIX, LAST_BIT, LENGTH = np.uint64(0), np.uint64(1), np.uint64(6), np.uint64(63), np.uint64(64)


@inlined
def increase(bits: Bits, first: int, words: int, planes: int, mask: Any) -> None:
    """Add one to the counts in ``mask``."""
    carry, at = mask, first
    for _ in range(planes):
        before = bits[at]
        bits[at] = before ^ carry
        carry &= before
        if not carry:
            break
        at += words


@inlined
def decrease(bits: Bits, first: int, words: int, planes: int, mask: Any) -> None:
    """Take one from the counts in ``mask``."""
    borrow, at = mask, first
    for _ in range(planes):
        before = bits[at]
        bits[at] = before ^ borrow
        borrow &= ~before
        if not borrow:
            break
        at += words


@inlined
def decrease_by(bits: Bits, first: int, words: int, planes: int, mask: Any, amount: int) -> None:
    """Take ``amount`` from the counts in ``mask``."""
    borrow, at = NONE, first
    for plane in range(planes):
        before = bits[at]
        digit = mask if (amount >> plane) & 1 else NONE
        bits[at] = before ^ digit ^ borrow
        borrow = (~before & (digit | borrow)) | (digit & borrow)
        if not borrow and amount >> plane <= 1:
            break
        at += words


@inlined
def positive(bits: Bits, first: int, words: int, planes: int, asked: Any) -> Any:
    """Those ``asked`` for whose counts are not zero."""
    zero, at = asked, first
    for _ in range(planes):
        zero &= ~bits[at]
        if not zero:
            break
        at += words
    return asked & ~zero


@inlined
def equal(bits: Bits, first: int, words: int, planes: int, value: int) -> Any:
    """The counts that are ``value``; the highest plane first, in which few large values are met."""
    result, at = ~NONE, first + planes * words
    for plane in range(planes - 1, -1, -1):
        at -= words
        result &= bits[at] if (value >> plane) & 1 else ~bits[at]
        if not result:
            break
    return result


@inlined
def at_least(bits: Bits, first: int, words: int, planes: int, value: int, asked: Any) -> Any:
    """Those ``asked`` for whose counts are ``value`` or more."""
    borrow, at = NONE, first
    for plane in range(planes):
        before = bits[at]
        digit = asked if (value >> plane) & 1 else NONE
        borrow = (~before & (digit | borrow)) | (digit & borrow)
        if not borrow and value >> plane <= 1:
            break
        at += words
    return asked & ~borrow


@inlined
def rotated(word: Any, turn: Any) -> Any:
    """A word rotated to the right."""
    return (word >> turn) | (word << ((LENGTH - turn) & LAST_BIT))
