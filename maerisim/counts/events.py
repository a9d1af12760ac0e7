"""The one table of what costs energy: which component does what, how often, and which price it pays each time.

Energies, the lists of events in reports, the prices by which the mapper ranks, and the table in ``configs/README.md`` all
follow from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maerisim.hardware.energy import EnergyTable


@dataclass(frozen=True)
class Event:
    """Something that ``component`` does, for ``price``, a key of the energy table, each time.

    ``count`` names the attribute that says how often, of :class:`~maerisim.counts.counters.Traffic` or for DRAM of
    :class:`~maerisim.memory.blocks.MemoryUse`; an operand stands behind a point.
    """

    component: str
    name: str
    count: str
    price: str

    def counted(self, counts: object) -> int:
        """How often it happened."""
        name, _, operand = self.count.partition(".")
        found = getattr(counts, name)
        return int(found[operand] if operand else found)


EVENTS = (
    Event("global_buffer", "inputs read", "buffer_reads.inputs", "global_buffer_access"),
    Event("global_buffer", "partial_sums read", "buffer_reads.partial_sums", "global_buffer_access"),
    Event("global_buffer", "weights read", "buffer_reads.weights", "global_buffer_access"),
    Event("global_buffer", "outputs written", "buffer_writes.outputs", "global_buffer_access"),
    Event("global_buffer", "partial_sums written", "buffer_writes.partial_sums", "global_buffer_access"),
    Event("distribution", "switch passed", "distribution_hops", "distribution_switch_access"),
    Event("registers", "read", "register_reads", "register_access"),
    Event("registers", "written", "register_writes", "register_access"),
    Event("multipliers", "multiplication", "multiplications", "multiply"),
    Event("multipliers", "word passed", "multiplier_words", "multiplier_switch_access"),
    Event("reduction", "addition", "additions", "add"),
    Event("reduction", "comparison", "comparisons", "add"),
    Event("reduction", "word passed", "adder_words", "reduction_switch_access"),
    Event("accumulation", "sum added", "accumulations", "add"),
    Event("accumulation", "buffer access", "accumulation_accesses", "accumulation_buffer_access"),
)
"""What the fabric and its buffers spend energy on. A comparison costs an addition."""
DRAM_EVENTS = (
    Event("dram", "inputs read", "read.inputs", "dram_access"),
    Event("dram", "partial_sums read", "read.partial_sums", "dram_access"),
    Event("dram", "weights read", "read.weights", "dram_access"),
    Event("dram", "outputs written", "written.outputs", "dram_access"),
    Event("dram", "partial_sums written", "written.partial_sums", "dram_access"),
)
"""What is spent outside the chip, which reports list apart."""


@dataclass(frozen=True)
class Spent:
    """Events of one kind and their energy, in the unit of the hardware's table."""

    component: str
    event: str
    count: int
    energy: float


def spent(events: Iterable[Event], counts: object, table: EnergyTable) -> list[Spent]:
    """The events one by one, with the energy of each."""
    counted = [(event, event.counted(counts)) for event in events]
    return [Spent(event.component, event.name, count, count * getattr(table, event.price)) for event, count in counted]


def energy_by_component(events: Iterable[Event], counts: object, table: EnergyTable) -> dict[str, float]:
    """Energy in ``table.unit``, by the component that spends it."""
    paid: dict[str, dict[str, int]] = {}
    for event in events:
        by_price = paid.setdefault(event.component, {})
        by_price[event.price] = by_price.get(event.price, 0) + event.counted(counts)
    return {
        component: sum(count * getattr(table, price) for price, count in by_price.items())
        for component, by_price in paid.items()
    }


def dram_energy(use: object, table: EnergyTable) -> float:
    """Energy of all words from and to DRAM of a ``MemoryUse``."""
    return energy_by_component(DRAM_EVENTS, use, table)["dram"]
