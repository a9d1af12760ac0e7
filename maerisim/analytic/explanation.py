"""Why a mapping was chosen: what the next best would cost, and what a step away from it in each dimension would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maerisim.mapping.mapping import Mapping


@dataclass(frozen=True)
class Cost:
    """What the simulation of a mapping took.

    ``words`` were sent by the distribution ports, which waited ``port_stalls`` cycles for full queues; ``utilization`` is the
    share of the multipliers' cycles in which they worked.
    """

    cycles: int
    energy: float
    words: int
    utilization: float
    port_stalls: int

    def worse(self, chosen: Cost) -> dict[str, float | None]:
        """At what this is worse than the ``chosen`` one: by what share of that, None where that has none."""
        pairs = {
            "cycles": (self.cycles, chosen.cycles),
            "energy": (self.energy, chosen.energy),
            "words": (self.words, chosen.words),
            "utilization": (-self.utilization, -chosen.utilization),
            "port_stalls": (self.port_stalls, chosen.port_stalls),
        }
        return {
            name: (mine - theirs) / abs(theirs) if theirs else None
            for name, (mine, theirs) in pairs.items()
            if mine > theirs
        }


@dataclass(frozen=True)
class Alternative:
    """A mapping that was not chosen: how it differs (``change``), and its ``cost``, or why it cannot run (``refused``)."""

    change: str
    mapping: Mapping
    cost: Cost | None
    refused: str = ""

    def as_dict(self, chosen: Cost) -> dict[str, Any]:
        """For JSON; ``worse`` is relative to the ``chosen`` mapping's cost."""
        return {
            "change": self.change,
            "mapping": self.mapping.to_dict(),
            **(dict.fromkeys(Cost.__dataclass_fields__) if self.cost is None else vars(self.cost)),
            "worse": None if self.cost is None else self.cost.worse(chosen),
            "refused": self.refused or None,
        }


@dataclass(frozen=True)
class Explanation:
    """What the ``chosen`` mapping takes; the best that were ``rejected``, and the ``neighbours``.

    A neighbour has one tile size halved or doubled, or a loop over blocks less. All were simulated in full. ``closed_by``
    says in words which bound keeps others from being better.
    """

    closed_by: str
    chosen: Cost
    rejected: tuple[Alternative, ...]
    neighbours: tuple[Alternative, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "closed_by": self.closed_by,
            "chosen": dict(vars(self.chosen)),
            "rejected": [each.as_dict(self.chosen) for each in self.rejected],
            "neighbours": [each.as_dict(self.chosen) for each in self.neighbours],
        }
