"""Getting a stored result again: from the JSON of a command, a report page, or the database of a sweep."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from maerisim import documents
from maerisim.errors import DocumentError, MaerisimError
from maerisim.interruption import interruptible
from maerisim.reports.provenance import (
    KEY,
    Provenance,
    StoredRun,
    hardware_from,
    mapping_from,
    problem_from,
    stored_provenance,
    unreadable,
)
from maerisim.reports.reruns import Rerun, RerunReport
from maerisim.study import warmup
from maerisim.study.progress import ProgressCallback, tell_nobody
from maerisim.sweeps.store import APPLICATION
from maerisim.ways.way import estimate, simulate

LARGEST = 2**30
"""Bytes of the largest result that is read."""
SQLITE = b"SQLite format 3\0"
ELEMENT = re.compile(rf'<script[^>]*\bid="{KEY}"[^>]*>(.*?)</script>', re.DOTALL)
"""What a report page keeps its provenance in."""


def rerun(result: str | os.PathLike[str], *, progress: ProgressCallback | None = None) -> RerunReport:
    """Run again what a result was made from, each equal run once: the same cycles, or what differs.

    ``result`` is the JSON of a command, a page of ``report --html``, or the database of a sweep. Raises DocumentError when
    it is none of them.
    """
    path = Path(result)
    made_by, stored, altered, failed = read(path)
    machines = {run.hardware.name: run.hardware for run in stored}
    warmup.ensure({part for hardware in machines.values() for part in warmup.needed_by(hardware, search=False)})
    runs = interruptible(partial(_all, stored, progress or tell_nobody))
    return RerunReport(str(path), made_by, tuple(runs), altered, failed)


def _all(stored: list[StoredRun], progress: ProgressCallback) -> list[Rerun]:
    known: dict[Any, tuple[int | None, str]] = {}
    runs, done, total = [], 0, sum(run.problem.operations for run in stored)
    for run in stored:
        progress(done, total, f"running {run.layer} again")
        inputs = (run.problem, run.mapping, run.hardware.model_dump_json(), run.cycles is None)
        if inputs not in known:
            known[inputs] = _again(run)
        cycles, reason = known[inputs]
        runs.append(Rerun(run, cycles, reason))
        done += run.problem.operations
    return runs


def _again(run: StoredRun) -> tuple[int | None, str]:
    """The cycles of a run, or why it cannot run."""
    try:
        if run.cycles is None:
            return estimate(run.problem, run.mapping, run.hardware).cycles, ""
        return simulate(run.problem, run.mapping, run.hardware).cycles, ""
    except MaerisimError as error:
        return None, "; ".join(str(error).splitlines())


def read(path: Path) -> tuple[tuple[str, ...], list[StoredRun], int, int]:
    """Versions, runs, altered inputs and failed runs of a stored result. Raises DocumentError."""
    content = documents.read_bytes(
        path, "a result of maerisim", "a result of maerisim (JSON, page or database)", LARGEST
    )
    if content.startswith(SQLITE):
        return _read_database(path)
    found = _read_text(content, str(path))
    return (found.version,), list(found.runs), found.altered, 0


def _read_text(content: bytes, origin: str) -> Provenance:
    """A JSON document, or a page that has its provenance in an element."""
    try:
        text = content.decode("utf-8-sig")
        element = ELEMENT.search(text) if text.lstrip().startswith("<") else None
        document = {KEY: json.loads(element[1])} if element else json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return stored_provenance(document, origin)


def _read_database(path: Path) -> tuple[tuple[str, ...], list[StoredRun], int, int]:
    """The results of sweeps, each under its hash."""
    columns = "key, status, cycles, estimated_cycles, mapping, hardware, problem, objective, version"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION:
                raise DocumentError([f"{path}: is not a database of sweep results"])
            rows = connection.execute(f"SELECT {columns} FROM results ORDER BY rowid").fetchall()
    except sqlite3.Error as error:
        raise DocumentError([f"{path}: cannot be used as a database: {error}"]) from error
    runs, altered, failed = [], 0, 0
    for key, status, cycles, estimated, mapping, hardware, problem, objective, made_by in rows:
        failed += status != "done"
        if status == "done":
            origin = f"{path}: result {key[:12]}"
            try:
                content = [json.loads(hardware), json.loads(problem), objective, made_by]
                altered += hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest() != key
                machine = hardware_from(content[0] | {"name": f"{content[0]['multipliers']} multipliers"}, origin)
                run = StoredRun(
                    "", problem_from(content[1]), mapping_from(json.loads(mapping)), machine, cycles, estimated
                )
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise unreadable(origin, error) from error
            runs.append(replace(run, layer=key[:12]))
    return tuple(dict.fromkeys(row[-1] for row in rows)), runs, altered, failed
