"""The analytic model: cycles, energy and counts of a mapping without running it.

Per kind of control step (tiles at the edge of the layer counted by how often they occur, not averaged) the words that
each distribution port sends, the step of each multiplier switch, and the results of each collection bus. A run takes at
least as long as the busiest of them in total, plus the way of the last word through the fabric. All counts are exact
sums over the same kinds of steps.

How much longer it takes depends on how far ports, switches and buses can run ahead of one another in their queues: the
times of the control steps, one from the other, tell it (:mod:`maerisim.kernels.estimating.timing`). They are worked out for those
mappings that could be among the best if nothing held them up.

:func:`rank` looks at every loop order and placement of many tiles, :func:`estimate` at one mapping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations
from math import inf
from typing import Any, Literal, NamedTuple

import numpy as np

from maerisim.counts.counters import OPERANDS, Traffic, sum_of
from maerisim.counts.totals import totals
from maerisim.errors import MappingError
from maerisim.estimate.durations import cycles
from maerisim.fabric.collection_buses import buses_by_switch
from maerisim.fabric.topology import topology_of
from maerisim.hardware.hardware import EnergyTable, Hardware
from maerisim.kernels.estimating import exits, loads, orders, ranking, sections, times
from maerisim.kernels.estimating import quantities as k
from maerisim.lowering.programs import programs
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.mapping.sparse_rounds import nonzeros
from maerisim.memory.blocks import MemoryUse, compulsory_words
from maerisim.program.program import Ints, Program
from maerisim.workload.problem import DIMENSIONS, Problem

Objective = Literal["cycles", "energy", "edp", "energy_efficiency"]
"""What a mapping should make small, or large: ``edp`` is the energy-delay product, cycles times energy, and
``energy_efficiency`` the performance (operations per cycle) per energy. For one layer both have the same best mapping.
"""

_OBJECTIVES = {
    "cycles": ranking.BY_CYCLES,
    "energy": ranking.BY_ENERGY,
    "edp": ranking.BY_PRODUCT,
    "energy_efficiency": ranking.BY_PRODUCT,
}
_TILES_BETWEEN_LOOKS = 64
"""Tiles that are ranked between two looks at the clock."""
_MOST_CLASSES = 1 << 15
"""Room for the loop orders of one tile that differ; with eight loops and the deepest queues there are 11,000."""
_KINDS_OF_TRAFFIC = 64
"""Sets of loops that reuse weights, times inputs kept or not, sliding or not, spilling or not."""


def fabric_numbers(hardware: Hardware) -> k.Fabric:
    """The numbers of a hardware document that the kernels work on."""
    multiplier, reduction = hardware.multiplier, hardware.reduction
    return k.Fabric(
        multipliers=hardware.multipliers,
        ports=hardware.ports,
        buses=hardware.buses,
        distribution_latency=hardware.distribution.latency,
        weight_registers=multiplier.weight_registers,
        weight_room=multiplier.weight_registers * (2 if multiplier.weight_double_buffering else 1),
        input_registers=multiplier.input_registers,
        input_depth=multiplier.input_fifo_depth,
        partial_sum_depth=multiplier.partial_sum_fifo_depth,
        forwarding=int(multiplier.forwarding),
        forward_depth=multiplier.forward_fifo_depth,
        product_depth=multiplier.product_fifo_depth,
        multiplier_latency=multiplier.latency,
        topology={"art": k.ART, "plain_tree": k.PLAIN_TREE, "linear": k.LINEAR}[reduction.topology],
        level_latency=reduction.latency,
        reduction_depth=reduction.fifo_depth,
        lateral_latency=reduction.lateral_latency,
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


def workspace(hardware: Hardware) -> ranking.Workspace:
    """Tables of ``hardware`` and scratch arrays for estimates on it; one per thread."""
    fabric = fabric_numbers(hardware)
    m, ports, buses, span = fabric.multipliers, fabric.ports, fabric.buses, fabric.multipliers // fabric.ports
    pairs, kinds, columns = span * (span - 1) // 2, _KINDS_OF_TRAFFIC, loads.BUSIEST + ports

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    def words(*shape: int) -> k.Words:
        return np.zeros(shape, np.uint16)

    return ranking.Workspace(
        exits=_exits(hardware, fabric),
        loops=k.Loops(extent=ints(3, 8), turns=ints(k.CLASSES), middles=ints(k.CLASSES)),
        orders=orders.Orders(
            classes=ints(2, _MOST_CLASSES),
            queue=ints(2, 2 * _MOST_CLASSES),
            seen=ints(4 * _MOST_CLASSES, 2),
            current=ints(2),
        ),
        parts=loads.Parts(stride=ints(2, 8), words=ints(2, m), marks=words(m)),
        leaves=loads.Leaves(
            vn_words=ints(2, m),
            vn_marks=words(m),
            words=ints(2, span, ports),
            marks=words(span, ports),
            pair=words(2, pairs, 2),
            twin=words(2, pairs, ports),
            at_work=words(span, ports),
            working=words(ports),
            shared=words(ports),
            port_words=words(loads.LOADS, ports),
            bus_results=words(k.CLASSES, buses),
            used_rows=ints(loads.LOADS),
            total=ints(max(ports, buses)),
        ),
        sections=_sections(fabric),
        times=_times(fabric),
        placed=loads.Placed(loads=ints(loads.LOADS, columns), bus_results=ints(k.CLASSES)),
        tables=ranking.Tables(
            tile=ints(8),
            kind=ints(_MOST_CLASSES),
            traffic=ints(5, kinds),
            floor=np.zeros((kinds, 2)),
            costs=ints(kinds, k.COSTS),
            placed_costs=ints(kinds, k.COSTS),
            energy=np.zeros(kinds),
            words=ints(3, columns),
        ),
    )


def _sections(fabric: k.Fabric) -> sections.Sections:
    """Room for a placed tile in as many sections as possible."""
    lanes = fabric.multipliers + 1
    return sections.Sections(
        of=np.zeros((sections.FACTS, lanes), np.int64),
        first=np.zeros((sections.ROWS, lanes), np.uint16),
        last=np.zeros((sections.ROWS, lanes), np.uint16),
        limits=np.zeros((fabric.ports + 1, len(sections.Part._fields)), np.int64),
        sorted=np.zeros((fabric.multipliers // fabric.ports, fabric.ports), np.uint16),
    )


def _times(fabric: k.Fabric) -> times.Times:
    """Room for the times of as many sections."""
    lanes, rows, words = fabric.multipliers, times.count_rows(fabric), fabric.multipliers // fabric.ports + 1
    return times.Times(
        now=np.zeros((rows, lanes), np.int64),
        earlier=np.zeros((times.LEVELS, rows, lanes), np.int64),
        loop=np.zeros((times.FIELDS, times.LEVELS), np.int64),
        ready=np.zeros(lanes, np.int64),
        room=np.zeros(words, np.int64),
        sent=np.zeros(words, np.int64),
        arrived=np.zeros(lanes, np.int64),
    )


def _exits(hardware: Hardware, fabric: k.Fabric) -> exits.Exits:
    bus_of_switch = np.array(buses_by_switch(topology_of(hardware).switches, hardware), np.int64)
    start = np.zeros(fabric.multipliers + 2, np.int64)
    entries = exits.count_exits(fabric, start)
    table = exits.Exits(start, *(np.zeros(entries, np.int64) for _ in range(5)))
    exits.fill_exits(fabric, bus_of_switch, table)
    return table


class ErrorBound(NamedTuple):
    """How far estimated cycles can be from simulated ones, as shares of the simulated."""

    over: float
    under: float


ERROR_BOUND = ErrorBound(over=0.03, under=0.03)
"""The published error of the estimates of good mappings: one estimated at E cycles takes between ``E / (1 + over)`` and
``E / (1 - under)`` cycles when it is simulated.

