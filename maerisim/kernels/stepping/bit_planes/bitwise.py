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
        at += words


@inlined
def decrease(bits: Bits, first: int, words: int, planes: int, mask: Any) -> None:
    """Take one from the counts in ``mask``."""
    borrow, at = mask, first
    for _ in range(planes):
        before = bits[at]
        bits[at] = before ^ borrow
        borrow &= ~before
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
        at += words


@inlined
def positive(bits: Bits, first: int, words: int, planes: int) -> Any:
    """The counts that are not zero."""
    result, at = NONE, first
    for _ in range(planes):
        result |= bits[at]
        at += words
    return result


@inlined
def equal(bits: Bits, first: int, words: int, planes: int, value: int) -> Any:
    """The counts that are ``value``."""
    result, at = ~NONE, first
    for plane in range(planes):
        result &= bits[at] if (value >> plane) & 1 else ~bits[at]
        at += words
    return result


@inlined
def at_least(bits: Bits, first: int, words: int, planes: int, value: int) -> Any:
    """The counts from ``value`` on."""
    borrow, at = NONE, first
    for plane in range(planes):
        before = bits[at]
        digit = ~NONE if (value >> plane) & 1 else NONE
        borrow = (~before & (digit | borrow)) | (digit & borrow)
        at += words
    return ~borrow


@inlined
def rotated(word: Any, turn: Any) -> Any:
    """A word rotated to the right."""
    return (word >> turn) | (word << ((LENGTH - turn) & LAST_BIT))
