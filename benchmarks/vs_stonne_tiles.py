"""The best tiles in the ``stonne`` profile against the best known in STONNE itself.

    python benchmarks/vs_stonne_tiles.py CSV [--emit OUT.csv]

``CSV`` is a table of layers with mRNA's tile, its cycles in STONNE (``mrna_cycles``, empty where STONNE does not complete
that tile), and the best cycles known there (may be empty as well). For each row whose
objective is performance, the mapper searches the tiles that STONNE computes correctly to proof, in STONNE's one loop
order and placement: it simulates until no other tile can be better by the published error of its estimates. Tile sizes
go up to those of the layer. ``--emit`` writes the rows with ``cycles`` and our tile as
``T_R T_S T_C T_G T_K T_N T_X_ T_Y_``, to be run in STONNE.

Prints a line per row and as the last line JSON ``{"rows", "with_mrna", "mrna_exact", "with_best_known",
"at_most_best_known", "geomean_over_mrna", "geomean_over_best_known"}``: ``mrna_exact`` counts those of the rows
``with_mrna`` cycles in which mRNA's tile takes the very cycles that STONNE took, the means are their cycles over ours
(null where there are none). Exit code 1 when a row needs more than the best known.
"""

from __future__ import annotations

import csv
import json
from math import exp, log
from pathlib import Path

import numpy as np
from reporting import options, read_table, run_script, simulated
from stonne_rows import HARDWARE, ORDER, PLACEMENT, SIZES, case, hardware_of, problem_of

from maerisim import Hardware, Mapping
from maerisim.kernels.estimating.quantities import Tiles
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper import PROOF, Choice
from mapper.proof import best
from mapper.space import Space, all_tiles

TABLE = ("group", "objective", *SIZES, *HARDWARE, "acc_buf", "mrna_cycles", "best_known_cycles")
COLUMNS = {"R": "T_R", "S": "T_S", "C": "T_C", "G": "T_G", "K": "T_K", "N": "T_N", "P": "T_X_", "Q": "T_Y_"}
"""STONNE's names of the tile sizes."""


def is_computed_correctly(mapping: Mapping, problem: Problem, *, accumulates: bool = True) -> bool:
    """Whether STONNE is known to compute a tile correctly; ``accumulates``: with its accumulation buffer.

    Its own check fails, or an assertion, for several neighbouring outputs at a stride above 1, and for a virtual neuron
    of one multiplier that accumulates folds in the buffer. It can fail where the next weights are let in before all
    outputs of the present ones are written while inputs are still being forwarded: forwarding takes one output column
    of several, several filter columns that divide, and a stride of 1; the next weights come early where output rows do
    not divide, where the filters of one of several groups do not, and with several images (which are walked by no loop
    here: what STONNE does then is not known).
    """
    k, s, p, q = (mapping.tile_of(name) for name in "KSPQ")
    if problem.stride != (1, 1) and p * q > 1:
        return False
    folds = mapping.vn_size < problem.C * problem.R * problem.S
    if accumulates and mapping.vn_size == 1 and folds:
        return False
    images, groups, filters, *_ = mapping.trips(problem)
    if images > 1:
        return False
    forwards = q == 1 and s > 1 and problem.stride == (1, 1) and problem.S % s == 0 and problem.Q > 1
    early = problem.N > 1 or problem.P % p or (groups > 1 and problem.K % k)
    return not (forwards and early and groups * filters > 1)


def best_tile(problem: Problem, hardware: Hardware) -> Choice:
    """The tile of fewest simulated cycles that STONNE computes correctly, in its one loop order and placement."""
    tiles = all_tiles(problem, hardware)
    accumulates = hardware.accumulation_words > 0
    mappings = [Mapping.of(named(tile), ORDER, PLACEMENT) for tile in tiles]
    correct = [is_computed_correctly(mapping, problem, accumulates=accumulates) for mapping in mappings]
    space = Space(problem, tiles[np.array(correct)], (tuple(ORDER.split()),), (tuple(PLACEMENT.split()),))
    return best(space, hardware, "cycles", PROOF)


def named(tile: Tiles) -> dict[str, int]:
    """Sizes by dimension."""
    return dict(zip(DIMENSIONS, (int(size) for size in tile), strict=True))


def main() -> int:
    """Run the table."""
    parser = options(__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--emit", type=Path, metavar="OUT.csv", help="write our tiles here")
    arguments = parser.parse_args()
    table = read_table(arguments.csv, "the table of tiles in STONNE to compare with", TABLE)
    rows = [row for _, row in table if row["objective"] == "performance"]
    emitted: list[dict[str, object]] = []
    over_mrna: list[float] = []
    over_known: list[float] = []
    exact = 0
    print(f"{'layer':26} {'M':>4} {'ours':>8} {'known':>8} {'mRNA':>8}  tile")
    for row in rows:
        problem, hardware = problem_of(row), hardware_of(row)
        choice = best_tile(problem, hardware)
        account, ours = choice.certificate, simulated(problem, choice.mapping, hardware).cycles
        assert account is not None
        known, theirs = row["best_known_cycles"], row["mrna_cycles"]
        if theirs:
            mrna = case({name.removeprefix("mrna_"): value for name, value in row.items()})
            exact += simulated(*mrna).cycles == int(theirs)
            over_mrna.append(int(theirs) / ours)
        over_known += [int(known) / ours] if known else []
        tile = " ".join(f"{name}{size}" for name, size in choice.mapping.T.items() if size > 1)
        print(
            f"{row['group']:26} {row['num_ms']:>4} {ours:8,} {known or '-':>8} {theirs or '-':>8}  "
            f"{tile} (best of {account.tiles:,} tiles, {account.simulated} simulated, proven {account.proof} for certain)"
            f"{'  MORE THAN KNOWN' if known and ours > int(known) else ''}",
            flush=True,
        )
        sizes = {column: choice.mapping.tile_of(name) for name, column in COLUMNS.items()}
        emitted.append({**row, "cycles": ours, **sizes})
    if arguments.emit is not None:
        with arguments.emit.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(emitted[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(emitted)
    reached = sum(ratio >= 1 for ratio in over_known)
    summary = {
        "rows": len(rows),
        "with_mrna": len(over_mrna),
        "mrna_exact": exact,
        "with_best_known": len(over_known),
        "at_most_best_known": reached,
        "geomean_over_mrna": geomean(over_mrna),
        "geomean_over_best_known": geomean(over_known),
    }
    print(json.dumps(summary))
    return int(reached < len(over_known))


def geomean(values: list[float]) -> float | None:
    """The geometric mean, None of nothing."""
    return round(exp(sum(map(log, values)) / len(values)), 4) if values else None


if __name__ == "__main__":
    run_script(main)
