"""Deep queues whose number of words changes while the rest of the state repeats itself.

Where a component runs ahead of another one, its words pile up in front of that. How many there are matters to nobody, as
long as the queue is not found empty or full. Whether one was empty is noted in every cycle; it takes in and gives away at
most one word a cycle, so that one with more room than a stretch has cycles was never full, nor one with more words empty.
"""

from __future__ import annotations

import numpy as np

from maerisim.kernels.compiling.jit import helper, inlined
from maerisim.kernels.stepping import walk
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.record import Record, hand_on_empty

LAST_COLUMN = -(1 << 63)
"""The bit of column 63 in a signed word."""
NOW = -1
"""Stands for the present state where a level stands for its copy."""


@inlined
def note_empty(machine: LaneMachine, record: Record) -> None:
    """Note which queues are empty at the end of a cycle."""
    queues = record.queues
    for group in range(len(queues.first)):
        if not queues.asked[group]:
            continue
        slot, first, planes = queues.slot[group], queues.first[group], queues.planes[group]
        if slot >= 0:
            queues.empty[group] |= ~machine.network.filled[slot]
        elif planes == 0:
            queues.empty[group] |= bitwise.ONE if record.state[first] == 0 else bitwise.NONE
        else:
            entry = first - record.first_bits
            queues.empty[group] |= ~bitwise.positive(machine.lanes.bits, entry, queues.stride, planes, ~bitwise.NONE)


@helper
def has_been_empty(record: Record, group: int, column: int, level: int) -> bool:
    """Whether a queue that it matters of was empty since the copy of ``level``."""
    return bool(record.queues.saved_empty[level, group] >> np.uint64(column) & bitwise.ONE)


@helper
def word_of(record: Record, entry: int, level: int) -> int:
    """An entry of the state or of its copy."""
    return int(record.state[entry] if level == NOW else record.saved_state[level, entry])


@helper
def count_in(record: Record, group: int, column: int, level: int) -> int:
    """The words in a queue."""
    queues = record.queues
    first, planes = queues.first[group], queues.planes[group]
    if planes == 0:
        return word_of(record, first, level)
    count = 0
    for plane in range(planes):
        count |= (word_of(record, first + plane * queues.stride, level) >> column & 1) << plane
    return count


@helper
def put_count(record: Record, group: int, column: int, count: int) -> None:
    """Let so many words be in a queue."""
    queues = record.queues
    first, planes = queues.first[group], queues.planes[group]
    if planes == 0:
        record.state[first] = count
        return
    bit = 1 << column if column < 63 else LAST_COLUMN
    for plane in range(planes):
        entry = first + plane * queues.stride
        record.state[entry] = record.state[entry] | bit if count >> plane & 1 else record.state[entry] & ~bit


@helper
def different_columns(record: Record, group: int, level: int) -> int:
    """A bit for each queue of a group in which there are more or fewer words than in the copy of ``level``."""
    queues = record.queues
    first, planes = queues.first[group], queues.planes[group]
    if planes == 0:
        return int(record.state[first] != record.saved_state[level, first])
    different = 0
    for plane in range(planes):
        entry = first + plane * queues.stride
        different |= record.state[entry] ^ record.saved_state[level, entry]
    return different


@helper
def until_queue_matters(record: Record, level: int, distance: int) -> int:
    """Repetitions of a stretch of ``distance`` cycles in which no queue whose words have changed can be empty or full."""
    least = walk.LATEST
    hand_on_empty(record)
    for group in range(len(record.queues.first)):
        different, room = different_columns(record, group, level), record.queues.depth[group] - distance - 1
        for column in range(64 if different else 0):
            if not different >> column & 1:
                continue
            now, then = count_in(record, group, column, NOW), count_in(record, group, column, level)
            if now < then and (then > room or now <= distance):
                return 0
            if (
                now > then
                and record.queues.asked[group]
                and (then == 0 or has_been_empty(record, group, column, level))
            ):
                return 0
            spare = room - now if now > then else now - distance - 1
            least = min(least, spare // abs(now - then))
            if least <= 0:
                return 0
    return least


@helper
def change_queues(record: Record, level: int, repetitions: int) -> None:
    """Let the words in all queues change as often again by as much as since the copy of ``level``."""
    for group in range(len(record.queues.first)):
        different = different_columns(record, group, level)
        for column in range(64 if different else 0):
            if different >> column & 1:
                now, then = count_in(record, group, column, NOW), count_in(record, group, column, level)
                put_count(record, group, column, now + repetitions * (now - then))
