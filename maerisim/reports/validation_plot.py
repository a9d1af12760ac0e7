"""Estimates beside simulations as a figure: the cycles of each layer, and by how much the estimate is off."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from maerisim.mapping.notation import percent
from maerisim.reports.figures import HUES, add_footnote, add_title
from maerisim.reports.findings import NetworkReport
from maerisim.text import plural, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCHES = 7.2
ROW_INCHES = 0.19
LABEL_CHARACTERS = 28
LEAST_ERROR = 1.0
"""Per cent that the axis of errors reaches at least: what is off by less should look so."""


@dataclass(frozen=True)
class Bar:
    """Layers of the same cycles, simulated and estimated; the ``first`` and how many more."""

    first: str
    others: int
    simulated: int
    estimated: int

    @property
    def error(self) -> float:
        """By how many per cent the estimate is too high."""
        return 100 * (self.estimated - self.simulated) / self.simulated

    @property
    def label(self) -> str:
        return shown(self.first, LABEL_CHARACTERS) + (f" +{self.others}" if self.others else "")


def bars(report: NetworkReport) -> list[Bar]:
    """The simulated layers in their order, equal ones once."""
    found: dict[tuple[int, int], list[str]] = {}
    for layer in report.layers:
        if layer.result is not None:
            found.setdefault((layer.result.cycles, layer.estimate.cycles), []).append(layer.name)
    return [Bar(names[0], len(names) - 1, *cycles) for cycles, names in found.items()]


def draw(report: NetworkReport) -> Figure:
    """The figure."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    found = bars(report)
    rows = range(len(found))
    figure = Figure(figsize=(WIDTH_INCHES, max(2.2, 1.2 + ROW_INCHES * len(found))), layout="constrained")
    cycles, errors = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    cycles.hlines(rows, 0, [bar.simulated for bar in found], color="0.85", linewidth=1)
    cycles.plot([bar.simulated for bar in found], rows, "o", color=HUES[0], label="simulated")
    cycles.plot(
        [bar.estimated for bar in found], rows, "o", color=HUES[1], markersize=7.5, fillstyle="none", label="estimated"
    )
    cycles.set_xscale("log")
    cycles.set_xlim(min(min(bar.simulated, bar.estimated) for bar in found) / 1.5)
    cycles.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    cycles.xaxis.set_major_formatter(EngFormatter())
    cycles.xaxis.set_minor_formatter(NullFormatter())
    cycles.set_yticks(rows, [bar.label for bar in found], fontsize=7)
    cycles.set_ylim(len(found) - 0.4, -0.6)
    cycles.set_xlabel("cycles")
    cycles.grid(axis="y", visible=False)
    errors.grid(axis="y", visible=False)
    errors.barh(
        rows, [bar.error for bar in found], height=0.62, color=[HUES[1] if bar.error > 0 else HUES[0] for bar in found]
    )
    errors.axvline(0, color="0.3", linewidth=0.8)
    reach = 1.15 * max(LEAST_ERROR, *(abs(bar.error) for bar in found))
    errors.set_xlim(-reach, reach)
    errors.set_xlabel("error of the estimate (%)")
    errors.tick_params(axis="y", length=0)
    add_title(figure, f"{shown(report.network)} on {shown(report.hardware.name)}")
    figure.legend(*cycles.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    add_footnote(figure, footnote(report, len(found)))
    return figure


def footnote(report: NetworkReport, rows: int) -> str:
    """The mean error, and what the numbers are."""
    mean = report.mean_absolute_error
    layers = sum(layer.result is not None for layer in report.layers)
    said = f"maerisim {version('maerisim')}; mean size of the error over {plural(layers, 'layer')}: {percent(mean or 0.0, 2)}"
    return said + ("; +n: more layers with the same cycles" if rows < layers else "")
