"""When inputs move on over the forwarding links between multiplier switches instead of being sent again."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.hardware.hardware import Hardware
from maerisim.lowering.reuse import Held, Trips
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem


def forwards(problem: Problem, mapping: Mapping, hardware: Hardware, loops: Sequence[Trips], inputs: Held) -> bool:
    """Whether inputs slide along a filter row over the forwarding links instead of being sent again.

    A switch needs in the next output column what its right neighbour has now: one column a step (T_Q = 1), a window
    of several columns (T_S > 1), stride equal to dilation, nothing between the two steps that sends the row again,
    and room in the forwarding queue for the words on their way.
    """
    names = [loop.name for loop in loops]
    if (
        not hardware.multiplier.forwarding
        or "Q" not in names
        or mapping.tile_of("Q") > 1
        or mapping.tile_of("S") == 1
        or problem.stride[1] != problem.dilation[1]
        or any(loop.dimension == "Q" and loop.name in inputs.ring for loop in loops)
    ):
        return False
    if "S" in inputs.ring and len(mapping.tile_sizes(problem, "S")) > 1:
        return False  # the words held together would come half from the neighbour, half from the ports
    inside = loops[names.index("Q") + 1 :]
    if any(loop.dimension == "K" and loop.name not in inputs.reused for loop in inside):
        return False
    words = inputs.words if any(loop.dimension == "K" for loop in inside) else 0
    travelling = 1
    for loop in inside:
        travelling *= loop.trips if loop.dimension != "K" else 1
    return travelling + words <= hardware.multiplier.forward_fifo_depth
