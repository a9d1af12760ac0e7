"""The project's jit decorators; only they and what they are made of (:mod:`groups`, :mod:`pipeline`) import numba."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import cgutils, types
from numba.core import event as events
from numba.extending import intrinsic

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import groups
from maerisim.kernels.compiling.pipeline import DraftCompiler, KernelCompiler

P = ParamSpec("P")
R = TypeVar("R")


# numba's stubs know neither these options nor its configuration and events.
_njit: Any = numba.njit
_config: Any = numba.config
_register: Any = events.register
_type_of_any_value: Any = types.unliteral  # of the type of a number that is written out: ``int64``

_LEVEL = 2
"""LLVM's optimisation level: kernels are as fast as at numba's 3, and compiling takes a sixth less."""
_LEVELS = {"ranking": 1}
"""That of some modules: as fast, and compiling takes less still. ``NUMBA_OPT`` overrules both."""

_COMMON = {"error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
"""``error_model="numpy"`` drops the zero-division checks that kernels do not need.

Without ``_nrt`` there is no reference counting of arrays, which costs more than the work in loops as tight as these;
the price is that a kernel cannot allocate. No wrapper for callers in C: compiling it takes long, and there are none.
"""
_KERNEL = _COMMON | {"pipeline_class": KernelCompiler, "nogil": True}
"""``nogil`` lets threads run kernels side by side."""
_HELPER = _COMMON | {"pipeline_class": DraftCompiler, "no_cpython_wrapper": True}
"""What only kernels call needs no wrapper for callers in Python either."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays that Python calls.

    Its machine code is kept on disk, see :mod:`maerisim.kernels.compiling.cache`, so that only the first run after
    installation compiles.
    With ``NUMBA_DISABLE_JIT=1`` the function runs as plain Python, with readable tracebacks.
    """
    groups.register(function)
    kept = compilation.directory()
    with _cache_directory(str(kept or "")):
        return cast(Callable[P, R], _njit(cache=kept is not None, **_KERNEL)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that LLVM copies into each of its callers; Python cannot call it."""
    return cast(Callable[P, R], _njit(forceinline=True, **_HELPER)(function))


def _population(word: Any) -> int:
    """The number of ones in a 64-bit word."""
    return int(word).bit_count()


def _lowest(word: Any) -> int:
    """The place of the lowest one in a 64-bit word that has any."""
    return (int(word) & -int(word)).bit_length() - 1


@intrinsic
def _population_instruction(_context: Any, _word: Any) -> Any:
    return types.int64(types.uint64), lambda _c, builder, _s, arguments: builder.ctpop(arguments[0])


@intrinsic
def _lowest_instruction(_context: Any, _word: Any) -> Any:
    never_zero = cgutils.true_bit
    return types.int64(types.uint64), lambda _c, builder, _s, arguments: builder.cttz(arguments[0], never_zero)


_plain: bool = _config.DISABLE_JIT
population = cast(Callable[[Any], int], _population if _plain else _population_instruction)
lowest = cast(Callable[[Any], int], _lowest if _plain else _lowest_instruction)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that they call; Python cannot.

    Left to itself, numba compiles a function anew for every number that is written out in a call of it.
    """
    dispatcher = _njit(**_HELPER)(function)
    resolve: Any = getattr(dispatcher, "get_call_template", None)
    if resolve is not None:
        dispatcher.get_call_template = lambda args, kws: resolve(
            [_type_of_any_value(arg) for arg in args],
            {name: _type_of_any_value(arg) for name, arg in kws.items()},
        )
    return cast(Callable[P, R], dispatcher)


@contextmanager
def _cache_directory(directory: str) -> Iterator[None]:
    """Let numba keep what is decorated here in ``directory``, and leave the functions of others where they are."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = directory
    try:
        yield
    finally:
        _config.CACHE_DIR = before


class _Listener(events.Listener):
    """Tells the watchers of each kernel that is compiled; what is inlined in it belongs to it."""

    def __init__(self) -> None:
        self._begun: list[float] = []

    def on_start(self, event: Any) -> None:
        if not self._begun:
            _tell(event, None)
            if "NUMBA_OPT" not in os.environ:
                _config.OPT = type(_config.OPT)(_LEVELS.get(_module_of(event), _LEVEL))
        self._begun.append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        seconds = time.perf_counter() - self._begun.pop()
        if not self._begun:
            _tell(event, seconds)


def _tell(event: Any, seconds: float | None) -> None:
    function = event.data["dispatcher"].py_func
    if function.__module__.startswith(f"{str(__package__).rpartition('.')[0]}."):
        compilation.tell(f"{_module_of(event)}.{function.__name__}", seconds)


def _module_of(event: Any) -> str:
    return str(event.data["dispatcher"].py_func.__module__.rpartition(".")[2])


_register("numba:compile", _Listener())
