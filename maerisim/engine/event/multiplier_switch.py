"""A multiplier switch: operand stores, a multiplier, and the forwarding link to its neighbour."""

from __future__ import annotations

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.operand_store import OperandStore
from maerisim.engine.event.queues import Queue, Word
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program, Use

# Plain numbers: asking a flag whether it is set takes longer than all else that a switch does in a cycle.
_MULTIPLY, _IDLE, _PARTIAL_SUM = int(Use.MULTIPLY), int(Use.IDLE), int(Use.PARTIAL_SUM)
_PASS, _FORWARD, _FORWARDED_INPUT = int(Use.PASS), int(Use.FORWARD), int(Use.FORWARDED_INPUT)
_WEIGHTS = int(Use.RETIRE_WEIGHT), int(Use.NEXT_WEIGHT), int(Use.REWIND_WEIGHTS)
_INPUTS = int(Use.RETIRE_INPUT), int(Use.NEXT_INPUT), int(Use.REWIND_INPUTS)
_TAKES_INPUT = _MULTIPLY | _PASS
_ACTIVE = _TAKES_INPUT | _IDLE | _PARTIAL_SUM


class MultiplierSwitch(Component):
    """Does one control step a cycle, as soon as its operands are there.

    ``neighbour`` is the switch of lower index, which inputs are forwarded to. ``stalled_by`` is why it stood still
    last, ``done`` whether no step is left.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        number: int,
        program: Program,
        hardware: Hardware,
        product: Queue,
        neighbour: MultiplierSwitch | None,
    ) -> None:
        super().__init__(surroundings)
        self.number, self.program, self.product, self.neighbour = number, program, product, neighbour
        self.pads = hardware.controller.pad_edges
        switch, clock = hardware.multiplier, self.clock
        held = switch.held_weights
        self.weights = OperandStore(Queue(clock, held), program.batches.weights)
        self.inputs = OperandStore(Queue(clock, switch.input_fifo_depth))
        self.partial_sums = OperandStore(Queue(clock, switch.partial_sum_fifo_depth))
        self.forwarded = OperandStore(Queue(clock, switch.forward_fifo_depth))
        self.stores = {"weights": self.weights, "inputs": self.inputs, "partial_sums": self.partial_sums}
        self.stalled_by = ""
        self.done = False

    def run(self) -> Tick:
        """Do one control step after the other."""
        layer = self.program.layer_of_switch(self.number)
        empty = Word(self.program.empty_in(layer), empty=not self.pads)
        for step, _, _ in self.program.compute.walk(layer):
            uses = int(step[self.number])
            inputs = self.forwarded if uses & _FORWARDED_INPUT else self.inputs
            while cause := self.obstacle(uses, inputs):
                self.stalled_by = cause
                self.observer.stalled(self.number, cause, self.cycle)
                yield self.tick()
            if uses & _TAKES_INPUT:
                self.multiply(uses, inputs.word)
            elif uses & _PARTIAL_SUM:
                self.product.push(Word(self.partial_sums.take()))
            elif uses & _IDLE:
                self.product.push(empty)
            self.weights.turn_over(uses, *_WEIGHTS)
            inputs.turn_over(uses, *_INPUTS)
            self.watchdog.moved = True
            yield self.tick()
        self.done = True

    def multiply(self, uses: int, word: int) -> None:
        """Put the product of weight and input on the wire, or the input as it is; hand it on to the neighbour."""
        if uses & _MULTIPLY:
            value = self.weights.word * word
            self.product.push(Word(value))
            self.observer.multiplied(self.number, value, self.cycle)
        else:
            self.product.push(Word(word))
            self.observer.passed(self.number, word, self.cycle)
        if uses & _FORWARD and self.neighbour is not None:
            self.neighbour.forwarded.queue.push(word)
            self.neighbour.forwarded.claimed += 1
            self.observer.forwarded(self.number, self.number - 1, word, self.cycle)

    def obstacle(self, uses: int, inputs: OperandStore) -> str:
        """What keeps a multiplier switch from its step, or nothing."""
        if not uses & _ACTIVE:
            return ""
        if not self.product.room:
            return "collection"
        if uses & _MULTIPLY and not self.weights.ready:
            return "weights"
        if uses & _TAKES_INPUT and not inputs.ready:
            return "inputs"
        if uses & _PARTIAL_SUM and not self.partial_sums.ready:
            return "wait"
        if uses & _FORWARD and self.neighbour is not None and not self.neighbour.forwarded.room:
            return "forwarding"
        return ""
