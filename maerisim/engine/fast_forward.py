"""Exact fast-forward: skip the repetitions of a state that has been seen.

Timing does not depend on data. What happens next depends on the state of the fabric (the words in every queue, the place
of every walker) and on loop counters only when one of them runs out. So when, at two boundaries of the program, the
state is the same but for loop counters that went down, the stretch between them repeats until the first of these
counters is about to run out; clocks and counts grow by the same amount in each repetition.

The state of a run lies in one array, so that a snapshot is a copy and a comparison one subtraction. Entries are of four
kinds: *state* must be equal; a *counter* may have gone down, one per walker; a *clock* (steps, addresses, counts) may
have grown; the rest does not influence what happens next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maerisim.kernels import machine as k
from maerisim.kernels.walk import HALT, Walkers
from maerisim.program import Ints

STATE, COUNTER, CLOCK, IGNORED = 0, 1, 2, 3

_KINDS: dict[str, dict[str, int]] = {
    "wires": {"words": STATE},
    "adders": {"busy": CLOCK},
    "collection": {"last_granted": STATE, "busy": CLOCK, "written": CLOCK, "waiting": IGNORED},
    "multipliers": {"now": STATE, "busy": CLOCK},
    "stores": {"words": STATE, "claimed": STATE, "current": STATE},
    "controller": {"released": STATE},
    "ports": {"issued": CLOCK, "head": STATE, "end": STATE, "line": STATE, "busy": CLOCK},
}
_WALKER_KINDS = {"row": STATE, "left": COUNTER, "step": CLOCK, "base": CLOCK, "turns": COUNTER}
_WALKERS = ("compute_walkers", "collect_walkers", "stream_walkers")


@dataclass(frozen=True)
class Snapshot:
    """The state of a run after ``cycle`` cycles."""

    cycle: int
    state: Ints


class FastForward:
    """The state of a machine in one array, and what may be skipped between two snapshots of it."""

    def __init__(self, machine: k.Machine) -> None:
        parts: list[tuple[str, str, Ints, int]] = []
        for name, kinds in _KINDS.items():
            parts += [(name, field, getattr(getattr(machine, name), field), kind) for field, kind in kinds.items()]
        for name in _WALKERS:
            walkers = getattr(machine, name)
            parts += [(name, field, getattr(walkers, field), kind) for field, kind in _WALKER_KINDS.items()]
        parts.append(("", "tally", machine.tally, CLOCK))
        self.buffer = np.concatenate([array.ravel() for _, _, array, _ in parts])
        self.kind = np.concatenate([np.full(array.size, kind) for _, _, array, kind in parts])
        self.walker = np.full(self.buffer.size, -1)
        # When the first result left does not change any more once it has.
        self.kind[self.buffer.size - machine.tally.size + k.FIRST_RESULT] = IGNORED
        views: dict[str, dict[str, Ints]] = {}
        start, walkers_before = 0, 0
        for name, field, array, _ in parts:
            place = slice(start, start + array.size)
            views.setdefault(name, {})[field] = self.buffer[place].reshape(array.shape)
            if name in _WALKERS and field in ("left", "turns"):
                each = array.size // len(array)
                self.walker[place] = walkers_before + np.repeat(np.arange(len(array)), each)
            if name in _WALKERS and field == "turns":
                walkers_before += len(array)
            start += array.size
        changed: dict[str, Any] = {
            name: getattr(machine, name)._replace(**fields) for name, fields in views.items() if name
        }
        self.machine = machine._replace(tally=views[""]["tally"], **changed)
        self.is_state = self.kind == STATE
        self.is_counter = self.kind == COUNTER
        self.is_clock = self.kind == CLOCK

    @staticmethod
    def applies_to(machine: k.Machine) -> bool:
        """Whether what happens next depends on nothing but the state described here."""
        return machine.controller.released[0] == k.LATEST and not machine.collection.least_recent

    def snapshot(self, cycle: int) -> Snapshot:
        """Keep the present state."""
        return Snapshot(cycle, self.buffer.copy())

    def repetitions(self, before: Snapshot, cycle: int) -> int:
        """How often the stretch since ``before`` will certainly repeat from here on (0: it may not)."""
        stages = self.machine.ports.line.shape[0]
        if self.machine.collection.waiting[0] or (stages and (cycle - before.cycle) % stages):
            return 0
        change = self.buffer - before.state
        if change[self.is_state].any():
            return 0
        went_down = -change[self.is_counter]
        if (went_down < 0).any():
            return 0
        moving = went_down > 0
        if not moving.any() or np.bincount(self.walker[self.is_counter][moving]).max() > 1:
            return 0
        left = (self.buffer[self.is_counter][moving] - 1) // went_down[moving]
        return max(0, min(int(left.min()), self._until_order_changes(before)))

    def _until_order_changes(self, before: Snapshot) -> int:
        """Repetitions in which no port changes its mind about which operand is for the earlier step, and partial sums
        keep their distance to the results that they wait for.
        """
        machine = self.machine
        then = self._views(before)
        ports = machine.ports
        if (
            machine.collection.spills
            and ((machine.collection.written - then["written"]) != (ports.issued - then["issued"])).any()
        ):
            return 0
        count = len(ports.busy)
        now_step = machine.stream_walkers.step.reshape(3, count) * 3 + np.arange(3)[:, None]
        then_step = then["step"].reshape(3, count) * 3 + np.arange(3)[:, None]
        alive = (machine.code.op[machine.stream_walkers.row] != HALT).reshape(3, count)
        least = 1 << 60
        for a in range(3):
            for b in range(3):
                both = alive[a] & alive[b]
                # Stream a is behind b and catches up: it must not reach it.
                gaining = (now_step[a] - then_step[a]) - (now_step[b] - then_step[b])
                closing = both & (gaining > 0) & (now_step[a] < now_step[b])
                if closing.any():
                    if (now_step[a] >= then_step[b])[closing].any():
                        return 0
                    gap = (then_step[b] - now_step[a])[closing]
                    least = min(least, int((gap // gaining[closing]).min()) - 2)
                if (both & ((now_step[a] < now_step[b]) != (then_step[a] < then_step[b]))).any():
                    return 0
        return least

    def _views(self, before: Snapshot) -> dict[str, Ints]:
        """The clocks of a snapshot that are compared with one another."""
        offset = self.buffer.__array_interface__["data"][0]

        def view(array: Ints) -> Ints:
            start = (array.__array_interface__["data"][0] - offset) // self.buffer.itemsize
            return before.state[start : start + array.size].reshape(array.shape)

        machine = self.machine
        return {
            "written": view(machine.collection.written),
            "issued": view(machine.ports.issued),
            "step": view(machine.stream_walkers.step),
        }

    def skip(self, before: Snapshot, cycle: int, repetitions: int) -> int:
        """Repeat the stretch since ``before``; return the cycle in which that ends."""
        change = self.buffer - before.state
        moving = self.is_counter | self.is_clock
        self.buffer[moving] += repetitions * change[moving]
        return cycle + repetitions * (cycle - before.cycle)


def watched_switch(walkers: Walkers, now: Ints) -> int:
    """The multiplier switch whose loop boundaries are the moments to compare: the first with work to do."""
    working = np.flatnonzero((now >= 0) & (walkers.left > 0))
    return int(working[0]) if len(working) else 0


@dataclass
class _Tracker:
    """The snapshot that later boundaries of one loop level are compared with, renewed at growing distances (Brent)."""

    saved: Snapshot | None = None
    since: int = 0
    window: int = 1


class Skipper:
    """Decides at each boundary whether to skip, and which boundaries are looked at.

    Each level of the watched switch's loop nest has its own tracker, so that inner loops are skipped within every
    iteration of an outer one, and the outer ones as soon as they recur as well. A look costs as much as stepping some
    hundred cycles, so the level that is watched moves outwards while its boundaries follow one another quickly, and
    inwards while they are far apart.
    """

    CLOSE, FAR = 600, 20_000
    """Cycles between looks below and above which another level is watched."""

    def __init__(self, forward: FastForward, watched: int) -> None:
        self.forward, self.watched = forward, watched
        self._turns = forward.machine.compute_walkers.turns[watched]
        self._last = self._turns.copy()
        self._trackers = [_Tracker() for _ in range(len(self._turns) + 1)]
        self._rows = len(self._turns)
        self.depth = self._rows

    def boundary(self, cycle: int, stepped: int) -> int:
        """Look at the state after ``cycle`` cycles, ``stepped`` since the last look; return the cycle to go on from."""
        changed = np.flatnonzero(self._turns != self._last)
        level = int(changed[0]) if len(changed) else self._rows
        for inner in self._trackers[level + 1 :]:
            inner.saved, inner.since, inner.window = None, 0, 1
        tracker = self._trackers[level]
        skipped = False
        if tracker.saved is not None:
            repetitions = self.forward.repetitions(tracker.saved, cycle)
            if repetitions > 0:
                cycle = self.forward.skip(tracker.saved, cycle, repetitions)
                tracker.saved, tracker.since, tracker.window = None, 0, 1
                skipped = True
        tracker.since += 1
        if tracker.saved is None or tracker.since >= tracker.window:
            tracker.saved, tracker.since = self.forward.snapshot(cycle), 0
            tracker.window *= 2
        self._last[:] = self._turns
        if not skipped:
            self.watch_another(stepped)
        return cycle

    def watch_another(self, stepped: int) -> None:
        """Move the watched level outwards after a short stretch, inwards after a long one."""
        turning = np.flatnonzero(self._turns > 0)
        levels = [*turning.tolist(), self._rows]
        place = levels.index(self.depth) if self.depth in levels else len(levels) - 1
        if stepped < self.CLOSE:
            place = max(0, place - 1)
        elif stepped > self.FAR:
            place = min(len(levels) - 1, place + 1)
        self.depth = levels[place]
