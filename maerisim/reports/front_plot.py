"""Fronts of cycles and energy as a figure: a step line for each layer, from its fastest mapping to its thriftiest."""

from __future__ import annotations

from importlib.metadata import version
from itertools import groupby
from typing import TYPE_CHECKING

from maerisim.mapping.notation import energy_words, percent
from maerisim.reports.figures import HUES, add_footnote, add_title
from maerisim.reports.findings import AnyReport
from maerisim.reports.front import FrontReport
from maerisim.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = (2.5, 2.1)
COLUMNS = 4


def draw(report: FrontReport) -> Figure:
    """The figure: a panel for each layer, with what each of its mappings takes beside the fastest one."""
    from matplotlib.figure import Figure

    fronts = [(name, list(points)) for name, points in groupby(report.layers, key=lambda layer: layer.name)]
    columns = min(COLUMNS, len(fronts))
    rows = -(-len(fronts) // columns)
    width, height = PANEL_INCHES
    figure = Figure(figsize=(max(4.6, width * columns), height * rows + 0.7), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel, (name, points) in zip(panels.flat, fronts, strict=False):
        draw_front(panel, name, points, report)
    for panel in panels.flat[len(fronts) :]:
        panel.axis("off")
    add_title(figure, f"{shown(report.network)} on {shown(report.hardware.name)}: cycles against energy")
    for place in range(max(0, len(fronts) - columns), len(fronts)):
        panels.flat[place].set_xlabel("cycles")
    for panel in panels[:, 0]:
        panel.set_ylabel("energy")
    add_footnote(
        figure,
        f"simulated by maerisim {version('maerisim')}; no mapping takes both less time and less energy, by estimate",
    )
    return figure


def draw_front(panel: Axes, name: str, points: list[AnyReport], report: FrontReport) -> None:
    """The mappings of a layer: what lies above the line is no better than one of them."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

    points = sorted(points, key=lambda layer: layer.best_known_cycles)
    cycles, energy = [p.best_known_cycles for p in points], [report.energy(p) for p in points]
    wide, tall = max(cycles) - min(cycles), max(energy) - min(energy)
    panel.step(cycles, energy, where="post", color=HUES[0], linewidth=1.1)
    panel.plot(cycles, energy, "o", color=HUES[0])
    panel.margins(0.12)
    if not wide:
        panel.set_xlim(0.98 * cycles[0], 1.02 * cycles[0])
    if not tall:
        panel.set_ylim(0.98 * energy[0], 1.02 * energy[0])
    panel.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.yaxis.set_major_locator(MaxNLocator(4))
    panel.yaxis.set_major_formatter(EngFormatter())
    label = f"one mapping of {energy_words(energy[0], report.hardware.energy)}"
    if len(points) > 1:
        more, less = cycles[-1] / cycles[0] - 1, 1 - energy[-1] / energy[0]
        label = f"at most {percent(less)} less energy, {percent(more)} more cycles"
    panel.set_title(f"{shown(name, 30)}\n{label}", loc="left", fontsize=7)
