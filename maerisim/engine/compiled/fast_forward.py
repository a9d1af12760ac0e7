"""The state of a run in a few arrays, so that :mod:`maerisim.kernels.stepping.fast_forward` can compare and repeat it.

Entries are of three kinds: *state* must be equal for a stretch of the run to repeat; a *counter* may have gone down, one
per walker; a *clock* (control steps, counts) may have grown. What is in none of them does not influence what happens next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.kernels.stepping import walk
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.lock_step.machine import LockStepState
from maerisim.kernels.stepping.machine import Machine
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
    ("arrivals", "under_way"),
    *(("returning", field) for field in ("first", "last", "following")),
    *((walkers, "row") for walkers in _WALKERS),
)
_COUNTERS = tuple((walkers, field) for walkers in _WALKERS for field in ("left", "turns"))
_CLOCKS = (
    ("stream_walkers", "step"),
    ("stream_walkers", "base"),
    ("asked", "sent"),
    ("collection", "written"),
    ("ports", "issued"),
    ("ports", "place"),
    ("returning_walkers", "step"),
    ("controller", "released"),
    ("network", "twice"),
    ("", "tally"),
)

_WORD_STATE = (
    ("stores", "words"),
    ("stores", "claimed"),
    ("stores", "current"),
    ("multipliers", "now"),
    ("ports", "line"),
    *(field for field in _STATE if field[0] not in ("lanes", "network", "arrivals")),
)
_WORD_CLOCKS = (
    *((walkers, "base") for walkers in _WALKERS),
    *((owner, "busy") for owner in ("collection", "multipliers", "adders", "ports")),
    *(field for field in _CLOCKS if field[0] not in ("network", "asked") and field[1] != "base"),
)
"""Word by word clocks are kept that nothing depends on, as they are looked at: places in operands, and busy cycles."""

_LOCK_STEP_STATE = (
    ("wires", "words"),
    ("collection", "last_granted"),
    ("collection", "member"),
    ("collection", "waiting"),
    ("collection", "write_queue"),
    ("stores", "words"),
    *(
        ("switches", field)
        for field in ("role", "left", "next_role", "next_left", "products", "first_register", "second_register")
    ),
    *(("slots", field) for field in ("queue", "head", "waiting", "register", "tree", "undelivered")),
    ("walker", "row"),
)
"""Cycles in which something last happened (of a wire, a product, an adder switch) matter in the same cycle alone."""
_LOCK_STEP_COUNTERS = (("walker", "left"), ("walker", "turns"))
_LOCK_STEP_CLOCKS = (
    ("walker", "step"),
    ("walker", "base"),
    ("collection", "written"),
    *((owner, "busy") for owner in ("collection", "multipliers", "adders", "ports")),
    ("", "tally"),
)


DEEP = 64
"""Words for which a queue must have room for their number to be looked at."""


def applies_to(machine: Machine) -> bool:
    """Whether what happens next depends on nothing but the state described here; what a second layer waits for is a table."""
    return bool(machine.ports.between.port >= machine.ports.head.shape[1])


class _Arrays:
    """Arrays of a machine's parts, gathered into few long ones of which they become views."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.parts = parts
        self.place: dict[tuple[str, str], int] = {}
        self.views: dict[str, dict[str, Any]] = {name: {} for name in parts}

    def gather(self, fields: tuple[tuple[str, str], ...]) -> Ints:
        """One array of all these fields, each a (part, name)."""
        arrays = [getattr(self.parts[part], name) for part, name in fields]
        whole = np.concatenate([array.ravel().view(np.int64) for array in arrays])
        start = 0
        for (part, name), array in zip(fields, arrays, strict=True):
            self.views[part][name] = whole[start : start + array.size].view(array.dtype).reshape(array.shape)
            self.place[part, name] = start
            start += array.size
        return whole

    def part(self, name: str) -> Any:
        """A part whose gathered fields are views."""
        return self.parts[name]._replace(**self.views[name])


def recorded(machine: LaneMachine) -> tuple[LaneMachine, Record]:
    """The machine with its state moved into the arrays of a record."""
    loading = _watched_weights(machine)
    machine, record, place = _recorded(machine, machine.lanes.uses, _STATE, _CLOCKS, loading)
    record = record._replace(
        first_bits=place["lanes", "bits"],
        queues=_deep_queues(machine, len(record.state), len(record.valid), place),
        base_clock=place["stream_walkers", "base"],
        asked_clock=place["asked", "sent"],
        twice_clock=place["network", "twice"],
    )
    return machine, record


def recorded_by_word(machine: Machine) -> tuple[Machine, Record]:
    """The same for a machine that is stepped word by word. Its queues have to be equal however deep, so that less recurs."""
    machine, record, _ = _recorded(machine, machine.multipliers.uses, _WORD_STATE, _WORD_CLOCKS)
    return machine, record


MachineT = TypeVar("MachineT", LaneMachine, Machine)
_Fields = tuple[tuple[str, str], ...]


