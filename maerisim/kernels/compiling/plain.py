"""Kernels as plain Python, for the few small jobs that come before their compilation has paid off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import jit

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 4.0
"""What a process spends in plain Python before it compiles: a fraction of what compiling takes."""

_spent = 0.0
_twins: dict[int, dict[str, Any]] = {}


def is_better(kernel: Callable[..., Any]) -> bool:
    """Whether a small job of a kernel is done sooner in plain Python: it is neither loaded nor on disk, nor used a lot."""
    if not hasattr(kernel, "py_func") or getattr(kernel, "signatures", None):
        return False
    return _spent < PATIENCE_SECONDS and not compilation.is_kept(jit.name_of(kernel))


@contextmanager
def at_work() -> Iterator[None]:
    """Count the time as spent in plain Python."""
    global _spent  # noqa: PLW0603
    start = time.perf_counter()
    try:
        yield
    finally:
        _spent += time.perf_counter() - start


def chosen(kernel: Callable[P, R], *, in_python: bool) -> Callable[P, R]:
    """The kernel, or its twin."""
    return twin(kernel) if in_python else kernel


def twin(kernel: Callable[P, R]) -> Callable[P, R]:
    """A kernel as plain Python, like all kernels that it calls; the arrays it is given must not be of small integers.

    NumPy's small integers keep their size in sums, where those of compiled kernels do not.
    """
    return cast(Callable[P, R], _twin(kernel))


def _twin(value: Any) -> Any:
    function = getattr(value, "py_func", None)
    if isinstance(function, FunctionType):
        return _twins_of(function.__globals__)[function.__name__]
    return next((function for instruction, function in jit.IN_PYTHON if value is instruction), value)


def _twins_of(names: dict[str, Any]) -> dict[str, Any]:
    """The names of a module, its kernels and those of others as plain Python."""
    known = _twins.get(id(names))
    if known is None:
        known = _twins[id(names)] = dict(names)
        for name, value in names.items():
            function = getattr(value, "py_func", None)
            if isinstance(function, FunctionType) and function.__globals__ is names:
                known[name] = FunctionType(function.__code__, known, name, function.__defaults__)
        for name, value in names.items():
            if known[name] is value:
                known[name] = _twin(value)
    return known
