"""The table of a sweep, a row for every network at every point, and what has to be said below it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maerisim.estimate.objective import Objective
from maerisim.mapping.notation import percent, quantity, signed_percent, whole
from maerisim.sweeps.grid import written
from maerisim.sweeps.plan import Plan
from maerisim.sweeps.totals import Total, best

if TYPE_CHECKING:
    from rich.table import Table

MOST_LISTED = 20
"""Combinations left out that are listed one by one."""

BEST = {
    "cycles": "Fewest cycles",
    "energy": "Least energy",
    "edp": "Smallest energy-delay product",
    "energy_efficiency": "Most performance per energy",
}
PRODUCTS = ("edp", "energy_efficiency")
"""Objectives for which the energy-delay product is shown."""


def title(plan: Plan, stored: int, database: Path) -> str:
    """What was asked for, and how much of it is there."""
    experiment = plan.experiment
    return (
        f"{experiment.sweep.name}: {plural(len(experiment.networks), 'network')} "
        f"at {plural(len(experiment.points), 'point')}, {plural(len(plan.entries), 'layer')}; "
        f"{stored:,} of {plural(len(plan.tasks), 'distinct result')} in {database}"
    )


def table(found: Sequence[Total], objective: Objective) -> Table:
    """Totals in the plan's order, the best of each network in bold and marked."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    parameters = list(found[0].point.values)
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column("network", no_wrap=True)
    for parameter in parameters:
        grid.add_column(parameter.replace(".", "\n"), justify="right", no_wrap=True)
    numbers = ["cycles", "error", "used", "energy", *(["edp"] if objective in PRODUCTS else [])]
    for heading in numbers:
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column("", no_wrap=True)
    winners = best(found, objective)
    previous = None
    for total in found:
        wins = winners.get(total.network) is total
        cells = [
            "" if total.network == previous else total.network,
            *map(written, total.point.values.values()),
            *cells_of(total, objective),
            "best" if wins else remark(total),
        ]
        if previous not in (None, total.network):
            grid.add_section()
        grid.add_row(*(Text(cell) for cell in cells), style="bold" if wins else "")
        previous = total.network
    return grid


def cells_of(total: Total, objective: Objective) -> list[str]:
    """The numbers of a row; nothing while layers are missing."""
    product = total.score("edp")
    return [
        whole(total.cycles),
        signed_percent(total.error),
        "" if total.utilization is None else percent(total.utilization),
        "" if total.energy is None else quantity(total.energy),
        *([] if objective not in PRODUCTS else ["" if product is None else quantity(product)]),
    ]


def remark(total: Total) -> str:
    """Why a row has no numbers."""
    reasons = [f"{count} {what}" for count, what in ((total.failed, "failed"), (total.missing, "missing")) if count]
    return ", ".join(reasons)


def notes(plan: Plan, found: Sequence[Total]) -> list[str]:
    """The best point of each network, and everything that the numbers do not cover."""
    sweep = plan.experiment.sweep
    lines = [
        f"{BEST[sweep.objective]} for {network}: {total.point}."
        for network, total in best(found, sweep.objective).items()
    ]
    scaled = {entry.layer.name for entry in plan.entries if entry.layer.operations_before_scaling is not None}
    if scaled:
        lines.append(
            f"Layers above {sweep.scale:,} MACs ({len(scaled)}) were shrunk: all numbers are of smaller layers."
        )
    if plan.unsupported:
        lines += [f"Not supported: {layer.reason}" for layer in plan.unsupported]
    return [*lines, *skipped_notes(plan)]


def skipped_notes(plan: Plan) -> list[str]:
    skipped = plan.experiment.skipped
    if not skipped:
        return []
    listed = "; ".join(str(combination) for combination in skipped[:MOST_LISTED])
    more = f"; and {len(skipped) - MOST_LISTED} more" if len(skipped) > MOST_LISTED else ""
    return [f"Left out, no valid hardware: {listed}{more}."]


def failures(found: Sequence[Total]) -> list[str]:
    """A line for every layer that failed, with where and why; equal layers share a line."""
    lines: dict[str, str] = {}
    for total in found:
        for entry, outcome in total.layers:
            if outcome is not None and outcome.message is not None:
                lines.setdefault(
                    entry.task.key, f"{entry.network} {entry.layer.name} at {entry.point}: {outcome.message}"
                )
    return list(lines.values())


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
