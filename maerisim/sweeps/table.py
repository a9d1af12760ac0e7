"""The table of a sweep, a row for every network at every point, and what has to be said below it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maerisim.analytic.objective import Objective
from maerisim.mapping.notation import energy_words, percent, quantity, signed_percent, whole
from maerisim.reports.table import Column, Page, Row
from maerisim.sweeps.grid import written
from maerisim.sweeps.plan import SweepPlan
from maerisim.sweeps.totals import Total, best
from maerisim.text import plural

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


def title(plan: SweepPlan, stored: int, database: Path) -> str:
    """What was asked for, and how much of it is there."""
    experiment = plan.experiment
    return (
        f"{experiment.sweep.name}: {plural(len(experiment.networks), 'network')} "
        f"at {plural(len(experiment.points), 'point')}, {plural(len(plan.entries), 'layer')}; "
        f"{stored:,} of {plural(len(plan.tasks), 'distinct result')} in {database}"
    )


def page(plan: SweepPlan, found: Sequence[Total], stored: int, database: Path) -> Page:
    """Totals in the plan's order, the best of each network in bold and marked."""
    objective = plan.experiment.sweep.objective
    numbers = ["cycles", "error", "used", "energy", *(["edp"] if objective in PRODUCTS else [])]
    columns = [
        Column("network", number=False),
        *(Column(parameter.replace(".", "\n")) for parameter in found[0].point.values),
        *map(Column, numbers),
        Column("", number=False),
    ]
    winners = best(found, objective)
    rows = []
    for place, total in enumerate(found):
        first = place == 0 or found[place - 1].network != total.network
        last = place + 1 < len(found) and found[place + 1].network != total.network
        wins = winners.get(total.network) is total
        cells = [
            total.network if first else "",
            *map(written, total.point.values.values()),
            *cells_of(total, objective),
            "best" if wins else remark(total),
        ]
        rows.append(Row(cells, style="bold" if wins else "", ends_section=last))
    return Page(title(plan, stored, database), columns, rows, notes(plan, found))


def cells_of(total: Total, objective: Objective) -> list[str]:
    """The numbers of a row; nothing while layers are missing."""
    product = total.score("edp")
    return [
        whole(total.cycles),
        signed_percent(total.error),
        "" if total.utilization is None else percent(total.utilization),
        "" if total.energy is None else energy_words(total.energy, total.point.hardware.energy),
        *([] if objective not in PRODUCTS else ["" if product is None else quantity(product)]),
    ]


def remark(total: Total) -> str:
    """Why a row has no numbers."""
    reasons = [f"{count} {what}" for count, what in ((total.failed, "failed"), (total.missing, "missing")) if count]
    return ", ".join(reasons)


def notes(plan: SweepPlan, found: Sequence[Total]) -> list[str]:
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


def skipped_notes(plan: SweepPlan) -> list[str]:
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
