"""Compiled kernels: where they are kept between runs, and who is told when one is compiled.

numba looks at the one file that a function is written in to tell whether its machine code on disk is still good. A kernel
holds code and constants of several files of this package, so its code is kept in a directory named after all of them:
when any of them changes, everything is compiled anew. This module does not import numba.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from maerisim.kernels.compiling import choice

Watcher = Callable[[str, float | None], None]

_watchers: list[Watcher] = []

_SOURCES = Path(__file__).parents[1]
"""All kernels and what compiles them. The array types of ``arrays.py`` are for type checkers: a kernel is compiled for what comes."""
_KEPT = 3
"""Generations of compiled kernels that are left in a place: this one and the latest others."""


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Call ``watcher`` with a kernel's name and None when it begins to be compiled, and the seconds when that is done."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def tell(kernel: str, seconds: float | None) -> None:
    """Tell the watchers."""
    for watcher in _watchers:
        watcher(kernel, seconds)


def places() -> tuple[Path, ...]:
    """Where compiled kernels may be kept; the first that can be written is used.

    ``NUMBA_CACHE_DIR`` if it is set; else beside the sources or, where the installation is read-only, in the user's cache.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return (Path(chosen),)
    beside, users = _SOURCES / "__pycache__", os.environ.get("XDG_CACHE_HOME")
    try:
        return beside, (Path(users) if users else Path.home() / ".cache") / "maerisim"
    except RuntimeError:  # a user without a home
        return (beside,)


@cache
def directory() -> Path | None:
    """The directory of the kernels of this version, made if need be; None when no place can be written."""
    import tempfile

    name = f"kernels-{_digest()}"
    for place in places():
        kept = place / name
        is_new = not kept.exists()
        try:
            kept.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=kept).close()
        except OSError:
            continue
        if is_new:
            _remove_old(place)
        return kept
    return None


def is_kept(kernel: str) -> bool:
    """Whether a kernel, by the name that watchers are told, is on disk."""
    kept = directory()
    return kept is not None and any(kept.rglob(f"{kernel}-*"))


def _digest() -> str:
    """A name for the sources of all kernels as they are now, and for what compiles them."""
    import hashlib

    compiler = f"{'stock ' if choice.is_stock() else ''}numba {choice.numba_version()}"
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {compiler}".encode())
    for source in sorted(_SOURCES.rglob("*.py")):
        digest.update(b"\0" + source.relative_to(_SOURCES).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]


def _remove_old(place: Path) -> None:
    """Remove all but the latest generations of kernels."""
    import shutil

    for old in sorted(place.glob("kernels-*"), key=_last_change, reverse=True)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _last_change(directory: Path) -> float:
    try:
        return directory.stat().st_mtime
    except OSError:  # removed by another process in the meantime
        return 0.0
