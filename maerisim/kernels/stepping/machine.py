"""The fabric as flat arrays: what a run reads and writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints, Mask, Places
from maerisim.kernels.stepping.walk import Code, Walkers

Bits = npt.NDArray[np.uint64]
"""Bits of 64 neighbouring switches per element."""


class Wires(NamedTuple):
    """Queues between multipliers and buses: words in each, depth; with ``carry`` the words (a ring per wire).

    Where a fabric has *normal* queues or wires with several writers, ``popped`` and ``pushed`` are the last cycles in
    which a wire lost and got a word.
    """

    words: Ints
    depth: Ints
    head: Ints
    value: Ints
    normal: Ints
    popped: Ints
    pushed: Ints


class Adders(NamedTuple):
    """Transfers, receivers first: operand wires (``arity`` of three), output wire, adder switch (-1: a register).

    Those before ``behind`` lie between accumulators and buses; ``seen`` is the last cycle a switch was counted busy.
    Those that ``compares`` keep the largest of their operands.
    """

    arity: Ints
    operand: Places
    output: Places
    switch: Ints
    behind: int
    compares: Mask
    seen: Ints
    busy: Ints


class Collectors(NamedTuple):
    """Buses and accumulators.

    ``member_start`` and ``member`` list the virtual neurons (or ports) of each bus, in the order in which they went last
    where it grants the ``least_recent``, else ``last_granted`` is the place of the one that did. ``outgoing``, ``result`` and ``accumulated``
    are the wires of each virtual neuron, ``written`` its results so far; ``waiting`` (their number) and ``write_queue``
    (virtual neurons, the first one next) are the results that the global buffer has not written yet; ``moments``, from
    ``first_moment`` of each virtual neuron on, the cycles in which its results were (empty: nobody asks); ``flags`` and the
    additions are [template, virtual neuron]. With ``spills`` partial sums (of those ``spilling``) go to the global buffer
    instead of adding up here; virtual neurons that ``compares`` keep the larger value instead of the sum; without
    ``own_stage`` accumulators pass a sum on in the cycle in which it leaves the adders.
    """

    member_start: Ints
    member: Ints
    last_granted: Ints
    least_recent: bool
    busy: Ints
    outgoing: Ints
    result: Ints
    accumulated: Ints
    flags: Ints
    additions_two: Ints
    additions_three: Ints
    output_offset: Ints
    written: Ints
    moments: Ints
    first_moment: Ints
    waiting: Ints
    write_queue: Ints
    writes_half: bool
    spills: bool
    spilling: Mask
    compares: Mask
    own_stage: bool


class Controller(NamedTuple):
    """Release of control steps: ``released`` so far, at most ``rate`` a cycle, ``last_step`` in all.

    With ``waits`` a batch begins when the ``results`` of the loops outside it (``trips``, innermost first) are written;
    ``due`` are the step with which one begins and how many that are, as they were last worked out.
    """

    released: Ints
    rate: int
    last_step: int
    waits: bool
    batch_steps: int
    trips: Ints
    results: Ints
    due: Ints


class Stores(NamedTuple):
    """Operand stores [store, multiplier]: words present, the same with those on their way, the one in use, depth
    [store], words waited for and retired together [store]; with ``carry`` the words.
    """

    words: Ints
    claimed: Ints
    current: Ints
    depth: Ints
    together: Ints
    head: Ints
    value: Ints


class Multipliers(NamedTuple):
    """Flags [template, multiplier] of :class:`maerisim.program.program.Use`, those of the present step (-1: no step is left),
    product wires, the value of an ``empty`` word of each, busy cycles.
    """

    uses: Ints
    now: Ints
    product: Places
    empty: Ints
    busy: Ints
    stalled_by: Ints


class Between(NamedTuple):
    """What the second of two layers takes in at its ports, those from ``port`` on: word w of its inputs is result
    ``due[w]`` of virtual neuron ``producer[w]`` and lies at ``source[w]`` of the outputs (-1: padding, ``identity``). Where
    the first has run before, words are due ``in_cycles``, and all are there from cycle ``last`` on.
    """

    port: int
    producer: Ints
    due: Ints
    source: Ints
    identity: int
    in_cycles: bool
    last: int


class Asked(NamedTuple):
    """What the ports of a second layer have asked for, the latest questions of each [port, number modulo those kept].

    ``word`` was refused last when the results that it waits for, or the cycles, were ``late``, and was found to be there when
    they were ``there``.
    ``sent`` counts the words that have gone; the question of that number is about the next one.
    """

    word: Ints
    late: Ints
    there: Ints
    sent: Ints


class Ports(NamedTuple):
    """Packets of all streams. ``packet_start`` is [template, port]; ``head`` and ``end`` [stream, port] bound what is
    left of the current step; ``line`` [cycle modulo stages, port] holds the packets on their way to the tree (-1: none).
    ``wait`` and ``virtual_neuron`` matter to partial sums; ``issued`` counts each virtual neuron's steps that are
    past. The destinations of a packet are ``first``, ``destination``, and once more as ``mask`` [packet, part]: words of 64 switches
    from ``word`` of its port on; ``place`` [port, stream] (three times the control step, and the stream) is how early the next packet
    is, LATEST if there is none. ``memory`` holds the operands one after the other, from ``memory_start`` on (only with ``carry``).
    """

    packet_start: Ints
    offset: Ints
    reads: Ints
    hops: Ints
    first: Ints
    destination: Places
    wait: Ints
    virtual_neuron: Ints
    stream: Ints
    issued: Ints
    head: Ints
    end: Ints
    line: Ints
    line_value: Ints
    word: Ints
    mask: Bits
    place: Ints
    partial_sums_first: bool
    busy: Ints
    memory: Ints
    memory_start: Ints
    between: Between


class Returning(NamedTuple):
    """Partial sums that leave a port in the order in which they were written: virtual neurons in a queue for each port.

    ``port`` of each virtual neuron (no entry where they leave in the order of the program), the number of the ``packet`` in which
    [template, virtual neuron] is served, -1 for none. The queue of a port is the virtual neuron ``first``, then the one
    that is ``following`` each, up to ``last``, which follows itself; -1: nobody, or not in a queue.
    """

    port: Ints
    packet: Ints
    first: Ints
    last: Ints
    following: Ints


class Machine(NamedTuple):
    """Everything that a run reads and writes."""

    code: Code
    wires: Wires
    adders: Adders
    collection: Collectors
    collect_walkers: Walkers
    multipliers: Multipliers
    stores: Stores
    compute_walkers: Walkers
    controller: Controller
    ports: Ports
    stream_walkers: Walkers
    returning: Returning
    returning_walkers: Walkers
    outputs: Ints
    tally: Ints
