"""An adder switch in one configured use, and the pipeline registers of a wire longer than a cycle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.queues import Queue, Word
from maerisim.fabric.topology import Transfer, Wire, crosses
from maerisim.program.program import Program
from maerisim.program.wiring import REGISTER


def combined(values: Sequence[int], *, compares: bool) -> int:
    """What adder switches and accumulators make of values: their sum, or in a max pooling the largest."""
    return max(values) if compares else sum(values)


class AdderSwitch(Component):
    """What puts words on one wire: adds (or compares) one word of every operand wire, as soon as all are there and there is room.

    The ``transfers`` to the wire, receivers first: through its registers, if it has any, and last the switch's own, if one is at its
    start. The registers are no processes: a thousand of them would wake up in every cycle for the few that hold a word (latency
    100: nine tenths of the time). Nothing moves before cycle ``configured_at``.
    """

    def __init__(
        self, surroundings: Surroundings, transfers: Iterable[Transfer], program: Program, queues: Mapping[Wire, Queue]
    ) -> None:
        super().__init__(surroundings)
        self.moves = [(each, [queues[wire] for wire in each.operands], queues[each.output]) for each in transfers]
        layer = program.layer_of_virtual_neuron(self.moves[0][0].virtual_neuron)
        self.compares, self.empty = program.compares_in(layer), program.empty_in(layer)
        self.configured_at = program.reduction.configured_at

    def run(self) -> Tick:
        """Each cycle one word, if its operands are there, and one through each register."""
        while self.clock.now < self.configured_at:
            self.watchdog.moved = True
            yield self.tick()
        while True:
            for transfer, operands, target in self.moves:
                if operands[0].items and all(queue.items for queue in operands) and target.room:
                    self.add(transfer, operands, target)
            yield self.tick()

    def add(self, transfer: Transfer, operands: Sequence[Queue], target: Queue) -> None:
        """Take a word from every operand wire, and put their sum on the output."""
        words = [queue.pop() for queue in operands]
        values = [word.value for word in words if not word.empty]
        total = combined(values, compares=self.compares) if values else self.empty
        target.push(Word(total, empty=not values))
        self.watchdog.moved = True
        switch, _, _, virtual_neuron, _ = transfer
        if switch == REGISTER:
            return
        tell = self.observer.compared if self.compares else self.observer.added
        tell(switch, virtual_neuron, values, total, self.cycle)
        if crosses(transfer):
            self.observer.crossed(switch, virtual_neuron, total, self.cycle)
