"""How far a command is, on standard error: a bar that appears when waiting has become noticeable, or a line for each step."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from maerisim import text
from maerisim.cli.saying import Loudness, loudness, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from maerisim.study.progress import ProgressCallback

PATIENCE_SECONDS = 1.0
SPEED_SECONDS = 600.0
"""How far back the pace is looked at to tell the time that is left."""


@contextmanager
def shown(*, counted: bool = False) -> Iterator[ProgressCallback]:
    """Gives a callback that shows a bar as long as this lasts; see ``Bar``."""
    with Bar(counted=counted) as bar:
        yield bar.show


class Bar:
    """Shows what is done of all units of work, and what is being done; invisible when stderr is not a terminal, or to be quiet.

    A verbose command gets a line for each step with the seconds it took instead. ``counted`` units mean something to the user: their number and the time that they will still take are shown too.
    """

    def __init__(self, *, counted: bool = False) -> None:
        self._counted = counted
        self._begin = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._ended = False
        self._step, self._step_begin = "", self._begin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        if self._progress is not None:
            self._progress.stop()
        if loudness() is Loudness.VERBOSE:
            self._tell_step("")
            say(f"{time.monotonic() - self._begin:.2f} s in all{_most_memory()}", err=True)

    def show(self, done: float, total: float, doing: str) -> None:
        """Say how far the work is; cheap enough to be called often. What was interrupted may still say so, unheard."""
        if self._ended:
            return
        if loudness() is not Loudness.USUAL:
            step = doing.partition(" (so far ")[0]
            if loudness() is Loudness.VERBOSE and step != self._step:
                self._tell_step(step)
            return
        if self._progress is None and sys.stderr.isatty() and time.monotonic() - self._begin > PATIENCE_SECONDS:
            self._start(done, total, doing)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, description=text.shown(doing))

    def _tell_step(self, following: str) -> None:
        """Say how long the step took that is done, and begin the ``following`` one."""
        now = time.monotonic()
        if self._step:
            say(f"{now - self._step_begin:8.2f} s  {text.shown(self._step)}", err=True)
        self._step, self._step_begin = following, now

    def _start(self, done: float, total: float, doing: str) -> None:
        from rich import progress
        from rich.console import Console

        counted: list[progress.ProgressColumn] = []
        if self._counted:
            counted = [progress.MofNCompleteColumn(), progress.TimeRemainingColumn(), progress.TextColumn("left after")]
        self._progress = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            *counted,
            progress.TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            speed_estimate_period=SPEED_SECONDS,
        )
        self._task = self._progress.add_task(text.shown(doing), total=total, completed=int(done))
        self._progress.start()


def _most_memory() -> str:
    """The most memory that this process took so far, in words; nothing on systems that do not say."""
    try:
        import resource
    except ImportError:
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f", at most {most / 2**20:,.0f} MiB of memory"
