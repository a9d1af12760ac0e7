"""The mapper: which mapping of a layer onto a fabric is best."""

from maerisim.analytic import Objective
from mapper.fused import FusedChoice, find_fused
from mapper.heuristic import Choice, find_mapping

__all__ = ["Choice", "FusedChoice", "Objective", "find_fused", "find_mapping"]
