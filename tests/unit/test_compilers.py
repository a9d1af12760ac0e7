"""Stock numba and numba with its insides replaced do the same; neither leaves a trace in the numba of others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import choice

ROOT = Path(__file__).resolve().parents[2]


def run(script, **environment):
    finished = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize(
    ("version", "tried"),
    [
        ("0.60.0", False),
        ("0.61.0", True),
        ("0.68.1", True),
        ("0.68.0rc1", True),
        ("0.69.0", False),
        ("0.69.0dev0+12.g1a2b3c", False),
        ("1.0.0", False),
        ("unknown", False),
    ],
)
def test_insides_are_used_with_the_versions_they_were_tried_with(version, tried, monkeypatch):
    monkeypatch.delenv(choice.SWITCH, raising=False)
    monkeypatch.setattr(choice, "numba_version", lambda: version)
    assert choice.is_stock() is not tried


@pytest.mark.parametrize(("value", "stock"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_stock_numba_can_be_chosen_by_hand(value, stock, monkeypatch):
    monkeypatch.setattr(choice, "numba_version", lambda: "0.68.0")
    monkeypatch.setenv(choice.SWITCH, value)
    assert choice.is_stock() is stock


def test_stock_numba_has_a_directory_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(choice, "numba_version", lambda: "0.68.0")
    directories = set()
    for value in ("0", "1"):
        monkeypatch.setenv(choice.SWITCH, value)
        directories.add(compilation.directory.__wrapped__())
    assert len(directories) == 2


UNKNOWN = """
import importlib.metadata, sys
known = importlib.metadata.version
importlib.metadata.version = lambda name: "0.99.0" if name == "numba" else known(name)
import maerisim.analytic.numbers as numbers
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating.times import count_rows
insides = {f"maerisim.kernels.compiling.{name}" for name in ("built_in", "elements", "groups", "insides", "pipeline", "writing")}
fabric = numbers.fabric_numbers(Hardware.load("maeri-16"))
print(count_rows(fabric) == count_rows.function(fabric), "numba" in sys.modules, sorted(insides & set(sys.modules)))
"""


def test_with_a_version_that_is_unknown_the_insides_are_not_even_imported(tmp_path):
    assert run(UNKNOWN, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_DISABLE_JIT="0") == "True True []\n"


KNOWN = """
import sys
from maerisim.analytic.numbers import fabric_numbers
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating.times import count_rows
count_rows(fabric_numbers(Hardware.load("maeri-16")))
print("numba" in sys.modules)
"""


def test_what_is_on_disk_runs_without_numba(tmp_path):
    settings = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    own = not choice.is_stock()
    assert [run(KNOWN, **settings) for _ in range(2)] == ["True\n", "False\n" if own else "True\n"]


def test_every_processor_has_its_own_machine_code(tmp_path):
    settings = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0", choice.SWITCH: "0"}
    run(KNOWN, **settings)
    run(KNOWN, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", **settings)
    assert len(list(tmp_path.rglob("times.count_rows-*.o"))) == 2 * (not choice.is_stock())


TRACE = """
import json, sys
import numba.np.arrayobj
import numpy as np
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import PassManager

def configuration():
    return {name: repr(value) for name, value in vars(numba.config).items() if name.isupper()}

def parts():
    base, codegen, lowering = numba.core.base, numba.core.codegen, numba.core.lowering
    context, typing, inference = base.BaseContext, numba.core.typing.context.BaseContext, numba.core.typeinfer
    return [
        *(PassManager.run, PassManager.run.__code__, PassManager._runPass, Compiler.define_pipelines),
        *(codegen.JITCodeLibrary._finalize_final_module, codegen.JITCodeLibrary._optimize_final_module),
        *(context.refresh, context.get_abi_sizeof, context.pair_first, context.pair_second, base._has_loc),
        *(typing.resolve_getattr, typing.resolve_value_type, numba.core.types.BaseFunction.get_call_type),
        *(inference.TypeInferer.sentry_modified_builtin, inference.new_error_context, lowering.new_error_context),
        *(lowering.Lower.storevar, lowering.Lower.loadvar, numba.core.cpu.CPUContext.call_conv),
        *(numba.core.interpreter.peep_hole_delete_with_exit, numba.core.postproc.PostProcessor.run),
        *(numba.core.cgutils.alloca_once, numba.np.arrayobj.fix_integer_index),
        *(numba.core.errors._termcolor_inst, numba.core.errors.WarningsFixer.catch_warnings),
    ]

configured, made_of = configuration(), parts()
from maerisim.analytic.numbers import fabric_numbers
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating.times import count_rows
from maerisim.kernels.compiling.jit import kernel
import maerisim.kernels.compiling.compiler
from maerisim.kernels.compiling import cache as compilation
imported = configuration()
count_rows(fabric_numbers(Hardware.load("maeri-16")))
compiled = configuration()

def fails(number: int) -> int:
    return number + missing

compilation.directory = lambda: None
fails.__module__ = count_rows.__module__
sys.modules[fails.__module__].fails = fails
try:
    kernel(fails)(1)
except numba.core.errors.TypingError:
    pass
after_an_error = configuration()

@numba.njit
def of_a_user(array, numbers):
    total = 0
    for step in range(len(array) - 1, -1, -1):
        total += array[-1 - step] if step in (0, 2) else max(step, min(numbers))
    return int(total + numbers[0]) / len(array[1:].copy())

assert of_a_user(np.arange(5), (7, 1)) == of_a_user.py_func(np.arange(5), (7, 1))
equal = [each == configured for each in (imported, compiled, after_an_error, configuration())]
json.dump({"equal": equal, "untouched": parts() == made_of}, sys.stdout)
"""


@pytest.mark.parametrize("stock", ["0", "1"])
def test_the_numba_of_others_is_as_it_was(stock, tmp_path):
    settings = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0", choice.SWITCH: stock}
    found = json.loads(run(TRACE, **settings))
    assert found["equal"] == [True] * 4
    assert found["untouched"]
