"""Lower a round of a sparse layer: virtual neurons of unequal size, one program for each set of filters.

Each fold (a control step's share of the nonzero weights) has packets of its own, because nothing about where the
nonzero weights lie is regular. Outputs walk through N, P and Q as in a dense layer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from math import prod
from typing import TypeVar

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.fabric.virtual_neuron import Span
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.dense import additions, turnover
from maerisim.lowering.layout import strides_of
from maerisim.lowering.multicast_packets import multicasts
from maerisim.lowering.nest import Context, TemporalLoop, Turn, build_thread
from maerisim.lowering.reuse import Trips, held
from maerisim.mapping.legality import LegalLayer
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.sparse_rounds import POSITIONS, Round, rounds, starts, trips, virtual_neurons
from maerisim.program.program import Batches, Collect, CollectStep, Packets, Program, Thread, Use
from maerisim.workload.problem import Problem

T = TypeVar("T")
Edges = tuple[str, ...]
"""Dimensions of which a tile is the last one, which may be a partial one."""

NOTHING = -1
"""Address of the operand of a switch that has no weight in a fold."""


def lower_sparse(legal: LegalLayer) -> tuple[Program, ...]:
    """The programs of a sparse layer, one for each set of filters; each runs when the one before is done."""
    problem, mapping, hardware = legal.problem, legal.mapping, legal.hardware
    return tuple(
        RoundLowering(problem, mapping, hardware, round_).program() for round_ in rounds(problem, mapping, hardware)
    )


class RoundLowering:
    """One round: where its virtual neurons lie, and what its threads share.

    ``weight`` and ``input`` are [fold, switch]: the address of the operand, of the input for the first position of a
    tile, or NOTHING. ``owner`` is the virtual neuron of each switch, ``place[d]`` where each of them lies in the tile,
    ``busy`` [fold, virtual neuron] whether it has a weight.
    """

    def __init__(self, problem: Problem, mapping: Mapping, hardware: Hardware, round_: Round) -> None:
        self.problem, self.mapping, self.hardware = problem, mapping, hardware
        self.round = round_
        self.neurons = list(virtual_neurons(round_, mapping))
        sizes = [round_.sizes[vn.filter] for vn in self.neurons]
        self.topology = topology_of(hardware)
        first = starts(sizes, self.topology)
        self.spans = tuple(Span(start, size) for start, size in zip(first, sizes, strict=False))
        self.reduction = self.topology.route(self.spans)
        self.strides = strides_of(problem)
        self.trips = trips(problem, mapping, round_)
        self.turning = tuple(
            Trips(name, count, name, 1 if name == "C" else mapping.tile_of(name))
            for name, count in self.trips.items()
            if count > 1
        )
        self.weights = held(self.turning, {"C"}, hardware.multiplier.weight_registers)
        self.edge = {
            name: getattr(problem, name) % mapping.tile_of(name) or mapping.tile_of(name) for name in POSITIONS
        }
        self.place = {name: np.array([vn.place[name] for vn in self.neurons]) for name in POSITIONS}
        self.owner = np.full(first[-1], NOTHING, np.int64)
        for vn, span in enumerate(self.spans):
            self.owner[span.start : span.start + span.size] = vn
        self.weight, self.input = self._operands()
        self.present = self.weight != NOTHING
        self.busy = self.present[:, [span.start for span in self.spans]]

    def _operands(self) -> tuple[Ints, Ints]:
        """Addresses of what each switch multiplies in each fold."""
        weight = np.full((self.round.folds, len(self.owner)), NOTHING, np.int64)
        source = weight.copy()
        p, strides = self.problem, self.strides.inputs
        filter_size = p.C * p.R * p.S
        for vn, span in zip(self.neurons, self.spans, strict=True):
            number = self.round.filters[vn.filter]
            taps = np.flatnonzero(p.mask[number])
            channel, row, column = np.unravel_index(taps, (p.C, p.R, p.S))
            origin = number // p.K * strides["G"] + sum(index * strides[name] for name, index in vn.place.items())
            sources = origin + channel * strides["C"] + row * strides["R"] + column * strides["S"]
            each, more = divmod(len(taps), self.round.folds)
            sizes = each + (np.arange(self.round.folds) < more)  # the first folds have one more
            fold = np.repeat(np.arange(self.round.folds), sizes)
            switch = span.start + np.arange(len(taps)) - (np.cumsum(sizes) - sizes)[fold]
            weight[fold, switch] = number * filter_size + taps
            source[fold, switch] = sources
        return weight, source

    def program(self) -> Program:
        """Assemble all threads."""
        p, strides = self.problem, self.strides.outputs
        offsets = [
            self.round.filters[vn.filter] * p.P * p.Q + sum(index * strides[name] for name, index in vn.place.items())
            for vn in self.neurons
        ]
        return Program(
            weights=self._weights(),
            inputs=self._inputs(),
            partial_sums=Thread("partial_sums", (), ()),
            compute=self._thread("compute", dict.fromkeys(POSITIONS, 0), self._uses),
            collect=self._thread("collect", strides, self._collects()),
            spans=self.spans,
            reduction=self.reduction,
            bus_inputs=bus_inputs(self.reduction, self.hardware),
            multipliers_used=len(self.owner),
            results=len(self.round.filters) * p.N * p.P * p.Q,
            output_offset=np.array(offsets, np.int64),
            partial_sum_of=np.full(len(self.owner), -1, np.int64),
            batches=Batches(steps=prod(self.trips.values()), count=1, weights=1, trips=(), results=()),
        )

    def _thread(
        self, name: str, strides: dict[str, int], make: Callable[[Context], T], without: Collection[str] = ()
    ) -> Thread[T]:
        """A thread over all temporal loops; those in ``without`` stay at their first iteration.

        Every fold has a template, and so has a partial tile.
        """
        loops = [
            TemporalLoop(
                loop.name,
                loop.dimension,
                loop.trips if loop.dimension == "C" else getattr(self.problem, loop.dimension),
                loop.step,
                0 if loop.dimension == "C" else loop.step * strides[loop.dimension],
                split_last=loop.dimension != "C",
                split_each=loop.dimension == "C",
                stays=loop.name in without,
            )
            for loop in self.turning
        ]
        context = {name: Turn(True, count == 1) for name, count in self.trips.items()}
        return build_thread(name, loops, context, make)

    def _inside(self, edges: Edges) -> Mask:
        """Which virtual neurons lie inside a tile that is at the edge of the layer in these dimensions."""
        inside = np.ones(len(self.neurons), np.bool_)
        for name in edges:
            inside &= self.place[name] < self.edge[name]
        return inside

    def _with_operand(self, context: Context, dimensions: Collection[str] = POSITIONS) -> Mask:
        """Which switches have a weight in this fold and a virtual neuron inside the tile, as far as ``dimensions`` go."""
        chosen: Mask = self.present[context["C"].number] & self._inside(_edges(context, dimensions))[self.owner]
        return chosen

    def _weights(self) -> Thread[Packets]:
        make = self._packets(self.weight)
        return self._thread("weights", dict.fromkeys(POSITIONS, 0), make, self.weights.reused)

    def _inputs(self) -> Thread[Packets]:
        return self._thread("inputs", self.strides.inputs, self._packets(self.input))

    def _packets(self, address: Ints) -> Callable[[Context], Packets]:
        """What makes the packets that bring words from an ``address`` [fold, switch]; those of all folds are made at once."""

        @cache
        def of_folds(edges: Edges) -> list[Packets]:
            folds, switches = np.nonzero(self.present & self._inside(edges)[self.owner])
            return multicasts(self.hardware, self.round.folds, folds, switches, address[folds, switches])

        return lambda context: of_folds(_edges(context))[context["C"].number]

    def _uses(self, context: Context) -> Ints:
        """The :class:`Use` flags of every switch."""
        fold = context["C"].number
        multiplies = self._with_operand(context)
        active = (self._inside(_edges(context)) & self.busy[fold])[self.owner] & (self.owner != NOTHING)
        uses = np.where(multiplies, int(Use.MULTIPLY | Use.RETIRE_INPUT), 0).astype(np.int64)
        uses |= np.where(active & ~multiplies, int(Use.IDLE), 0)
        has_weight = self._with_operand(context, set(POSITIONS) - self.weights.reused)
        return uses | turnover(
            self.weights, 1, context, has_weight, Use.RETIRE_WEIGHT, Use.NEXT_WEIGHT, Use.REWIND_WEIGHTS
        )

    def _collects(self) -> Callable[[Context], CollectStep]:
        """What makes the control steps of the collecting thread; what is added in all folds is counted at once."""

        @cache
        def of_folds(edges: Edges) -> tuple[Ints, Ints]:
            live = self.present & self._inside(edges)[self.owner]
            return additions(self.reduction, live, len(self.neurons))

        folds_of_neuron = self.busy.sum(axis=0)  # folds without a weight come last

        def step(context: Context) -> CollectStep:
            fold, edges = context["C"].number, _edges(context)
            active = self._inside(edges) & self.busy[fold]
            flags = np.where(active, int(Collect.ACTIVE | (Collect.FIRST if fold == 0 else 0)), 0)
            flags |= np.where(active & (folds_of_neuron == fold + 1), int(Collect.EMIT | Collect.LAST), 0)
            two, three = of_folds(edges)
            return CollectStep(flags.astype(np.int64), two[fold], three[fold])

        return step


def _edges(context: Context, dimensions: Collection[str] = POSITIONS) -> Edges:
    """Those of ``dimensions`` of which this is the last tile."""
    return tuple(name for name in dimensions if context[name].last)
