"""How far estimates can be from simulations, as published: measured, not proven."""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple

from maerisim.hardware.hardware import Hardware


class PublishedError(NamedTuple):
    """How far the estimates of some mappings can be from their simulations.

    ``over`` and ``under``: by what share ``of`` the simulated or the estimated cycles the estimate can be above and below
    the simulated ones; ``under`` is infinite where nothing depends on it. ``measured_by`` fails when one is further off.
    """

    mappings: str
    measured_by: str
    of: Literal["simulated", "estimated"]
    over: float
    under: float


GOOD = PublishedError(
    mappings="the ten best by estimate of all shipped layers on the shipped fabrics of 32 to 512 multipliers, and with STONNE's controller",
    measured_by="benchmarks/bench_estimate_error.py",
    of="simulated",
    over=0.03,
    under=0.03,
)
ANY = PublishedError(
    mappings="every mapping, good or bad, of twenty small layers",
    measured_by="benchmarks/exhaustive.py",
    of="estimated",
    over=0.06,
    under=inf,
)
ANY_WAITING = PublishedError(
    mappings="every mapping of fourteen small layers, random ones of six more, where a controller waits for outputs",
    measured_by="benchmarks/exhaustive.py --hardware stonne,multipliers=16",
    of="estimated",
    over=0.06,
    under=inf,
)
ANY_RETURNING = PublishedError(
    mappings="200 random mappings of each of twenty small layers where partial sums return to a controller that waits for outputs",
    measured_by="benchmarks/exhaustive.py --sample 200 --hardware stonne,multipliers=16,accumulation.words=0",
    of="estimated",
    over=0.2,
    under=inf,
)
ANY_NEST = PublishedError(
    mappings="every nest of loops, good or bad, of fourteen smaller layers, of whose some 30 cycles and more each counts",
    measured_by="benchmarks/exhaustive.py --nests",
    of="simulated",
    over=0.04,
    under=0.01,
)
PUBLISHED = (GOOD, ANY, ANY_WAITING, ANY_RETURNING, ANY_NEST)
"""All that is published. It says nothing of sparse layers, whose programs follow no closed form."""


def largest_overestimate(hardware: Hardware) -> float:
    """By what share of itself the estimate of any mapping of a dense layer can be above the simulated cycles.

    A controller that waits for outputs takes all folds of an output together, so that no more partial sums are live than there are
    virtual neurons.
    """
    if not hardware.controller.wait_for_outputs:
        return ANY.over
    return (ANY_RETURNING if hardware.accumulation_words < hardware.multipliers else ANY_WAITING).over
