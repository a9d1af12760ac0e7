"""Hypothesis strategies for small hardware, layers and mappings that fit them."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from maerisim.hardware import Hardware
from maerisim.mapping import REPLICATED, Mapping
from maerisim.workload import DIMENSIONS, Problem


class Case(NamedTuple):
    """A layer, a mapping that fits, and the hardware."""

    problem: Problem
    mapping: Mapping
    hardware: Hardware


def powers_up_to(limit: int) -> st.SearchStrategy[int]:
    return st.sampled_from([1 << exponent for exponent in range(limit.bit_length())])


@st.composite
def hardwares(draw: st.DrawFn, largest: int = 32) -> Hardware:
    multipliers = draw(powers_up_to(largest).filter(lambda m: m > 1))
    small = st.integers(1, 4)
    latency = st.integers(1, 3)
    input_registers = draw(small)
    return Hardware.model_validate(
        {
            "name": "drawn",
            "multipliers": multipliers,
            "distribution": {"bandwidth": draw(powers_up_to(multipliers)), "latency": draw(latency)},
            "multiplier": {
                "weight_registers": draw(st.integers(1, 8)),
                "weight_double_buffering": draw(st.booleans()),
                "input_registers": input_registers,
                "input_fifo_depth": input_registers + draw(st.integers(0, 3)),
                "partial_sum_fifo_depth": draw(small),
                "forwarding": draw(st.booleans()),
                "forward_fifo_depth": draw(st.integers(1, 8)),
                "product_fifo_depth": draw(small),
                "latency": draw(latency),
            },
            "reduction": {
                "topology": draw(st.sampled_from(["art", "art", "art", "plain_tree", "linear"])),
                "latency": draw(latency),
                "lateral_latency": draw(st.integers(0, 2)),
                "fifo_depth": draw(small),
            },
            "collection": {
                "bandwidth": draw(powers_up_to(multipliers)),
                "fifo_depth": draw(small),
                "latency": draw(latency),
                "wiring": draw(st.sampled_from(["regional", "modulo"])),
            },
            "accumulation": {"words": draw(st.sampled_from([0, 2, 8, 64, 10_000])), "latency": draw(latency)},
        }
    )


@st.composite
def problems(draw: st.DrawFn, most_macs: int = 1500) -> Problem:
    sizes = {d: draw(st.integers(1, 5)) for d in DIMENSIONS}
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
    return Problem(**sizes, stride=draw(plain | pair), dilation=draw(plain | pair))


@st.composite
def cases(draw: st.DrawFn, largest: int = 32, most_macs: int = 1500) -> Case:
    problem = draw(problems(most_macs))
    hardware = draw(hardwares(largest))
    tile = {d: draw(st.integers(1, size)) for d, size in zip(DIMENSIONS, problem.dims, strict=True)}
    order = draw(st.permutations(DIMENSIONS))
    placement = draw(st.permutations(REPLICATED))
    shrinking = draw(st.permutations(DIMENSIONS))
    mapping = Mapping.of(tile, order, placement)
    for d in shrinking:
        if not mapping.check(problem, hardware):
            break
        tile[d] = 1
        mapping = Mapping.of(tile, order, placement)
    return Case(problem, mapping, hardware)
