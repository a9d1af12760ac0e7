"""The system level: blocks of layers on the fabric, and the DRAM channel that brings and takes their words.

:func:`simulate` runs it in SimPy and is the specification; :func:`follow` is the same as a recurrence, for millions of
blocks. The rules:

- The fabric computes one block after the other, each as soon as its words have arrived, and there is room for its outputs.
- The global buffer is one block ahead: when a block is computed, the words of the second one after it are asked for, as
  far as they are not there. So are, then, the outputs of the computed block written, when the next works on others, and
  read the partial sums that the second one after it continues. There is room for the outputs of two blocks.
- The DRAM channel does what it is asked for in that order, one transfer after the other: ``words / bandwidth`` cycles, in
  whole ones. What is read arrives ``latency`` cycles later; the next transfer does not wait for that.
- All inputs of a layer come from DRAM, all outputs go there: the inputs of a layer are read once the outputs of the layer
  before are written. Its first weights are read behind the last block of that layer, if there is room beside it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from maerisim.arrays import Ints
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Dram
from maerisim.kernels.stepping import transfers
from maerisim.kernels.stepping.transfers import NOTHING, BlockTimes, Schedule
from maerisim.memory.blocks import Blocks

if TYPE_CHECKING:
    import simpy

    SystemProcess = Generator[simpy.Event, object, None]

MOST_CYCLES = 2**58
"""What all transfers of one kind take at the most; times that add them up fit 64 bits then."""
READS = ("weights", "inputs", "partial_sums")


def transfer_cycles(words: Ints, dram: Dram) -> Ints:
    """Cycles of the DRAM channel for each transfer of so many words; ``NOTHING`` for none."""
    pace = Fraction(0) if dram.bandwidth is None else 1 / Fraction(repr(dram.bandwidth))
    most = -(-int(words.max(initial=0)) * pace.numerator // pace.denominator)
    if most * len(words) > MOST_CYCLES:
        raise NotSupportedError(
            f"at {dram.bandwidth:g} words a cycle DRAM may take more than the {MOST_CYCLES:,} cycles that are counted "
            "(give dram.bandwidth a larger number)"
        )
    # Python's integers where a bandwidth of many digits makes products larger than 64 bits; NumPy's take a tenth of the time.
    fits = int(words.max(initial=0)) * pace.numerator < 2**63
    exact = words if fits else words.astype(object)
    cycles = -(-exact * pace.numerator // pace.denominator)
    return np.where(words == 0, NOTHING, cycles.astype(np.int64))


def schedule_of(blocks: Blocks, durations: Ints, dram: Dram, *, weights_ahead: bool = True) -> Schedule:
    """The schedule of one layer whose kinds of blocks take ``durations`` [shape] cycles on the fabric."""
    moved = blocks.transfers
    first = np.zeros(len(blocks), np.bool_)
    first[0] = True
    return Schedule(
        duration=durations[blocks.shape_of],
        weights=transfer_cycles(moved.weights, dram),
        inputs=transfer_cycles(moved.inputs, dram),
        partial_sums=transfer_cycles(moved.partial_sums, dram),
        written=transfer_cycles(moved.outputs + moved.unfinished, dram),
        begins_outputs=moved.first_of_outputs,
        begins_layer=first,
        weights_ahead=first & weights_ahead,
    )


def in_turn(schedules: list[Schedule]) -> Schedule:
    """Layers that follow one another."""
    return Schedule(*(np.concatenate(parts) for parts in zip(*schedules, strict=True)))


def follow(schedule: Schedule, dram: Dram) -> BlockTimes:
    """When everything happens, by the recurrence."""
    computed, left, arrived = np.zeros((3, len(schedule.duration)), np.int64)
    times = BlockTimes(computed, left)
    transfers.follow(schedule, dram.latency, times, arrived, np.zeros(1, np.int64))
    return times


def cycles_of(times: BlockTimes) -> int:
    """The cycle in which the last block is computed and its outputs have left."""
    return int(times.left.max())


@dataclass
class DramTransfer:
    """Words of a block on the channel, with the events that they have left and arrived; there may be none."""

    cycles: int
    left: simpy.Event
    arrived: simpy.Event


class System:
    """The fabric, the global buffer and the DRAM channel as SimPy processes."""

    def __init__(self, schedule: Schedule, dram: Dram) -> None:
        import simpy  # a command whose words are followed does not need it

        self.environment = simpy.Environment()
        self.schedule, self.latency, self.blocks = schedule, dram.latency, len(schedule.duration)
        self.queue = simpy.Store(self.environment)
        self.reads = {kind: [self._transfer(cycles) for cycles in getattr(schedule, kind)] for kind in READS}
        self.writes = [self._transfer(cycles) for cycles in schedule.written]
        self.computed = [self.environment.event() for _ in range(self.blocks)]
        self.times = BlockTimes(*(np.zeros(self.blocks, np.int64) for _ in BlockTimes._fields))

    def _transfer(self, cycles: int) -> DramTransfer:
        left, arrived = self.environment.event(), self.environment.event()
        if cycles == NOTHING:
            left.succeed()
            arrived.succeed()
        return DramTransfer(int(cycles), left, arrived)

    def run(self) -> BlockTimes:
        """Run to the end."""
        for process in (self.fabric(), self.global_buffer(), self.channel()):
            self.environment.process(process)
        self.environment.run()
        return self.times

    def fabric(self) -> SystemProcess:
        """Computes one block after the other."""
        area = [self.environment.event().succeed() for _ in range(2)]  # when the outputs there have left
        for block in range(self.blocks):
            yield self.environment.all_of([self.reads[kind][block].arrived for kind in READS])
            if self.schedule.begins_outputs[block]:
                yield area[0]
            yield self.environment.timeout(int(self.schedule.duration[block]))
            self.times.computed[block] = self.environment.now
            self.computed[block].succeed()
            if self.schedule.written[block] != NOTHING:
                area = [area[1], self.writes[block].left]

    def global_buffer(self) -> SystemProcess:
        """Asks for transfers, one block ahead."""
        for block in range(-2, self.blocks):
            if block >= 0:
                yield self.computed[block]
            following, later = block + 1, block + 2
            if 0 <= following < self.blocks and self.schedule.begins_layer[following]:
                self.write(block)
                if not self.schedule.weights_ahead[following]:
                    self.read("weights", following)
                self.read("inputs", following)
                self.load(later)
            else:
                self.load(later)
                self.write(block)
            self.read("partial_sums", later)

    def load(self, block: int) -> None:
        """Ask for weights and inputs of a block; of the first one of a layer only for weights that there is room for."""
        first = block < self.blocks and self.schedule.begins_layer[block]
        if not first or self.schedule.weights_ahead[block]:
            self.read("weights", block)
        if not first:
            self.read("inputs", block)

    def read(self, kind: str, block: int) -> None:
        """Ask for the words of a block, if there is such a block and it needs any."""
        if block < self.blocks and self.reads[kind][block].cycles != NOTHING:
            self.queue.put(self.reads[kind][block])

    def write(self, block: int) -> None:
        """Ask for the outputs of a block to be written, if there are any."""
        if block >= 0:
            self.environment.process(self.written(block))
            if self.writes[block].cycles != NOTHING:
                self.queue.put(self.writes[block])

    def written(self, block: int) -> SystemProcess:
        """Note when the outputs of a block have left."""
        yield self.writes[block].left
        self.times.left[block] = self.environment.now

    def channel(self) -> SystemProcess:
        """Does one transfer after the other."""
        while True:
            transfer = yield self.queue.get()
            assert isinstance(transfer, DramTransfer)
            yield self.environment.timeout(transfer.cycles)
            transfer.left.succeed()
            self.environment.process(self.arrival(transfer))

    def arrival(self, transfer: DramTransfer) -> SystemProcess:
        """What has left arrives later."""
        yield self.environment.timeout(self.latency)
        transfer.arrived.succeed()


def simulate(schedule: Schedule, dram: Dram) -> BlockTimes:
    """When everything happens, simulated."""
    return System(schedule, dram).run()
