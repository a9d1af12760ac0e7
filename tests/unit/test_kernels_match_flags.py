"""The kernels' plain numbers equal the enums they stand for; the kernels do the same without numba and by stock numba."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maerisim.counts.counters import OPERANDS, STALLS
from maerisim.kernels.compiling import choice
from maerisim.kernels.stepping import collect, counted, operand_store, use
from maerisim.kernels.stepping.bit_planes import flag_row
from maerisim.kernels.stepping.lock_step import role, row_kind
from maerisim.program.program import ACTIVE, Collect, Control, Role, Use

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("flag", [*Use, *Collect], ids=lambda flag: flag.name)
def test_flag(flag: Use | Collect) -> None:
    assert getattr(use if isinstance(flag, Use) else collect, str(flag.name)) == flag.value


def test_rows_of_flags_are_in_the_order_of_their_bits() -> None:
    for flag in Use:
        assert 1 << getattr(flag_row, str(flag.name)) == flag.value
    assert flag_row.AT_WORK == len(Use) == flag_row.FLAG_ROWS - 1


def test_flags_are_distinct_bits() -> None:
    for kind in (Use, Collect):
        assert sorted(flag.value for flag in kind) == [1 << place for place in range(len(kind))]
    assert ACTIVE == use.MULTIPLY | use.IDLE | use.PARTIAL_SUM | use.PASS


def test_roles_and_rows_of_the_controller() -> None:
    for each in (Role.LEFT, Role.MIDDLE, Role.RIGHT, Role.MIDDLE_FIRST, Role.RIGHT_FIRST):
        assert getattr(role, each.name) == each.value
    for kind in (Control.CONFIGURE, Control.SEND, Control.DRAINED, Control.RESULTS):
        assert getattr(row_kind, kind.name) == kind.value


def test_tally_rows_do_not_overlap() -> None:
    single = [
        counted.MULTIPLICATIONS,
        counted.ADDITIONS_TWO,
        counted.ADDITIONS_THREE,
        counted.ACCUMULATIONS,
        counted.FORWARDS,
        counted.HOPS,
        counted.ADDER_WORDS,
        counted.RESULTS,
        counted.PORT_STALLS,
        counted.OUTPUTS_WRITTEN,
        counted.PARTIAL_SUMS_WRITTEN,
        counted.FIRST_RESULT,
        counted.PASSES,
        counted.COMPARISONS,
    ]
    rows = [*single, *range(counted.STALLED, counted.STALLED + len(STALLS))]
    for start in (counted.DISTRIBUTED, counted.DELIVERED, counted.READS):
        rows += range(start, start + len(OPERANDS))
    assert sorted(rows) == list(range(counted.TALLY_ROWS))


def test_operand_stores_are_numbered_like_the_operands() -> None:
    numbers = {
        "inputs": operand_store.INPUTS,
        "partial_sums": operand_store.PARTIAL_SUMS,
        "weights": operand_store.WEIGHTS,
    }
    assert [numbers[operand] for operand in OPERANDS] == [0, 1, 2]
    assert operand_store.FORWARDED == 3


DENSE = """
import numpy as np

from maerisim.ways.way import simulate
from maerisim.analytic.ranking import rank
from maerisim.hardware.hardware import Dram, Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.memory.dram import follow
from maerisim.kernels.stepping.transfers import Schedule
from maerisim.workload.reference import random_operands
from maerisim.workload.problem import Problem

cases = [
    (Problem(K=3, C=2, R=3, S=3, P=2, Q=3), {"K": 1, "R": 3, "S": 3}, "N G K C P R S Q", {}),
    (Problem(K=5, C=7, N=2), {"K": 2, "C": 3}, "N G K C R S P Q", {"accumulation.words": 0, "distribution.latency": 3}),
    (Problem(K=4, C=3, P=2, Q=2, stride=(2, 1)), {"K": 4, "C": 3}, "N G C K P Q R S", {"reduction.latency": 2}),
    (Problem(G=3, R=3, S=2, P=2, Q=3, operation="max"), {"G": 2, "R": 2, "S": 2}, "N G K C P R S Q", {}),
]
for problem, tile, order, overrides in cases:
    hardware = Hardware(name="small", multipliers=16).with_overrides(overrides)
    operands = random_operands(problem, seed=3)
    result = simulate(problem, Mapping.of(tile, order), hardware, operands=operands)
    results.append([result.cycles, result.counters.as_dict(), result.outputs.tolist()])
    timing = simulate(problem, Mapping.of(tile, order), hardware)
    results.append([timing.cycles, timing.counters.as_dict(), timing.stepped])
    tiles = np.array([Mapping.of(sizes).tile for sizes in (tile, {"P": 2}, {"N": 2, "C": 2})], np.int32)
    ranking = rank(problem, hardware, np.minimum(tiles, problem.dims).astype(np.int32), "edp", count=3, bounded=False)
    results.append([[str(each.mapping), each.score, str(each.estimate)] for each in ranking.best])
    results.append([ranking.estimated, ranking.timed])

numbers = np.random.default_rng(5).integers(-1, 9, (4, 12))
first = np.arange(12) % 5 == 0
times = follow(Schedule(numbers[0] + 2, *numbers, first, first & (numbers[0] > 2), first), Dram(bandwidth=1, latency=3))
results.append([times.computed.tolist(), times.left.tolist()])
"""

LOCK_STEP = """
from maerisim.ways.way import simulate
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem

row = Mapping.of({"K": 4, "R": 2, "S": 2}, "C K P Q N G R S")
hardware = Hardware.load("maeri_rtl").with_overrides({"multipliers": 16})
result = simulate(Problem(K=5, C=2, R=2, S=2, P=2, Q=3), row, hardware)
results.append([result.cycles, result.counters.as_dict(), result.first_result])
"""

SAY = """
import json
import sys

from maerisim.kernels.compiling import choice, jit

json.dump([jit.is_disabled(), not choice.is_stock(), results], sys.stdout)
"""


def run_twin(script: str, *, disable_jit: str = "0", stock: str = "0") -> list[Any]:
    """Whether numba is disabled, and its insides are used, in a run of a script; and what that adds to ``results``."""
    compilers = {"NUMBA_DISABLE_JIT": disable_jit, choice.SWITCH: stock}
    if stock == "1":
        compilers["NUMBA_OPT"] = "0"  # what LLVM makes faster is not what is tested, and takes a fifth of the time
    finished = subprocess.run(
        [sys.executable, "-c", f"results = []\n{script}\n{SAY}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | compilers,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert finished.returncode == 0, finished.stderr
    said: list[Any] = json.loads(finished.stdout)
    return said


@pytest.mark.parametrize("script", [DENSE, LOCK_STEP], ids=["dense", "lock step"])
def test_kernels_do_the_same_as_plain_python(script: str) -> None:
    plain, compiled = run_twin(script, disable_jit="1"), run_twin(script)
    assert plain[0]
    assert not compiled[0]
    assert plain[2] == compiled[2]


@pytest.mark.slow
@pytest.mark.skipif(not choice.is_tried(choice.numba_version()), reason="kernels are compiled by stock numba as it is")
def test_kernels_do_the_same_by_stock_numba() -> None:
    """Takes two minutes where they are not on disk."""
    stock, own = run_twin(DENSE, stock="1"), run_twin(DENSE)
    assert stock[:2] == [False, False]
    assert own[:2] == [False, True]
    assert stock[2] == own[2]
