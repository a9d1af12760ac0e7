"""The roofline of a network as a figure: operations a cycle against operations per word, both logarithmic.

A point for each layer that differs, as mapped; a ring where it would lie if every word passed the channel once. A dash
above a ring is a roof of its own: another resource allows this layer less than what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from math import atan2, degrees
from typing import TYPE_CHECKING

from maerisim.reports.figures import HUES, add_footnote, set_logarithmic
from maerisim.reports.roofline import DRAM, Roofline, RooflineReport
from maerisim.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation, Text

SIZE_INCHES = (7.2, 4.6)
LABEL_POINTS = 6.5
LABEL_CHARACTERS = 30
OFFSETS = ((5, 3), (5, -8), (-5, 3), (-5, -8), (0, 6), (0, -11), (9, -2), (-9, -2))
"""Places of a label beside its point, in points; the first that is free is taken."""
COLOURS = {"compute": HUES[0], "dram": HUES[1], "distribution": HUES[2], "collection": HUES[3]}


@dataclass(frozen=True)
class Mark:
    """Layers that lie at the same place."""

    first: Roofline
    others: int

    @property
    def label(self) -> str:
        """The name of the first, and how many more."""
        return shown(self.first.layer.name, LABEL_CHARACTERS) + (f" +{self.others}" if self.others else "")


def draw(report: RooflineReport) -> Figure:
    """The figure."""
    from matplotlib.figure import Figure

    points = distinct(report.layers)
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    panel = figure.subplots()
    set_scales(panel, report)
    draw_roof(panel, report)
    for point in points:
        draw_point(panel, point.first, own_roof=has_own_roof(point.first, report))
    where = "moved from or to DRAM" if report.channel == DRAM else "sent into the array"
    panel.set_xlabel(f"operations per word {where}")
    panel.set_ylabel("operations per cycle")
    panel.set_title(f"{shown(report.results.network)} on {shown(report.hardware.name)}", loc="left")
    add_legend(panel, points, own_roofs=any(has_own_roof(point.first, report) for point in points))
    note = f"simulated by maerisim {version('maerisim')}; +n: more layers at the same place; both axes logarithmic"
    add_footnote(figure, note)
    figure.draw_without_rendering()  # what follows depends on where everything is
    slope = draw_slope_label(panel, report)
    draw_labels(panel, points, [slope, *panel.texts])
    return figure


def distinct(layers: list[Roofline]) -> list[Mark]:
    """Layers by their place, in the order in which they come."""
    places: dict[tuple[float, float, float], list[Roofline]] = {}
    for each in layers:
        places.setdefault((each.intensity, each.compulsory_intensity, each.attained), []).append(each)
    return [Mark(group[0], len(group) - 1) for group in places.values()]


def set_scales(panel: Axes, report: RooflineReport) -> None:
    """Logarithmic axes with all points, the ridge and the peak inside."""
    peak = report.hardware.multipliers
    xs = [each.compulsory_intensity for each in report.layers] + [each.intensity for each in report.layers]
    ys = [each.attained for each in report.layers]
    set_logarithmic(panel)
    panel.set_xlim(min(*xs, peak / report.bandwidth) / 2, 2 * max(*xs, peak / report.bandwidth))
    panel.set_ylim(min(ys) / 2, 2.2 * peak)


def draw_roof(panel: Axes, report: RooflineReport) -> None:
    """The slope of the channel and the peak of the multipliers, each with its number."""
    peak, bandwidth = report.hardware.multipliers, report.bandwidth
    left, right = panel.get_xlim()
    ridge = peak / bandwidth
    panel.plot([left, ridge, right], [left * bandwidth, peak, peak], color="0.25", zorder=2)
    panel.annotate(
        f"{peak} multipliers",
        (right, peak),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        color="0.25",
    )


def draw_slope_label(panel: Axes, report: RooflineReport) -> Annotation:
    """The bandwidth of the channel, along the slope."""
    channel, bandwidth = "DRAM" if report.channel == DRAM else "distribution", report.bandwidth
    ridge = report.hardware.multipliers / bandwidth
    start = max(panel.get_xlim()[0], panel.get_ylim()[0] / bandwidth)
    low, high = panel.transData.transform([(start, start * bandwidth), (ridge, ridge * bandwidth)])
    middle = (start * ridge) ** 0.5
    return panel.annotate(
        f"{channel}: {bandwidth:g} words a cycle",
        (middle, middle * bandwidth),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color="0.25",
        rotation=degrees(atan2(high[1] - low[1], high[0] - low[0])),
        rotation_mode="anchor",
    )


def has_own_roof(each: Roofline, report: RooflineReport) -> bool:
    """Whether neither the multipliers nor the channel of the slope bound a layer most."""
    return each.bound_by not in ("compute", report.channel)


def draw_point(panel: Axes, each: Roofline, *, own_roof: bool) -> None:
    """A layer as mapped, with a thin line to where it would lie if each word passed once, and a roof of its own."""
    colour = COLOURS[each.bound_by]
    panel.plot([each.intensity, each.compulsory_intensity], [each.attained] * 2, color=colour, linewidth=0.7, alpha=0.6)
    panel.plot(each.compulsory_intensity, each.attained, "o", markerfacecolor="white", color=colour, markersize=3.5)
    panel.plot(each.intensity, each.attained, "o", color=colour, zorder=3)
    if own_roof:
        panel.plot(
            each.compulsory_intensity, each.roof, "_", color=colour, markersize=11, markeredgewidth=1.4, zorder=3
        )


def draw_labels(panel: Axes, points: list[Mark], texts: Sequence[Text]) -> None:
    """The names of the layers beside their points, as far as there is room beside points, roof and other ``texts``."""
    import numpy as np
    from matplotlib.transforms import Bbox

    places = [(x, p.first.attained) for p in points for x in (p.first.intensity, p.first.compulsory_intensity)]
    roof = panel.lines[0].get_xydata()
    for (x, y), (to_x, to_y) in pairwise(np.asarray(roof)):
        places += zip(np.geomspace(x, to_x, 200), np.geomspace(y, to_y, 200), strict=True)
    size = LABEL_POINTS
    taken = [Bbox.from_bounds(x - size / 2, y - size / 2, size, size) for x, y in panel.transData.transform(places)]
    taken += [text.get_window_extent() for text in texts]
    legend = panel.get_legend()
    taken += [] if legend is None else [legend.get_window_extent()]
    for point in sorted(points, key=lambda p: p.first.share):
        for dx, dy in OFFSETS:
            text = panel.annotate(
                point.label,
                (point.first.intensity, point.first.attained),
                xytext=(dx, dy),
                textcoords="offset points",
                ha="left" if dx > 0 else "right" if dx < 0 else "center",
                fontsize=LABEL_POINTS,
                color="0.2",
            )
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in taken) and panel.bbox.contains(box.x0, box.y0):
                taken.append(box)
                break
            text.remove()


def add_legend(panel: Axes, points: list[Mark], *, own_roofs: bool) -> None:
    """What bounds layers of each colour, and what rings and dashes are."""
    from matplotlib.lines import Line2D

    bound_by = [name for name in COLOURS if any(point.first.bound_by == name for point in points)]
    handles = [
        Line2D([], [], marker="o", linestyle="none", color=COLOURS[name], label=f"bound by {name_of(name)}")
        for name in bound_by
    ]
    once = Line2D([], [], color="0.5", linewidth=0.7, marker="o", markerfacecolor="white", markersize=3.5)
    once.set_label("if each word passed once")
    handles.append(once)
    if own_roofs:
        handles.append(
            Line2D([], [], marker="_", linestyle="none", color="0.5", markersize=11, label="a layer's own roof")
        )
    panel.legend(handles=handles, loc="lower right", fontsize=7.5)


def name_of(resource: str) -> str:
    """A resource in words."""
    return {"dram": "DRAM", "compute": "multipliers"}.get(resource, resource)
