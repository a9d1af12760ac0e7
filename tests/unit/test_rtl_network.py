"""The RTL's configured switches as wires and transfers: what arrives where, and in which order."""

from __future__ import annotations

import pytest

from maerisim.fabric.topology import Routing, Wire
from maerisim.program.wiring import REGISTER
from maerisim.rtl.configure import configure, packing
from maerisim.rtl.fabric import configured
from maerisim.rtl.memory import configuration_of
from maerisim.rtl.modes import HalfMode
from maerisim.rtl.tokens import push

BUSES = 4


def sums_at_ports(reduction: Routing) -> list[tuple[Wire, list[int]]]:
    """(port, multiplier switches whose products it gets) of every result; two switches may share a port."""
    value: dict[Wire, set[int]] = {}
    results = []
    for transfer in reversed(reduction.receivers_first):
        operands = [{wire.place} if wire.kind == "product" else value.get(wire, set()) for wire in transfer.operands]
        total = set().union(*operands)
        if transfer.output.kind == "port":
            results.append((transfer.output, sorted(total)))
        else:
            value[transfer.output] = total
    return sorted(results)


@pytest.mark.parametrize("multipliers", [16, 32, 64])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 14])
def test_every_virtual_neuron_arrives_at_the_port_that_the_tokens_find(multipliers: int, size: int) -> None:
    count = packing(multipliers, size).largest
    configuration = configure(multipliers, size, count)
    flow = push(configuration, size, count)
    expected = [
        (Wire("port", *configuration.tree.result_port(output, BUSES)), sorted(flow.sums[output]))
        for output in flow.results
    ]
    assert sums_at_ports(configured(configuration, BUSES)) == sorted(expected)
    assert sorted(members for _, members in expected) == [
        list(range(vn * size, (vn + 1) * size)) for vn in range(count)
    ]


def test_receivers_come_before_those_who_send_to_them() -> None:
    reduction = configured(configure(32, 3, packing(32, 3).largest), BUSES)
    sent: set[Wire] = set()
    for transfer in reduction.receivers_first:
        assert not sent & set(transfer.operands)
        sent.add(transfer.output)


def test_a_switch_costs_two_cycles_a_level() -> None:
    """Four products meet two levels up: an adder each, and a queue in front of the second and of the bus."""
    reduction = configured(configure(16, 4, 4), BUSES)
    way = [t for t in reduction.transfers if t.switch == REGISTER and t.output.kind == "operand"]
    assert {t.output.level for t in way} == {2}
    assert len(reduction.ports) == 4


@pytest.mark.parametrize(
    ("left", "right", "operands"),
    [
        (HalfMode.ADD_THREE, HalfMode.ADD_TWO, []),
        (HalfMode.ADD_THREE, HalfMode.ADD_THREE, [(3, 4, 5)]),
        (HalfMode.ADD_TWO, HalfMode.ADD_THREE, [(3, 4, 5)]),
        (HalfMode.ADD_THREE, HalfMode.PASS, [(2, 3, 4), (5,)]),
        (HalfMode.ADD_TWO, HalfMode.ADD_TWO, [(2, 3), (4, 5)]),
    ],
)
def test_of_two_modes_that_need_the_same_input_only_three_on_the_right_works(
    left: HalfMode, right: HalfMode, operands: list[tuple[int, ...]]
) -> None:
    """Double switch 1 of 16 multipliers is the first of the lowest level, above multiplier switches 2 to 5."""
    reduction = configured(configuration_of(16, [(left << 6 | right << 4) << 8, 0]), BUSES)
    adders = [t for t in reduction.transfers if t.switch == 1]
    assert [tuple(wire.place for wire in t.operands) for t in adders] == operands


def test_nothing_moves_before_the_switches_are_configured() -> None:
    """16 multipliers: 4 double and 7 single switches, four a cycle, and one cycle more."""
    assert configured(configuration_of(16, [0, 0]), BUSES).configured_at == 1 + 2 + 1
