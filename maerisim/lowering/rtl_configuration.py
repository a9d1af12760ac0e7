"""The published RTL's reduction network, configured by the words of ``RN_Config.vmh``, as wires and transfers.

Level 0 is the root. Seen as a plain tree, output ``p`` of a level stands above inputs ``2p`` and ``2p + 1``, which come
from the outputs of these numbers of the level below (at the bottom from the multiplier switches). A *single* switch is the
first or the last output of a level; a *double* switch is two neighbouring outputs that do not share a parent, and either
half reaches the inputs of both: LL, LR, RL, RR. Every switch has a queue per input and one per output; a word takes one
cycle through the adder and one to the level above, or to the port of its collection bus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from maerisim.fabric.collection import BusInput
from maerisim.fabric.topology import Reduction, Transfer, Wire
from maerisim.fabric.wiring import REGISTER

_IDLE, _PASS, _ADD_TWO, _ADD_THREE = range(4)
_SINGLE_INPUTS: tuple[tuple[int, ...], ...] = ((), (0, 1), (0,), (1,))
_LEFT_INPUTS: tuple[tuple[int, ...], ...] = ((), (0,), (0, 1), (0, 1, 2))
_RIGHT_INPUTS: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (1, 2, 3))


class Half(NamedTuple):
    """One output of a switch: its place in its level, the inputs of the level that it adds, the port of its results."""

    switch: int
    level: int
    place: int
    inputs: tuple[int, ...]
    port: BusInput | None


def words_needed(multipliers: int) -> int:
    """Number of words that configure the switches above so many multiplier switches."""
    doubles, singles = _switches(multipliers)
    return -(-doubles // 4) + -(-singles // 8)


def configured(words: Sequence[int], multipliers: int, buses: int) -> Reduction:
    """The network that ``words`` configure. A word on an input that no mode names stays there.

    The words arrive four switches to a word and cycle; before that, nothing moves.
    """
    doubles, singles = _switches(multipliers)
    halves = [*_double_halves(words, multipliers, buses), *_single_halves(words, multipliers, buses)]
    at_work = [half for half in halves if half.inputs]
    bottom = multipliers.bit_length() - 2
    transfers = [
        Transfer(REGISTER, (_output(half),), Wire("port", *half.port), -1) for half in at_work if half.port is not None
    ]
    for half in at_work:
        operands = tuple(_operand(half.level, place, bottom) for place in half.inputs)
        transfers.append(Transfer(half.switch, operands, _output(half), -1))
        if half.port is None and half.level:
            transfers.append(Transfer(REGISTER, (_output(half),), _operand(half.level - 1, half.place, bottom), -1))
    ports = sorted({Wire("port", *half.port) for half in at_work if half.port is not None})
    return Reduction(
        transfers=tuple(transfers), ports=tuple(ports), configured_at=-(-doubles // 4) + -(-singles // 4) + 1
    )


def _switches(multipliers: int) -> tuple[int, int]:
    """Number of double and of single switches."""
    levels = multipliers.bit_length() - 1
    return multipliers // 2 - levels, 2 * levels - 1


def _operand(level: int, place: int, bottom: int) -> Wire:
    """The queue of an input of a level."""
    return Wire("product", 0, place) if level == bottom else Wire("operand", level, place)


def _output(half: Half) -> Wire:
    return Wire("up", half.level, half.place)


def _double_halves(words: Sequence[int], multipliers: int, buses: int) -> Iterator[Half]:
    number = 0
    for level in range(2, multipliers.bit_length() - 1):
        for i in range(2 ** (level - 1) - 1):
            byte = words[number // 4] >> 8 * (number % 4) & 255
            uses = _double_inputs(byte >> 6, byte >> 4 & 3)
            for side, result in enumerate((byte & 8, byte & 4)):
                port = BusInput(number % buses, 2 * (number // buses) + side) if result else None
                yield Half(number, level, 2 * i + 1 + side, tuple(4 * i + 2 + use for use in uses[side]), port)
            number += 1


def _double_inputs(left: int, right: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The inputs that the halves add. Of two modes that need the same input the right one's three works, else neither."""
    clash = set(_LEFT_INPUTS[left]) & set(_RIGHT_INPUTS[right])
    return () if clash else _LEFT_INPUTS[left], () if clash and right != _ADD_THREE else _RIGHT_INPUTS[right]


def _single_halves(words: Sequence[int], multipliers: int, buses: int) -> Iterator[Half]:
    doubles, singles = _switches(multipliers)
    for number in range(singles):
        nibble = words[-(-doubles // 4) + number // 8] >> 4 * (number % 8) & 15
        level = (number + 1) // 2
        place = 0 if number % 2 or not number else 2**level - 1
        port = BusInput(number % buses, 2 * doubles // buses + 1 + number // buses) if nibble & 2 else None
        inputs = tuple(2 * place + use for use in _SINGLE_INPUTS[nibble >> 2])
        yield Half(doubles + number, level, place, inputs, port)
