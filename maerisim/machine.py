"""The computer that this runs on: how much memory it has, and what a run is going to ask of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from maerisim.errors import NotSupportedError

LONG_SECONDS = 30.0
"""What is going to take longer is announced. Forecasts are of the least: it may be a minute, and more on a slow machine."""
LARGE_SHARE = 0.5
"""So is what takes more than this share of the memory."""
_CONTAINER = Path("/sys/fs/cgroup/memory.max")


class Forecast(NamedTuple):
    """About how long a run takes at the least, and the bytes that it needs at its peak; ``why`` it is so much."""

    seconds: float
    bytes: int
    why: str = ""

    def __str__(self) -> str:
        return f"about {in_words(self.seconds)} or more and {self.bytes / 1e9:.1f} GB of memory"


Listener = Callable[[Forecast], None]
_listeners: list[Listener] = []


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Call ``listener`` before something is begun that takes long or needs much memory."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def begin(forecast: Forecast) -> None:
    """Announce what is begun if it is worth it. Raises NotSupportedError for more memory than there is."""
    room = memory()
    if room is not None and forecast.bytes > room:
        raise NotSupportedError(
            f"this needs about {forecast.bytes / 1e9:,.1f} GB of memory, the machine has {room / 1e9:.1f} GB ({forecast.why})"
        )
    if forecast.seconds > LONG_SECONDS or (room is not None and forecast.bytes > LARGE_SHARE * room):
        for listener in _listeners:
            listener(forecast)


def memory() -> int | None:
    """Bytes of memory that a process may have here; None where the system does not say."""
    found = []
    with suppress(AttributeError, OSError, ValueError):  # no such system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        found.append(int(_CONTAINER.read_text()))
    return min(found, default=None)


def limit_memory() -> None:
    """Let this process have no more memory than there is: asking for more is a MemoryError then, and not the end of it."""
    room = memory()
    with suppress(ImportError, OSError, ValueError):  # a system without such limits, or a lower one that stands
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if room is not None and (soft == resource.RLIM_INFINITY or soft > room):
            resource.setrlimit(resource.RLIMIT_DATA, (room, hard))


def in_words(seconds: float) -> str:
    """A duration as people say it."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} seconds"
