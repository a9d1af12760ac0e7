"""Whether the mapping that the mapper chooses is the best there is, found out by simulating all of them.

    python benchmarks/exhaustive.py [--hardware maeri-16] [--jobs N] [LAYER ...]

Twenty small layers of all kinds. Every legal mapping is simulated in full: every tile, every order of the loops that
turn, every placement of the dimensions of which there are several virtual neurons. So the error of the estimate is known
for every mapping too, not only for the best. Prints a line per layer, and as the last line JSON ``{"layers": n, "mappings":
n, "chosen_is_best": n, "within_half_a_percent": n, "worst_gap": x, "mean_abs_error": x, "overestimate": x, "underestimate":
x, "beyond_published": n}``: the gap is the chosen mapping's cycles over the best's, less 1; errors are relative to the
simulated cycles; ``beyond_published`` counts estimates further above the simulation than
:func:`maerisim.analytic.accuracy.largest_overestimate` says. Exit code 1 when there are any, or a gap is above 0.5 %.
The thousands of mappings are simulated alone, and estimated a tile at a time, as the mapper does it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, permutations
from typing import NamedTuple

from reporting import mapped, options, progress, run_script

from maerisim import Hardware, Mapping, Problem
from maerisim.analytic.accuracy import largest_overestimate
from maerisim.analytic.ranking import estimate_many
from maerisim.kernels.estimating import entries
from maerisim.mapping.mapping import REPLICATED
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import DIMENSIONS
from mapper.space import all_tiles

MOST = 0.005
"""The largest gap that is accepted."""
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


class Outcome(NamedTuple):
    """The best of all mappings, and the chosen one, by simulated cycles; the signed relative errors of all estimates."""

    name: str
    mappings: int
    best: int
    best_mapping: Mapping
    chosen: int
    chosen_mapping: Mapping
    errors: list[float]

    @property
    def gap(self) -> float:
        return self.chosen / self.best - 1


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


def estimated_cycles(problem: Problem, mappings: Sequence[Mapping], hardware: Hardware) -> list[int]:
    """The estimates of mappings, of which those of a tile lie side by side."""
    cycles: list[int] = []
    for tile, members in groupby(mappings, key=lambda mapping: mapping.tile):
        walks = [(mapping.order, mapping.placement) for mapping in members]
        cycles += estimate_many(problem, [tile], walks, hardware)[0, :, entries.CYCLES].tolist()
    return cycles


def run(name: str, hardware: Hardware) -> Outcome:
    """Simulate all mappings of a layer."""
    problem = LAYERS[name]
    cycles = {mapping: simulate(problem, mapping, hardware).cycles for mapping in all_mappings(problem, hardware)}
    best = min(cycles, key=lambda mapping: cycles[mapping])
    estimates = estimated_cycles(problem, list(cycles), hardware)
    errors = [estimate / simulated - 1 for estimate, simulated in zip(estimates, cycles.values(), strict=True)]
    chosen = mapped(problem, hardware).mapping
    return Outcome(name, len(cycles), cycles[best], best, simulate(problem, chosen, hardware).cycles, chosen, errors)


def outcomes(names: list[str], hardware: Hardware, jobs: int) -> Iterator[Outcome]:
    """All layers, on several processes; the kernels are compiled before there are several."""
    simulate(LAYERS["one filter"], Mapping.of({}, DIMENSIONS), hardware)
    for finished, outcome in enumerate(in_processes(partial(run, hardware=hardware), names, jobs, in_order=True), 1):
        yield outcome
        progress(f"{finished} of {len(names)} layers")


def main() -> int:
    """Run the layers."""
    parser = options(__doc__)
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=f"of: {', '.join(LAYERS)}; default: all")
    parser.add_argument("--hardware", default="maeri-16")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.layers if name not in LAYERS]
    if unknown:
        parser.error(f"no layer {unknown[0]!r}; there are: {', '.join(LAYERS)}")
    hardware = Hardware.load(arguments.hardware)
    found = []
    print(
        f"{'layer':30} {'mappings':>9} {'best':>7} {'chosen':>7} {'gap':>7} {'errors of estimates':>20}  chosen mapping"
    )
    for outcome in outcomes(arguments.layers or list(LAYERS), hardware, arguments.jobs):
        found.append(outcome)
        better = f"; best: {outcome.best_mapping}" if outcome.gap else ""
        print(
            f"{outcome.name:30} {outcome.mappings:9,} {outcome.best:7,} {outcome.chosen:7,} {outcome.gap:7.2%} "
            f"{f'{min(outcome.errors):+.2%} {max(outcome.errors):+.2%}':>20}  "
            f"{outcome.chosen_mapping}{better}",
            flush=True,
        )
    errors = [error for outcome in found for error in outcome.errors]
    summary = {
        "layers": len(found),
        "mappings": sum(outcome.mappings for outcome in found),
        "chosen_is_best": sum(outcome.gap == 0 for outcome in found),
        "within_half_a_percent": sum(outcome.gap <= MOST for outcome in found),
        "worst_gap": round(max(outcome.gap for outcome in found), 6),
        "mean_abs_error": round(sum(map(abs, errors)) / len(errors), 6),
        "overestimate": round(max(errors), 6),
        "underestimate": round(-min(errors), 6),
        "beyond_published": sum(1 - 1 / (1 + error) > largest_overestimate(hardware) for error in errors),
    }
    print(json.dumps(summary))
    return int(summary["worst_gap"] > MOST or summary["beyond_published"] > 0)


if __name__ == "__main__":
    run_script(main)
