"""Ski slopes as a figure: for each layer DRAM words against the size of the global buffer, both logarithmic."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from maerisim.reports.buffer_curve import BufferCurves, LayerCurve
from maerisim.reports.figures import HUES, add_footnote, add_title
from maerisim.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = (2.9, 2.3)
COLUMNS = 4


def draw(report: BufferCurves) -> Figure:
    """The figure: a panel for each layer that differs."""
    from matplotlib.figure import Figure

    found = distinct(report.layers)
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    width, height = PANEL_INCHES
    figure = Figure(figsize=(max(4.8, width * columns), height * rows + 1.0), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel, (each, others) in zip(panels.flat, found, strict=False):
        draw_curve(panel, each, others)
    for panel in panels.flat[len(found) :]:
        panel.axis("off")
    for panel in panels[:, 0]:
        panel.set_ylabel("DRAM words")
    for place in range(max(0, len(found) - columns), len(found)):
        panels.flat[place].set_xlabel("global buffer (words)")
    add_title(figure, f"{shown(report.network)} on {shown(report.hardware.name)}")
    if columns > 1:
        figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=7.5)
    else:  # a title and three entries have no room side by side; curves go down, so that there is some above them
        panels.flat[0].legend(loc="upper right", fontsize=7.5)
    said = f"maerisim {version('maerisim')}, mapped for {report.objective}; least: blocks of any size in any loop order"
    add_footnote(figure, said + ("; +n: more layers like this one" if len(found) < len(report.layers) else ""))
    return figure


def distinct(layers: list[LayerCurve]) -> list[tuple[LayerCurve, int]]:
    """The layers that differ, each with how many more are like it."""
    found: dict[object, list[LayerCurve]] = {}
    for each in layers:
        found.setdefault(each.layer.problem, []).append(each)
    return [(alike[0], len(alike) - 1) for alike in found.values()]


def draw_curve(panel: Axes, each: LayerCurve, others: int) -> None:
    """The bound as steps, our mappings as points, and what moves however large the buffer is."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    reach = 2 * max(int(each.curve.buffer[-1]), *(point.buffer for point in each.points))
    buffers, words = [*each.curve.buffer.tolist(), reach], [*each.curve.words.tolist(), int(each.curve.words[-1])]
    panel.step(buffers, words, where="post", color=HUES[0], label="least of any blocks")
    panel.fill_between(buffers, words, each.compulsory / 2, step="post", color=HUES[0], alpha=0.08, linewidth=0)
    ours = [(point.buffer, point.words) for point in each.points if point.words is not None]
    panel.plot([buffer for buffer, _ in ours], [moved for _, moved in ours], "o", color=HUES[1], label="our mappings")
    panel.axhline(each.compulsory, color="0.4", linestyle=":", linewidth=1, label="every word once")
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.set_ylim(each.compulsory / 1.6, 1.5 * max(*words, *(moved for _, moved in ours)))
    panel.set_xlim(buffers[0] / 1.5, reach)
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis, places in ((panel.xaxis, 0), (panel.yaxis, None)):
        axis.set_major_formatter(EngFormatter(places=places))
        axis.set_minor_formatter(NullFormatter())
    panel.set_title(shown(each.layer.name, 30) + (f" +{others}" if others else ""), loc="left", fontsize=7.5)
