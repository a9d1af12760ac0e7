"""A clock turns cycles into seconds, a unit of energy with it into watts; without them nothing changes."""

from __future__ import annotations

import math

import pytest

from maerisim.hardware.clock import hertz
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.notation import energy_words, measured
from maerisim.sweeps.plan import described_hardware

FAST = "extends: maeri-16\nname: fast\nclock: 250 MHz\n"
IN_JOULES = FAST + "energy: {unit: pJ, multiply: 2, dram_access: 100}\n"
OPTIONS = ("tiny", "--layer", "pointwise", "--layer", "linear", "--layer", "gru")


@pytest.fixture
def documents(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fast.yaml").write_text(FAST)
    (tmp_path / "joules.yaml").write_text(IN_JOULES)
    return tmp_path


@pytest.mark.parametrize("command", ["simulate", "validate", "map", "report"])
def test_times_follow_from_cycles(maerisim, documents, command):
    options = OPTIONS[:3] if command == "report" else OPTIONS
    found = maerisim(command, "joules.yaml", *options, "--json").json
    cycles = seconds = energy = dram = words = 0
    for layer in found["layers"]:
        taken = layer["cycles"] or layer["estimated_cycles"]
        assert layer["seconds"] == pytest.approx(taken / 250e6)
        assert layer["watts"] == pytest.approx(layer["energy"] * 1e-12 / layer["seconds"])
        cycles += layer["count"] * taken
        seconds += layer["count"] * layer["seconds"]
        energy += layer["count"] * layer["energy"]
        dram += layer["count"] * layer["dram"]["energy"]
        words += layer["count"] * sum(count for moved in ("read", "written") for count in layer["dram"][moved].values())
    assert found["clock_hertz"] == 250e6
    assert found["total_seconds"] == pytest.approx(cycles / 250e6)
    assert found["total_seconds"] == pytest.approx(seconds)
    assert found["inferences_per_second"] == pytest.approx(250e6 / cycles)
    assert found["dram_words_per_second"] == pytest.approx(words * 250e6 / cycles)
    assert found["watts"] == pytest.approx(energy * 1e-12 / seconds)
    assert found["dram_watts"] == pytest.approx(dram * 1e-12 / seconds)


def test_a_clock_alone_has_no_watts(maerisim, documents):
    found = maerisim("simulate", "fast.yaml", *OPTIONS, "--json").json
    assert found["total_seconds"] > 0
    assert found["watts"] is None
    assert found["dram_watts"] is None
    assert all(layer["watts"] is None for layer in found["layers"])
    assert " W" not in maerisim("simulate", "fast.yaml", *OPTIONS).out


def test_without_a_clock_nothing_is_said_of_time(maerisim, documents):
    found = maerisim("simulate", "maeri-16", *OPTIONS, "--json").json
    assert not {"clock_hertz", "total_seconds", "inferences_per_second", "watts"} & set(found)
    assert not {"seconds", "watts"} & set(found["layers"][0])
    assert "time" not in maerisim("simulate", "maeri-16", *OPTIONS).out


@pytest.mark.parametrize("command", ["simulate", "validate", "map"])
def test_tables_show_times_and_what_follows(maerisim, documents, command):
    found = maerisim(command, "joules.yaml", *OPTIONS, "--json").json
    printed = maerisim(command, "joules.yaml", *OPTIONS).out
    heading = next(line for line in printed.splitlines() if "layer" in line)
    assert " time " in heading
    for layer in found["layers"]:
        line = next(line for line in printed.splitlines() if line.startswith(f" {layer['name']} "))
        assert measured(layer["seconds"], "s") in line
    note = next(line for line in printed.splitlines() if line.startswith("All layers in turn"))
    for expected in (
        f"{measured(found['total_seconds'], 's')} at 250 MHz",
        " inferences a second",
        f"{measured(found['watts'], 'W')}, and {measured(found['dram_watts'], 'W')} in DRAM",
    ):
        assert expected in note


def test_the_report_of_a_layer_says_it_too(maerisim, documents):
    printed = maerisim("report", "joules.yaml", "tiny", "--layer", "linear").out
    assert "at 250 MHz; " in next(line for line in printed.splitlines() if line.strip().startswith("time"))
    energy = next(line for line in printed.splitlines() if line.strip().startswith("energy"))
    assert "J, DRAM apart" in energy
    assert "normalised" not in energy


def test_a_clock_changes_no_result(maerisim, documents):
    with_clock = maerisim("simulate", "fast.yaml", *OPTIONS, "--json").json
    without = maerisim("simulate", "maeri-16", *OPTIONS, "--json").json
    for one, other in zip(with_clock["layers"], without["layers"], strict=True):
        assert {key: one[key] for key in other} == other
    fast = Hardware.load("maeri-16").with_overrides({"clock": "2 GHz"})
    assert described_hardware(fast) == described_hardware(Hardware.load("maeri-16"))


@pytest.mark.parametrize(
    ("written", "found"),
    [("200 MHz", 2e8), ("1GHz", 1e9), ("1.5 ghz", 1.5e9), ("32 kHz", 32e3), ("5 Hz", 5.0), ("1000 GHz", 1e12)],
)
def test_frequencies(written, found):
    assert hertz(written) == found


@pytest.mark.parametrize(("written", "shown"), [("1 mHz", "1 MHz"), ("1.5ghz", "1.5 GHz"), (" 32  khz ", "32 kHz")])
def test_a_frequency_is_shown_with_the_unit_that_it_is_taken_for(written, shown):
    assert Hardware.load("maeri-16").with_overrides({"clock": written}).clock == shown


@pytest.mark.parametrize(
    "written", ["200", "'200 mhZz'", "0 MHz", "2000 GHz", "-1 MHz", "1e3 MHz", "[1]", "fast", "''"]
)
def test_what_is_no_frequency_is_explained(maerisim, documents, written):
    (documents / "bad.yaml").write_text(f"extends: maeri-16\nname: bad\nclock: {written}\n")
    finished = maerisim("simulate", "bad.yaml", "tiny")
    assert finished.code == 2
    assert finished.err.startswith("error: bad.yaml:3: clock: expected a frequency")


def test_an_energy_with_a_unit_of_its_own_is_told_where_it_belongs(maerisim, documents):
    (documents / "pico.yaml").write_text("extends: maeri-16\nname: pico\nenergy: {multiply: 0.8 pJ}\n")
    finished = maerisim("show", "pico.yaml")
    assert finished.code == 2
    assert finished.err.startswith(
        "error: pico.yaml:3: energy.multiply: expected a number; all have one unit, 'unit: pJ'"
    )


def test_units():
    pico, ratios = Hardware.load("maeri-45nm").energy, Hardware.load("maeri").energy
    assert (energy_words(1234.0, pico), energy_words(1234.0, ratios)) == ("1.23 nJ", "1.23 k")
    found = [measured(value, "s") for value in (0, 1.5e-12, 999.6e-9, 1e-3, 0.0999, 1, 12345)]
    assert found == ["0 s", "1.50 ps", "1.00 us", "1.00 ms", "99.9 ms", "1.00 s", "12.3 ks"]
    assert math.isclose(pico.joules or 0, 1e-12)
    assert ratios.joules is None


def test_the_published_energies_are_scaled_as_the_file_says():
    """Horowitz (ISSCC 2014), 45 nm: integers of 8 and 32 bits, accesses of 64 bits; words here have 16."""
    energy = Hardware.load("maeri-45nm").energy
    assert energy.multiply == pytest.approx(0.2 * (16 / 8) ** 2)
    assert energy.multiply == pytest.approx(3.1 * (16 / 32) ** 2, rel=0.05)
    assert energy.add == pytest.approx(0.1 * 16 / 32)
    assert energy.register_access == pytest.approx(2 * 0.03)
    assert energy.accumulation_buffer_access == pytest.approx(10 * 16 / 64)
    assert energy.global_buffer_access == pytest.approx(100 * 16 / 64)
    assert energy.dram_access == pytest.approx(1300 * 16 / 64)


def test_comparisons_and_rooflines_have_times(maerisim, documents):
    for command in ("compare-mappings", "roofline"):
        (layer,) = maerisim(command, "joules.yaml", "tiny", "--layer", "avg_pool", "--json").json["layers"]
        entries = [entry for entry in layer.get("mappings", [layer]) if "reason" not in entry]
        assert entries
        for entry in entries:
            assert entry["seconds"] == pytest.approx(entry["cycles"] / 250e6)
            assert entry["watts"] > 0
        (layer,) = maerisim(command, "maeri-16", "tiny", "--layer", "avg_pool", "--json").json["layers"]
        assert all("seconds" not in entry for entry in layer.get("mappings", [layer]))


def test_sweeps_have_the_times_of_each_clock(maerisim, documents):
    (documents / "net.yaml").write_text("name: n\nlayers: [{name: a, op: linear, inputs: 16, outputs: 4}]\n")
    grid = "grid: {clock: [100 MHz, 200 MHz]}\n"
    (documents / "sweep.yaml").write_text(f"name: s\nhardware: joules.yaml\nnetworks: [net.yaml]\n{grid}")
    slow, fast = maerisim("sweep", "sweep.yaml", "--jobs", "1", "--export", "json").json["rows"]
    assert slow["cycles"] == fast["cycles"]
    assert slow["seconds"] == pytest.approx(slow["cycles"] / 100e6)
    assert fast["seconds"] == pytest.approx(slow["seconds"] / 2)
    assert fast["watts"] == pytest.approx(2 * slow["watts"])


def test_what_explains_a_mapping_has_the_energies_of_its_layer(maerisim, documents):
    asked = ("map", "joules.yaml", *OPTIONS[:3])
    out = maerisim(*asked, "--explain").out
    (layer,) = maerisim(*asked, "--json").json["layers"]
    written = measured(layer["energy"] * 1e-12, "J")
    assert written in next(line for line in out.splitlines() if line.startswith(" chosen "))
