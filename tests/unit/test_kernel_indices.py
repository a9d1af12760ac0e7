"""No kernel uses an index that an array does not have, nor one from its end: compiled without numba's own handling of these."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maerisim.kernels.compiling import choice

ROOT = Path(__file__).resolve().parents[2]

BEYOND = """
import numpy as np
import numpy.typing as npt
from maerisim.kernels.compiling.jit import kernel

def element(array: npt.NDArray[np.int64], index: int) -> int:
    return array[index]

array = np.arange(4)
for index in 3, 4, -1:
    try:
        print(kernel(element)(array, index))
    except RuntimeError as error:
        print(error)
"""

EVERYTHING = """
from importlib import import_module
from pkgutil import walk_packages
from hypothesis import HealthCheck, Phase, assume, given, settings, strategies as st
from maerisim.hardware.hardware import Hardware
from maerisim import kernels
from maerisim.kernels.compiling import plain
from maerisim.kernels.compiling.jit import Kernel
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands
from mapper.find import find_mapping
from tests.strategies import cases

plain.is_better = lambda kernel: False
few = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])

@few
@given(cases(largest=64), st.booleans())
def given_mappings(case, with_values):
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    estimate(problem, mapping, hardware)
    simulate(problem, mapping, hardware, operands=random_operands(problem, 0) if with_values else None)

@settings(few, max_examples=15)
@given(cases(largest=64))
def found_mappings(case):
    find_mapping(case.problem, case.hardware)

given_mappings()
found_mappings()
for name, problem in (
    ("maeri-64", Network.load("alexnet").layer("conv1").problem),
    ("maeri-256-dram", Network.load("resnet50").layer("conv1").problem),
    ("maeri_rtl", Problem(K=2, C=2, R=3, S=3, P=4, Q=4)),
    ("stonne", Network.load("alexnet").layer("conv2").problem),
):
    hardware = Hardware.load(name)
    simulate(problem, find_mapping(problem, hardware).mapping, hardware)
modules = [import_module(name) for _, name, _ in walk_packages(kernels.__path__, "maerisim.kernels.")]
found = {each for module in modules for each in vars(module).values() if isinstance(each, Kernel)}
print(len(found) > 10, sorted(kernel.name for kernel in found if not kernel.is_loaded))
"""


def run(script: str, kernels: Path) -> str:
    """What a script prints whose kernels look at every index before they use it."""
    settings = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(kernels), "NUMBA_DISABLE_JIT": "0", choice.SWITCH: "0"}
    finished = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | settings | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.skipif(not choice.is_tried(choice.numba_version()), reason="this numba compiles kernels as it comes")
def test_an_index_that_is_not_there_is_found(tmp_path: Path) -> None:
    assert run(BEYOND, tmp_path) == "3\n" + "a kernel ended with status 1\n" * 2


@pytest.mark.skipif(not choice.is_tried(choice.numba_version()), reason="this numba compiles kernels as it comes")
def test_all_indices_of_all_kernels_are_there(tmp_path: Path) -> None:
    assert run(EVERYTHING, tmp_path) == "True []\n"
