"""The RTL's switches: numbers, wiring, and what their modes can do."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from maerisim.rtl.modes import COMBINATIONS, HALF_INPUTS, HalfMode
from maerisim.rtl.switches import LEFT, RIGHT, RL, AdderTree, Input, Output

SIZES = [8, 16, 32, 64, 128, 256, 2048]


def outputs(tree: AdderTree, level: int) -> list[Output]:
    return [tree.output(level, position) for position in range(2**level)]


@pytest.mark.parametrize("multipliers", SIZES)
def test_every_switch_is_in_one_level(multipliers: int) -> None:
    tree = AdderTree(multipliers)
    assert (tree.singles, tree.doubles) == (2 * tree.levels - 1, (multipliers - 2 * tree.levels) // 2)
    assert [n for level in range(tree.levels) for n in tree.singles_of(level)] == list(range(tree.singles))
    assert [n for level in range(tree.levels) for n in tree.doubles_of(level)] == list(range(tree.doubles))
    every = [output for level in range(tree.levels) for output in outputs(tree, level)]
    assert len(every) == len(set(every)) == multipliers - 1
    assert all(tree.level_of(output) == level for level in range(tree.levels) for output in outputs(tree, level))


@pytest.mark.parametrize("multipliers", SIZES)
def test_the_wires_are_those_of_a_binary_tree(multipliers: int) -> None:
    """Wired by number as in the RTL; seen as a tree, output p feeds the inputs below output p // 2."""
    tree = AdderTree(multipliers)
    for level in range(tree.levels):
        below = range(2 ** (level + 1))
        if level == tree.levels - 1:
            wires = [tree.input_of_leaf(leaf) for leaf in below]
        else:
            wires = [tree.input_above(tree.output(level + 1, place)) for place in below]
        assert len(set(wires)) == len(wires)
        for place, wire in enumerate(wires):
            kind, switch, side = tree.output(level, place // 2)
            port = place % 2 if kind == "single" else 2 * side + place % 2
            assert wire == Input(kind, switch, port)
    assert tree.input_above(tree.output(0, 0)) is None


def test_thirty_two_multipliers_by_hand() -> None:
    tree = AdderTree(32)
    assert (tree.levels, tree.singles, tree.doubles) == (5, 9, 11)
    assert [tree.input_of_leaf(leaf) for leaf in (0, 1, 2, 5, 6, 29, 30, 31)] == [
        *(Input("single", 7, port) for port in (0, 1)),
        *(Input("double", 4, port) for port in (0, 3)),
        Input("double", 5, 0),
        Input("double", 10, 3),
        *(Input("single", 8, port) for port in (0, 1)),
    ]
    assert tree.input_above(Output("double", 4, LEFT)) == Input("single", 5, RIGHT)
    assert tree.input_above(Output("double", 10, RIGHT)) == Input("single", 6, LEFT)
    assert tree.input_above(Output("double", 5, RIGHT)) == Input("double", 1, RL)
    assert tree.input_above(Output("single", 1, LEFT)) == Input("single", 0, LEFT)
    assert tree.input_above(Output("single", 2, LEFT)) == Input("single", 0, RIGHT)
    assert tree.result_port(Output("double", 9, RIGHT), 4) == (1, 5)
    assert tree.result_port(Output("single", 6, LEFT), 4) == (2, 2 * 11 // 4 + 1 + 1)


def test_halves_that_share_an_input_do_not_work_together() -> None:
    """The list of the RTL: three on the left beside pass or idle only, two on the left not beside three."""
    listed = {
        (left, right)
        for left, right in itertools.product(HalfMode, HalfMode)
        if not (left == 3 and right >= 2) and not (left == 2 and right == 3)
    }
    assert set(COMBINATIONS) == listed
    for left, right in COMBINATIONS:
        assert max(Counter([*HALF_INPUTS[0][left], *HALF_INPUTS[1][right]]).values(), default=0) <= 1
    missing = {(0, 1, 2, 3), (1, 2)}
    assert missing.isdisjoint(inputs for half in HALF_INPUTS for inputs in half.values())
