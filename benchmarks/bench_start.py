"""What a user waits for from the shell: importing, help, a layer; with ``--cold`` also the first command of all.

    python benchmarks/bench_start.py [--cold]

In wall seconds, best of three runs of the command in a process of its own (the first command once, with an empty directory
for compiled kernels: it compiles those of the engine and, where it has to find a mapping, those of the estimates). The mapping is from ``maerisim map maeri-64 alexnet``. The last line is JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial

from bench_networks import MAPPINGS
from reporting import Line, Report, best, options, run_script, show

RUNS = 3
COMMAND = (sys.executable, "-m", "maerisim")
LAYER = ("maeri-64", "alexnet", "--layer", "conv1")
MAPPING = ("--mapping", str(MAPPINGS / "alexnet-maeri-64.yaml"))
STONNE_NETWORKS = ("resnet50", "vgg16", "alexnet")
RESNET = ("maeri-256", "resnet50", "--mapping", str(MAPPINGS / "resnet50-maeri-256.yaml"))
WAITS = {
    "import maerisim.engine.run": ((sys.executable, "-c", "import maerisim.engine.run"), None),
    "maerisim --help": ((*COMMAND, "--help"), 0.3),
    "simulate one layer, mapping given": ((*COMMAND, "simulate", *LAYER, *MAPPING), 1.5),
    "map and simulate one layer": ((*COMMAND, "simulate", *LAYER), None),
    "simulate ResNet-50, mappings given": ((*COMMAND, "simulate", *RESNET), 1.0),
    **{
        f"validate {network} on stonne, mappings given": (
            (*COMMAND, "validate", "stonne", network, "--mapping", str(MAPPINGS / f"{network}-stonne.yaml")),
            5.0,
        )
        for network in STONNE_NETWORKS
    },
    **{f"map {network} on stonne": ((*COMMAND, "map", "stonne", network), 30.0) for network in STONNE_NETWORKS},
}
"""What is run, and the target in seconds."""
COLD_SECONDS = 15.0


def run(command: tuple[str, ...], kernels: str | None = None) -> float:
    """Run a command and return its seconds of CPU; with ``kernels`` compiled kernels are kept in that directory."""
    environment = os.environ | ({} if kernels is None else {"NUMBA_CACHE_DIR": kernels})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps the bytecode of what it imports
    before = os.times()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(*, cold: bool = False) -> Report:
    """Run each command."""
    lines = []
    for name, (command, target) in WAITS.items():
        seconds, busy = best(partial(run, command), RUNS)
        lines.append(Line(name, seconds, "s", target, note=f"{busy:.2f} s of CPU"))
    if cold:
        for what, arguments in (("mapping given", (*LAYER, *MAPPING)), ("which also searches", LAYER)):
            with tempfile.TemporaryDirectory() as empty:
                start = time.perf_counter()
                busy = run((*COMMAND, "simulate", *arguments), empty)
                seconds = time.perf_counter() - start
            note = f"{busy:.0f} s of CPU"
            lines.append(Line(f"the first command, {what}", seconds, "s", COLD_SECONDS, note=note))
    return Report("From the shell", lines, {line.name: round(line.value, 3) for line in lines})


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--cold", action="store_true", help="also compile all kernels")
    run_script(lambda: show(measure(cold=parser.parse_args().cold)))
