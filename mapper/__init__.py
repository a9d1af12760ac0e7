"""The mapper: which mapping of a layer onto a fabric is best."""

from maerisim.estimate.objective import Objective
from mapper.find import Choice, Point, find_front, find_mapping
from mapper.fused import FusedChoice, find_fused
from mapper.search import PROOF, Effort

__all__ = [
    "PROOF",
    "Choice",
    "Effort",
    "FusedChoice",
    "Objective",
    "Point",
    "find_front",
    "find_fused",
    "find_mapping",
]
