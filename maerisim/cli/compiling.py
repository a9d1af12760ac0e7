"""What a command says when it has to compile kernels first."""

from __future__ import annotations

import sys

from maerisim.kernels.compiling import cache as compilation


class Announcement:
    """A watcher that says once, on standard error, that kernels are being compiled."""

    def __init__(self) -> None:
        self._made = False

    def __call__(self, _kernel: str, _seconds: float | None) -> None:
        """Speak when the first kernel is begun."""
        if not self._made:
            sys.stderr.write(announcement())
            sys.stderr.flush()
        self._made = True


def announcement() -> str:
    """What to expect, and what to do about it where it would happen every time."""
    if compilation.directory() is not None:
        return "compiling the kernels for this machine, once (some 15 s) ...\n"
    tried = " nor ".join(str(place) for place in compilation.places())
    return (
        f"compiling the kernels, in every run (some 20 s): they cannot be kept, because {tried} cannot be written; "
        "set NUMBA_CACHE_DIR to a directory that can ...\n"
    )
