"""What numba does in another way while it compiles a kernel, and only then.

Each is a function of numba that is replaced inside :func:`taken`, under numba's lock, and put back afterwards. The share named with each
is what it saves of the time that the kernels of a search take to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import BuiltinFunctionType
from typing import Any

from llvmlite import ir
from numba.core import base, cgutils, compiler_lock, errors, interpreter, lowering, postproc, typeinfer, types
from numba.core.typing import context as typing_context
from numba.np import arrayobj

_errors: Any = errors
_remembered: dict[Any, Any] = {}


@contextmanager
def taken() -> Iterator[None]:
    """Compile kernels inside."""
    with ExitStack() as put_back:
        put_back.enter_context(compiler_lock.global_compiler_lock)  # others compile before or after
        for owner, name, replacement in _REPLACEMENTS:
            put_back.enter_context(replaced(owner, name, replacement))
        yield


@contextmanager
def replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Have another function in the place of one inside."""
    before = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, before)


class _NoColours:
    """Writes errors without colours: where the package for them is installed, each of those that numba makes to find a function pays for it (a thirtieth)."""

    def __getattr__(self, _style: str) -> Callable[[str], str]:
        return str


class _Place:
    """Says where in a kernel an error was found, if there is one: numba prepares for that at every instruction (a sixteenth)."""

    def __init__(self, *what: Any, **where: Any) -> None:
        self._what, self._where = what, where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            with _errors.new_error_context(*self._what, **self._where):
                raise error


_find_call_type: Any = types.BaseFunction.get_call_type
_find_attribute: Any = typing_context.BaseContext.resolve_getattr
_find_type: Any = typing_context.BaseContext.resolve_value_type
_find_whether_it_has_a_place: Any = base._has_loc
_refresh: Any = base.BaseContext.refresh


def _call_type(function: Any, context: Any, arguments: Any, keywords: Any) -> Any:
    """The types of a call of a built-in function: numba tries its templates anew at every addition (a tenth)."""
    key = function, context, tuple(arguments), tuple(keywords.items())
    found = _remembered.get(key)
    if found is None:
        found = _remembered[key] = _find_call_type(function, context, arguments, keywords)
    return found


def _type(context: Any, value: Any) -> Any:
    """The type of an operator: numba looks for that of a value first, and writes an error as there is none (a twentieth)."""
    if not isinstance(value, BuiltinFunctionType):
        return _find_type(context, value)
    key = context, value
    if key not in _remembered:
        _remembered[key] = _find_type(context, value)
    return _remembered[key]


def _attribute(context: Any, kind: Any, name: str) -> Any:
    """The type of an attribute: numba asks all that has any to find it (a twenty-fifth)."""
    key = context, kind, name
    found = _remembered.get(key)
    if found is None:
        found = _remembered[key] = _find_attribute(context, kind, name)
    return found


def _has_place(function: Any) -> Any:
    """Whether what writes an instruction wants to know its place: numba reads its signature every time (a fiftieth)."""
    key = "has a place", function
    if key not in _remembered:
        _remembered[key] = _find_whether_it_has_a_place(function)
    return _remembered[key]


def _refresh_once(context: Any) -> None:
    """Look for extensions that were loaded: numba does so whenever it looks for a function (a fiftieth)."""
    key = "refreshed", context
    if key not in _remembered:
        _refresh(context)
        _remembered[key] = True


def _reserve(builder: Any, ty: Any, size: Any = None, name: str = "", zfill: bool = False) -> Any:
    """Memory, filled with zeros only where that is asked for."""
    with builder.goto_entry_block():
        place = builder.alloca(ty, size=ir.Constant(cgutils.intp_t, size) if isinstance(size, int) else size, name=name)
    if zfill:
        builder.store(ty(None), place)
    return place


def _index(context: Any, builder: Any, kind: Any, index: Any, _length: Any) -> Any:
    """An index as it is: no kernel counts from the end of an array (``tests/unit/test_kernel_indices.py``), which numba asks at every use of one."""
    return context.cast(builder, index, kind, types.intp)


_REPLACEMENTS: tuple[tuple[Any, str, Any], ...] = (
    (types.BaseFunction, "get_call_type", _call_type),
    (typing_context.BaseContext, "resolve_value_type", _type),
    (typing_context.BaseContext, "resolve_getattr", _attribute),
    (base, "_has_loc", _has_place),
    (base.BaseContext, "refresh", _refresh_once),
    # Pairs are a number of a loop and whether there is one.
    (base.BaseContext, "pair_first", lambda _context, builder, pair, _kind: builder.extract_value(pair, 0)),
    (base.BaseContext, "pair_second", lambda _context, builder, pair, _kind: builder.extract_value(pair, 1)),
    (_errors, "_termcolor_inst", _NoColours()),
    # No kernel has warnings, context managers, or calls with keywords in dictionaries, each of which is looked for everywhere.
    (_errors.WarningsFixer, "catch_warnings", lambda *_what, **_where: nullcontext()),
    (interpreter, "peep_hole_delete_with_exit", lambda function: function),
    (interpreter, "peep_hole_fuse_dict_add_updates", lambda function: function),
    (typeinfer, "new_error_context", _Place),
    (lowering, "new_error_context", _Place),
    (postproc.PostProcessor, "run", lambda *_what, **_how: None),  # for generators, which no kernel is (a tenth)
    (typeinfer.TypeInferer, "sentry_modified_builtin", lambda *_what: None),  # kernels have a ``range`` of their own
    (cgutils, "alloca_once", _reserve),
    (arrayobj, "fix_integer_index", _index),
)
