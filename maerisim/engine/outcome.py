"""What the engines tell while they run, and what they have measured in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maerisim.counts.counters import Counters

Progress = Callable[[int, int], None]
"""Called now and then with the results that have left, and how many will."""


@dataclass(frozen=True)
class Run:
    """``cycles`` from the first word sent to the last result written, counts, the cycles up to the first result, and
    those that were ``stepped`` instead of skipped, over all parts of the fabric that ran apart.
    """

    cycles: int
    counters: Counters
    first_result: int
    stepped: int
