"""Cycles against bandwidth and multipliers as a figure: a row of panels for each network.

Bandwidth runs along the horizontal axis and each number of multipliers is a line; every combination of the other
parameters is a column of panels. A sweep without bandwidth or multipliers shows the parameters that it has instead.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maerisim.errors import DocumentError
from maerisim.reports import figures
from maerisim.reports.figures import HUES
from maerisim.sweeps.grid import GridPoint, Value, written
from maerisim.sweeps.plan import SweepPlan
from maerisim.sweeps.totals import Total
from maerisim.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Coupled = tuple[str, ...]
"""Parameters that have the same value as one another at every point."""

BANDWIDTHS = ("distribution.bandwidth", "collection.bandwidth")
MULTIPLIERS = ("multipliers",)
UNITS = {
    "distribution.bandwidth": "words per cycle",
    "collection.bandwidth": "results per cycle",
    "accumulation.words": "partial sums",
    "distribution.latency": "cycles",
    "multiplier.latency": "cycles",
    "reduction.latency": "cycles per level",
    "collection.latency": "cycles",
}

PANEL_INCHES = (2.9, 2.4)
MOST_COLUMNS = 24
LEAST_RATIO = 2.0
"""Of the ends of the axis of cycles: a difference of a few percent must not fill it."""
MARKERS = "osD^vPX*<>"


def require_plotting(path: Path, points: Sequence[GridPoint]) -> None:
    """Raises DocumentError when there can be no plot of such points in this file, NotSupportedError without matplotlib."""
    figures.require(path)
    layout = PanelLayout.of(points)
    columns = len({columns_of(point, layout) for point in points})
    if columns > MOST_COLUMNS:
        others = ", ".join(map(named, layout.columns))
        raise DocumentError(
            [f"--plot {path}: {columns} columns of panels for the values of {others}, at most {MOST_COLUMNS} fit"]
        )


def plot(plan: SweepPlan, found: Sequence[Total], path: Path) -> None:
    """Write the figure. Raises DocumentError when the file cannot be written."""
    figures.write(path, lambda: draw(plan, found))


@dataclass(frozen=True)
class PanelLayout:
    """Which parameters a figure shows along its axis, as lines, and as columns of panels."""

    horizontal: Coupled
    lines: Coupled
    columns: tuple[Coupled, ...]

    @classmethod
    def of(cls, points: Sequence[GridPoint]) -> PanelLayout:
        """The layout for parameters that vary over ``points``; the first one is shown when none does."""
        groups: dict[tuple[Value, ...], Coupled] = {}
        for parameter in points[0].values:
            column = tuple(point.values[parameter] for point in points)
            if len(set(column)) > 1:
                groups[column] = (*groups.get(column, ()), parameter)
        left = list(groups.values()) or [tuple(points[0].values)]

        def take(wanted: Sequence[str], unwanted: Sequence[str] = ()) -> Coupled:
            ranked = sorted(left, key=lambda group: rank(group, wanted, unwanted))
            if not ranked:
                return ()
            left.remove(ranked[0])
            return ranked[0]

        horizontal = take(BANDWIDTHS, unwanted=MULTIPLIERS)
        return cls(horizontal, take(MULTIPLIERS), tuple(left))


def rank(group: Coupled, wanted: Sequence[str], unwanted: Sequence[str]) -> int:
    """Where a group stands among the candidates: wanted ones in their order, then others, then unwanted ones."""
    places = [place for place, parameter in enumerate(wanted) if parameter in group]
    return min(places, default=len(wanted) + any(parameter in group for parameter in unwanted))


@dataclass(frozen=True)
class Axis:
    """The values along the horizontal axis and their places on it: a logarithmic scale when they are all above 0, else
    side by side.
    """

    values: tuple[Value, ...]

    @property
    def numeric(self) -> bool:
        return all(map(is_number, self.values))

    @property
    def logarithmic(self) -> bool:
        return self.numeric and all(isinstance(value, (int, float)) and value > 0 for value in self.values)

    @property
    def places(self) -> list[float]:
        if self.logarithmic:
            return [float(value or 0) for value in self.values]
        return [float(place) for place in range(len(self.values))]

    def apply(self, panel: Axes) -> None:
        """A tick at every value."""
        from matplotlib.ticker import NullLocator

        if self.logarithmic:
            panel.set_xscale("log", base=2)
        else:
            panel.set_xlim(-0.5, len(self.values) - 0.5)
        panel.set_xticks(self.places, [written(value) for value in self.values])
        panel.xaxis.set_minor_locator(NullLocator())


def draw(plan: SweepPlan, found: Sequence[Total]) -> Figure:
    """The figure of a sweep; points without all their results are left out and counted in its footnote."""
    from matplotlib.figure import Figure

    points = plan.experiment.points
    layout = PanelLayout.of(points)
    networks = list(dict.fromkeys(total.network for total in found))
    columns = list(dict.fromkeys(columns_of(point, layout) for point in points))
    lines = in_order(value_of(point, layout.lines) for point in points)
    axis = Axis(tuple(in_order(value_of(point, layout.horizontal) for point in points)))
    width, height = PANEL_INCHES
    figure = Figure(figsize=(width * len(columns) + 1.5, height * len(networks) + 0.6), layout="constrained")
    panels = figure.subplots(len(networks), len(columns), sharex=True, sharey="row", squeeze=False)
    for (row, network), (column, others) in itertools.product(enumerate(networks), enumerate(columns)):
        panel = panels[row, column]
        for place, line in enumerate(lines):
            curve = {
                value_of(total.point, layout.horizontal): total.cycles
                for total in found
                if total.network == network
                and columns_of(total.point, layout) == others
                and value_of(total.point, layout.lines) == line
            }
            draw_curve(panel, axis, curve, style_of(place, lines, axis))
        axis.apply(panel)
        panel.set_title(", ".join([shown(network), *map(in_words, layout.columns, others)]), loc="left")
        if column == 0:
            panel.set_ylabel("cycles")
        if row == len(networks) - 1:
            panel.set_xlabel(heading(layout.horizontal))
    for network, panel in zip(networks, panels[:, 0], strict=True):
        if any(total.cycles is not None for total in found if total.network == network):
            scale_cycles(panel)  # and with it its row, when all of that is drawn
        else:
            panel.set_yticks([])
    figure.align_ylabels()
    if layout.lines:
        add_legend(figure, layout.lines, lines, axis)
    figures.add_footnote(figure, footnote(plan, found, axis))
    return figure


def value_of(point: GridPoint, group: Coupled) -> Value:
    return point.values[group[0]] if group else None


def columns_of(point: GridPoint, layout: PanelLayout) -> tuple[Value, ...]:
    return tuple(value_of(point, group) for group in layout.columns)


def is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def in_order(values: Iterable[Value]) -> list[Value]:
    """Distinct values, numbers by size and all others as they come."""
    return sorted(dict.fromkeys(values), key=lambda value: float(value or 0) if is_number(value) else math.inf)


def heading(group: Coupled) -> str:
    """``distribution.bandwidth`` as ``distribution bandwidth (words per cycle)``."""
    units = {UNITS.get(parameter, "") for parameter in group} - {""}
    return named(group) + (f" ({units.pop()})" if len(units) == 1 else "")


def named(group: Coupled) -> str:
    return " = ".join(parameter.replace(".", " ").replace("_", " ") for parameter in group)


def in_words(group: Coupled, value: Value) -> str:
    return f"{named(group)} {written(value)}"


def draw_curve(panel: Axes, axis: Axis, curve: dict[Value, int | None], style: dict[str, Any]) -> None:
    """The points of one line, which is interrupted at a point without a result."""
    asked = [(place, curve[value]) for place, value in zip(axis.places, axis.values, strict=True) if value in curve]
    cycles = [math.nan if count is None else count for _, count in asked]
    panel.plot([place for place, _ in asked], cycles, **style)


def style_of(place: int, lines: Sequence[Value], axis: Axis) -> dict[str, Any]:
    """How a line looks: numbers from dark to light, anything else in distinct hues."""
    import matplotlib as mpl

    if len(lines) > 1 and all(map(is_number, lines)):
        colour: Any = mpl.colormaps["viridis"](0.85 * place / (len(lines) - 1))
    else:
        colour = HUES[place % len(HUES)]
    joined = "-" if axis.numeric else "none"
    return {"color": colour, "marker": MARKERS[place % len(MARKERS)], "linestyle": joined}


def scale_cycles(panel: Axes) -> None:
    """A logarithmic scale, from end to end at least ``LEAST_RATIO``, with ticks close enough that there are several."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    panel.set_yscale("log")
    low, high = panel.get_ylim()
    if high / low < LEAST_RATIO:
        middle, half = math.sqrt(low * high), math.sqrt(LEAST_RATIO)
        panel.set_ylim(middle / half, middle * half)
    ticks = (1, 1.5, 2, 3, 4, 5, 7) if high / low < 10 else (1, 2, 5)
    panel.yaxis.set_major_locator(LogLocator(subs=ticks))
    panel.yaxis.set_major_formatter(EngFormatter())
    panel.yaxis.set_minor_formatter(NullFormatter())


def add_legend(figure: Figure, group: Coupled, lines: Sequence[Value], axis: Axis) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=written(line), **style_of(place, lines, axis)) for place, line in enumerate(lines)]
    title = " =\n".join(parameter.replace(".", "\n").replace("_", " ") for parameter in group)
    figure.legend(handles=handles, title=title, alignment="left", loc="outside right upper")


def footnote(plan: SweepPlan, found: Sequence[Total], axis: Axis) -> str:
    """What the numbers are, and what is not in them."""
    sweep = plan.experiment.sweep
    scales = "both axes logarithmic" if axis.logarithmic else "cycles on a logarithmic scale"
    said = [f"{sweep.name}: simulated by maerisim {version('maerisim')}, mapped for {sweep.objective}, {scales}"]
    if any(entry.layer.operations_before_scaling is not None for entry in plan.entries):
        said.append(f"layers above {sweep.scale:,} MACs shrunk")
    if plan.unsupported:
        said.append(f"without {', '.join(shown(layer.name) for layer in plan.unsupported)} (not supported)")
    without = sum(total.cycles is None for total in found)
    if without:
        said.append(f"{without} of {len(found)} points without a result are left out")
    return "; ".join(said)
