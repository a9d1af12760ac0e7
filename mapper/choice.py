"""What a search for a mapping ends with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maerisim.analytic.certificate import Certificate
from maerisim.analytic.predicted import Estimate
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping


@dataclass(frozen=True)
class Choice:
    """The mapping chosen: ``candidates`` were estimated, ``reason`` says in a sentence why this one won.

    The ``certificate`` says how far from the best it can be; None where there is no search to proof. ``runners_up`` are the
    best of the other mappings that such a search simulated, the best first, one of those that score the same.
    """

    mapping: Mapping
    estimate: Estimate
    candidates: int
    reason: str
    certificate: Certificate | None = None
    runners_up: tuple[Mapping, ...] = ()


Watch = Callable[[Choice], None]
"""Called during a search with the best so far, each time that it or what is known of it gets better."""


def pace(expected: Estimate, hardware: Hardware) -> str:
    """What sets the pace of a mapping."""
    return {
        "multipliers": "the multipliers set the pace, one control step a cycle",
        "distribution": f"{_busiest(hardware.ports, 'distribution port')} sets the pace",
        "collection": f"{_busiest(hardware.buses, 'collection bus')} sets the pace",
        "dram": f"DRAM sets the pace with {hardware.dram.bandwidth} words a cycle",
    }[expected.limited_by]


def _busiest(number: int, resource: str) -> str:
    return f"the {resource}" if number == 1 else f"the busiest {resource} of {number}"


def share_of_bound(expected: Estimate) -> str:
    """How close a mapping is to what none can undercut."""
    return f"{expected.bound_cycles / expected.cycles:.0%} of the bound of any mapping"
