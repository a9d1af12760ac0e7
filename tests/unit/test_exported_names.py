"""``import maerisim``: what it offers, that it costs nothing, and that a user's types are checked."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import maerisim

ROOT = Path(__file__).parents[2]
NAMES = """
AvgPool2d Conv1d Conv2d Conv3d ConvTranspose2d DeadlockError DocumentError Fused FusedMapping Gru Hardware Linear Lstm MaerisimError Mapping MappingError MatMul
MaxPool2d Network NotSupportedError Problem ValuesError WorkersError __version__ buffer_curve compare compare_search compiling estimate front map programs rank
report rerun roofline save_mappings shipped simulate sweep trace validate warmup
"""
"""A name that is added or taken away is a decision."""


def test_the_names_are_these_and_all_of_them_are_there() -> None:
    assert maerisim.__all__ == sorted(maerisim.__all__) == NAMES.split() == dir(maerisim)
    for name in maerisim.__all__:
        assert getattr(maerisim, name) is not None


def test_rooms_do_not_take_the_names_of_functions() -> None:
    rooms = {path.stem for path in (ROOT / "maerisim").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms.isdisjoint(maerisim.__all__)


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="module 'maerisim' has no attribute 'simulat'"):
        _ = maerisim.simulat  # type: ignore[attr-defined]


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import maerisim; print(*sorted(set(sys.modules) - before))"
    finished = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = finished.stdout.split()
    assert "maerisim" in imported
    heavy = {"numpy", "numba", "pydantic", "yaml", "simpy", "rich", "typer", "pandas"}
    assert heavy.isdisjoint(imported)
    assert [name for name in imported if name.startswith(("maerisim.", "mapper"))] == []


def test_signatures_for_type_checkers_name_the_keys_of_the_documents() -> None:
    checked = 0
    for module in (
        "hardware.hardware",
        "workload.network",
        "workload.layers",
        "workload.convolutions",
        "workload.transposed",
        "workload.recurrent",
    ):
        tree = ast.parse((ROOT / "maerisim" / f"{module.replace('.', '/')}.py").read_text("utf-8"))
        for node in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            for init in (
                each for each in ast.walk(node) if isinstance(each, ast.FunctionDef) and each.name == "__init__"
            ):
                model = getattr(maerisim, node.name)
                arguments = {each.arg for each in (*init.args.args, *init.args.kwonlyargs)} - {"self"}
                assert arguments == set(model.model_fields) - {"op"}, node.name
                checked += 1
    assert checked == 13


@pytest.mark.slow
def test_a_users_script_passes_a_strict_type_checker(tmp_path: Path) -> None:
    options = [
        "--strict",
        "--config-file=",
        "--follow-imports=silent",
        f"--cache-dir={tmp_path}",
    ]  # not our configuration
    finished = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "tests/unit/user_script.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert finished.returncode == 0, finished.stdout
