"""The mapper: which mapping of a layer onto a fabric is best."""

from maerisim.analytic import Objective
from mapper.find import Choice, Point, find_front, find_mapping
from mapper.search import PROOF, Effort

__all__ = ["PROOF", "Choice", "Effort", "Objective", "Point", "find_front", "find_mapping"]
