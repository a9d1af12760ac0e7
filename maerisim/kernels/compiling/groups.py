"""Groups of arrays in kernels: the address of a table, however many arrays there are.

numba takes a NamedTuple apart at every call that it is handed to, and puts it together again inside; with the hundreds of
arrays of a fabric that is half of what there is to compile. In the signature of a kernel a NamedTuple is a
:class:`Group` instead. When Python calls the kernel, its fields are written into a table; kernel and helpers hand on the
table's address, and a field is read where it is used. Tables do not change, which LLVM is told, so that it reads
a field once for a whole loop: what a kernel changes lies in arrays.

A table consists of 64-bit words: one for a number; address, shape and strides for an array; a group within a group lies
in the table of the outer one.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import from_dtype
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

_WORD = ir.IntType(64)
_BYTES = 8
"""Of a word."""
_lend: Any = (ctypes.c_char * 0).from_buffer
"""Nothing at the address of an array's data, however little there is."""


class Group(types.Type):
    """The numba type of a group: the words of its table, and where in it each field lies, and of which type it is.

    A table never changes while a kernel runs. Reading is declared invariant to LLVM, so a kernel that wrote into one, or
    relied on a number in it to change, would go on with what it read before; elements of arrays may change.
    """

    def __init__(self, group: type, fields: tuple[tuple[str, Any], ...]) -> None:
        self.group = group
        self.words = 0
        self.places: dict[str, tuple[int, Any]] = {}
        for name, field in fields:
            self.places[name] = self.words, field
            self.words += _words_of(field)
        digest = sha256(repr(fields).encode()).hexdigest()
        super().__init__(name=f"{group.__module__}.{group.__qualname__}.{digest[:12]}")


def _words_of(field: Any) -> int:
    if isinstance(field, Group):
        return field.words
    return 1 + 2 * field.ndim if isinstance(field, types.Array) else 1


def register(function: Callable[..., Any]) -> None:
    """Let the NamedTuples in the signature of a function be groups, and those within them."""
    for annotation in get_type_hints(function).values():
        is_named_tuple = isinstance(annotation, type) and hasattr(annotation, "_fields")
        if is_named_tuple and typeof_impl.dispatch(annotation) is not _type_of:
            typeof_impl.register(annotation)(_type_of)
            register(annotation)


def _type_of(group: Any, context: Any) -> Group:
    kind: Any = type(group)
    return _group(kind, tuple(typeof_impl(value, context) for value in group))


@cache
def _group(group: type, fields: tuple[Any, ...]) -> Group:
    """The type of a group whose fields have these types; TypeError if they are not those that its class declares."""
    named = tuple(zip(get_type_hints(group).items(), fields, strict=True))
    for (name, declared), field in named:
        if not _is_as_declared(declared, field):
            raise TypeError(f"{group.__qualname__}.{name} has to be {_description(declared)}, not {field}")
    return Group(group, tuple((name, field) for (name, _), field in named))


_SCALARS: dict[Any, tuple[Any, ...]] = {
    bool: (types.boolean,),
    int: (types.int8, types.int16, types.int32, types.int64, types.uint8, types.uint16, types.uint32),
    float: (types.float64,),
}
"""What a field may hold that is declared so; a table has no word for other numbers."""


def _is_as_declared(declared: Any, field: Any) -> bool:
    """Whether a field is the number, array or group that its annotation says, so that no kernel is compiled for others."""
    if declared in _SCALARS:
        return field in _SCALARS[declared]
    element = _element_of(declared)
    if element is not None:
        return isinstance(field, types.Array) and field.dtype == from_dtype(element)
    return isinstance(field, Group) and field.group is declared


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


def table_of(group: tuple[Any, ...]) -> bytes:
    """The table of a group."""
    words: list[int] = []
    _append(group, words)
    return struct.pack(f"{len(words)}q", *words)


def _append(group: tuple[Any, ...], words: list[int]) -> None:
    for field in group:
        if isinstance(field, np.ndarray):
            try:
                words.append(ctypes.addressof(_lend(field)))  # a fifth of the time of the other way
            except TypeError:  # only arrays that are contiguous and can be written lend their buffer
                words.append(field.ctypes.data)
            words += field.shape
            words += field.strides
        elif isinstance(field, tuple):
            _append(field, words)
        elif isinstance(field, float):
            words += struct.unpack("q", struct.pack("d", field))
        else:
            words.append(int(field))


@register_model(Group)
class _Address(models.OpaqueModel):
    """A pointer; one that comes as an argument may be read from at any time, so that LLVM can do so ahead of a loop."""

    def from_argument(self, _builder: Any, value: Any) -> Any:
        value.attributes.dereferenceable = _BYTES * self._fe_type.words
        return value


@unbox(Group)
def _write_table(_group: Group, value: Any, c: Any) -> NativeValue:
    """Keep the table until the kernel returns."""
    write = c.pyapi.unserialize(c.pyapi.serialize_object(table_of))
    table = c.pyapi.call_function_objargs(write, [value])
    c.pyapi.decref(write)
    failed = cgutils.is_null(c.builder, table)
    address = cgutils.alloca_once_value(c.builder, cgutils.get_null_value(cgutils.voidptr_t))
    with cgutils.if_unlikely(c.builder, c.builder.not_(failed)):
        c.builder.store(c.pyapi.bytes_as_string(table), address)
    return NativeValue(c.builder.load(address), is_error=failed, cleanup=lambda: c.pyapi.decref(table))


@infer_getattr
class _Fields(AttributeTemplate):
    key = Group

    def generic_resolve(self, group: Group, name: str) -> Any:  # type: ignore[override]
        return group.places[name][1] if name in group.places else None


@lower_getattr_generic(Group)
def _field_of(context: Any, builder: Any, group: Group, table: Any, name: str) -> Any:
    place, field = group.places[name]
    if isinstance(field, Group):
        return _address(builder, table, place)
    if isinstance(field, types.Array):
        return _array(context, builder, field, table, place)
    if isinstance(field, types.Boolean):
        return cgutils.is_not_null(builder, _read(builder, table, place, _WORD))
    return _read(builder, table, place, context.get_value_type(field))


def _array(context: Any, builder: Any, field: Any, table: Any, place: int) -> Any:
    array = context.make_array(field)(context, builder)
    sizes = [_read(builder, table, place + 1 + i, _WORD) for i in range(2 * field.ndim)]
    array.data = _read(builder, table, place, array.data.type)
    array.shape = cgutils.pack_array(builder, sizes[: field.ndim], _WORD)
    array.strides = cgutils.pack_array(builder, sizes[field.ndim :], _WORD)
    array.itemsize = _WORD(context.get_abi_sizeof(context.get_data_type(field.dtype)))
    array.nitems = _WORD(1)
    for size in sizes[: field.ndim]:
        array.nitems = builder.mul(array.nitems, size, flags=["nsw"])
    array.meminfo, array.parent = (cgutils.get_null_value(each.type) for each in (array.meminfo, array.parent))
    return array._getvalue()


def _read(builder: Any, table: Any, place: int, kind: Any) -> Any:
    address = builder.bitcast(_address(builder, table, place), kind.as_pointer())
    word = builder.load(address, align=_BYTES)
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _address(builder: Any, table: Any, place: int) -> Any:
    return builder.gep(table, [_WORD(_BYTES * place)], inbounds=True)
