"""YAML with line positions: one file, or a chain of files that extend one another, as data and where it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maerisim.documents.locating import locate_beside
from maerisim.documents.models import NOUNS, Complaint, KeyPath, Kind, dotted
from maerisim.documents.words import described
from maerisim.errors import DocumentError

_DEEPEST = 32


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, which also takes ``1e-3`` for a number (YAML 1.1 wants ``1.0e-3``)."""


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which also puts a text like ``1e-3`` in quotes."""


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
    )


def scalar(text: str) -> str:
    """``text`` as a YAML scalar on one line, in quotes where YAML would read something else."""
    flow: str = yaml.dump([text], Dumper=_Dumper, default_flow_style=True, width=10**9, allow_unicode=True)
    return flow.strip()[1:-1]


@dataclass(frozen=True)
class _File:
    """One parsed file: its data, and the nodes to find lines with."""

    name: str
    root: yaml.MappingNode

    def find(self, path: KeyPath) -> tuple[int, int]:
        """How many parts of ``path`` exist in this file, and the line (from 1) of the last one that does."""
        node: yaml.Node = self.root
        line = node.start_mark.line + 1
        for depth, part in enumerate(path):
            step = _child(node, part)
            if step is None:
                return depth, line
            node, line = step
        return len(path), line


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if key.value == part:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


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


def read_text(path: Path, noun: str, file: str) -> str:
    """The text of a file that holds ``noun`` ("a network description") in a ``file`` ("the YAML file of ...").

    Raises DocumentError with what was expected when it cannot be read.
    """
    if path.is_dir():
        raise DocumentError([f"{path}: is a directory, expected {file}"])
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DocumentError([f"{path}: no such file, expected {noun}"]) from None
    except OSError as error:
        raise DocumentError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise DocumentError([f"{path}: is not a text file (UTF-8), expected {file}"]) from None
    if "\0" in text:
        raise DocumentError([f"{path}: is not a text file (UTF-8), expected {file}"])
    return text


def _syntax_problem(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "expected a single document" in str(error):
        problem = "more than one document; keep one per file and remove the '---' line"
    elif "\\t" in problem or "that cannot start any token" in problem:
        problem += " (indent with spaces; quote a text that starts with a special character)"
    if mark is None:
        return f"{path}: not valid YAML: {problem}"
    if "nesting depth" in problem:  # newer releases of PyYAML look first
        return _too_deep(path, mark.line)
    return f"{path}:{mark.line + 1}: not valid YAML at column {mark.column + 1}: {problem}"


def _key_problems(node: yaml.Node, path: KeyPath, name: str, seen: set[int]) -> list[str]:
    """Duplicate keys and keys that are not text, in the whole tree below ``node``."""
    if id(node) in seen:
        return []
    seen.add(id(node))
    problems = []
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            where = f"{name}:{line}: {dotted(path)}: " if path else f"{name}:{line}: "
            if key.tag != "tag:yaml.org,2002:str":
                found = key.value if isinstance(key, yaml.ScalarNode) else "a collection"
                problems.append(f"{where}expected a text as key, found {found} (put it in quotes)")
                continue
            below = (*path, key.value)
            if key.value in first:
                problems.append(f"{name}:{line}: {dotted(below)}: duplicate key, already on line {first[key.value]}")
            first.setdefault(key.value, line)
            problems += _key_problems(value, below, name, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            problems += _key_problems(value, (*path, index), name, seen)
    return problems


def _check_depth(path: Path, text: str) -> None:
    """Refuse nesting that no document has, before the parser's recursion runs out of stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise DocumentError([_too_deep(path, event.start_mark.line if event.start_mark else 0)])


def _too_deep(path: Path, line: int) -> str:
    return f"{path}:{line + 1}: is nested more than {_DEEPEST} levels deep"


def _read_file(path: Path, noun: str) -> tuple[dict[str, Any], _File]:
    text = read_text(path, noun, f"the YAML file of {noun}")
    loader = _Loader(text)
    try:
        _check_depth(path, text)
        root = loader.get_single_node()
        if root is None:
            raise DocumentError([f"{path}: is empty, expected {noun}"])
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else f"the single value {root.value[:40]!r}"
            line = root.start_mark.line + 1
            raise DocumentError([f"{path}:{line}: expected 'key: value' lines at the top level, found {found}"])
        problems = _key_problems(root, (), str(path), set())
        if problems:
            raise DocumentError(problems)
        data = loader.construct_document(root)
    except yaml.YAMLError as error:
        raise DocumentError([_syntax_problem(path, error)]) from None
    except ValueError as error:
        raise DocumentError([f"{path}: a value cannot be read: {error}"]) from None
    finally:
        loader.dispose()
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
    return _read_chain(Path(path), kind, extendable, ())


def _read_chain(path: Path, kind: Kind, extendable: bool, chain: tuple[Path, ...]) -> Source:
    data, file = _read_file(path, NOUNS[kind])
    if not extendable or "extends" not in data:
        return Source(data, (file,))
    where = f"{path}:{file.find(('extends',))[1]}: extends"
    name = data.pop("extends")
    if not isinstance(name, str) or not name:
        raise DocumentError([f"{where}: expected the name of a YAML file, found {described(name)}"])
    chain = (*chain, path)
    try:
        base = locate_beside(kind, name, path.parent)
    except DocumentError as error:
        raise DocumentError([f"{where}: {problem}" for problem in error.problems]) from None
    if any(base.resolve() == earlier.resolve() for earlier in chain):
        loop = " -> ".join(str(step) for step in (*chain, base))
        raise DocumentError([f"{where}: a file cannot extend itself: {loop}"])
    below = _read_chain(base, kind, extendable, chain)
    return Source(_merged(below.data, data), (file, *below.files))
