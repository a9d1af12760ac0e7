"""Operand stores of the multiplier switches: the oldest words are held until they are retired."""

from __future__ import annotations

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping.machine import Stores

INPUTS, PARTIAL_SUMS, WEIGHTS, FORWARDED = 0, 1, 2, 3
"""The stores; the first three are filled by the streams of the same number."""


@inlined
def has_word(stores: Stores, store: int, m: int) -> bool:
    """Whether the word that the step needs has arrived."""
    return bool(stores.words[store, m] > stores.current[store, m])


@inlined
def turn_over(stores: Stores, store: int, m: int, retire: int, following: int, rewind: int, carry: bool) -> None:
    """After a step: retire the word in use, go on to the next one held, or start again at the first."""
    if retire:
        together = stores.together[store]
        stores.words[store, m] -= together
        stores.claimed[store, m] -= together
        stores.current[store, m] = 0
        if carry:
            stores.head[store, m] = (stores.head[store, m] + together) % stores.depth[store]
    elif following:
        stores.current[store, m] += 1
    elif rewind:
        stores.current[store, m] = 0


@inlined
def stored(stores: Stores, store: int, m: int) -> int:
    """The value in use in an operand store."""
    return int(stores.value[store, m, (stores.head[store, m] + stores.current[store, m]) % stores.depth[store]])


@inlined
def store_value(stores: Stores, store: int, m: int, value: int) -> None:
    """Put a value behind the words that an operand store holds (before their count goes up)."""
    stores.value[store, m, (stores.head[store, m] + stores.words[store, m]) % stores.depth[store]] = value
