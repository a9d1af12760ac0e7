"""The global buffer writes results."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Collectors


@inlined
def step_global_buffer(collection: Collectors, cycle: int, tally: Ints) -> bool:
    """The global buffer writes the results that have arrived, all of them or half."""
    count = collection.waiting[0]
    if count == 0:
        return False
    if tally[counted.RESULTS] == 0:
        tally[counted.FIRST_RESULT] = cycle + 1
    if collection.writes_half:
        count = (count + 1) // 2
    for _ in range(count):
        collection.written[collection.write_queue[collection.waiting[1]]] += 1
        collection.waiting[1] += 1
        if collection.waiting[1] == len(collection.write_queue):
            collection.waiting[1] = 0
    collection.waiting[0] -= count
    tally[counted.RESULTS] += count
    return True
