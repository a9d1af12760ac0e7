"""What kernels use of numba's insides; only imported with the versions of :mod:`maerisim.kernels.compiling.choice`."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
from numba.core import types

from maerisim.kernels.compiling import shortcuts
from maerisim.kernels.compiling.groups import arguments_of, fields_of
from maerisim.kernels.compiling.machine_code import MachineCode
from maerisim.kernels.compiling.pipeline import DraftCompiler, KernelCompiler
from maerisim.kernels.compiling.tables import Kinds

_COMMON = {"_nrt": False, "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
"""Without ``_nrt`` there is no reference counting of arrays, which costs more than the work in loops as tight as these;
the price is that a kernel cannot allocate. No wrappers for callers in C or Python: compiling them takes long, and there are none.
"""
KERNEL = _COMMON | {"pipeline_class": KernelCompiler}
HELPER = _COMMON | {"pipeline_class": DraftCompiler}
INLINED = HELPER | {"forceinline": True}

_njit: Any = numba.njit
_LETTERS = {types.none: "", types.int64: "q", types.float64: "d"}
"""Of the types that a kernel may return."""


def machine_code_of(function: Callable[..., Any], inner: Any, kinds: Kinds, options: dict[str, Any]) -> MachineCode:
    """The machine code of a kernel that takes its arguments as a table.

    ``inner``: the kernel as a part of others. Raises TypeError for arguments that are not as annotated.
    """
    arguments = arguments_of(function, kinds)
    entry: Any = FunctionType(_call.__code__, {"inner": inner, "fields_of": fields_of}, function.__name__)
    entry.__module__ = function.__module__
    dispatcher = _njit(**options, **KERNEL)(entry)
    with shortcuts.taken():
        dispatcher.compile((arguments,))
    (done,) = dispatcher.overloads.values()
    returned: Any = done.signature.return_type
    each: Any = returned if isinstance(returned, types.BaseTuple) else (returned,)
    letters = "".join(_LETTERS[one] for one in each)
    return MachineCode(done.fndesc.llvm_func_name, letters, done.library.content)


def _call(table: Any) -> Any:
    return inner(*fields_of(table))  # type: ignore[name-defined,call-arg] # noqa: F821


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
