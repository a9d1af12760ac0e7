"""What a command says when it has to compile kernels first."""

from __future__ import annotations

from maerisim.cli.saying import Loudness, loudness, warn
from maerisim.kernels.compiling import cache as compilation


class Announcement:
    """A watcher that says once, on standard error, that kernels are being compiled."""

    def __init__(self) -> None:
        self._made = False

    def __call__(self, _kernel: str, _seconds: float | None) -> None:
        """Speak when the first kernel is begun."""
        if not self._made and loudness() > Loudness.QUIET:
            warn(announcement())
        self._made = True


def announcement() -> str:
    """What to expect, and what to do about it where it would happen every time."""
    if compilation.directory() is not None:
        return "compiling the kernels that this needs, once (5 to 10 s of an idle machine, up to 30 s of a slow or busy one) ...\n"
    tried = " nor ".join(str(place) for place in compilation.places())
    return (
        f"compiling the kernels that this needs, in every run (5 to 10 s of an idle machine): they cannot be kept, because {tried} cannot be written; "
        "set NUMBA_CACHE_DIR to a directory that can ...\n"
    )