Measured, not proven: ``benchmarks/bench_estimate_error.py`` simulates the ten best mappings by estimate of all layers of the
shipped networks on the six shipped fabrics in full, and fails when one of them is further off. It says nothing of other
controllers, or of sparse layers, whose programs follow no closed form.
"""

LIMITS = ("multipliers", "distribution", "collection")
"""What can limit a mapping on the fabric, in the order of the kernel's constants."""


@dataclass(frozen=True)
class Estimate:
    """The predicted cost of a mapping.

    ``bound_cycles`` is the least that any mapping of the layer could take on this hardware: every multiplier busy in
    every cycle, every operand word sent once, every output collected once, all of them moved from or to DRAM.
    ``least_cycles`` is the least that this mapping could take, those in which its busiest resource has work.
    ``limited_by`` names what takes longest. ``counters`` holds the predicted operations and words, ``memory`` what the
    system level does where it is modelled (:mod:`maerisim.memory.layer`).
    """

    cycles: int
    least_cycles: int
    bound_cycles: int
    limited_by: str
    counters: Traffic
    memory: MemoryUse | None = None


_LARGEST_OVERESTIMATE, _LARGEST_OVERESTIMATE_WAITING = 0.06, 0.1


def largest_overestimate(hardware: Hardware) -> float:
    """By what share of itself the estimate of any mapping, good or bad, can be above the simulated cycles, as published.

    ``benchmarks/exhaustive.py`` measures it on every mapping of twenty small layers, ``benchmarks/vs_stonne_tiles.py`` where a
    controller waits for outputs.
    """
    return _LARGEST_OVERESTIMATE_WAITING if hardware.controller.wait_for_outputs else _LARGEST_OVERESTIMATE


