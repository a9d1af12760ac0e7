"""One word for one thing: no class, and no name of a type, stands for two things."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

TWINS = {
    "Collection": "the kernels' twin of the part of the hardware document",
    "Controller": "the component, as a process and in the kernels, of the part of the hardware document",
    "GlobalBuffer": "the component of the part of the hardware document",
    "Floats": "an array type",
    "Ints": "an array type",
    "Words": "an array type",
}
"""Names that two files may give to the same thing, and why."""


def names_of_types(file: Path) -> Iterator[str]:
    """The classes and aliases that a file defines for others; type variables end with T."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper() and not name.endswith("T"):
                yield name


def test_no_two_files_give_one_name_to_a_type() -> None:
    places = defaultdict(set)
    for room in ("maerisim", "mapper"):
        for file in (ROOT / room).rglob("*.py"):
            if file.parent.name != "cli":  # an option is called like what it names
                for name in names_of_types(file):
                    if not name.startswith("_"):
                        places[name].add(str(file.relative_to(ROOT)))
    doubles = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in doubles.items() if name not in TWINS} == {}
