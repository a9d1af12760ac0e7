"""The best so far against samples and against time, for each technique: the median of the seeds, and their quartiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiments.searches import gap_after
from maerisim.reports import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LEAST_GAP = 1e-3
"""Gaps below are drawn here."""
MOST_GAP = 10.0
"""And those above, or without a mapping, here."""
POINTS, BARS = 27, 13
"""Points of a line, and at each how many of them a bar shows the quartiles; lines have them at different places."""
DASHES = ("-", "--", ":", "-.")
Curves = Mapping[str, Sequence[Sequence[dict[str, Any]]]]
"""For each technique the searches of each layer."""


def draw(panels: Mapping[str, Curves], footnote: str) -> Figure:
    """Two rows of panels, against samples and against time, with a column for each of ``panels``; one has its two side by side."""
    from matplotlib.figure import Figure

    alone = len(panels) == 1
    figure = Figure((9.2, 3.8) if alone else (3.6 * len(panels) + 1.8, 6.0), layout="constrained")
    axes = (
        figure.subplots(1, 2, squeeze=False, sharey=True).T if alone else figure.subplots(2, len(panels), sharey=True)
    )
    looks = look(dict.fromkeys(name for curves in panels.values() for name in curves))
    lines: dict[str, Line2D] = {}
    for column, (title, curves) in enumerate(panels.items()):
        for row, what in enumerate(("samples", "seconds of processor time")):
            panel = axes[row][column]
            lines |= _draw(panel, curves, row, looks)
            panel.set_xlabel(what)
            panel.set_title(title if row == 0 else "")
    for panel in axes[:1, 0] if alone else axes[:, 0]:
        panel.set_ylabel("gap to the optimum")
        panel.yaxis.set_major_formatter(lambda gap, _: f"{100 * gap:,g} %")
    figure.legend([lines[name] for name in looks if name in lines], list(looks), loc="outside right center", fontsize=8)
    figures.add_footnote(figure, footnote)
    return figure


def look(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The colour and the dashes of each line."""
    count = len(figures.HUES)
    return {
        name: {"color": figures.HUES[place % count], "linestyle": DASHES[place // count % len(DASHES)]}
        for place, name in enumerate(names)
    }


def _draw(panel: Axes, curves: Curves, column: int, looks: Mapping[str, dict[str, Any]]) -> dict[str, Line2D]:
    """The lines by name."""
    lines: dict[str, Line2D] = {}
    for place, (name, layers) in enumerate(curves.items()):
        runs = [run for layer in layers for run in layer]
        ends = [run["samples"] if column == 0 else run["technique_seconds"] + run["scoring_seconds"] for run in runs]
        if not ends:
            continue
        begun = min((run["better"][0][1] for run in runs if run["better"]), default=1e-3)
        first = 1 if column == 0 else max(1e-3, begun)
        at = np.geomspace(first, max(*ends, first * 1.01), POINTS)
        seen = np.array([[[gap_after(run, x, column) for x in at] for run in layer] for layer in layers])
        seen = np.clip(seen, LEAST_GAP, MOST_GAP)
        # Of each layer the quartiles over seeds, then the geometric mean over layers.
        low, middle, high = np.exp(np.log(np.quantile(seen, [0.25, 0.5, 0.75], axis=1)).mean(axis=1))
        (lines[name],) = panel.plot(at, middle, **looks[name])
        some = slice(place % BARS, None, BARS)
        panel.vlines(at[some], low[some], high[some], color=looks[name]["color"], linewidth=0.7)
    figures.set_logarithmic(panel)
    panel.minorticks_off()
    return lines
