"""What one event of each kind costs: the prices. What is paid for with them says :mod:`maerisim.counts.events`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from maerisim.documents import Model

Energy = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EnergyTable(Model):
    """Energy of one event of each kind, in ``unit``."""

    unit: str = Field("normalised to one multiplication", description="what the numbers below are multiples of")
    multiply: Energy = Field(1.0, description="one multiplication")
    add: Energy = Field(1.0, description="one addition in an adder switch")
    multiplier_switch_access: Energy = Field(1.0, description="one word through a multiplier switch")
    distribution_switch_access: Energy = Field(1.0, description="one word through a distribution switch")
    reduction_switch_access: Energy = Field(1.0, description="one word through an adder switch")
    register_access: Energy = Field(1.0, description="one operand register read or written")
    global_buffer_access: Energy = Field(8.0, description="one word read from or written to the global buffer")
    accumulation_buffer_access: Energy = Field(1.0, description="one partial sum read or written")
    dram_access: Energy = Field(54.0, description="one word read from or written to DRAM")
