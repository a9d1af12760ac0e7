"""A run as trace events, for Perfetto (ui.perfetto.dev) and chrome://tracing: a track for each component.

The format is Google's *Trace Event Format*: JSON with a list of events. A cycle is a microsecond there, so that what the
viewers call 1 us is one cycle. What goes on for several cycles is one slice; what waits has the category ``wait``. Slices
of one track never overlap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from maerisim.counts.counters import STALLS
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program
from maerisim.reports.tracks import BUFFER, WAITS, ComponentKind, Doing, Moment, Track, Tracks, names_of_adders

RUN = 1
"""The number of the process whose tracks are the programs and the counters."""
PROCESSES: dict[ComponentKind, str] = {
    "port": "distribution ports",
    "multiplier": "multiplier switches",
    "adder": "adder switches",
    "accumulator": "accumulators",
    "bus": "collection buses",
    "buffer": "global buffer",
}
NUMBERS: dict[ComponentKind, int] = {kind: number for number, kind in enumerate(PROCESSES, RUN + 1)}


@dataclass
class _Slice:
    """What a component has been doing since a cycle, without a break up to (not with) another."""

    doing: Doing
    begin: int
    end: int


class ChromeTrace(Tracks):
    """Becomes the trace of the cycles that it is told of; :meth:`text` is its JSON."""

    def __init__(self, hardware: Hardware, title: str) -> None:
        super().__init__()
        self.title = title
        self._hardware = hardware
        self._names: dict[Track, str] = {}
        self._open: dict[Track, _Slice] = {}
        self._events: list[str] = []
        self._counted: dict[str, dict[str, int]] = {}
        self._end = 0
        for kind, count in COUNTS_OF.items():
            for number in range(count(hardware)):
                self._names[Track(kind, number)] = f"{kind} {number}"
        self._names[BUFFER] = "writes"

    def configured(self, program: Program, hardware: Hardware) -> None:
        for switch, name in names_of_adders(program, hardware).items():
            self._names[Track("adder", switch)] = f"adder switch {name}"
        for virtual_neuron, span in enumerate(program.spans):
            last = span.start + span.size - 1
            name = f"VN {virtual_neuron} (multipliers {span.start}-{last})"
            self._names[Track("accumulator", virtual_neuron)] = name

    def cycle(
        self,
        cycle: int,
        doing: dict[Track, Doing],
        moments: Sequence[Moment],
        counts: dict[str, int],
        waiting: dict[str, int],
    ) -> None:
        for track, what in doing.items():
            now = self._open.get(track)
            if now is not None and now.doing == what and now.end == cycle:
                now.end += 1
                continue
            if now is not None:
                self._close(track, now)
            self._open[track] = _Slice(what, cycle, cycle + 1)
        for track, moment in moments:
            self._add(track, {"name": moment, "ph": "i", "s": "t", "ts": cycle})
        for name, count in counts.items():
            self._count(name, {"in the cycle": count}, cycle)
        self._count("multiplier switches that wait", {WAITS[cause]: waiting[cause] for cause in STALLS}, cycle)
        self._end = cycle + 1

    def _count(self, name: str, values: dict[str, int], cycle: int) -> None:
        """A counter keeps its value until the next event."""
        if self._counted.get(name) != values:
            self._counted[name] = values
            self._events.append(_json({"name": name, "ph": "C", "pid": RUN, "ts": cycle, "args": values}))

    def _close(self, track: Track, done: _Slice) -> None:
        event: dict[str, Any] = {
            "name": done.doing.what,
            "cat": "wait" if done.doing.waits else "work",
            "ph": "X",
            "ts": done.begin,
            "dur": done.end - done.begin,
        }
        if done.doing.details:
            event["args"] = dict(done.doing.details)
        self._add(track, event)

    def _add(self, track: Track, event: dict[str, Any]) -> None:
        self._events.append(_json(event | {"pid": NUMBERS[track.kind], "tid": track.number + 1}))

    def text(self, programs: Sequence[tuple[str, int, int]] = ()) -> str:
        """The trace as JSON; ``programs`` are what ran, each with its first cycle and the one after its last."""
        for track, now in self._open.items():
            self._close(track, now)
        self._open.clear()
        zeros = {name: dict.fromkeys(values, 0) for name, values in self._counted.items()}
        for name, values in zeros.items():
            self._count(name, values, self._end)
        heads = [
            _metadata("process_name", RUN, {"name": self.title}),
            _metadata("process_sort_index", RUN, {"sort_index": 0}),
        ]
        heads.append(_metadata("thread_name", RUN, {"name": "programs"}, 1))
        for kind in dict.fromkeys(track.kind for track in self._names):
            number = NUMBERS[kind]
            heads.append(_metadata("process_name", number, {"name": PROCESSES[kind]}))
            heads.append(_metadata("process_sort_index", number, {"sort_index": number}))
        for track, name in self._names.items():
            place = (NUMBERS[track.kind], track.number + 1)
            heads.append(_metadata("thread_name", place[0], {"name": name}, place[1]))
            heads.append(_metadata("thread_sort_index", place[0], {"sort_index": track.number}, place[1]))
        heads += [
            {"name": what, "cat": "program", "ph": "X", "ts": begin, "dur": end - begin, "pid": RUN, "tid": 1}
            for what, begin, end in programs
        ]
        events = ",\n".join([*map(_json, heads), *self._events])
        about = {"hardware": self._hardware.name, "unit": "1 us is one cycle", "maerisim": version("maerisim")}
        return f'{{"displayTimeUnit": "ns", "otherData": {_json(about)}, "traceEvents": [\n{events}\n]}}\n'


COUNTS_OF: dict[ComponentKind, Callable[[Hardware], int]] = {
    "port": lambda hardware: hardware.ports,
    "multiplier": lambda hardware: hardware.multipliers,
    "bus": lambda hardware: hardware.buses,
}
"""Components that are all shown, whether they do something or not."""


def _metadata(name: str, process: int, args: Mapping[str, Any], thread: int = 0) -> dict[str, Any]:
    return {"name": name, "ph": "M", "pid": process, "tid": thread, "args": args}


def _json(event: Mapping[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"))
