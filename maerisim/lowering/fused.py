"""Lower two fused layers to one program: both on their own switches and ports, at the same time.

Each layer is lowered on its share of the array as it would be alone. Inputs of the second that are outputs of the first
wait at their port until they have been written to the global buffer, as returning partial sums do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from maerisim.arrays import Ints
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.lowering.dense import DenseLowering
from maerisim.mapping.fused import shares
from maerisim.mapping.legality import LegalPair
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.program.program import CollectStep, Fusion, Loop, Node, Packets, Program, Step, Thread
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.reference import taken_in

T = TypeVar("T")


def lower_fused(legal: LegalPair) -> Program:
    """The program that runs both of two fused layers at once."""
    problem, mapping, hardware = legal.problem, legal.mapping, legal.hardware
    start = mapping.multipliers
    share, rest = shares(hardware, start)
    first = DenseLowering(problem.first, mapping.first, hardware, share=share).program()
    second = DenseLowering(problem.second, mapping.second, hardware, start, rest).program()
    neurons, switches = len(first.spans), second.multipliers_used
    spans = first.spans + second.spans
    reduction = topology_of(hardware).route(spans)
    producer, due = _results(problem.first, mapping.first, spills=first.spills)

    def inputs(words: Ints, blank: int) -> Ints:
        return taken_in(problem, words, blank).ravel()

    return Program(
        weights=_beside(first.weights, _moved(second.weights, int(np.prod(problem.first.weight_shape)))),
        inputs=_beside(first.inputs, second.inputs),
        partial_sums=_beside(first.partial_sums, _moved(second.partial_sums, problem.first.outputs)),
        compute=_beside(first.compute, second.compute, lambda uses: np.pad(uses, (0, switches - len(uses)))),
        collect=_beside(
            first.collect,
            second.collect,
            lambda step: _padded(step, (0, len(second.spans))),
            lambda step: _padded(step, (neurons, 0)),
        ),
        spans=spans,
        reduction=reduction,
        bus_inputs=bus_inputs(reduction, hardware),
        multipliers_used=switches,
        results=first.results + second.results,
        output_offset=np.concatenate([first.output_offset, second.output_offset + problem.first.outputs]),
        partial_sum_of=_partial_sum_of(first, second, start),
        batches=first.batches,
        compares=first.compares,
        fusion=Fusion(
            port=start // hardware.leaves_per_port,
            switch=start,
            virtual_neuron=neurons,
            producer=inputs(producer, 0),
            due=inputs(due, 0),
            source=inputs(np.arange(problem.first.outputs).reshape(producer.shape), -1),
            identity=problem.second.identity,
            compares=second.compares,
        ),
    )


def _results(problem: Problem, mapping: Mapping, *, spills: bool) -> tuple[Ints, Ints]:
    """For each output (N, G, K, P, Q) the virtual neuron that gives it, and how many results that has given by then.

    A virtual neuron goes through its outputs in the order of the loops, past those that lie beyond the edge of a partial
    tile; where partial sums spill each fold gives a result, and the last one is the output.
    """
    axes = ("N", "G", "K", "P", "Q")
    neuron = np.zeros([problem.dims[DIMENSIONS.index(name)] for name in axes], np.int64)
    before, visits = np.zeros_like(neuron), np.ones_like(neuron)
    place = {}
    for axis, name in enumerate(axes):
        shape = [1] * len(axes)
        shape[axis] = -1
        place[name] = np.arange(neuron.shape[axis]).reshape(shape)
    for name in mapping.placement:
        neuron = neuron * mapping.tile_of(name) + place[name] % mapping.tile_of(name)
    trips = dict(zip(DIMENSIONS, mapping.trips(problem), strict=True))
    for name in reversed(mapping.order):
        if name in REPLICATED:
            tile, size = mapping.tile_of(name), problem.dims[DIMENSIONS.index(name)]
            before = before + place[name] // tile * visits
            visits = visits * -((place[name] % tile - size) // tile)
        elif spills:
            before = before + (trips[name] - 1) * visits
            visits = visits * trips[name]
    return neuron, before + 1


def _beside(
    first: Thread[T],
    second: Thread[T],
    of_first: Callable[[T], T] = lambda template: template,
    of_second: Callable[[T], T] = lambda template: template,
) -> Thread[T]:
    """One thread with the nests of both layers; templates are made to span both."""
    templates = (*map(of_first, first.templates), *map(of_second, second.templates))
    return replace(first, templates=templates, second=_renumbered(second.nodes, len(first.templates)))


def _renumbered(nodes: tuple[Node, ...], by: int) -> tuple[Node, ...]:
    return tuple(
        replace(node, template=node.template + by)
        if isinstance(node, Step)
        else Loop(node.count, node.period, node.advance, _renumbered(node.body, by))
        for node in nodes
    )


def _moved(thread: Thread[Packets], words: int) -> Thread[Packets]:
    """The same packets with addresses behind so many words of the first layer."""
    return replace(
        thread, templates=tuple(replace(packets, offset=packets.offset + words) for packets in thread.templates)
    )


def _padded(step: CollectStep, beside: tuple[int, int]) -> CollectStep:
    """A template for so many more virtual neurons before and behind, which are at rest."""
    return CollectStep(*(np.pad(row, beside) for row in (step.flags, step.additions_two, step.additions_three)))


def _partial_sum_of(first: Program, second: Program, start: int) -> Ints:
    sums = np.full(second.multipliers_used, -1, np.int64)
    sums[: len(first.partial_sum_of)] = first.partial_sum_of
    of_second = second.partial_sum_of[start:]
    sums[start:] = np.where(of_second < 0, -1, of_second + len(first.spans))
    return sums
