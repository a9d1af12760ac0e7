"""The accumulator of a virtual neuron, with its part of the accumulation buffer."""

from __future__ import annotations

from maerisim.engine.event.adder_switch import combined
from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.queues import Queue, Word
from maerisim.program.program import Collect, Program

_ACTIVE, _FIRST, _EMIT, _LAST = int(Collect.ACTIVE), int(Collect.FIRST), int(Collect.EMIT), int(Collect.LAST)


class Accumulator(Component):
    """Adds up the folds of an output, and passes complete ones on; those that spill it passes on at once."""

    def __init__(
        self,
        surroundings: Surroundings,
        virtual_neuron: int,
        program: Program,
        source: Queue,
        target: Queue,
        global_buffer: GlobalBuffer,
    ) -> None:
        super().__init__(surroundings)
        self.virtual_neuron, self.program = virtual_neuron, program
        self.source, self.target, self.global_buffer = source, target, global_buffer

    def run(self) -> Tick:
        """Start, continue or complete an output with each sum that arrives."""
        vn, program = self.virtual_neuron, self.program
        layer, spills = program.layer_of_virtual_neuron(vn), bool(program.spilling[vn])
        compares, offset = program.compares_in(layer), int(program.output_offset[vn])
        held: dict[int, int] = {}
        for step, _, base in program.collect.walk(layer):
            flags = int(step.flags[vn])
            if not flags & _ACTIVE:
                continue
            emits, continues = flags & _EMIT, not (flags & _FIRST or spills)
            while not self.source.items or (emits and not self.target.room):
                yield self.tick()
            address, total = base + offset, self.source.pop().value
            if continues:
                total = combined([held.pop(address), total], compares=compares)
                self.observer.accumulated(vn, total, self.cycle)
            if emits:
                self.target.push(Word(total))
                self.global_buffer.expect(vn, address, complete=bool(flags & _LAST))
            else:
                held[address] = total
            self.watchdog.moved = True
            yield self.tick()
