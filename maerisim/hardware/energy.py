"""What one event of each kind costs: the prices. What is paid for with them says :mod:`maerisim.counts.events`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from maerisim.documents import Model, described

JOULES = {"fJ": 1e-15, "pJ": 1e-12, "nJ": 1e-9, "uJ": 1e-6, "mJ": 1e-3, "J": 1.0}
"""The units with which energies are more than ratios."""


def _number(value: object) -> object:
    match = re.fullmatch(rf"[0-9.]+\s*({'|'.join(JOULES)})", value) if isinstance(value, str) else None
    if match:
        raise ValueError(
            f"expected a number; all have one unit, 'unit: {match[1]}' beside them, found {described(value)}"
        )
    return value


Energy = Annotated[float, Field(ge=0, le=1e30, allow_inf_nan=False), BeforeValidator(_number)]


class EnergyTable(Model):
    """Energy of one event of each kind, in ``unit``."""

    unit: str = Field(
        "normalised to one multiplication",
        description="what the numbers below are multiples of; with pJ (or fJ, nJ, uJ, mJ, J) energies are in joules, and "
        "with a clock there are watts",
    )
    multiply: Energy = Field(1.0, description="one multiplication")
    add: Energy = Field(1.0, description="one addition in an adder switch")
    multiplier_switch_access: Energy = Field(1.0, description="one word through a multiplier switch")
    distribution_switch_access: Energy = Field(1.0, description="one word through a distribution switch")
    reduction_switch_access: Energy = Field(1.0, description="one word through an adder switch")
    register_access: Energy = Field(1.0, description="one operand register read or written")
    global_buffer_access: Energy = Field(8.0, description="one word read from or written to the global buffer")
    accumulation_buffer_access: Energy = Field(1.0, description="one partial sum read or written")
    dram_access: Energy = Field(54.0, description="one word read from or written to DRAM")

    @property
    def joules(self) -> float | None:
        """Joules of the unit; None where the numbers are ratios."""
        return JOULES.get(self.unit)
