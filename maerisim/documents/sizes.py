"""The types of sizes in documents: what a number, a pair and a shape may be, and what is said of others."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from maerisim.documents import described, nearest

LARGEST = 2**40
"""The largest size of anything."""


PAIR, TRIPLE = ("height", "width"), ("depth", "height", "width")
"""What the sizes along each axis are called."""


def _in_words(names: tuple[str, ...]) -> str:
    return f"[{', '.join(names)}]"


def _sizes(names: tuple[str, ...], minimum: int) -> Any:
    """``2`` as ``(2, 2)`` and ``[1, 2]`` as ``(1, 2)``, with a size for each of the names."""

    def check(value: object) -> tuple[int, ...]:
        if isinstance(value, int) and not isinstance(value, bool):
            sizes: tuple[int, ...] = (value,) * len(names)
        elif (given := _entries(value, len(names))) is not None:
            sizes = given
        else:
            expected = f"an integer or {_in_words(names)}" if isinstance(value, (list, tuple, dict)) else "an integer"
            msg = f"expected {expected}, found {described(value)}"
            raise ValueError(msg)
        _require(sizes, minimum)
        return sizes

    return check


def _require(sizes: tuple[int, ...], minimum: int) -> None:
    found = described(sizes[0]) if len(set(sizes)) == 1 else f"[{', '.join(map(described, sizes))}]"
    if min(sizes) < minimum:
        msg = f"expected at least {minimum}, found {found}"
        raise ValueError(msg)
    if max(sizes) > LARGEST:
        msg = f"expected at most {LARGEST}, found {found}"
        raise ValueError(msg)


def _entries(value: object, length: int) -> tuple[int, ...] | None:
    """So many integers in a list; None for anything else."""
    if isinstance(value, (list, tuple)) and len(value) == length and all(type(entry) is int for entry in value):
        return tuple(value)
    return None


def _sizes_type(names: tuple[str, ...], minimum: int) -> Any:
    integer = {"type": "integer", "minimum": minimum, "maximum": LARGEST}
    several = {"type": "array", "items": integer, "minItems": len(names), "maxItems": len(names)}
    return BeforeValidator(_sizes(names, minimum)), WithJsonSchema({"anyOf": [integer, several]})


SAME = "same"
"""Padding with which there are as many outputs as strides fit into the input, as in TensorFlow."""

Sides = tuple[int, int] | tuple[int, int, int, int]
"""What lies around an input: (height, width) on each side, or (top, left, bottom, right)."""


def behind(sides: Sides) -> tuple[int, int]:
    """The padding below and to the right; ``sides[0]`` and ``sides[1]`` are that above and to the left."""
    return sides[-2], sides[-1]


def _sides(value: object) -> Sides:
    """``2`` as ``(2, 2)``, ``[1, 2]`` as ``(1, 2)``; four numbers as two where opposite sides are equal."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = (value, value)
    if (
        not isinstance(value, (list, tuple))
        or len(value) not in (2, 4)
        or not all(type(entry) is int for entry in value)
    ):
        expected = "an integer, [height, width] or [top, left, bottom, right]"
        raise ValueError(f"expected {expected}, found {described(value)}")
    least, most = min(value), max(value)
    if least < 0 or most > LARGEST:
        wrong, bound = (least, "at least 0") if least < 0 else (most, f"at most {LARGEST}")
        raise ValueError(f"expected {bound}, found {described(wrong if len(set(value)) == 1 else value)}")
    return (value[0], value[1]) if value[:2] == value[-2:] else (value[0], value[1], value[2], value[3])


def _padding(value: object) -> object:
    """Sides, or the word; a text that is another is near enough to it for a hint."""
    if not isinstance(value, str):
        return _sides(value)
    if value == SAME:
        return value
    raise ValueError(
        f"expected {SAME} or an integer, found {described(value)}{nearest(value.lower().partition('_')[0], [SAME])}"
    )


_SIDE = {"type": "integer", "minimum": 0, "maximum": LARGEST}
_SIDES_SCHEMA = [_SIDE, *({"type": "array", "items": _SIDE, "minItems": n, "maxItems": n} for n in (2, 4))]


def _shape(names: tuple[str, ...]) -> Any:
    expected = _in_words(names)

    def check(value: object) -> object:
        sizes = _entries(value, len(names))
        if sizes is None:
            msg = f"expected {expected}, found {described(value)}"
            raise ValueError(msg)
        if min(sizes) < 1:
            msg = f"expected {expected} of at least 1, found {described(value)}"
            raise ValueError(msg)
        if max(sizes) > LARGEST:
            msg = f"expected {expected} of at most {LARGEST}, found {described(value)}"
            raise ValueError(msg)
        return sizes

    return check


def _shape_type(*names: str) -> Any:
    integer = {"type": "integer", "minimum": 1, "maximum": LARGEST}
    return (
        BeforeValidator(_shape(names)),
        WithJsonSchema({"type": "array", "items": integer, "minItems": len(names), "maxItems": len(names)}),
    )


Size = Annotated[int, Field(ge=1, le=LARGEST)]
WholeSize = Annotated[int, Field(ge=0, le=LARGEST)]
PositivePair = Annotated[tuple[int, int], *_sizes_type(PAIR, 1)]
PaddingPair = Annotated[tuple[int, int], *_sizes_type(PAIR, 0)]
PaddingSides = Annotated[Sides, PlainValidator(_sides), WithJsonSchema({"anyOf": _SIDES_SCHEMA})]
Padding = Annotated[
    Sides | Literal["same"],
    PlainValidator(_padding),
    WithJsonSchema({"anyOf": [*_SIDES_SCHEMA, {"const": SAME}]}),
]
PositiveTriple = Annotated[tuple[int, int, int], *_sizes_type(TRIPLE, 1)]
PaddingTriple = Annotated[tuple[int, int, int], *_sizes_type(TRIPLE, 0)]
LineShape = Annotated[tuple[int, int], *_shape_type("channels", "length")]
InputShape = Annotated[tuple[int, int, int], *_shape_type("channels", *PAIR)]
VolumeShape = Annotated[tuple[int, int, int, int], *_shape_type("channels", *TRIPLE)]
