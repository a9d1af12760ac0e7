"""``range``, ``max``, ``min`` and ``int`` in kernels, with as many instructions as they take.

numba writes 70 instructions for a loop over a range, and a call of a function that it compiles for ``max``, ``min`` and ``int``; LLVM leaves
one to four. What is here does the same for the arguments that kernels have: 64-bit numbers, steps that are not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import models, register_model

from maerisim.kernels.compiling.elements import WORD

_types: Any = types
_INT: Any = types.int64
_ENDS = ir.LiteralStructType([WORD] * 3)
"""The next number, where to stop, and the step."""


def span(*numbers: int) -> range:
    """``range``."""
    return range(*numbers)


class _Span(_types.SimpleIterableType):  # type: ignore[misc]
    """What ``range`` returns; ``step``: the step if it is written out."""

    def __init__(self, step: int | None) -> None:
        super().__init__(f"span({step})", _Numbers(step))


class _Numbers(_types.SimpleIteratorType):  # type: ignore[misc]
    """The numbers one after the other."""

    def __init__(self, step: int | None) -> None:
        self.step = step
        super().__init__(f"numbers({step})", _INT)


@register_model(_Span)
class _SpanModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _ENDS)


@register_model(_Numbers)
class _NumbersModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _ENDS.as_pointer())


@infer_global(span)
class _SpanTemplate(AbstractTemplate):
    prefer_literal = True

    def generic(self, args: Any, kws: Any) -> Any:
        if kws or not 1 <= len(args) <= 3 or not all(isinstance(each, (types.Integer, types.Boolean)) for each in args):
            return None
        step: Any = 1 if len(args) < 3 else getattr(args[2], "literal_value", None)
        return signature(_Span(step), *[_INT] * len(args))


@lower_builtin(span, types.VarArg(types.int64))
def _make_span(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    first, stop, step = {1: (WORD(0), *arguments, WORD(1)), 2: (*arguments, WORD(1)), 3: arguments}[len(arguments)]
    return cgutils.pack_struct(builder, (first, stop, step))


@lower_builtin("getiter", _Span)
def _begin(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    ends = cgutils.alloca_once(builder, _ENDS)
    builder.store(arguments[0], ends)
    return ends


@lower_builtin("iternext", _Numbers)
def _next(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The next number, and whether there is one."""
    place, stop, by = (cgutils.gep_inbounds(builder, arguments[0], 0, i) for i in range(3))
    number, end, step = builder.load(place), builder.load(stop), signature.args[0].step
    if step is None:
        step = builder.load(by)
        upwards = builder.icmp_signed(">", step, WORD(0))
        before, behind = builder.icmp_signed("<", number, end), builder.icmp_signed(">", number, end)
        is_there = builder.select(upwards, before, behind)
    else:
        is_there = builder.icmp_signed("<" if step > 0 else ">", number, end)
        step = WORD(step)
    builder.store(builder.add(number, step, flags=["nsw"]), place)
    return cgutils.pack_struct(builder, (number, is_there))


def largest(*numbers: Any) -> Any:
    """``max``."""
    return max(*numbers)


def smallest(*numbers: Any) -> Any:
    """``min``."""
    return min(*numbers)


class _OneKind(AbstractTemplate):
    """Of numbers, all turned into the type that can hold them."""

    def generic(self, args: Any, kws: Any) -> Any:
        kind = None if kws or len(args) < 2 else self.context.unify_types(*args)
        return signature(kind, *[kind] * len(args)) if isinstance(kind, types.Number) else None


infer_global(largest)(type("_Largest", (_OneKind,), {}))
infer_global(smallest)(type("_Smallest", (_OneKind,), {}))


def _extreme(comparison: str) -> Callable[..., Any]:
    def write(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (best, *others) = signature.return_type, arguments
        compare = builder.icmp_signed if getattr(kind, "signed", False) else builder.icmp_unsigned
        if isinstance(kind, types.Float):
            compare = builder.fcmp_ordered
        for each in others:
            best = builder.select(compare(comparison, each, best), each, best)
        return best

    return write


lower_builtin(largest, types.VarArg(types.Number))(_extreme(">"))
lower_builtin(smallest, types.VarArg(types.Number))(_extreme("<"))


def whole(number: Any) -> int:
    """``int``."""
    return int(number)


@infer_global(whole)
class _Whole(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return None if kws or len(args) != 1 else signature(_INT, args[0])


@lower_builtin(whole, types.Any)
def _to_whole(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return context.cast(builder, arguments[0], signature.args[0], _INT)


BUILT_IN: dict[str, Any] = {"int": whole, "max": largest, "min": smallest, "range": span}
"""What kernels call by the names of built-in functions."""
