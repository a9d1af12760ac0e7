"""Layers read from another tool's files, and the network document that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.text import harmless
from maerisim.text import whole_number as from_zero
from maerisim.workload.network import Network

_WHERE = re.compile(r"(.*?:[0-9]+): ")
"""File and line of a note."""


@dataclass(frozen=True)
class FileLine:
    """A line of a file that was read."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class ModelNode:
    """A node of a graph that was read, in words."""

    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class ImportedLayer:
    """One layer: ``fields`` are those of the network document, ``comment`` stands behind it there."""

    source: FileLine | ModelNode
    fields: Mapping[str, Any]
    comment: str = ""

    @property
    def name(self) -> str:
        return str(self.fields["name"])


@dataclass(frozen=True)
class ImportedNetwork:
    """A network: its ``origin`` in words, its layers, and ``notes`` on what was not taken as it is written."""

    name: str
    origin: str
    layers: tuple[ImportedLayer, ...]
    notes: tuple[str, ...] = ()

    def to_yaml(self) -> str:
        """The network document. Raises DocumentError, with the lines they come from, for layers that it cannot hold."""
        problems: list[str] = []
        for layer in self.layers:
            try:
                documents.validate(Network, {"name": self.name, "layers": [dict(layer.fields)]}, str(layer.source))
            except DocumentError as error:
                problems += error.problems
        if problems:
            raise DocumentError(problems)
        lines = [f"# {harmless(line)}" for line in self.origin.splitlines()]
        lines += ["", f"name: {documents.scalar(self.name)}", "", "layers:"]
        lines += [_line(layer) for layer in self.layers]
        return "\n".join(lines) + "\n"


def _line(layer: ImportedLayer) -> str:
    fields = ", ".join(f"{key}: {_value(value)}" for key, value in layer.fields.items())
    return f"  - {{{fields}}}" + (f"  # {harmless(layer.comment)}" if layer.comment else "")


def _value(value: object) -> str:
    if isinstance(value, str):
        return documents.scalar(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(str(entry) for entry in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_value(entry)}' for key, entry in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_distinct_names(layers: Sequence[ImportedLayer]) -> tuple[list[ImportedLayer], list[str]]:
    """The layers, later ones of the same name with a number behind it, and a note for each that was renamed."""
    first: dict[str, FileLine | ModelNode] = {}
    following: dict[str, int] = {}
    distinct: list[ImportedLayer] = []
    notes: list[str] = []
    taken = {layer.name for layer in layers}
    for layer in layers:
        if layer.name not in first:
            first[layer.name] = layer.source
            distinct.append(layer)
            continue
        number = following.get(layer.name, 2)
        while f"{layer.name}_{number}" in taken:
            number += 1
        name = f"{layer.name}_{number}"
        taken.add(name)
        following[layer.name] = number + 1
        notes.append(
            f"{layer.source}: '{layer.name}' is already the layer of {first[layer.name]}; this one becomes '{name}'"
        )
        distinct.append(replace(layer, fields={**layer.fields, "name": name}))
    return distinct, notes


_ALIKE = 3
"""Notes that differ in names and numbers alone and are all shown."""


def summed_up(notes: Sequence[str]) -> list[str]:
    """The notes; of more than a few that differ in nothing but names and numbers the first, and how many there are."""
    groups: dict[str, list[str]] = {}
    for note in notes:
        text = note if (match := _WHERE.match(note)) is None else note[match.end() :]
        groups.setdefault(re.sub(r"'[^']*'|[0-9]+", "#", text), []).append(note)
    found = []
    for group in groups.values():
        if len(group) <= _ALIKE:
            found += group
            continue
        last = _WHERE.match(group[-1])
        to = f", the last at {last[1]}" if last else ""
        found.append(f"{group[0]} (and {len(group) - 1:,} more like this{to})")
    return found


def whole_number(text: str) -> int | None:
    """The size from 1 that is written so, or None where it is something else or beyond every size."""
    return from_zero(text) or None


def brief(*sizes: int) -> int | list[int]:
    """Sizes along each axis as the network document has them: one number when they are equal."""
    return sizes[0] if len(set(sizes)) == 1 else list(sizes)
