"""Running tasks on the cores of this machine, in processes that keep their imports and kernels.

Ctrl-C reaches every process of the terminal at once; only this one may react to it, and then ends the others. When
this process is killed the others notice and end by themselves.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager

from joblib import Parallel, cpu_count, delayed

from maerisim.cli.sweep.plan import Task
from maerisim.cli.sweep.running import Outcomes
from maerisim.cli.sweep.work import run
from maerisim.errors import WorkersError

WATCH_SECONDS = 0.5
"""How often a worker looks whether it still has a parent."""


def on_cores(tasks: Sequence[Task], jobs: int | None) -> Outcomes:
    """Outcomes as they come, of ``jobs`` processes or one per core. Raises WorkersError when one of them dies."""
    processes = min(jobs or cpu_count(), len(tasks))
    if processes == 1:
        yield from map(run, tasks)
        return
    parallel = Parallel(
        n_jobs=processes,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        initializer=follow,
        initargs=(os.getpid(),),
    )
    try:
        with ExitStack() as stack:
            with interrupts_held():
                outcomes = parallel(delayed(run)(task) for task in tasks)
                stack.callback(end, outcomes)
            for outcome in outcomes:  # noqa: UP028 - "yield from" would close them before end() can
                yield outcome
    except BrokenProcessPool as error:
        text = "a worker process was ended from outside, perhaps for want of memory; the same command resumes"
        raise WorkersError(f"{text}, --jobs N uses fewer processes") from error


def end(outcomes: Outcomes) -> None:
    """End the workers when some tasks are not done; joblib warns that there are such tasks, which the caller knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C inside is answered afterwards, and never by processes that are started inside."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow(parent: int) -> None:
    """Prepare a worker: it ignores Ctrl-C, and ends when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()


def end_with(parent: int) -> None:
    """Wait until ``parent`` is no longer the parent of this process, then end it at once."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
