"""YAML as a tree of nodes that know their lines, and the types of values that a document may hold.

These are text, integers, numbers, true and false, nothing, lists, and keys with values; anything else is refused at its
line before a value is made of it. ``1:30`` is a text here, as in YAML 1.2, and a date has to be in quotes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from maerisim.documents.models import KeyPath, dotted
from maerisim.documents.words import described
from maerisim.errors import DocumentError
from maerisim.text import MOST_DIGITS, shown

_DEEPEST = 32
"""Levels of a document, those of what an alias stands for included."""
_MOST_VALUES = 200_000
"""Keys and values of a document, those of what an alias stands for counted each time."""

_PREFIX = "tag:yaml.org,2002:"
_MERGE = _PREFIX + "merge"
_SCALARS = {
    "str": "a text",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
"""The types of a scalar by their tag, in words."""
_IN_QUOTES = {"timestamp": "the date", "merge": "the sign"}
"""What YAML takes for something else, and has to be in quotes to be a text."""
_INTEGER = re.compile(r"[-+]?(?:0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0|[1-9][0-9_]*|0[0-7_]+)$")
FLOAT = re.compile(
    r"""(?x) (?: [-+]? (?: [0-9][0-9_]*\.[0-9_]* | \.[0-9][0-9_]* ) (?: [eE][-+]?[0-9]+ )?
             | [-+]? [0-9][0-9_]* [eE][-+]?[0-9]+
             | [-+]? \.(?:inf|Inf|INF)
             | \.(?:nan|NaN|NAN) )$"""
)
"""A number that is no integer; unlike in YAML 1.1 ``1e-3`` is one, too."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader without sexagesimal numbers and ``=``, which takes ``1e-3`` for a number."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  the loader's own name


for _first, _resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
    Loader.yaml_implicit_resolvers[_first] = [
        (tag, pattern)
        for tag, pattern in _resolvers
        if tag.removeprefix(_PREFIX) in ("bool", "null", "merge", "timestamp")
    ]
Loader.add_implicit_resolver(f"{_PREFIX}int", _INTEGER, list("-+0123456789"))
Loader.add_implicit_resolver(f"{_PREFIX}float", FLOAT, list("-+0123456789."))


def parse(path: Path, text: str, noun: str) -> tuple[yaml.MappingNode, dict[str, Any]]:
    """The nodes and the data of the file ``path`` that holds ``noun``.

    Raises DocumentError for what is no YAML, and with every key or value that no document may hold.
    """
    _require_seen(path, text)
    loader = Loader(text)
    try:
        _check_size(path, text)
        root = loader.get_single_node()
        if root is None:
            raise DocumentError([f"{path}: is empty, expected {noun}"])
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else f"the single value {root.value[:40]!r}"
            line = root.start_mark.line + 1
            raise DocumentError([f"{path}:{line}: expected 'key: value' lines at the top level, found {found}"])
        check = _Check(str(path), loader)
        check.visit(root, ())
        if check.problems:
            raise DocumentError(check.problems)
        return root, loader.construct_document(root)
    except yaml.YAMLError as error:
        raise DocumentError([_syntax_problem(path, error)]) from None
    finally:
        loader.dispose()


def _require_seen(path: Path, text: str) -> None:
    """Refuse control characters, for which the parser knows no line."""
    unseen = Reader.NON_PRINTABLE.search(text)
    if unseen is not None:
        line = text.count("\n", 0, unseen.start()) + 1
        code = f"\\u{ord(unseen[0]):04x}"
        problem = f'not valid YAML: a control character (write it as "{code}", in double quotes)'
        raise DocumentError([f"{path}:{line}: {problem}"])


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


def _check_size(path: Path, text: str) -> None:
    """Refuse nesting and numbers of values that no document has, before stack or memory run out."""
    depth = values = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        line = event.start_mark.line if event.start_mark else 0
        if depth > _DEEPEST:
            raise DocumentError([_too_deep(path, line)])
        if values > _MOST_VALUES:
            raise DocumentError([f"{path}:{line + 1}: has more than {_MOST_VALUES:,} keys and values up to here"])


