"""The layout of a layer in lock step, of which there is one."""

from __future__ import annotations

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.rtl.layer import choose
from maerisim.ways.way import estimate
from maerisim.workload.problem import Problem
from mapper.choice import Choice


def only_layout(problem: Problem, hardware: Hardware) -> Choice:
    """The layout that the published RTL's testbench has for a layer, with as many virtual neurons as its switches sum."""
    placement = choose(problem, hardware)
    tile = {"K": placement.vn_count, "C": placement.channels, "R": problem.R, "S": problem.S}
    mapping = Mapping.of(tile, "N G C R S K P Q")
    reason = f"the one layout that the RTL's testbench walks, with the {placement.vn_count} virtual neurons that work"
    return Choice(mapping, estimate(problem, mapping, hardware), 1, reason)
