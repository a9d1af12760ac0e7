"""Processes that keep their imports and kernels, and end with the command that started them.

Ctrl-C reaches every process of the terminal at once, as SIGTERM does from ``timeout`` and from service managers; only the parent may react, and then ends the others. When
the parent is killed the others notice and end by themselves.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TypeVar

from joblib import Parallel, delayed

from maerisim.interruption import interruptible

TaskT = TypeVar("TaskT")
OutcomeT = TypeVar("OutcomeT")

WATCH_SECONDS = 0.5
"""How often a worker looks whether it still has a parent."""


def in_processes(
    run: Callable[[TaskT], OutcomeT], tasks: Iterable[TaskT], processes: int, *, in_order: bool = False
) -> Generator[OutcomeT, None, None]:
    """What ``run`` makes of each task, as it comes or in the order of the tasks; closing the generator ends the workers.

    Workers stay for the next call with as many. Raises BrokenProcessPool when one of them dies.
    """
    if processes == 1:
        for task in tasks:
            yield interruptible(partial(run, task))
        return
    parallel = Parallel(
        n_jobs=processes,
        backend="loky",
        return_as="generator" if in_order else "generator_unordered",
        batch_size=1,
        initializer=follow,
        initargs=(os.getpid(),),
    )
    with ExitStack() as stack:
        stack.enter_context(working_directory_not_searched())
        with interrupts_held():
            outcomes = parallel(delayed(run)(task) for task in tasks)
            stack.callback(end, outcomes)
        for outcome in outcomes:  # noqa: UP028 - "yield from" would close them before end() can
            yield outcome


@contextmanager
def working_directory_not_searched() -> Iterator[None]:
    """Processes that are started inside do not import what lies in the working directory, as Python does with ``-m`` and ``-c``."""
    name = "PYTHONSAFEPATH"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def end(outcomes: Generator[OutcomeT, None, None]) -> None:
    """End the workers when some tasks are not done; joblib warns that there are such tasks, which the caller knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM inside are answered afterwards, and never by processes that are started inside."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow(parent: int) -> None:
    """Prepare a worker: it leaves Ctrl-C and SIGTERM to its parent, and ends when that is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()


def end_with(parent: int) -> None:
    """Wait until ``parent`` is no longer the parent of this process, then end it at once."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
