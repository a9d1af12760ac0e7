"""Running what is missing of some jobs, on the cores of this machine or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

from maerisim.laboratory.jobs import Job, JobResult, failed, run
from maerisim.laboratory.store import Notebook
from maerisim.study import warmup
from maerisim.study.forecast import foresee_side_by_side
from maerisim.study.progress import ProgressCallback, tell_nobody

SAMPLED = 3600
"""Samples that a search takes in a second: with cheap and dear techniques, and simple and difficult layers, on average."""

JobWorkers = Callable[[Sequence[Job]], Generator[JobResult, None, None]]


@dataclass(frozen=True)
class JobOutcomes:
    """What was found of some jobs, by their keys; ``interrupted`` by Ctrl-C or not."""

    found: dict[str, JobResult]
    interrupted: bool = False


def carried_out(
    jobs: Sequence[Job],
    database: str | os.PathLike[str] | None,
    processes: int | None = None,
    dask: str | None = None,
    progress: ProgressCallback | None = None,
) -> JobOutcomes:
    """What is stored after running what was missing; what failed before is run again.

    Ctrl-C ends with what is stored by then. Raises DocumentError for a file that cannot be used, WorkersError when processes die
    or the cluster cannot be reached.
    """
    tell, interrupted = progress or tell_nobody, False
    each = {job.key: job for job in jobs}
    with Notebook(database) as notebook:
        stored = {key for key, found in notebook.get(each).items() if found.message is None}
        waiting = {key: job for key, job in each.items() if key not in stored}
        if waiting:
            try:
                warmup.ensure(sorted({part for job in waiting.values() for part in warmup.needed_by(job.hardware)}))
                if dask is None:  # how many a cluster does at once is not known here
                    foresee(waiting.values(), processes)
                with ExitStack() as stack:
                    workers = stack.enter_context(workers_of(processes, dask))
                    results = stack.enter_context(closing(workers(list(waiting.values()))))
                    for found in results:
                        notebook.put(waiting[found.key], found)
                        job = waiting.pop(found.key)
                        tell(len(each) - len(waiting), len(each), f"{job.kind} {job.layers[0][0]}")
            except KeyboardInterrupt:
                interrupted = True
        return JobOutcomes(notebook.get(each), interrupted)


def foresee(jobs: Collection[Job], processes: int | None) -> None:
    """Announce searches that take long in so many ``processes``, or one for each core; what other jobs take is not known."""
    each = [job.options["seeds"] * job.options["budget"] / SAMPLED if job.kind == "search" else 0.0 for job in jobs]
    foresee_side_by_side(each, processes, "job", "--layer, --technique, --seeds and --budget choose fewer")


def workers_of(processes: int | None, dask: str | None) -> AbstractContextManager[JobWorkers]:
    """The cluster that was named, or else the cores of this machine."""
    if dask is None:
        from maerisim.sweeps.cores import on_each_core

        return nullcontext(partial(on_each_core, run, jobs=processes))

    @contextmanager
    def on_cluster() -> Generator[JobWorkers, None, None]:
        from maerisim.sweeps.cluster import connected, outcomes

        with connected(dask) as client:
            yield partial(outcomes, client, dask, run, failed)

    return on_cluster()
