"""Groups of arrays in kernels: the address of a table, however many arrays there are.

numba takes a NamedTuple apart at every call that it is handed to, and puts it together again inside; with the hundreds of
arrays of a fabric that is half of what there is to compile. In the signature of a kernel a NamedTuple is a
:class:`Group` instead. When Python calls the kernel, its fields are written into a table
(:mod:`maerisim.kernels.compiling.tables`); kernel and helpers hand on the table's address, and a field is read where it is
used. Tables do not change, which LLVM is told, so that it reads a field once for a whole loop: what a kernel changes lies in
arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
from numba import from_dtype
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, register_model

from maerisim.kernels.compiling.elements import Address, Elements, address, word
from maerisim.kernels.compiling.tables import C_ORDER, FORTRAN_ORDER, WRITABLE, Kinds


class Group(types.Type):
    """The numba type of a group: the words of its table, and where in it each field lies, and of which type it is.

    A table never changes while a kernel runs. Reading is declared invariant to LLVM, so a kernel that wrote into one, or
    relied on a number in it to change, would go on with what it read before; elements of arrays may change.
    """

    def __init__(self, name: str, fields: tuple[tuple[str, Any], ...]) -> None:
        self.words = 0
        self.places: dict[str, tuple[int, Any]] = {}
        for field, kind in fields:
            self.places[field] = self.words, kind
            self.words += _words_of(kind)
        super().__init__(name=f"{name}.{sha256(repr(fields).encode()).hexdigest()[:12]}")


def _words_of(field: Any) -> int:
    return field.words if isinstance(field, (Group, Elements)) else 1


def arguments_of(function: Callable[..., Any], kinds: Kinds) -> Group:
    """The arguments of a function as a group; TypeError if they are not those that its annotations say."""
    hints = get_type_hints(function)
    hints.pop("return", None)
    return _group(function.__qualname__, function.__qualname__, hints, kinds)


@cache
def _group_of(group: type, kinds: Kinds) -> Group:
    """The type of a NamedTuple; TypeError if its fields are not those that its class declares."""
    return _group(f"{group.__module__}.{group.__qualname__}", group.__qualname__, get_type_hints(group), kinds)


def _group(name: str, shown: str, declared: dict[str, Any], kinds: Kinds) -> Group:
    return Group(
        name,
        tuple(
            (field, _type_of(kind, annotation, f"{shown}.{field}"))
            for (field, annotation), kind in zip(declared.items(), kinds, strict=True)
        ),
    )


def _type_of(kind: Any, declared: Any, field: str) -> Any:
    """The numba type of a field."""
    if kind is declared and kind in _NUMBERS:
        return _NUMBERS[kind]
    element = _element_of(declared)
    if element is not None and _is_array(kind) and kind[0] == element.char:
        _, dimensions, flags = kind
        order = "C" if flags & C_ORDER else "F" if flags & FORTRAN_ORDER else "A"
        return Elements(from_dtype(element), dimensions, order, readonly=not flags & WRITABLE)
    if isinstance(kind, tuple) and kind[0] is declared:
        return _group_of(*kind)
    raise TypeError(f"{field} has to be {_description(declared)}, not {_found(kind)}")


_NUMBERS = {int: types.int64, float: types.float64, bool: types.boolean}


def _is_array(kind: Any) -> bool:
    return isinstance(kind, tuple) and bool(kind) and isinstance(kind[0], str)


def _element_of(declared: Any) -> np.dtype[Any] | None:
    """What an array has elements of that is annotated as ``npt.NDArray[...]``; None for anything else.

    Up to NumPy 2.4 that is another word for an ``ndarray`` of a shape and a ``dtype``, from 2.5 on a type of its own.
    """
    if get_origin(declared) is np.ndarray:
        declared = get_args(declared)[1]
    elif get_origin(declared) is not npt.NDArray:
        return None
    element: np.dtype[Any] = np.dtype(*get_args(declared))
    return element


def _description(declared: Any) -> str:
    element = _element_of(declared)
    return f"an array of {element}" if element is not None else getattr(declared, "__qualname__", str(declared))


def _found(kind: Any) -> str:
    if _is_array(kind):
        return f"an array of {np.dtype(kind[0])}"
    return str((kind[0] if isinstance(kind, tuple) else kind).__qualname__)


@intrinsic
def fields_of(_context: Any, group: Any) -> Any:
    """The fields of a group as a tuple."""
    kind = types.Tuple([field for _, field in group.places.values()])

    def read(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [_field_of(context, builder, group, arguments[0], name) for name in group.places]
        return context.make_tuple(builder, signature.return_type, values)

    return kind(group), read


register_model(Group)(Address)


@infer_getattr
class _Fields(AttributeTemplate):
    key = Group

    def generic_resolve(self, group: Group, name: str) -> Any:  # type: ignore[override]
        return group.places[name][1] if name in group.places else None


@lower_getattr_generic(Group)
def _field_of(context: Any, builder: Any, group: Group, table: Any, name: str) -> Any:
    place, field = group.places[name]
    if isinstance(field, (Group, Elements)):
        return address(builder, table, place)
    if isinstance(field, types.Boolean):
        return cgutils.is_not_null(builder, word(builder, table, place))
    return word(builder, table, place, context.get_value_type(field))
