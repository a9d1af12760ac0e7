"""The types of sizes in documents: what a number, a pair and a shape may be, and what is said of others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from maerisim.documents import described

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
PositiveTriple = Annotated[tuple[int, int, int], *_sizes_type(TRIPLE, 1)]
PaddingTriple = Annotated[tuple[int, int, int], *_sizes_type(TRIPLE, 0)]
LineShape = Annotated[tuple[int, int], *_shape_type("channels", "length")]
InputShape = Annotated[tuple[int, int, int], *_shape_type("channels", *PAIR)]
VolumeShape = Annotated[tuple[int, int, int, int], *_shape_type("channels", *TRIPLE)]
