"""The clock of a fabric, which turns cycles into seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from maerisim.documents import described

_HERTZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}
_WRITTEN = r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*([kMG]?Hz)"
HIGHEST = 1e12
"""Hertz of the fastest clock."""


def hertz(clock: str) -> float:
    """``200 MHz`` in hertz, however its letters are written. Raises ValueError, which says what was expected."""
    number, unit = _parts(clock)
    return float(number) * _HERTZ[unit]


def _parts(clock: str) -> tuple[str, str]:
    """The number and the unit."""
    match = re.fullmatch(_WRITTEN, clock.strip(), re.IGNORECASE)
    if match:
        unit = next(unit for unit in _HERTZ if unit.lower() == match[2].lower())
        if 0 < float(match[1]) * _HERTZ[unit] <= HIGHEST:
            return match[1], unit
    raise ValueError(f"expected a frequency such as 200 MHz, up to 1000 GHz, found {described(clock)}")


def _clock(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"expected a frequency with its unit, such as 200 MHz, found {described(value)}")  # noqa: TRY004
    return " ".join(_parts(value))


Clock = Annotated[str, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": f"^{_WRITTEN}$"})]
