"""The mapper: which mapping of a layer onto a fabric is best."""

from mapper.heuristic import Choice, Objective, find_mapping

__all__ = ["Choice", "Objective", "find_mapping"]
