"""What kernels use of numba's insides; only imported with the versions of :mod:`maerisim.kernels.compiling.choice`."""

from __future__ import annotations

from typing import Any

from numba.core import types

from maerisim.kernels.compiling.groups import register
from maerisim.kernels.compiling.kept import check_files
from maerisim.kernels.compiling.pipeline import DraftCompiler, KernelCompiler

__all__ = ["HELPER", "INLINED", "KERNEL", "check_files", "register", "without_literals"]

_COMMON = {"_nrt": False, "no_cfunc_wrapper": True}
"""Without ``_nrt`` there is no reference counting of arrays, which costs more than the work in loops as tight as these;
the price is that a kernel cannot allocate. No wrapper for callers in C: compiling it takes long, and there are none.
"""
KERNEL = _COMMON | {"pipeline_class": KernelCompiler}
HELPER = _COMMON | {"pipeline_class": DraftCompiler, "no_cpython_wrapper": True}
"""What only kernels call needs no wrapper for callers in Python either."""
INLINED = HELPER | {"forceinline": True}


def without_literals(dispatcher: Any) -> Any:
    """A helper that is compiled once for all numbers of a type.

    Left to itself, numba compiles a function anew for every number that is written out in a call of it.
    """
    resolve = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: resolve(
        [types.unliteral(arg) for arg in args],
        {name: types.unliteral(arg) for name, arg in kws.items()},
    )
    return dispatcher
