"""Running tasks on a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from maerisim.errors import NotSupportedError, WorkersError
from maerisim.sweeps.running import Workers
from maerisim.sweeps.work import Outcome, run
from maerisim.sweeps.workers import OutcomeT, TaskT

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 5


@contextmanager
def on_cluster(address: str) -> Iterator[Workers]:
    """Gives a function that runs the tasks of a sweep on the cluster whose scheduler is at ``address``, outcomes as they come.

    Raises what :func:`connected` raises; the function raises WorkersError when the connection is lost.
    """
    with connected(address) as client:
        yield partial(outcomes, client, address, run, lambda task, message: Outcome(task.key, 0.0, None, message))


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """The cluster whose scheduler is at ``address``.

    Raises NotSupportedError without Dask, and WorkersError when the cluster cannot be reached, has no workers, or has
    workers without this version of maerisim.
    """
    try:
        from distributed import Client
    except ImportError as error:
        msg = "--dask needs Dask, which is not installed (pip install 'maerisim[distributed]')"
        raise NotSupportedError(msg) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it would log is raised here
    reach(address)
    with Client(address, timeout=CONNECT_SECONDS) as client:
        check_workers(client, address)
        yield client


def reach(address: str) -> None:
    """Raises WorkersError when nothing at ``address`` answers like a Dask scheduler. A client would not fail as quietly."""
    from distributed.comm.core import connect
    from distributed.security import Security

    async def shake_hands() -> None:
        arguments = Security().get_connection_args("client")
        comm = await connect(address, timeout=CONNECT_SECONDS, **arguments)
        await comm.close()

    try:
        asyncio.run(shake_hands())
    except (OSError, ValueError, TypeError) as error:
        msg = f"--dask {address}: no Dask scheduler can be reached there, expected an address like tcp://HOST:8786"
        raise WorkersError(f"{msg}: {error}") from error


def check_workers(client: Client, address: str) -> None:
    """Raises WorkersError unless there are workers and all have this version of maerisim."""
    ours = version("maerisim")
    found = client.run(version, "maerisim", on_error="return")
    if not found:
        raise WorkersError(f"--dask {address}: the cluster has no workers (dask worker {address} starts some)")
    wrong = [
        f"--dask {address}: worker {worker}: expected maerisim {ours}, found {'none' if isinstance(its, Exception) else its}"
        for worker, its in found.items()
        if its != ours
    ]
    if wrong:
        raise WorkersError("\n".join(wrong))


def outcomes(
    client: Client,
    address: str,
    work: Callable[[TaskT], OutcomeT],
    failed: Callable[[TaskT, str], OutcomeT],
    tasks: Sequence[TaskT],
) -> Generator[OutcomeT, None, None]:
    """Outcomes of ``work`` as they come; what is not done when this is left early is cancelled.

    ``failed`` makes the outcome of a task that the cluster could not run, and why.
    """
    from distributed import as_completed

    futures = dict(zip(client.map(work, tasks, pure=False), tasks, strict=True))
    try:
        for future in as_completed(list(futures)):
            task = futures.pop(future)  # so that the cluster may forget the result
            if future.status == "finished":
                yield future.result()
            elif future.status == "error":
                error = future.exception()
                yield failed(task, f"{type(error).__name__} on the cluster: {error}")
            else:
                raise WorkersError(f"--dask {address}: lost the connection to the cluster; the same command resumes")
    finally:
        client.cancel(list(futures))
