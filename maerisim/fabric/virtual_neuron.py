"""Virtual neurons (VNs): runs of neighbouring multiplier switches whose products are summed, and how they lie in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """The multiplier switches ``start .. start + size - 1`` of one virtual neuron."""

    start: int
    size: int


def side_by_side(sizes: Iterable[int], alignment: Callable[[int], int]) -> tuple[Span, ...]:
    """VNs from multiplier switch 0 on, each at the first free multiple of what its size has to be aligned to."""
    spans: list[Span] = []
    free = 0
    for size in sizes:
        multiple = alignment(size)
        spans.append(Span(-(-free // multiple) * multiple, size))
        free = spans[-1].start + size
    return tuple(spans)
