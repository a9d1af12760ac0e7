"""Fast-forward against stepping: every cycle and every counter of all layers of AlexNet and MobileNetV2 in full.

    python benchmarks/fast_forward_exact.py [--hardware maeri-64] [--processes N] [NETWORK ...]

Each distinct layer is mapped, then simulated with fast-forward and with every cycle stepped, in as many processes as
there are processors; on 64 multipliers some 20 million cycles are stepped. A layer whose results differ is
printed with what differs; the last line is JSON. Both are timed without the estimate that ``maerisim.simulate`` makes as well.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

from bench_estimate_error import distinct_layers
from reporting import mapped, options, run_script

from maerisim import Hardware, Problem
from maerisim.engine.run import Result
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import simulate

NETWORKS = ("alexnet", "mobilenet_v2")


class Compared(NamedTuple):
    """A layer's cycles when stepped, the CPU seconds of both ways, and what differs between them."""

    cycles: int
    stepping_seconds: float
    forward_seconds: float
    differing: list[str]


def compare(problem: Problem, hardware: Hardware) -> Compared:
    """Simulate a layer both ways."""
    mapping = mapped(problem, hardware).mapping
    start = time.process_time()
    forward = simulate(problem, mapping, hardware)
    between = time.process_time()
    stepped = simulate(problem, mapping, hardware, fast_forward=False)
    end = time.process_time()
    return Compared(stepped.cycles, end - between, between - start, list(differences(forward, stepped)))


def differences(forward: Result, stepped: Result) -> Iterator[str]:
    """What is not equal, each with both values."""
    counts = (asdict(forward.counters), asdict(stepped.counters))
    pairs = {name: (counts[0][name], counts[1][name]) for name in counts[0]}
    pairs["cycles"] = (forward.cycles, stepped.cycles)
    pairs["first_result"] = (forward.first_result, stepped.first_result)
    for name, (found, expected) in pairs.items():
        if found != expected:
            yield f"{name} {found} instead of {expected}"


def main() -> int:
    """Compare; 1 when a layer differs."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help="shipped names or files")
    parser.add_argument("--hardware", default="maeri-64")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: one per processor")
    arguments = parser.parse_args()
    hardware = Hardware.load(arguments.hardware)
    layers = distinct_layers(arguments.networks)
    longest_first = sorted(layers, key=lambda problem: -problem.macs)
    results: list[Compared] = []
    # Processes of their own start cleanly; the kernels are on disk after the first of them, or after `maerisim warmup`.
    compared = in_processes(partial(compare, hardware=hardware), longest_first, arguments.processes, in_order=True)
    for problem, result in zip(longest_first, compared, strict=True):
        results.append(result)
        verdict = "; ".join(result.differing) or "equal"
        print(
            f"{len(results):>3} of {len(layers)}  {layers[problem]:32} {result.cycles:>10,} cycles  {verdict}",
            flush=True,
        )
    summary = {
        "layers": len(results),
        "equal": sum(not result.differing for result in results),
        "cycles": sum(result.cycles for result in results),
        "stepping_seconds": round(sum(result.stepping_seconds for result in results), 2),
        "forward_seconds": round(sum(result.forward_seconds for result in results), 2),
    }
    print(json.dumps(summary))
    return int(summary["equal"] < summary["layers"])


if __name__ == "__main__":
    run_script(main)
