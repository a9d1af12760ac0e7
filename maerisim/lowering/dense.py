"""Lower a dense layer (convolution, linear, matmul, pooling) with a mapping to a program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import TypeVar

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.fabric.topology import Routing
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.forwarding import forwards
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS, Layout, addresses, place, strides_of
from maerisim.lowering.multicast_packets import multicast
from maerisim.lowering.nest import Context, TemporalLoop, build_thread
from maerisim.lowering.reuse import Held, held, temporal_loops
from maerisim.mapping.legality import LegalLayer
from maerisim.mapping.mapping import REDUCED, REPLICATED, Mapping
from maerisim.program.program import Batches, Collect, CollectStep, Packets, Program, Thread, Use
from maerisim.workload.problem import DIMENSIONS, Problem

T = TypeVar("T")


@lru_cache(maxsize=1)
def lower_dense(legal: LegalLayer) -> Program:
    """The program that runs a dense layer with its mapping. The last one is kept: what is estimated is mostly simulated next."""
    return DenseLowering(legal.problem, legal.mapping, legal.hardware).program()


class DenseLowering:
    """One lowering: the quantities that all threads share.

    The virtual neurons lie from multiplier switch ``start`` on, on the ``share`` of the hardware that the layer has (all
    of it unless it says so).
    """

    def __init__(
        self, problem: Problem, mapping: Mapping, hardware: Hardware, start: int = 0, share: Hardware | None = None
    ) -> None:
        rows_divide = problem.S % mapping.tile_of("S") == 0
        self.given = problem
        problem = filled_up(problem, mapping, hardware)
        self.problem, self.mapping, self.hardware = problem, mapping, hardware
        self.loops = temporal_loops(problem, mapping)
        self.turning = frozenset(loop.dimension for loop in self.loops)
        self.folds = frozenset(loop.name for loop in self.loops if loop.dimension in REDUCED)
        tiles = dict(zip(DIMENSIONS, mapping.trips(problem), strict=True))
        self.steps, self.fold_steps = prod(tiles.values()), prod(tiles[d] for d in REDUCED)
        self.spills = mapping.spills(problem, share or hardware)
        self.topology = topology_of(hardware)
        self.layout: Layout = place(mapping, self.topology, self.spills, start)
        self.strides = strides_of(problem)
        together = hardware.multiplier.wait_for_all_weights and not problem.pools
        weight_dimensions = frozenset[str]() if problem.pools else WEIGHT_DIMENSIONS
        self.weights = held(self.loops, weight_dimensions, hardware.multiplier.weight_registers, together)
        self.inputs = held(self.loops, INPUT_DIMENSIONS, hardware.multiplier.input_registers)
        self.forwarding = forwards(problem, mapping, hardware, self.loops, self.inputs) and (
            rows_divide or not hardware.controller.pad_edges
        )
        self.worker = ~self.layout.partial_sum & (self.layout.virtual_neuron >= 0)
        self.reduction = self.topology.route(self.layout.spans)
        self.ahead = self.weights.words if hardware.controller.weights_first and not problem.pools else 0
        self.batches = self._batches()

    def _batches(self) -> Batches:
        if self.mapping.cuts:  # which no controller walks that takes one batch after the other
            return Batches(steps=self.steps, count=1, weights=1, trips=(), results=())
        inside = self.weights.reused | self.weights.ring
        outer = [loop for loop in self.loops if loop.dimension not in inside]
        steps = prod(loop.trips for loop in self.loops if loop.dimension in inside)
        return Batches(
            steps=steps + self.ahead,
            count=prod(loop.trips for loop in outer),
            weights=self.weights.words if self.hardware.multiplier.wait_for_all_weights else 1,
            trips=tuple(loop.trips for loop in reversed(outer)),
            results=tuple(self._results_waited_for([loop.dimension for loop in outer], inside)),
        )

    def _results_waited_for(self, outer: Collection[str], inside: Collection[str]) -> Iterator[int]:
        """Per loop outside the batches, innermost first: the results that are waited for after each of its iterations.

        An iteration computes all that the layer has of the dimensions walked inside it, without the zeros that fill up
        partial tiles, and what lies on the array of those around it; of rows and columns without zeros even then. Where
        the controller does not wait across images, results count for one image whichever they are of.
        """
        across = self.hardware.controller.wait_across_images
        images = {} if across else {"N": 1}
        size = dict(zip(DIMENSIONS, self.given.dims, strict=True)) | images
        walked = [d for d in reversed(self.mapping.order) if d in REPLICATED]
        whole = [d for d in walked if d in inside or (d in "PQ" and d not in outer)]
        computed = {d: size[d] if d in whole else (self.mapping.T | images)[d] for d in walked}
        for d in walked:
            if d in outer:
                folds = self.fold_steps if self.spills else 1
                yield prod(computed.values()) * folds if across or d != "N" else 0
            computed[d] = size[d]

    def _pause(self, name: str) -> int:
        """Control steps after each iteration of a loop for the weights of the next batch, which go ahead of it."""
        inside = self.weights.reused | self.weights.ring
        outside = [loop.name for loop in self.loops if loop.name not in inside]
        return self.ahead if outside and outside[-1] == name else 0

    def program(self) -> Program:
        """Assemble all threads."""
        vn_count = len(self.layout.spans)
        outputs = addresses(self.layout, self.strides.outputs)
        starts = np.array([span.start for span in self.layout.spans])
        of_partial_sum = np.where(self.layout.partial_sum, self.layout.virtual_neuron, -1)
        return Program(
            weights=self._weights(),
            inputs=self._inputs(),
            partial_sums=self._partial_sums(),
            compute=self._compute(),
            collect=self._collect(vn_count),
            spans=self.layout.spans,
            reduction=self.reduction,
            bus_inputs=bus_inputs(self.reduction, self.hardware),
            multipliers_used=self.layout.switches,
            results=self.problem.outputs * (self.fold_steps if self.spills else 1),
            output_offset=outputs[starts],
            partial_sum_of=of_partial_sum.astype(np.int64),
            batches=self.batches,
            compares=self.problem.operation == "max",
        )

    def _within(self, context: Context, dimensions: Iterable[str], unmoved: Collection[str] = ()) -> Mask:
        """Which switches lie inside the tile in the given dimensions, partial tiles considered.

        The loops in ``unmoved`` count as at their first iteration.
        """
        inside = self.layout.virtual_neuron >= 0
        for d in dimensions:
            size = self._tile_size(context, d, unmoved)
            if size < self.mapping.tile_of(d):
                inside = inside & (self.layout.coordinate[d] < size)
        return inside

    def _tile_size(self, context: Context, dimension: str, unmoved: Collection[str] = ()) -> int:
        """How much of a dimension the present tile covers."""
        size = self.problem.dims[DIMENSIONS.index(dimension)]
        for loop in self.loops:
            if loop.dimension == dimension:
                size = min(size, loop.step) if loop.name in unmoved else context[loop.name].size
        return min(size, self.mapping.tile_of(dimension))

    def _thread(
        self,
        name: str,
        strides: dict[str, int],
        make: Callable[[Context], T],
        *,
        without: Collection[str] = (),
        first: Collection[str] = (),
        last: Collection[str] = (),
    ) -> Thread[T]:
        """Build a thread over all temporal loops; those in ``without`` stay at their first iteration.

        ``first`` and ``last`` name the loops whose first or last iteration matters to ``make(context)``; the last
        iteration of a loop always does where it covers less than the others.
        """
        loops = [
            TemporalLoop(
                loop.name,
                loop.dimension,
                self.problem.dims[DIMENSIONS.index(loop.dimension)],
                loop.step,
                loop.step * strides[loop.dimension],
                split_first=loop.name in first,
                split_last=loop.name in last,
                stays=loop.name in without,
                pause=self._pause(loop.name),
            )
            for loop in self.loops
        ]
        return build_thread(name, loops, {}, make, 0 if name == "weights" else self.ahead)

    def _weights(self) -> Thread[Packets]:
        address = addresses(self.layout, self.strides.weights)

        def packets(context: Context) -> Packets:
            switches = np.flatnonzero(self.worker & self._within(context, DIMENSIONS))
            return multicast(self.hardware, switches, address[switches])

        if self.problem.pools:
            return Thread("weights", (), ())
        return self._thread("weights", self.strides.weights, packets, without=self.weights.reused)

    def _inputs(self) -> Thread[Packets]:
        address = addresses(self.layout, self.strides.inputs)
        order = addresses(self.layout, self.strides.input_order)

        def packets(context: Context) -> Packets:
            needed = self.worker & self._within(context, DIMENSIONS)
            switches = np.flatnonzero(needed & ~self._takes_forwarded(context))
            return multicast(self.hardware, switches, address[switches], order[switches])

        first = ["Q"] if self.forwarding else []
        return self._thread("inputs", self.strides.inputs, packets, without=self.inputs.reused, first=first)

    def _takes_forwarded(self, context: Context) -> Mask:
        """Which switches get their input from the right neighbour: all but the last of each filter row."""
        none = np.zeros(self.layout.switches, np.bool_)
        if not self.forwarding or context["Q"].first:
            return none
        return self.layout.coordinate["S"] < self._tile_size(context, "S") - 1

    def _partial_sums(self) -> Thread[Packets]:
        address = addresses(self.layout, self.strides.outputs)

        def packets(context: Context) -> Packets:
            switches = np.flatnonzero(self.layout.partial_sum & self._within(context, REPLICATED))
            wait = self._results_since(context)[self.layout.virtual_neuron[switches]]
            return multicast(self.hardware, switches, address[switches], wait=wait)

        if not self.spills:
            return Thread("partial_sums", (), ())
        return self._thread("partial_sums", self.strides.outputs, packets, first=sorted(self.folds))

    def _results_since(self, context: Context) -> Ints:
        """Per VN: how many of its results ago the partial sum that this step continues was produced; 0: it is new.

        Step back to the previous fold of the same output: the innermost folding loop that is not at its first
        iteration goes back by one, those inside it are at their last. Counted in steps in which the VN is at work.
        """
        extents = dict(zip(DIMENSIONS, self.problem.dims, strict=True))
        entered = []
        for loop in self.loops:
            entered.append(dict(extents))
            extents[loop.dimension] = context[loop.name].size
        wrapped = np.zeros(len(self.layout.spans), np.int64)
        for number, loop in reversed(list(enumerate(self.loops))):
            if loop.name in self.folds:
                inside = self._steps_at_work(number + 1, entered[number])
                if not context[loop.name].first:
                    return inside - wrapped
                wrapped += (loop.trips - 1) * inside
        return np.zeros(len(self.layout.spans), np.int64)

    def _steps_at_work(self, number: int, extents: dict[str, int]) -> Ints:
        """Per VN: steps in which it is at work while the loops from ``number`` on go through so much of each dimension."""
        if number == len(self.loops):
            starts = [span.start for span in self.layout.spans]
            inside = [self.layout.coordinate[d][starts] < extents[d] for d in REPLICATED]
            return np.asarray(np.all(inside, axis=0), np.int64)
        _, trips, dimension, step = self.loops[number]
        if dimension in REDUCED:
            return trips * self._steps_at_work(number + 1, extents)
        whole, rest = divmod(extents[dimension], step)
        steps = np.zeros(len(self.layout.spans), np.int64)
        for count, size in ((whole, step), (int(rest > 0), rest)):
            if count:
                steps += count * self._steps_at_work(number + 1, extents | {dimension: size})
        return steps

    def _compute(self) -> Thread[Ints]:
        first = set(self.folds) if self.spills else set()
        last = self.weights.reused | self.inputs.reused
        for operand in (self.weights, self.inputs):
            last |= operand.ring
        if self.forwarding:
            first |= {"Q"} | self.inputs.reused
            last |= {"Q"}
        blank = dict.fromkeys(DIMENSIONS, 0)
        return self._thread("compute", blank, self._uses, first=sorted(first), last=sorted(last))

    def _uses(self, context: Context) -> Ints:
        """The :class:`Use` flags of every switch."""
        at_work = self._within(context, REPLICATED)
        inside = self._within(context, REDUCED)
        multiplies = self.worker & at_work & inside
        idle = np.where(self.worker & at_work & ~inside, int(Use.IDLE), 0)
        work = Use.PASS if self.problem.pools else Use.MULTIPLY
        uses = np.where(multiplies, int(work), 0).astype(np.int64) | idle
        fresh = all(context[d].first for d in self.folds)
        uses = uses | np.where(self.layout.partial_sum & at_work, Use.IDLE if fresh else Use.PARTIAL_SUM, 0)
        has_weight = self.worker & self._within(context, DIMENSIONS, self.weights.reused)
        has_weight &= not self.problem.pools
        uses = uses | turnover(
            self.weights,
            self.batches.weights,
            context,
            has_weight,
            Use.RETIRE_WEIGHT,
            Use.NEXT_WEIGHT,
            Use.REWIND_WEIGHTS,
        )
        has_input = self.worker & self._within(context, DIMENSIONS, self.inputs.reused)
        uses = uses | turnover(self.inputs, 1, context, has_input, Use.RETIRE_INPUT, Use.NEXT_INPUT, Use.REWIND_INPUTS)
        if self.forwarding:
            # Also where a partial tile leaves a switch idle: it starts its ring again with the others.
            uses = uses | np.where(self.worker & self._takes_forwarded(context), Use.FORWARDED_INPUT, 0)
            if not context["Q"].last and all(context[d].first for d in self.inputs.reused):
                uses = uses | np.where(multiplies & (self.layout.coordinate["S"] > 0), Use.FORWARD, 0)
        return uses.astype(np.int64)

    def _collect(self, vn_count: int) -> Thread[CollectStep]:
        starts = np.array([span.start for span in self.layout.spans])
        counted: dict[bytes, tuple[Ints, Ints]] = {}

        def step(context: Context) -> CollectStep:
            at_work = self._within(context, REPLICATED)
            fresh = all(context[d].first for d in self.folds)
            complete = all(context[d].last for d in self.folds)
            flags = Collect.ACTIVE | (Collect.FIRST if fresh else 0) | (Collect.LAST if complete else 0)
            if complete or self.spills:
                flags |= Collect.EMIT
            live = self.worker & at_work & self._within(context, REDUCED)
            live |= self.layout.partial_sum & at_work & (self.hardware.controller.pad_edges or not fresh)
            key = live.tobytes()
            if key not in counted:
                counted[key] = additions(self.reduction, live[np.newaxis], vn_count)
            (two,), (three,) = counted[key]
            return CollectStep(np.where(at_work[starts], int(flags), 0).astype(np.int64), two, three)

        folds = sorted(self.folds)
        return self._thread("collect", self.strides.outputs, step, first=folds, last=folds)


def additions(reduction: Routing, live: Mask, vn_count: int) -> tuple[Ints, Ints]:
    """Two- and three-input additions [step, virtual neuron] when only the switches that are ``live`` [step, switch] deliver a
    product. Adder switches that are equally far from the products are looked at together.
    """
    transfers = reduction.senders_first
    steps, switches = live.shape
    empty = switches + len(transfers)
    rows: dict[tuple[str, int, int], int] = {}
    operands, far = np.full((len(transfers), 3), empty), [0] * (empty + 1)
    for row, transfer in enumerate(transfers, switches):
        taken = [wire.place if wire.kind == "product" else rows[wire[:3]] for wire in transfer.operands]
        operands[row - switches, : len(taken)] = taken
        rows[transfer.output[:3]] = row
        far[row] = 1 + max(far[each] for each in taken)
    delivers = np.zeros((empty + 1, steps), np.int8)
    delivers[:switches] = live.T
    words = np.zeros((len(transfers), steps), np.int8)
    distance = np.array(far[switches:empty])
    for each in range(1, max(far) + 1):
        together = np.flatnonzero(distance == each)
        first, second, third = operands[together].T
        words[together] = delivers[first] + delivers[second] + delivers[third]
        delivers[switches + together] = words[together] > 0
    two, three = np.zeros((vn_count, steps), np.int64), np.zeros((vn_count, steps), np.int64)
    neurons = np.array([transfer.virtual_neuron for transfer in transfers])
    by_neuron = np.argsort(neurons, kind="stable")
    found, start = np.unique(neurons[by_neuron], return_index=True)
    for counted, number in ((two, 2), (three, 3)):
        counted[found] = np.add.reduceat(words[by_neuron] == number, start, axis=0, dtype=np.int64)
    return two.T, three.T


def turnover(
    operand: Held, together: int, context: Context, has_word: Mask, retire: Use, following: Use, rewind: Use
) -> Ints:
    """What the switches do with a held word after a step: retire it, go on to the next one, start again, or nothing.

    Words held ``together`` are retired together, after the last of them. A switch beyond the edge of a tile has no
    word to retire, but starts its ring again with the others.
    """
    ring_ends = all(context[d].last for d in operand.ring)
    if all(context[d].last for d in operand.reused) and (together == 1 or ring_ends):
        return np.where(has_word, int(retire), 0)
    if not all(context[d].last for d in operand.repeats):
        return np.zeros(len(has_word), np.int64)
    if ring_ends:
        return np.full(len(has_word), int(rewind))
    return np.where(has_word, int(following), 0)


def filled_up(problem: Problem, mapping: Mapping, hardware: Hardware) -> Problem:
    """The problem as it runs: where the controller fills up partial tiles, every dimension has the size of whole tiles."""
    if not hardware.controller.pad_edges:
        return problem
    sizes = {d: -(-size // tile) * tile for d, size, tile in zip(DIMENSIONS, problem.dims, mapping.tile, strict=True)}
    return replace(problem, **sizes, padding=(0, 0))  # type: ignore[arg-type]
