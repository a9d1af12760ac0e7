"""The types of sizes in documents: what a number, a pair and a shape may be, and what is said of others."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from maerisim.documents import described, nearest

LARGEST = 2**40
"""The largest size of anything."""


def _pair(value: object) -> object:
    """``2`` as ``(2, 2)`` and ``[1, 2]`` as ``(1, 2)``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(type(entry) is int for entry in value):
        return tuple(value)
    expected = "an integer or [height, width]" if isinstance(value, (list, tuple, dict)) else "an integer"
    msg = f"expected {expected}, found {described(value)}"
    raise ValueError(msg)


def _pair_in_words(value: tuple[int, int]) -> str:
    return described(value[0]) if value[0] == value[1] else f"[{described(value[0])}, {described(value[1])}]"


def _at_least(minimum: int) -> Any:
    def check(value: tuple[int, int]) -> tuple[int, int]:
        if min(value) < minimum:
            msg = f"expected at least {minimum}, found {_pair_in_words(value)}"
            raise ValueError(msg)
        if max(value) > LARGEST:
            msg = f"expected at most {LARGEST}, found {_pair_in_words(value)}"
            raise ValueError(msg)
        return value

    return check


def _pair_type(minimum: int) -> Any:
    integer = {"type": "integer", "minimum": minimum, "maximum": LARGEST}
    pair = {"type": "array", "items": integer, "minItems": 2, "maxItems": 2}
    return (
        BeforeValidator(lambda value: _at_least(minimum)(_pair(value))),
        WithJsonSchema({"anyOf": [integer, pair]}),
    )


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


def _shape(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) == 3 and all(type(entry) is int for entry in value):
        if min(value) < 1:
            msg = f"expected [channels, height, width] of at least 1, found {described(value)}"
            raise ValueError(msg)
        if max(value) > LARGEST:
            msg = f"expected [channels, height, width] of at most {LARGEST}, found {described(value)}"
            raise ValueError(msg)
        return tuple(value)
    msg = f"expected [channels, height, width], found {described(value)}"
    raise ValueError(msg)


Size = Annotated[int, Field(ge=1, le=LARGEST)]
PositivePair = Annotated[tuple[int, int], *_pair_type(1)]
PaddingSides = Annotated[Sides, PlainValidator(_sides), WithJsonSchema({"anyOf": _SIDES_SCHEMA})]
Padding = Annotated[
    Sides | Literal["same"],
    PlainValidator(_padding),
    WithJsonSchema({"anyOf": [*_SIDES_SCHEMA, {"const": SAME}]}),
]
InputShape = Annotated[
    tuple[int, int, int],
    BeforeValidator(_shape),
    WithJsonSchema(
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": LARGEST}, "minItems": 3, "maxItems": 3}
    ),
]
