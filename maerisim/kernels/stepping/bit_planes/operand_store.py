"""Operand stores of 64 multiplier switches at a time."""

from __future__ import annotations

from typing import Any

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping.bit_planes.bitwise import decrease, decrease_by, increase, positive
from maerisim.kernels.stepping.bit_planes.machine import Lanes


@inlined
def has_word(lanes: Lanes, store: int, w: int, asked: Any) -> Any:
    """Those ``asked`` for whose store has the word that their step needs."""
    return positive(lanes.bits, lanes.available[store] + w, lanes.words, lanes.planes[store], asked)


@inlined
def turn_over(lanes: Lanes, store: int, w: int, retire: Any, following: Any, rewind: Any, together: int) -> None:
    """After a step: retire the words in use, go on to the next one held, or start again at the first."""
    words, planes = lanes.words, lanes.planes[store]
    present, available = lanes.present[store] + w, lanes.available[store] + w
    if retire:
        decrease_by(lanes.bits, present, words, planes, retire, together)
        if lanes.claimed[store] >= 0:
            decrease_by(lanes.bits, lanes.claimed[store] + w, words, planes, retire, together)
    if available == present:
        return
    if following:
        decrease(lanes.bits, available, words, planes, following)
    first = retire | rewind
    if first:
        for plane in range(planes):
            kept = lanes.bits[available + plane * words] & ~first
            lanes.bits[available + plane * words] = kept | (lanes.bits[present + plane * words] & first)


@inlined
def receive(lanes: Lanes, store: int, w: int, mask: Any) -> None:
    """A word arrives in each store of ``mask``."""
    increase(lanes.bits, lanes.present[store] + w, lanes.words, lanes.planes[store], mask)
    if lanes.available[store] != lanes.present[store]:
        increase(lanes.bits, lanes.available[store] + w, lanes.words, lanes.planes[store], mask)
