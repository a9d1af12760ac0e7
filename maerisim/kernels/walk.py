"""Walking a thread's loop nest as flat code, see :mod:`maerisim.engine.flatten`.

Each node is one row: ``op``, ``arg`` (a step's template, a loop's depth), ``count`` (repetitions), ``advance`` (words
by which the base address moves after each repetition) and ``target`` (first row of the loop's body).
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.kernels.jit import kernel
from maerisim.program import Ints

STEP, LOOP, END, HALT = 0, 1, 2, 3


class Code(NamedTuple):
    """The rows of all threads, one after the other; each thread ends with HALT."""

    op: Ints
    arg: Ints
    count: Ints
    advance: Ints
    target: Ints


@kernel
def seek_step(code: Code, row: int, base: int, turns: Ints) -> tuple[int, int]:
    """From ``row`` on, find the next STEP or HALT row: (row, base). ``turns`` holds a walker's loop counters."""
    while True:
        op = code.op[row]
        if op == LOOP:
            turns[code.arg[row]] = code.count[row]
            row += 1
        elif op == END:
            base += code.advance[row]
            depth = code.arg[row]
            turns[depth] -= 1
            row = code.target[row] if turns[depth] > 0 else row + 1
        else:
            return row, base
