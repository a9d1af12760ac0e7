"""The project's jit decorators; only they and what they are made of (:mod:`insides`) import numba."""

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
from maerisim.kernels.compiling import choice

P = ParamSpec("P")
R = TypeVar("R")


# numba's stubs know neither these options nor its configuration and events.
_njit: Any = numba.njit
_config: Any = numba.config
_register: Any = events.register

_plain: bool = _config.DISABLE_JIT
_insides: Any = None
"""What is used of numba's insides, if anything is."""
if not (_plain or choice.is_stock()):
    from maerisim.kernels.compiling import insides as _insides

_LEVEL = 2
"""LLVM's optimisation level: kernels are as fast as at numba's 3, and compiling takes a sixth less."""
_LEVELS = {"ranking": 1}
"""That of some modules: as fast, and compiling takes less still. ``NUMBA_OPT`` overrules both."""

_COMMON = {"error_model": "numpy"}
"""``error_model="numpy"`` drops the zero-division checks that kernels do not need."""
_KERNEL = _COMMON | {"nogil": True} | (_insides.KERNEL if _insides else {})
"""``nogil`` lets threads run kernels side by side."""
_HELPER = _COMMON | (_insides.HELPER if _insides else {})
_INLINED = _COMMON | (_insides.INLINED if _insides else {})


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays that Python calls; NamedTuples of these are handed over as they are.

    Its machine code is kept on disk, see :mod:`maerisim.kernels.compiling.cache`, so that only the first run after
    installation compiles.
    With ``NUMBA_DISABLE_JIT=1`` the function runs as plain Python, with readable tracebacks.
    """
    if _insides:
        _insides.register(function)
    kept = compilation.directory()
    with _cache_directory(str(kept or "")):
        dispatcher = _njit(cache=kept is not None, **_KERNEL)(function)
    if _insides and kept is not None:
        _insides.check_files(dispatcher)
    return cast(Callable[P, R], dispatcher)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that they call; Python cannot."""
    dispatcher = _njit(**_HELPER)(function)
    return cast(Callable[P, R], _insides.without_literals(dispatcher) if _insides else dispatcher)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that LLVM copies into each of its callers; Python cannot call it."""
    return cast(Callable[P, R], _njit(**_INLINED)(function))


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


population = cast(Callable[[Any], int], _population if _plain else _population_instruction)
lowest = cast(Callable[[Any], int], _lowest if _plain else _lowest_instruction)
IN_PYTHON = ((population, _population), (lowest, _lowest))
"""The instructions as Python."""


def name_of(kernel: Any) -> str:
    """A kernel as the watchers know it, and its file on disk."""
    return f"{kernel.py_func.__module__.rpartition('.')[2]}.{kernel.py_func.__name__}"


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
    """Sets the level for each kernel that is compiled, and tells the watchers; what a kernel calls belongs to it.

    The level is put back afterwards, also after errors: functions of others are compiled as they want it.
    """

    def __init__(self) -> None:
        self._levels: list[Any] = []
        self._begun: list[float] = []

    def on_start(self, event: Any) -> None:
        self._levels.append(_config.OPT)
        if not _is_ours(event):
            return
        self._begun.append(time.perf_counter())
        if len(self._begun) == 1:
            _tell(event, None)
            if "NUMBA_OPT" not in os.environ:
                _config.OPT = type(_config.OPT)(_LEVELS.get(_module_of(event), _LEVEL))

    def on_end(self, event: Any) -> None:
        _config.OPT = self._levels.pop()
        if not _is_ours(event):
            return
        seconds = time.perf_counter() - self._begun.pop()
        if not self._begun:
            _tell(event, seconds)


def _is_ours(event: Any) -> bool:
    return str(event.data["dispatcher"].py_func.__module__).startswith(f"{str(__package__).rpartition('.')[0]}.")


def _tell(event: Any, seconds: float | None) -> None:
    compilation.tell(name_of(event.data["dispatcher"]), seconds)


def _module_of(event: Any) -> str:
    return str(event.data["dispatcher"].py_func.__module__.rpartition(".")[2])


_register("numba:compile", _Listener())
