"""What numba does in another way while it compiles a kernel, and only then.

Each is a function of numba that is replaced inside :func:`taken` or :func:`indices_as_they_are`, under numba's lock, and put back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from numba.core import base, compiler_lock, errors, types
from numba.np import arrayobj

_call_types: dict[Any, Any] = {}
_sizes: dict[Any, Any] = {}
_refreshed: set[Any] = set()

_find_call_type: Any = types.BaseFunction.get_call_type
_find_size: Any = base.BaseContext.get_abi_sizeof
_refresh: Any = base.BaseContext.refresh


@contextmanager
def taken() -> Iterator[None]:
    """Remember what is asked for again and again; of the time that a search's kernels take to compile, each saves the share named with it."""
    with ExitStack() as put_back:
        put_back.enter_context(compiler_lock.global_compiler_lock)  # others compile before or after
        put_back.enter_context(_replaced(types.BaseFunction, "get_call_type", _call_type))
        put_back.enter_context(_replaced(base.BaseContext, "get_abi_sizeof", _size))
        put_back.enter_context(_replaced(base.BaseContext, "refresh", _refresh_once))
        put_back.enter_context(_replaced(errors, "_termcolor_inst", _NoColours()))
        yield


@contextmanager
def indices_as_they_are() -> Iterator[None]:
    """Leave out what numba puts before every use of an index: a comparison with 0, and the addition of the length where it is less.

    No kernel counts from the end of an array (``tests/unit/test_kernel_indices.py``). Kernels that step cycles run a sixth faster, a search by
    a fourteenth.
    """
    with _replaced(arrayobj, "fix_integer_index", _index):
        yield


@contextmanager
def _replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
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


def _call_type(function: Any, context: Any, arguments: Any, keywords: Any) -> Any:
    """The types of a call of a built-in function: numba tries its templates anew at every addition (a tenth)."""
    key = function, context, tuple(arguments), tuple(keywords.items())
    found = _call_types.get(key)
    if found is None:
        found = _call_types[key] = _find_call_type(function, context, arguments, keywords)
    return found


def _size(context: Any, kind: Any) -> Any:
    """The bytes of a type: numba writes a module for LLVM to find out (a fortieth)."""
    if kind not in _sizes:
        _sizes[kind] = _find_size(context, kind)
    return _sizes[kind]


def _refresh_once(context: Any) -> None:
    """Look for extensions that were loaded: numba does so whenever it looks for a function (a fiftieth)."""
    if context not in _refreshed:
        _refresh(context)
        _refreshed.add(context)


def _index(context: Any, builder: Any, kind: Any, index: Any, _length: Any) -> Any:
    return context.cast(builder, index, kind, types.intp)
