"""The state of a run in a few arrays, so that :mod:`maerisim.kernels.stepping.fast_forward` can compare and repeat it.

Entries are of three kinds: *state* must be equal for a stretch of the run to repeat; a *counter* may have gone down, one
per walker; a *clock* (control steps, counts) may have grown. What is in none of them does not influence what happens next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maerisim.arrays import Ints
from maerisim.kernels.stepping import walk
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.fast_forward import Record
from maerisim.program.program import ACTIVE

_WALKERS = ("compute_walkers", "collect_walkers", "stream_walkers", "returning_walkers")
_STATE = (
    ("lanes", "bits"),
    ("network", "taken"),
    ("wires", "words"),
    ("collection", "last_granted"),
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
    ("network", "twice"),
    ("", "tally"),
)


def applies_to(machine: LaneMachine) -> bool:
    """Whether what happens next depends on nothing but the state described here."""
    alone = machine.ports.between.port >= machine.ports.head.shape[1]
    return alone and bool(machine.controller.released[0] == walk.LATEST) and not machine.collection.least_recent


def recorded(machine: LaneMachine) -> tuple[LaneMachine, Record]:
    """The machine with its state moved into the arrays of a record."""
    views: dict[str, dict[str, Any]] = {}

    def gather(fields: tuple[tuple[str, str], ...]) -> Ints:
        arrays = [getattr(getattr(machine, owner) if owner else machine, field) for owner, field in fields]
        whole = np.concatenate([array.ravel().view(np.int64) for array in arrays])
        start = 0
        for (owner, field), array in zip(fields, arrays, strict=True):
            part = whole[start : start + array.size].view(array.dtype).reshape(array.shape)
            views.setdefault(owner, {})[field] = part
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
    levels = machine.compute_walkers.turns.shape[1] + 1
    steps, written = machine.stream_walkers.step.size, machine.collection.written.size
    watched = _watched_switch(machine)

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return machine, Record(
        watched=watched,
        state=state,
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
        moved=zeros(walkers_before),
        step_clock=0,
        written_clock=steps,
        issued_clock=steps + written,
        looks=zeros(2),
    )


def _watched_switch(machine: LaneMachine) -> int:
    """The multiplier switch whose loop boundaries are the moments to compare: the first with work to do."""
    return int(np.argmax((machine.lanes.uses & ACTIVE).any(axis=0)))
