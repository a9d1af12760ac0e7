"""DRAM and rooflines on the command line."""

from __future__ import annotations

import math

import pytest

from maerisim.hardware.hardware import Hardware
from maerisim.workload.network import Network

# The fully connected layer of the tiny network has 512 inputs and 64 outputs.
INPUTS, WEIGHTS, OUTPUTS = 512, 512 * 64, 64
LAYER = ("--layer", "linear")


@pytest.fixture
def slow(tmp_path):
    """Hardware whose DRAM moves a word in two cycles."""
    path = tmp_path / "slow.yaml"
    path.write_text("extends: maeri-16\nname: slow\nglobal_buffer: {words: 400}\ndram: {bandwidth: 0.5, latency: 20}\n")
    return path


def test_the_layer_is_what_these_tests_take_it_for():
    problem = Network.load("tiny").layer("linear").problem
    assert (problem.inputs, problem.weights, problem.outputs) == (INPUTS, WEIGHTS, OUTPUTS)


def test_without_limits_every_word_moves_once_and_nothing_waits(maerisim):
    (layer,) = maerisim("simulate", "maeri-16", "tiny", *LAYER, "--json").json["layers"]
    assert layer["dram"] == {
        "blocks": 1,
        "buffer_words": INPUTS + WEIGHTS + OUTPUTS,
        "read": {"inputs": INPUTS, "partial_sums": 0, "weights": WEIGHTS},
        "written": {"outputs": OUTPUTS, "partial_sums": 0},
        "energy": 54 * (INPUTS + WEIGHTS + OUTPUTS),
        "compute_cycles": layer["cycles"],
        "channel_cycles": 0,
        "waiting_cycles": 0,
    }
    assert "DRAM" not in maerisim("simulate", "maeri-16", "tiny", *LAYER).out


@pytest.mark.parametrize("engine", ["compiled", "event"])
def test_a_slow_channel_shows(maerisim, slow, engine):
    (layer,) = maerisim("simulate", slow, "tiny", *LAYER, "--engine", engine, "--json").json["layers"]
    dram = layer["dram"]
    moved = sum(dram["read"].values()) + sum(dram["written"].values())
    assert moved >= INPUTS + WEIGHTS + OUTPUTS
    assert dram["buffer_words"] <= 400
    assert layer["cycles"] >= 2 * moved
    assert layer["cycles"] == dram["compute_cycles"] + dram["waiting_cycles"]
    assert layer["limited_by"] == "dram"
    assert layer["bound_cycles"] == 2 * (INPUTS + WEIGHTS + OUTPUTS)
    assert abs(layer["error"]) < 0.02
    assert "waits for DRAM" in maerisim("simulate", slow, "tiny", *LAYER).out


def test_blocks_compute_the_right_values(maerisim, slow):
    finished = maerisim("simulate", slow, "tiny", "--check-values", "--json")
    assert finished.code == 0, finished.err
    layers = finished.json["layers"]
    assert all(layer["values_checked"] for layer in layers)
    assert sum(layer["dram"]["blocks"] > 1 for layer in layers) > 3


def test_a_mapping_that_does_not_fit_the_buffer_is_refused_with_the_numbers(maerisim, tmp_path):
    mappings = tmp_path / "mappings.yaml"
    maerisim("map", "maeri-16", "tiny", *LAYER, "-o", mappings)
    small = tmp_path / "small.yaml"
    small.write_text("extends: maeri-16\nname: small\nglobal_buffer: {words: 10}\n")
    finished = maerisim("simulate", small, "tiny", *LAYER, "--mapping", mappings)
    assert finished.code == 2
    assert "a block of one tile takes" in finished.err
    assert "10 are there" in finished.err


def test_a_sparse_layer_beyond_the_buffer_is_listed_and_the_others_run(maerisim, tmp_path):
    network = tmp_path / "net.yaml"
    network.write_text(
        "name: net\nlayers:\n"
        "  - {name: sparse, op: linear, inputs: 64, outputs: 64, sparsity: {density: 0.5}}\n"
        "  - {name: dense, op: linear, inputs: 64, outputs: 64}\n"
    )
    small = tmp_path / "small.yaml"
    small.write_text("extends: maeri-16\nname: small\nglobal_buffer: {words: 300}\n")
    found = maerisim("simulate", small, network, "--json").json
    assert [layer["name"] for layer in found["layers"]] == ["dense"]
    (refused,) = found["unsupported"]
    assert "300 are there, and a layer is not cut into blocks because of sparse weights" in refused["reason"]


def test_rooflines_follow_from_words_and_bandwidths(maerisim, slow):
    finished = maerisim("roofline", slow, "tiny", "--json")
    report = finished.json
    assert (report["peak"], report["channel"], report["bandwidth"]) == (16, "dram", 0.5)
    (layer,) = [each for each in report["layers"] if each["name"] == "linear"]
    macs = 512 * 64
    assert layer["operations"] == macs
    assert layer["compulsory_intensity"] == pytest.approx(macs / (INPUTS + WEIGHTS + OUTPUTS))
    assert layer["roofs"]["compute"] == 16
    assert layer["roofs"]["dram"] == pytest.approx(0.5 * layer["compulsory_intensity"])
    assert layer["roofs"]["distribution"] == pytest.approx(4 * macs / (INPUTS + WEIGHTS))
    assert layer["roofs"]["collection"] == pytest.approx(macs / math.ceil(OUTPUTS / 4))
    assert (layer["roof"], layer["bound_by"]) == (layer["roofs"]["dram"], "dram")
    for each in report["layers"]:
        assert each["attained"] == pytest.approx(each["operations"] / each["cycles"])
        assert each["share_of_roof"] == pytest.approx(each["attained"] / min(each["roofs"].values()))
        assert each["share_of_roof"] <= 1
        assert each["attained"] <= 0.5 * each["intensity"] + 1e-9
        assert each["intensity"] <= each["compulsory_intensity"]


