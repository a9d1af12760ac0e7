"""The best so far against samples and against time, for each technique: the median of the seeds, and their quartiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiments.searches import gap_after
from maerisim.reports import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_GAP = 1e-3
"""Gaps below are drawn here."""
MOST_GAP = 10.0
"""And those above, or without a mapping, here."""
DASHES = ("-", "--", ":", "-.")
Curves = Mapping[str, Sequence[Sequence[dict[str, Any]]]]
"""For each technique the searches of each layer."""


def draw(panels: Mapping[str, Curves], footnote: str) -> Figure:
    """Two rows of panels, against samples and against time; a column for each of ``panels``."""
    from matplotlib.figure import Figure

    figure = Figure((3.6 * len(panels) + 1.8, 6.0), layout="constrained")
    axes = figure.subplots(2, len(panels), squeeze=False, sharey=True)
    for column, (title, curves) in enumerate(panels.items()):
        for row, what in enumerate(("samples", "seconds")):
            panel = axes[row][column]
            _draw(panel, curves, row)
            panel.set_xlabel(what)
            panel.set_title(title if row == 0 else "")
    for row in axes:
        row[0].set_ylabel("gap to the optimum")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=8)
    figures.add_footnote(figure, footnote)
    return figure


def _draw(panel: Axes, curves: Curves, column: int) -> None:
    for place, (name, layers) in enumerate(curves.items()):
        runs = [run for layer in layers for run in layer]
        ends = [run["samples"] if column == 0 else run["technique_seconds"] + run["scoring_seconds"] for run in runs]
        if not ends:
            continue
        first = (
            1 if column == 0 else max(1e-3, min((run["better"][0][1] for run in runs if run["better"]), default=1e-3))
        )
        at = np.geomspace(first, max(*ends, first * 1.01), 80)
        seen = np.array([[[gap_after(run, x, column) for x in at] for run in layer] for layer in layers])
        seen = np.clip(seen, LEAST_GAP, MOST_GAP)
        # Of each layer the quartiles over seeds, then the geometric mean over layers.
        low, middle, high = np.exp(np.log(np.quantile(seen, [0.25, 0.5, 0.75], axis=1)).mean(axis=1))
        hue = figures.HUES[place % len(figures.HUES)]
        panel.plot(at, middle, label=name, color=hue, linestyle=DASHES[place // len(figures.HUES) % len(DASHES)])
        panel.fill_between(at, low, high, color=hue, alpha=0.08, linewidth=0)
    figures.set_logarithmic(panel)
