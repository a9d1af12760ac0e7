"""Sweeps: every point is stored once, and the results are those of the other commands."""

from __future__ import annotations

import pytest

from maerisim.sweeps import plan
from maerisim.sweeps.document import Experiment
from tests.cli.sweep.documents import NETWORK, SMALL, rows


def test_results_are_those_of_simulate(maerisim, folder):
    """Of every point, from hardware files that are written out: cycles, counters, energy, mappings and totals."""
    exported = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "json")
    assert exported.code == 0, exported.err
    found = exported.json["rows"]
    assert len(found) == 2 * 2 * 2
    for multipliers in (8, 16):
        for topology in ("art", "linear"):
            (folder / "hw.yaml").write_text(
                f"extends: maeri-16\nname: hw\nmultipliers: {multipliers}\nreduction: {{topology: {topology}}}\n"
            )
            simulated = maerisim("simulate", "hw.yaml", "net.yaml", "--json").json
            for layer in simulated["layers"]:
                (row,) = (
                    row
                    for row in found
                    if (row["multipliers"], row["reduction.topology"], row["layer"])
                    == (multipliers, topology, layer["name"])
                )
                for key in ("op", "count", "cycles", "estimated_cycles", "error", "macs", "utilization", "energy"):
                    assert row[key] == layer[key]
                for key in ("counters", "mapping", "problem", "scaled", "bound_cycles", "limited_by"):
                    assert row[key] == layer[key]
                assert row["status"] == "done"
                assert 0 < row["first_result"] <= row["cycles"]
            table = maerisim("sweep", "small.yaml", "--no-run").out
            assert f"{simulated['total_cycles']:,}" in table


def test_the_table_marks_the_point_with_the_fewest_cycles(maerisim, folder):
    finished = maerisim("sweep", "small.yaml", "--jobs", 1)
    assert finished.code == 0
    found = maerisim("sweep", "small.yaml", "--export", "json").json["rows"]
    totals = {}
    for row in found:
        point = (row["multipliers"], row["reduction.topology"])
        totals[point] = totals.get(point, 0) + row["cycles"] * row["count"]
    best = min(totals, key=totals.get)
    (marked,) = (line for line in finished.out.splitlines() if line.endswith("best"))
    assert f"{totals[best]:,}" in marked.split()
    assert f"Fewest cycles for net: multipliers {best[0]}, reduction.topology {best[1]}." in finished.out
    assert "8 of 8 distinct results in small.sqlite" in finished.out


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_other_objectives_have_results_and_a_best_point_of_their_own(maerisim, folder, objective):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    (folder / "small.yaml").write_text(f"{SMALL}objective: {objective}\n")
    found = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "json").json["rows"]
    assert len(rows("small.sqlite")) == 2 * len(found)
    energy, cycles = {}, {}
    for row in found:
        point = f"multipliers {row['multipliers']}, reduction.topology {row['reduction.topology']}"
        energy[point] = energy.get(point, 0) + row["energy"] * row["count"]
        cycles[point] = cycles.get(point, 0) + row["cycles"] * row["count"]
    least = min(energy, key=lambda point: energy[point] * (cycles[point] if objective == "edp" else 1))
    assert f"for net: {least}." in maerisim("sweep", "small.yaml").out


def test_equal_layers_run_once_across_points_networks_and_sweeps(maerisim, folder):
    (folder / "other.yaml").write_text(NETWORK.replace("name: net", "name: other").replace("name: fc", "name: again"))
    (folder / "small.yaml").write_text(SMALL.replace("[net.yaml]", "[net.yaml, other.yaml]"))
    assert maerisim("sweep", "small.yaml", "--jobs", 1).code == 0
    before = rows("small.sqlite")
    assert len(before) == 2 * 4
    (folder / "copy.yaml").write_text("extends: maeri-16\nname: copy\ndistribution: {bandwidth: 2}\n")
    (folder / "third.yaml").write_text(
        "name: third\nhardware: copy.yaml\nnetworks: [net.yaml]\ngrid: {multipliers: [8], collection.bandwidth: [2, 4]}\n"
    )
    finished = maerisim("sweep", "third.yaml", "--jobs", 1, "--database", "small.sqlite")
    assert finished.code == 0, finished.err
    after = rows("small.sqlite")
    assert set(before) < set(after)
    assert len(after) - len(before) == 2  # a quarter of 8 multipliers is 2: only 4 collection buses are new


def test_what_is_stored_does_not_run_again(maerisim, folder):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    before = rows("small.sqlite")
    (folder / "small.yaml").write_text(SMALL.replace("[8, 16]", "[8, 16, 32]"))
    maerisim("sweep", "small.yaml", "--jobs", 1)
    after = rows("small.sqlite")
    assert set(before) < set(after)
    assert len(after) == 3 * 4


def test_another_version_has_results_of_its_own(maerisim, folder, monkeypatch):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    monkeypatch.setattr(plan, "version", lambda _: "99.0")
    maerisim("sweep", "small.yaml", "--jobs", 1)
    assert len(rows("small.sqlite")) == 2 * 8


@pytest.mark.parametrize(
    "grid",
    [
        "multiplier.weight_registers: [1]",
        "energy.add: [2]",
        "accumulation.words: [0]",
        "multiplier.forwarding: [false]",
    ],
)
def test_every_parameter_is_part_of_the_key(folder, grid):
    def keys(text):
        (folder / "s.yaml").write_text(f"name: s\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {{{text}}}\n")
        return set(plan.SweepPlan.of(Experiment.load("s.yaml")).tasks)

    assert keys(grid).isdisjoint(keys("multipliers: [16]"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["-o", "x.csv"], "is for --export"), (["--jobs", 2, "--dask", "tcp://a:1"], "is for this machine's cores")],
)
def test_options_that_do_not_go_together(maerisim, folder, arguments, message):
    finished = maerisim("sweep", "small.yaml", *arguments)
    assert finished.code == 2
    assert message in finished.err
