"""The analytic model: cycles, energy and counts of a mapping without running it.

Per kind of control step (tiles at the edge of the layer counted by how often they occur, not averaged) the words that
each distribution port sends, the step of each multiplier switch, and the results of each collection bus. As ports,
switches and buses run ahead of one another in their queues, a run takes as long as the busiest of them in total, plus
the way of the last word through the fabric. All counts are exact sums over the same kinds of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from maerisim.counters import OPERANDS, Traffic, sum_of
from maerisim.durations import cycles
from maerisim.engine.totals import totals
from maerisim.errors import MappingError
from maerisim.fabric.collection import buses_by_switch
from maerisim.fabric.topology import topology_of
from maerisim.hardware import EnergyTable, Hardware
from maerisim.kernels import loads as k
from maerisim.kernels.analytic import estimate_all
from maerisim.lowering import programs
from maerisim.mapping import Mapping
from maerisim.program import Ints, Program
from maerisim.rounds import nonzeros
from maerisim.workload import DIMENSIONS, Problem


def fabric_numbers(hardware: Hardware) -> k.Fabric:
    """The numbers of a hardware document that the kernels work on."""
    multiplier, reduction = hardware.multiplier, hardware.reduction
    held = multiplier.weight_registers * (2 if multiplier.weight_double_buffering else 1)
    return k.Fabric(
        multipliers=hardware.multipliers,
        ports=hardware.ports,
        buses=hardware.buses,
        distribution_latency=hardware.distribution.latency,
        weight_registers=multiplier.weight_registers,
        weight_depth=held,
        input_registers=multiplier.input_registers,
        input_depth=multiplier.input_fifo_depth,
        forwarding=int(multiplier.forwarding),
        forward_depth=multiplier.forward_fifo_depth,
        multiplier_latency=multiplier.latency,
        topology={"art": k.ART, "plain_tree": k.PLAIN_TREE, "linear": k.LINEAR}[reduction.topology],
        level_latency=reduction.latency,
        lateral_latency=reduction.lateral_latency,
        reduction_depth=reduction.fifo_depth,
        shorter_end=int(reduction.crossing == "shorter_end"),
        pads=int(hardware.controller.pad_edges),
        folds_together=int(multiplier.wait_for_all_weights),
        waits=int(hardware.controller.wait_for_outputs),
        weights_first=int(hardware.controller.weights_first),
        wiring=k.REGIONAL if hardware.collection.wiring == "regional" else k.BY_SWITCH,
        collection_depth=hardware.collection.fifo_depth,
        collection_latency=hardware.collection.latency,
        accumulation_words=hardware.accumulation_words,
        accumulation_latency=hardware.accumulation.latency,
    )


def layer_numbers(problem: Problem) -> k.Layer:
    """Sizes and geometry of a problem for the kernels."""
    return k.Layer(int(not problem.pools), np.array(problem.dims, np.int64), *problem.stride, *problem.dilation)


def workspace(hardware: Hardware) -> k.Workspace:
    """Scratch arrays for estimates on ``hardware``; one per thread."""
    m = hardware.multipliers

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    topology = topology_of(hardware)
    return k.Workspace(
        bus_of_switch=np.array(buses_by_switch(topology.switches, hardware), np.int64),
        size=zeros(8),
        trips=zeros(8),
        edge=zeros(8),
        limit=zeros(8),
        loops=zeros(8),
        reused_weights=zeros(8),
        reused_inputs=zeros(8),
        partial=zeros(8),
        coordinate=zeros(8, m),
        virtual_neuron=zeros(m),
        address=zeros(m),
        active=zeros(m),
        load=zeros(hardware.ports),
        step_load=zeros(k.WEIGHT_ROW + 2, hardware.ports),
        bus_load=zeros(hardware.buses),
        step_bus_load=zeros(hardware.buses),
        bus_of=zeros(m),
        port_of=zeros(m),
        vn_partial=zeros(5),
        class_port=zeros(32, hardware.ports),
        class_bus=zeros(32),
        parts=zeros(8),
        part=zeros(8, 3),
        at_last=zeros(8),
        phase_load=zeros(hardware.ports),
        cost=zeros(k.COSTS),
    )


LIMITS = ("multipliers", "distribution", "collection")
"""What can limit a mapping, in the order of the kernel's constants."""


@dataclass(frozen=True)
class Estimate:
    """The predicted cost of a mapping.

    ``bound_cycles`` is the least that any mapping of the layer could take on this hardware: every multiplier busy in
    every cycle, every operand word sent once, every output collected once. ``limited_by`` names what takes longest.
    ``counters`` holds the predicted operations and words.
    """

    cycles: int
    bound_cycles: int
    limited_by: str
    counters: Traffic


def estimate(problem: Problem, mapping: Mapping, hardware: Hardware) -> Estimate:
    """Estimate one mapping. Raises MappingError when it does not fit, NotSupportedError for sparse weights on a
    controller that cannot run them.
    """
    if problem.sparsity is not None:
        return estimate_programs(programs(problem, mapping, hardware), problem, hardware)
    violations = mapping.check(problem, hardware)
    if violations:
        raise MappingError("mapping", violations)
    costs = estimate_many(problem, [mapping.tile], [(mapping.order, mapping.placement)], hardware)[0, 0]
    return explain(costs, problem, hardware)


