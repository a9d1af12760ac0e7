"""What was found, in one SQLite file: each result by what it depends on, committed as soon as it is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from maerisim.laboratory.jobs import Job, JobResult
from maerisim.sweeps.database import MOST_VARIABLES, Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS found (
    key TEXT PRIMARY KEY,       -- SHA-256 of the content
    kind TEXT NOT NULL,
    layers TEXT NOT NULL,       -- their names
    content TEXT NOT NULL,      -- JSON: kind, hardware, problems, options, version of maerisim
    found TEXT,                 -- JSON
    message TEXT,               -- why it failed
    seconds REAL NOT NULL,
    finished_at TEXT NOT NULL   -- UTC
)
"""


class Notebook(Database):
    """Results of experiments in a file, or in memory."""

    application, schema, holds = int.from_bytes(b"MAEL"), SCHEMA, "experiments on searches"

    def put(self, job: Job, found: JobResult) -> None:
        """Store a result for good before returning."""
        row = (
            found.key,
            job.kind,
            ", ".join(name for name, _ in job.layers),
            job.content,
            None if found.found is None else json.dumps(found.found),
            found.message,
            found.seconds,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        with self._explained(), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def get(self, keys: Iterable[str]) -> dict[str, JobResult]:
        """The stored results among ``keys``."""
        wanted, found = list(dict.fromkeys(keys)), {}
        for start in range(0, len(wanted), MOST_VARIABLES):
            some = wanted[start : start + MOST_VARIABLES]
            query = f"SELECT key, seconds, found, message FROM found WHERE key IN ({', '.join('?' * len(some))})"
            with self._explained():
                for key, seconds, text, message in self._connection.execute(query, some):
                    found[key] = JobResult(key, seconds, None if text is None else json.loads(text), message)
        return found
