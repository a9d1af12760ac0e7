"""The mapper: which mapping of a layer onto a fabric is best."""

from maerisim.analytic import Objective
from mapper.heuristic import Choice, find_mapping

__all__ = ["Choice", "Objective", "find_mapping"]
