"""What a run counts, and what the analytic model predicts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from maerisim.counts import events
from maerisim.counts.events import EVENTS, Spent
from maerisim.hardware.energy import EnergyTable

OPERANDS = ("inputs", "partial_sums", "weights")
"""The operands that the distribution network carries, in the order of their priority at a port."""
STALLS = ("collection", "weights", "inputs", "wait", "forwarding")
"""Why a multiplier switch with work left did nothing in a cycle: no room for its product, no weight, no input, no
partial sum, no room at the neighbour for the input to forward."""


@dataclass(frozen=True)
class Traffic:
    """Operations and words moved: what the analytic model predicts and the engines count."""

    multiplications: int
    """Operations: products of an input and a weight."""
    passes: int
    """Operations: inputs that a pooling passes on unmultiplied."""
    additions: int
    """Operations: numbers added to a sum in the reduction network."""
    comparisons: int
    """Operations: numbers compared in the reduction network, in a max pooling."""
    accumulations: int
    """Operations: sums added (or maxima compared) in the accumulation buffer."""
    forwards: int
    """Words: inputs handed on to the neighbouring multiplier switch."""
    distributed: dict[str, int]
    """Words sent by the ports, by operand: one for each port that a word is needed in."""
    delivered: dict[str, int]
    """Words that arrive in operand registers, by operand."""
    buffer_reads: dict[str, int]
    """Reads of the global buffer, by operand: a word needed by several ports at once is read once."""
    buffer_writes: dict[str, int]
    """Words written to the global buffer: outputs, and partial sums that return later."""
    distribution_hops: int
    """Words through distribution switches."""
    adder_words: int
    """Words through adder switches."""
    results: int
    """Words on the collection buses."""

    @property
    def operations(self) -> int:
        """What multiplier switches do: multiply, or pass an input on."""
        return self.multiplications + self.passes

    @property
    def register_writes(self) -> int:
        """Operand registers written: a word delivered or forwarded writes one."""
        return sum(self.delivered.values()) + self.forwards

    @property
    def register_reads(self) -> int:
        """Operand registers read: two for a multiplication, one for an input or partial sum passed on or forwarded."""
        return 2 * self.multiplications + self.passes + self.delivered["partial_sums"] + self.forwards

    @property
    def multiplier_words(self) -> int:
        """Words through multiplier switches: delivered, forwarded and produced."""
        return self.register_writes + self.operations

    @property
    def accumulation_accesses(self) -> int:
        """Reads and writes of the accumulation buffer: both for every sum added to one that is there."""
        return 2 * self.accumulations

    def energy_by_component(self, table: EnergyTable) -> dict[str, float]:
        """Energy of the run in ``table.unit``, by the component that spends it."""
        return events.energy_by_component(EVENTS, self, table)

    def spent(self, table: EnergyTable) -> list[Spent]:
        """The events behind ``energy_by_component``, one by one, with the energy of each.

        What adder switches do to sums is listed as comparisons or as additions, whichever there are.
        """
        absent = "addition" if self.comparisons else "comparison"
        return [each for each in events.spent(EVENTS, self, table) if each.count or each.event != absent]

    def energy(self, table: EnergyTable) -> float:
        """Energy of the run in ``table.unit``."""
        return sum(self.energy_by_component(table).values())

    def as_dict(self) -> dict[str, Any]:
        """All counts, the derived ones included, under stable names."""
        derived = ("register_reads", "register_writes", "multiplier_words", "accumulation_accesses")
        return asdict(self) | {name: getattr(self, name) for name in derived}


@dataclass(frozen=True)
class Counters(Traffic):
    """The counts of a run: every one is in events (words, operations or cycles), none is an estimate."""

    additions_two: int
    """Operations: additions (or comparisons) of two numbers."""
    additions_three: int
    """Operations: additions (or comparisons) of three numbers, one from a lateral link."""
    stalls: dict[str, int]
    """Cycles lost by multiplier switches with work left, summed over them, by cause."""
    port_stalls: int
    """Cycles in which a port had a word to send and no room for it, summed over ports."""
    busy: dict[str, list[int]]
    """Cycles in which each component did something: each port, multiplier switch, adder switch, bus."""

    @property
    def traffic(self) -> Traffic:
        """The counts that do not depend on the timing."""
        return Traffic(**{field.name: getattr(self, field.name) for field in fields(Traffic)})


Counts = TypeVar("Counts", bound=Traffic)


def sum_of(runs: Sequence[Counts], times: Sequence[int] | None = None) -> Counts:
    """The counts of several runs together, each as many ``times`` (default: once)."""
    each = [1] * len(runs) if times is None else times
    first = runs[0]
    if len(runs) == 1 and each[0] == 1:
        return first
    return replace(first, **{f.name: _sum([getattr(run, f.name) for run in runs], each) for f in fields(first)})


def _sum(values: Sequence[Any], times: Sequence[int]) -> Any:
    """The sum of numbers, or of the entries of dictionaries or lists at the same place."""
    first = values[0]
    if isinstance(first, dict):
        return {key: _sum([value[key] for value in values], times) for key in first}
    if isinstance(first, list):
        return [_sum(entries, times) for entries in zip(*values, strict=True)]
    return sum(value * count for value, count in zip(values, times, strict=True))


def differences(one: Counters, other: Counters) -> list[str]:
    """The counts in which two runs differ, for error messages and tests."""
    left, right = one.as_dict(), other.as_dict()
    return [f"{name}: {left[name]} against {right[name]}" for name in left if left[name] != right[name]]


def by_operand(counts: Mapping[str, int] | None = None) -> dict[str, int]:
    """A count for each operand, 0 where none is given."""
    return dict.fromkeys(OPERANDS, 0) | dict(counts or {})
