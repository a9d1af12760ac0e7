"""What the files for the RTL hold, in a few lines."""

from __future__ import annotations

from maerisim.documents.sizes import behind
from maerisim.hardware.hardware import Hardware
from maerisim.rtl import words
from maerisim.rtl.configure import packing
from maerisim.rtl.memory import Files
from maerisim.workload.problem import Problem

MOST_ON_A_BUS = 7
"""Virtual neurons on one collection bus with which the RTL has been seen to run."""


def summary(hardware: Hardware, network: str, name: str, problem: Problem, files: Files) -> list[str]:
    """VN size and count, idle multipliers, the layer as the testbench sees it, and the modes of the switches."""
    layer, pack = files.layer, packing(hardware.multipliers, files.layer.vn_size)
    used = layer.vn_count * layer.vn_size
    placed = f"{layer.vn_count} virtual neuron{'s' if layer.vn_count > 1 else ''} of {layer.vn_size}"
    idle = hardware.multipliers - used
    lines = [
        f"{name} of {network} on {hardware.name}: {placed}, {used} of {hardware.multipliers} multipliers ({idle} idle)"
    ]
    if pack.obstacle is not None:
        lines.append(f"  at most     {pack.largest} instead of {pack.full}: {pack.obstacle}")
    channels = layer.R // problem.R
    folded = f" ({channels} input channels a fold, as filter rows)" if channels > 1 else ""
    lines.append(
        f"  layer       K {layer.K}, C {layer.C}, R {layer.R}, S {layer.S}{folded}; "
        f"input {layer.Y} x {layer.X}{_padding(problem)}; {layer.outputs:,} results"
    )
    doubles, singles = words.mode_counts(files.configuration)
    for kind, counts in (("doubles", doubles), ("singles", singles)):
        lines.append(f"  {kind}     {', '.join(f'{count} {mode}' for mode, count in counts.items())}")
    busiest = words.busiest_bus(files, hardware.buses)
    if busiest > MOST_ON_A_BUS:
        lines.append(
            f"  caution     {busiest} virtual neurons share a collection bus: the RTL has been seen to run with "
            f"{MOST_ON_A_BUS} and to deadlock with 9 (more collection bandwidth or fewer virtual neurons help)"
        )
    return lines


def _padding(problem: Problem) -> str:
    if not any(problem.padding):
        return ""
    before, after = ("x".join(map(str, sides)) for sides in (problem.padding[:2], behind(problem.padding)))
    return f", padding of {before if before == after else f'{before} before and {after} behind it'} included"
