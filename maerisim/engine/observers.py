"""Observers: who wants to know what happens in the event engine, without being part of it.

The engine tells them of every event, and they do nothing by default. Counting is the first of them; tracing, waveforms
and checks are others. A run with observers of one's own::

    class Sent(Observer):
        def sent(self, port, operand, destinations, value, cycle, **details):
            print(cycle, port, operand, destinations)

    simulate(problem, mapping, hardware, engine="event", observers=[Sent()])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from maerisim.counts.counters import STALLS, Counters, by_operand
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program, Role


class Observer:
    """What can happen in a run. ``cycle`` counts from 0; values are 0 unless the run carries some."""

    def configured(self, program: Program, hardware: Hardware) -> None:
        """Before cycle 0: the fabric has taken up the configuration of a program."""

    def reconfigured(self, switch: int, role: Role, products: int, cycle: int) -> None:
        """Lock step: a multiplier switch has taken up a role, and a count of products that it may give."""

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
        """A port has got a word for multiplier switches, which costs ``reads`` of the global buffer and passes ``hops``
        distribution switches. It lies at ``address`` of its operand, or of the outputs where a layer computes it; -1:
        it is padding, or a word of the lock step, which then waits in the queue of the port.
        """

    def delivered(self, port: int, operand: str, switch: int, value: int, cycle: int) -> None:
        """A word has reached a multiplier switch; it can be used in the next cycle."""

    def lost(self, port: int, operand: str, switch: int, cycle: int) -> None:
        """Lock step: a word has found the leaf of a multiplier switch full."""

    def multiplied(self, switch: int, value: int, cycle: int) -> None:
        """A multiplier switch has put a product on its wire."""

    def passed(self, switch: int, value: int, cycle: int) -> None:
        """A multiplier switch has put an input on its wire as it is: a pooling has no weights."""

    def forwarded(self, switch: int, to: int, value: int, cycle: int) -> None:
        """A multiplier switch has handed an input on to a neighbour."""

    def added(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        """An adder switch has added the words on its operand wires, of which there may be one, or none but empty ones."""

    def compared(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        """The same in a max pooling."""

    def crossed(self, switch: int, virtual_neuron: int, value: int, cycle: int) -> None:
        """An adder switch has put a word on its lateral link."""

    def accumulated(self, virtual_neuron: int, total: int, cycle: int) -> None:
        """An accumulator has added (or compared) a sum to the one that it held."""

    def collected(self, bus: int, virtual_neuron: int, value: int, complete: bool, cycle: int) -> None:
        """A collection bus has taken a result, which is ``complete`` or a partial sum."""

    def written(self, virtual_neuron: int, address: int, value: int, cycle: int) -> None:
        """The global buffer has written a result (in lock step its address is not known: -1)."""

    def stalled(self, switch: int, cause: str, cycle: int) -> None:
        """A multiplier switch with work left did nothing; the cause is one of ``STALLS``."""

    def port_stalled(self, port: int, operand: str, destinations: Sequence[int], cycle: int) -> None:
        """A port had a word to send, and no room for it."""

    def cycle_ended(self, cycle: int) -> None:
        """All components have done their work of a cycle."""


_EVENTS = [name for name in vars(Observer) if not name.startswith("_")]


def all_of(observers: Sequence[Observer]) -> Observer:
    """One observer that hands each event on to those of ``observers`` that want to know of it, in turn."""
    together = Observer()
    for name in _EVENTS:
        listeners = [
            getattr(observer, name)
            for observer in observers
            if getattr(type(observer), name) is not getattr(Observer, name)
        ]
        if listeners:
            setattr(together, name, listeners[0] if len(listeners) == 1 else partial(_tell, listeners))
    return together


def _tell(listeners: Sequence[Callable[..., None]], *event: Any, **details: Any) -> None:
    for listener in listeners:
        listener(*event, **details)


class Counting(Observer):
    """Counts what a run on ``hardware`` does."""

    def __init__(self, hardware: Hardware) -> None:
        self._multiplications = self._passes = self._forwards = self._accumulations = 0
        self._additions = self._comparisons = self._results = self._port_stalls = 0
        self._words_by_operands = [0, 0, 0, 0]
        self._distributed, self._delivered, self._reads = by_operand(), by_operand(), by_operand()
        self._writes = {"outputs": 0, "partial_sums": 0}
        self._hops = 0
        self._stalls = dict.fromkeys(STALLS, 0)
        self._multipliers, self._adders = [0] * hardware.multipliers, [0] * hardware.multipliers
        self._ports, self._buses = [0] * hardware.ports, [0] * hardware.buses
        self._added_last = [-1] * hardware.multipliers

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
        self._distributed[operand] += 1
        self._delivered[operand] += len(destinations)
        self._reads[operand] += reads
        self._hops += hops
        self._ports[port] += 1

    def multiplied(self, switch: int, value: int, cycle: int) -> None:
        self._multiplications += 1
        self._multipliers[switch] += 1

    def passed(self, switch: int, value: int, cycle: int) -> None:
        self._passes += 1
        self._multipliers[switch] += 1

    def forwarded(self, switch: int, to: int, value: int, cycle: int) -> None:
        self._forwards += 1

    def added(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self._additions += len(values) - 1 if values else 0
        self._count_adder(switch, len(values), cycle)

    def compared(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self._comparisons += len(values) - 1 if values else 0
        self._count_adder(switch, len(values), cycle)

    def _count_adder(self, switch: int, operands: int, cycle: int) -> None:
        """Count a word through an adder switch, which is busy once however many words it moves in a cycle."""
        self._words_by_operands[operands] += 1
        if self._added_last[switch] != cycle:
            self._added_last[switch] = cycle
            self._adders[switch] += 1

    def accumulated(self, virtual_neuron: int, total: int, cycle: int) -> None:
        self._accumulations += 1

    def collected(self, bus: int, virtual_neuron: int, value: int, complete: bool, cycle: int) -> None:
        self._writes["outputs" if complete else "partial_sums"] += 1
        self._buses[bus] += 1

    def written(self, virtual_neuron: int, address: int, value: int, cycle: int) -> None:
        self._results += 1

    def stalled(self, switch: int, cause: str, cycle: int) -> None:
        self._stalls[cause] += 1

    def port_stalled(self, port: int, operand: str, destinations: Sequence[int], cycle: int) -> None:
        self._port_stalls += 1

    def counters(self) -> Counters:
        """The counts so far."""
        return Counters(
            multiplications=self._multiplications,
            passes=self._passes,
            additions=self._additions,
            comparisons=self._comparisons,
            additions_two=self._words_by_operands[2],
            additions_three=self._words_by_operands[3],
            accumulations=self._accumulations,
            forwards=self._forwards,
            distributed=self._distributed,
            delivered=self._delivered,
            buffer_reads=self._reads,
            buffer_writes=self._writes,
            distribution_hops=self._hops,
            adder_words=sum(self._words_by_operands),
            results=self._results,
            stalls=self._stalls,
            port_stalls=self._port_stalls,
            busy={
                "multipliers": self._multipliers,
                "adder_switches": self._adders,
                "ports": self._ports,
                "buses": self._buses,
            },
        )
