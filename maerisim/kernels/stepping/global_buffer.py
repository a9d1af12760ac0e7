"""The global buffer writes results."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Collectors, Ports, Returning
from maerisim.kernels.stepping.returning_sums import arrive
from maerisim.kernels.stepping.walk import Code, Walkers


@inlined
def step_global_buffer(
    code: Code,
    collection: Collectors,
    ports: Ports,
    stream_walkers: Walkers,
    returning: Returning,
    returning_walkers: Walkers,
    cycle: int,
    tally: Ints,
) -> bool:
    """The global buffer writes the results that have arrived, all of them or half."""
    count = collection.waiting[0]
    if count == 0:
        return False
    if tally[counted.RESULTS] == 0:
        tally[counted.FIRST_RESULT] = cycle + 1
    if collection.writes_half:
        count = (count + 1) // 2
    for _ in range(count):
        vn = collection.write_queue[collection.waiting[1]]
        collection.written[vn] += 1
        if len(returning.port) > 0:
            arrive(code, ports, stream_walkers, returning, returning_walkers, collection, vn)
        collection.waiting[1] += 1
        if collection.waiting[1] == len(collection.write_queue):
            collection.waiting[1] = 0
    collection.waiting[0] -= count
    tally[counted.RESULTS] += count
    return True
