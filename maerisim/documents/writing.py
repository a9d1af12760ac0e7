"""Writing files that the user named, and texts into YAML so that they are read as they were."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from maerisim.documents.nodes import FLOAT
from maerisim.errors import DocumentError


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which also puts a text like ``1e-3`` in quotes."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+0123456789."))

_LONGEST_KEY = 1000
"""Characters; YAML takes a longer one for a key only where a question mark announces it."""


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a file. Raises DocumentError for a place that cannot be written: the user named it and can mend it."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DocumentError([f"{path}: cannot be written: {error.strerror}"]) from error


def scalar(text: str) -> str:
    """``text`` as a YAML scalar on one line, in quotes where YAML would read something else.

    What cannot be seen is written as an escape.
    """
    if not text.isprintable():
        return f'"{"".join(map(_escaped, text))}"'
    flow: str = yaml.dump([text], Dumper=_Dumper, default_flow_style=True, width=10**9, allow_unicode=True)
    return flow.strip()[1:-1]


def key(text: str, indent: str = "") -> str:
    """``text`` as a YAML key with its colon, behind ``indent``; on two lines where it is too long for one."""
    written = scalar(text)
    return f"{indent}{written}:" if len(written) <= _LONGEST_KEY else f"{indent}? {written}\n{indent}:"


def _escaped(each: str) -> str:
    if each in '"\\':
        return f"\\{each}"
    if each.isprintable():
        return each
    code = ord(each)
    return f"\\x{code:02x}" if code < 2**8 else f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
