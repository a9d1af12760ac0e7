"""The experiments by name: a file for each, with its jobs, its work, its table and its figure."""

from __future__ import annotations

from maerisim.laboratory.experiment import LabExperiment
from maerisim.laboratory.experiments import (
    ablation,
    axes,
    convergence,
    densities,
    factors,
    orders,
    projection,
    published,
    warm,
    warm_proof,
)

EXPERIMENTS: dict[str, LabExperiment] = {
    each.name: each
    for each in (
        factors.EXPERIMENT,
        orders.EXPERIMENT,
        axes.EXPERIMENT,
        projection.EXPERIMENT,
        published.EXPERIMENT,
        warm.EXPERIMENT,
        warm_proof.EXPERIMENT,
        ablation.EXPERIMENT,
        densities.EXPERIMENT,
        convergence.EXPERIMENT,
    )
}
"""In the order in which they are run: those that take little time first."""
