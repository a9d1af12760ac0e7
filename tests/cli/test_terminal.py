"""What surrounds results: CSV, quiet and verbose, narrow screens, completion, doctor."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from maerisim.reports.table import Column, Page, Row

ONE = ("maeri-16", "tiny", "--layer", "linear")
FULL = Path("/dev/full")
"""A device that takes nothing."""


@pytest.mark.parametrize("command", ["map", "simulate", "validate", "report", "roofline"])
def test_csv_has_the_numbers_of_the_json(maerisim, command):
    (layer,) = maerisim(command, *ONE, "--json").json["layers"]
    (row,) = csv.DictReader(io.StringIO(maerisim(command, *ONE, "--csv").out))
    numbers = {name: value for name, value in layer.items() if isinstance(value, int | float | str)}
    assert len(numbers) > 5
    assert {name: row[name] for name in numbers} == {name: str(value) for name, value in numbers.items()}


def test_csv_of_a_comparison_has_a_line_for_each_mapping(maerisim):
    mappings = maerisim("compare-mappings", *ONE, "--json").json["layers"][0]["mappings"]
    rows = list(csv.DictReader(io.StringIO(maerisim("compare-mappings", *ONE, "--csv").out)))
    assert [row["by"] for row in rows] == [each["by"] for each in mappings]


def test_csv_of_a_front_has_a_line_for_each_point(maerisim):
    front = maerisim("map", *ONE, "--objective", "pareto", "--json").json["fronts"][0]["points"]
    rows = list(csv.DictReader(io.StringIO(maerisim("map", *ONE, "--objective", "pareto", "--csv").out)))
    assert [row["estimated_cycles"] for row in rows] == [str(point["estimated_cycles"]) for point in front]


def test_two_forms_at_once_are_refused(maerisim):
    finished = maerisim("map", *ONE, "--json", "--csv")
    assert finished.code == 2
    assert "--csv" in finished.err


def test_verbose_says_how_long_each_layer_took_and_quiet_nothing(maerisim):
    results = {maerisim(*option, "simulate", *ONE).out for option in ([], ["-v"], ["--verbose"], ["-q"], ["--quiet"])}
    assert len(results) == 1
    assert re.search(r"^ *[\d.]+ s  simulating linear$", maerisim("-v", "simulate", *ONE).err, re.MULTILINE)
    assert maerisim("-q", "simulate", *ONE).err == ""
    assert maerisim("-q", "-v", "simulate", *ONE).code == 2


WIDE = Page(
    "wide",
    [Column("name", number=False), Column("aaaaaaaa", spare=1), Column("bbbbbbbb", spare=2), Column("cycles")],
    [Row(["x", "1", "2", "3"], cell_styles=["", "red", "", "bold"])],
    ["a note"],
)


@pytest.mark.parametrize(
    ("width", "headings", "left_out"),
    [
        (40, ["name", "aaaaaaaa", "bbbbbbbb", "cycles"], ""),
        (30, ["name", "aaaaaaaa", "cycles"], "bbbbbbbb"),
        (20, ["name", "cycles"], "bbbbbbbb, aaaaaaaa"),
        (5, ["name", "cycles"], "bbbbbbbb, aaaaaaaa"),
    ],
)
def test_a_narrow_screen_leaves_out_what_can_be_spared_and_says_so(width, headings, left_out):
    fitted = WIDE.fitted(width)
    assert [column.heading for column in fitted.columns] == headings
    (row,) = fitted.rows
    assert len(row.cells) == len(row.cell_styles) == len(headings)
    assert (row.cells[0], row.cells[-1], row.cell_styles[-1]) == ("x", "3", "bold")
    said = [note for note in fitted.notes if note.startswith(f"Left out in {width} columns: {left_out};")]
    assert len(said) == bool(left_out)


def completed(*words: str) -> list[str]:
    """What a shell is offered for the last word."""
    environment = os.environ | {
        "_MAERISIM_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1),
    }  # fmt: skip
    program = "import sys; sys.argv = ['maerisim']; from maerisim.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    return ran.stdout.split()


def test_the_shell_completes_shipped_names_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    (tmp_path / "nets").mkdir()
    for name in ("mine.yaml", "notes.txt"):
        (tmp_path / "nets" / name).touch()
    assert completed("maerisim", "map", "maeri-12") == ["maeri-128"]
    assert {"mobilenet_v2"} <= set(completed("maerisim", "simulate", "maeri-16", "mob"))
    assert completed("maerisim", "map", "maeri-16", "ne") == ["nets/"]
    assert completed("maerisim", "map", "maeri-16", "nets/") == ["nets/mine.yaml"]
    assert completed("maerisim", "sweep", "band") == ["bandwidth"]


def test_doctor_names_versions_and_what_extras_lack(maerisim, monkeypatch):
    finished = maerisim("doctor")
    assert finished.code == 0
    assert f"numpy {metadata.version('numpy')}" in finished.out
    assert re.search(r"^\[plot\] +matplotlib \d", finished.out, re.MULTILINE)
    version = metadata.version

    def without(lost):
        def of(name):
            if name == lost:
                raise metadata.PackageNotFoundError(name)
            return version(name)

        return of

    monkeypatch.setattr(metadata, "version", without("matplotlib"))
    lacking = maerisim("doctor")
    assert lacking.code == 0
    assert "not installed: matplotlib (pip install 'maerisim[plot]')" in lacking.out
    monkeypatch.setattr(metadata, "version", without("simpy"))
    assert maerisim("doctor").code == 1


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    "arguments", [("simulate", *ONE), ("simulate", *ONE, "--json"), ("schema", "hardware"), ("--help",)]
)
def test_results_that_cannot_be_printed_are_an_error_and_messages_are_not(arguments):
    program = "import sys; from maerisim.cli import main; main(sys.argv[1:])"
    command = (sys.executable, "-c", program, *arguments)
    with FULL.open("w") as full:
        lost = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        unheard = subprocess.run((*command, "--bad"), stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert lost.returncode == 2
    assert lost.stderr.endswith("error: standard output: cannot be written: No space left on device\n")
    assert "Traceback" not in lost.stderr
    assert (unheard.returncode, unheard.stdout) == (2, "")
