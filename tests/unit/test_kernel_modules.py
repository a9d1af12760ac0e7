"""Names that two kernel modules use for different things cannot be taken for one another."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

KERNELS = Path(__file__).resolve().parents[2] / "maerisim" / "kernels"
ROOMS = ("estimating", "stepping")
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


def modules_of(rooms: tuple[str, ...]) -> list[Path]:
    return [module for room in rooms for module in sorted((KERNELS / room).glob("*.py"))]


def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def constants_of(module: Path) -> set[str]:
    """The constants that a module defines."""
    targets = [target for node in parsed(module).body if isinstance(node, ast.Assign) for target in node.targets]
    names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {name for name in names if CONSTANT.fullmatch(name)}


DEFINITIONS = Counter(name for module in modules_of(("stepping", "estimating")) for name in constants_of(module))


def test_several_modules_use_one_name_for_different_constants() -> None:
    assert DEFINITIONS["DISTRIBUTED"] > 1


@pytest.mark.parametrize("module", modules_of(ROOMS), ids=lambda path: path.stem)
def test_constants_of_which_there_are_several_are_read_through_their_module(module: Path) -> None:
    imported = [
        name.name
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("maerisim.kernels.")
        for name in node.names
    ]
    assert [name for name in imported if DEFINITIONS[name] > 1] == []


def test_no_two_kernel_modules_call_different_types_the_same() -> None:
    defined = defaultdict(list)
    for module in KERNELS.rglob("*.py"):
        for node in parsed(module).body:
            is_alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)
            names = [target.id for target in node.targets if isinstance(target, ast.Name)] if is_alias else []
            for name in [node.name] if isinstance(node, ast.ClassDef) else names:
                defined[name].append(module.relative_to(KERNELS).as_posix())
    assert {name: modules for name, modules in defined.items() if len(modules) > 1} == {}
