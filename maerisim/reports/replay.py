"""What a run looks like: all that happens in some windows of it, and how busy the multipliers are all along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maerisim.counts.counters import STALLS
from maerisim.engine.compiled.watched import Watched
from maerisim.engine.recording import CycleWindow, Frame, Recording
from maerisim.engine.run import run_programs
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping.walk import LATEST
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.way import programs, shapes
from maerisim.workload.problem import Problem

MOST_SWITCH_CYCLES = 500_000_000
"""Cycles that are stepped, times multiplier switches, for one replay; a run that takes more is followed up to there."""
MOST_FRAME_SWITCHES = 3072
"""Cycles times multiplier switches of a window."""
SHORTEST_WINDOW, LONGEST_WINDOW = 16, 48
SEGMENTS = 96
"""Stretches of the run for each of which work and stalls are summed."""


@dataclass(frozen=True)
class Segment:
    """What the multiplier switches did from cycle ``first`` on: operations, and cycles of waiting by cause."""

    first: int
    end: int
    work: int
    stalls: dict[str, int]


@dataclass(frozen=True)
class Picture:
    """A cycle, counted over all programs of the run, in which ``program`` ran."""

    cycle: int
    program: int
    frame: Frame


@dataclass(frozen=True)
class Scene:
    """A window: ``start``, ``steady state``, ``end``, or the ``whole run``."""

    name: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Replay:
    """A run of ``cycles``, followed up to cycle ``followed``; ``blocks`` such runs make up the layer."""

    cycles: int
    followed: int
    blocks: int
    problem: Problem
    configurations: dict[int, Program]
    scenes: tuple[Scene, ...]
    segments: tuple[Segment, ...]


def replay(problem: Problem, mapping: Mapping, hardware: Hardware, tell: Callable[[float], None]) -> Replay:
    """Follow a run of a layer; of one that is cut into blocks, the kind of block that most operations are in.

    ``tell`` hears now and then which share is done. Raises NotSupportedError in lock step.
    """
    most = max(shapes(problem, mapping, hardware), key=lambda shape: shape.blocks * shape.problem.operations)
    sequence = programs(most.problem, most.mapping, hardware)
    cycles = run_programs(sequence, hardware).cycles
    followed = reach(sequence, hardware, MOST_SWITCH_CYCLES // hardware.multipliers)
    follower = _Follower(hardware, windows(cycles, followed, hardware.multipliers), followed, tell)
    for number, program in enumerate(sequence):
        if follower.cycle >= followed:
            break
        follower.follow(number, program)
    used = {picture.program for scene in follower.scenes for picture in scene.pictures}
    return Replay(
        cycles=cycles,
        followed=followed,
        blocks=most.blocks,
        problem=most.problem,
        configurations={number: sequence[number] for number in sorted(used)},
        scenes=tuple(follower.scenes),
        segments=tuple(follower.segments),
    )


def reach(sequence: Sequence[Program], hardware: Hardware, steps: int) -> int:
    """The cycles of the run of some programs that are reached by stepping so many of them; what recurs is skipped."""
    reached = 0
    for program in sequence:
        watched = Watched(program, hardware)
        watched.go_to(LATEST, steps)
        reached += watched.cycle
        steps -= watched.stepped
        if not watched.finished:
            break
    return reached


def windows(cycles: int, followed: int, multipliers: int) -> dict[str, CycleWindow]:
    """The windows of a run of ``cycles`` of which the first ``followed`` are seen."""
    length = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, MOST_FRAME_SWITCHES // multipliers))
    if cycles <= 3 * length:
        return {"whole run": CycleWindow(0, cycles)}
    middle = min(cycles // 2, followed - length)
    found = {"start": CycleWindow(0, length), "steady state": CycleWindow(middle, middle + length)}
    return found if followed < cycles else found | {"end": CycleWindow(cycles - length, cycles)}


class _Follower:
    """Goes through the programs of a run, one after the other."""

    def __init__(
        self, hardware: Hardware, windows: dict[str, CycleWindow], followed: int, tell: Callable[[float], None]
    ) -> None:
        self.hardware, self.windows, self.followed, self.tell = hardware, windows, followed, tell
        self.cycle = 0
        self.segments: list[Segment] = []
        self._pictures: dict[str, list[Picture]] = {name: [] for name in windows}
        count = min(SEGMENTS, followed)
        self._ends = [followed * (number + 1) // count for number in range(count)]
        self._stops = sorted({*self._ends, *(cycle for window in windows.values() for cycle in window)})
        self._before, self._now = _Sums.zero(), _Sums.zero()

    @property
    def scenes(self) -> list[Scene]:
        """What has been seen."""
        return [Scene(name, tuple(pictures)) for name, pictures in self._pictures.items()]

    def follow(self, number: int, program: Program) -> None:
        """Follow a program up to its end, or the last cycle that is followed."""
        watched, began, so_far = Watched(program, self.hardware), self.cycle, self._now
        while not watched.finished and self.cycle < self.followed:
            stop = next(stop for stop in self._stops if stop > self.cycle)
            name = self._window(self.cycle)
            if name is None:
                watched.go_to(stop - began)
            else:
                recording = Recording(CycleWindow(watched.cycle, stop - began))
                watched.watch(stop - began, recording)
                first = began + recording.window.first
                seen = enumerate(recording.frames, first)
                self._pictures[name] += [Picture(cycle, number, frame) for cycle, frame in seen]
            self.cycle = began + watched.cycle
            self._now = so_far.with_more(watched)
            if self.cycle in self._ends:
                self._close_segment()

    def _window(self, cycle: int) -> str | None:
        return next((name for name, window in self.windows.items() if window.first <= cycle < window.end), None)

    def _close_segment(self) -> None:
        first = self.segments[-1].end if self.segments else 0
        stalls = {cause: self._now.stalls[cause] - self._before.stalls[cause] for cause in STALLS}
        self.segments.append(Segment(first, self.cycle, self._now.work - self._before.work, stalls))
        self._before = self._now
        self.tell(self.cycle / self.followed)


@dataclass(frozen=True)
class _Sums:
    work: int
    stalls: dict[str, int]

    @classmethod
    def zero(cls) -> _Sums:
        return cls(0, dict.fromkeys(STALLS, 0))

    def with_more(self, watched: Watched) -> _Sums:
        stalls = watched.stalls
        return _Sums(self.work + watched.work, {cause: self.stalls[cause] + stalls[cause] for cause in STALLS})
