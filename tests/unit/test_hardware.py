"""The hardware document: defaults, what follows from them, and combinations that cannot be."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware

TOO_SHORT = "a queue of 4 inputs cannot hold the 8 inputs of input_registers (make input_fifo_depth 8 or more)"


AS_THEY_ARRIVE = "distribution.partial_sums_as_they_arrive"


@pytest.mark.parametrize("multipliers", [2, 4, 8, 64, 4096])
def test_bandwidths_default_to_a_quarter_of_the_multipliers(multipliers: int) -> None:
    hardware = Hardware(name="x", multipliers=multipliers)
    assert hardware.ports == hardware.buses == max(1, multipliers // 4)
    assert hardware.leaves_per_port * hardware.ports == multipliers
    assert hardware.accumulation_words == 64 * multipliers


def test_given_numbers_win_over_defaults() -> None:
    hardware = Hardware.load("maeri-64").with_overrides(
        {"distribution.bandwidth": 64, "collection.bandwidth": 1, "accumulation.words": 0}
    )
    assert (hardware.ports, hardware.leaves_per_port, hardware.buses, hardware.accumulation_words) == (64, 1, 1, 0)


def test_the_base_file_writes_out_the_defaults_of_the_schema() -> None:
    written = Hardware.load("maeri")
    assert written == Hardware(name="maeri", description=written.description, multipliers=64)
    # Every key of the schema is written there, so that the file is the reference of what can be set.
    for section, model in ((name, value) for name, value in written if hasattr(value, "model_fields_set")):
        assert model.model_fields_set == set(type(model).model_fields), section


def test_hardware_is_immutable_and_hashable() -> None:
    hardware = Hardware.load("maeri-16")
    with pytest.raises(ValidationError):
        hardware.multipliers = 32  # type: ignore[misc]
    assert hash(hardware) == hash(Hardware.load("maeri-16"))
    assert len({hardware, Hardware.load("maeri-16"), Hardware.load("maeri-32")}) == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"multipliers": 48}, "multipliers: expected a power of two from 2 to 4096, found 48"),
        ({"multiplier.kind": "role"}, "multiplier.kind: role needs controller.kind: lock_step"),
        ({"reduction.fifo_kind": "normal"}, "reduction.fifo_kind: normal needs controller.kind: lock_step"),
        (
            {"controller.kind": "lock_step", "distribution.latency": 2},
            "controller.kind: lock_step needs multiplier.kind: role",
        ),
        (
            {"controller.kind": "lock_step", "multiplier.kind": "role"},
            "controller.kind: lock_step needs distribution.latency: 2",
        ),
        ({"multipliers": 1}, "multipliers: expected a power of two from 2 to 4096, found 1"),
        ({"multipliers": 8192}, "multipliers: expected a power of two from 2 to 4096, found 8192"),
        ({"multipliers": "64"}, "multipliers: expected an integer, found '64'"),
        ({"multipliers": True}, "multipliers: expected an integer, found true"),
        (
            {"distribution.bandwidth": 128},
            "distribution.bandwidth: 128 words a cycle for 64 multipliers: at most one per multiplier (use 64 or less)",
        ),
        (
            {"collection.bandwidth": 128},
            "collection.bandwidth: 128 results a cycle for 64 multipliers: at most one per multiplier (use 64 or less)",
        ),
        ({"distribution.bandwidth": 12}, "distribution.bandwidth: expected a power of two, found 12"),
        ({"collection.bandwidth": 0}, "collection.bandwidth: expected a power of two, found 0"),
        (
            {"multiplier.input_registers": 8},
            f"multiplier.input_fifo_depth: {TOO_SHORT}",
        ),
        ({"reduction.lateral_latency": -1}, "reduction.lateral_latency: expected at least 0, found -1"),
        (
            {"distribution.partial_sums_as_they_arrive": True, "distribution.partial_sums_first": True},
            f"{AS_THEY_ARRIVE}: needs multiplier.wait_for_all_weights: true, so that what comes back is what is needed next",
        ),
        ({"reduction.exit": "last_level"}, "reduction.exit: last_level needs reduction.topology: fan, found art"),
        (
            {"reduction.topology": "fan", "collection.wiring": "pairs"},
            "collection.wiring: pairs are lateral neighbours in a tree; fan has none",
        ),
        ({"distribution.bandwith": 8}, "distribution.bandwith: unknown key (did you mean 'bandwidth'?)"),
        ({"name.first": "a"}, "name.first: 'name' is a single value, it has no keys"),
    ],
)
def test_impossible_overrides(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Hardware.load("maeri-64").with_overrides(overrides, origin="--set")
    assert caught.value.problems == [f"--set: {message}"]


def test_input_registers_alone_are_blamed_when_the_queue_has_its_default() -> None:
    with pytest.raises(DocumentError, match=r"^override: multiplier\.input_registers: a queue of 4 inputs"):
        Hardware(name="x", multipliers=8).with_overrides({"multiplier.input_registers": 8})


def test_all_impossible_overrides_at_once() -> None:
    with pytest.raises(DocumentError) as caught:
        Hardware.load("maeri-64").with_overrides({"multipliers": 48, "collection.bandwidth": 3, "energy.add": "x"})
    assert len(caught.value.problems) == 3


def test_overrides_leave_the_original_and_defaults_follow() -> None:
    hardware = Hardware.load("maeri-64")
    assert hardware.with_overrides({"multipliers": 128}).ports == 32
    assert hardware.with_overrides({"reduction.lateral_latency": 0}).reduction.lateral_latency == 0
    assert hardware.multipliers == 64


def test_construction_in_python_is_validated_too() -> None:
    with pytest.raises(DocumentError, match="Hardware: multipliers: expected a power of two"):
        Hardware(name="x", multipliers=3)


def test_documents_do_not_import_numpy() -> None:
    code = "import sys, maerisim.mapping.mapping, maerisim.cli.schemas; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
