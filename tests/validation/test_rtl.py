"""Cycles and counts of the published RTL, as printed by its own simulation (``rtl_cycles.csv``), in both engines."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st

from maerisim.counts.counters import differences
from maerisim.engine.run import EngineName, Result, RunOptions
from maerisim.errors import DeadlockError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.rtl_testbench import lower_testbench
from maerisim.mapping.mapping import Mapping
from maerisim.program.printing import program_text
from maerisim.rtl.memory import Files, LayerInfo, configuration_of
from maerisim.ways.lock_step import run_testbench
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("rtl_cycles.csv")
ROWS = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
ENGINES: tuple[EngineName, ...] = ("event", "compiled")
SIZES = ("dim_k", "dim_c", "dim_r", "dim_s", "dim_y", "dim_x", "mapped_vns", "vn_size")

EVENT_CYCLES = 2500
"""The event engine runs the rows of fewer cycles."""
QUICK_WORK = 40_000
"""Cycles times multiplier switches above which that counts as slow."""

QUICK_MULTIPLIERS = 64

Row = dict[str, str]


def name(row: Row) -> str:
    return f"{row['name']}-{row['ms']}-{row['dn_bw']}-{row['rn_bw']}"


def files_of(row: Row) -> Files:
    multipliers = int(row["ms"])
    *sizes, vn_count, vn_size = (int(row[size]) for size in SIZES)
    words = [int(word, 16) for word in row["rn_config"].split()]
    return Files(LayerInfo(*sizes, multipliers, vn_count, vn_size), configuration_of(multipliers, words))


def hardware_of(row: Row) -> Hardware:
    overrides = {
        "multipliers": int(row["ms"]),
        "distribution.bandwidth": int(row["dn_bw"]),
        "collection.bandwidth": int(row["rn_bw"]),
    }
    return Hardware.load("maeri_rtl").with_overrides(overrides)


def run(row: Row, engine: EngineName) -> Result:
    return run_testbench(files_of(row), hardware_of(row), RunOptions(engine=engine))


def rows_for_the_event_engine() -> list[object]:
    chosen = [row for row in ROWS if row["status"] == "ok" and int(row["cycles"]) < EVENT_CYCLES]
    slow = [int(row["cycles"]) * int(row["ms"]) > QUICK_WORK for row in chosen]
    return [
        pytest.param(row, id=name(row), marks=[pytest.mark.slow] if late else [])
        for row, late in zip(chosen, slow, strict=True)
    ]


def validate(table: Path) -> subprocess.CompletedProcess[str]:
    """The benchmark, as one calls it."""
    command = [sys.executable, "benchmarks/validate_rtl.py", str(table)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})


def test_benchmark_finds_every_row_exact() -> None:
    finished = validate(TABLE)
    assert finished.stdout == (
        '{"cases": 130, "exact": 130, "max_abs_error": 0.0, "mean_abs_error": 0.0, '
        '"deadlocks": 4, "deadlocks_found": 4}\n'
    )
    assert finished.returncode == 0


@pytest.mark.parametrize("row", rows_for_the_event_engine())
def test_event_engine_is_exact_and_agrees_with_the_compiled_engine(row: Row) -> None:
    event, compiled = run(row, "event"), run(row, "compiled")
    assert event.cycles == int(row["cycles"])
    assert event.first_result == int(row["first_output_cycle"])
    assert (compiled.cycles, compiled.first_result) == (event.cycles, event.first_result)
    assert not differences(event.counters, compiled.counters)


@pytest.mark.parametrize("row", [pytest.param(row, id=name(row)) for row in ROWS if row["status"] == "deadlock"])
def test_both_engines_find_the_deadlocks_and_say_the_same(row: Row) -> None:
    messages = []
    for engine in ENGINES:
        with pytest.raises(DeadlockError) as caught:
            run(row, engine)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "the controller waits" in messages[0]


def changed(tmp_path: Path, **columns: str) -> Path:
    """A table of the first row with other columns."""
    table = tmp_path / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerow(ROWS[0] | columns)
    return table


def test_a_case_that_differs_is_named(tmp_path: Path) -> None:
    finished = validate(changed(tmp_path, cycles="30000"))
    first, last = finished.stdout.splitlines()
    assert first == "conv1x1-ct8 on 16-4-4: cycles 29757 not 30000"
    assert '"exact": 0, "max_abs_error": 0.0081' in last
    assert finished.returncode == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"dim_x": "1"}, "X 1 is not more than S 1, its row counter never ends then"),
        ({"mapped_vns": "3"}, "3 virtual neurons of 8 do not fit on 16 multipliers"),
        ({"rn_config": "A0A0A0A0"}, "rn_config: expected 2 words for the 4 double and 7 single switches"),
        ({"rn_config": "A0A0A0A0 zz"}, "rn_config: expected a whole number, found 'zz'"),
        ({"ms": "20"}, "multipliers: expected a power of two from 2 to 4096, found 20"),
        ({"status": "maybe"}, "status: expected ok or deadlock, found 'maybe'"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(tmp_path: Path, columns: Row, message: str) -> None:
    finished = validate(changed(tmp_path, **columns))
    assert message in finished.stderr
    assert finished.returncode == 2


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    finished = validate(tmp_path / "none.csv")
    assert "none.csv: no such file; give the table of RTL runs to compare with" in finished.stderr
    assert finished.returncode == 2


def test_lowering_needs_a_lock_step_controller() -> None:
    with pytest.raises(NotSupportedError, match="has no controller of kind lock_step"):
        run_testbench(files_of(ROWS[0]), Hardware.load("maeri-16"))


def test_a_mapping_runs_as_the_testbench_runs_its_layer() -> None:
    row = next(row for row in ROWS if name(row) == "conv2x2-16-4-4")
    problem = Problem(K=16, C=2, R=2, S=2, P=11, Q=11)
    mapping = Mapping.of({"K": 4, "R": 2, "S": 2}, "C K P Q N G R S")
    result = simulate(problem, mapping, hardware_of(row))
    assert (result.cycles, result.first_result) == (int(row["cycles"]), int(row["first_output_cycle"]))


def test_a_mapping_that_the_rtl_cannot_run_is_refused() -> None:
    mapping = Mapping.of({"K": 4, "R": 2}, "C K P Q N G R S")
    with pytest.raises(NotSupportedError, match="a virtual neuron holds all 2 of them"):
        simulate(Problem(K=4, R=2, S=2, P=2, Q=2), mapping, hardware_of(ROWS[0]))


def test_values_are_refused() -> None:
    problem = Problem(K=4, R=2, S=2, P=2, Q=2)
    mapping = Mapping.of({"K": 4, "R": 2, "S": 2}, "C K P Q N G R S")
    with pytest.raises(NotSupportedError, match="carries no values"):
        simulate(problem, mapping, hardware_of(ROWS[0]), operands=random_operands(problem, seed=1))


def test_a_program_in_lock_step_is_printed_row_by_row() -> None:
    text = program_text(lower_testbench(files_of(ROWS[0]), hardware_of(ROWS[0])))
    assert "send weights -> 0 every 4 to 12" in text
    assert "configure: left 0-15; 14 products each" in text
    assert "wait for the results that are due" in text


@st.composite
def turning(draw: st.DrawFn) -> tuple[Files, Hardware]:
    """A row of the table whose loops turn any number of times, also of those whose layer never ends."""
    row = draw(st.sampled_from([row for row in ROWS if int(row["ms"]) <= QUICK_MULTIPLIERS]))
    files, layer = files_of(row), files_of(row).layer
    sizes = {
        "K": layer.vn_count * draw(st.integers(0, 4)) + draw(st.integers(1, 2)),
        "C": draw(st.integers(1, 8)),
        "Y": layer.R + draw(st.integers(0, 12)),
        "X": layer.S + draw(st.integers(1, 14)),
    }
    return replace(files, layer=replace(layer, **sizes)), hardware_of(row)


def test_long_layers_are_skipped_for_the_most_part() -> None:
    row = next(row for row in ROWS if row["status"] == "ok" and (row["dim_r"], row["dim_s"]) == ("3", "3"))
    files = files_of(row)
    files = replace(files, layer=replace(files.layer, K=64, C=64, Y=114, X=114))
    result = run_testbench(files, hardware_of(row), RunOptions())
    assert result.cycles > 10_000_000
    assert result.stepped < 0.01 * result.cycles