def _too_deep(path: str | Path, line: int) -> str:
    return f"{path}:{line + 1}: is nested more than {_DEEPEST} levels deep"


class _Check:
    """One walk over the nodes of a file ``name`` in the order in which they stand, each once; ``problems`` as found.

    An alias stands behind what it stands for, so that the walk never goes deeper than what is written.
    """

    def __init__(self, name: str, loader: Any) -> None:
        self.name = name
        self.problems: list[str] = []
        self._loader = loader
        self._extents: dict[int, tuple[int, int] | None] = {}

    def visit(self, node: yaml.Node, path: KeyPath) -> tuple[int, int]:
        """The levels and the values of ``node``, which stands at ``path``, with all that its aliases stand for."""
        if id(node) in self._extents:
            known = self._extents[id(node)]
            if known is None:
                self._complain(node, path, "a value cannot contain itself")
            return known or (1, 1)
        self._extents[id(node)] = None
        self._check_type(node, path)
        parts: list[tuple[int, int]] = []
        if isinstance(node, yaml.MappingNode):
            parts = self._visit_keys(node, path)
        elif isinstance(node, yaml.SequenceNode):
            parts = [self.visit(value, (*path, index)) for index, value in enumerate(node.value)]
        levels = 1 + max((deep for deep, _ in parts), default=0)
        values = 1 + sum(many for _, many in parts)
        if levels > _DEEPEST:
            raise DocumentError([_too_deep(self.name, node.start_mark.line)])
        if values > _MOST_VALUES:
            line = node.start_mark.line + 1
            raise DocumentError(
                [f"{self.name}:{line}: its aliases stand for more than {_MOST_VALUES:,} keys and values"]
            )
        self._extents[id(node)] = levels, values
        return levels, values

    def _visit_keys(self, node: yaml.MappingNode, path: KeyPath) -> list[tuple[int, int]]:
        first: dict[str, int] = {}
        parts = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            below = path
            if key.tag != _MERGE:
                if key.tag != f"{_PREFIX}str" or not isinstance(key, yaml.ScalarNode):
                    found = shown(key.value) if isinstance(key, yaml.ScalarNode) else "a collection"
                    self._complain(key, path, f"expected a text as key, found {found} (put it in quotes)")
                    continue
                below = (*path, key.value)
                if key.value in first:
                    self._complain(key, below, f"duplicate key, already on line {first[key.value]}")
                first.setdefault(key.value, line)
            parts.append(self.visit(value, below))
        return parts

    def _check_type(self, node: yaml.Node, path: KeyPath) -> None:
        kind = node.tag.removeprefix(_PREFIX)
        if not isinstance(node, yaml.ScalarNode):
            if kind != ("map" if isinstance(node, yaml.MappingNode) else "seq"):
                self._complain(node, path, f"a document holds nothing tagged {_tag(node)}; leave the tag out")
            return
        plain = self._loader.resolve(yaml.ScalarNode, node.value, (True, False)).removeprefix(_PREFIX)
        if kind == plain and kind in _IN_QUOTES:
            found = f"{_IN_QUOTES[kind]} {shown(node.value)}"
            self._complain(node, path, f"expected a text or a number, found {found} (put it in quotes)")
        elif kind not in _SCALARS:
            self._complain(node, path, f"a document holds nothing tagged {_tag(node)}; leave the tag out")
        elif kind not in ("str", plain) and (kind, plain) != ("float", "int"):
            self._complain(node, path, f"expected {_SCALARS[kind]} behind {_tag(node)}, found {described(node.value)}")
        elif kind != "str" and plain == "int" and len(node.value) > MOST_DIGITS:
            self._complain(node, path, f"expected a number of at most {MOST_DIGITS} digits, found {len(node.value):,}")

    def _complain(self, node: yaml.Node, path: KeyPath, text: str) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}: "
        self.problems.append(f"{where}{dotted(path)}: {text}" if path else where + text)


def _tag(node: yaml.Node) -> str:
    return shown(node.tag.replace(_PREFIX, "!!", 1))
