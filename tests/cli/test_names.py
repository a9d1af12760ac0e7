"""Names that do something to a terminal, a table or a plot are shown harmlessly, and stored as they are."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path

import pytest
import yaml

from maerisim.cli import progress
from maerisim.mapping.document import load_mappings
from maerisim.workload.network import Network

CASES = Path(__file__).parents[1] / "cases"
MARKUP, MATHTEXT = (CASES / "layers" / f"names_with_{kind}.yaml" for kind in ("markup", "mathtext"))
LONG = "long $_{ " + "x" * 991

NETWORK = yaml.safe_load(MARKUP.read_text())
NAMES = [layer["name"] for layer in NETWORK["layers"]]
CONSTRAINTS = {"tag_bool", "tag_float", "tag_timestamp", "key_is_a_list"}


@pytest.mark.parametrize("file", sorted((CASES / "readers").iterdir()), ids=lambda file: file.stem)
def test_documents_that_ended_in_a_traceback(maerisim, file):
    arguments = ["map", "maeri-16", file]
    if file.stem in CONSTRAINTS:
        arguments = ["map", "maeri-16", "tiny", "--constraints", file]
    elif file.stem == "name_too_long":
        arguments = ["map", file, "tiny"]
    finished = maerisim(*arguments)
    assert finished.code == 2
    assert finished.out == ""
    assert finished.err.startswith(f"error: {file}:")
    assert finished.err.count("\n") == 1
    assert len(finished.err) < 500


def test_a_chain_of_the_greatest_latency(maerisim):
    finished = maerisim("map", CASES / "layers" / "linear_recursion.yaml", "tiny", "--layer", "linear")
    assert finished.code == 0, finished.err


@pytest.fixture
def network(tmp_path) -> Path:
    """The names of the case, and one of a thousand characters."""
    layer = {"name": LONG, "op": "linear", "inputs": 8, "outputs": 7}
    path = tmp_path / "network.yaml"
    path.write_text(yaml.safe_dump({**NETWORK, "layers": [*NETWORK["layers"], layer]}))
    return path


@pytest.mark.parametrize("command", ["map", "roofline", "report", "validate", "simulate"])
def test_tables_hold_no_character_that_does_something(maerisim, network, command):
    finished = maerisim(command, "maeri-16", network)
    assert finished.code == 0, finished.err
    assert "".join(finished.out.split("\n")).isprintable()
    for seen in (
        "net\\x1b]0;title",
        "l\\x1b[2J",
        "[red]bold[/red]",
        "[/nope]",
        "a\\nb\\rc\\tt",
        "\\u202eright-to-left",
    ):
        assert seen in finished.out
    assert max(map(len, finished.out.splitlines())) < 400 or command != "roofline"


def test_names_are_stored_exactly(maerisim, network, tmp_path):
    mappings = tmp_path / "mappings.yaml"
    assert maerisim("map", "maeri-16", network, "-o", mappings).code == 0
    assert list(load_mappings(mappings).layers) == [*NAMES, LONG]
    assert load_mappings(mappings).network == NETWORK["name"]
    finished = maerisim("simulate", "maeri-16", network, "--mapping", mappings, "--json")
    assert [layer["name"] for layer in finished.json["layers"]] == [*NAMES, LONG]
    assert finished.json["network"] == NETWORK["name"]


def test_messages_name_them_harmlessly_in_one_line(maerisim, network, tmp_path):
    mappings = tmp_path / "mappings.yaml"
    mappings.write_text("hardware: h\nnetwork: n\nlayers: {}\n")
    finished = maerisim("simulate", "maeri-16", network, "--mapping", mappings)
    assert finished.code == 2
    assert finished.err.count("\n") == 1 + len(NAMES) + 1
    assert "".join(finished.err.split("\n")).isprintable()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
@pytest.mark.parametrize("case", ["markup", "mathtext"])
def test_plots_take_names_for_text(maerisim, network, tmp_path, case, ending):
    plot = tmp_path / f"roof.{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        finished = maerisim("roofline", "maeri-16", network if case == "markup" else MATHTEXT, "--plot", plot)
    assert finished.code == 0, finished.err
    assert plot.stat().st_size > 1000


def test_a_plot_shows_dollars_as_they_are(tmp_path):
    from maerisim.reports import figures, roofline_plot
    from maerisim.study import api

    report = api.roofline("maeri-16", Network.load(MATHTEXT))
    found = []

    def draw():
        figure = roofline_plot.draw(report)
        (panel,) = figure.axes
        found.extend([panel.get_title(loc="left"), *(text.get_text() for text in panel.texts)])
        return figure

    figures.write(tmp_path / "roof.svg", draw)
    assert "net $x_{$ on maeri-16" in found
    assert {"$\\frac{$", "$a^$b"} & set(found)


def test_the_progress_bar_shows_them(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", -1.0)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    with progress.shown() as show:
        for name in [*NAMES, LONG]:
            show(1, 10, f"mapping {name}")
    seen = terminal.getvalue()
    assert "\x1b[2J" not in seen
    assert "\u202e" not in seen
    assert "mapping long $_{ xxx" in seen


def test_graphviz_and_drawing(maerisim, tmp_path):
    hardware = tmp_path / "h.yaml"
    hardware.write_text('extends: maeri-16\nname: "a\\e[31m\\"\\n[/b]"\n')
    for arguments in (["show", hardware], ["show", hardware, "--dot", "-"]):
        finished = maerisim(*arguments)
        assert finished.code == 0
        assert "".join(finished.out.split("\n")).isprintable()
        assert "a\\x1b[31m" in finished.out.replace("\\\\", "\\")