def score(objective: Objective, cycles: float, energy: float) -> tuple[float, float]:
    """What an objective makes small, and what decides between equals."""
    if objective == "energy":
        return energy, cycles
    return (cycles if objective == "cycles" else cycles * energy), energy


@dataclass(frozen=True)
class Ranked:
    """A mapping, its estimate, and its ``score``: what was to be made small."""

    mapping: Mapping
    estimate: Estimate
    score: float


@dataclass(frozen=True)
class Ranking:
    """The best mappings of a space, in order.

    ``estimated``: how many were estimated; the control steps of ``timed`` of them were timed, since the others take longer
    than the best even if nothing holds up their busiest resource. A bound ruled out all mappings of ``dismissed_tiles`` tiles; of the other
    tiles ``dismissed_by_traffic`` mappings by the words that they need at least, ``dismissed_by_placement`` by those that
    they send where they are placed. Nothing is known of the last ``unseen_tiles`` of the most promising order, when time
    ran out, but that none of their mappings scores less than ``unseen_score``.
    """

    best: tuple[Ranked, ...]
    estimated: int
    dismissed_tiles: int
    dismissed_by_traffic: int
    dismissed_by_placement: int
    timed: int
    unseen_tiles: int = 0
    unseen_score: float = inf

    @property
    def dismissed(self) -> int:
        """Mappings that a bound ruled out one by one."""
        return self.dismissed_by_traffic + self.dismissed_by_placement


