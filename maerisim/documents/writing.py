"""Writing files that the user named, and texts into YAML so that they are read as they were."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import yaml

from maerisim.documents.nodes import FLOAT
from maerisim.errors import DocumentError


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which also puts a text like ``1e-3`` in quotes."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+0123456789."))

_LONGEST_KEY = 1000
"""Characters; YAML takes a longer one for a key only where a question mark announces it."""


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file, whole or not at all: what was there stays until all of the new content is on the disk.

    It is written beside and takes the place of the old file at the end; what is no file, like a pipe, is written into. Raises
    DocumentError for a place that cannot be written: the user named it and can mend it.
    """
    content = content.encode("utf-8") if isinstance(content, str) else content
    try:
        place = Path(path).resolve()  # behind a link the file is replaced, not the link
        if place.exists() and not place.is_file():
            place.write_bytes(content)
        else:
            _replace(place, content)
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a name with a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise DocumentError([f"{path}: cannot be written: {reason}"]) from error


def _replace(place: Path, content: bytes) -> None:
    """Put ``content`` in the place of a file, with the permissions that it had."""
    mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o666 & ~_mask()
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    number, beside = tempfile.mkstemp(prefix=".maerisim-", dir=place.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(mode)
        Path(beside).replace(place)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mask() -> int:
    """The permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
