"""Programs under watch: observers are told of a window of cycles, with whichever engine gets there sooner.

The compiled engine goes to the first cycle at full speed and is watched from there; in lock step the event engine runs from the
beginning. Programs follow one another, and cycles are counted through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from maerisim.engine.compiled.watched import Watched
from maerisim.engine.observers import Observer
from maerisim.engine.recording import CycleWindow
from maerisim.engine.run import EngineName, RunOptions, run_programs
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program


def lengths(programs: Sequence[Program], hardware: Hardware) -> list[int]:
    """The cycles of each program."""
    return [run_programs([program], hardware).cycles for program in programs]


def watch(
    programs: Sequence[Program],
    hardware: Hardware,
    observer: Observer,
    window: CycleWindow,
    cycles_of: Sequence[int],
    engine: EngineName = "compiled",
) -> None:
    """Tell ``observer`` what happens in a window of programs that take ``cycles_of`` each, one after the other."""
    begin = 0
    for program, cycles in zip(programs, cycles_of, strict=True):
        first, end = max(0, window.first - begin), min(cycles, window.end - begin)
        if first < end:
            within = _Within(observer, CycleWindow(first, end), begin)
            if engine == "event" or program.control is not None:
                run_programs([program], hardware, RunOptions("event", observers=[within]))
            else:
                run = Watched(program, hardware)
                run.go_to(first)
                observer.configured(program, hardware)
                run.watch(end, within)
        begin += cycles


class _Within(Observer):
    """Hands on to ``observer`` what happens within a window, in cycles that are later ``by`` so many."""

    def __init__(self, observer: Observer, window: CycleWindow, by: int) -> None:
        self.observer, self.window, self.by = observer, window, by

    def configured(self, program: Program, hardware: Hardware) -> None:
        self.observer.configured(program, hardware)


def _handing_on(name: str) -> Callable[..., None]:
    def hand_on(self: _Within, *event: Any, **details: Any) -> None:
        cycle = event[-1]
        if self.window.first <= cycle < self.window.end:
            getattr(self.observer, name)(*event[:-1], cycle + self.by, **details)

    return hand_on


for _name in vars(Observer):
    if not _name.startswith("_") and _name != "configured":
        setattr(_Within, _name, _handing_on(_name))