def estimate(problem: Problem, mapping: Mapping, hardware: Hardware) -> Estimate:
    """Estimate one mapping.

    Raises MappingError when it does not fit, NotSupportedError for sparse weights on a controller that cannot run them.
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
        least_cycles=max(resources),
        bound_cycles=bound(problem, hardware),
        limited_by=LIMITS[resources.index(max(resources))],
        counters=sum_of(counts).traffic,
    )


def estimate_many(
    problem: Problem,
    tiles: Sequence[Sequence[int]],
    walks: Sequence[tuple[Sequence[str], Sequence[str]]],
    hardware: Hardware,
) -> Ints:
    """Costs [tile, walk, entry] of every tile with every walk (order, placement); 0 where the tile does not fit."""
    count = len(tiles) * len(walks)
    space = ranking.Space(
        tiles=np.repeat(np.array(tiles, np.int32).reshape(-1, len(DIMENSIONS)), len(walks), axis=0),
        first=0,
        end=count,
        floor=np.zeros((count, 2)),
        orders=np.tile(_numbers([order for order, _ in walks]), (len(tiles), 1)),
        placements=np.tile(_numbers([placement for _, placement in walks]), (len(tiles), 1)),
        placements_of=_placements(REPLICATED_ORDERS)[1],
        each=1,
    )
    best = _nothing_ranked(count)
    aim = ranking.Aim(ranking.BY_CYCLES, 0, np.zeros(k.COSTS), inf, bounded=0, alike=0)
    ranking.rank(layer_numbers(problem), fabric_numbers(hardware), space, aim, best, *workspace(hardware))
    return best.costs.reshape(len(tiles), len(walks), k.COSTS)


def rank(
    problem: Problem,
    hardware: Hardware,
    tiles: k.Tiles,
    objective: Objective = "cycles",
    count: int = 1,
    *,
    certain: bool = False,
    orders: Sequence[Sequence[str]] | None = None,
    placements: Sequence[Sequence[str]] | None = None,
    energy_below: float = inf,
    alike: bool = False,
    bounded: bool = True,
    until: float | None = None,
) -> Ranking:
    """The ``count`` best mappings among ``tiles`` [tile, dimension] with all loop orders and placements that differ.

    Loop orders differ in what they reuse, placements in the dimensions of which the tile has more than one. Energy
    decides between mappings of equal cycles or products, cycles between those of equal energy; of mappings that are
    equal in both only one is listed, unless ``alike``. If ``certain``, mappings are
    scored by their ``least_cycles`` instead of those estimated.
    ``orders``, ``placements``: only these, instead of all. Mappings of ``energy_below`` or more do not count.
    ``bounded=False`` estimates every mapping, also those that a bound keeps from being among the best. Stops at the time
    ``until`` of ``time.monotonic()``, the most promising tiles first, but not before a mapping is found.
    """
    layer, fabric, w = layer_numbers(problem), fabric_numbers(hardware), workspace(hardware)
    price = energies(np.eye(k.COSTS, dtype=np.int64), hardware.energy)
    aim = ranking.Aim(_OBJECTIVES[objective], int(certain), price, energy_below, int(bounded), int(alike))
    floor = np.zeros((len(tiles), 2))
    ranking.find_floors(layer, fabric, tiles, aim, floor, w.exits, w.loops, w.tables)
    promising_first = np.lexsort((floor[:, 1], floor[:, 0]))
    tiles, floor = tiles[promising_first], floor[promising_first]
    placed, placed_of = _placements(REPLICATED_ORDERS if placements is None else tuple(map(tuple, placements)))
    given = _numbers(orders) if orders is not None else np.zeros((0, len(DIMENSIONS)), np.int64)
    best, seen = _nothing_ranked(count), 0
    while seen < len(tiles):
        if until is not None and np.isfinite(best.score[0, 0]) and time.monotonic() >= until:
            break
        end = len(tiles) if until is None else min(len(tiles), seen + _TILES_BETWEEN_LOOKS)
        space = ranking.Space(tiles, seen, end, floor, given, placed, placed_of, each=0)
        ranking.rank(layer, fabric, space, aim, best, *w)
        seen = end
    found = tuple(
        Ranked(
            _mapping(problem, tiles[at], int(order), placed[placement]),
            explain(cost, problem, hardware),
            float(score),
        )
        for (at, placement, order), cost, (score, _) in zip(best.mapping, best.costs, best.score, strict=True)
        if np.isfinite(score)
    )
    unseen = len(tiles) - seen
    return Ranking(
        best=found,
        estimated=int(best.counts[ranking.ESTIMATED]),
        dismissed_tiles=int(best.counts[ranking.BY_TILE]),
        dismissed_by_traffic=int(best.counts[ranking.BY_TRAFFIC]),
        dismissed_by_placement=int(best.counts[ranking.BY_PLACEMENT]),
        timed=int(best.counts[ranking.TIMED]),
        unseen_tiles=unseen,
        unseen_score=float(floor[seen, 0]) if unseen else inf,
    )


def _least_cycles(cost: Ints) -> int:
    """Cycles that the busiest resource is busy, and the way of a word through it; the adders may be passed at once."""
    busiest = max(cost[k.STEPS], cost[k.PORT_CYCLES], cost[k.BUS_CYCLES])
    return int(busiest + cost[k.DRAIN] - cost[k.DEPTH] - 1)


def _nothing_ranked(count: int) -> ranking.Best:
    return ranking.Best(
        score=np.full((count, 2), np.inf),
        mapping=np.zeros((count, 3), np.int64),
        costs=np.zeros((count, k.COSTS), np.int64),
        counts=np.zeros(5, np.int64),
    )


def _numbers(names: Sequence[Sequence[str]]) -> Ints:
    return np.array([[DIMENSIONS.index(d) for d in row] for row in names], np.int64)


REPLICATED_ORDERS = tuple(permutations(REPLICATED))
"""Every placement."""


@cache
def _placements(allowed: tuple[tuple[str, ...], ...]) -> tuple[Ints, Ints]:
    """The placements that differ, for each set of dimensions of which a tile has more than one: rows, first and end."""
    rows: list[tuple[str, ...]] = []
    places = np.zeros((k.CLASSES, 2), np.int64)
    for size in range(len(REPLICATED) + 1):
        for larger in combinations(REPLICATED, size):
            at = sum(1 << DIMENSIONS.index(d) for d in larger)
            ones = tuple(d for d in REPLICATED if d not in larger)
            places[at, 0] = len(rows)
            rows += dict.fromkeys(ones + tuple(d for d in placement if d in larger) for placement in allowed)
            places[at, 1] = len(rows)
    return _numbers(rows), places


def _mapping(problem: Problem, tile: k.Tiles, packed_order: int, placement: Ints) -> Mapping:
    """The mapping of a tile; loops that do not turn come first in its order."""
    sizes = dict(zip(DIMENSIONS, (int(size) for size in tile), strict=True))
    still = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if sizes[d] >= size]
    inwards = [DIMENSIONS[packed_order >> 3 * place & 7] for place in range(len(DIMENSIONS) - len(still))]
    return Mapping.of(sizes, (*still, *reversed(inwards)), [DIMENSIONS[d] for d in placement])


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
        least_cycles=_least_cycles(cost),
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
    dram: int = 0
    """The DRAM channel moves a word in every cycle, each operand and output once; 0 where it is not limiting."""


def words_sent_once(problem: Problem) -> int:
    """Operand words that the distribution ports send at least: weights and the inputs under all windows.

    Inputs of sparse layers do not count, since some meet only zeros.
    """
    p = problem
    rows = loads.distinct(p.P, p.R, p.stride[0], p.dilation[0])
    columns = loads.distinct(p.Q, p.S, p.stride[1], p.dilation[1])
    return p.weights + (0 if p.sparsity is not None else p.N * p.G * p.C * rows * columns)


def bounds(problem: Problem, hardware: Hardware) -> Bounds:
    """For each resource the cycles below which no mapping of ``problem`` can be."""
    p = problem
    compute = -(-p.operations // hardware.multipliers)
    # Filters of zeros give no results.
    outputs = p.outputs if p.sparsity is None else len(nonzeros(p)) * p.N * p.P * p.Q
    bandwidth = hardware.dram.bandwidth
    dram = 0 if bandwidth is None else math.ceil(sum(compulsory_words(p).values()) / bandwidth)
    return Bounds(compute, -(-words_sent_once(p) // hardware.ports), -(-outputs // hardware.buses), dram)


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
