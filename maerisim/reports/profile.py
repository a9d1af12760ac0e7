"""Where the cycles, the words and the energy of a mapping go: counted from the program that runs and its simulation."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.analytic.bounds import Bounds, bounds
from maerisim.counts.counters import Counters
from maerisim.counts.events import DRAM_EVENTS, Spent, spent
from maerisim.counts.multicasts import Multicasts, multicasts, together
from maerisim.counts.program_totals import totals
from maerisim.counts.tile_kinds import Share, TileKind, shares
from maerisim.engine.run import Result
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import MemoryUse, compulsory_words
from maerisim.program.program import Node, Program, Step, Use
from maerisim.reports.relief import Relief
from maerisim.ways.lock_step import require_control_steps
from maerisim.ways.way import programs
from maerisim.workload.problem import Problem

ADDER_SWITCH_BITS = 4
"""Configuration of an adder switch: mode and result flag, as the published RTL's memory stores them."""
FIELD_BITS = 32
"""A number in the program: an address, a count, a distance."""
LOOP_FIELDS = 4
"""Of a loop or step: its count, control steps and words from one repetition to the next, and its body's place."""
COLLECT_BITS = 4
"""Flags of a virtual neuron in a control step, see :class:`maerisim.program.program.Collect`."""


@dataclass(frozen=True)
class Load:
    """A resource, the cycles in which its busiest member is at work, and the least that any mapping would need."""

    resource: str
    busy: int
    bound: int


@dataclass(frozen=True)
class Profile:
    """What one run of a mapping consists of.

    ``shares`` are by kind of tile, in the order of the multipliers used, most first; ``dram`` are compulsory words: each
    operand word read once, each output written once. ``memory`` is there where the global buffer or DRAM limits the layer;
    tiles, steps, multicasts and code are then still those of the layer in one piece. ``code_bits`` is by what is configured.
    """

    cycles: int
    steps: int
    configurations: int
    shares: tuple[Share, ...]
    multicasts: dict[str, Multicasts]
    counters: Counters
    spent: tuple[Spent, ...]
    dram: dict[str, int]
    loads: tuple[Load, ...]
    bounds: Bounds
    code_bits: dict[str, int]
    multipliers: int
    memory: MemoryUse | None = None
    reliefs: tuple[Relief, ...] = ()

    @property
    def tiles(self) -> tuple[TileKind, ...]:
        """The kinds of tiles."""
        return tuple(share.tile for share in self.shares)

    @property
    def peak_utilization(self) -> float:
        """Largest share of the multipliers at work in a control step."""
        return max(kind.multipliers for kind in self.tiles) / self.multipliers

    @property
    def step_utilization(self) -> float:
        """Share of the multipliers at work, on average over the control steps."""
        return sum(kind.multipliers * kind.steps for kind in self.tiles) / (self.steps * self.multipliers)

    @property
    def utilization(self) -> float:
        """Share of the multipliers at work, on average over the cycles."""
        return self.counters.operations / (self.cycles * self.multipliers)

    @property
    def busiest(self) -> Load:
        """The resource that is at work in most cycles."""
        return max(self.loads, key=lambda load: load.busy)

    @property
    def energy(self) -> float:
        """Energy of the fabric and its buffers, DRAM apart."""
        return sum(spent.energy for spent in self.spent if spent.component != "dram")

    @property
    def dram_words(self) -> int:
        """Words from and to DRAM, the compulsory ones where DRAM is not modelled."""
        return sum(spent.count for spent in self.spent if spent.component == "dram")

    @property
    def dram_energy(self) -> float:
        """Energy of these words."""
        return math.fsum(spent.energy for spent in self.spent if spent.component == "dram")

    @property
    def code_size(self) -> int:
        """Bits of all parts of the code."""
        return sum(self.code_bits.values())


def profile(problem: Problem, mapping: Mapping, hardware: Hardware, result: Result) -> Profile:
    """The profile of a run whose simulation gave ``result``.

    Raises what lowering raises, and NotSupportedError for a controller that has no control steps.
    """
    require_control_steps(hardware)
    sequence = programs(problem, mapping, hardware)
    runs = [totals(program, hardware) for program in sequence]
    least = bounds(problem, hardware)
    steps = sum(program.compute.steps for program in sequence)
    words = compulsory_words(problem)
    return Profile(
        cycles=result.cycles,
        steps=steps,
        configurations=len(sequence),
        shares=shares(sequence, hardware),
        multicasts=together([multicasts(program, hardware) for program in sequence]),
        counters=result.counters,
        spent=(*result.counters.spent(hardware.energy), *_dram(words, result.memory, hardware)),
        dram=words,
        loads=(
            Load("multipliers", steps, least.compute),
            Load("distribution", sum(max(run.busy["ports"]) for run in runs), least.distribution),
            Load("collection", sum(max(run.busy["buses"]) for run in runs), least.collection),
            *([] if result.memory is None else [Load("dram", result.memory.dram_cycles, least.dram)]),
        ),
        bounds=least,
        code_bits=_sum([code_bits(program, hardware) for program in sequence]),
        multipliers=hardware.multipliers,
        memory=result.memory,
    )


class DramWords(NamedTuple):
    """Words from and to DRAM by operand."""

    read: dict[str, int]
    written: dict[str, int]


def _dram(compulsory: dict[str, int], memory: MemoryUse | None, hardware: Hardware) -> list[Spent]:
    """Words from and to DRAM: those that move, or where it is not modelled the compulsory ones, no partial sums."""
    if memory is not None:
        return spent(DRAM_EVENTS, memory, hardware.energy)
    once = [event for event in DRAM_EVENTS if event.name.split()[0] in compulsory]
    return spent(once, DramWords(read=compulsory, written=compulsory), hardware.energy)


def code_bits(program: Program, hardware: Hardware) -> dict[str, int]:
    """Bits that configure the fabric for a program, and that its controller walks.

    Adder switches: 4 bits each. Then every template and every loop once, however often it is walked: the flags of each
    multiplier switch, the flags of each virtual neuron, the packets (a 32-bit address, a bit per leaf of the port, for
    partial sums a 32-bit distance), and four numbers of 32 bits for each loop or step of a thread.
    """
    threads = (*program.streams, program.compute, program.collect)
    packet_bits = FIELD_BITS + hardware.leaves_per_port
    packets = {thread.name: sum(len(template.offset) for template in thread.templates) for thread in program.streams}
    return {
        "adder_switches": ADDER_SWITCH_BITS * (hardware.multipliers - 1),
        "multiplier_switches": len(Use) * hardware.multipliers * len(program.compute.templates),
        "virtual_neurons": COLLECT_BITS * len(program.spans) * len(program.collect.templates),
        "packets": packet_bits * sum(packets.values()) + FIELD_BITS * packets["partial_sums"],
        "loops": FIELD_BITS * LOOP_FIELDS * sum(_nodes(thread.nodes) for thread in threads),
    }


def _nodes(nodes: tuple[Node, ...]) -> int:
    return sum(1 if isinstance(node, Step) else 1 + _nodes(node.body) for node in nodes)


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for count in counts:
        for name, number in count.items():
            total[name] += number
    return dict(total)
