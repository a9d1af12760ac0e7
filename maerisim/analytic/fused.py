"""What two fused layers should cost: each as it would be alone on its share of the array, and when the second can begin.

Both are taken to go on at an even pace. The second is late by so much that none of the words that the first gives is
needed before it is there; since the steps at which a word is complete and at which it is needed are sums over its
coordinates, so is the latest of them, and no word has to be looked at. While it waits its weights are loaded, as far as
the switches hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod

import numpy as np
import numpy.typing as npt

from maerisim.analytic.analytic import estimate_steps
from maerisim.analytic.bounds import bounds
from maerisim.analytic.predicted import Estimate
from maerisim.counts.program_totals import totals
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.fused import lower_fused
from maerisim.mapping.fused import WORDS, share_of_buffer
from maerisim.mapping.legality import Legal, LegalPair
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem

Steps = npt.NDArray[np.float64]


def estimate_fused(legal: LegalPair) -> Estimate:
    """Estimate a mapping of two fused layers."""
    problem, mapping, hardware = legal.problem, legal.mapping, legal.hardware
    multipliers = (mapping.multipliers, hardware.multipliers - mapping.multipliers)
    first, second = (
        estimate_steps(Legal(layer, each, share_of_buffer(hardware, count)))
        for layer, each, count in zip(problem.layers, mapping.of_layers, multipliers, strict=True)
    )
    late = lateness(
        problem,
        completed(problem.first, mapping.first, first.cycles),
        first_needed(problem, mapping.second, second.cycles),
    )
    ahead = loaded_ahead(problem.second, mapping.second, second, hardware)
    slower = int(second.cycles > first.cycles)
    return Estimate(
        cycles=together(first.cycles, second.cycles, late, ahead),
        least_cycles=max(first.least_cycles, second.least_cycles),
        bound_cycles=fused_bound(problem, hardware),
        limited_by=f"{WORDS[slower]}: {(first, second)[slower].limited_by}",
        counters=totals(lower_fused(legal), hardware).traffic,
    )


def fused_bound(problem: FusedProblem, hardware: Hardware) -> int:
    """Cycles below which no mapping of both layers can be: each resource does the work of both."""
    both = zip(bounds(problem.first, hardware), bounds(problem.second, hardware), strict=True)
    return max(one + other - 1 for one, other in both)  # each was rounded up


def together(first: int, second: int, late: int, ahead: int) -> int:
    """Cycles of two layers that would take ``first`` and ``second`` alone on their shares, when the second is so late and
    has so many cycles of its work done ``ahead`` by then.
    """
    return max(first, second + max(0, late - ahead))


def loaded_ahead(problem: Problem, mapping: Mapping, alone: Estimate, hardware: Hardware) -> int:
    """Cycles that a layer is faster than ``alone`` when it finds its weights in the switches, as many as these hold.

    Only where its ports carry more weights than inputs; else weights load behind the inputs anyway.
    """
    ports = -(-mapping.switches // hardware.leaves_per_port)
    sent = alone.counters.distributed
    if sent["weights"] <= sent["inputs"]:
        return 0
    words = min(mapping.switches * hardware.multiplier.held_weights, sent["weights"])
    without_weights = max(_control_steps(problem, mapping), sent["inputs"] // ports)
    return max(0, min(words // ports, alone.cycles - without_weights))


@dataclass(frozen=True)
class Moments:
    """When something happens to a word (image, channel, row, column): the sum of a moment of each coordinate, in cycles.

    Where features of a fully connected layer are needed there is one row and one column.
    """

    images: Steps
    channels: Steps
    rows: Steps
    columns: Steps


def lateness(problem: FusedProblem, given: Moments, needed: Moments) -> int:
    """Cycles by which the second has to be late, so that every word is given before it is needed."""
    images = given.images - needed.images
    if problem.intermediate_shape[1] == len(given.channels):
        parts = (given.channels - needed.channels, given.rows - needed.rows, given.columns - needed.columns)
        latest = sum(float(part.max()) for part in parts)
    else:
        words = given.channels[:, None, None] + given.rows[:, None] + given.columns
        latest = float((words.ravel() - needed.channels).max()) + float(-needed.rows[0] - needed.columns[0])
    latest += float(images.max())
    return max(0, int(latest)) if latest > -inf else 0  # where padding is all that it needs it is never late


def completed(problem: Problem, mapping: Mapping, cycles: int) -> Moments:
    """When each output of a layer of so many cycles is complete."""
    steps = _steps(problem, mapping)
    pace = cycles / _control_steps(problem, mapping)
    last_fold = sum(float(steps[name].max()) for name in REDUCED)
    channels = steps["G"][:, None] + steps["K"]
    return Moments((steps["N"] + last_fold + 1) * pace, channels.ravel() * pace, steps["P"] * pace, steps["Q"] * pace)


def first_needed(problem: FusedProblem, mapping: Mapping, cycles: int) -> Moments:
    """When each word between two layers is first needed by the second, which takes so many cycles."""
    layer = problem.second
    steps = _steps(layer, mapping)
    pace = cycles / _control_steps(layer, mapping)
    _, _, rows, columns = problem.intermediate_shape
    channels = steps["G"][:, None] + steps["C"]
    return Moments(
        steps["N"] * pace,
        channels.ravel() * pace,
        _earliest(steps["P"], steps["R"], layer.stride[0], layer.dilation[0], layer.padding[0], rows) * pace,
        _earliest(steps["Q"], steps["S"], layer.stride[1], layer.dilation[1], layer.padding[1], columns) * pace,
    )


def _earliest(outputs: Steps, taps: Steps, stride: int, dilation: int, padding: int, size: int) -> Steps:
    """For each of ``size`` rows (or columns) the first step in which a tap of an output meets it; never: infinite."""
    place = np.arange(len(outputs))[:, None] * stride + np.arange(len(taps)) * dilation - padding
    step = outputs[:, None] + taps
    inside = (place >= 0) & (place < size)
    earliest = np.full(size, np.inf)
    np.minimum.at(earliest, place[inside], step[inside])
    return earliest


def _steps(problem: Problem, mapping: Mapping) -> dict[str, Steps]:
    """By dimension and index the control steps that its loop has taken when it comes to the tile of that index."""
    trips = dict(zip(DIMENSIONS, mapping.trips(problem), strict=True))
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    found = {}
    for place, name in enumerate(mapping.order):
        period = prod(trips[inner] for inner in mapping.order[place + 1 :])
        found[name] = (np.arange(sizes[name]) // mapping.tile_of(name) * period).astype(np.float64)
    return found


def _control_steps(problem: Problem, mapping: Mapping) -> int:
    return prod(mapping.trips(problem))
