"""How many virtual neurons of each size the switches of the published RTL can sum, against the full packing.

Every configuration is written to the RTL's words, read back and checked with tokens. Where fewer than the full packing
work, one more is proven impossible: the reason names the switch. What is timed are the words of the adder switches, without a layer.

    python benchmarks/bench_rtl_configurations.py [--verbose]
"""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

from reporting import Line, Report, options, run_script

from maerisim.rtl.configure import configure, packing
from maerisim.rtl.memory import configuration_of, switch_words
from maerisim.rtl.tokens import push

ARRAYS = (32, 64, 128)
SIZES = range(2, 65)


class Survey(NamedTuple):
    """The table by array and VN size, why sizes fall short, and the numbers of the last line."""

    cells: list[str]
    reasons: list[str]
    numbers: dict[str, Any]


def survey() -> Survey:
    """Configure every VN size on every array."""
    begin = time.perf_counter()
    table, reasons, short, checked, wrong = [], [], {multipliers: {} for multipliers in ARRAYS}, 0, 0
    for size in SIZES:
        cells = []
        for multipliers in ARRAYS:
            if size > multipliers:
                cells.append("-")
                continue
            most = packing(multipliers, size)
            for count in range(1, most.largest + 1):
                words = switch_words(configure(multipliers, size, count))
                wrong += bool(push(configuration_of(multipliers, words), size, count).problems)
                checked += 1
            cell = f"{most.largest} / {most.full}"
            if most.obstacle is not None:
                cell += " proven"
                short[multipliers][size] = most.largest
                reasons.append(f"{size} on {multipliers}: {most.largest + 1} are impossible, {most.obstacle}")
            cells.append(cell)
        table.append(f"{size:>7}" + "".join(f"{cell:>22}" for cell in cells))
    full = {multipliers: sum(size <= multipliers for size in SIZES) - len(short[multipliers]) for multipliers in ARRAYS}
    numbers = {
        "configurations_checked": checked,
        "token_check_failures": wrong,
        "sizes_fully_packed": full,
        "sizes_proven_impossible": short,
        "seconds": round(time.perf_counter() - begin, 2),
    }
    return Survey(table, reasons, numbers)


def measure() -> Report:
    """All of them, in short."""
    numbers = survey().numbers
    proven = sum(len(sizes) for sizes in numbers["sizes_proven_impossible"].values())
    lines = [
        Line(
            "configured and checked", numbers["configurations_checked"], "VN counts", note=f"in {numbers['seconds']} s"
        ),
        Line("that do not sum every VN", numbers["token_check_failures"], "", 0),
        Line("sizes fully packed", sum(numbers["sizes_fully_packed"].values()), "", note=f"{proven} proven impossible"),
    ]
    return Report("Configurations of the published RTL on 32, 64 and 128 multipliers", lines, numbers)


def main() -> int:
    """Print the table and a last line of JSON; 1 when a configuration does not sum what it should."""
    parser = options(__doc__)
    parser.add_argument("--verbose", action="store_true", help="also say why no more virtual neurons of a size work")
    arguments = parser.parse_args()
    found = survey()
    print("VN size" + "".join(f"{f'{multipliers} multipliers':>22}" for multipliers in ARRAYS))
    print("\n".join(found.cells))
    if arguments.verbose:
        print("\n".join(found.reasons))
    print(json.dumps(found.numbers))
    return int(found.numbers["token_check_failures"] > 0)


if __name__ == "__main__":
    run_script(main)
