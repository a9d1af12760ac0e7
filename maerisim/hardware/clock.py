"""The clock of a fabric, which turns cycles into seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from maerisim.documents import described

_HERTZ = {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9}
_WRITTEN = r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*([kMG]?Hz)"
HIGHEST = 1e12
"""Hertz of the fastest clock."""


def hertz(clock: str) -> float:
    """``200 MHz`` in hertz. Raises ValueError, which says what was expected."""
    match = re.fullmatch(_WRITTEN, clock.strip(), re.IGNORECASE)
    found = float(match[1]) * _HERTZ[match[2].lower()] if match else 0.0
    if not 0 < found <= HIGHEST:
        raise ValueError(f"expected a frequency such as 200 MHz, up to 1000 GHz, found {described(clock)}")
    return found


def _clock(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"expected a frequency with its unit, such as 200 MHz, found {described(value)}")  # noqa: TRY004
    hertz(value)
    return value


Clock = Annotated[str, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": f"^{_WRITTEN}$"})]
