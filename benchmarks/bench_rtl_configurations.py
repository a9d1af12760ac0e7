"""How many virtual neurons of each size the switches of the published RTL can sum, against the full packing.

Every configuration is written to the RTL's words, read back and checked with tokens. Where fewer than the full packing
work, one more is proven impossible: the reason names the switch.

    python benchmarks/bench_rtl_configurations.py [--verbose]
"""

from __future__ import annotations

import json
import sys
import time

from maerisim.rtl.configure import configure, packing
from maerisim.rtl.memory import configuration_of, switch_words
from maerisim.rtl.tokens import push

ARRAYS = (32, 64, 128)
SIZES = range(2, 65)


def main() -> int:
    """Print the table and a last line of JSON; 1 when a configuration does not sum what it should."""
    begin = time.perf_counter()
    reasons, short, checked, wrong = [], {multipliers: {} for multipliers in ARRAYS}, 0, 0
    print("VN size" + "".join(f"{f'{multipliers} multipliers':>22}" for multipliers in ARRAYS))
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
        print(f"{size:>7}" + "".join(f"{cell:>22}" for cell in cells))
    if "--verbose" in sys.argv[1:]:
        print("\n".join(reasons))
    full = {multipliers: sum(size <= multipliers for size in SIZES) - len(short[multipliers]) for multipliers in ARRAYS}
    print(
        json.dumps(
            {
                "configurations_checked": checked,
                "token_check_failures": wrong,
                "sizes_fully_packed": full,
                "sizes_proven_impossible": short,
                "seconds": round(time.perf_counter() - begin, 2),
            }
        )
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
