"""Walking a thread's loop nest as flat code, see :mod:`maerisim.engine.compiled.flatten`.

Each node is one row: ``op``, ``arg`` (a step's template, a loop's depth), ``repetitions``, ``period`` and
``advance`` (control steps and words by which a walker moves after each repetition) and ``target`` (first row of the loop's body).
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined, kernel

STEP, LOOP, END, HALT = 0, 1, 2, 3

LATEST = 1 << 62
"""Later than any control step."""


class Code(NamedTuple):
    """The rows of all threads, one after the other; each thread ends with HALT."""

    op: Ints
    arg: Ints
    repetitions: Ints
    period: Ints
    advance: Ints
    target: Ints


class Walkers(NamedTuple):
    """Positions of a kind of component in its thread: code row, repetitions left, control step, base, loop counters."""

    row: Ints
    left: Ints
    step: Ints
    base: Ints
    turns: Ints


@inlined
def seek(code: Code, walkers: Walkers, walker: int, row: int) -> int:
    """Move a walker to the next STEP or HALT row from ``row`` on; return that row."""
    while True:
        op = code.op[row]
        if op == LOOP:
            walkers.turns[walker, code.arg[row]] = code.repetitions[row]
            row += 1
        elif op == END:
            walkers.step[walker] += code.period[row]
            walkers.base[walker] += code.advance[row]
            depth = code.arg[row]
            walkers.turns[walker, depth] -= 1
            row = code.target[row] if walkers.turns[walker, depth] > 0 else row + 1
        else:
            walkers.row[walker] = row
            walkers.left[walker] = code.repetitions[row]
            break
    return row


@kernel
def seek_first_steps(code: Code, walkers: Walkers, rows: Ints) -> None:
    """Move each walker to the first STEP or HALT row of its thread, which begins at ``rows[walker]``."""
    for walker in range(len(rows)):
        seek(code, walkers, walker, rows[walker])


@helper
def seek_step(code: Code, walkers: Walkers, walker: int, row: int) -> int:
    """:func:`seek` as a call."""
    return seek(code, walkers, walker, row)


@inlined
def advance(code: Code, walkers: Walkers, walker: int) -> bool:
    """Take a walker past one control step; whether that was the last repetition of its row."""
    row = walkers.row[walker]
    walkers.step[walker] += code.period[row]
    walkers.base[walker] += code.advance[row]
    walkers.left[walker] -= 1
    if walkers.left[walker] == 0:
        seek_step(code, walkers, walker, row + 1)
        return True
    return False


@inlined
def skip_row(code: Code, walkers: Walkers, walker: int) -> int:
    """Take a walker past all that is left of its row; return the next row."""
    row = walkers.row[walker]
    walkers.step[walker] += code.period[row] * walkers.left[walker]
    walkers.base[walker] += code.advance[row] * walkers.left[walker]
    return seek_step(code, walkers, walker, row + 1)
