"""Ctrl-C and SIGTERM, answered at once whatever is being computed.

Python answers a signal in its main thread, between two instructions; a compiled kernel is one instruction, however long it
runs. So what may take long runs in a thread of its own, and the main thread only waits, for the thread and for signals.
"""

from __future__ import annotations

import contextvars
import ctypes
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.1
"""How long a signal can be overlooked: one that arrives in a callback of Python's own is lost there."""
_GRACE_SECONDS = 0.2
"""How long an interrupted thread has to clean up."""

_received: list[signal.Signals] = []
_left: list[threading.Thread] = []


def interruptible(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, or KeyboardInterrupt as soon as a signal arrives.

    ``work`` runs in a thread of its own, and so do the callbacks that it calls. When it is interrupted it is told so too, but
    hears that only when its kernel is done; until then its thread goes on. Outside the main thread, which alone receives
    signals, it is simply called.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    finished: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    found: list[T] = []

    def run() -> None:
        try:
            found.append(work())
            finished.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where it was waited for
            finished.put(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    try:
        thread.start()
        error = _waited_for(finished)
    except BaseException:
        _interrupt(thread, finished)
        raise
    if error is not None:
        raise error
    return found[0]


def _waited_for(finished: queue.SimpleQueue[T]) -> T:
    """What arrives in a queue. Raises KeyboardInterrupt when a signal arrives before."""
    while True:
        try:
            return finished.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if _received:
                raise KeyboardInterrupt from None


def _interrupt(thread: threading.Thread, finished: queue.SimpleQueue[T]) -> None:
    """Raise KeyboardInterrupt in a thread, which is remembered if it does not end soon."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
    try:
        finished.get(timeout=_GRACE_SECONDS)
    except queue.Empty:
        _left.append(thread)


def side_by_side(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each of these returns; the kernels of one run while those of another do, each on a core of its own.

    Raises what one of them raises. When the first one, which runs in this thread, is interrupted the others are left behind.
    """
    found: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(place: int) -> None:
        try:
            found[place] = works[place]()
        except BaseException as error:  # noqa: BLE001 - it is raised where it was waited for
            errors.append(error)

    others = [
        threading.Thread(target=contextvars.copy_context().run, args=(run, place), daemon=True)
        for place in range(1, len(works))
    ]
    try:
        for thread in others:
            thread.start()
        found[0] = works[0]()
        for thread in others:
            thread.join()
    except BaseException:
        _left.extend(others)
        raise
    if errors:
        raise errors[0]
    return [found[place] for place in range(len(works))]


def is_left_behind() -> bool:
    """Whether something that was interrupted still runs: then a process can only end without waiting for it."""
    return any(thread.is_alive() for thread in _left)


@contextmanager
def listening() -> Iterator[None]:
    """SIGTERM inside is answered like Ctrl-C, and ``exit_code`` knows, inside, which of them arrived.

    A signal that this process was told to ignore, as one in the background is, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _receive)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _received.clear()


def exit_code() -> int | None:
    """What a process that was interrupted ends with, 128 and the number of the signal; None if no signal arrived."""
    return 128 + _received[0] if _received else None


def _receive(number: int, _frame: FrameType | None) -> None:
    _received.append(signal.Signals(number))
    raise KeyboardInterrupt
