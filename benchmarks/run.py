"""All the benchmarks whose results are numbers with targets: ``make bench``.

    python benchmarks/run.py [--cold] [--strict] [NAME ...]

NAME picks some of them: stepping, networks, growth, start, memory, analytic, estimate_error, rtl_configurations. ``--cold`` compiles
the kernels once more, to measure it; with ``--strict`` a missed target is a failure. The last line is JSON: what each
benchmark prints on its own, by name. Targets hold on a quiet machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import bench_analytic
import bench_estimate_error
import bench_growth
import bench_memory
import bench_networks
import bench_rtl_configurations
import bench_start
import bench_stepping
from reporting import Report, options, run_script

BENCHMARKS: dict[str, Callable[[], Report]] = {
    "stepping": bench_stepping.measure,
    "networks": bench_networks.measure,
    "growth": bench_growth.measure,
    "start": bench_start.measure,
    "memory": bench_memory.measure,
    "analytic": bench_analytic.measure,
    "estimate_error": bench_estimate_error.measure,
    "rtl_configurations": bench_rtl_configurations.measure,
}


def main() -> int:
    """Run and print them; 1 with ``--strict`` when a target is missed."""
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--cold", action="store_true", help="also measure the first command, which compiles")
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    reports: dict[str, Report] = {}
    for name in arguments.names or BENCHMARKS:
        measured = bench_start.measure(cold=True) if name == "start" and arguments.cold else BENCHMARKS[name]()
        reports[name] = measured
        print(measured.text(), end="\n\n", flush=True)
    missed = sum(report.missed for report in reports.values())
    targets = sum(line.target is not None for report in reports.values() for line in report.lines)
    print(f"{targets - missed} of {targets} targets are met.")
    print(json.dumps({name: report.data for name, report in reports.items()}))
    return int(arguments.strict and missed > 0)


if __name__ == "__main__":
    run_script(main)
