"""Compiling kernels with numba; only this module and what it is made of (:mod:`insides`) import numba."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numba
from numba.core import cgutils, types
from numba.core import event as events
from numba.extending import intrinsic

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import choice, jit
from maerisim.kernels.compiling.tables import Kinds

if TYPE_CHECKING:
    from maerisim.kernels.compiling.machine_code import MachineCode

# numba's stubs know neither these options nor its configuration and events.
_njit: Any = numba.njit
_config: Any = numba.config
_register: Any = events.register

_built_in: dict[str, Any] = {}
_insides: Any = None
"""What is used of numba's insides, if anything is."""
if not choice.is_stock():
    from maerisim.kernels.compiling import insides as _insides
    from maerisim.kernels.compiling.built_in import BUILT_IN as _built_in

_COMMON = {"error_model": "numpy"}
"""``error_model="numpy"`` drops the zero-division checks that kernels do not need."""
_HELPER = _COMMON | (_insides.HELPER if _insides else {})
_INLINED = _COMMON | (_insides.INLINED if _insides else {})


_KERNELS = f"{str(__package__).rpartition('.')[0]}."
"""How the names of their modules begin."""


def compiled(function: Callable[..., Any], kinds: Kinds) -> MachineCode:
    """The machine code of a kernel for arguments of these kinds."""
    inner = _njit(**_HELPER)(_twin(function))
    with _without_collector():
        code: MachineCode = _insides.machine_code_of(function, inner, kinds, _COMMON)
    return code


@contextmanager
def _without_collector() -> Iterator[None]:
    """Collect no garbage inside: a compiler keeps nearly all that it makes, and looking for the rest takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def dispatcher_of(function: Callable[..., Any]) -> Any:
    """A kernel as stock numba compiles, keeps and calls it; ``nogil`` lets threads run kernels side by side."""
    kept = compilation.directory()
    with _cache_directory(str(kept or "")):
        return _njit(cache=kept is not None, nogil=True, **_COMMON)(_twin(function))


_modules: dict[str, ModuleType] = {}


def _twin(function: Any) -> FunctionType:
    """A function that calls what is compiled where it calls Python."""
    names = vars(_compiled_module(sys.modules[function.__module__]))
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)


def _compiled_module(module: ModuleType) -> ModuleType:
    """A module like this one, in which helpers are numba's."""
    known = _modules.get(module.__name__)
    if known is None:
        known = _modules[module.__name__] = ModuleType(module.__name__)
        vars(known).update(vars(module), **_built_in)
        for name, value in vars(module).items():
            if _is_helper(value) and value.__module__ == module.__name__:
                setattr(known, name, _dispatcher(value))
        for name, value in vars(module).items():
            setattr(known, name, _replaced(value, getattr(known, name)))
    return known


def _is_helper(value: Any) -> bool:
    return isinstance(value, FunctionType) and value in jit.HELPERS | jit.INLINED


def _dispatcher(function: FunctionType) -> Any:
    if function in jit.INLINED:
        return _njit(**_INLINED)(_twin(function))
    dispatcher = _njit(**_HELPER)(_twin(function))
    return _insides.without_literals(dispatcher) if _insides else dispatcher


def _replaced(value: Any, known: Any) -> Any:
    """What compiled code calls by a name that may be another module's, or another module."""
    if isinstance(value, ModuleType):
        return _compiled_module(value) if value.__name__.startswith(_KERNELS) else value
    if value is jit.population or value is jit.lowest:
        return _population if value is jit.population else _lowest
    if not _is_helper(value) or value is not known:
        return known
    return getattr(_compiled_module(sys.modules[value.__module__]), value.__name__)


@intrinsic
def _population(_context: Any, _word: Any) -> Any:
    return types.int64(types.uint64), lambda _c, builder, _s, arguments: builder.ctpop(arguments[0])


@intrinsic
def _lowest(_context: Any, _word: Any) -> Any:
    never_zero = cgutils.true_bit
    return types.int64(types.uint64), lambda _c, builder, _s, arguments: builder.cttz(arguments[0], never_zero)


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
    """Tells the watchers of each kernel that is compiled; what a kernel calls belongs to it."""

    def __init__(self) -> None:
        self._begun: list[float] = []

    def on_start(self, event: Any) -> None:
        if _is_ours(event):
            if not self._begun:
                compilation.tell(_name(event), None)
            self._begun.append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        if _is_ours(event):
            seconds = time.perf_counter() - self._begun.pop()
            if not self._begun:
                compilation.tell(_name(event), seconds)


def _is_ours(event: Any) -> bool:
    return str(event.data["dispatcher"].py_func.__module__).startswith(_KERNELS)


def _name(event: Any) -> str:
    function = event.data["dispatcher"].py_func
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


_register("numba:compile", _Listener())
