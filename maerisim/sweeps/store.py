"""Results in one SQLite file, each committed as soon as it is there.

The file holds results by what they depend on (see ``plan.key_of``), not by sweep: changing a sweep keeps those that it
still needs, and several sweeps may share a file. Only one process writes; a rollback journal keeps everything in the
one file, and what was committed survives a kill.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from maerisim.sweeps.database import MOST_VARIABLES, Database
from maerisim.sweeps.plan import SweepTask, described_hardware
from maerisim.sweeps.work import Measured, Outcome

APPLICATION = int.from_bytes(b"MAER")
"""SQLite's ``application_id`` of results of sweeps."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY,           -- SHA-256 of hardware, problem, objective and version
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    message TEXT,                   -- why it failed
    cycles INTEGER,
    first_result INTEGER,
    estimated_cycles INTEGER,
    error REAL,                     -- (estimated - simulated) / simulated
    bound_cycles INTEGER,
    limited_by TEXT,
    energy REAL,
    utilization REAL,
    mapping TEXT,                   -- JSON, like the following
    counters TEXT,
    hardware TEXT NOT NULL,
    problem TEXT NOT NULL,
    objective TEXT NOT NULL,
    version TEXT NOT NULL,          -- of maerisim
    wall_seconds REAL NOT NULL,
    finished_at TEXT NOT NULL       -- UTC
)
"""
COLUMNS = [field.name for field in fields(Measured)]
IN_JSON = ("mapping", "counters")


class Store(Database):
    """The results of sweeps in a file, or in memory."""

    application, schema, holds = APPLICATION, SCHEMA, "sweep results"

    def put(self, task: SweepTask, outcome: Outcome) -> None:
        """Store an outcome for good before returning; a result that is there already is replaced."""
        row: dict[str, Any] = dict.fromkeys(COLUMNS) if outcome.measured is None else asdict(outcome.measured)
        row |= {name: None if row[name] is None else json.dumps(row[name]) for name in IN_JSON}
        row |= {
            "key": outcome.key,
            "status": "failed" if outcome.measured is None else "done",
            "message": outcome.message,
            "hardware": json.dumps(described_hardware(task.hardware)),
            "problem": json.dumps(task.layer.problem.as_dict()),
            "objective": task.objective,
            "version": version("maerisim"),
            "wall_seconds": outcome.wall_seconds,
            "finished_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._explained(), self._connection:
            self._connection.execute(f"INSERT OR REPLACE INTO results ({names}) VALUES ({places})", row)

    def get(self, keys: Iterable[str]) -> dict[str, Outcome]:
        """The stored outcomes among ``keys``."""
        wanted = list(keys)
        found: dict[str, Outcome] = {}
        for start in range(0, len(wanted), MOST_VARIABLES):
            some = wanted[start : start + MOST_VARIABLES]
            names = ", ".join(["key", "wall_seconds", "message", *COLUMNS])
            query = f"SELECT {names} FROM results WHERE key IN ({', '.join('?' * len(some))})"
            with self._explained():
                for key, seconds, message, *values in self._connection.execute(query, some):
                    measured = None if message is not None else measured_of(values)
                    found[key] = Outcome(key, seconds, measured, message)
        return found


def measured_of(values: list[Any]) -> Measured:
    """The columns of a result as it was measured."""
    row = dict(zip(COLUMNS, values, strict=True))
    return Measured(**row | {name: json.loads(row[name]) for name in IN_JSON})
