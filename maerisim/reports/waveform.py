"""A run as a waveform (VCD), for GTKWave and Surfer, with the names of the published RTL.

Instances are called as in the RTL (``MAERI_Accelerator.bsv``): the distribution network ``dn`` with a subtree for each port,
the multiplier network ``mn``, the reduction network ``rn`` with its double and single switches and its collection buses. A
reduction network of ours that is not the RTL's has ``adderSwitches``. What has no counterpart there lies in ``maerisim``:
accumulators and the global buffer.

A cycle takes ten units, and ``CLK`` rises at its beginning; a signal that says that something is done is high in that cycle.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program
from maerisim.reports.tracks import BUFFER, ComponentKind, Doing, Moment, Track, Tracks, names_of_adders

TOP = "MAERI_Accelerator"
UNITS = 10
"""Of time in a cycle."""
OF_KIND: dict[ComponentKind, dict[str, int | str]] = {
    "port": {"address": 0, "destinations": ""},
    "multiplier": {"arrives": ""},
    "bus": {"virtualNeuron": 0},
}
"""Signals that only components of a kind have, and their value at the beginning."""


def require_waveforms() -> None:
    """Raises NotSupportedError without pyvcd."""
    if find_spec("vcd") is None:
        raise NotSupportedError("--vcd needs pyvcd, which is not installed (pip install 'maerisim[trace]')")


class Waveform(Tracks):
    """Becomes the waveform of the cycles that it is told of; :meth:`text` is its VCD.

    Signals are those of ``programs``, which have to be known before the ``first`` cycle. Raises NotSupportedError without
    pyvcd.
    """

    def __init__(self, hardware: Hardware, programs: Sequence[Program], first: int = 0) -> None:
        require_waveforms()
        super().__init__()
        from vcd import VCDWriter

        self._file = io.StringIO()
        begin = UNITS * first
        self._writer = VCDWriter(self._file, timescale="1 ns", comment="maerisim", date="", init_timestamp=begin)
        self._clock = self._writer.register_var(TOP, "CLK", "wire", size=1, init=0)
        self._cycle = self._writer.register_var(TOP, "cycle", "integer", size=32, init=0)
        self._signals: dict[Track, dict[str, Any]] = {}
        self._states: dict[Track, dict[str, int | str]] = {}
        self._busy: list[Track] = []
        self._end = begin
        for track, scope in scopes(hardware, programs).items():
            starts: dict[str, int | str] = {"busy": 0, "waits": 0, "state": "", **OF_KIND.get(track.kind, {})}
            self._signals[track] = {
                name: self._writer.register_var(scope, name, *self._type(name, start), init=start)
                for name, start in starts.items()
            }
            self._states[track] = starts

    @staticmethod
    def _type(name: str, start: int | str) -> tuple[str, int | None]:
        """The type and the bits of a signal."""
        if isinstance(start, str):
            return "string", None
        return ("wire", 1) if name in ("busy", "waits") else ("integer", 32)

    def cycle(
        self,
        cycle: int,
        doing: dict[Track, Doing],
        moments: Sequence[Moment],
        counts: dict[str, int],
        waiting: dict[str, int],
    ) -> None:
        at = UNITS * cycle
        arrived: dict[Track, list[str]] = {}
        for track, what in moments:
            arrived.setdefault(track, []).append(what)
        self._writer.change(self._clock, at, 1)
        self._writer.change(self._cycle, at, cycle)
        for track in dict.fromkeys((*self._busy, *doing, *arrived)):
            self._change(track, at, doing.get(track), arrived.get(track, []))
        self._busy = [*doing, *arrived]
        self._writer.change(self._clock, at + UNITS // 2, 0)
        self._end = at + UNITS

    def _change(self, track: Track, at: int, doing: Doing | None, moments: Sequence[str]) -> None:
        """Set the signals of a component that are no longer what they were; numbers keep their last value."""
        details = {} if doing is None else dict(doing.details)
        now: dict[str, int | str] = {
            "busy": int(doing is not None and not doing.waits),
            "waits": int(doing is not None and doing.waits),
            "state": "" if doing is None else doing.what,
            "address": details.get("address", self._states[track].get("address", 0)),
            "destinations": details.get("to multipliers", ""),
            "arrives": "; ".join(moments),
            "virtualNeuron": details.get("from", self._states[track].get("virtualNeuron", 0)),
        }
        before = self._states[track]
        for name, signal in self._signals[track].items():
            if now[name] != before[name]:
                before[name] = value = now[name]
                self._writer.change(signal, at, value.replace(" ", "_") if isinstance(value, str) else value)

    def text(self) -> str:
        """The waveform so far."""
        self._writer.close(self._end)
        return self._file.getvalue()


def scopes(hardware: Hardware, programs: Sequence[Program]) -> dict[Track, str]:
    """The instance that each component is."""
    found = {Track("port", port): f"{TOP}.dn.subTrees_{port}" for port in range(hardware.ports)}
    found |= {Track("multiplier", m): f"{TOP}.mn.multSwitches_{m}" for m in range(hardware.multipliers)}
    adders = {switch: name for program in programs for switch, name in names_of_adders(program, hardware).items()}
    for switch, name in sorted(adders.items()):
        kind, _, number = name.partition(" ")
        instance = {"double": "dblReductionSwitches", "single": "sglReductionSwitches"}.get(kind)
        place = name.replace(".", "_").replace(" ", "_")
        found[Track("adder", switch)] = f"{TOP}.rn." + (
            f"{instance}_{number}" if instance else f"adderSwitches_{place}"
        )
    found |= {Track("bus", bus): f"{TOP}.rn.collectionBuses_{bus}" for bus in range(hardware.buses)}
    accumulators = max((len(program.spans) for program in programs if program.control is None), default=0)
    found |= {Track("accumulator", vn): f"{TOP}.maerisim.accumulators_{vn}" for vn in range(accumulators)}
    return found | {BUFFER: f"{TOP}.maerisim.globalBuffer"}
