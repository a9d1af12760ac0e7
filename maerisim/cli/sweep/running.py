"""Running what is missing of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from maerisim.cli.progress import Bar
from maerisim.cli.sweep.plan import Plan, Task
from maerisim.cli.sweep.store import Store
from maerisim.cli.sweep.work import Outcome, run

Outcomes = Generator[Outcome, None, None]
Workers = Callable[[Sequence[Task]], Outcomes]
"""Runs tasks and yields their outcomes as they come; closing the generator ends what is running."""


def missing(plan: Plan, store: Store, *, retry_failed: bool) -> list[Task]:
    """The tasks without a stored outcome, and with ``retry_failed`` those that failed.

    They are in the order of their keys, which are hashes: so the pace of the first is that of the rest.
    """
    stored = store.get(plan.tasks)
    kept = {key for key, outcome in stored.items() if outcome.measured is not None or not retry_failed}
    return [plan.tasks[key] for key in sorted(plan.tasks.keys() - kept)]


def run_tasks(tasks: Sequence[Task], total: int, store: Store, workers: Workers) -> None:
    """Run the tasks, of ``total`` with those that are stored already, and store each outcome as it comes.

    The smallest runs here, before there are any workers (and the next smallest while that fails): then the compiled
    kernels are on disk when the workers look for them, instead of being compiled by each of them at once.
    """
    waiting = {task.key: task for task in tasks}
    failed = 0
    with Bar(total, counted=True) as bar:

        def keep(outcome: Outcome) -> None:
            nonlocal failed
            store.put(waiting.pop(outcome.key), outcome)
            failed += outcome.measured is None
            bar.show(total - len(waiting), f"sweeping, {failed} failed" if failed else "sweeping")

        for task in sorted(tasks, key=lambda task: task.layer.problem.operations):
            outcome = run(task)
            keep(outcome)
            if outcome.measured is not None:
                break
        if waiting:
            with closing(workers(list(waiting.values()))) as outcomes:
                for outcome in outcomes:
                    keep(outcome)
