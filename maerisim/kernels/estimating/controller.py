"""When the controller releases control steps: at its rate, and each batch when the results that it waits for are written.

A *batch* is the control steps for which the same weights stay; in front of them go, where weights come first, the steps
in which these are sent. Results are counted as :mod:`maerisim.lowering.dense` counts them: real ones of what is walked inside a loop, so that
the zeros that fill up tiles let the next batch in early.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import times
from maerisim.kernels.estimating.dimensions import OF_PLANE, REPLICATED, N
from maerisim.kernels.estimating.global_buffer import time_of_results
from maerisim.kernels.estimating.nest import NestNumbers
from maerisim.kernels.estimating.orders import Reuse
from maerisim.kernels.estimating.quantities import FabricNumbers, LoopNumbers, TileShape
from maerisim.kernels.estimating.sections import PartRanges
from maerisim.kernels.estimating.times import TimeRows


@helper
def inside_batches(reuse: Reuse) -> int:
    """The loops that turn within a batch."""
    return reuse.repeats | reuse.ring | reuse.passes


@helper
def set_due(shape: TileShape, loops: LoopNumbers, reuse: Reuse, fabric: FabricNumbers, levels: int, loop: Ints) -> None:
    """Fill in the results that are due after each iteration of the loops around a batch."""
    inside, passed = inside_batches(reuse), 0
    for level in range(levels):
        loop[times.DUE_EACH, level] = 0
        d = loop[times.DIMENSION, level]
        if REPLICATED >> d & 1:
            turns_outside = shape.turning >> d & ~inside >> d & 1
            if turns_outside and (fabric.across_images or d != N):
                due = shape.folds if reuse.spills else 1
                for each in range(8):
                    if REPLICATED >> each & 1 and (fabric.across_images or each != N):
                        around = shape.turning & ~inside & ~passed
                        whole = (passed | inside) >> each & 1 or (OF_PLANE & ~around) >> each & 1
                        due *= loops.real[each] if whole else loops.tile[each]
                loop[times.DUE_EACH, level] = due
            passed |= 1 << d


@helper
def results_so_far(shape: TileShape, nest: NestNumbers, loop: Ints) -> int:
    """Results of the control steps before the present one."""
    steps = 0
    for level in range(nest.levels):
        steps += loop[times.INDEX, level] * loop[times.BODY, level]
    return int(steps // (1 if nest.spills else shape.folds) * shape.vn_count)


@helper
def hold_back(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    rows: TimeRows,
    part: PartRanges,
    now: Ints,
    loop: Ints,
) -> None:
    """Let the next batch wait for the results that are due before it."""
    due = 0
    for level in range(nest.levels):
        due += loop[times.INDEX, level] * loop[times.DUE_EACH, level]
    early = results_so_far(shape, nest, loop) - due
    written = time_of_results(fabric, rows, part, early, now)
    if written > now[rows.released, 0]:
        now[rows.released, 0], now[rows.released, 1] = written, 0


@helper
def release(fabric: FabricNumbers, rows: TimeRows, now: Ints) -> int:
    """Release the next control step; return in which cycle."""
    if fabric.rate:
        if now[rows.released, 1] == fabric.rate:
            now[rows.released, 0] += 1
            now[rows.released, 1] = 0
        now[rows.released, 1] += 1
    return int(now[rows.released, 0])
