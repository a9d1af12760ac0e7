"""Mappings where the global buffer or DRAM limits the layer."""

from __future__ import annotations

import pytest

from maerisim.analytic.bounds import bound
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem
from mapper import Choice, find_by_buffer, find_mapping
from mapper.memory import energy
from mapper.space import space_of

HARDWARE = Hardware.load("maeri-16").with_overrides(
    {"global_buffer.words": 500, "dram.bandwidth": 2, "dram.latency": 20}
)
CONV = Problem(K=16, C=8, R=3, S=3, P=12, Q=12, padding=(1, 1))


def test_the_mapping_for_dram_is_at_least_as_good_there_as_the_fastest_on_the_fabric() -> None:
    for_dram = find_mapping(CONV, HARDWARE).mapping
    for_fabric = find_mapping(CONV, Hardware.load("maeri-16")).mapping
    cycles = simulate(CONV, for_dram, HARDWARE).cycles
    assert bound(CONV, HARDWARE) <= cycles <= simulate(CONV, for_fabric, HARDWARE).cycles


def test_energy_includes_dram() -> None:
    frugal, fast = (find_mapping(CONV, HARDWARE, objective).mapping for objective in ("energy", "cycles"))
    spent = [energy(simulate(CONV, mapping, HARDWARE), HARDWARE) for mapping in (frugal, fast)]
    assert spent[0] <= spent[1]


def test_the_same_every_time() -> None:
    assert find_mapping(CONV, HARDWARE) == find_mapping(CONV, HARDWARE)


def test_the_reason_says_what_sets_the_pace() -> None:
    layer = Problem(K=64, C=64)
    reason = find_mapping(layer, HARDWARE).reason
    assert reason.startswith("DRAM sets the pace with 2.0 words a cycle; ")
    assert "best with DRAM of" in reason


def test_only_tiles_that_fit_the_buffer_are_in_the_space() -> None:
    small = HARDWARE.with_overrides({"global_buffer.words": 24})
    whole, left = (space_of(CONV, hardware).tiles.tolist() for hardware in (Hardware.load("maeri-16"), small))
    assert 0 < len(left) < len(whole)
    # Two input rows of a tile of 4 x 1 outputs with one tap: 2 x (1 + 4 + 4) words fit, 4 x 2 outputs do not.
    assert [1, 1, 1, 1, 1, 1, 4, 1] in left
    assert [1, 1, 1, 1, 1, 1, 4, 2] in whole
    assert [1, 1, 1, 1, 1, 1, 4, 2] not in left


def test_a_buffer_without_room_for_a_single_product_is_refused_with_the_numbers() -> None:
    tiny = HARDWARE.with_overrides({"global_buffer.words": 5})
    with pytest.raises(MappingError, match=r"weights 2 × 1, inputs 2 × 1, outputs 2 × 1\), 5 are there"):
        find_mapping(CONV, tiny)


def test_what_several_buffers_have_in_common_changes_no_choice() -> None:
    machines = [HARDWARE.with_overrides({"global_buffer.words": words}) for words in (4000, 500, 120, 24, 5)]
    together = list(find_by_buffer(CONV, machines, "cycles"))
    assert [str(each) for each in together] == [str(_alone(machine)) for machine in machines]
    assert isinstance(together[-1], MappingError)


def _alone(hardware: Hardware) -> Choice | MappingError:
    try:
        return find_mapping(CONV, hardware)
    except MappingError as error:
        return error
