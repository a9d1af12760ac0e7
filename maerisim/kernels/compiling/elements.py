"""Arrays in tables: a kernel reads and writes an element with as many instructions as that takes.

numba hands an array on as ten values, puts them into memory and takes them out again wherever an element is used: 41 instructions,
of which LLVM leaves four. For kernels an array is the address of the words in the table that say where its elements lie.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin, lower_getattr
from numba.extending import models, register_model
from numba.np import arrayobj

WORD = ir.IntType(64)
BYTES = 8
"""Of a word."""


def word(builder: Any, table: Any, place: int, kind: Any = WORD) -> Any:
    """The word of a table at a place, as a value of an LLVM type. LLVM is told that it never changes."""
    value = builder.load(builder.bitcast(address(builder, table, place), kind.as_pointer()), align=BYTES)
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return value


def address(builder: Any, table: Any, place: int) -> Any:
    """Where in a table a word is."""
    return builder.gep(table, [WORD(BYTES * place)], inbounds=True) if place else table


class Address(models.OpaqueModel):
    """A pointer to words; one that comes as an argument may be read from at any time, so that LLVM can do so ahead of a loop."""

    def from_argument(self, _builder: Any, value: Any) -> Any:
        value.attributes.dereferenceable = BYTES * self._fe_type.words
        return value


class Elements(types.Array):
    """An array in a table: the address of its words there, which are where it lies, its shape, and its strides in bytes.

    A row of it is one of numba's arrays.
    """

    def __init__(self, dtype: Any, ndim: int, layout: Any, *, readonly: bool) -> None:
        super().__init__(dtype, ndim, layout, readonly=readonly, name=f"Elements({dtype},{ndim},{layout},{readonly})")
        self.words = 1 + 2 * ndim


register_model(Elements)(Address)


@lower_builtin(operator.getitem, Elements, types.Integer)
@lower_builtin(operator.getitem, Elements, types.BaseTuple)
def _get(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (array, index), (table, at) = signature.args, arguments
    kinds, indices = _indices(builder, index, at)
    if isinstance(signature.return_type, types.Array):
        whole = _numbas(context, builder, array, table)
        return arrayobj._getitem_array_generic(
            context, builder, signature.return_type, array.copy(), whole, kinds, indices
        )
    return context.unpack_value(builder, array.dtype, _element(context, builder, array, table, kinds, indices))


@lower_builtin(operator.setitem, Elements, types.Integer, types.Any)
@lower_builtin(operator.setitem, Elements, types.BaseTuple, types.Any)
def _set(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    (array, index, kind), (table, at, value) = signature.args, arguments
    element = _element(context, builder, array, table, *_indices(builder, index, at))
    context.pack_value(builder, array.dtype, context.cast(builder, value, kind, array.dtype), element)


@lower_getattr(Elements, "shape")
def _shape(_context: Any, builder: Any, array: Any, table: Any) -> Any:
    return cgutils.pack_array(builder, [word(builder, table, 1 + axis) for axis in range(array.ndim)], WORD)


@lower_builtin(len, Elements)
def _length(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return word(builder, arguments[0], 1)


def _indices(builder: Any, kind: Any, index: Any) -> Any:
    if isinstance(kind, types.BaseTuple):
        kinds: Any = kind
        return tuple(kinds), cgutils.unpack_tuple(builder, index, len(kind))
    return (kind,), [index]


def _element(context: Any, builder: Any, array: Any, table: Any, kinds: Any, indices: Any) -> Any:
    """The address of an element."""
    indices = [context.cast(builder, each, kind, types.intp) for kind, each in zip(kinds, indices, strict=True)]
    if context.enable_boundscheck:
        for axis, each in enumerate(indices):
            cgutils.do_boundscheck(context, builder, each, word(builder, table, 1 + axis), axis)
    kind = context.get_data_type(array.dtype)
    if array.layout == "C":
        place, *others = indices
        for axis, each in enumerate(others, 1):
            place = builder.add(builder.mul(place, word(builder, table, 1 + axis)), each)
        return builder.gep(word(builder, table, 0, kind.as_pointer()), [place])
    place = WORD(0)
    for axis, each in enumerate(indices):
        place = builder.add(place, builder.mul(each, word(builder, table, 1 + array.ndim + axis)))
    start = word(builder, table, 0, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(start, [place]), kind.as_pointer())


def _numbas(context: Any, builder: Any, kind: Any, table: Any) -> Any:
    """The same as an array of numba's."""
    array = context.make_array(kind.copy())(context, builder)
    sizes = [word(builder, table, 1 + i) for i in range(2 * kind.ndim)]
    array.data = word(builder, table, 0, array.data.type)
    array.shape = cgutils.pack_array(builder, sizes[: kind.ndim], WORD)
    array.strides = cgutils.pack_array(builder, sizes[kind.ndim :], WORD)
    array.itemsize = WORD(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    array.nitems = WORD(1)
    for size in sizes[: kind.ndim]:
        array.nitems = builder.mul(array.nitems, size, flags=["nsw"])
    array.meminfo, array.parent = (cgutils.get_null_value(each.type) for each in (array.meminfo, array.parent))
    return array
