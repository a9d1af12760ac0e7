"""Kernels as plain Python, for the few small jobs that come before their compilation has paid off.

The arrays that they are given must not be of small integers: NumPy's keep their size in sums, where those of compiled
kernels do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling.jit import Kernel, is_disabled

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 4.0
"""What a process spends in plain Python before it compiles: a fraction of what compiling takes."""

_spent = 0.0
_is_out_of_the_question = False


def is_better(kernel: Kernel[..., Any]) -> bool:
    """Whether a small job of a kernel is done sooner in plain Python: it is neither loaded nor on disk, nor used a lot."""
    if _is_out_of_the_question or is_disabled() or kernel.is_loaded:
        return False
    return _spent < PATIENCE_SECONDS and not compilation.is_kept(kernel.name)


@contextmanager
def at_work() -> Iterator[None]:
    """Count the time as spent in plain Python."""
    global _spent  # noqa: PLW0603
    start = time.perf_counter()
    try:
        yield
    finally:
        _spent += time.perf_counter() - start


@contextmanager
def out_of_the_question() -> Iterator[None]:
    """Compile inside, for those who come later."""
    global _is_out_of_the_question  # noqa: PLW0603
    _is_out_of_the_question = True
    try:
        yield
    finally:
        _is_out_of_the_question = False


def chosen(kernel: Kernel[P, R], *, in_python: bool) -> Callable[P, R]:
    """The kernel, compiled or in Python."""
    return kernel.function if in_python else kernel
