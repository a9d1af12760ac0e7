"""How far estimates can be from simulations, as published: measured, not proven."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.hardware.hardware import Hardware


class ErrorBound(NamedTuple):
    """How far estimated cycles can be from simulated ones, as shares of the simulated."""

    over: float
    under: float


ERROR_BOUND = ErrorBound(over=0.03, under=0.03)
"""The published error of the estimates of good mappings: one estimated at E cycles takes between ``E / (1 + over)`` and
``E / (1 - under)`` cycles when it is simulated.

Measured, not proven: ``benchmarks/bench_estimate_error.py`` simulates the ten best mappings by estimate of all layers of the
shipped networks on the six shipped fabrics in full, and fails when one of them is further off. It says nothing of other
controllers, or of sparse layers, whose programs follow no closed form.
"""


_LARGEST_OVERESTIMATE, _LARGEST_OVERESTIMATE_WAITING = 0.06, 0.1


def largest_overestimate(hardware: Hardware) -> float:
    """By what share of itself the estimate of any mapping, good or bad, can be above the simulated cycles, as published.

    ``benchmarks/exhaustive.py`` measures it on every mapping of twenty small layers, ``benchmarks/vs_stonne_tiles.py`` where a
    controller waits for outputs.
    """
    return _LARGEST_OVERESTIMATE_WAITING if hardware.controller.wait_for_outputs else _LARGEST_OVERESTIMATE
