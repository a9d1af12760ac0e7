"""The mapping that mRNA chooses (Zhao et al., mRNA, ISPASS 2019; ``Analyzer.cpp`` of its release).

The whole filter stays in a virtual neuron, one output at a time; only T_C and T_K are chosen, by mRNA's own estimate of
cycles or energy. That estimate knows neither collection bandwidth nor fill and drain, and adds up partial sums in a
pass of their own. It takes x for the height, so that windows slide along the width.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from maerisim.analytic.objective import Objective, score
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem
from mapper.references.fitting import first_legal, fits, with_size

FULL_ENOUGH = 0.8
"""Share of the multipliers that whole virtual neurons must fill, or else channels are folded."""
ORDERS = ("N G C R S K P Q", "N G K C R S P Q", "N G K P C R S Q", "N G K P Q C R S")
"""mRNA's loops N > C > K > P > Q, and the same with the folding loop further in."""


class Candidate(NamedTuple):
    """A tile that mRNA considers, and what it expects of it for one image and one group of channels."""

    channels: int
    filters: int
    cycles: int
    energy: float


def mrna(problem: Problem, hardware: Hardware, objective: Objective = "cycles") -> Mapping:
    """The tile that mRNA chooses, walked as it does; see :func:`walked`.

    Raises MappingError when mRNA has no mapping, or none that the array takes.
    """
    found = [] if problem.pools else candidates(problem, hardware)
    if not found:
        msg = "mrna"
        raise MappingError(msg, [_refusal(problem, hardware)])
    best = min(found, key=lambda candidate: score(objective, candidate.cycles, candidate.energy)[0])
    return walked(best.channels, best.filters, problem, hardware)


def walked(channels: int, filters: int, problem: Problem, hardware: Hardware) -> Mapping:
    """A tile of mRNA in its loop order where the partial sums fit the accumulation buffer.

    Where they do not, the loop over channels moves inwards until they do: mRNA leaves them to a pass of their own, which
    costs it more. Groups and images follow one another. Where partial sums return all the same, fewer filters, or else
    channels, find room at once. Raises MappingError when that does not help.
    """
    tile = {"R": problem.R, "S": problem.S, "C": channels, "K": filters}
    mappings = [Mapping.of(tile, order) for order in ORDERS]
    kept = [mapping for mapping in mappings if not mapping.spills(problem, hardware)]
    last = mappings[-1]
    for dimension in "KC":
        while last.tile_of(dimension) > 1 and not fits(last, problem, hardware):
            last = with_size(last, dimension, last.tile_of(dimension) - 1)
    return first_legal("mrna", [*kept, last], problem, hardware)


