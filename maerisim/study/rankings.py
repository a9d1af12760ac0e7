"""The best mappings of a layer by estimate, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maerisim.analytic.ranking import Ranked, Ranking, rank
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.notation import dims
from maerisim.reports.frame import frame
from maerisim.study import warmup
from maerisim.study.forecast import foresee
from maerisim.study.tasks import FusedTask, StageTask, Study
from mapper.space import space_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LayerRanking:
    """The mappings of a layer with the best estimates, and how the others were ruled out."""

    hardware: Hardware
    layer: StageTask
    ranking: Ranking

    @property
    def best(self) -> tuple[Ranked, ...]:
        """The mappings with their estimates and scores, the best first."""
        return self.ranking.best

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the layer, and for each mapping what an entry of ``layers`` of ``map --json`` says of it."""
        return {
            "hardware": self.hardware.name,
            "layer": self.layer.name,
            "problem": dims(self.layer.problem),
            "estimated": self.ranking.estimated,
            "mappings": [
                {
                    "mapping": each.mapping.to_dict(),
                    "estimated_cycles": each.estimate.cycles,
                    "limited_by": each.estimate.limited_by,
                    "energy": each.estimate.counters.energy(self.hardware.energy),
                    "score": each.score,
                    "counters": each.estimate.counters.as_dict(),
                }
                for each in self.best
            ],
        }

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each mapping. Raises NotSupportedError without pandas."""
        return frame(self.to_dict()["mappings"])


def ranked(study: Study, count: int) -> LayerRanking:
    """The ``count`` best mappings of the one layer of a study.

    Raises NotSupportedError where mappings are not ranked: for several layers, fused or sparse ones, lock-step controllers,
    and limits of global buffer and DRAM.
    """
    fused = [task.name for task in study.tasks if isinstance(task, FusedTask)]
    names = [stage.name for stage in study.stages] + fused
    if len(names) != 1:
        raise NotSupportedError(f"mappings are ranked for one layer at a time, found {len(names)}: {', '.join(names)}")
    hardware = study.hardware
    if fused or hardware.controller.kind == "lock_step" or hardware.limits_memory or study.stages[0].problem.sparsity:
        raise NotSupportedError(
            "mappings are ranked for dense layers on decoupled controllers only, without limits of global buffer and DRAM"
        )
    (layer,) = study.stages
    foresee(study, None)
    warmup.ensure(["search"])
    space = space_of(layer.problem, hardware, layer.constraints)
    found = rank(
        layer.problem, hardware, space.tiles, study.objective, count, orders=space.orders, placements=space.placements
    )
    return LayerRanking(hardware, layer, found)
