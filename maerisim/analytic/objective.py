"""What a mapping should make small."""

from __future__ import annotations

from typing import Literal

Objective = Literal["cycles", "energy", "edp", "energy_efficiency"]
"""What a mapping should make small, or large: ``edp`` is the energy-delay product, cycles times energy, and
``energy_efficiency`` the performance (operations per cycle) per energy. For one layer both have the same best mapping.
"""


def score(objective: Objective, cycles: float, energy: float) -> tuple[float, float]:
    """What an objective makes small, and what decides between equals."""
    if objective == "energy":
        return energy, cycles
    return (cycles if objective == "cycles" else cycles * energy), energy
