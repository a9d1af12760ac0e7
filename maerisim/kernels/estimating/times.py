"""The times that a recurrence of control steps keeps, and where they lie."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.estimating.quantities import FabricNumbers

RING = 64
"""Steps for which the times of sums are remembered."""
DEEPEST = RING - 1
"""Words of the longest queue that is known to fill up; in longer ones there always is room."""
SLOTS = 60
"""Cycles for which a port or bus is known to have been free or taken."""
RETIRES = 9
"""Weights of which it is remembered when they were used up; where there is room for as many ahead, it does not matter."""
NEVER = -(1 << 40)
"""A time of something that has not happened."""
LEVELS = 8
"""Most loops of a mapping with one a dimension."""

TAKEN, MISSED = 0, 2
"""Rows of a resource that takes a word a cycle: the latest cycle taken; which of the ``SLOTS`` cycles until then are taken, a
bit for each, the lowest for the latest; and how many were left free before. These are the first rows of ports."""
SENT_INPUT, SENT_PARTIAL_SUM, SENT_WEIGHT, DUE, HELD_UP = 3, 4, 5, 6, 7
"""Rows of ports: when the last word of an operand was sent, the weights due so far, and when a word was last sent in the cycle
in which the controller released it."""
DONE, RETIRED, USED_UP = 8, 9, 9 + RETIRES
"""Rows of sections: when the last step was done, when weights and when inputs were used up; both the latest first, inputs as
many as a queue is deep.
"""


class TimeRows(NamedTuple):
    """First rows of what takes as many rows as a queue of the fabric is deep (one where it never fills up), the latest time
    in the first.

    Virtual neurons: when ``returned`` partial sums were used up, sums went to the accumulator (``summed``) and results were
    ``taken`` by their bus; by control step, modulo ``RING``, when the last adder ``added``, and results were ``written``.
    Buses: which cycles are taken, as for ports. Of the controller, in the first lane, when the last control step was ``released``,
    and in the second how many were in that cycle.

    A word has ``room`` in a queue since the time in this row, that of the word which came as many before as fit: for inputs,
    partial sums, what goes to the accumulator, and results. The last row, ``long_ago``, is that of what always was so.
    """

    returned: int
    summed: int
    taken: int
    added: int
    written: int
    bus: int
    released: int
    long_ago: int
    room_for_input: int
    room_for_partial_sum: int
    room_to_sum: int
    room_for_result: int


DIMENSION, STEP, EXTENT, TURNS, INDEX, BODY, SINCE, WINDOW, DUE_EACH = 0, 1, 2, 3, 4, 5, 6, 7, 8
"""Rows of ``Times.loop``: its dimension, how much of that an iteration covers at the most, and all of them together; trips,
iteration, and control steps of each; the iteration of the earlier times (-1: none), and after how many iterations these are
renewed; the results that the controller waits for after each."""
AROUND, INSIDE, EACH, TILES, CLASS = 9, 10, 11, 12, 13
"""The levels of the loops next to it over the same dimension (-1: none); the tiles of that which a whole iteration walks with the
loops inside it, and which all do; of the innermost one the part of the present tile in the class of a control step."""
FIELDS = 14


class StepTimes(NamedTuple):
    """The times of the control steps, and earlier times.

    ``now`` [row, lane] and ``earlier`` [level, row, lane], where a lane is a port, section, virtual neuron or bus; ``loop``
    [field, level]; ``class_of`` [dimension, size] is the part of a partial tile in the class of a control step. Those of one
    step: when the words of a section are ``ready``; from when on there is ``room`` for a word of a port, when it was ``sent``;
    when the products of a virtual neuron have ``arrived`` at its last adder; of what is certain, see :mod:`certain`, what is
    ``complete``; of the last ``SLOTS`` cycles the results that come in each, and those that ``wait`` before it [.., cycle]. ``worked`` [1] counts
    sections whose control steps were timed.
    """

    now: Ints
    earlier: Ints
    loop: Ints
    class_of: Ints
    ready: Ints
    room: Ints
    sent: Ints
    arrived: Ints
    complete: Ints
    results: Ints
    worked: Ints


class StepNumbers(NamedTuple):
    """A control step: its class (``at_edge``), the loops past their first (``begun``) and at their last iteration (``ending``),
    whether its inputs slide, and its number modulo ``RING``.
    """

    at_edge: int
    begun: int
    ending: int
    further: int
    place: int


@helper
def rows_of(fabric: FabricNumbers) -> TimeRows:
    """The rows for the queues of a fabric; what passes on its way to a queue has room for one word in each cycle of it."""
    sums = fabric.reduction_depth + fabric.level_latency - 1
    behind = max(1, fabric.accumulation_latency) + fabric.collection_latency - 2
    results = fabric.collection_depth + behind
    returned = USED_UP + kept(fabric.input_depth)
    summed = returned + kept(fabric.partial_sum_depth)
    taken = summed + kept(sums)
    added = taken + kept(results)
    bus = added + 2 * RING
    released = bus + MISSED + 1
    long_ago = released + 1
    return TimeRows(
        returned,
        summed,
        taken,
        added,
        added + RING,
        bus,
        released,
        long_ago,
        returned - 1 if fabric.input_depth <= DEEPEST else long_ago,
        summed - 1 if fabric.partial_sum_depth <= DEEPEST else long_ago,
        taken - 1 if sums <= DEEPEST else long_ago,
        added - 1 if results <= DEEPEST else long_ago,
    )


@helper
def kept(depth: int) -> int:
    """The times that are remembered of a queue."""
    return depth if depth <= DEEPEST else 1


@kernel
def count_rows(fabric: FabricNumbers) -> int:
    """The number of rows of the times of a fabric."""
    return rows_of(fabric).long_ago + 1
