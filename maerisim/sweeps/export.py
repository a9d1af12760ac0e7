"""Every layer at every point as one row, for spreadsheets and programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from maerisim.mapping.notation import dims
from maerisim.reports.as_json import json_text
from maerisim.reports.frame import csv_text
from maerisim.reports.pace import times_json
from maerisim.reports.provenance import KEY, StoredRun, mapping_from, provenance_of
from maerisim.sweeps.plan import SweepEntry, SweepPlan
from maerisim.sweeps.store import COLUMNS
from maerisim.sweeps.work import Outcome


def as_json(plan: SweepPlan, outcomes: Mapping[str, Outcome]) -> str:
    """The document as text."""
    return json_text(document(plan, outcomes)) + "\n"


def document(plan: SweepPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The sweep's name and objective, its rows, and where they come from."""
    sweep = plan.experiment.sweep
    rows = [row(entry, outcomes.get(entry.task.key)) for entry in plan.entries]
    made_from = provenance_of(plan.experiment.points[0].hardware, runs(plan, outcomes))
    return {"sweep": sweep.name, "objective": sweep.objective, "rows": rows, KEY: made_from}


def runs(plan: SweepPlan, outcomes: Mapping[str, Outcome]) -> Iterator[StoredRun]:
    """Every result once."""
    for key, task in plan.tasks.items():
        measured = outcomes[key].measured if key in outcomes else None
        if measured is not None:
            mapping = mapping_from(measured.mapping)
            cycles, estimated = measured.cycles, measured.estimated_cycles
            yield StoredRun(task.layer.name, task.layer.problem, mapping, task.hardware, cycles, estimated)


def as_csv(plan: SweepPlan, outcomes: Mapping[str, Outcome]) -> str:
    """A header and a line per row: problem and mapping as JSON, each counter that is a number in its own column."""
    rows = [flat(row(entry, outcomes.get(entry.task.key))) for entry in plan.entries]
    return csv_text(rows)


def row(entry: SweepEntry, outcome: Outcome | None) -> dict[str, Any]:
    """What is known of a layer at a point; ``status`` is ``done``, ``failed`` or ``missing``."""
    layer, measured = entry.layer, outcome.measured if outcome else None
    status = "missing" if outcome is None else "failed" if measured is None else "done"
    return {
        "network": entry.network,
        "layer": layer.name,
        "op": layer.op,
        "count": layer.count,
        **entry.point.values,
        "status": status,
        "message": outcome.message if outcome else None,
        "macs": layer.problem.macs,
        "scaled": layer.operations_before_scaling is not None,
        "problem": dims(layer.problem),
        **(dict.fromkeys(COLUMNS) if measured is None else asdict(measured)),
        **({} if measured is None else times_json(entry.point.hardware, measured.cycles, measured.energy)),
        "wall_seconds": outcome.wall_seconds if outcome else None,
    }


def flat(fields: dict[str, Any]) -> dict[str, Any]:
    """A row for CSV."""
    counters = fields.pop("counters") or {}
    return {
        **{name: json.dumps(value) if isinstance(value, dict) else value for name, value in fields.items()},
        **counted(counters, "counters"),
    }


def counted(counters: Mapping[str, Any], prefix: str) -> dict[str, int]:
    """The counters by dotted name; lists, which hold a number for every component, are left to JSON."""
    found: dict[str, int] = {}
    for name, value in counters.items():
        if isinstance(value, dict):
            found |= counted(value, f"{prefix}.{name}")
        elif not isinstance(value, list):
            found[f"{prefix}.{name}"] = value
    return found
