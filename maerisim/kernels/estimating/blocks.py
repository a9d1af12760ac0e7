"""The cycles of one mapping whose loops walk blocks, by the same recurrence as those of a ranking."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import times
from maerisim.kernels.estimating.loads import count_class, fill_parts, lay_out, sort_all_words
from maerisim.kernels.estimating.nest import MaskedReuse, set_loops
from maerisim.kernels.estimating.quantities import LayerNumbers, TileShape
from maerisim.kernels.estimating.search_space import NO_LIMIT, BlockLoops, Workspace
from maerisim.kernels.estimating.sections import find_sections, mark_idle, number_words, split
from maerisim.kernels.estimating.timing import last_result


@helper
def cycles_of_blocks(layer: LayerNumbers, shape: TileShape, placement: Ints, blocks: BlockLoops, w: Workspace) -> int:
    """Cycles of a placed tile whose loops walk blocks: each class of control steps has edges of its own."""
    fabric, leaves, s, t, edge = w.fabric, w.leaves, w.sections, w.times, w.loops.edge
    levels, classes, spills = blocks.loops.shape[0], blocks.sizes.shape[0], blocks.held[5]
    for level in range(levels):
        t.loop[times.DIMENSION, level], t.loop[times.STEP, level] = blocks.loops[level, 0], blocks.loops[level, 1]
        t.loop[times.EXTENT, level] = blocks.loops[level, 2]
    for d in range(8):
        for size in range(blocks.class_of.shape[1]):
            t.class_of[d, size] = blocks.class_of[d, size]
    held = MaskedReuse(blocks.held[0], blocks.held[1], blocks.held[2], blocks.held[3], blocks.held[4])
    nest = set_loops(levels, held, spills, classes, fabric, t.loop)
    sections = find_sections(shape, fabric, w.exits, spills, 0, s)
    for at_edge in range(classes):
        outside = 0
        for d in range(8):
            edge[d] = blocks.sizes[at_edge, d]
            outside |= int(edge[d] < w.tables.tile[d]) << d
        fill_parts(layer, w.tables.tile, shape, edge, w.parts)
        lay_out(w.tables.tile, placement, shape, edge, w.parts, fabric, spills, leaves)
        sort_all_words(shape, fabric, leaves)
        count_class(shape, at_edge, outside, classes, leaves, w.placed.loads)
        s.classes[at_edge] = at_edge
        mark_idle(shape, at_edge, outside, leaves, s)
        number_words(shape, at_edge, outside, classes, sections, fabric, leaves, s)
    parts = split(shape, classes, classes, fabric, leaves, s)
    return last_result(shape, nest, fabric, leaves, w.placed.bus_totals, parts, NO_LIMIT, s, t)
