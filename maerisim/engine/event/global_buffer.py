"""The global buffer: where operands are read, and results written."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.returning_sums import ReturningSums
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program
from maerisim.workload.reference import Operands


class _Result(NamedTuple):
    virtual_neuron: int
    address: int
    value: int


class GlobalBuffer(Component):
    """Reads operands from memory, and writes the results that have arrived, all of them or half in a cycle.

    ``memory`` holds the words of each operand, None when no values are wanted; ``written`` counts the results of each
    virtual neuron, ``results`` those of all; ``returning`` are the partial sums among them that go back.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        program: Program,
        hardware: Hardware,
        operands: Operands | None,
        outputs: Ints,
    ) -> None:
        super().__init__(surroundings)
        self.program = program
        self.half = hardware.collection.write_back == "half"
        self.memory: dict[str, Ints | None] = {"weights": None, "inputs": None, "partial_sums": None}
        if operands is not None:
            self.memory = {
                "weights": operands.weights.ravel(),
                "inputs": operands.inputs.ravel(),
                "partial_sums": outputs,
            }
        self.expected: list[deque[tuple[int, bool]]] = [deque() for _ in program.bus_inputs]
        self.waiting: deque[_Result] = deque()
        self.written = [0] * len(program.bus_inputs)
        self.returning = ReturningSums(program, hardware, self.written)
        self.results = 0
        self.first_result = 0

    @property
    def finished(self) -> bool:
        """Whether all results have left."""
        return self.results >= self.program.results

    def memory_of(self, operand: str, port: int) -> Ints | None:
        """Where the words of an operand lie that a port sends: inputs of a second layer among the results."""
        between = operand == "inputs" and self.program.layer_of_port(port) == 1
        return self.memory["partial_sums" if between else operand]

    def read(self, memory: Ints | None, address: int) -> int:
        """The word at an address; padding between two layers lies at none."""
        if memory is None:
            return 0
        if address < 0:
            assert self.program.fusion is not None
            return self.program.fusion.identity
        return int(memory[address])

    def expect(self, virtual_neuron: int, address: int, *, complete: bool) -> None:
        """An accumulator sends off a result that belongs to an address."""
        self.expected[virtual_neuron].append((address, complete))

    def take(self, bus: int, virtual_neuron: int, value: int) -> None:
        """A result arrives on a bus; in lock step no accumulator knows its address."""
        expected = self.expected[virtual_neuron]
        address, complete = expected.popleft() if expected else (-1, True)
        if address >= 0 and (outputs := self.memory["partial_sums"]) is not None:
            outputs[address] = value
        self.waiting.append(_Result(virtual_neuron, address, value))
        self.observer.collected(bus, virtual_neuron, value, complete, self.cycle)
        self.watchdog.moved = True

    def run(self) -> Tick:
        """Write the results that wait."""
        while True:
            for _ in range(math.ceil(len(self.waiting) / 2) if self.half else len(self.waiting)):
                result = self.waiting.popleft()
                self.written[result.virtual_neuron] += 1
                self.returning.arrive(result.virtual_neuron)
                self.results += 1
                self.first_result = self.first_result or self.cycle + 1
                self.observer.written(*result, self.cycle)
                self.watchdog.moved = True
            yield self.tick()
