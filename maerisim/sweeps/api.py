"""A sweep from beginning to end: what is missing is run, and what is stored is the result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maerisim.errors import DocumentError
from maerisim.reports.frame import frame
from maerisim.study.progress import ProgressCallback, tell_nobody
from maerisim.sweeps import export
from maerisim.sweeps.document import Experiment
from maerisim.sweeps.plan import SweepPlan
from maerisim.sweeps.running import Workers, compile_for, foresee, missing, run_tasks
from maerisim.sweeps.store import Store
from maerisim.sweeps.totals import Total, best, totals
from maerisim.sweeps.work import Outcome

if TYPE_CHECKING:
    import pandas as pd

SweepLike = Mapping[str, Any] | str | Path
"""The YAML file of a sweep, a shipped name, or what such a file would hold."""


@dataclass(frozen=True)
class SweepReport:
    """What a sweep asks for, and the outcomes that are there, by the keys of its tasks."""

    plan: SweepPlan
    outcomes: Mapping[str, Outcome]
    interrupted: bool = False

    @property
    def totals(self) -> list[Total]:
        """Every network at every point of the grid."""
        return totals(self.plan, self.outcomes)

    @property
    def best(self) -> dict[str, Total]:
        """The best point of each network by the objective of the sweep; none where results are missing."""
        return best(self.totals, self.plan.experiment.sweep.objective)

    def to_dict(self) -> dict[str, Any]:
        """The document of ``sweep --export json``."""
        return export.document(self.plan, self.outcomes)

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each layer at each point. Raises NotSupportedError without pandas."""
        return frame(self.to_dict()["rows"])


def sweep(
    sweep: SweepLike,
    *,
    database: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    run: bool = True,
    retry_failed: bool = False,
    progress: ProgressCallback | None = None,
) -> SweepReport:
    """Map and simulate networks over a grid of hardware parameters, in ``jobs`` processes or on a Dask cluster.

    ``sweep`` is a file, a shipped name or a dict with the keys of one, in which hardware and networks may be objects. With a
    ``database`` results are stored in that SQLite file, each as soon as it is there, and run once only, also in later sweeps;
    ``run=False`` only looks there. A layer that fails does not stop the others: its outcome has a message.
    Raises DocumentError, NotSupportedError when the points cannot run the same layers, and WorkersError.
    """
    plan = plan_of(sweep)
    found = carried_out(plan, database, jobs, dask, run=run, retry_failed=retry_failed, progress=progress)
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def plan_of(sweep: SweepLike) -> SweepPlan:
    """What a sweep has to run."""
    return SweepPlan.of(Experiment.load(sweep) if isinstance(sweep, str | Path) else Experiment.of(sweep))


def carried_out(
    plan: SweepPlan,
    database: str | os.PathLike[str] | None,
    jobs: int | None,
    dask: str | None,
    *,
    run: bool,
    retry_failed: bool,
    progress: ProgressCallback | None,
) -> SweepReport:
    """What is stored after running what was missing; Ctrl-C ends with what is stored by then."""
    if not run and database is not None and not Path(database).exists():
        raise DocumentError([f"{database}: no such file; without --no-run this command makes it"])
    interrupted = False
    with Store(database) as store:
        tasks = missing(plan, store, retry_failed=retry_failed) if run else []
        if tasks:
            try:
                with workers_of(jobs, dask) as workers:
                    if dask is None:  # how many a cluster does at once is not known here
                        foresee(tasks, jobs)
                    compile_for(tasks)
                    run_tasks(tasks, len(plan.tasks), store, workers, progress or tell_nobody)
            except KeyboardInterrupt:
                interrupted = True
        return SweepReport(plan, store.get(plan.tasks), interrupted)


def workers_of(jobs: int | None, dask: str | None) -> AbstractContextManager[Workers]:
    """The cluster that was named, or else the cores of this machine."""
    if dask is not None:
        from maerisim.sweeps.cluster import on_cluster

        return on_cluster(dask)
    from maerisim.sweeps.cores import on_cores

    return nullcontext(partial(on_cores, jobs=jobs))
