"""The state of a run in a few arrays, so that :mod:`maerisim.kernels.stepping.fast_forward` can compare and repeat it.

Entries are of three kinds: *state* must be equal for a stretch of the run to repeat; a *counter* may have gone down, one
per walker; a *clock* (control steps, counts) may have grown. What is in none of them does not influence what happens next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.kernels.stepping import walk
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.operand_store import FORWARDED, INPUTS, PARTIAL_SUMS, WEIGHTS
from maerisim.kernels.stepping.record import DeepQueues, Record
from maerisim.program.program import ACTIVE

_WALKERS = ("compute_walkers", "collect_walkers", "stream_walkers", "returning_walkers")
_STATE = (
    ("lanes", "bits"),
    ("network", "taken"),
    ("wires", "words"),
    ("collection", "last_granted"),
    ("collection", "member"),
    ("collection", "waiting"),
    ("collection", "write_queue"),
    ("ports", "head"),
    ("ports", "end"),
    ("ports", "line"),
    *(("returning", field) for field in ("first", "last", "following")),
    *((walkers, "row") for walkers in _WALKERS),
)
_COUNTERS = tuple((walkers, field) for walkers in _WALKERS for field in ("left", "turns"))
_CLOCKS = (
    ("stream_walkers", "step"),
    ("collection", "written"),
    ("ports", "issued"),
    ("ports", "place"),
    ("returning_walkers", "step"),
    ("controller", "released"),
    ("network", "twice"),
    ("", "tally"),
)


DEEP = 64
"""Words for which a queue must have room for their number to be looked at."""


def applies_to(machine: LaneMachine) -> bool:
    """Whether what happens next depends on nothing but the state described here."""
    return bool(machine.ports.between.port >= machine.ports.head.shape[1])


def recorded(machine: LaneMachine) -> tuple[LaneMachine, Record]:
    """The machine with its state moved into the arrays of a record."""
    views: dict[str, dict[str, Any]] = {}
    place: dict[tuple[str, str], int] = {}

    def gather(fields: tuple[tuple[str, str], ...]) -> Ints:
        arrays = [getattr(getattr(machine, owner) if owner else machine, field) for owner, field in fields]
        whole = np.concatenate([array.ravel().view(np.int64) for array in arrays])
        start = 0
        for (owner, field), array in zip(fields, arrays, strict=True):
            part = whole[start : start + array.size].view(array.dtype).reshape(array.shape)
            views.setdefault(owner, {})[field] = part
            place[owner, field] = start
            start += array.size
        return whole

    state, counter, clock = gather(_STATE), gather(_COUNTERS), gather(_CLOCKS)
    walker, walkers_before = [], 0
    for name in _WALKERS:
        walkers = getattr(machine, name)
        count, depth = walkers.turns.shape
        numbers = walkers_before + np.arange(count)
        walker += [numbers, np.repeat(numbers, depth)]
        walkers_before += count
    of_machine = views.pop("")
    parts: dict[str, Any] = {name: getattr(machine, name)._replace(**fields) for name, fields in views.items()}
    machine = machine._replace(**parts, **of_machine)
    loops = machine.compute_walkers.turns.shape[1]
    levels, loading = loops + 1, _watched_weights(machine)
    if loading >= 0:
        levels *= 2
    watched = _watched_switch(machine)
    least_wait, most_wait = _waits(machine)

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return machine, Record(
        watched=watched,
        loading=loading,
        first_bits=place["lanes", "bits"],
        state=state,
        queues=_deep_queues(machine, len(state), levels, place),
        counter=counter,
        clock=clock,
        walker=np.concatenate(walker),
        saved_state=zeros(levels, len(state)),
        saved_counter=zeros(levels, len(counter)),
        saved_clock=zeros(levels, len(clock)),
        saved_cycle=zeros(levels),
        valid=zeros(levels),
        since=zeros(levels),
        window=zeros(levels) + 1,
        failures=zeros(levels),
        pause=zeros(levels),
        turns=machine.compute_walkers.turns[watched].copy(),
        loading_turns=machine.stream_walkers.turns[loading].copy(),
        loading_left=zeros(1),
        moved=zeros(walkers_before),
        least_wait=least_wait,
        most_wait=most_wait,
        step_clock=place["stream_walkers", "step"],
        returning_clock=place["returning_walkers", "step"],
        written_clock=place["collection", "written"],
        issued_clock=place["ports", "issued"],
        place_clock=place["ports", "place"],
        released_clock=place["controller", "released"],
        tally_clock=place["", "tally"],
        looks=zeros(2),
    )


def _watched_switch(machine: LaneMachine) -> int:
    """The multiplier switch whose loop boundaries are the moments to compare: the first with work to do."""
    return int(np.argmax((machine.lanes.uses & ACTIVE).any(axis=0)))


def _waits(machine: LaneMachine) -> tuple[Ints, Ints]:
    """The least and the most results that lie between a partial sum of each virtual neuron and the one it continues."""
    ports = machine.ports
    returning = np.flatnonzero((ports.stream == PARTIAL_SUMS) & (ports.wait > 0))
    neuron, wait = ports.virtual_neuron[returning], ports.wait[returning]
    least, most = np.full(ports.issued.size, walk.LATEST, np.int64), np.zeros(ports.issued.size, np.int64)
    np.minimum.at(least, neuron, wait)
    np.maximum.at(most, neuron, wait)
    return np.where(most == 0, 0, least), most


def _watched_weights(machine: LaneMachine) -> int:
    """The weights of the first port that has any, where all are waited for; else -1."""
    ports = machine.ports.head.shape[1]
    of_weights = np.arange(WEIGHTS * ports, (WEIGHTS + 1) * ports)
    used = [walker for walker in of_weights if machine.code.op[machine.stream_walkers.row[walker]] != walk.HALT]
    return int(used[0]) if used and machine.lanes.together > 1 else -1


def _deep_queues(machine: LaneMachine, entries: int, levels: int, place: dict[tuple[str, str], int]) -> DeepQueues:
    """The queues with room for at least ``DEEP`` words: all wires, and operand stores whose words are used in turn."""
    lanes, network = machine.lanes, machine.network
    bits, words = place["lanes", "bits"], place["wires", "words"]
    rows = [
        (bits + int(first) + word, int(lanes.planes[store]), int(lanes.depth[store]), -1, int(asked))
        for store in (INPUTS, PARTIAL_SUMS, FORWARDED)
        if lanes.present[store] == lanes.available[store]
        for first, asked in ((lanes.present[store], True), (lanes.claimed[store], False))
        if first >= 0
        for word in range(lanes.words)
    ]
    # Words of a ring are used one after the other, and what is left of them is never too much.
    rows += [
        (bits + int(lanes.available[store]) + word, int(lanes.planes[store]), walk.LATEST, -1, int(lanes.together == 1))
        for store in (INPUTS, WEIGHTS, FORWARDED)
        if lanes.present[store] != lanes.available[store]
        for word in range(lanes.words)
    ]
    if lanes.together > 1:
        # Weights that arrive matter when they have all arrived.
        rows += [
            (bits + int(first) + word, int(lanes.planes[WEIGHTS]), lanes.together, -1, 0)
            for first in (lanes.present[WEIGHTS], lanes.claimed[WEIGHTS])
            for word in range(lanes.words)
        ]
    slots = zip(network.first.tolist(), network.planes.tolist(), network.depth.tolist(), strict=True)
    rows += [(bits + first, planes, depth, slot, 1) for slot, (first, planes, depth) in enumerate(slots)]
    rows += [(words + wire, 0, depth, -1, 1) for wire, depth in enumerate(machine.wires.depth.tolist())]
    deep = [row for row in rows if row[2] >= DEEP]
    first, planes, depth, slot, asked = np.array(deep, np.int64).reshape(-1, 5).T.copy()
    return DeepQueues(
        first=first,
        planes=planes,
        depth=depth,
        slot=slot,
        asked=asked,
        stride=lanes.words,
        entry=_entries(first, planes, lanes.words, entries),
        empty=np.zeros(len(first), np.uint64),
        saved_empty=np.zeros((levels, len(first)), np.uint64),
    )


def _entries(first: Ints, planes: Ints, stride: int, entries: int) -> Mask:
    """Which entries of the state hold counts."""
    counts = np.zeros(entries, np.bool_)
    for start, count in zip(first.tolist(), planes.tolist(), strict=True):
        counts[start : start + max(1, count) * stride : stride] = True
    return counts
