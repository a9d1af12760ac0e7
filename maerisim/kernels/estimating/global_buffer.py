"""When results are written: all that have come in a cycle, or half of those that wait.

The cycles in which buses have brought results lately are known (:mod:`timing`); so are the results that wait in each.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import sections, times
from maerisim.kernels.estimating.quantities import FabricNumbers
from maerisim.kernels.estimating.sections import PartRanges, Sections
from maerisim.kernels.estimating.times import StepNumbers, StepTimes, TimeRows


@helper
def time_of_results(fabric: FabricNumbers, rows: TimeRows, part: PartRanges, early: int, now: Ints) -> int:
    """When all results are written, but for as many as the controller need not wait for.

    Those that came longer ago than buses remember are.
    """
    latest, coming = times.NEVER, 0
    for bus in range(part.bus, part.end_bus):
        latest = max(latest, now[rows.bus, bus])
    if early == 0 and not fabric.half:
        return int(max(0, latest))
    if latest < 0:
        return 0
    first = latest - times.SLOTS + 1
    for time in range(first, latest + 1):
        for bus in range(part.bus, part.end_bus):
            coming += came(rows, bus, time, now)
    waiting, time = 0, int(first)
    while coming > early:
        for bus in range(part.bus, part.end_bus):
            waiting += came(rows, bus, time, now)
        written = (waiting + 1) // 2 if fabric.half else waiting
        waiting -= written
        coming -= written
        time += 1
    return time - 1


@helper
def write_half(rows: TimeRows, part: PartRanges, step: StepNumbers, s: Sections, t: StepTimes) -> None:
    """Let the results of a step, in the order of buses, wait for those before them: half of the queue is written in a cycle."""
    now, results, latest = t.now, t.results, times.NEVER
    for bus in range(part.bus, part.end_bus):
        latest = max(latest, now[rows.bus, bus])
    first, waiting = latest - times.SLOTS + 1, 0
    for slot in range(times.SLOTS):
        results[0, slot], results[1, slot] = 0, waiting
        for bus in range(part.bus, part.end_bus):
            results[0, slot] += came(rows, bus, first + slot, now)
        waiting = (waiting + results[0, slot]) // 2
    for vn in range(part.vn, part.end_vn):
        slot = now[rows.written + step.place, vn] - first
        if slot < 0 or s.idle[step.at_edge, vn]:
            continue
        before, waiting = results[1, slot], results[1, slot] + results[0, slot]
        for bus in range(part.bus, s.of[sections.BUS, vn]):
            before += came(rows, bus, first + slot, now)
        while before >= (waiting + 1) // 2:
            before -= (waiting + 1) // 2
            slot += 1
            waiting = waiting // 2 + (results[0, slot] if slot < times.SLOTS else 0)
        now[rows.written + step.place, vn] = first + slot


@helper
def came(rows: TimeRows, bus: int, time: int, now: Ints) -> int:
    """Whether a bus brought a result in a cycle, one of the last ``SLOTS``."""
    ago = now[rows.bus, bus] - time
    return int(now[rows.bus + 1, bus] >> ago & 1) if 0 <= ago < times.SLOTS else 0
