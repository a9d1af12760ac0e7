"""Running tasks on the cores of this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

from joblib import cpu_count

from maerisim.errors import WorkersError
from maerisim.sweeps.plan import SweepTask
from maerisim.sweeps.running import Outcomes
from maerisim.sweeps.work import run
from maerisim.sweeps.workers import OutcomeT, TaskT, in_processes


def on_cores(tasks: Sequence[SweepTask], jobs: int | None) -> Outcomes:
    """Outcomes of a sweep as they come, of ``jobs`` processes or one per core. Raises WorkersError when one of them dies."""
    yield from on_each_core(run, tasks, jobs)


def on_each_core(
    work: Callable[[TaskT], OutcomeT], tasks: Sequence[TaskT], jobs: int | None
) -> Generator[OutcomeT, None, None]:
    """The same for any ``work``."""
    processes = min(jobs or cpu_count(), len(tasks))
    try:
        with closing(in_processes(work, tasks, processes)) as outcomes:
            yield from outcomes
    except BrokenProcessPool as error:
        text = "a worker process was ended from outside, perhaps for want of memory; the same command resumes"
        raise WorkersError(f"{text}, --jobs N uses fewer processes") from error
