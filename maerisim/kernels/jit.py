"""The project's one jit decorator, and the only import of numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


_njit: Any = numba.njit  # its stubs do not know the option _nrt
_type_of_any_value: Any = numba.types.unliteral  # of the type of a number that is written out, ``int64``


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays.

    ``cache`` keeps the machine code on disk, so that only the first run after installation compiles; ``nogil`` lets
    threads run kernels side by side; ``error_model="numpy"`` drops the zero-division checks that kernels do not need.
    Without ``_nrt`` there is no reference counting of arrays, which costs more than the work in loops as tight as these;
    the price is that a kernel cannot allocate.
    With ``NUMBA_DISABLE_JIT=1`` the function runs as plain Python, with readable tracebacks.
    """
    return cast(Callable[P, R], _njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels that Python does not call (calling it crashes, except with ``NUMBA_DISABLE_JIT=1``).

    It has no wrapper to be called by, which takes long to compile, and is kept on disk only within the kernels that use
    it. Left to itself, numba compiles a function anew for every number that is written out in a call of it.
    """
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    dispatcher = _njit(error_model="numpy", _nrt=False, **options)(function)
    resolve: Any = getattr(dispatcher, "get_call_template", None)
    if resolve is not None:
        dispatcher.get_call_template = lambda args, kws: resolve(
            [_type_of_any_value(arg) for arg in args],
            {name: _type_of_any_value(arg) for name, arg in kws.items()},
        )
    return cast(Callable[P, R], dispatcher)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that is copied into each caller: a call costs two reference counts per array, too much in a hot loop."""
    return cast(Callable[P, R], _njit(inline="always", error_model="numpy", _nrt=False)(function))
