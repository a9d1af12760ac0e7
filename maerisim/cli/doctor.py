"""What an installation has, and what it lacks."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from rich.console import Console

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import choice
from maerisim.study import warmup

WIDTH = 15
"""Columns of what a line is about."""
TOGETHER = ("all", "dev")
"""Extras that are made of others."""


def examined() -> tuple[list[str], bool]:
    """What there is, line by line, and whether everything is there that every command needs."""
    needed, extras = _requirements()
    missing = [name for name in needed if _version(name) is None]
    kept = compilation.directory()
    compiled = [part for part in warmup.PARTS if warmup.is_complete(part)]
    lacking = [part for part in warmup.PARTS if part not in compiled]
    lines = [
        _line(
            "maerisim",
            f"{_version('maerisim')}, Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        ),
        _line("packages", ", ".join(f"{name} {_version(name) or 'MISSING'}" for name in needed)),
        _line("machine", f"{_cores()} cores to run on{_memory()}"),
        _line("terminal", _terminal()),
        _line("kernels", f"kept in {kept}" if kept else f"CANNOT BE KEPT: {_unwritable()}; compiled in every run"),
        _line(
            "compiler",
            "numba as it comes"
            if choice.is_stock()
            else "parts of numba's replaced (MAERISIM_STOCK_NUMBA=1 leaves them)",
        ),
        _line("compiled", ", ".join(compiled) or "nothing yet"),
        *([_line("to compile", f"{', '.join(lacking)} (when needed, or with maerisim warmup)")] if lacking else []),
        *(_line(f"[{extra}]", _told(extra, names)) for extra, names in extras.items()),
    ]
    return lines, not missing


def _line(about: str, text: str) -> str:
    return f"{about:<{WIDTH}}{text}"


def _told(extra: str, names: list[str]) -> str:
    """Whether the packages of an extra are there."""
    missing = [name for name in names if _version(name) is None]
    if not missing:
        return ", ".join(f"{name} {_version(name)}" for name in names)
    return f"not installed: {', '.join(missing)} (pip install 'maerisim[{extra}]')"


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """The packages that every command needs, and those of each extra; not of extras that only name others."""
    needed: list[str] = []
    extras: dict[str, list[str]] = {}
    for text in metadata.requires("maerisim") or []:
        name, extra = re.match(r"[\w.-]+", text), re.search(r"extra == ['\"]([\w-]+)['\"]", text)
        if name is None or name[0] == "maerisim":
            continue
        if extra is None:
            needed.append(name[0])
        elif extra[1] not in TOGETHER:
            extras.setdefault(extra[1], []).append(name[0])
    return needed, extras


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> str:
    """The machine's memory in words; nothing where the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return ""
    return f", {size / 2**30:.1f} GiB of memory"


def _terminal() -> str:
    def parts() -> Iterator[str]:
        console = Console()
        yield f"{console.width} columns" if sys.stdout.isatty() else "none"
        yield f"colour {console.color_system or 'off'}"
        yield f"encoding {sys.stdout.encoding}"

    return ", ".join(parts())


def _unwritable() -> str:
    return f"{' nor '.join(str(place) for place in compilation.places())} cannot be written"
