"""The mapper: which mapping of a layer onto a fabric is best."""

from maerisim.analytic.objective import Objective
from mapper.choice import Choice, Watch
from mapper.explaining import explain_choice
from mapper.find import find_by_buffer, find_mapping
from mapper.front import FrontPoint, find_front
from mapper.fused import FusedChoice, find_fused
from mapper.proof import PROOF, Effort

__all__ = [
    "PROOF",
    "Choice",
    "Effort",
    "FrontPoint",
    "FusedChoice",
    "Objective",
    "Watch",
    "explain_choice",
    "find_by_buffer",
    "find_front",
    "find_fused",
    "find_mapping",
]
