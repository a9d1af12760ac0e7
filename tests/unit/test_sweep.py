"""Sweep documents: the points that a grid makes, and what is said of those that are no hardware."""

from __future__ import annotations

from pathlib import Path

import pytest

from maerisim.documents import shipped
from maerisim.errors import DocumentError
from maerisim.sweeps.document import Experiment

NETWORK = """\
name: net
layers:
  - {name: conv, op: conv2d, input: [4, 8, 8], filters: 8, kernel: 3}
  - {name: fc, op: linear, inputs: 64, outputs: 16}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.yaml").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(grid: str, extra: str = "") -> Experiment:
    Path("s.yaml").write_text(f"name: s\nhardware: maeri-64\nnetworks: [net.yaml]\ngrid:\n{grid}\n{extra}\n")
    return Experiment.load("s.yaml")


def problems(grid: str, extra: str = "") -> list[str]:
    with pytest.raises(DocumentError) as caught:
        sweep(grid, extra)
    return caught.value.problems


# --- points -----------------------------------------------------------------------------------------------------------


def test_points_are_all_combinations_with_the_last_key_turning_fastest(folder: Path) -> None:
    points = sweep("  multipliers: [16, 32]\n  reduction.topology: [art, linear]").points
    assert [str(point) for point in points] == [
        "multipliers 16, reduction.topology art",
        "multipliers 16, reduction.topology linear",
        "multipliers 32, reduction.topology art",
        "multipliers 32, reduction.topology linear",
    ]
    assert [(point.hardware.multipliers, point.hardware.reduction.topology) for point in points] == [
        (16, "art"),
        (16, "linear"),
        (32, "art"),
        (32, "linear"),
    ]


def test_shares_are_of_the_multipliers_of_each_point(folder: Path) -> None:
    points = sweep("  multipliers: [16, 32]\n  distribution.bandwidth: [1/8, 1/2]\n  accumulation.words: [4/1]").points
    assert [(point.hardware.ports, point.hardware.accumulation_words) for point in points] == [
        (2, 64),
        (8, 64),
        (4, 128),
        (16, 128),
    ]
    assert [point.values["distribution.bandwidth"] for point in points] == [2, 8, 4, 16]


def test_shares_without_multipliers_in_the_grid_are_of_those_of_the_hardware(folder: Path) -> None:
    (point,) = sweep("  distribution.bandwidth: [1/8]").points
    assert point.hardware.ports == 8


def test_parameters_separated_by_a_comma_share_their_values(folder: Path) -> None:
    points = sweep("  distribution.bandwidth, collection.bandwidth: [4, 1/2]").points
    assert [(point.hardware.ports, point.hardware.buses) for point in points] == [(4, 4), (32, 32)]
    assert points[0].values == {"distribution.bandwidth": 4, "collection.bandwidth": 4}


def test_null_is_what_follows_from_the_multipliers_and_equal_points_are_one(folder: Path) -> None:
    points = sweep("  distribution.bandwidth: [null, 16, 1/4, 8]").points
    assert [point.values["distribution.bandwidth"] for point in points] == [16, 8]


def test_files_are_relative_to_the_sweep(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "hw.yaml").write_text("extends: maeri-16\nname: mine\nreduction: {latency: 2}\n")
    (folder / "sub" / "net.yaml").write_text(NETWORK.replace("name: net", "name: other"))
    (folder / "sub" / "s.yaml").write_text(
        "name: s\nhardware: hw.yaml\nnetworks: [net.yaml, tiny]\ngrid: {reduction.fifo_depth: [2]}\n"
    )
    experiment = Experiment.load("sub/s.yaml")
    assert [network.name for network, _ in experiment.networks] == ["other", "tiny"]
    assert experiment.points[0].hardware.reduction.latency == 2


@pytest.mark.parametrize("name", shipped("sweep"))
def test_shipped_sweeps_load(name: str) -> None:
    assert Experiment.load(name).sweep.name == name


def test_three_sweeps_are_shipped() -> None:
    assert shipped("sweep") == ["bandwidth", "buffers", "topologies"]


# --- points that are no hardware --------------------------------------------------------------------------------------

TOO_WIDE = "32 words a cycle for 16 multipliers: at most one per multiplier (use 16 or less)"


def test_invalid_points_are_named_at_the_line_of_the_value(folder: Path) -> None:
    assert problems("  multipliers: [16, 32]\n  distribution.bandwidth: [4, 32]\n  reduction.latency: [1, 2]") == [
        f"s.yaml:6: grid.distribution.bandwidth[1]: {TOO_WIDE} "
        + "(2 points at multipliers 16, distribution.bandwidth 32; skip_invalid: true leaves them out)"
    ]


def test_skip_invalid_leaves_invalid_points_out(folder: Path) -> None:
    experiment = sweep("  multipliers: [16, 32]\n  distribution.bandwidth: [4, 32]", "skip_invalid: true")
    assert [(point.hardware.multipliers, point.hardware.ports) for point in experiment.points] == [
        (16, 4),
        (32, 4),
        (32, 32),
    ]
    assert [str(combination) for combination in experiment.skipped] == ["multipliers 16, distribution.bandwidth 32"]


def test_skip_invalid_does_not_hide_values_that_are_valid_nowhere(folder: Path) -> None:
    found = problems(
        "  multipliers: [16, 32]\n  distribution.bandwidth: [4, 32]\n  reduction.topology: [art, art_]",
        "skip_invalid: true",
    )
    assert len(found) == 1 + 1  # the wrong name, and the bandwidth where it stands beside that
    assert found[1].startswith("s.yaml:7: grid.reduction.topology[1]: expected 'art', 'plain_tree', 'linear' or 'fan'")
    assert "(4 points at reduction.topology art_)" in found[1]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            "  distribution.bandwith: [4]",
            "s.yaml:5: grid.distribution.bandwith[0]: unknown key (did you mean 'bandwidth'?)",
        ),
        ("  multipliers: [17]", "s.yaml:5: grid.multipliers[0]: expected a power of two from 2 to 4096, found 17"),
        ("  multipliers:\n  - 16\n  - many", "s.yaml:7: grid.multipliers[1]: expected an integer, found 'many'"),
        ("  multipliers: [1/2]", "s.yaml:5: grid.multipliers[0]: expected an integer, found '1/2'"),
        (
            "  distribution.bandwidth: [1/3]",
            "s.yaml:5: grid.distribution.bandwidth[0]: 1/3 of 64 multipliers is not a whole number",
        ),
        ("  multipliers.x: [1]", "s.yaml:5: grid.multipliers.x[0]: 'multipliers' is a single value, it has no keys"),
        ("  multipliers: 16", "s.yaml:5: grid.multipliers: expected a list, found 16"),
        ("  multipliers: []", "s.yaml:5: grid.multipliers: expected at least 1 entries, found 0"),
        (
            "  distribution: [{bandwidth: 4}]",
            "s.yaml:5: grid.distribution[0]: expected a number, a text, true, false or null, found keys and values",
        ),
        (
            "  collection.bandwidth: [4]\n  distribution.bandwidth, collection.bandwidth: [4]",
            "s.yaml:6: grid.distribution.bandwidth, collection.bandwidth: collection.bandwidth is already varied by",
        ),
    ],
)
def test_values_that_cannot_be_used(folder: Path, grid: str, message: str) -> None:
    (found,) = problems(grid)
    assert found.startswith(message)


def test_more_points_than_anybody_means(folder: Path) -> None:
    values = ", ".join(map(str, range(1, 400)))
    (found,) = problems(f"  reduction.latency: [{values}]\n  collection.latency: [{values}]")
    assert found == "s.yaml:4: grid: 159,201 points, expected at most 100,000"


# --- what a sweep names -----------------------------------------------------------------------------------------------


def test_all_problems_of_what_it_names_at_once(folder: Path) -> None:
    Path("s.yaml").write_text(
        "name: s\n"
        "hardware: maeri-46\n"
        "networks: [net.yaml, alexnt]\n"
        "layers:\n"
        "  net.yaml: [fc, cnv]\n"
        "grid: {multipliers: [16]}\n"
    )
    with pytest.raises(DocumentError) as caught:
        Experiment.load("s.yaml")
    hardware, network, layer = caught.value.problems
    assert hardware.startswith("s.yaml:2: hardware: maeri-46: no such file or shipped hardware")
    assert network.startswith(
        "s.yaml:3: networks[1]: alexnt: no such file or shipped network (did you mean 'alexnet'?)"
    )
    assert layer.startswith("s.yaml:5: layers.net.yaml[1]: net: no layer 'cnv' (did you mean 'conv'?)")


def test_problems_of_a_network_are_reported_where_they_stand(folder: Path) -> None:
    Path("net.yaml").write_text("name: net\nlayers: [{name: a, op: linear, inputs: 0, outputs: 1}]\n")
    assert problems("  multipliers: [16]") == ["net.yaml:2: layers[0].inputs: expected at least 1, found 0"]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("name: s", "name: a/b", "s.yaml:1: name: expected letters, digits and . _ + - only"),
        (
            "[net.yaml]",
            "[net.yaml, tiny, tiny]",
            "s.yaml:3: networks[2]: tiny: its name 'tiny' is that of another network",
        ),
        (
            "[net.yaml]",
            "[net.yaml, ./net.yaml]",
            "s.yaml:3: networks[1]: ./net.yaml: its name 'net' is that of another",
        ),
        (
            "grid:",
            "layers: {nets.yaml: [fc]}\ngrid:",
            "s.yaml:4: layers.nets.yaml: is not one of the networks (did you mean",
        ),
        ("hardware: maeri-64\n", "", "s.yaml:1: hardware: this key is required but missing"),
        (
            "grid:",
            "objective: speed\ngrid:",
            "s.yaml:4: objective: expected 'cycles', 'energy', 'edp' or 'energy_efficiency', found 'speed'",
        ),
    ],
)
def test_documents_that_cannot_be_used(folder: Path, good: str, bad: str, message: str) -> None:
    text = "name: s\nhardware: maeri-64\nnetworks: [net.yaml]\ngrid:\n  multipliers: [16]\n"
    assert good in text
    Path("s.yaml").write_text(text.replace(good, bad))
    with pytest.raises(DocumentError) as caught:
        Experiment.load("s.yaml")
    (found,) = caught.value.problems
    assert found.startswith(message)
