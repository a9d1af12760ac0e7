"""What a placed tile consists of, for the times of its control steps: sections, virtual neurons, and parts.

A *section* is the switches of a virtual neuron under one distribution port. What differs between sections is which of a
port's words they get, how far it is from them to the sum, and how many products have room on this way. A *part* shares no
port, virtual neuron or bus with any other; parts that are alike are looked at once.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import load_table, loads, quantities, times
from maerisim.kernels.estimating.dimensions import CLASSES, OF_S, REPLICATED
from maerisim.kernels.estimating.exits import Exits, way_of
from maerisim.kernels.estimating.load_table import first_row
from maerisim.kernels.estimating.loads import Leaves
from maerisim.kernels.estimating.quantities import FabricNumbers, Shorts, TileShape, block_of, log2, next_subset

OF_SWITCH, PORT, VN, WAY, SLACK = 0, 1, 2, 3, 4
"""Rows of ``Sections.of``: the section of a multiplier switch; of a section its port, its virtual neuron, the cycles from a
multiplication to the last adder of the virtual neuron, and the products that have room between the two (0: as many as come)."""
FIRST, BUS, NEXT = 5, 6, 7
"""Of a virtual neuron: its first section (one entry more), its bus, and the next virtual neuron on that (behind the last one
the first)."""
BEGIN, LAST = 8, 9
"""Of a port its first section (one entry more); of a bus its last virtual neuron."""
FACTS = 10


class Sections(NamedTuple):
    """The sections of a placed tile.

    ``of`` [row, lane]: see the rows above. ``first``, ``last`` [load, section]: which words of its port a section gets when
    they are numbered from 1 in the order in which they are sent; 0: none. ``idle`` [class, virtual neuron]: whether it lies beyond
    the edge of a partial tile; ``classes``: those that occur. ``limits`` [part, limit of :class:`PartRanges`].
    """

    of: Ints
    idle: Shorts
    classes: Ints
    first: Shorts
    last: Shorts
    limits: Ints


class PartRanges(NamedTuple):
    """Ranges of ports, sections, virtual neurons and buses that depend on one another, and how many steps back they look at
    most when the last adder added."""

    port: int
    end_port: int
    section: int
    end_section: int
    vn: int
    end_vn: int
    bus: int
    end_bus: int
    slack: int


@helper
def part_of(index: int, limits: Ints) -> PartRanges:
    """The part with this index."""
    return PartRanges(
        limits[index, 0],
        limits[index, 1],
        limits[index, 2],
        limits[index, 3],
        limits[index, 4],
        limits[index, 5],
        limits[index, 6],
        limits[index, 7],
        limits[index, 8],
    )


@helper
def find_parts(
    shape: TileShape, fabric: FabricNumbers, exits: Exits, spills: int, alone: int, leaves: Leaves, s: Sections
) -> int:
    """Find the sections and parts of a placed tile; return the number of parts, of which equal ones count once.

    ``alone``: each switch is a section.
    """
    sections, classes, at_edge = find_sections(shape, fabric, exits, spills, alone, s), 0, shape.partial
    while at_edge >= 0:
        s.classes[classes] = at_edge
        mark_idle(shape, at_edge, at_edge, leaves, s)
        number_words(shape, at_edge, at_edge, CLASSES, sections, fabric, leaves, s)
        classes += 1
        at_edge = next_subset(at_edge, shape.partial)
    return split(shape, classes, CLASSES, fabric, leaves, s)


@helper
def find_sections(shape: TileShape, fabric: FabricNumbers, exits: Exits, spills: int, alone: int, s: Sections) -> int:
    """Find the sections of a placed tile; return their number."""
    no_limit = times.DEEPEST + 1
    size, of = shape.vn_size + spills, s.of
    block, shift = block_of(fabric, size), log2(fabric.multipliers // fabric.ports)
    sections, ports = 0, 0
    for bus in range(fabric.buses):
        of[LAST, bus] = -1
    for vn in range(shape.vn_count):
        start, bus = vn * block, exits.bus[exits.start[size] + vn]
        of[FIRST, vn], of[BUS, vn] = sections, bus
        before = of[LAST, bus] if of[LAST, bus] >= 0 else vn
        of[NEXT, vn] = of[NEXT, before] if before != vn else vn
        of[NEXT, before], of[LAST, bus] = vn, vn
        for port in range(start >> shift, ((start + size - 1) >> shift) + 1):
            while ports <= port:
                of[BEGIN, ports] = sections
                ports += 1
            first = max(start, port << shift)
            for switch in range(first, min(start + size, (port + 1) << shift)):
                if alone or switch == first:
                    of[PORT, sections], of[VN, sections] = port, vn
                    of[WAY, sections], of[SLACK, sections] = 0, no_limit
                    sections += 1
                way, room = way_of(fabric, start, size, switch)
                of[OF_SWITCH, switch] = sections - 1
                of[WAY, sections - 1] = max(of[WAY, sections - 1], way)
                of[SLACK, sections - 1] = min(of[SLACK, sections - 1], room)
    of[FIRST, shape.vn_count] = sections
    for section in range(sections):
        if of[SLACK, section] == no_limit:
            of[SLACK, section] = 0
    for port in range(ports, fabric.ports + 1):
        of[BEGIN, port] = sections
    return sections


@helper
def mark_idle(shape: TileShape, at_edge: int, outside: int, leaves: Leaves, s: Sections) -> None:
    """Find the virtual neurons that are idle in a class of control steps: those with a mark ``outside``."""
    for vn in range(shape.vn_count):
        s.idle[at_edge, vn] = int(int(leaves.vn_marks[vn]) & outside & REPLICATED != 0)


@helper
def number_words(
    shape: TileShape,
    at_edge: int,
    outside: int,
    classes: int,
    sections: int,
    fabric: FabricNumbers,
    leaves: Leaves,
    s: Sections,
) -> None:
    """Number the words at each port in one of ``classes``, in the order in which they are sent, and find those of each
    section; leaves with a mark ``outside`` get none.
    """
    outside |= loads.ABSENT
    if shape.weighted:
        number_load(load_table.WEIGHTS + at_edge, loads.OF_WEIGHT, outside, sections, fabric, leaves, s)
    number_load(first_row(load_table.INPUTS, classes) + at_edge, loads.OF_INPUT, outside, sections, fabric, leaves, s)
    if shape.slidable:
        outside |= loads.BEFORE_LAST_AT_EDGE if outside & OF_S else loads.BEFORE_LAST
        number_load(
            first_row(load_table.SLIDING, classes) + at_edge, loads.OF_INPUT, outside, sections, fabric, leaves, s
        )


@helper
def number_load(
    row: int, operand: int, outside: int, sections: int, fabric: FabricNumbers, leaves: Leaves, s: Sections
) -> None:
    """Fill the row of one load in one class of control steps; leaves with a mark ``outside`` get no word."""
    shift = log2(fabric.multipliers // fabric.ports)
    for section in range(sections):
        s.first[row, section], s.last[row, section] = 0, 0
    for port in range(leaves.reach[1]):
        number, longest = 0, 0
        for place in range(leaves.reach[0]):
            longest = max(longest, int(leaves.way[operand, place, port]))
            if int(leaves.sorted_marks[operand, place, port]) & outside:
                continue
            number += longest & 1  # another word than that of the last leaf that needs one
            longest = 0
            section = s.of[OF_SWITCH, (port << shift) + int(leaves.sorted_leaves[operand, place, port])]
            if s.last[row, section] == 0:
                s.first[row, section] = number
            s.last[row, section] = number


@helper
def split(shape: TileShape, used: int, classes: int, fabric: FabricNumbers, leaves: Leaves, s: Sections) -> int:
    """List the parts that share no port, virtual neuron and bus, equal ones once; return their number.

    The first ``used`` ones listed of ``classes`` occur.
    """
    of, limits = s.of, s.limits
    regional = fabric.wiring == quantities.REGIONAL and not fabric.together
    parts, start, last_port, last_bus = 0, 0, -1, -1
    for vn in range(shape.vn_count + 1):
        ends = vn == shape.vn_count
        if vn > start:
            ends = ends or (regional and of[PORT, of[FIRST, vn]] > last_port and of[BUS, vn] > last_bus)
        if ends:
            limits[parts, 0], limits[parts, 1] = of[PORT, of[FIRST, start]], last_port + 1
            limits[parts, 2], limits[parts, 3] = of[FIRST, start], of[FIRST, vn]
            limits[parts, 4], limits[parts, 5] = start, vn
            limits[parts, 6] = of[BUS, start] if regional else 0
            limits[parts, 7] = last_bus + 1 if regional else fabric.buses
            limits[parts, 8] = 1
            for section in range(of[FIRST, start], of[FIRST, vn]):
                limits[parts, 8] = max(limits[parts, 8], of[SLACK, section])
            new = True
            for other in range(parts):
                new = new and not alike(shape, used, classes, leaves, part_of(other, limits), part_of(parts, limits), s)
            parts += int(new)
            start = vn
        if vn < shape.vn_count:
            last_port = max(last_port, of[PORT, of[FIRST, vn + 1] - 1])
            last_bus = max(last_bus, of[BUS, vn])
    return parts


@helper
def alike(
    shape: TileShape, used: int, classes: int, leaves: Leaves, one: PartRanges, other: PartRanges, s: Sections
) -> bool:
    """Whether two parts are made in the same way, and get the same words in the same order."""
    of = s.of
    ports, sections, vns = one.end_port - one.port, one.end_section - one.section, one.end_vn - one.vn
    if ports != other.end_port - other.port or sections != other.end_section - other.section:
        return False
    if vns != other.end_vn - other.vn or one.end_bus - one.bus != other.end_bus - other.bus:
        return False
    for i in range(vns):
        a, b = one.vn + i, other.vn + i
        if of[BUS, a] - one.bus != of[BUS, b] - other.bus:
            return False
        for at in range(used):
            if s.idle[s.classes[at], a] != s.idle[s.classes[at], b]:
                return False
    for i in range(sections):
        a, b = one.section + i, other.section + i
        if of[PORT, a] - one.port != of[PORT, b] - other.port or of[VN, a] - one.vn != of[VN, b] - other.vn:
            return False
        if of[WAY, a] != of[WAY, b] or of[SLACK, a] != of[SLACK, b]:
            return False
    for load in (load_table.WEIGHTS, load_table.INPUTS, load_table.SLIDING):
        if (load == load_table.WEIGHTS and not shape.weighted) or (load == load_table.SLIDING and not shape.slidable):
            continue
        for at in range(used):
            row = first_row(load, classes) + s.classes[at]
            for i in range(sections):
                a, b = one.section + i, other.section + i
                if s.first[row, a] != s.first[row, b] or s.last[row, a] != s.last[row, b]:
                    return False
            for i in range(ports):
                if leaves.port_words[row, one.port + i] != leaves.port_words[row, other.port + i]:
                    return False
    return True
