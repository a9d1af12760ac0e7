"""The published RTL's reduction network, configured switch by switch, as wires and transfers.

Every switch has a queue per input and one per output: a word takes one cycle through the adder, and one to the level
above or to the port of its collection bus. Level 0 is the root; ``place`` of an output counts along its level, and so does
that of the inputs below it. (Switches and modes: :mod:`maerisim.rtl`.)
"""

from __future__ import annotations

from collections.abc import Iterator

from maerisim.fabric.topology import Routing, Transfer, Wire
from maerisim.program.wiring import REGISTER
from maerisim.rtl.modes import HALF_INPUTS, SINGLE_INPUTS, Configuration, Double, HalfMode, compatible
from maerisim.rtl.switches import RIGHT, AdderTree, Output

_WORDS_A_CYCLE = 4
"""Switches that are configured in a cycle, doubles first."""


def configured(configuration: Configuration, buses: int) -> Routing:
    """The network of a configuration. A word that arrives at an input that no mode names stays there.

    Transfers to the ports of buses come first, those of double switches before the others: where two share a port, the
    double switch wins. Nothing moves before all switches are configured.
    """
    tree = configuration.tree
    at_work = [(level, place) for level, place in _outputs(tree) if _inputs(configuration, level, place)]
    to_ports, upwards = [], []
    for level, place in at_work:
        output = tree.output(level, place)
        wire = Wire("up", level, place)
        upwards.append(Transfer(_number(tree, output), _operands(configuration, level, place), wire, -1))
        if _is_result(configuration, output):
            to_ports.append(Transfer(REGISTER, (wire,), Wire("port", *tree.result_port(output, buses)), -1))
        elif level:
            upwards.append(Transfer(REGISTER, (wire,), _operand(tree, level - 1, place), -1))
    to_ports.sort(key=lambda transfer: _is_single(tree, transfer.operands[0]))
    return Routing(
        transfers=(*to_ports, *upwards),
        ports=tuple(sorted({transfer.output for transfer in to_ports})),
        configured_at=-(-tree.doubles // _WORDS_A_CYCLE) - (-tree.singles // _WORDS_A_CYCLE) + 1,
    )


def _outputs(tree: AdderTree) -> Iterator[tuple[int, int]]:
    for level in range(tree.levels):
        for place in range(2**level):
            yield level, place


def _is_single(tree: AdderTree, wire: Wire) -> bool:
    return tree.output(wire.level, wire.place).kind == "single"


def _number(tree: AdderTree, output: Output) -> int:
    """Adder switches by number: the double ones, then the single ones."""
    return output.switch + (tree.doubles if output.kind == "single" else 0)


def _is_result(configuration: Configuration, output: Output) -> bool:
    if output.kind == "single":
        return configuration.singles[output.switch].result
    return configuration.doubles[output.switch].result(output.side)


def _operands(configuration: Configuration, level: int, place: int) -> tuple[Wire, ...]:
    return tuple(_operand(configuration.tree, level, use) for use in _inputs(configuration, level, place))


def _operand(tree: AdderTree, level: int, place: int) -> Wire:
    """The queue of input ``place`` of a level; next to the multiplier switches it is that of their products."""
    return Wire("product", 0, place) if level == tree.levels - 1 else Wire("operand", level, place)


def _inputs(configuration: Configuration, level: int, place: int) -> tuple[int, ...]:
    """The places of the inputs that an output adds; none when it is idle."""
    output = configuration.tree.output(level, place)
    if output.kind == "single":
        return tuple(2 * place + port for port in SINGLE_INPUTS[configuration.singles[output.switch].mode])
    first = 2 * (place - output.side)
    return tuple(first + port for port in _ports(configuration.doubles[output.switch], output.side))


def _ports(double: Double, side: int) -> tuple[int, ...]:
    """The inputs that a half adds. Of two modes that need the same input only three on the right works."""
    if compatible(double.left, double.right) or (side == RIGHT and double.right == HalfMode.ADD_THREE):
        return HALF_INPUTS[side][double.mode(side)]
    return ()
