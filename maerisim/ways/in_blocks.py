"""A layer with all that is around the fabric: blocks in the global buffer, words from and to DRAM.

The fabric computes one block after the other (:mod:`maerisim.memory.blocks`), each in the way in which the layer runs on
the fabric, timed by :mod:`maerisim.memory.dram`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from maerisim.analytic.bounds import bound
from maerisim.analytic.predicted import Estimate
from maerisim.arrays import Ints
from maerisim.counts.counters import Counts, sum_of
from maerisim.engine.outcome import Progress
from maerisim.engine.run import EngineName, Result, RunOptions
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping.transfers import NOTHING, Schedule
from maerisim.mapping.legality import Legal, LegalLayer
from maerisim.mapping.mapping import Mapping
from maerisim.memory import dram
from maerisim.memory.blocks import Blocks, MemoryUse, Shape, memory_use
from maerisim.memory.cuts import cuts, uncut
from maerisim.program.program import Program
from maerisim.ways.base import LayerWay, SpaceKind
from maerisim.workload.problem import Problem
from maerisim.workload.reference import Operands

CLOSE_LOOKS = 12
"""Ways to cut a layer of which every block is followed."""

MOST_BLOCKS_IN_TURN = 1 << 22
"""Of all layers of a network."""


@dataclass(frozen=True)
class BlockPlan:
    """How a layer is cut into ``blocks``, and what is expected of each of their shapes."""

    blocks: Blocks
    expected: tuple[Estimate, ...]
    cycles: int


@dataclass(frozen=True)
class InBlocks(LayerWay):
    """Where the global buffer or DRAM limits a layer: it runs in blocks, each ``on_fabric`` as it would without limits."""

    on_fabric: LayerWay

    @property
    def space(self) -> SpaceKind:
        return self.on_fabric.space if self.on_fabric.kept_whole else "tiles_and_orders_in_blocks"

    def refusals(self) -> list[str]:
        return self.on_fabric.refusals()

    def require_possible(self) -> None:
        self.on_fabric.require_possible()

    def violations(self, mapping: Mapping) -> list[str]:
        return self.on_fabric.violations(mapping)

    def programs(self, legal: LegalLayer) -> tuple[Program, ...]:
        return self.on_fabric.programs(legal)

    def shapes(self, legal: LegalLayer) -> list[Shape]:
        """Raises MappingError when no cut fits."""
        return self.plan(legal).blocks.shapes

    def estimate(self, legal: LegalLayer) -> Estimate:
        """Raises MappingError when no cut fits."""
        found = self.plan(legal)
        shapes, expected = found.blocks.shapes, found.expected
        schedule = dram.schedule_of(found.blocks, _cycles(expected), self.hardware.dram)
        use = _memory_use(found.blocks, schedule, found.cycles)
        longest = max(zip(shapes, expected, strict=True), key=lambda each: each[0].blocks * each[1].cycles)[1]
        return Estimate(
            cycles=found.cycles,
            least_cycles=max(
                use.dram_cycles, sum(s.blocks * e.least_cycles for s, e in zip(shapes, expected, strict=True))
            ),
            bound_cycles=bound(legal.problem, self.hardware),
            limited_by="dram" if use.dram_cycles > use.compute_cycles else longest.limited_by,
            counters=_counts(found.blocks, [each.counters for each in expected]),
            memory=use,
        )

    def simulate(self, legal: LegalLayer, operands: Operands | None, options: RunOptions) -> Result:
        """Blocks of the same shape are simulated once; with ``operands`` every block runs with its share of the values.

        The event engine does the system level in SimPy too. Raises MappingError when no cut fits.
        """
        blocks = self.plan(legal).blocks
        results = []
        for number, shape in enumerate(blocks.shapes):
            report = options.progress and partial(_report, options.progress, number, len(blocks.shapes))
            results.append(self.on_fabric.simulate(self._block(shape), None, replace(options, progress=report)))
        schedule = dram.schedule_of(blocks, _cycles(results), self.hardware.dram)
        in_simpy = options.engine == "event"
        times = (dram.simulate if in_simpy else dram.follow)(schedule, self.hardware.dram)
        cycles = dram.cycles_of(times)
        first = results[blocks.shape_of[0]]
        return Result(
            cycles=cycles,
            counters=_counts(blocks, [result.counters for result in results]),
            outputs=None if operands is None else self._outputs(blocks, operands, options),
            first_result=int(times.computed[0]) - first.cycles + first.first_result,
            stepped=sum(result.stepped for result in results),
            memory=_memory_use(blocks, schedule, cycles),
        )

    def plan(self, legal: LegalLayer) -> BlockPlan:
        """The blocks that are expected to take fewest cycles; of equal ones those that move fewest words.

        Large blocks move fewer words, small ones begin sooner and overlap better. Raises MappingError when none fits.
        """
        problem, hardware = legal.problem, self.hardware
        known: dict[tuple[Problem, Mapping], Estimate] = {}

        def expected(shape: Shape) -> Estimate:
            block = (shape.problem, shape.mapping)
            if block not in known:
                known[block] = self.on_fabric.estimate(self._block(shape))
            return known[block]

        if self.on_fabric.kept_whole:
            options = [uncut(problem, legal.mapping)]
        else:
            in_one_piece = expected(Shape(problem, legal.mapping, 1))
            options = cuts(problem, legal.mapping, hardware, in_one_piece.cycles)
        if len(options) > CLOSE_LOOKS:
            pace = 0.0 if hardware.dram.bandwidth is None else 1 / hardware.dram.bandwidth

            def about(option: tuple[Blocks, float]) -> float:
                """Cycles if all blocks were like the largest, and DRAM kept up with them or they with DRAM."""
                blocks, words = option
                largest = blocks.shapes[0]
                compute = expected(largest).cycles * problem.operations / largest.problem.operations
                return max(compute, words * pace) + pace * int(blocks.occupancy.total) / 2

            options = sorted(options, key=about)[:CLOSE_LOOKS]
        plans = []
        for blocks, _ in options:
            estimates = tuple(expected(shape) for shape in blocks.shapes)
            schedule = dram.schedule_of(blocks, _cycles(estimates), hardware.dram)
            plans.append(BlockPlan(blocks, estimates, dram.cycles_of(dram.follow(schedule, hardware.dram))))
        return min(plans, key=lambda each: (each.cycles, sum(int(words.sum()) for words in each.blocks.transfers[:5])))

    def _block(self, shape: Shape) -> LegalLayer:
        """Blocks of a legal mapping are smaller layers that its tile fits too."""
        return Legal(shape.problem, shape.mapping, self.hardware)

    def _outputs(self, blocks: Blocks, operands: Operands, options: RunOptions) -> Ints:
        """The outputs of the layer, each block simulated with its share of the operands."""
        problem = blocks.problem
        combine = np.maximum if problem.operation == "max" else np.add
        total = np.full(problem.output_shape, problem.identity, np.int64)
        for number in range(len(blocks)):
            place = {d: int(places[number]) for d, places in blocks.places.items()}
            shape = blocks.shapes[blocks.shape_of[number]]
            share, at = _share(blocks, shape, place, operands)
            result = self.on_fabric.simulate(self._block(shape), share, RunOptions(engine=options.engine))
            assert result.outputs is not None
            total[at] = combine(total[at], result.outputs)
        return total


def _share(
    blocks: Blocks, shape: Shape, place: dict[str, int], operands: Operands
) -> tuple[Operands, tuple[slice, ...]]:
    """The operands of the block at a place, and where its outputs belong."""
    problem = blocks.problem
    within = {d: slice(each.start, each.stop) for d, each in blocks.ranges(place).items()}
    row, column = (
        within[outer].start * problem.stride[axis] + within[inner].start * problem.dilation[axis]
        for axis, (outer, inner) in enumerate((("P", "R"), ("Q", "S")))
    )
    rows, columns = slice(row, row + shape.problem.H), slice(column, column + shape.problem.W)
    inputs = operands.inputs[within["N"], within["G"], within["C"], rows, columns]
    weights = operands.weights if problem.pools else operands.weights[tuple(within[d] for d in "GKCRS")]
    return Operands(inputs, weights), tuple(within[d] for d in "NGKPQ")


def cycles_in_turn(
    layers: Sequence[tuple[MemoryUse, int]], hardware: Hardware, engine: EngineName = "compiled"
) -> int | None:
    """The cycles of layers that follow one another, each as often as its count says; None when they are too many blocks.

    The first weights of a layer are read behind the last block of the layer before, if there is room for both.
    """
    if sum(use.blocks * count for use, count in layers) > MOST_BLOCKS_IN_TURN:
        return None
    room = hardware.global_buffer.words
    schedules, taken = [], 0
    for use, count in layers:
        assert use.schedule is not None
        for _ in range(count):
            fits = room is None or taken + use.block_weights <= room
            schedules.append(use.schedule._replace(weights_ahead=use.schedule.begins_layer & fits))
            taken = use.buffer_words
    schedule = dram.in_turn(schedules)
    follow = dram.simulate if engine == "event" else dram.follow
    return dram.cycles_of(follow(schedule, hardware.dram))


def _report(progress: Progress, shape: int, shapes: int, results: int, of: int) -> None:
    progress(shape * of + results, shapes * of)


def _cycles(of_shapes: Sequence[Estimate | Result]) -> Ints:
    return np.array([each.cycles for each in of_shapes], np.int64)


def _memory_use(blocks: Blocks, schedule: Schedule, cycles: int) -> MemoryUse:
    channel = (schedule.weights, schedule.inputs, schedule.partial_sums, schedule.written)
    busy = sum(int(transfers[transfers != NOTHING].sum()) for transfers in channel)
    compute = int(schedule.duration.sum())
    return memory_use(blocks, cycles=cycles, compute_cycles=compute, dram_cycles=busy, schedule=schedule)


def _counts(blocks: Blocks, of_shapes: Sequence[Counts]) -> Counts:
    """The counts of all blocks. A result that continues earlier blocks is added to their partial sum at the collection
    side, which is read from the global buffer; before its last block it is a partial sum itself.
    """
    counts = sum_of(of_shapes, [shape.blocks for shape in blocks.shapes])
    outputs = counts.buffer_writes["outputs"] // blocks.folds
    continued = outputs * (blocks.folds - 1)
    partial_sums = counts.buffer_writes["partial_sums"] + continued
    return replace(
        counts,
        accumulations=counts.accumulations + continued,
        buffer_reads=counts.buffer_reads | {"partial_sums": counts.buffer_reads["partial_sums"] + continued},
        buffer_writes={"outputs": outputs, "partial_sums": partial_sums},
    )
