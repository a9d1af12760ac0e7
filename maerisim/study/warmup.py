"""Compiling the kernels ahead of their first use, in several processes at once.

numba compiles in one thread. The kernels of a search and those of the engines do not need one another, so each part
is left to a process of its own, which keeps the machine code on disk (see :mod:`maerisim.kernels.compiling.cache`). Kernels of
one part share helpers, which numba then has to understand once: apart, those of a search would take half as long again.

    python -m maerisim.study.warmup

is such a process: it takes one part after the other from standard input, where their names lie in line (16 bytes each, filled
up with spaces), and prints a line of JSON when it begins a kernel and when it has compiled it.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from maerisim.interruption import interruptible
from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import plain
from maerisim.kernels.compiling.choice import hide_scipy

if TYPE_CHECKING:
    from maerisim.hardware.hardware import Hardware

_NAME = 16
"""Bytes of a name on standard input; reads as short as this are never divided between processes."""


def needed_by(hardware: Hardware, *, values: bool = False, search: bool = True) -> list[str]:
    """The parts of the kernels that a command on ``hardware`` runs, with or without ``values`` in its words.

    The few estimates of a command that does not ``search`` for mappings are made without compiling anything.
    """
    lock_step = hardware.controller.kind == "lock_step"
    engine = "lock_step" if lock_step else "engine"
    return [
        *(["search"] if search else []),
        engine,
        *(["values"] if values else []),
        *(["system"] if hardware.limits_memory else []),
    ]


def ensure(parts: Iterable[str]) -> None:
    """Compile what is not on disk of ``parts``; what cannot be done here is compiled when it is needed."""
    missing = [part for part in parts if not is_complete(part)]
    if missing and _processors() > 1 and _can_be_kept():
        _compile_at_once(missing)


def compile_all() -> None:
    """Compile every kernel that is not on disk, and see that it is; the watchers are told of each."""
    if _processors() == 1 or not _can_be_kept() or not _compile_at_once(list(PARTS)):
        for part in PARTS:
            interruptible(partial(_compile, part))


def is_complete(part: str) -> bool:
    """Whether all kernels of a part are on disk."""
    kept = compilation.directory()
    return kept is not None and (kept / f"{part}.complete").exists()


def _can_be_kept() -> bool:
    disabled = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    return not disabled and compilation.directory() is not None


def _processors() -> int:
    """How many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compile_at_once(parts: Sequence[str]) -> bool:
    """Compile ``parts`` in as many processes as there are processors; whether all of them succeeded.

    The processes share two pipes: from one each takes the next part as soon as it is done with another, through the
    other the watchers of this process hear of each kernel.
    """
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    waiting, queue = os.pipe()
    reading, writing = os.pipe()
    with os.fdopen(queue, "w", encoding="ascii") as names:
        names.writelines(part.ljust(_NAME) for part in parts)
    with os.fdopen(reading, encoding="utf-8") as reports:
        processes = [
            subprocess.Popen(
                # -P: as a module it would import from the working directory before all else.
                [sys.executable, "-P", "-m", "maerisim.study.warmup"],
                env=os.environ | {"PYTHONPATH": paths},
                stdin=waiting,
                stdout=writing,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(min(_processors(), len(parts)))
        ]
        os.close(waiting)
        os.close(writing)
        try:
            for line in reports:
                compilation.tell(*json.loads(line))
            return all([process.wait() == 0 for process in processes])  # noqa: C419 - each has to be waited for
        finally:
            for process in processes:
                process.kill()


def _compile(part: str) -> None:
    """Run the kernels of a part in this process, and note that they are all on disk."""
    with plain.out_of_the_question():
        PARTS[part]()
    kept = compilation.directory()
    if kept is not None and _can_be_kept():
        (kept / f"{part}.complete").touch()


def _run_search() -> None:
    import numpy as np

    from maerisim.analytic.ranking import floors, rivals
    from maerisim.hardware.hardware import Hardware
    from maerisim.mapping.mapping import Mapping
    from maerisim.ways.way import estimate
    from maerisim.workload.problem import Problem

    problem, hardware = Problem(K=2, C=2, P=4, Q=4), Hardware.load("maeri-16")
    estimate(problem, Mapping.of({"C": 2}, "N G K C R S P Q"), hardware)
    promising = floors(problem, hardware, np.ones((1, 8), np.int32), "cycles", 1e9)
    rivals(problem, hardware, promising, "cycles", 1e9, count=1)


def _run_engine(hardware_name: str = "maeri-16", *, values: bool = False) -> None:
    from maerisim.hardware.hardware import Hardware
    from maerisim.mapping.mapping import Mapping
    from maerisim.ways.way import simulate
    from maerisim.workload.problem import Problem
    from maerisim.workload.reference import random_operands

    problem = Problem(K=2, C=2, R=3, S=3, P=4, Q=4)
    mapping = Mapping.of({"R": 3, "S": 3}, "N G C R S K P Q")
    simulate(problem, mapping, Hardware.load(hardware_name), operands=random_operands(problem, 0) if values else None)


def _run_system() -> None:
    from maerisim.hardware.hardware import Hardware
    from maerisim.mapping.mapping import Mapping
    from maerisim.ways.way import simulate
    from maerisim.workload.problem import Problem

    hardware = Hardware.load("maeri-16").with_overrides({"dram.bandwidth": 1})
    simulate(Problem(K=2, C=2, P=4, Q=4), Mapping.of({"C": 2}), hardware)


PARTS: dict[str, Callable[[], None]] = {
    "search": _run_search,
    "engine": _run_engine,
    "values": partial(_run_engine, values=True),
    "lock_step": partial(_run_engine, "maeri_rtl"),
    "system": _run_system,
}
"""Parts of the kernels, and what makes numba compile each."""


def _report(kernel: str, seconds: float | None) -> None:
    sys.stdout.write(json.dumps([kernel, seconds]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    hide_scipy()
    gc.disable()  # nearly all that numba makes when it is loaded stays; looking for the rest takes a twentieth of the time
    with compilation.watched(_report):
        while name := os.read(sys.stdin.fileno(), _NAME):
            _compile(name.decode().rstrip())
    os._exit(0)  # everything is on disk; taking apart what a compiler made takes a tenth of the time
