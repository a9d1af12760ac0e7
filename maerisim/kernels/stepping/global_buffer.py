"""The global buffer writes results."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Collectors, Ports, Returning
from maerisim.kernels.stepping.returning_sums import arrive
from maerisim.kernels.stepping.walk import Code, Walkers

NOTHING = -1
"""What stands in a place of the write queue that is free."""


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
    for place in range(count):
        vn = collection.write_queue[place]
        if len(collection.moments) > 0:
            collection.moments[collection.first_moment[vn] + collection.written[vn]] = cycle
        collection.written[vn] += 1
        if len(returning.port) > 0:
            arrive(code, ports, stream_walkers, returning, returning_walkers, collection, vn)
    left = collection.waiting[0] - count
    for place in range(left):
        collection.write_queue[place] = collection.write_queue[count + place]
    for place in range(left, left + count):
        collection.write_queue[place] = NOTHING
    collection.waiting[0] = left
    tally[counted.RESULTS] += count
    return True
