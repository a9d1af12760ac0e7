"""The layers of a network with their profiles, and the loops of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from maerisim.reports.findings import Findings, LayerReport, NetworkReport
from maerisim.reports.pace import pace_json
from maerisim.reports.profile import Profile
from maerisim.reports.profile_json import profile_json
from maerisim.reports.provenance import provenance
from maerisim.reports.replay import Replay
from maerisim.workload.problem import DIMENSIONS


@dataclass(frozen=True)
class ProfiledLayer:
    """A layer with its mapping, simulated, the profile of that run, and on demand what it looks like."""

    layer: LayerReport
    profile: Profile
    replay: Replay | None = None

    @property
    def loops(self) -> list[TurningLoop]:
        """The loops that turn, outermost first; none for a sparse layer, where each set of filters has its own."""
        problem, mapping = self.layer.problem, self.layer.mapping
        if problem.sparsity is not None:
            return []
        sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
        found = []
        for dimension, step in mapping.loops:
            size = sizes[dimension]
            if step < size:
                found.append(TurningLoop(dimension, -(-size // step), step, size % step or step))
                sizes[dimension] = step
        return found


class TurningLoop(NamedTuple):
    """A temporal loop: how many ``tiles`` of ``size`` a dimension is cut into, and the size of the ``last``.

    Where an earlier loop walks blocks of the same dimension, the tiles of a full block, and the last of those.
    """

    dimension: str
    tiles: int
    size: int
    last: int


@dataclass(frozen=True)
class ProfileReport(Findings[ProfiledLayer]):
    """The layers of a network with their profiles."""

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``report``."""
        results, energies = self.results, self.hardware.energy
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "layers": [
                results.layer_dict(each.layer)
                | {"loops": [loop._asdict() for loop in each.loops]}
                | profile_json(each.profile, energies)
                for each in self.layers
            ],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "total_cycles": results.total_cycles,
            "total_energy": results.total_energy,
            "total_dram_energy": self.total_dram_energy,
            "total_code_bits": self.total_code_size,
            **pace_json(results),
            "interrupted": self.interrupted,
            "provenance": provenance(self.hardware, results.layers),
        }

    def to_html(self) -> str:
        """One page that needs no network. Raises NotSupportedError without jinja2."""
        from maerisim.reports.html.page import page

        return page(self)

    @property
    def results(self) -> NetworkReport:
        """The same without the profiles."""
        return self.reports(lambda profiled: profiled.layer)

    @property
    def total_dram_energy(self) -> float:
        """Of all layers, each times its count."""
        return math.fsum(each.profile.dram_energy * each.layer.count for each in self.layers)

    @property
    def total_code_size(self) -> int:
        """Bits of the code of all layers, each once."""
        return sum(each.profile.code_size for each in self.layers)
