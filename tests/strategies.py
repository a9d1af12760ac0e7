"""Hypothesis strategies for small hardware, layers and mappings that fit them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping, shares
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem
from maerisim.workload.sparsity import Sparsity


class Case(NamedTuple):
    """A layer, a mapping that fits, and the hardware."""

    problem: Problem
    mapping: Mapping
    hardware: Hardware


def powers_up_to(limit: int) -> st.SearchStrategy[int]:
    return st.sampled_from([1 << exponent for exponent in range(limit.bit_length())])


@st.composite
def hardwares(draw: st.DrawFn, largest: int = 32, *, controllers: bool = True) -> Hardware:
    multipliers = draw(powers_up_to(largest).filter(lambda m: m > 1))
    holding_back = draw(st.sampled_from([False, False, True])) if controllers else False
    padded = holding_back and draw(st.booleans())
    together = padded and draw(st.booleans())
    sums_first = holding_back and draw(st.booleans())
    small = st.integers(1, 4)
    topology = draw(st.sampled_from(["art", "art", "art", "fan", "plain_tree", "linear"]))
    latency = st.integers(1, 3)
    input_registers = draw(small)
    return Hardware.model_validate(
        {
            "name": "drawn",
            "multipliers": multipliers,
            "controller": {
                "steps_per_cycle": draw(st.sampled_from([None, 1, 2])) if holding_back else None,
                "weights_first": together and draw(st.booleans()),
                "wait_for_outputs": together and draw(st.booleans()),
                "wait_across_images": draw(st.booleans()),
                "pad_edges": padded,
            },
            "distribution": {
                "bandwidth": draw(powers_up_to(multipliers)),
                "latency": draw(latency),
                "partial_sums_first": sums_first,
                "partial_sums_as_they_arrive": together and sums_first and draw(st.booleans()),
            },
            "multiplier": {
                "weight_registers": draw(st.integers(1, 8)) * (16 if together else 1),
                "weight_double_buffering": draw(st.booleans()),
                "wait_for_all_weights": together,
                "input_registers": 0 if holding_back and draw(st.booleans()) else input_registers,
                "input_fifo_depth": input_registers + draw(st.integers(0, 3)),
                "partial_sum_fifo_depth": draw(small),
                "forwarding": draw(st.booleans()),
                "forward_fifo_depth": draw(st.integers(1, 8)),
                "product_fifo_depth": draw(small),
                "latency": draw(latency),
            },
            "reduction": {
                "topology": topology,
                "latency": draw(latency),
                "lateral_latency": draw(st.integers(0, 2)),
                "crossing": draw(st.sampled_from(["single", "shorter_end"])),
                "exit": draw(st.sampled_from(["own_level"] + ["last_level"] * (topology == "fan"))),
                "fifo_depth": draw(small),
            },
            "collection": {
                "bandwidth": draw(powers_up_to(multipliers)),
                "fifo_depth": draw(small),
                "latency": draw(latency),
                "wiring": draw(
                    st.sampled_from(["regional", "modulo"] + ["pairs"] * (topology not in ("linear", "fan")))
                ),
                "arbiter": draw(st.sampled_from(["round_robin", "least_recently_granted"])),
                "write_back": draw(st.sampled_from(["all", "half"])),
            },
            "accumulation": {"words": draw(st.sampled_from([0, 2, 8, 64, 10_000])), "latency": draw(st.integers(0, 3))},
        }
    )


@st.composite
def problems(draw: st.DrawFn, most_macs: int = 1500) -> Problem:
    sizes = {d: draw(st.integers(1, 5) | st.integers(1, 9)) for d in DIMENSIONS}
    shrinking = draw(st.permutations(DIMENSIONS))
    for d in shrinking:
        macs = 1
        for size in sizes.values():
            macs *= size
        if macs <= most_macs:
            break
        sizes[d] = 1
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    plain = st.just((1, 1))
    operation = draw(st.sampled_from(["multiply", "multiply", "multiply", "add", "max"]))
    return Problem(**sizes, stride=draw(plain | pair), dilation=draw(plain | pair), operation=operation)


@st.composite
def mappings(draw: st.DrawFn, problem: Problem, hardware: Hardware, *, blocks: bool = True) -> Mapping:
    """A mapping that fits, or one of a single virtual neuron where even that does not; its loops may walk ``blocks``."""
    order: list[str] = draw(st.permutations(DIMENSIONS))
    if hardware.multiplier.wait_for_all_weights:
        order = [d for d in order if d not in "CRS"] + [d for d in order if d in "CRS"]
    tile = {d: draw(st.integers(1, size)) for d, size in zip(DIMENSIONS, problem.dims, strict=True)}
    placement = draw(st.permutations(REPLICATED))
    shrinking = draw(st.permutations(DIMENSIONS))
    mapping = Mapping.of(tile, order, placement)
    for d in shrinking:
        if not violations(problem, mapping, hardware):
            break
        tile[d] = 1
        mapping = Mapping.of(tile, order, placement)
    if not blocks:
        return mapping
    cut = Mapping.of(tile, draw(cut_orders(order, problem, mapping)), placement)
    return mapping if violations(problem, cut, hardware) else cut


@st.composite
def cut_orders(draw: st.DrawFn, order: list[str], problem: Problem, mapping: Mapping) -> list[str]:
    """A loop order with up to three more loops, each over blocks of a dimension, anywhere outside the loops inside a block."""
    loops = list(order)
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    inner = {d: mapping.tile_of(d) for d in DIMENSIONS}
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        larger = [d for d in DIMENSIONS if sizes[d] > inner[d] + 1]
        if not larger:
            break
        d = draw(st.sampled_from(larger))
        inner[d] = draw(st.integers(inner[d] + 1, sizes[d] - 1))
        inside = next(place for place, loop in enumerate(loops) if loop.partition(":")[0] == d)
        loops.insert(draw(st.integers(0, inside)), f"{d}:{inner[d]}")
    return loops


@st.composite
def cases(
    draw: st.DrawFn, largest: int = 32, most_macs: int = 1500, *, controllers: bool = True, blocks: bool = True
) -> Case:
    """Layers with mappings that fit them and the hardware; their loops may walk ``blocks``."""
    problem = draw(problems(most_macs))
    hardware = draw(hardwares(largest, controllers=controllers))
    mapping = draw(mappings(problem, hardware, blocks=blocks))
    assume(not violations(problem, mapping, hardware))
    return Case(problem, mapping, hardware)


@st.composite
def sparse_cases(draw: st.DrawFn, largest: int = 32, most_macs: int = 1500) -> Case:
    """Layers with zeros among their weights, mapped as :mod:`maerisim.mapping.sparse_rounds` counts."""
    dense = draw(problems(most_macs))
    sparsity = Sparsity(density=draw(st.floats(0.05, 1)), seed=draw(st.integers(0, 99)))
    problem = replace(dense, operation="multiply", sparsity=sparsity)
    hardware = draw(hardwares(largest, controllers=False))
    filters = problem.mask.reshape(problem.G * problem.K, -1).sum(axis=1)
    inner: list[str] = draw(st.permutations("NPQC"))
    tile = {"K": draw(st.integers(1, len(filters))), "C": draw(st.integers(1, max(1, int(filters.max()))))}
    tile |= {name: draw(st.integers(1, getattr(problem, name))) for name in "NPQ"}
    placement = draw(st.permutations(REPLICATED))
    mapping = Mapping.of(tile, ["G", "K", *inner, "R", "S"], placement)
    for d in draw(st.permutations("NPQCK")):
        if not violations(problem, mapping, hardware):
            break
        tile[d] = 1
        mapping = Mapping.of(tile, ["G", "K", *inner, "R", "S"], placement)
    return Case(problem, mapping, hardware)


class FusedCase(NamedTuple):
    """Two layers, a mapping of both that fits, and the hardware."""

    problem: FusedProblem
    mapping: FusedMapping
    hardware: Hardware


@st.composite
def fused_problems(draw: st.DrawFn, firsts: st.SearchStrategy[Problem]) -> FusedProblem:
    """A layer, and one that takes its outputs in: as rows and columns of channels or, fully connected, as features."""
    first = draw(firsts)
    channels, operation = first.G * first.K, draw(st.sampled_from(["multiply", "multiply", "add", "max"]))
    if operation == "multiply" and draw(st.sampled_from([False, False, True])):
        return FusedProblem(first, Problem(N=first.N, C=channels * first.P * first.Q, K=draw(st.integers(1, 4))))
    before = (draw(st.integers(0, 1)), draw(st.integers(0, 1)))
    after = draw(st.sampled_from([before, before, (1, 0), (2, 1)]))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    rows, columns = (
        draw(st.integers(max(1, *pads), min(3, size + sum(pads))))
        for size, *pads in zip((first.P, first.Q), before, after, strict=True)
    )
    groups = draw(st.sampled_from([group for group in range(1, channels + 1) if channels % group == 0]))
    return FusedProblem(
        first,
        Problem(
            N=first.N,
            G=channels if operation != "multiply" else groups,
            C=1 if operation != "multiply" else channels // groups,
            K=1 if operation != "multiply" else draw(st.integers(1, 3)),
            R=rows,
            S=columns,
            P=(first.P + before[0] + after[0] - rows) // stride[0] + 1,
            Q=(first.Q + before[1] + after[1] - columns) // stride[1] + 1,
            stride=stride,
            padding=before if before == after else (*before, *after),
            operation=operation,
        ),
    )


SMALL_FIRSTS = problems(most_macs=300)


@st.composite
def fused_cases(draw: st.DrawFn, largest: int = 32, firsts: st.SearchStrategy[Problem] = SMALL_FIRSTS) -> FusedCase:
    problem = draw(fused_problems(firsts))
    hardware = draw(hardwares(largest, controllers=False).filter(lambda hardware: hardware.ports > 1))
    multipliers = hardware.leaves_per_port * draw(st.integers(1, hardware.ports - 1))
    first, second = (
        draw(mappings(layer, share, blocks=False))
        for layer, share in zip((problem.first, problem.second), shares(hardware, multipliers), strict=True)
    )
    return FusedCase(problem, FusedMapping(first, second, multipliers), hardware)
