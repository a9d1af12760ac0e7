"""Names that two kernel modules use for different things cannot be taken for one another."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

KERNELS = Path(__file__).resolve().parents[2] / "maerisim" / "kernels"
ROOMS = ("estimating",)
MODULES = [module for room in ROOMS for module in sorted((KERNELS / room).glob("*.py"))]
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_constants_of_another_module_are_read_through_it(module: Path) -> None:
    imported = [
        name.name
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("maerisim.kernels.")
        for name in node.names
    ]
    assert [name for name in imported if CONSTANT.fullmatch(name)] == []


def test_no_two_kernel_modules_call_different_types_the_same() -> None:
    defined = defaultdict(list)
    for module in KERNELS.rglob("*.py"):
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            is_alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)
            names = [target.id for target in node.targets if isinstance(target, ast.Name)] if is_alias else []
            for name in [node.name] if isinstance(node, ast.ClassDef) else names:
                defined[name].append(module.relative_to(KERNELS).as_posix())
    assert {name: modules for name, modules in defined.items() if len(modules) > 1} == {}
