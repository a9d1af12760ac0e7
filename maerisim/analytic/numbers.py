"""A piece of hardware and a layer as the numbers and tables that the kernels of the estimate work on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from maerisim.arrays import Ints
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import buses_by_switch
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.compiling import plain
from maerisim.kernels.estimating import (
    entries,
    exits,
    load_table,
    loads,
    orders,
    quantities,
    search_space,
    sections,
    times,
)
from maerisim.kernels.estimating.dimensions import CLASSES
from maerisim.kernels.estimating.quantities import FabricNumbers, LayerNumbers, LoopNumbers, Shorts
from maerisim.workload.problem import DIMENSIONS, Problem

_TOPOLOGIES = {
    "art": quantities.ART,
    "plain_tree": quantities.PLAIN_TREE,
    "linear": quantities.LINEAR,
    "fan": quantities.FAN,
}
_MOST_CLASSES = 1 << 15
"""Room for the loop orders of one tile that differ; with eight loops and the deepest queues there are 11,000."""


_KINDS_OF_TRAFFIC = 64
"""Sets of loops that reuse weights, times inputs kept or not, sliding or not, spilling or not."""


def fabric_numbers(hardware: Hardware) -> FabricNumbers:
    """The numbers of a hardware document that the kernels work on."""
    multiplier, reduction, controller = hardware.multiplier, hardware.reduction, hardware.controller
    half = hardware.collection.write_back == "half"
    return FabricNumbers(
        multipliers=hardware.multipliers,
        ports=hardware.ports,
        buses=hardware.buses,
        distribution_latency=hardware.distribution.latency,
        weight_registers=multiplier.weight_registers,
        weight_room=multiplier.held_weights,
        input_registers=multiplier.input_registers,
        input_depth=multiplier.input_fifo_depth,
        partial_sum_depth=multiplier.partial_sum_fifo_depth,
        forwarding=int(multiplier.forwarding),
        forward_depth=multiplier.forward_fifo_depth,
        product_depth=multiplier.product_fifo_depth,
        multiplier_latency=multiplier.latency,
        topology=_TOPOLOGIES[reduction.topology],
        blocks=np.array([0, *map(topology_of(hardware).block, range(1, hardware.multipliers + 1))], np.int64),
        level_latency=reduction.latency,
        reduction_depth=reduction.fifo_depth,
        lateral_latency=reduction.lateral_latency,
        shorter_end=int(reduction.crossing == "shorter_end"),
        to_last_level=int(reduction.exit == "last_level"),
        pads=int(controller.pad_edges),
        folds_together=int(multiplier.wait_for_all_weights),
        waits=int(controller.wait_for_outputs),
        across_images=int(controller.wait_across_images),
        weights_first=int(controller.weights_first),
        rate=controller.steps_per_cycle or 0,
        together=int(controller.holds_ports_back or half),
        partial_sums_first=int(hardware.distribution.partial_sums_first),
        as_they_arrive=int(hardware.distribution.partial_sums_as_they_arrive),
        wiring=quantities.REGIONAL if hardware.collection.wiring == "regional" else quantities.BY_SWITCH,
        half=int(half),
        collection_depth=hardware.collection.fifo_depth,
        collection_latency=hardware.collection.latency,
        accumulation_words=hardware.accumulation_words,
        accumulation_latency=hardware.accumulation.latency,
    )


def layer_numbers(problem: Problem) -> LayerNumbers:
    """Sizes and geometry of a problem for the kernels."""
    return LayerNumbers(int(not problem.pools), np.array(problem.dims, np.int64), *problem.stride, *problem.dilation)


@lru_cache(maxsize=4)
def _fixed(hardware: Hardware, *, in_python: bool) -> tuple[FabricNumbers, exits.Exits]:
    """What kernels read and never write; made anew it would take a third of an estimate."""
    fabric = fabric_numbers(hardware)
    return fabric, _exits(hardware, fabric, in_python=in_python)


def workspace(
    hardware: Hardware, *, in_python: bool = False, levels: int = times.LEVELS, classes: int = CLASSES
) -> search_space.Workspace:
    """Tables of ``hardware`` and scratch arrays for estimates on it; one per thread.

    Kernels that run ``in_python`` need larger words for their sums. There is room for so many loops at least, and so many
    ``classes`` of control steps.
    """
    levels, classes = max(levels, times.LEVELS), max(classes, CLASSES)
    rows = load_table.ROWS // CLASSES * classes
    fabric, exit_table = _fixed(hardware, in_python=in_python)
    m, ports, buses, span = fabric.multipliers, fabric.ports, fabric.buses, fabric.multipliers // fabric.ports
    kinds, columns = _KINDS_OF_TRAFFIC, load_table.BUSIEST + ports

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    def words(*shape: int) -> Shorts:
        return np.zeros(shape, np.int64 if in_python else np.uint16)

    return search_space.Workspace(
        fabric=fabric,
        exits=exit_table,
        loops=LoopNumbers(
            trips=ints(8),
            edge=ints(8),
            size=ints(8),
            tile=ints(8),
            real=ints(8),
            turns=ints(CLASSES),
            middles=ints(CLASSES),
        ),
        orders=orders.OrderTable(
            classes=ints(2, _MOST_CLASSES),
            queue=ints(2, 2 * _MOST_CLASSES),
            seen=ints(4 * _MOST_CLASSES, 2),
            current=ints(2),
        ),
        parts=loads.Parts(stride=ints(2, 8), words=ints(2, m), marks=words(m)),
        leaves=loads.Leaves(
            vn_words=ints(2, m),
            vn_marks=words(m),
            marks=words(span, ports),
            words=ints(2, span, ports),
            sorted_leaves=words(2, span, ports),
            sorted_marks=words(2, span, ports),
            way=words(2, span, ports),
            longest=words(ports),
            branches=words(ports),
            port_words=words(rows, ports),
            bus_results=words(CLASSES, buses),
            used_rows=ints(load_table.ROWS),
            total=ints(max(ports, buses)),
            candidate=words(ports),
            more=words(ports),
            reach=ints(2),
        ),
        sections=_sections(fabric, words, classes),
        times=_times(fabric, levels, in_python=in_python),
        placed=loads.Placed(loads=ints(rows, columns), bus_results=ints(CLASSES), bus_totals=ints(buses)),
        tables=search_space.Tables(
            tile=ints(8),
            kind=ints(_MOST_CLASSES),
            traffic=ints(5, kinds),
            floor=np.zeros((kinds, 2)),
            costs=ints(kinds, entries.COSTS),
            placed_costs=ints(kinds, entries.COSTS),
            energy=np.zeros(kinds),
            words=ints(3, columns),
        ),
    )


_MOST_KEPT = 2
"""As many as cores on which a layer is ranked."""
_kept: list[tuple[tuple[object, ...], search_space.Workspace]] = []
"""Workspaces that nobody uses, each behind what was asked for."""
_keeping = threading.Lock()


@contextmanager
def scratch(
    hardware: Hardware, *, in_python: bool = False, levels: int = 0, classes: int = 0
) -> Iterator[search_space.Workspace]:
    """A workspace that no other thread has meanwhile, whatever is in it: kernels read nothing that they did not write.

    Those used last are kept: to make one takes as long as to estimate a layer.
    """
    asked = hardware, in_python, levels, classes
    with _keeping:
        places = [place for place, (of, _) in enumerate(_kept) if of == asked]
        found = _kept.pop(places[0])[1] if places else None
    found = found or workspace(hardware, in_python=in_python, levels=levels, classes=classes)
    yield found
    with _keeping:
        _kept[:] = [*(kept for kept in _kept if kept[0] == asked), (asked, found)][-_MOST_KEPT:]


def _sections(fabric: FabricNumbers, words: Callable[..., Shorts], classes: int) -> sections.Sections:
    """Room for a placed tile in as many sections as possible."""
    lanes, rows = fabric.multipliers + 1, load_table.RETURNS // CLASSES * classes
    return sections.Sections(
        of=np.zeros((sections.FACTS, lanes), np.int64),
        idle=words(classes, lanes),
        classes=np.zeros(classes, np.int64),
        first=words(rows, lanes),
        last=words(rows, lanes),
        limits=np.zeros((fabric.ports + 1, len(sections.PartRanges._fields)), np.int64),
    )


def _times(fabric: FabricNumbers, levels: int, *, in_python: bool) -> times.StepTimes:
    """Room for the times of as many sections, in so many loops."""
    rows = plain.chosen(times.count_rows, in_python=in_python)(fabric)
    lanes, words = fabric.multipliers, fabric.multipliers // fabric.ports + 1
    return times.StepTimes(
        now=np.zeros((rows, lanes), np.int64),
        earlier=np.zeros((levels, rows, lanes), np.int64),
        loop=np.zeros((times.FIELDS, levels), np.int64),
        class_of=np.zeros((len(DIMENSIONS), lanes + 1), np.int64),
        ready=np.zeros(lanes, np.int64),
        room=np.zeros(words, np.int64),
        sent=np.zeros(words, np.int64),
        arrived=np.zeros(lanes, np.int64),
        complete=np.zeros((4, lanes), np.int64),
        results=np.zeros((2, times.SLOTS), np.int64),
        worked=np.zeros(1, np.int64),
    )


def _exits(hardware: Hardware, fabric: FabricNumbers, *, in_python: bool) -> exits.Exits:
    bus_of_switch = np.array(buses_by_switch(topology_of(hardware).switches, hardware), np.int64)
    start = np.zeros(fabric.multipliers + 2, np.int64)
    entries = plain.chosen(exits.count_exits, in_python=in_python)(fabric, start)
    table = exits.Exits(start, *(np.zeros(entries, np.int64) for _ in range(6)))
    plain.chosen(exits.fill_exits, in_python=in_python)(fabric, bus_of_switch, table)
    return table
