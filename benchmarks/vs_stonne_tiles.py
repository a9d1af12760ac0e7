"""The best tiles in the ``stonne`` profile against the best known in STONNE itself.

    python benchmarks/vs_stonne_tiles.py CSV [--emit OUT.csv]

``CSV`` is a table of layers with mRNA's tile, its cycles in STONNE, and the best cycles known there. For each row whose
objective is performance, every tile that fits and that STONNE computes correctly is estimated in STONNE's one loop
order and placement; all whose estimate is within 10 % of the best are simulated (the estimate of this profile was at
most 6 % above the simulation wherever it was compared), so that the best of them is the best there is. Tile sizes go up
to those of the layer. ``--emit`` writes the rows with ``cycles`` and our tile as
``T_R T_S T_C T_G T_K T_N T_X_ T_Y_``, to be run in STONNE.

Prints a line per row and as the last line JSON ``{"rows", "mrna_exact", "with_best_known", "at_most_best_known",
"geomean_over_mrna", "geomean_over_best_known"}``: ``mrna_exact`` counts the rows in which mRNA's tile takes the very
cycles that STONNE took, the means are their cycles over ours. Exit code 1 when a row needs more than the best known.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from math import exp, log, prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from validate_stonne import ORDER, PLACEMENT, case

from maerisim.analytic import estimate_many
from maerisim.engine import simulate
from maerisim.hardware import Hardware
from maerisim.kernels import quantities as k
from maerisim.mapping import Mapping
from maerisim.workload import DIMENSIONS, Problem

MARGIN = 1.1
"""Tiles are simulated while their estimate is at most this much above the best simulated."""
COLUMNS = {"R": "T_R", "S": "T_S", "C": "T_C", "G": "T_G", "K": "T_K", "N": "T_N", "P": "T_X_", "Q": "T_Y_"}
"""STONNE's names of the tile sizes."""


class Best(NamedTuple):
    """The best tile, how many there were and how many of them were simulated."""

    mapping: Mapping
    cycles: int
    tiles: int
    simulated: int


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


def tiles(problem: Problem, multipliers: int) -> Iterator[tuple[int, ...]]:
    """Every tile of up to so many multipliers."""

    def extend(tile: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(tile) == len(DIMENSIONS):
            yield tile
            return
        for size in range(1, min(problem.dims[len(tile)], multipliers // prod(tile)) + 1):
            yield from extend((*tile, size))

    return extend(())


def best_tile(problem: Problem, hardware: Hardware) -> Best:
    """The tile of fewest simulated cycles; of equals the one estimated least, then the smallest."""
    mappings = [
        Mapping.of(dict(zip(DIMENSIONS, tile, strict=True)), ORDER, PLACEMENT)
        for tile in tiles(problem, hardware.multipliers)
    ]
    mappings = [mapping for mapping in mappings if is_computed_correctly(mapping, problem)]
    walk = (ORDER.split(), PLACEMENT.split())
    estimated = estimate_many(problem, [mapping.tile for mapping in mappings], [walk], hardware)[:, 0, k.CYCLES]
    best: tuple[int, Mapping] | None = None
    simulated = 0
    for place in np.argsort(estimated, kind="stable"):
        if estimated[place] == 0:
            continue  # does not fit, with a switch for returning partial sums
        if best is not None and estimated[place] > MARGIN * best[0]:
            break
        cycles = simulate(problem, mappings[place], hardware).cycles
        simulated += 1
        if best is None or cycles < best[0]:
            best = (cycles, mappings[place])
    assert best is not None, "one multiplier fits any layer"
    return Best(best[1], best[0], len(mappings), simulated)


def main() -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--emit", type=Path, metavar="OUT.csv", help="write our tiles here")
    arguments = parser.parse_args()
    if not arguments.csv.exists():
        print(f"{arguments.csv}: no such file; give the table of tiles in STONNE to compare with", file=sys.stderr)
        return 2
    rows = [row for row in csv.DictReader(arguments.csv.read_text().splitlines()) if row["objective"] == "performance"]
    emitted: list[dict[str, object]] = []
    over_mrna: list[float] = []
    over_known: list[float] = []
    exact = 0
    print(f"{'layer':26} {'M':>4} {'ours':>8} {'known':>8} {'mRNA':>8}  tile")
    for row in rows:
        problem, mrna, hardware = case({name.removeprefix("mrna_"): value for name, value in row.items()})
        best = best_tile(problem, hardware)
        known, theirs = row["best_known_cycles"], int(row["mrna_cycles"])
        exact += simulate(problem, mrna, hardware).cycles == theirs
        over_mrna.append(theirs / best.cycles)
        over_known += [int(known) / best.cycles] if known else []
        tile = " ".join(f"{name}{size}" for name, size in best.mapping.T.items() if size > 1)
        print(
            f"{row['group']:26} {row['num_ms']:>4} {best.cycles:8,} {known or '-':>8} {theirs:8,}  "
            f"{tile} (best of {best.tiles:,} tiles, {best.simulated} simulated)"
            f"{'  MORE THAN KNOWN' if known and best.cycles > int(known) else ''}",
            flush=True,
        )
        sizes = {column: best.mapping.tile_of(name) for name, column in COLUMNS.items()}
        emitted.append({**row, "cycles": best.cycles, **sizes})
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
    sys.exit(main())