def estimate_programs(sequence: Sequence[Program], problem: Problem, hardware: Hardware) -> Estimate:
    """Estimate programs that run one after the other, from their loops and templates."""
    counts = [totals(program, hardware) for program in sequence]
    resources = [
        sum(program.compute.steps for program in sequence),
        sum(max(each.busy["ports"]) for each in counts),
        sum(max(each.busy["buses"]) for each in counts),
    ]
    return Estimate(
        cycles=sum(cycles(program, hardware, each) for program, each in zip(sequence, counts, strict=True)),
        bound_cycles=bound(problem, hardware),
        limited_by=LIMITS[resources.index(max(resources))],
        counters=sum_of(counts).traffic,
    )


def estimate_many(
    problem: Problem,
    tiles: Sequence[Sequence[int]],
    orders: Sequence[tuple[Sequence[str], Sequence[str]]],
    hardware: Hardware,
) -> Ints:
    """Costs [tile, order, entry] of every tile with every (order, placement); 0 where the tile does not fit."""

    def numbers(names: Sequence[Sequence[str]]) -> Ints:
        return np.array([[DIMENSIONS.index(d) for d in row] for row in names], np.int64)

    costs = np.zeros((len(tiles), len(orders), k.COSTS), np.int64)
    estimate_all(
        layer_numbers(problem),
        np.array(tiles, np.int64).reshape(-1, len(DIMENSIONS)),
        numbers([order for order, _ in orders]),
        numbers([placement for _, placement in orders]),
        fabric_numbers(hardware),
        workspace(hardware),
        costs,
    )
    return costs


def explain(cost: Ints, problem: Problem, hardware: Hardware) -> Estimate:
    """One row of costs as an Estimate."""
    resources = [int(cost[k.STEPS]), int(cost[k.PORT_CYCLES]), int(cost[k.BUS_CYCLES])]
    compares = problem.operation == "max"
    traffic = Traffic(
        multiplications=int(cost[k.MACS]),
        passes=int(cost[k.PASSES]),
        additions=0 if compares else int(cost[k.ADDITIONS]),
        comparisons=int(cost[k.ADDITIONS]) if compares else 0,
        accumulations=int(cost[k.ACCUMULATIONS]),
        forwards=int(cost[k.FORWARDS]),
        distributed=_operands(cost, k.DISTRIBUTED),
        delivered=_operands(cost, k.DELIVERED),
        buffer_reads=_operands(cost, k.READS),
        buffer_writes={"outputs": int(cost[k.OUTPUTS]), "partial_sums": int(cost[k.RESULTS] - cost[k.OUTPUTS])},
        distribution_hops=int(cost[k.HOPS]),
        adder_words=int(cost[k.ADDER_WORDS]),
        results=int(cost[k.RESULTS]),
    )
    return Estimate(
        cycles=int(cost[k.CYCLES]),
        bound_cycles=bound(problem, hardware),
        limited_by=LIMITS[int(np.argmax(resources))],
        counters=traffic,
    )


def _operands(cost: Ints, start: int) -> dict[str, int]:
    return {name: int(cost[start + place]) for place, name in enumerate(OPERANDS)}


class Bounds(NamedTuple):
    """The least cycles that any mapping of a layer keeps each resource busy."""

    compute: int
    """Every multiplier does an operation in every cycle."""
    distribution: int
    """Every port sends a word in every cycle, and each operand word is sent once."""
    collection: int
    """Every bus carries an output in every cycle, and no partial sums."""


def bounds(problem: Problem, hardware: Hardware) -> Bounds:
    """For each resource the cycles below which no mapping of ``problem`` can be."""
    p = problem
    compute = -(-p.operations // hardware.multipliers)
    rows = k.distinct(p.P, p.R, p.stride[0], p.dilation[0])
    columns = k.distinct(p.Q, p.S, p.stride[1], p.dilation[1])
    inputs, outputs = p.N * p.G * p.C * rows * columns, p.outputs
    if p.sparsity is not None:  # inputs that meet only zeros are not sent, filters of zeros give no results
        inputs, outputs = 0, len(nonzeros(p)) * p.N * p.P * p.Q
    return Bounds(compute, -(-(p.weights + inputs) // hardware.ports), -(-outputs // hardware.buses))


def bound(problem: Problem, hardware: Hardware) -> int:
    """Cycles below which no mapping of ``problem`` can be: see :class:`Estimate`."""
    return max(bounds(problem, hardware))


def energies(costs: Ints, table: EnergyTable) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Energy for each row of costs (last axis: entries), by the formula of ``Traffic.energy_by_component``."""
    c = np.moveaxis(costs, -1, 0)
    delivered = c[k.DELIVERED] + c[k.DELIVERED + 1] + c[k.DELIVERED + 2]
    macs, passes = c[k.MACS], c[k.PASSES]
    register_writes = delivered + c[k.FORWARDS]
    register_reads = 2 * macs + passes + c[k.DELIVERED + k.PARTIAL_SUMS] + c[k.FORWARDS]
    buffer = c[k.READS] + c[k.READS + 1] + c[k.READS + 2] + c[k.RESULTS]
    return np.asarray(
        buffer * table.global_buffer_access
        + c[k.HOPS] * table.distribution_switch_access
        + (register_reads + register_writes) * table.register_access
        + macs * table.multiply
        + (register_writes + macs + passes) * table.multiplier_switch_access
        + (c[k.ADDITIONS] + c[k.ACCUMULATIONS]) * table.add
        + c[k.ADDER_WORDS] * table.reduction_switch_access
        + 2 * c[k.ACCUMULATIONS] * table.accumulation_buffer_access,
        np.float64,
    )
