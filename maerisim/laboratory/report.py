"""What a comparison of searches found: as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median
from typing import TYPE_CHECKING, Any

from maerisim.analytic.objective import Objective
from maerisim.laboratory.experiments.searches import NEAR, gaps, samples_to
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.running import JobOutcomes
from maerisim.reports.frame import frame
from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = {
    "gap": 0,
    "best": 3,
    "worst": 4,
    "within 1%": 1,
    "samples to 1%": 2,
    "samples": 5,
    "illegal": 7,
    "repeated": 8,
    "technique s": 6,
    "scoring s": 9,
}
"""Columns of the table, and which of them can be spared first where there is little room."""


@dataclass(frozen=True)
class Searched:
    """One layer searched with one technique and several seeds; ``found`` is what its job found, or None with a ``message``."""

    layer: str
    technique: str
    found: dict[str, Any] | None
    message: str | None = None

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Its searches."""
        runs: list[dict[str, Any]] = self.found["runs"] if self.found else []
        return runs

    @property
    def gap(self) -> float:
        """The median gap to the optimum, infinite without a legal mapping."""
        return median(gaps(self.runs)) if self.runs else inf

    @property
    def success(self) -> float:
        """The share of the searches that came within 1 % of the optimum."""
        return sum(gap <= NEAR for gap in gaps(self.runs)) / max(1, len(self.runs))

    @property
    def samples_to_near(self) -> float:
        """The median of the samples until a search was within 1 %, infinite where most never were."""
        return median(samples_to(run, NEAR) for run in self.runs) if self.runs else inf

    def mean(self, what: str) -> float:
        """The mean of a number of each search."""
        return float(sum(run[what] for run in self.runs)) / max(1, len(self.runs))

    def to_dict(self) -> dict[str, Any]:
        """As plain data; numbers that are not finite are null."""
        found = self.found or {}
        return {
            "layer": self.layer,
            "technique": self.technique,
            "message": self.message,
            "optimum": found.get("optimum"),
            "gap": _finite(self.gap),
            "success": self.success,
            "samples_to_1_percent": _finite(self.samples_to_near),
            "samples": self.mean("samples"),
            "illegal": self.mean("illegal"),
            "repeated": self.mean("repeated"),
            "technique_seconds": self.mean("technique_seconds"),
            "scoring_seconds": self.mean("scoring_seconds"),
            "simulated": found.get("simulated"),
            "simulated_optimum": found.get("simulated_optimum"),
            "runs": self.runs,
        }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


@dataclass(frozen=True)
class SearchReport:
    """Techniques compared on the layers of a network."""

    hardware: str
    network: str
    objective: Objective
    budget: int
    seeds: int
    searched: tuple[Searched, ...]
    unsupported: tuple[str, ...] = ()
    interrupted: bool = False

    @classmethod
    def of(
        cls, jobs: Sequence[Job], outcomes: JobOutcomes, network: str, unsupported: Sequence[str] = ()
    ) -> SearchReport:
        """What is there of some jobs of searches."""
        searched = []
        for job in jobs:
            if job.key in outcomes.found:
                found = outcomes.found[job.key]
                searched.append(Searched(job.name, job.options["technique"], found.found, found.message))
        options = jobs[0].options
        return cls(
            jobs[0].hardware.name, network, options["objective"], options["budget"], options["seeds"], tuple(searched),
            tuple(unsupported), outcomes.interrupted,
        )  # fmt: skip

    @property
    def failures(self) -> list[str]:
        """Why searches failed."""
        return [f"{each.layer}, {each.technique}: {each.message}" for each in self.searched if each.message is not None]

    def to_dict(self) -> dict[str, Any]:
        """The document of ``compare-search --json``."""
        return {
            "hardware": self.hardware,
            "network": self.network,
            "objective": self.objective,
            "budget": self.budget,
            "seeds": self.seeds,
            "searched": [each.to_dict() for each in self.searched],
            "unsupported": list(self.unsupported),
            "interrupted": self.interrupted,
        }

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each layer and technique. Raises NotSupportedError without pandas."""
        return frame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """A row for each layer and technique, without its runs."""
        return [{name: value for name, value in each.to_dict().items() if name != "runs"} for each in self.searched]

    def page(self) -> Page:
        """The table."""
        columns = [Column("layer", number=False), Column("technique", number=False)]
        columns += [Column(name, spare=spare) for name, spare in NUMBERS.items()]
        simulated = any(each.found and "simulated_optimum" in each.found for each in self.searched)
        columns += [Column("simulated")] if simulated else []
        rows = []
        for place, each in enumerate(self.searched):
            last = place + 1 == len(self.searched) or self.searched[place + 1].layer != each.layer
            first = place == 0 or self.searched[place - 1].layer != each.layer
            rows.append(
                Row(
                    [each.layer if first else "", each.technique, *_cells(each, simulated=simulated)], ends_section=last
                )
            )
        aim = {"cycles": "cycles", "energy": "energy"}.get(self.objective, "energy times cycles")
        seeds, samples = plural(self.seeds, "seed"), plural(self.budget, "sample")
        notes = [
            f"gap: {aim} over those of the proven optimum, less 1: the median of {seeds}, the best and the worst",
            f"each search had {samples}, of which illegal and repeated ones are not given back",
        ]
        if simulated:
            notes.append(f"simulated: {aim} of the median search's mapping over those of the optimum, both simulated")
        notes += self.unsupported
        return Page(f"{self.network} on {self.hardware}: searches", columns, rows, notes)


def _cells(each: Searched, *, simulated: bool) -> list[str]:
    if not each.runs:
        return ["failed" if each.message else "-", *[""] * (10 if simulated else 9)]
    found, reached = each.found or {}, gaps(each.runs)
    cells = [
        *(percent(gap) for gap in (each.gap, min(reached), max(reached))),
        f"{each.success:.0%}",
        f"{each.samples_to_near:,.0f}" if isfinite(each.samples_to_near) else "-",
        *(f"{each.mean(what):,.0f}" for what in ("samples", "illegal", "repeated")),
        *(f"{each.mean(what):.2f}" for what in ("technique_seconds", "scoring_seconds")),
    ]
    if simulated:
        cells.append(f"{found['simulated'] / found['simulated_optimum']:.3f}" if "simulated" in found else "-")
    return cells


def percent(gap: float) -> str:
    """A gap in percent."""
    return f"{gap:.1%}" if isfinite(gap) else "-"
