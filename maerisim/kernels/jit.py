"""The project's one jit decorator, and the only import of numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")


_njit: Any = numba.njit  # its stubs do not know the option _nrt


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays.

    ``cache`` keeps the machine code on disk, so that only the first run after installation compiles; ``nogil`` lets
    threads run kernels side by side; ``error_model="numpy"`` drops the zero-division checks that kernels do not need.
    Without ``_nrt`` there is no reference counting of arrays, which costs more than the work in loops as tight as these;
    the price is that a kernel cannot allocate.
    With ``NUMBA_DISABLE_JIT=1`` the function runs as plain Python, with readable tracebacks.
    """
    return cast(Callable[P, R], _njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that is copied into each caller: a call costs two reference counts per array, too much in a hot loop."""
    return cast(Callable[P, R], _njit(inline="always", error_model="numpy", _nrt=False)(function))


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


_plain: bool = getattr(numba.config, "DISABLE_JIT")  # noqa: B009 - set by numba when it is imported
population = cast(Callable[[Any], int], _population if _plain else _population_instruction)
lowest = cast(Callable[[Any], int], _lowest if _plain else _lowest_instruction)
