"""What every component of the fabric does in each cycle, as traces and waveforms show it: a track for each.

In a cycle a component does one thing, or waits for one; what happens to it besides is a *moment*.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from maerisim.counts.counters import STALLS
from maerisim.engine.observers import Observer
from maerisim.fabric.choose import topology_of
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program, Role
from maerisim.rtl.switches import AdderTree

ComponentKind = Literal["port", "multiplier", "adder", "accumulator", "bus", "buffer"]


class Track(NamedTuple):
    """A component; accumulators are numbered by virtual neuron."""

    kind: ComponentKind
    number: int


class Doing(NamedTuple):
    """What a component does in a cycle, in words; ``waits``: it has work, and cannot go on. ``details`` are numbers and
    names by what they are.
    """

    what: str
    waits: bool = False
    details: tuple[tuple[str, int | str], ...] = ()


class Moment(NamedTuple):
    """What happened to a component in a cycle, in words."""

    track: Track
    what: str


BUFFER = Track("buffer", 0)
COUNTS = ("words sent", "operations", "words added", "results collected", "results written", "ports that wait")
"""Of each cycle; beside them the multiplier switches that wait, by cause."""


class Tracks(Observer):
    """Gathers what the components do, and hands on each cycle that is told.

    An adder switch adds also where it compares, or where all but one of its words are empty.
    """

    def __init__(self) -> None:
        self._begin_cycle()

    def _begin_cycle(self) -> None:
        self._doing: dict[Track, Doing] = {}
        self._adding: dict[int, list[str]] = defaultdict(list)
        self._moments: list[Moment] = []
        self._counts = dict.fromkeys(COUNTS, 0)
        self._waiting = dict.fromkeys(STALLS, 0)

    @abstractmethod
    def cycle(
        self,
        cycle: int,
        doing: dict[Track, Doing],
        moments: Sequence[Moment],
        counts: dict[str, int],
        waiting: dict[str, int],
    ) -> None:
        """What components did in a cycle, how often what happened, and multiplier switches that waited, by cause."""

    def reconfigured(self, switch: int, role: Role, products: int, cycle: int) -> None:
        name = role.name.lower().replace("_", " ")
        self._moments.append(Moment(Track("multiplier", switch), f"role {name}, {products} products"))

    def sent(
        self,
        port: int,
        operand: str,
        destinations: Sequence[int],
        value: int,
        cycle: int,
        *,
        address: int,
        reads: int,
        hops: int,
    ) -> None:
        details = (("address", address), *_to(destinations), ("buffer reads", reads), ("switches passed", hops))
        self._doing[Track("port", port)] = Doing(f"send {_word(operand)}", details=details)
        self._counts["words sent"] += 1

    def port_stalled(self, port: int, operand: str, destinations: Sequence[int], cycle: int) -> None:
        self._doing[Track("port", port)] = Doing(f"no room for {_word(operand)}", True, _to(destinations))
        self._counts["ports that wait"] += 1

    def delivered(self, port: int, operand: str, switch: int, value: int, cycle: int) -> None:
        self._moments.append(Moment(Track("multiplier", switch), f"{_word(operand)} arrives"))

    def lost(self, port: int, operand: str, switch: int, cycle: int) -> None:
        self._moments.append(Moment(Track("multiplier", switch), f"{_word(operand)} is lost"))

    def forwarded(self, switch: int, to: int, value: int, cycle: int) -> None:
        self._moments.append(Moment(Track("multiplier", switch), f"input handed on to {to}"))

    def multiplied(self, switch: int, value: int, cycle: int) -> None:
        self._operate(switch, "multiply")

    def passed(self, switch: int, value: int, cycle: int) -> None:
        self._operate(switch, "pass input")

    def _operate(self, switch: int, what: str) -> None:
        self._doing[Track("multiplier", switch)] = Doing(what)
        self._counts["operations"] += 1

    def stalled(self, switch: int, cause: str, cycle: int) -> None:
        self._doing[Track("multiplier", switch)] = Doing(WAITS[cause], True)
        self._waiting[cause] += 1

    def added(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self._adding[switch].append("add" if virtual_neuron < 0 else f"add VN {virtual_neuron}")
        self._counts["words added"] += 1

    def compared(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self.added(switch, virtual_neuron, values, total, cycle)

    def crossed(self, switch: int, virtual_neuron: int, value: int, cycle: int) -> None:
        self._adding[switch][-1] += " across"

    def accumulated(self, virtual_neuron: int, total: int, cycle: int) -> None:
        self._doing[Track("accumulator", virtual_neuron)] = Doing("accumulate")

    def collected(self, bus: int, virtual_neuron: int, value: int, complete: bool, cycle: int) -> None:
        what = "output" if complete else "partial sum"
        self._doing[Track("bus", bus)] = Doing(
            f"{what} of {source(virtual_neuron)}", details=(("from", virtual_neuron),)
        )
        self._counts["results collected"] += 1

    def written(self, virtual_neuron: int, address: int, value: int, cycle: int) -> None:
        self._counts["results written"] += 1

    def cycle_ended(self, cycle: int) -> None:
        for switch, uses in self._adding.items():
            self._doing[Track("adder", switch)] = Doing(", ".join(uses))
        written = self._counts["results written"]
        if written:
            self._doing[BUFFER] = Doing(f"write {written} result{'s' if written > 1 else ''}")
        self.cycle(cycle, self._doing, self._moments, self._counts, self._waiting)
        self._begin_cycle()


WAITS = {
    "collection": "no room for its product",
    "weights": "waits for a weight",
    "inputs": "waits for an input",
    "wait": "waits for a partial sum",
    "forwarding": "no room at the neighbour",
}
"""The causes for which a multiplier switch waits, in words."""


def source(virtual_neuron: int) -> str:
    """Where a result comes from; negative in a configuration that knows no virtual neurons."""
    return "a port" if virtual_neuron < 0 else f"VN {virtual_neuron}"


def _word(operand: str) -> str:
    return {"inputs": "input", "weights": "weight", "partial_sums": "partial sum"}[operand]


def _to(destinations: Sequence[int]) -> tuple[tuple[str, int | str], ...]:
    """The multiplier switches that a word goes to, neighbours as a range."""
    ranges: list[list[int]] = []
    for each in sorted(destinations):
        if ranges and each == ranges[-1][-1] + 1:
            ranges[-1][-1:] = [each] if len(ranges[-1]) == 2 else [ranges[-1][0], each]
        else:
            ranges.append([each])
    return (("to multipliers", ", ".join("-".join(map(str, ends)) for ends in ranges)),)


def names_of_adders(program: Program, hardware: Hardware) -> dict[int, str]:
    """What the adder switches that work are called: by level and place, in the RTL's tree double or single."""
    used = sorted({transfer.switch for transfer in program.reduction.transfers if transfer.switch >= 0})
    if program.control is None:
        topology = topology_of(hardware)
        return {switch: topology.name_switch(switch) for switch in used}
    doubles = AdderTree(hardware.multipliers).doubles
    return {switch: f"double {switch}" if switch < doubles else f"single {switch - doubles}" for switch in used}
