"""YAML with line positions: one file, or a chain of files that extend one another, as data and where it stands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from maerisim.documents.files import read_text
from maerisim.documents.locating import locate_beside
from maerisim.documents.models import NOUNS, Complaint, KeyPath, Kind, dotted
from maerisim.documents.nodes import parse
from maerisim.documents.words import described
from maerisim.errors import DocumentError


@dataclass(frozen=True)
class _File:
    """One parsed file: its data, and the nodes to find lines with."""

    name: str
    root: yaml.MappingNode
    children: dict[int, dict[str | int, tuple[yaml.Node, int]]] = field(default_factory=dict, repr=False)

    def find(self, path: KeyPath) -> tuple[int, int]:
        """How many parts of ``path`` exist in this file, and the line (from 1) of the last one that does."""
        node: yaml.Node = self.root
        line = node.start_mark.line + 1
        for depth, part in enumerate(path):
            step = self._children(node).get(part)
            if step is None:
                return depth, line
            node, line = step
        return len(path), line

    def _children(self, node: yaml.Node) -> dict[str | int, tuple[yaml.Node, int]]:
        """What is in a node, by key or index, with the lines where it stands; found once for each node."""
        if id(node) not in self.children:
            found: dict[str | int, tuple[yaml.Node, int]] = {}
            if isinstance(node, yaml.MappingNode):
                found = {key.value: (value, key.start_mark.line + 1) for key, value in node.value}
            elif isinstance(node, yaml.SequenceNode):
                found = {index: (value, value.start_mark.line + 1) for index, value in enumerate(node.value)}
            self.children[id(node)] = found
        return self.children[id(node)]


@dataclass(frozen=True)
class Source:
    """Merged data of a document and the files it came from, the extending file before the extended one."""

    data: dict[str, Any]
    files: tuple[_File, ...]

    def where(self, path: KeyPath) -> tuple[str, int]:
        """File and line at which ``path`` stands, or its nearest enclosing key."""
        found = [(file.find(path), file.name) for file in self.files]
        (_, line), name = max(found, key=lambda item: item[0][0])
        return name, line

    def report(self, problems: Iterable[Complaint]) -> DocumentError:
        """All problems as one error, ordered by file and line."""
        order = {file.name: index for index, file in enumerate(self.files)}
        lines = []
        for path, message in problems:
            name, line = self.where(path)
            text = f"{name}:{line}: {dotted(path)}: {message}" if path else f"{name}:{line}: {message}"
            lines.append((order[name], line, text))
        return DocumentError(list(dict.fromkeys(text for _, _, text in sorted(lines))))


def _read_file(path: Path, noun: str) -> tuple[dict[str, Any], _File]:
    root, data = parse(path, read_text(path, noun, f"the YAML file of {noun}"), noun)
    return data, _File(str(path), root)


def _merged(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """``base`` overlaid with ``top``: mappings are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def read(path: str | os.PathLike[str], kind: Kind, *, extendable: bool = False) -> Source:
    """Parse the YAML file at ``path`` without validating it; follow ``extends`` when the kind allows that.

    ``extends`` names a file relative to the extending one, or else a shipped document. Raises DocumentError for files
    that cannot be read or parsed, for duplicate keys and for circular ``extends``.
    """
    files: list[_File] = []
    data: dict[str, Any] = {}
    chain: dict[Path, Path] = {}
    step: Path | None = Path(path)
    while step is not None:
        chain[step.resolve()] = step
        below, file = _read_file(step, NOUNS[kind])
        step = _extended(step, file, below.pop("extends"), kind, chain) if extendable and "extends" in below else None
        data = _merged(below, data)
        files.append(file)
    return Source(data, tuple(files))


def _extended(path: Path, file: _File, name: object, kind: Kind, chain: Mapping[Path, Path]) -> Path:
    """The file that ``path`` extends, which is none of the ``chain`` that led there (by their resolved paths)."""
    where = f"{path}:{file.find(('extends',))[1]}: extends"
    if not isinstance(name, str) or not name:
        raise DocumentError([f"{where}: expected the name of a YAML file, found {described(name)}"])
    try:
        base = locate_beside(kind, name, path.parent)
    except DocumentError as error:
        raise DocumentError([f"{where}: {problem}" for problem in error.problems]) from None
    if base.resolve() in chain:
        loop = " -> ".join(str(step) for step in (*chain.values(), base))
        raise DocumentError([f"{where}: a file cannot extend itself: {loop}"])
    return base
