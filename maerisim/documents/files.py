"""The text of a file that the user named, whatever is found in its place."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from maerisim.errors import DocumentError
from maerisim.text import shown

LARGEST = 16 * 2**20
"""Bytes of the largest file that is read."""
PATIENCE_SECONDS = 20.0
"""How long the next piece of a pipe is waited for."""
_PIECE = 2**16


def is_file(path: Path) -> bool:
    """Whether there is something at ``path`` that may be read. Raises DocumentError where that cannot be found out."""
    mode = _mode(path)
    return mode is not None and not stat.S_ISDIR(mode)


def is_directory(path: Path) -> bool:
    """Whether there is a directory at ``path``. Raises DocumentError where that cannot be found out."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the latter for names with a NUL
        return None
    except OSError as error:  # a name that is too long, a folder that may not be entered, links in a circle
        raise DocumentError([f"{shown(str(path))}: cannot be reached: {error.strerror}"]) from None


def read_text(path: Path, noun: str, file: str) -> str:
    """The text of a file that holds ``noun`` ("a network description") in a ``file`` ("the YAML file of ...").

    Raises DocumentError with what was expected when it cannot be read, is no file or pipe, or is larger than any.
    """
    try:
        text = read_bytes(path, noun, file).decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DocumentError([f"{path}: is not a text file (UTF-8), expected {file}"])
    return text


def read_bytes(path: Path, noun: str, file: str, largest: int = LARGEST) -> bytes:
    """The same of a file that is not text, or may have more bytes."""
    mode = _mode(path)
    if mode is None:
        raise DocumentError([f"{path}: no such file, expected {noun}"])
    if stat.S_ISDIR(mode):
        raise DocumentError([f"{path}: is a directory, expected {file}"])
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise DocumentError([f"{path}: is a device, expected {file}"])
    try:
        content = _from_pipe(path, file, largest) if stat.S_ISFIFO(mode) else _from_file(path, largest)
    except OSError as error:
        raise DocumentError([f"{path}: cannot be read: {error.strerror}"]) from None
    if len(content) > largest:
        raise DocumentError([f"{path}: has more than {largest // 2**20:,} MiB, expected {file}"])
    return content


def _from_file(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        return file.read(largest + 1)


def _from_pipe(path: Path, file: str, largest: int) -> bytes:
    """What comes through a pipe. Raises DocumentError when nobody writes into it."""
    content = b""
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while len(content) <= largest:
            ready, _, _ = select.select([pipe], [], [], PATIENCE_SECONDS)
            if not ready:
                raise DocumentError(
                    [f"{path}: nothing came out of this pipe for {PATIENCE_SECONDS:g} s, expected {file}"]
                )
            piece = os.read(pipe, _PIECE)
            if not piece:
                break
            content += piece
    finally:
        os.close(pipe)
    return content
