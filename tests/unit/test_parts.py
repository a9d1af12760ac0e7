"""Which ports of a configured fabric have nothing to do with one another."""

from __future__ import annotations

from typing import Any

import pytest

from maerisim.counts.program_totals import per_virtual_neuron
from maerisim.engine.compiled.independent_parts import IndependentPart, parts_of
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.way import program_of
from maerisim.workload.problem import Problem

ORDER = "N G K C R S P Q"


def split(problem: Problem, tile: dict[str, int], **overrides: Any) -> tuple[Program, list[IndependentPart]]:
    hardware = Hardware.load("maeri-16").with_overrides(  # four multiplier switches to a port and to a bus
        {"multiplier.forwarding": False} | {name.replace("__", "."): value for name, value in overrides.items()}
    )
    program = program_of(problem, Mapping.of(tile, ORDER), hardware)
    return program, parts_of(program, hardware, per_virtual_neuron(program))


def test_virtual_neurons_of_one_switch_share_a_port_and_no_more() -> None:
    program, parts = split(Problem(K=16, C=3), {"K": 16})
    (part,) = parts
    assert part.starts == (0, 4, 8, 12)
    assert part.program.multipliers_used == 4
    assert (part.hardware.ports, part.hardware.buses) == (1, 1)
    assert 4 * part.program.results == program.results == 16


def test_what_is_left_over_is_a_part_of_its_own() -> None:
    _, parts = split(Problem(K=10, C=3), {"K": 10})
    assert [(part.starts, part.program.multipliers_used) for part in parts] == [((0, 4), 4), ((8,), 2)]


def test_a_partial_tile_makes_parts_differ() -> None:
    """The second of two steps of K has work for the first ten virtual neurons only."""
    _, parts = split(Problem(K=26, C=3), {"K": 16})
    assert [part.starts for part in parts] == [(0, 4), (8,), (12,)]
    assert [part.program.results for part in parts] == [8, 6, 4]


def test_a_virtual_neuron_ties_its_ports_together() -> None:
    """Switches 0 to 8 lie on three ports; the last port is free."""
    _, parts = split(Problem(C=9), {"C": 9})
    assert [(part.starts, part.hardware.ports) for part in parts] == [((0,), 3)]
    _, parts = split(Problem(K=2, C=8), {"K": 2, "C": 8})
    assert [(part.starts, part.hardware.ports) for part in parts] == [((0, 8), 2)]


def test_forwarding_ties_ports_together() -> None:
    """Filter rows of four fit a port each, rows of six do not."""
    problem, tile = Problem(K=2, S=4, Q=5), {"K": 2, "S": 4}
    _, alone = split(problem, tile)
    assert [part.starts for part in alone] == [(0, 4)]
    _, sliding = split(problem, tile, multiplier__forwarding=True)
    assert [part.starts for part in sliding] == [(0, 4)]  # a row per port: nothing crosses
    _, crossing = split(Problem(K=2, S=6, Q=5), {"K": 2, "S": 6}, multiplier__forwarding=True)
    assert [(part.starts, part.hardware.ports) for part in crossing] == [((0,), 3)]


@pytest.mark.parametrize(
    "overrides",
    [{"collection__bandwidth": 1}, {"collection__write_back": "half"}, {"controller__steps_per_cycle": 1}],
    ids=["one bus", "a global buffer that writes half", "a controller that releases steps"],
)
def test_what_all_share_keeps_them_together(overrides: dict[str, Any]) -> None:
    _, parts = split(Problem(K=16, C=3), {"K": 16}, **overrides)
    assert [(part.starts, part.hardware.ports) for part in parts] == [((0,), 4)]


def test_two_buses_make_two_parts() -> None:
    _, parts = split(Problem(K=16, C=3), {"K": 16}, collection__bandwidth=2)
    assert [(part.starts, part.hardware.ports, part.hardware.buses) for part in parts] == [((0, 8), 2, 1)]
