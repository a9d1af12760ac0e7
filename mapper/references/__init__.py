"""Mappings that others would choose, by name, so that "how much better" has a denominator."""

from __future__ import annotations

from collections.abc import Callable

from maerisim.analytic.objective import Objective
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem
from mapper.references.heuristic import heuristic
from mapper.references.mrna import mrna
from mapper.references.stationary import input_stationary, output_stationary, row_stationary, weight_stationary

Reference = Callable[[Problem, Hardware, Objective], Mapping]
"""A legal mapping of a layer for an objective. Raises MappingError that says why it has none."""

REFERENCES: dict[str, Reference] = {
    "heuristic": heuristic,
    "mrna": mrna,
    "weight_stationary": weight_stationary,
    "output_stationary": output_stationary,
    "input_stationary": input_stationary,
    "row_stationary": row_stationary,
}
