"""Running what is missing of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from maerisim.study import warmup
from maerisim.study.forecast import foresee_side_by_side, search_seconds, stepping_seconds
from maerisim.study.layer import Simulation
from maerisim.study.progress import ProgressCallback
from maerisim.sweeps.plan import SweepPlan, SweepTask
from maerisim.sweeps.store import Store
from maerisim.sweeps.work import Outcome

Outcomes = Generator[Outcome, None, None]
Workers = Callable[[Sequence[SweepTask]], Outcomes]
"""Runs tasks and yields their outcomes as they come; closing the generator ends what is running."""


def missing(plan: SweepPlan, store: Store, *, retry_failed: bool) -> list[SweepTask]:
    """The tasks without a stored outcome, and with ``retry_failed`` those that failed.

    They are in the order of their keys, which are hashes: so the pace of the first is that of the rest.
    """
    stored = store.get(plan.tasks)
    kept = {key for key, outcome in stored.items() if outcome.measured is not None or not retry_failed}
    return [plan.tasks[key] for key in sorted(plan.tasks.keys() - kept)]


def foresee(tasks: Sequence[SweepTask], processes: int | None) -> None:
    """Announce tasks that take long or need much memory in so many ``processes``, or one for each core. Raises
    NotSupportedError where they need more than there is.
    """
    each = [
        search_seconds(task.layer.problem, task.hardware)
        + stepping_seconds(task.layer.problem, task.hardware, Simulation())
        for task in tasks
    ]
    foresee_side_by_side(each, processes, "layer", "--jobs N chooses how many")


def run_tasks(
    tasks: Sequence[SweepTask], total: int, store: Store, workers: Workers, progress: ProgressCallback
) -> None:
    """Run the tasks, of ``total`` with those that are stored already, and store each outcome as it comes."""
    waiting = {task.key: task for task in tasks}
    failed = 0
    with closing(workers(tasks)) as outcomes:
        for outcome in outcomes:
            store.put(waiting.pop(outcome.key), outcome)
            failed += outcome.measured is None
            progress(total - len(waiting), total, f"sweeping, {failed} failed" if failed else "sweeping")


def compile_for(tasks: Sequence[SweepTask]) -> None:
    """Compile the kernels that the tasks need, so that workers find them on disk instead of each compiling them."""
    warmup.ensure(sorted({part for task in tasks for part in warmup.needed_by(task.hardware)}))
