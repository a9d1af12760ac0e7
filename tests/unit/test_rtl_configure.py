"""Configurations for the RTL: right where they exist, and proven impossible where they do not."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from maerisim.errors import NotSupportedError
from maerisim.rtl.configure import Obstacle, attempt, configure, double_modes, packing
from maerisim.rtl.memory import configuration_of, switch_words
from maerisim.rtl.modes import HALF_INPUTS, LEFT_INPUTS, RIGHT_INPUTS, SINGLE_INPUTS, Configuration, HalfMode
from maerisim.rtl.switches import AdderTree
from maerisim.rtl.tokens import push

REFERENCE = Path(__file__).parents[3] / "shared" / "golden" / "rtl.csv"

IMPOSSIBLE = {
    16: set(),
    32: set(),
    64: {7, 9, 13},
    128: {7, 9, 13, 14, 15, 18, 25, 26},
}
"""Virtual neuron sizes whose full packing needs a mode that the switches lack, found by another program."""


def reference_rows() -> list[dict[str, str]]:
    if not REFERENCE.exists():
        return []
    with REFERENCE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def words_of(row: dict[str, str]) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in row["rn_config"].split())


# All that can arrive at a double switch: nothing, or a value of one of up to four virtual neurons.
ARRIVALS = list(itertools.product([None, 0, 1, 2, 3], repeat=4))


def test_the_choice_of_mode_never_matters_to_the_levels_above() -> None:
    """The first observation on which the search rests, by enumeration of everything that can arrive."""
    with_choice = set()
    for arriving in ARRIVALS:
        modes = double_modes(arriving)
        driven = {
            tuple(frozenset(arriving[port] for port in inputs) for inputs in (LEFT_INPUTS[left], RIGHT_INPUTS[right]))
            for left, right in modes
        }
        assert len(driven) <= 1
        if len(modes) > 1:
            with_choice.add(len(set(arriving)))
            assert None not in arriving
    assert with_choice == {1}  # four values of one virtual neuron: two and two, three and one, one and three


def test_a_whole_sum_that_is_passed_on_can_leave_instead() -> None:
    """The second observation: a value alone is only ever passed, and an idle half disturbs nobody."""
    for arriving in ARRIVALS:
        for left, right in double_modes(arriving):
            for side, mode in enumerate((left, right)):
                inputs = HALF_INPUTS[side][mode]
                if inputs and arriving.count(arriving[inputs[0]]) == 1:
                    assert mode == HalfMode.PASS
                    without = tuple(None if port in inputs else vn for port, vn in enumerate(arriving))
                    assert double_modes(without)


def exists(multipliers: int, vn_size: int, vn_count: int) -> bool:
    """Exhaustive search over modes and result flags, keeping every state that the next level may see.

    A state is what arrives at the inputs of a level, in order: a virtual neuron or None. Sums of several virtual
    neurons are left out, they can never be taken apart. A virtual neuron with one value may leave or go up.
    """
    tree = AdderTree(multipliers)
    states = {tuple(leaf // vn_size if leaf < vn_size * vn_count else None for leaf in range(multipliers))}
    for level in range(tree.levels - 1, -1, -1):
        following = set()
        for state in states:
            per_switch = [outcomes(state[:2], single=True)]
            per_switch += [
                outcomes(state[first : first + 4], single=False) for first in range(2, 2 ** (level + 1) - 2, 4)
            ]
            if level:
                per_switch.append(outcomes(state[-2:], single=True))
            for driven in itertools.product(*per_switch):
                values = tuple(itertools.chain(*driven))
                following |= set(itertools.product(*({vn, None} if values.count(vn) == 1 else {vn} for vn in values)))
        states = following
    return (None,) in states


def outcomes(values: tuple[int | None, ...], *, single: bool) -> set[tuple[int | None, ...]]:
    """What the outputs of a switch can drive when nothing may stay behind at its inputs."""
    present = {port for port, vn in enumerate(values) if vn is not None}
    if single:
        settings = [(inputs,) for inputs in SINGLE_INPUTS.values()]
    else:
        settings = list(itertools.product(*(half.values() for half in HALF_INPUTS)))
    found = set()
    for setting in settings:
        used = list(itertools.chain(*setting))
        owners = [{values[port] for port in inputs} for inputs in setting]
        if sorted(used) == sorted(present) and all(len(owner) <= 1 for owner in owners):
            found.add(tuple(next(iter(owner), None) for owner in owners))
    return found


@pytest.mark.parametrize("multipliers", [8, 16])
def test_exhaustive_search_agrees_on_small_arrays(multipliers: int) -> None:
    for vn_size in range(2, multipliers + 1):
        for vn_count in range(1, multipliers // vn_size + 1):
            found = isinstance(attempt(multipliers, vn_size, vn_count), Configuration)
            assert found == exists(multipliers, vn_size, vn_count), (vn_size, vn_count)


IN_DOUBT = [(multipliers, size) for multipliers, sizes in IMPOSSIBLE.items() for size in sorted(sizes)]


@pytest.mark.parametrize(("multipliers", "vn_size"), [*IN_DOUBT, (32, 7), (64, 14), (64, 19), (128, 19)])
def test_exhaustive_search_agrees_where_the_full_packing_is_in_doubt(multipliers: int, vn_size: int) -> None:
    most = packing(multipliers, vn_size)
    assert exists(multipliers, vn_size, most.largest)
    for vn_count in range(most.largest + 1, min(most.full, most.largest + 2) + 1):
        assert not exists(multipliers, vn_size, vn_count)


@pytest.mark.parametrize("multipliers", list(IMPOSSIBLE))
def test_the_sizes_that_cannot_be_packed_fully(multipliers: int) -> None:
    sizes = range(2, min(multipliers, 64) + 1)
    packings = {size: packing(multipliers, size) for size in sizes}
    assert {size for size, most in packings.items() if most.largest < most.full} == IMPOSSIBLE[multipliers]
    for size, most in packings.items():
        assert most.full == multipliers // size
        assert (most.obstacle is None) == (most.largest == most.full)


@pytest.mark.parametrize("multipliers", [16, 32, 64, 128, 256])
def test_every_configuration_passes_the_token_check(multipliers: int) -> None:
    for size in range(2, min(multipliers, 64) + 1):
        most = packing(multipliers, size).largest
        for count in range(1, most + 1) if multipliers <= 64 else {1, max(1, most - 1), most}:
            configuration = configure(multipliers, size, count)
            flow = push(configuration, size, count)
            assert not flow.problems
            assert len(flow.results) == count
            assert configuration_of(multipliers, switch_words(configuration)) == configuration


def test_an_obstacle_is_two_values_that_no_mode_adds() -> None:
    for multipliers, sizes in IMPOSSIBLE.items():
        for size in sizes:
            most = packing(multipliers, size)
            obstacle = attempt(multipliers, size, most.largest + 1)
            assert isinstance(obstacle, Obstacle)
            _, low, high, _ = obstacle.values
            assert low == high == most.largest  # the virtual neuron that is one too many
            assert obstacle.values.count(low) == 2
            assert f"virtual neuron {low} arrive" in str(obstacle)


def test_what_does_not_work_is_refused_with_what_does() -> None:
    with pytest.raises(NotSupportedError, match=r"adds LR and RL.*largest number that works is 3"):
        configure(64, 9, 4)
    with pytest.raises(NotSupportedError, match=r"there is room for 7; the largest number that works is 3"):
        configure(64, 9, 8)
    with pytest.raises(NotSupportedError, match="smallest has 2"):
        configure(64, 1, 4)
    with pytest.raises(NotSupportedError, match="larger than the array of 64"):
        configure(64, 65, 1)


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"needs the reference data in {REFERENCE}")
def test_configurations_that_ran_on_the_rtl() -> None:
    """Those that sum right pass the token check, those that do not fail it, and ours is theirs where they pack fully."""
    rows = reference_rows()
    for row in rows:
        multipliers, size, count = int(row["ms"]), int(row["vn_size"]), int(row["mapped_vns"])
        configuration = configuration_of(multipliers, words_of(row))
        assert switch_words(configuration) == words_of(row)
        problems = push(configuration, size, count).problems
        assert (not problems) == (row["rn_config_valid"] == "1"), (row["name"], problems)
        if row["rn_config_valid"] == "1":
            assert packing(multipliers, size).largest >= count
            if count == multipliers // size:
                assert switch_words(configure(multipliers, size, count)) == words_of(row)
    assert {row["rn_config_valid"] for row in rows} == {"0", "1"}
