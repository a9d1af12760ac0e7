"""A progress bar on standard error that appears only when waiting has become noticeable."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from maerisim import text

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
    """Shows what is done of all units of work, and what is being done; invisible when stderr is not a terminal.

    ``counted`` units mean something to the user: their number and the time that they will still take are shown too.
    """

    def __init__(self, *, counted: bool = False) -> None:
        self._counted = counted
        self._begin = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        if self._progress is not None:
            self._progress.stop()

    def show(self, done: float, total: float, doing: str) -> None:
        """Say how far the work is; cheap enough to be called often. What was interrupted may still say so, unheard."""
        if self._ended:
            return
        if self._progress is None and sys.stderr.isatty() and time.monotonic() - self._begin > PATIENCE_SECONDS:
            self._start(done, total, doing)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, description=text.shown(doing))

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
