"""The token check finds what is wrong with a configuration."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from maerisim.rtl.configure import configure
from maerisim.rtl.modes import Configuration, Double, HalfMode, Single, SingleMode, compatible
from maerisim.rtl.tokens import push


def with_double(configuration: Configuration, number: int, double: Double) -> Configuration:
    doubles = list(configuration.doubles)
    doubles[number] = double
    return replace(configuration, doubles=tuple(doubles))


def with_single(configuration: Configuration, number: int, single: Single) -> Configuration:
    singles = list(configuration.singles)
    singles[number] = single
    return replace(configuration, singles=tuple(singles))


@pytest.mark.parametrize(("multipliers", "vn_size", "vn_count"), [(16, 5, 3), (32, 9, 3), (32, 7, 4), (64, 14, 4)])
def test_any_other_setting_of_a_switch_in_use_is_wrong(multipliers: int, vn_size: int, vn_count: int) -> None:
    """Except for the three ways to make two values out of four of one virtual neuron."""
    right = configure(multipliers, vn_size, vn_count)
    four = {
        (HalfMode.ADD_TWO, HalfMode.ADD_TWO),
        (HalfMode.ADD_THREE, HalfMode.PASS),
        (HalfMode.PASS, HalfMode.ADD_THREE),
    }
    assert not push(right, vn_size, vn_count).problems
    wrong = 0
    for number, double in enumerate(right.doubles):
        for left, right_, *flags in itertools.product(HalfMode, HalfMode, (False, True), (False, True)):
            other = Double(left, right_, *flags)
            unused = other._replace(
                left_result=other.left_result and left > 0, right_result=other.right_result and right_ > 0
            )
            if unused == double or double == Double():
                continue
            problems = push(with_double(right, number, other), vn_size, vn_count).problems
            if not problems:
                # Same effect: both halves still make one value each of the same four, or only a half at rest differs.
                same_values = {(double.left, double.right), (left, right_)} <= four and other[2:] == double[2:]
                resting = all(
                    other.mode(side) == double.mode(side) and other.result(side) == double.result(side)
                    for side in (0, 1)
                    if double.mode(side)
                )
                assert same_values or resting, (number, double, other)
            wrong += bool(problems)
    for number, single in enumerate(right.singles):
        for mode, result in itertools.product(SingleMode, (False, True)):
            if single == Single() or (mode, result) == single:
                continue
            assert push(with_single(right, number, Single(mode, result)), vn_size, vn_count).problems
            wrong += 1
    assert wrong > 100


def test_halves_that_need_the_same_input_are_found() -> None:
    right = configure(32, 9, 3)
    number = next(n for n, double in enumerate(right.doubles) if double.left == double.right == HalfMode.ADD_TWO)
    for left, other in itertools.product(HalfMode, HalfMode):
        if not compatible(left, other):
            problems = push(with_double(right, number, Double(left, other)), 9, 3).problems
            assert f"double switch {number} is told to use an input twice" in problems


def test_fewer_virtual_neurons_than_configured_work_too() -> None:
    """The last tile of output channels leaves virtual neurons at rest."""
    for count in (1, 2, 3):
        assert not push(configure(32, 9, 3), 9, count).problems


def test_each_problem_is_named() -> None:
    right = configure(16, 4, 4)
    idle = replace(right, singles=(Single(),) * 7)
    assert any("wait at input the left of single switch 5 for ever" in text for text in push(idle, 4, 4).problems)
    assert "virtual neuron 0 leaves at 0 result ports instead of one" in push(idle, 4, 4).problems
    whole = configure(16, 16, 1)
    silent = with_single(whole, 0, Single(SingleMode.ADD, result=False))
    assert any("reach the root and do not leave there" in text for text in push(silent, 16, 1).problems)
    early = with_single(whole, 5, Single(SingleMode.ADD, result=True))
    assert any("not a whole virtual neuron" in text for text in push(early, 16, 1).problems)
