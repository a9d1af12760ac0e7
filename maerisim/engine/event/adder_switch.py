"""An adder switch in one configured use, or a pipeline register on a wire longer than a cycle."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.queues import Queue, Word
from maerisim.fabric.topology import Transfer, crosses
from maerisim.program.program import Program
from maerisim.program.wiring import REGISTER


def combined(values: Sequence[int], *, compares: bool) -> int:
    """What adder switches and accumulators make of values: their sum, or in a max pooling the largest."""
    return max(values) if compares else sum(values)


class AdderSwitch(Component):
    """Adds (or compares) one word of every operand wire, as soon as all are there and the output has room.

    It does nothing before cycle ``configured_at``.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        transfer: Transfer,
        program: Program,
        operands: Sequence[Queue],
        target: Queue,
    ) -> None:
        super().__init__(surroundings)
        self.transfer, self.operands, self.target = transfer, operands, target
        layer = program.layer_of_virtual_neuron(transfer.virtual_neuron)
        self.compares, self.empty = program.compares_in(layer), program.empty_in(layer)
        self.configured_at = program.reduction.configured_at
        self.crosses = crosses(transfer)

    def run(self) -> Tick:
        """Each cycle one word, if its operands are there."""
        while self.clock.now < self.configured_at:
            self.watchdog.moved = True
            yield self.tick()
        while True:
            if all(queue.items for queue in self.operands) and self.target.room:
                self.add()
            yield self.tick()

    def add(self) -> None:
        """Take a word from every operand wire, and put their sum on the output."""
        words = [queue.pop() for queue in self.operands]
        values = [word.value for word in words if not word.empty]
        total = combined(values, compares=self.compares) if values else self.empty
        self.target.push(Word(total, empty=not values))
        self.watchdog.moved = True
        switch, _, _, virtual_neuron, _ = self.transfer
        if switch == REGISTER:
            return
        tell = self.observer.compared if self.compares else self.observer.added
        tell(switch, virtual_neuron, values, total, self.cycle)
        if self.crosses:
            self.observer.crossed(switch, virtual_neuron, total, self.cycle)
