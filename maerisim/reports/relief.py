"""What more of each resource would bring a mapping: not guessed but simulated, with one resource doubled at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem


@dataclass(frozen=True)
class Relief:
    """The layer's cycles with more of a resource: ``change`` says what, ``remapped`` whether the mapping is another."""

    resource: str
    change: str
    cycles: int
    remapped: bool = False


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