def test_without_dram_the_slope_is_that_of_the_distribution_network(maerisim):
    report = maerisim("roofline", "maeri-16", "tiny", *LAYER, "--json").json
    assert (report["channel"], report["bandwidth"]) == ("distribution", 4)
    (layer,) = report["layers"]
    assert "dram" not in layer["roofs"]
    assert layer["compulsory_words"] == INPUTS + WEIGHTS
    assert "there is no DRAM roof" in maerisim("roofline", "maeri-16", "tiny", *LAYER).out


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_roofline_plots(maerisim, tmp_path, slow, ending, magic):
    plot = tmp_path / f"plot.{ending}"
    assert maerisim("roofline", slow, "tiny", "--plot", plot).code == 0
    assert plot.read_bytes().startswith(magic)


def test_a_roofline_plot_shows_every_layer_under_its_roof(maerisim, slow):
    from maerisim.reports.roofline_plot import distinct, draw
    from maerisim.study import api

    report = api.roofline(slow, "tiny")
    panel = draw(report).axes[0]
    roof = panel.lines[0]
    assert list(roof.get_ydata()[1:]) == [16, 16]
    assert roof.get_xdata()[1] == 16 / 0.5
    assert roof.get_ydata()[0] == pytest.approx(0.5 * roof.get_xdata()[0])
    drawn = {(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.lines if len(line.get_xdata()) == 1}
    assert {(each.intensity, each.attained) for each in report.layers} <= drawn
    assert sum(1 + point.others for point in distinct(report.layers)) == len(report.layers)


def test_a_plot_with_another_ending_is_refused_before_anything_runs(maerisim, tmp_path):
    finished = maerisim("roofline", "maeri-16", "tiny", "--plot", tmp_path / "plot.txt")
    assert finished.code == 2
    assert "expected a name that ends with" in finished.err


def test_sweeps_vary_the_bandwidth_of_dram(maerisim, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dram.yaml").write_text(
        "name: dram\nhardware: maeri-16\nnetworks: [tiny]\nlayers: {tiny: [linear, pointwise]}\n"
        "grid:\n  global_buffer.words: [500]\n  dram.bandwidth: [0.25, 1, null]\n"
    )
    finished = maerisim("sweep", "dram.yaml", "--jobs", 1, "--export", "json")
    assert finished.code == 0, finished.err
    rows = [row for row in finished.json["rows"] if row["layer"] == "linear"]
    slow, fast, unlimited = (row["cycles"] for row in rows)
    assert slow >= 4 * (INPUTS + WEIGHTS + OUTPUTS)
    assert slow > fast > unlimited
    assert [row["dram.bandwidth"] for row in rows] == [0.25, 1, None]


def test_the_shipped_hardware_with_dram_is_documented_as_it_is():
    hardware = Hardware.load("maeri-256-dram")
    # 108 KiB of 16-bit words.
    assert hardware.global_buffer.words == 108 * 1024 // 2
    assert hardware.limits_memory


def test_a_report_says_what_moves_and_what_dram_would_relieve(maerisim, slow):
    finished = maerisim("report", slow, "tiny", *LAYER)
    assert finished.code == 0, finished.err
    assert "DRAM bandwidth" in finished.out
    (layer,) = maerisim("report", slow, "tiny", *LAYER, "--json").json["layers"]
    of_dram = {event["event"]: event["count"] for event in layer["events"] if event["component"] == "dram"}
    moved = {f"{what} read": words for what, words in layer["dram"]["read"].items()}
    assert of_dram == moved | {f"{what} written": words for what, words in layer["dram"]["written"].items()}
    assert layer["compulsory_dram_energy"] == pytest.approx(54 * (INPUTS + WEIGHTS + OUTPUTS))
    assert layer["busiest"] == "dram"
    assert layer["bounds"]["dram"] == 2 * (INPUTS + WEIGHTS + OUTPUTS)
    (faster,) = [relief for relief in layer["relief"] if relief["resource"] == "DRAM bandwidth"]
    assert faster["change"] == "0.5 to 1"
    assert faster["saved_cycles"] > 0.4 * layer["cycles"]


def test_programs_are_those_of_the_blocks(maerisim, slow):
    out = maerisim("simulate", slow, "tiny", *LAYER, "--print-program").out
    (layer,) = maerisim("simulate", slow, "tiny", *LAYER, "--json").json["layers"]
    headings = [line for line in out.splitlines() if line.startswith("# linear")]
    assert any(f"{blocks:,} blocks of" in headings[0] for blocks in range(2, layer["dram"]["blocks"] + 1))
