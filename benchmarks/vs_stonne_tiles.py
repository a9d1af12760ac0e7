"""The best tiles in the ``stonne`` profile against the best known in STONNE itself.

    python benchmarks/vs_stonne_tiles.py CSV [--emit OUT.csv]

``CSV`` is a table of layers with mRNA's tile, its cycles in STONNE, and the best cycles known there. For each row whose
objective is performance, the mapper searches the tiles that STONNE computes correctly to proof, in STONNE's one loop
order and placement: it simulates until no other tile can be better by the published error of its estimates. Tile sizes
go up to those of the layer; it is the search of the mapper on a space of its own. ``--emit`` writes the rows with ``cycles`` and our tile as
``T_R T_S T_C T_G T_K T_N T_X_ T_Y_``, to be run in STONNE.

Prints a line per row and as the last line JSON ``{"rows", "mrna_exact", "with_best_known", "at_most_best_known",
"geomean_over_mrna", "geomean_over_best_known"}``: ``mrna_exact`` counts the rows in which mRNA's tile takes the very
cycles that STONNE took, the means are their cycles over ours. Exit code 1 when a row needs more than the best known.
"""

from __future__ import annotations

import csv
import json
from math import exp, log
from pathlib import Path

import numpy as np
from reporting import options, read_table, run_script, simulated
from validate_stonne import ORDER, PLACEMENT, case

from maerisim import Hardware, Mapping, Problem
from maerisim.kernels.estimating.quantities import Tiles
from maerisim.workload.problem import DIMENSIONS
from mapper import PROOF, Choice
from mapper.proof import best
from mapper.space import Space, all_tiles

COLUMNS = {"R": "T_R", "S": "T_S", "C": "T_C", "G": "T_G", "K": "T_K", "N": "T_N", "P": "T_X_", "Q": "T_Y_"}
"""STONNE's names of the tile sizes."""


def is_computed_correctly(mapping: Mapping, problem: Problem) -> bool:
    """Whether STONNE is known to compute a tile correctly.

    Its own check fails, or an assertion, for more than one image at once, for several neighbouring outputs at a stride
    above 1, for a virtual neuron of one multiplier that folds, and where output rows do not divide while inputs are
    forwarded (which it does for one output column, several filter columns that divide, and a stride of 1).
    """
    s, p, q = (mapping.tile_of(name) for name in "SPQ")
    if problem.N > 1:
        return False
    if problem.stride != (1, 1) and p * q > 1:
        return False
    folds = mapping.vn_size < problem.C * problem.R * problem.S
    if mapping.vn_size == 1 and folds:
        return False
    forwards = q == 1 and s > 1 and problem.stride == (1, 1) and problem.S % s == 0
    return not (forwards and problem.P % p)


def best_tile(problem: Problem, hardware: Hardware) -> Choice:
    """The tile of fewest simulated cycles that STONNE computes correctly, in its one loop order and placement."""
    tiles = all_tiles(problem, hardware)
    correct = [is_computed_correctly(Mapping.of(named(tile), ORDER, PLACEMENT), problem) for tile in tiles]
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
    table = read_table(arguments.csv, "the table of tiles in STONNE to compare with")
    rows = [row for _, row in table if row["objective"] == "performance"]
    emitted: list[dict[str, object]] = []
    over_mrna: list[float] = []
    over_known: list[float] = []
    exact = 0
    print(f"{'layer':26} {'M':>4} {'ours':>8} {'known':>8} {'mRNA':>8}  tile")
    for row in rows:
        problem, mrna, hardware = case({name.removeprefix("mrna_"): value for name, value in row.items()})
        choice = best_tile(problem, hardware)
        account, ours = choice.certificate, simulated(problem, choice.mapping, hardware).cycles
        assert account is not None
        known, theirs = row["best_known_cycles"], int(row["mrna_cycles"])
        exact += simulated(problem, mrna, hardware).cycles == theirs
        over_mrna.append(theirs / ours)
        over_known += [int(known) / ours] if known else []
        tile = " ".join(f"{name}{size}" for name, size in choice.mapping.T.items() if size > 1)
        print(
            f"{row['group']:26} {row['num_ms']:>4} {ours:8,} {known or '-':>8} {theirs:8,}  "
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
        "mrna_exact": exact,
        "with_best_known": len(over_known),
        "at_most_best_known": reached,
        "geomean_over_mrna": round(geomean(over_mrna), 4),
        "geomean_over_best_known": round(geomean(over_known), 4),
    }
    print(json.dumps(summary))
    return int(reached < len(over_known))


def geomean(values: list[float]) -> float:
    return exp(sum(map(log, values)) / len(values))


if __name__ == "__main__":
    run_script(main)