def candidates(problem: Problem, hardware: Hardware) -> list[Candidate]:
    """The tiles among which mRNA chooses, in its order; of equals it takes the first. None when it has no mapping."""
    taps, multipliers = problem.R * problem.S, hardware.multipliers
    if (problem.P, problem.Q, taps) == (1, 1, 1):
        return [_fully_connected(problem, hardware)]
    whole = taps * problem.C
    fitting = multipliers // whole
    if fitting * whole >= FULL_ENOUGH * multipliers or whole * problem.K < multipliers:
        filters = min(problem.K, fitting)
        cost = _convolution(problem, hardware, problem.C, filters)
        return [Candidate(problem.C, filters, cost.cycles, cost.energy(hardware))]
    if taps > multipliers:
        return []
    return [
        candidate
        for channels, filters in _pairs(multipliers // taps, problem)
        for candidate in _folded(problem, hardware, channels, filters)
    ]


def _refusal(problem: Problem, hardware: Hardware) -> str:
    taps, multipliers = problem.R * problem.S, hardware.multipliers
    if problem.pools:
        return "mRNA has no mapping for a pooling"
    if taps > multipliers:
        filters = f"a whole filter of {problem.R} x {problem.S} = {taps} taps"
        return f"mRNA keeps {filters} in a virtual neuron, {multipliers} multipliers are there"
    return f"mRNA adds up at most {multipliers}^2 partial sums of an output"


def _pairs(product: int, problem: Problem) -> list[tuple[int, int]]:
    """Every (T_C, T_K) whose product is the largest up to ``product`` that the layer has room for."""
    for whole in range(product, 0, -1):
        halves = [n for n in range(1, whole + 1) if n * n <= whole and whole % n == 0]
        both = [pair for n in halves for pair in ((n, whole // n), (whole // n, n))]
        possible = [(channels, filters) for channels, filters in both if channels <= problem.C and filters <= problem.K]
        if possible:
            return possible
    return []


# --- mRNA's estimate --------------------------------------------------------------------------------------------------


class _Cost(NamedTuple):
    """mRNA's counts of a configuration of the fabric: words and operations, and its cycles."""

    cycles: int
    buffer: int = 0
    registers: int = 0
    forwards: int = 0
    multiplications: int = 0
    distribution: int = 0
    reduction: int = 0
    additions: int = 0
    dram: int = 0

    def plus(self, other: _Cost) -> _Cost:
        return _Cost(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def energy(self, hardware: Hardware) -> float:
        """In the unit of the energy table of ``hardware``."""
        table = hardware.energy
        return (
            self.buffer * table.global_buffer_access
            + self.registers * table.register_access
            + self.forwards * table.multiplier_switch_access
            + self.multiplications * table.multiply
            + self.distribution * table.distribution_switch_access
            + self.reduction * table.reduction_switch_access
            + self.additions * table.add
            + self.dram * table.dram_access
        )


def _tree(leaves: int) -> tuple[int, int, int]:
    """Links, additions of two, and levels of the binary tree over so many leaves."""
    links = additions = levels = 0
    while leaves > 1:
        links += leaves
        additions += leaves // 2
        levels += 1
        leaves = -(-leaves // 2)
    return links, additions, levels


def _convolution(problem: Problem, hardware: Hardware, channels: int, filters: int) -> _Cost:
    """The products: ``filters`` virtual neurons of ``channels`` whole filter slices, one output each a step."""
    bandwidth, depth = hardware.ports, hardware.multipliers.bit_length() - 1
    size = problem.R * problem.S * channels
    loads = -(-problem.K // filters) * -(-problem.C // channels)
    steps = problem.P * problem.Q * loads
    slides = problem.stride == (1, 1)
    # A window that slides brings one column of new inputs, the first of a row all of them.
    starts = problem.P * loads if slides else steps
    column = problem.R * channels
    slid = steps - starts
    sent = starts * size + slid * column
    links, _, levels = _tree(filters)
    multicast = links + (depth - levels) * filters
    of_size, additions, _ = _tree(size)
    return _Cost(
        cycles=(
            slid * -(-column // bandwidth) + starts * -(-size // bandwidth) + loads * -(-(filters * size) // bandwidth)
        ),
        # Only inputs that slide count as multicast where they are read; others are read for every virtual neuron.
        buffer=(sent if slides else sent * filters) + size * filters * loads + filters * steps,
        registers=(sent * filters if slides else size * filters * steps) + size * filters * steps,
        forwards=(size - column) * filters * slid,
        multiplications=size * filters * steps,
        # Inputs that slide are left out of the links, as mRNA does.
        distribution=loads * depth * filters * size + multicast * starts * size,
        reduction=of_size * filters * steps,
        additions=additions * filters * steps,
    )


def _adding(outputs: int, summands: int, hardware: Hardware) -> _Cost:
    """A pass that adds up ``summands`` partial sums of each output, which come from the buffer and go there."""
    multipliers, depth = hardware.multipliers, hardware.multipliers.bit_length() - 1
    size = min(summands, multipliers)
    count = multipliers // size
    steps = -(-outputs // count) * -(-summands // multipliers)
    words = count * size * steps
    links, additions, _ = _tree(size)
    return _Cost(
        cycles=steps * -(-(count * size) // hardware.ports),
        buffer=words + count * steps,
        registers=words,
        distribution=depth * words,
        reduction=links * count * steps,
        additions=additions * count * steps,
        dram=256 * (outputs * summands * 2 // 1024),
    )


def _folded(problem: Problem, hardware: Hardware, channels: int, filters: int) -> list[Candidate]:
    """A tile with the passes that add up its partial sums: one, or two when an output has more than multipliers."""
    outputs = problem.P * problem.Q * problem.K
    cost = _convolution(problem, hardware, channels, filters)
    summands = -(-problem.C // channels)
    cost = cost.plus(_adding(outputs, summands, hardware))
    if summands > hardware.multipliers:
        left = -(-summands // hardware.multipliers)
        if left > hardware.multipliers:
            return []
        cost = cost.plus(_adding(outputs, left, hardware))
    return [Candidate(channels, filters, cost.cycles, cost.energy(hardware))]


def _fully_connected(problem: Problem, hardware: Hardware) -> Candidate:
    """mRNA has one mapping for a fully connected layer, so its energy is not needed: inf."""
    multipliers, bandwidth = hardware.multipliers, hardware.ports
    inputs, outputs = problem.C, problem.K
    if inputs <= multipliers:
        count = multipliers // inputs
        cycles = -(-inputs // bandwidth) + -(-outputs // count) * -(-(count * inputs) // bandwidth)
        return Candidate(inputs, min(outputs, count), cycles, inf)
    segments = -(-inputs // multipliers)
    cycles = -(-multipliers // bandwidth) * (segments + outputs * segments)
    if segments <= multipliers:
        count = outputs if outputs * segments < multipliers else multipliers // segments
        cycles += -(-outputs // count) * -(-(count * segments) // bandwidth)
    return Candidate(multipliers, 1, cycles, inf)
