"""Plots of sweeps."""

from __future__ import annotations

import math

import pytest

from maerisim.hardware.hardware import Hardware
from maerisim.reports import figures
from maerisim.sweeps import plan, plot
from maerisim.sweeps.document import Experiment
from maerisim.sweeps.grid import Grid
from maerisim.sweeps.store import Store
from maerisim.sweeps.totals import totals
from tests.cli.sweep.documents import SMALL


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plots_are_written_in_the_format_of_their_ending(maerisim, folder, ending, magic):
    (folder / "small.yaml").write_text(
        SMALL.replace("reduction.topology: [art, linear]", "distribution.bandwidth: [2, 4]")
    )
    finished = maerisim("sweep", "small.yaml", "--jobs", 1, "--plot", f"plot.{ending}")
    assert finished.code == 0, finished.err
    assert (folder / f"plot.{ending}").read_bytes().startswith(magic)


def drawn(maerisim, folder, grid, *, without=0):
    """The figure of a sweep as if its first results were missing, and the cycles of its points."""
    (folder / "s.yaml").write_text(f"name: s\nhardware: maeri-16\nnetworks: [net.yaml]\nskip_invalid: true\n{grid}")
    assert maerisim("sweep", "s.yaml", "--jobs", 1).code == 0
    whole = plan.SweepPlan.of(Experiment.load("s.yaml"))
    with Store(folder / "s.sqlite") as store:
        found = totals(whole, store.get(list(whole.tasks)[without:]))
    return plot.draw(whole, found), {str(total.point): total.cycles for total in found}


def test_a_plot_shows_cycles_against_bandwidth_and_a_line_for_each_number_of_multipliers(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {multipliers: [4, 8], distribution.bandwidth: [8, 2, 4]}")
    (panel,) = figure.axes
    assert panel.get_title(loc="left") == "net"
    assert panel.get_xlabel() == "distribution bandwidth (words per cycle)"
    assert panel.get_ylabel() == "cycles"
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in panel.get_xticklabels()] == ["2", "4", "8"]
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "multipliers"
    assert [text.get_text() for text in legend.get_texts()] == ["4", "8"]
    four, eight = panel.lines
    assert four.get_color() != eight.get_color()
    assert list(four.get_xdata()) == [2, 4]
    assert list(eight.get_xdata()) == [2, 4, 8]
    for line, multipliers in ((four, 4), (eight, 8)):
        points = [f"multipliers {multipliers}, distribution.bandwidth {x:.0f}" for x in line.get_xdata()]
        assert list(line.get_ydata()) == [cycles[point] for point in points]


def test_points_without_a_result_interrupt_the_line_and_are_counted(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {distribution.bandwidth: [2, 4, 8]}", without=1)
    (line,) = figure.axes[0].lines
    assert [math.isnan(y) for y in line.get_ydata()] == [True, False, False]
    assert next(iter(cycles.values())) is None
    assert "1 of 3 points without a result" in " ".join(figure.get_supxlabel().split())


def test_a_difference_of_a_few_percent_does_not_fill_the_axis(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {reduction.latency: [1, 2]}")
    low, high = figure.axes[0].get_ylim()
    assert max(cycles.values()) / min(cycles.values()) < 1.5
    assert high / low == pytest.approx(plot.LEAST_RATIO)
    assert low < min(cycles.values()) < max(cycles.values()) < high


def test_texts_stand_side_by_side_and_other_parameters_have_panels(maerisim, folder):
    figure, _ = drawn(
        maerisim,
        folder,
        "grid: {reduction.topology: [art, linear], multipliers: [8, 16], multiplier.forwarding: [true, false]}",
    )
    left, right = figure.axes
    assert [label.get_text() for label in left.get_xticklabels()] == ["art", "linear"]
    assert {line.get_linestyle() for line in left.lines} == {"None"}
    assert left.get_title(loc="left") == "net, multiplier forwarding true"
    assert right.get_title(loc="left") == "net, multiplier forwarding false"


@pytest.mark.parametrize(
    ("grid", "layout"),
    [
        ({"multipliers": [8, 16], "collection.bandwidth": [2, 4]}, (("collection.bandwidth",), ("multipliers",), ())),
        ({"multipliers": [8, 16]}, (("multipliers",), (), ())),
        ({"multipliers": [8]}, (("multipliers",), (), ())),
        ({"multipliers": [8, 16], "reduction.latency": [1, 2]}, (("reduction.latency",), ("multipliers",), ())),
        (
            {"reduction.latency": [1, 2], "reduction.topology": ["art", "linear"], "distribution.bandwidth": [2, 4]},
            (("distribution.bandwidth",), ("reduction.latency",), (("reduction.topology",),)),
        ),
        (
            {"distribution.bandwidth, collection.bandwidth": [2, 4], "multipliers": [8]},
            (("distribution.bandwidth", "collection.bandwidth"), (), ()),
        ),
    ],
)
def test_what_a_plot_shows_where(grid, layout):
    points = Grid.of(grid, Hardware.load("maeri-16")).points
    assert plot.PanelLayout.of(points) == plot.PanelLayout(*layout)


@pytest.mark.parametrize(
    ("file", "message"),
    [("plot.gif", "expected a name that ends with .png, .svg, .pdf"), ("gone/plot.png", "there is no directory gone")],
)
def test_plots_that_cannot_be_written_are_refused_before_anything_runs(maerisim, folder, file, message):
    finished = maerisim("sweep", "small.yaml", "--plot", file)
    assert finished.code == 2
    assert message in finished.err
    assert not (folder / "small.sqlite").exists()


def test_more_panels_than_fit_are_refused_before_anything_runs(maerisim, folder):
    grid = "multipliers: [8, 16], distribution.latency: [1, 2], reduction.latency: [1, 2, 3, 4, 5], "
    (folder / "small.yaml").write_text(
        f"name: small\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {{{grid}collection.latency: [1, 2, 3, 4, 5]}}\n"
    )
    finished = maerisim("sweep", "small.yaml", "--plot", "plot.png")
    assert finished.code == 2
    assert (
        "25 columns of panels for the values of reduction latency, collection latency, at most 24 fit" in finished.err
    )
    assert not (folder / "small.sqlite").exists()


def test_matplotlib_that_is_not_installed(maerisim, folder, monkeypatch):
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    finished = maerisim("sweep", "small.yaml", "--plot", "plot.png")
    assert finished.code == 2
    assert "pip install 'maerisim[plot]'" in finished.err


def test_names_of_networks_are_text_in_a_plot(maerisim, folder):
    name = "net $x_{$ \x1b[31m"
    (folder / "net.yaml").write_text(
        (folder / "net.yaml").read_text().replace("name: net", 'name: "net $x_{$ \\e[31m"')
    )
    (folder / "small.yaml").write_text(
        SMALL.replace("reduction.topology: [art, linear]", "distribution.bandwidth: [2, 4]")
    )
    finished = maerisim("sweep", "small.yaml", "--jobs", 1, "--plot", "plot.png", "--export", "csv")
    assert finished.code == 0, finished.err
    assert (folder / "plot.png").stat().st_size > 1000
    assert name in finished.out
