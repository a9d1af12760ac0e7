"""What the RTL's testbench can run of a layer, and the files for it.

Its loops are fixed: input channels (or folds of them) outermost, then output channels by the number of virtual neurons,
then output rows and columns. A virtual neuron holds the whole filter of one output channel. Several input channels in
a virtual neuron are a taller filter to it: R counts the filter rows of all of them, Y grows with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.rtl.configure import check_size, configure, packing
from maerisim.rtl.memory import HALF_WORD, LARGEST, SMALLEST, Files, LayerInfo
from maerisim.workload.problem import DIMENSIONS, Problem

REFUSED = "the RTL cannot run this layer: "


@dataclass(frozen=True)
class Placement:
    """What is on the array at once: ``channels`` input channels in each of ``vn_count`` virtual neurons."""

    channels: int
    vn_count: int


def prepare(problem: Problem, hardware: Hardware, mapping: Mapping | None = None, vn_count: int | None = None) -> Files:
    """The files for a layer: with the placement of ``mapping``, or else with as many virtual neurons as work.

    Raises NotSupportedError with everything that the RTL or its testbench cannot do.
    """
    reasons = [*hardware_reasons(hardware), *layer_reasons(problem)]
    if mapping is not None:
        reasons += mapping_reasons(problem, mapping)
    if reasons:
        raise NotSupportedError("\n".join(REFUSED + reason for reason in reasons))
    if mapping is None:
        placement = choose(problem, hardware, vn_count)
    else:
        placement = Placement(mapping.tile_of("C"), mapping.tile_of("K"))
    layer = LayerInfo(
        K=problem.K,
        C=problem.C // placement.channels,
        R=problem.R * placement.channels,
        S=problem.S,
        Y=problem.P + problem.R * placement.channels - 1,
        X=problem.Q + problem.S - 1,
        multipliers=hardware.multipliers,
        vn_count=placement.vn_count,
        vn_size=problem.R * problem.S * placement.channels,
    )
    too_large = [f"{size:,}" for size in layer.sizes if size > HALF_WORD]
    if too_large:
        raise NotSupportedError(f"sizes of {', '.join(too_large)} exceed the 16 bits that {HALF_WORD:,} takes")
    return Files(layer, configure(hardware.multipliers, layer.vn_size, layer.vn_count))


def choose(problem: Problem, hardware: Hardware, vn_count: int | None = None) -> Placement:
    """One input channel in a virtual neuron, as often as that works; for a filter of one weight the best number of them.

    Raises NotSupportedError when that, or the number of virtual neurons asked for, cannot be done.
    """
    if vn_count is not None and vn_count > problem.K:
        msg = f"{vn_count} virtual neurons, one per output channel, for a layer of {problem.K} output channels"
        raise NotSupportedError(msg)
    filter_size = problem.R * problem.S
    check_size(hardware.multipliers, max(2, filter_size))
    if filter_size > 1:
        return Placement(1, vn_count or min(problem.K, packing(hardware.multipliers, filter_size).largest))
    choices = []
    for channels in range(2, min(problem.C, hardware.multipliers) + 1):
        most = packing(hardware.multipliers, channels).largest
        if problem.C % channels == 0:
            choices.append(Placement(channels, vn_count or min(problem.K, most)))
    if not choices:
        msg = (
            f"a filter of one weight needs several input channels in a virtual neuron, and no number from 2 to "
            f"{hardware.multipliers} divides the {problem.C} of this layer"
        )
        raise NotSupportedError(msg)
    working = [it for it in choices if it.vn_count <= packing(hardware.multipliers, it.channels).largest] or choices[:1]
    return min(working, key=lambda placement: _duration(problem, hardware, placement))


def _duration(problem: Problem, hardware: Hardware, placement: Placement) -> float:
    """Roughly the cycles that the testbench takes for a 1x1 filter.

    For one output of every virtual neuron it sends a word per channel, one a cycle; a distribution subtree takes one in
    two cycles; a collection bus carries one result a cycle.
    """
    channels, vn_count = placement.channels, placement.vn_count
    sent = 2 * min(channels, hardware.leaves_per_port)
    collected = -(-vn_count // hardware.buses)
    output = max(channels, sent, collected)
    load = 2 * hardware.leaves_per_port
    return problem.C / channels * -(-problem.K // vn_count) * (load + problem.P * (channels + problem.Q * output))


def hardware_reasons(hardware: Hardware) -> list[str]:
    """What of the hardware the RTL cannot be built with."""
    reasons = []
    if not SMALLEST <= hardware.multipliers <= LARGEST:
        reasons.append(f"it has {SMALLEST} to {LARGEST} multipliers, not {hardware.multipliers}")
    if hardware.ports == hardware.multipliers:
        reasons.append(
            f"a distribution bandwidth of {hardware.ports} leaves subtrees of one multiplier, which it cannot build "
            f"(use {hardware.multipliers // 2} or less)"
        )
    return reasons


def layer_reasons(problem: Problem) -> list[str]:
    """What of the layer its testbench cannot walk."""
    reasons = []
    if problem.pools:
        reasons.append("a pooling, its multiplier switches multiply by weights and its adder switches only add")
    if problem.sparsity is not None:
        reasons.append("sparse weights, its virtual neurons are all of one size")
    if problem.stride != (1, 1):
        reasons.append(f"stride {_pair(problem.stride)}, its window moves by one input at a time")
    if problem.dilation != (1, 1):
        reasons.append(f"dilation {_pair(problem.dilation)}, its filter rows are dense")
    if problem.G > 1:
        reasons.append(f"{problem.G} groups (write one of them as a layer of its own)")
    if problem.N > 1:
        hint = "write one image as a layer of its own"
        if problem.R == problem.S == problem.P == problem.Q == 1:
            hint = f"write the rows of a matrix product as a conv2d with input [{problem.C}, 1, {problem.N}], kernel 1"
        reasons.append(f"a batch of {problem.N} ({hint})")
    if problem.Q == 1:
        reasons.append(f"an input as wide as the filter (X = S = {problem.S}), its row counter never ends then")
    return reasons


def mapping_reasons(problem: Problem, mapping: Mapping) -> list[str]:
    """What of a mapping does not fit the testbench's loops."""
    reasons = [
        f"a tile of {mapping.tile_of(name)} in {name}, it lays out virtual neurons along K only"
        for name in DIMENSIONS
        if name in "NGPQ" and mapping.tile_of(name) > 1
    ]
    reasons += [
        f"a tile of {mapping.tile_of(name)} in {name}, a virtual neuron holds all {size} of them"
        for name, size in (("R", problem.R), ("S", problem.S))
        if mapping.tile_of(name) != size
    ]
    channels = mapping.tile_of("C")
    if problem.C % channels:
        reasons.append(f"a tile of {channels} in C leaves a partial one of the {problem.C} input channels")
    if mapping.tile_of("K") > problem.K:
        reasons.append(f"a tile of {mapping.tile_of('K')} in K, more than the {problem.K} that the layer has")
    return reasons


def _pair(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} x {pair[1]}"