def _recorded(
    machine: MachineT, uses: Ints, state_fields: _Fields, clock_fields: _Fields, loading: int = -1
) -> tuple[MachineT, Record, dict[tuple[str, str], int]]:
    """A machine with its state moved into the arrays of a record, and where each field is in its array."""
    names = {name for name, _ in (*state_fields, *_COUNTERS, *clock_fields) if name}
    arrays = _Arrays({"": machine, **{name: getattr(machine, name) for name in names}})
    state, counter, clock = (arrays.gather(fields) for fields in (state_fields, _COUNTERS, clock_fields))
    place = arrays.place
    walker, walkers_before = [], 0
    for name in _WALKERS:
        walkers = getattr(machine, name)
        count, depth = walkers.turns.shape
        numbers = walkers_before + np.arange(count)
        walker += [numbers, np.repeat(numbers, depth)]
        walkers_before += count
    gathered: MachineT = arrays.part("")._replace(**{name: arrays.part(name) for name in names})
    levels = (gathered.compute_walkers.turns.shape[1] + 1) * (1 if loading < 0 else 2)
    least_wait, most_wait = _waits(gathered)
    watched = _watched_switch(uses)
    record = _empty_record(state, counter, clock, np.concatenate(walker), levels)._replace(
        watched=watched,
        loading=loading,
        turns=gathered.compute_walkers.turns[watched].copy(),
        loading_turns=gathered.stream_walkers.turns[loading].copy(),
        least_wait=least_wait,
        most_wait=most_wait,
        step_clock=place["stream_walkers", "step"],
        returning_clock=place["returning_walkers", "step"],
        written_clock=place["collection", "written"],
        issued_clock=place["ports", "issued"],
        place_clock=place["ports", "place"],
        released_clock=place["controller", "released"],
        tally_clock=place["", "tally"],
    )
    return gathered, record, place


def recorded_in_lock_step(machine: Machine, lock_step: LockStepState) -> tuple[Machine, LockStepState, Record]:
    """A machine in lock step, without values, with its state moved into the arrays of a record.

    The walker that is watched is the controller's.
    """
    names = ("wires", "collection", "stores", "multipliers", "adders", "ports")
    own = {"switches": lock_step.switches, "slots": lock_step.slots, "walker": lock_step.control.walker}
    arrays = _Arrays({"": machine, **{name: getattr(machine, name) for name in names}, **own})
    state, counter, clock = (
        arrays.gather(fields) for fields in (_LOCK_STEP_STATE, _LOCK_STEP_COUNTERS, _LOCK_STEP_CLOCKS)
    )
    machine = arrays.part("")._replace(**{name: arrays.part(name) for name in names})
    walker = arrays.part("walker")
    lock_step = lock_step._replace(
        switches=arrays.part("switches"),
        slots=arrays.part("slots"),
        control=lock_step.control._replace(walker=walker),
    )
    record = _empty_record(state, counter, clock, np.zeros(len(counter), np.int64), walker.turns.shape[1] + 1)
    return (
        machine,
        lock_step,
        record._replace(
            turns=walker.turns[0].copy(),
            due_clock=arrays.place["walker", "base"],
            tally_clock=arrays.place["", "tally"],
        ),
    )


def _empty_record(state: Ints, counter: Ints, clock: Ints, walker: Ints, levels: int) -> Record:
    """A record of a state of so many ``levels`` without copies, deep queues and clocks that are compared."""

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    none = np.zeros(0, np.int64)
    return Record(
        watched=0,
        loading=-1,
        first_bits=0,
        state=state,
        queues=_queues([], 0, len(state), levels),
        counter=counter,
        clock=clock,
        walker=walker,
        saved_state=zeros(levels, len(state)),
        saved_counter=zeros(levels, len(counter)),
        saved_clock=zeros(levels, len(clock)),
        saved_cycle=zeros(levels),
        valid=zeros(levels),
        since=zeros(levels),
        window=zeros(levels) + 1,
        failures=zeros(levels),
        pause=zeros(levels),
        turns=none,
        loading_turns=none,
        loading_left=zeros(1),
        moved=zeros(int(walker.max(initial=-1)) + 1),
        least_wait=none,
        most_wait=none,
        step_clock=0,
        returning_clock=0,
        written_clock=0,
        issued_clock=0,
        place_clock=0,
        released_clock=0,
        due_clock=0,
        tally_clock=0,
        base_clock=0,
        asked_clock=0,
        twice_clock=0,
        looks=zeros(2),
    )


def _watched_switch(uses: Ints) -> int:
    """The multiplier switch whose loop boundaries are the moments to compare: the first with work to do."""
    return int(np.argmax((uses & ACTIVE).any(axis=0)))


def _waits(machine: LaneMachine | Machine) -> tuple[Ints, Ints]:
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
    return _queues([row for row in rows if row[2] >= DEEP], lanes.words, entries, levels)


def _queues(deep: list[tuple[int, int, int, int, int]], stride: int, entries: int, levels: int) -> DeepQueues:
    """Queues, each with its first entry, planes, depth, slot and whether it is asked if it was empty."""
    first, planes, depth, slot, asked = np.array(deep, np.int64).reshape(-1, 5).T.copy()
    return DeepQueues(
        first=first,
        planes=planes,
        depth=depth,
        slot=slot,
        asked=asked,
        stride=stride,
        entry=_entries(first, planes, stride, entries),
        empty=np.zeros(len(first), np.uint64),
        saved_empty=np.zeros((levels, len(first)), np.uint64),
    )


def _entries(first: Ints, planes: Ints, stride: int, entries: int) -> Mask:
    """Which entries of the state hold counts."""
    counts = np.zeros(entries, np.bool_)
    for start, count in zip(first.tolist(), planes.tolist(), strict=True):
        counts[start : start + max(1, count) * stride : stride] = True
    return counts
