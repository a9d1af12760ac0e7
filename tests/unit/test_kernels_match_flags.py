"""The kernels' plain numbers equal the enums they stand for, and the kernels do the same without numba."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maerisim.counts.counters import OPERANDS, STALLS
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


TWIN = """
import json
import sys

from maerisim.engine.run import simulate
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.reference import random_operands
from maerisim.workload.problem import Problem

cases = [
    (Problem(K=3, C=2, R=3, S=3, P=2, Q=3), {"K": 1, "R": 3, "S": 3}, "N G K C P R S Q", {}),
    (Problem(K=5, C=7, N=2), {"K": 2, "C": 3}, "N G K C R S P Q", {"accumulation.words": 0, "distribution.latency": 3}),
    (Problem(K=4, C=3, P=2, Q=2, stride=(2, 1)), {"K": 4, "C": 3}, "N G C K P Q R S", {"reduction.latency": 2}),
    (Problem(G=3, R=3, S=2, P=2, Q=3, operation="max"), {"G": 2, "R": 2, "S": 2}, "N G K C P R S Q", {}),
]
results = []
for problem, tile, order, overrides in cases:
    hardware = Hardware(name="small", multipliers=16).with_overrides(overrides)
    operands = random_operands(problem, seed=3)
    result = simulate(problem, Mapping.of(tile, order), hardware, operands=operands)
    results.append([result.cycles, result.counters.as_dict(), result.outputs.tolist()])
    timing = simulate(problem, Mapping.of(tile, order), hardware)
    results.append([timing.cycles, timing.counters.as_dict(), timing.stepped])
row = Mapping.of({"K": 4, "R": 2, "S": 2}, "C K P Q N G R S")
hardware = Hardware.load("maeri_rtl").with_overrides({"multipliers": 16})
result = simulate(Problem(K=5, C=2, R=2, S=2, P=2, Q=3), row, hardware)
results.append([result.cycles, result.counters.as_dict(), result.first_result])
import numba
json.dump([bool(numba.config.DISABLE_JIT), results], sys.stdout)
"""


def run_twin(disable_jit: str) -> str:
    environment = os.environ | {"NUMBA_DISABLE_JIT": disable_jit, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        [sys.executable, "-c", TWIN], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_kernels_do_the_same_as_plain_python() -> None:
    plain, compiled = run_twin("1"), run_twin("0")
    assert plain.startswith("[true, ")
    assert compiled.startswith("[false, ")
    assert plain.removeprefix("[true, ") == compiled.removeprefix("[false, ")
