"""A stored result beside what this version gets for the same inputs, and how that is printed and written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from maerisim.mapping.notation import whole
from maerisim.reports.provenance import StoredRun
from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural


@dataclass(frozen=True)
class Rerun:
    """A run as it was stored, and its ``cycles`` now, simulated or estimated as then; or the ``reason`` why it cannot run."""

    stored: StoredRun
    cycles: int | None
    reason: str = ""

    @property
    def simulated(self) -> bool:
        """Whether it had been simulated, and not only estimated."""
        return self.stored.cycles is not None

    @property
    def before(self) -> int | None:
        """The cycles that were stored."""
        return self.stored.cycles if self.simulated else self.stored.estimated_cycles

    @property
    def same(self) -> bool:
        return self.cycles is not None and self.cycles == self.before

    def to_dict(self) -> dict[str, Any]:
        """An entry of ``runs`` in the documented JSON."""
        return {
            "layer": self.stored.layer,
            "hardware": self.stored.hardware.name,
            "simulated": self.simulated,
            "stored_cycles": self.before,
            "cycles": self.cycles,
            "same": self.same,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class RerunReport:
    """All runs of a stored result. ``altered`` of its inputs are not those that it was made from; ``failed`` runs had no
    result.
    """

    result: str
    made_by: tuple[str, ...]
    runs: tuple[Rerun, ...]
    altered: int = 0
    failed: int = 0

    @property
    def different(self) -> list[Rerun]:
        return [run for run in self.runs if not run.same]

    @property
    def same(self) -> bool:
        """Whether all runs give the cycles that were stored, for the inputs that they were made from."""
        return not self.different and not self.altered

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``rerun``."""
        return {
            "result": self.result,
            "made_by": list(self.made_by),
            "version": version("maerisim"),
            "altered": self.altered,
            "failed": self.failed,
            "same": self.same,
            "runs": [run.to_dict() for run in self.runs],
        }

    def rows(self) -> list[dict[str, Any]]:
        """A row for each run."""
        return [run.to_dict() for run in self.runs]


COLUMNS = (Column("layer", number=False), Column("hardware", number=False), *map(Column, ("stored", "now", "more")))


def rerun_pages(report: RerunReport) -> list[Page]:
    """What ``rerun`` prints: the runs that differ, and what has to be said of all."""
    rows = [
        Row([run.stored.layer, run.stored.hardware.name, whole(run.before), whole(run.cycles), _more(run)])
        for run in report.different
    ]
    return [Page(title(report), COLUMNS if rows else (), rows, notes(report))]


def title(report: RerunReport) -> str:
    """What is said first."""
    runs, different = plural(len(report.runs), "run"), len(report.different)
    if different:
        return f"{report.result}: {different:,} of {runs} take other cycles than stored"
    return f"{report.result}: {runs}, all with the cycles that are stored"


def _more(run: Rerun) -> str:
    return "" if run.cycles is None or run.before is None else f"{run.cycles - run.before:+,}"


def notes(report: RerunReport) -> list[str]:
    """Versions, altered inputs, and runs that cannot be repeated."""
    now, made_by = version("maerisim"), " and ".join(report.made_by)
    simulated = sum(run.simulated for run in report.runs)
    said = [
        f"Made by maerisim {made_by}, run again by {now}: {simulated:,} simulated, {len(report.runs) - simulated:,} estimated."
    ]
    if report.altered:
        said.append(
            "The inputs were altered: hardware, loop nests or mappings are not those that the result was made from."
        )
    if report.failed:
        said.append(f"{plural(report.failed, 'result')} had failed, and were not run again.")
    return said + [f"{run.stored.layer}: {run.reason}" for run in report.different if run.reason]
