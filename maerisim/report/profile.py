"""Where the cycles, the words and the energy of a mapping go, and what more of each resource would bring.

Everything is counted from the program that runs and from its simulation; what would relieve a mapping is not guessed but
simulated, with one resource doubled at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.counts.counters import Counters
from maerisim.counts.events import DRAM_EVENTS, Spent, spent
from maerisim.counts.tile_kinds import Share, TileKind, shares, together
from maerisim.counts.totals import Multicasts, multicasts, totals
from maerisim.engine.run import Result
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.estimate.bounds import Bounds, bounds
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.programs import programs
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import MemoryUse, compulsory_words
from maerisim.program.program import Node, Program, Step, Use
from maerisim.ways.in_blocks import simulate
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
class Relief:
    """The layer's cycles with more of a resource: ``change`` says what, ``remapped`` whether the mapping is another."""

    resource: str
    change: str
    cycles: int
    remapped: bool = False


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


def require_control_steps(hardware: Hardware) -> None:
    """Raises NotSupportedError for a controller that drives everything in lock step."""
    if hardware.controller.kind == "lock_step":
        msg = (
            f"hardware {hardware.name} is driven in lock step: it has no control steps to report on "
            "(maerisim rtl --explain describes its configuration)"
        )
        raise NotSupportedError(msg)


class Crossing(NamedTuple):
    """Words from and to DRAM by operand."""

    read: dict[str, int]
    written: dict[str, int]


def _dram(compulsory: dict[str, int], memory: MemoryUse | None, hardware: Hardware) -> list[Spent]:
    """Words from and to DRAM: those that move, or where it is not modelled the compulsory ones, no partial sums."""
    if memory is not None:
        return spent(DRAM_EVENTS, memory, hardware.energy)
    once = [event for event in DRAM_EVENTS if event.name.split()[0] in compulsory]
    return spent(once, Crossing(read=compulsory, written=compulsory), hardware.energy)


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


# --- Relief -----------------------------------------------------------------------------------------------------------


def reliefs(
    problem: Problem, mapping: Mapping, hardware: Hardware, find: Callable[[Problem, Hardware], Mapping]
) -> Iterator[Relief]:
    """The cycles with each resource doubled in turn and the same mapping, then with what needs another mapping.

    ``find`` finds that mapping: on this hardware, and with twice the multipliers but nothing else. Doubles that no valid
    hardware has (more ports than multipliers) are left out.
    """
    together: dict[str, int | float] = {}
    for resource, change, numbers in doubles(hardware):
        larger = _changed(hardware, numbers)
        if larger is not None:
            together |= numbers
            yield Relief(resource, change, simulate(problem, mapping, larger).cycles)
    all_of_them = hardware.with_overrides(together)
    yield Relief("all of these", "together", simulate(problem, mapping, all_of_them).cycles)
    best = find(problem, hardware)
    if best != mapping:
        yield Relief("mapping", "the mapper's", simulate(problem, best, hardware).cycles, remapped=True)
    more = _changed(
        hardware,
        {
            "multipliers": 2 * hardware.multipliers,
            "distribution.bandwidth": hardware.ports,
            "collection.bandwidth": hardware.buses,
            "accumulation.words": hardware.accumulation_words,
        },
    )
    if more is not None:
        change = f"{hardware.multipliers} to {more.multipliers}"
        cycles = simulate(problem, find(problem, more), more).cycles
        yield Relief("multipliers", change, cycles, remapped=True)


class Doubled(NamedTuple):
    """A resource, its change in words, and the numbers of the hardware document that make it."""

    resource: str
    change: str
    numbers: MappingOf[str, int | float]


def doubles(hardware: Hardware) -> list[Doubled]:
    """Twice as much of each resource; where there is none of it, what another fabric has by default."""
    multiplier = hardware.multiplier
    queues = {
        "multiplier.input_fifo_depth": multiplier.input_fifo_depth,
        "multiplier.partial_sum_fifo_depth": multiplier.partial_sum_fifo_depth,
        "multiplier.forward_fifo_depth": multiplier.forward_fifo_depth,
        "multiplier.product_fifo_depth": multiplier.product_fifo_depth,
        "reduction.fifo_depth": hardware.reduction.fifo_depth,
        "collection.fifo_depth": hardware.collection.fifo_depth,
    }
    held, words = multiplier.input_registers, hardware.accumulation_words
    more_held, more_words = 2 * held or 1, 2 * words or 64 * hardware.multipliers
    room = {"multiplier.input_fifo_depth": multiplier.input_fifo_depth - held + more_held}
    weights = multiplier.weight_registers

    def from_to(before: float, after: float) -> str:
        return f"{before:,} to {after:,}"

    buffer, bandwidth = hardware.global_buffer.words, hardware.dram.bandwidth
    memory = []
    if buffer is not None:
        memory.append(Doubled("global buffer", from_to(buffer, 2 * buffer), {"global_buffer.words": 2 * buffer}))
    if bandwidth is not None:
        change = f"{bandwidth:g} to {2 * bandwidth:g}"
        memory.append(Doubled("DRAM bandwidth", change, {"dram.bandwidth": 2 * bandwidth}))
    return [
        Doubled(
            "distribution ports",
            from_to(hardware.ports, 2 * hardware.ports),
            {"distribution.bandwidth": 2 * hardware.ports},
        ),
        Doubled(
            "collection buses",
            from_to(hardware.buses, 2 * hardware.buses),
            {"collection.bandwidth": 2 * hardware.buses},
        ),
        Doubled("weight registers", from_to(weights, 2 * weights), {"multiplier.weight_registers": 2 * weights}),
        Doubled("input registers", from_to(held, more_held), {"multiplier.input_registers": more_held} | room),
        Doubled("accumulation words", from_to(words, more_words), {"accumulation.words": more_words}),
        Doubled("queues", "all twice as deep", {path: 2 * size for path, size in queues.items()}),
        *memory,
    ]


def _changed(hardware: Hardware, changes: MappingOf[str, int | float]) -> Hardware | None:
    """The hardware with larger numbers, or None when there is no such hardware."""
    try:
        return hardware.with_overrides(changes)
    except DocumentError:
        return None
