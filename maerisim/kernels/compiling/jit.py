"""The project's jit decorators. What is decorated stays Python until it has to be compiled: only then numba is imported."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cached_property, update_wrapper
from hashlib import sha256
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import choice
from maerisim.kernels.compiling.tables import Kinds, described, table_of

if TYPE_CHECKING:
    from maerisim.kernels.compiling.machine_code import LoadedCode

P = ParamSpec("P")
R = TypeVar("R")

HELPERS: set[FunctionType] = set()
"""Parts of kernels."""
INLINED: set[FunctionType] = set()
"""Those that LLVM copies into each of their callers."""

_loading = threading.RLock()
"""Held by the thread that loads or compiles a kernel, which others then find loaded."""


class Kernel(Generic[P, R]):
    """A function of numbers, arrays and NamedTuples of these, which Python calls with its arguments in order.

    ``function`` is the same in Python.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.module = function.__module__.rpartition(".")[2]
        self.name = f"{self.module}.{function.__name__}"
        """As the watchers know it, and its file on disk."""
        self._loaded: dict[Kinds, LoadedCode] = {}
        self._is_shipped = function.__module__.startswith(f"{str(__package__).rpartition('.')[0]}.")
        """Others may change without the directory of kernels changing its name."""
        update_wrapper(self, function)

    def __call__(self, *arguments: P.args, **none: P.kwargs) -> R:
        """Run it, compiled for the types of its arguments."""
        if none:
            raise TypeError(f"kernel {self.name} takes its arguments in order, without their names")
        if is_disabled():
            return self.function(*arguments, **none)
        if choice.is_stock():
            return cast(R, self._dispatcher(*arguments))
        table, kinds = table_of(arguments)
        entry = self._loaded.get(kinds)
        if entry is None:
            with _loading:
                entry = self._loaded.get(kinds) or self._load(kinds)
                self._loaded[kinds] = entry
        return cast(R, entry(table))

    @property
    def is_loaded(self) -> bool:
        """Whether it is in memory, for some arguments."""
        return bool(self._loaded) or bool("_dispatcher" in vars(self) and self._dispatcher.signatures)

    @cached_property
    def _dispatcher(self) -> Any:
        """Stock numba's."""
        from maerisim.kernels.compiling import compiler

        return compiler.dispatcher_of(self.function)

    def _load(self, kinds: Kinds) -> LoadedCode:
        """The machine code for arguments of these kinds: from disk, or compiled."""
        from maerisim.kernels.compiling import machine_code

        kept = compilation.directory() if self._is_shipped else None
        digest = sha256(f"{described(kinds)} {machine_code.processor()}".encode()).hexdigest()
        path = None if kept is None else kept / f"{self.name}-{digest[:12]}.o"
        code = None if path is None else machine_code.read(path)
        if code is None:
            from maerisim.kernels.compiling import compiler

            code = compiler.compiled(self.function, kinds)
            if path is not None:
                machine_code.write(path, code)
        return machine_code.LoadedCode(code)


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Compile a function that Python calls.

    Its machine code is kept on disk, see :mod:`maerisim.kernels.compiling.cache`, so that only the first run after
    installation compiles.
    With ``NUMBA_DISABLE_JIT=1`` the function runs as plain Python, with readable tracebacks.
    """
    return Kernel(function)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that they call; called by Python it is plain Python."""
    HELPERS.add(cast(FunctionType, function))
    return function


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that LLVM copies into each of its callers."""
    INLINED.add(cast(FunctionType, function))
    return function


def population(word: Any) -> int:
    """The number of ones in a 64-bit word; compiled it is an instruction."""
    return int(word).bit_count()


def lowest(word: Any) -> int:
    """The place of the lowest one in a 64-bit word that has any; compiled it is an instruction."""
    return (int(word) & -int(word)).bit_length() - 1


def is_disabled() -> bool:
    """Whether kernels are to run as plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
