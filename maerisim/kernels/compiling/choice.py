"""Which compiler kernels get: numba with parts of its insides replaced, or numba as it comes (*stock*).

With the parts (:mod:`maerisim.kernels.compiling.insides`) compiling takes a twentieth of the time, and estimates run twice as fast;
results are the same. They build on private members of numba, so they are left alone with a version that they
were not tried with. This module does not import numba.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache

SWITCH = "MAERISIM_STOCK_NUMBA"
"""The environment variable that chooses stock numba when it is neither empty nor 0."""

TRIED = (0, 61), (0, 68)
"""The first and the last version of numba whose insides are known."""


def is_stock() -> bool:
    """Whether kernels are compiled by stock numba: by hand, or because its version is unknown."""
    return os.environ.get(SWITCH, "0") not in ("", "0") or not is_tried(numba_version())


def is_tried(version: str) -> bool:
    """Whether the insides of a version of numba are known; they change between minor versions."""
    number = re.match(r"(\d+)\.(\d+)", version)
    return number is not None and TRIED[0] <= (int(number[1]), int(number[2])) <= TRIED[1]


@cache
def numba_version() -> str:
    """The version of numba that is installed."""
    from importlib.metadata import version

    return version("numba")


def hide_scipy() -> None:
    """As if SciPy were not installed: numba looks for it, for half a second, and no kernel needs it."""
    vars(sys)["modules"].setdefault("scipy", None)


def show_scipy() -> None:
    """For what does need it."""
    modules = vars(sys)["modules"]
    if modules.get("scipy", ...) is None:
        del modules["scipy"]
