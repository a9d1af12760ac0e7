"""The types of sizes in documents: what a number, a pair and a shape may be, and what is said of others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from maerisim.documents import described

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
PaddingPair = Annotated[tuple[int, int], *_pair_type(0)]
InputShape = Annotated[
    tuple[int, int, int],
    BeforeValidator(_shape),
    WithJsonSchema(
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": LARGEST}, "minItems": 3, "maxItems": 3}
    ),
]
