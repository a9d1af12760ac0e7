"""Whether the mapping that the mapper chooses is the best there is, found out by simulating all of them.

    python benchmarks/exhaustive.py [--hardware maeri-16] [--jobs N] [LAYER ...]
    python benchmarks/exhaustive.py --sample 150 [--hardware maeri-16] [--jobs N] [LAYER ...]
    python benchmarks/exhaustive.py --nests [--jobs N] [LAYER ...]

Twenty small layers of all kinds. Every legal mapping is simulated in full: every tile, every order of the loops that
turn, every placement of the dimensions of which there are several virtual neurons. So the error of the estimate is known
for every mapping too, not only for the best. Prints a line per layer, and as the last line JSON ``{"layers": n, "mappings":
n, "chosen_is_best": n, "within_half_a_percent": n, "worst_gap": x, "mean_abs_error": x, "overestimate": x, "underestimate":
x, "beyond_published": n}``: the gap is the chosen mapping's cycles over the best's, less 1; errors are relative to the
simulated cycles; ``beyond_published`` counts estimates further above the simulation than
:func:`maerisim.analytic.accuracy.largest_overestimate` says. Exit code 1 when there are any, or a gap is above 0.5 %.
With ``--sample`` so many random mappings of each layer stand for all of them. A LAYER is one of these, or sizes like
``N4K5C2``. The thousands of mappings are simulated alone, and estimated a tile at a time, as the mapper does it.

With ``--nests``, the space of :mod:`every_nest` instead: every nest of loops with up to two cuts a dimension, of other
layers, on 4 multipliers with a small accumulation buffer and few registers. Also printed: the best with one loop a dimension;
in the JSON ``in_blocks`` (mappings with loops over blocks), ``needs_blocks`` (layers of which no mapping with one loop a
dimension is as good as the best), ``mean_of_ten`` and ``worst_of_ten`` (errors of the ten best mappings of each layer).
``beyond_published`` are then estimates further off than :data:`maerisim.analytic.accuracy.ANY_NEST` says. A gap is a number
like others, as the search makes only some of these nests.

Either way ``bounds_above_simulation`` counts the certain bounds that a simulation undercuts: of a mapping (``floors``), of all
nests (``nest_gap``) and of all with one loop a dimension (``certain_gap``). Exit code 1 when there are any.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, permutations
from math import inf
from typing import Any, NamedTuple

import numpy as np
from every_nest import every_nest
from reporting import hardware_of, mapped, options, progress, run_script

from maerisim import Hardware, Mapping, Problem
from maerisim.analytic.accuracy import ANY_NEST, largest_overestimate
from maerisim.analytic.ranking import estimate_many, floors
from maerisim.kernels.estimating import entries
from maerisim.mapping.mapping import REPLICATED
from maerisim.reports.findings import LayerReport
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.problem import DIMENSIONS
from mapper.space import all_tiles

MOST = 0.005
"""The largest gap that is accepted."""
ROUNDED = 1 + 1e-12
"""What is a float may be rounded by this."""
LAYERS = {
    "3x3 convolution": Problem(K=4, R=3, S=3, P=4, Q=4),
    "channels": Problem(K=3, C=4, R=2, S=2, P=2, Q=3),
    "1x1 convolution": Problem(K=12, C=10, P=3, Q=5),
    "strided": Problem(K=4, R=3, S=3, P=3, Q=3, stride=(2, 2)),
    "dilated": Problem(K=3, R=3, S=3, P=4, Q=4, dilation=(2, 2)),
    "grouped": Problem(G=3, K=2, C=2, R=2, S=2, P=2, Q=2),
    "depthwise": Problem(G=6, R=3, S=3, P=4, Q=4),
    "depthwise, strided": Problem(G=5, R=3, S=3, P=3, Q=3, stride=(2, 2)),
    "batched": Problem(N=3, K=4, C=3, R=2, P=4),
    "filter larger than the array": Problem(K=3, R=5, S=5, P=3, Q=3),
    "long rows": Problem(K=5, S=5, C=2, Q=24),
    "fully connected": Problem(K=24, C=40),
    "fully connected, batched": Problem(N=6, K=14, C=18),
    "matrix product": Problem(N=9, K=7, C=11),
    "attention heads": Problem(N=5, G=3, K=5, C=6),
    "element-wise": Problem(G=48, C=2),
    "max pooling": Problem(G=6, R=2, S=2, P=5, Q=5, stride=(2, 2), operation="max"),
    "overlapping pooling": Problem(G=4, R=3, S=3, P=4, Q=4, stride=(2, 2), operation="max"),
    "average pooling": Problem(G=14, R=4, S=4, operation="add"),
    "one filter": Problem(C=4, R=3, S=3, P=4, Q=4),
}
"""Small layers, named by what is special about them."""
LAYERS_IN_BLOCKS = {
    "matrix product": Problem(N=3, K=4, C=3),
    "of many folds": Problem(N=3, K=3, C=6),
    "of sizes that nothing divides": Problem(N=5, K=5, C=2),
    "wide": Problem(N=3, K=8, C=2),
    "of heads": Problem(N=3, G=2, K=4, C=2),
    "outer product": Problem(N=4, K=6),
    "1x1 convolution": Problem(K=4, C=3, Q=4),
    "row convolution": Problem(K=3, C=2, S=2, Q=4),
    "column convolution": Problem(K=4, R=3, P=4),
    "3x2 convolution": Problem(K=3, R=3, S=2, P=3),
    "strided": Problem(K=3, C=3, S=2, Q=3, stride=(1, 2)),
    "batched convolution": Problem(N=2, K=3, S=3, Q=3),
    "depthwise": Problem(G=3, S=3, Q=4),
    "pooling": Problem(G=3, R=2, P=2, Q=3, operation="max"),
}
"""Smaller ones, for every nest of loops."""
SCARCE = {
    "multipliers": 4,
    "accumulation.words": 4,
    "multiplier.weight_registers": 2,
    "multiplier.input_registers": 2,
}
"""What makes loops over blocks worth something on them."""


class Outcome(NamedTuple):
    """The best of all mappings, and the chosen one, by simulated cycles; the signed relative errors of all estimates.

    ``one_loop``: the best of those with one loop a dimension. ``best_errors`` are those of the ten best mappings.
    """

    name: str
    mappings: int
    in_blocks: int
    best: int
    best_mapping: Mapping
    one_loop: int
    chosen: int
    chosen_mapping: Mapping
    errors: list[float]
    best_errors: list[float]
    bounds_above: int

    @property
    def gap(self) -> float:
        return self.chosen / self.best - 1


def layer_of(name: str, *, nests: bool) -> Problem | None:
    """The layer of this name, or of sizes like ``N4K5C2``; None when it is neither."""
    sizes = re.findall(r"([NGKCRSPQ])([1-9]\d*)", name)
    if sizes and "".join(map("".join, sizes)) == name:
        return Problem(**{d: int(size) for d, size in sizes})
    return (LAYERS_IN_BLOCKS if nests else LAYERS).get(name)


def all_mappings(problem: Problem, hardware: Hardware) -> Iterator[Mapping]:
    """Every legal mapping, those once that differ only in loops that do not turn or in single virtual neurons."""
    for sizes in all_tiles(problem, hardware):
        tile = dict(zip(DIMENSIONS, (int(size) for size in sizes), strict=True))
        turning = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if size > tile[d]]
        several = [d for d in REPLICATED if tile[d] > 1]
        still = [d for d in DIMENSIONS if d not in turning]
        single = [d for d in REPLICATED if d not in several]
        for order in permutations(turning):
            mapping = Mapping.of(tile, [*still, *order])
            if violations(problem, mapping, hardware):
                continue
            for placement in permutations(several):
                yield Mapping.of(tile, mapping.order, [*single, *placement])


def some_mappings(problem: Problem, hardware: Hardware, count: int) -> list[Mapping]:
    """At most so many legal mappings, drawn at random from twenty times as many, the same each time."""
    draw, tiles = random.Random(1), all_tiles(problem, hardware)
    found: set[Mapping] = set()
    for _ in range(20 * count):
        tile = dict(zip(DIMENSIONS, map(int, tiles[draw.randrange(len(tiles))]), strict=True))
        order = draw.sample(DIMENSIONS, len(DIMENSIONS))
        if hardware.multiplier.wait_for_all_weights:
            order.sort(key=lambda d: d not in REPLICATED)
        mapping = Mapping.of(tile, order, draw.sample(REPLICATED, len(REPLICATED)))
        if not violations(problem, mapping, hardware):
            found.add(mapping)
        if len(found) == count:
            break
    return sorted(found, key=lambda mapping: mapping.tile)


def estimated_cycles(problem: Problem, mappings: Sequence[Mapping], hardware: Hardware) -> list[int]:
    """The estimates of mappings, of which those of a tile lie side by side."""
    cycles: list[int] = []
    for tile, members in groupby(mappings, key=lambda mapping: mapping.tile):
        together = list(members)
        if any(mapping.cuts for mapping in together):
            cycles += [estimate(problem, mapping, hardware).cycles for mapping in together]
        else:
            walks = [(mapping.order, mapping.placement) for mapping in together]
            cycles += estimate_many(problem, [tile], walks, hardware)[0, :, entries.CYCLES].tolist()
    return cycles


def bounds_above(problem: Problem, hardware: Hardware, cycles: dict[Mapping, int], choice: LayerReport) -> int:
    """How many certain bounds are above what is simulated."""
    least: dict[tuple[Sequence[int], Sequence[str]], int] = {}
    for mapping, simulated in cycles.items():
        key = (mapping.tile, mapping.placement)
        least[key] = min(simulated, least.get(key, simulated))
    above = 0
    for (tile, placement), simulated in least.items():
        (floor,) = floors(problem, hardware, np.array([tile], np.int32), "cycles", inf, [placement])
        above += floor.score > simulated * ROUNDED
    account = choice.certificate
    assert account is not None
    chosen = simulate(problem, choice.mapping, hardware).cycles
    above += chosen * (1 - account.certain_gap) > min(c for m, c in cycles.items() if not m.cuts) * ROUNDED
    return above + (chosen * (1 - (account.nest_gap or 0.0)) > min(cycles.values()) * ROUNDED)


def run(name: str, hardware: Hardware, *, nests: bool = False, sample: int = 0) -> Outcome:
    """Simulate all mappings of a layer, or a ``sample`` of so many."""
    problem = layer_of(name, nests=nests)
    assert problem is not None
    space: Iterable[Mapping] = every_nest(problem, hardware) if nests else all_mappings(problem, hardware)
    if sample:
        space = some_mappings(problem, hardware, sample)
    cycles = {mapping: simulate(problem, mapping, hardware).cycles for mapping in space}
    ascending = sorted(cycles, key=lambda mapping: cycles[mapping])
    estimates = estimated_cycles(problem, list(cycles), hardware)
    errors = {mapping: each / cycles[mapping] - 1 for mapping, each in zip(cycles, estimates, strict=True)}
    choice = mapped(problem, hardware)
    return Outcome(
        name=name,
        mappings=len(cycles),
        in_blocks=sum(bool(mapping.cuts) for mapping in cycles),
        best=cycles[ascending[0]],
        best_mapping=ascending[0],
        one_loop=next(cycles[mapping] for mapping in ascending if not mapping.cuts),
        chosen=simulate(problem, choice.mapping, hardware).cycles,
        chosen_mapping=choice.mapping,
        errors=list(errors.values()),
        best_errors=[errors[mapping] for mapping in ascending[:10]],
        bounds_above=bounds_above(problem, hardware, cycles, choice),
    )


def outcomes(names: list[str], hardware: Hardware, jobs: int, *, nests: bool, sample: int) -> Iterator[Outcome]:
    """All layers, on several processes; the kernels are compiled before there are several."""
    simulate(LAYERS["one filter"], Mapping.of({}, "N G K P Q C R S"), hardware)
    one = partial(run, hardware=hardware, nests=nests, sample=sample)
    for finished, outcome in enumerate(in_processes(one, names, jobs, in_order=True), 1):
        yield outcome
        progress(f"{finished} of {len(names)} layers")


def main() -> int:
    """Run the layers."""
    parser = options(__doc__)
    known = f"of: {', '.join(LAYERS)}; with --nests of: {', '.join(LAYERS_IN_BLOCKS)}"
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=f"{known}; or sizes like N4K5C2; default: all")
    parser.add_argument("--hardware", default="maeri-16", help="a name or file, and changes: stonne,multipliers=16")
    parser.add_argument(
        "--nests", action="store_true", help="every nest of loops, of smaller layers on less of the hardware"
    )
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="so many random mappings of each layer")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    layers = LAYERS_IN_BLOCKS if arguments.nests else LAYERS
    unknown = [name for name in arguments.layers if layer_of(name, nests=arguments.nests) is None]
    if unknown:
        parser.error(f"no layer {unknown[0]!r}; there are: {', '.join(layers)}, and those of sizes like N4K5C2")
    hardware = hardware_of(arguments.hardware)
    if arguments.nests:
        hardware = hardware.with_overrides(SCARCE)
    found = []
    one_loop = f" {'one loop':>9}" if arguments.nests else ""
    print(
        f"{'layer':30} {'mappings':>9} {'best':>7}{one_loop} {'chosen':>7} {'gap':>7} {'errors of estimates':>20}  chosen mapping"
    )
    named, kind = arguments.layers or list(layers), {"nests": arguments.nests, "sample": arguments.sample}
    for outcome in outcomes(named, hardware, arguments.jobs, **kind):
        found.append(outcome)
        better = f"; best: {outcome.best_mapping}" if outcome.gap else ""
        one_loop = f" {outcome.one_loop:9,}" if arguments.nests else ""
        print(
            f"{outcome.name:30} {outcome.mappings:9,} {outcome.best:7,}{one_loop} {outcome.chosen:7,} {outcome.gap:7.2%} "
            f"{f'{min(outcome.errors):+.2%} {max(outcome.errors):+.2%}':>20}  "
            f"{outcome.chosen_mapping}{better}",
            flush=True,
        )
    summary = summary_of(found, hardware) | (summary_of_nests(found) if arguments.nests else {})
    print(json.dumps(summary))
    wrong = summary["bounds_above_simulation"] > 0 or summary["beyond_published"] > 0
    return int(wrong or (summary["worst_gap"] > MOST and not arguments.nests))


def summary_of(found: list[Outcome], hardware: Hardware) -> dict[str, Any]:
    """What holds for all layers together."""
    errors = [error for outcome in found for error in outcome.errors]
    return {
        "layers": len(found),
        "mappings": sum(outcome.mappings for outcome in found),
        "chosen_is_best": sum(outcome.gap <= 0 for outcome in found),
        "within_half_a_percent": sum(outcome.gap <= MOST for outcome in found),
        "worst_gap": round(max(outcome.gap for outcome in found), 6),
        "mean_abs_error": round(sum(map(abs, errors)) / len(errors), 6),
        "overestimate": round(max(errors), 6),
        "underestimate": round(-min(errors), 6),
        "beyond_published": sum(1 - 1 / (1 + error) > largest_overestimate(hardware) for error in errors),
        "bounds_above_simulation": sum(outcome.bounds_above for outcome in found),
    }


def summary_of_nests(found: list[Outcome]) -> dict[str, Any]:
    """What loops over blocks add to it."""
    best = [abs(error) for outcome in found for error in outcome.best_errors]
    errors = [error for outcome in found for error in outcome.errors]
    return {
        "beyond_published": sum(not -ANY_NEST.under <= error <= ANY_NEST.over for error in errors),
        "in_blocks": sum(outcome.in_blocks for outcome in found),
        "needs_blocks": sum(outcome.best < outcome.one_loop for outcome in found),
        "mean_of_ten": round(sum(best) / len(best), 6),
        "worst_of_ten": round(max(best), 6),
    }


if __name__ == "__main__":
    run_script(main)
