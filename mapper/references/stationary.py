"""The dataflows that architects name by what stays in place (Sze et al., Efficient Processing of DNNs, 2017).

Each is the plain form: its loop order, and the dimensions that it spreads over the array, in this order, each as far as
there is room. Where partial sums would exceed the accumulation buffer, or a controller takes all folds of an output
together, the folding loops move inwards, as little as helps.
"""

from __future__ import annotations

from maerisim.analytic.objective import Objective
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem
from mapper.references.fitting import first_legal, grown


def weight_stationary(problem: Problem, hardware: Hardware, _: Objective = "cycles") -> Mapping:
    """Every multiplier keeps a weight of its own while all inputs pass (as in a TPU)."""
    orders = ("G K C R S N P Q", "G K N C R S P Q", "G K N P C R S Q", "G K N P Q C R S")
    return _laid_out("weight_stationary", problem, hardware, "SRCKG", orders)


def output_stationary(problem: Problem, hardware: Hardware, _: Objective = "cycles") -> Mapping:
    """Every multiplier works on an output of its own until that is complete (as in ShiDianNao)."""
    return _laid_out("output_stationary", problem, hardware, "QPKNG", ("N G K P Q C R S",))


def input_stationary(problem: Problem, hardware: Hardware, _: Objective = "cycles") -> Mapping:
    """Every multiplier keeps an input while all filters pass (as in SCNN)."""
    orders = ("N G C R S P Q K", "N G P C R S Q K", "N G P Q C R S K", "N G P Q K C R S")
    return _laid_out("input_stationary", problem, hardware, "SRCQPNG", orders)


def row_stationary(problem: Problem, hardware: Hardware, _: Objective = "cycles") -> Mapping:
    """A multiplier keeps a row of a filter and slides along a row of the input; the rows of a filter add up across
    multipliers, and several output rows are worked on at once (like Eyeriss).

    Raises MappingError for layers without filter rows.
    """
    if problem.R == problem.S == 1:
        msg = "row_stationary"
        raise MappingError(msg, ["the layer has filters of a single tap, which have no rows to keep"])
    orders = ("N G K C R P Q S", "N G K P C R Q S", "N G K P Q C R S")
    return _laid_out("row_stationary", problem, hardware, "RPKCG", orders)


def _laid_out(name: str, problem: Problem, hardware: Hardware, spread: str, orders: tuple[str, ...]) -> Mapping:
    """The first order without partial sums in the global buffer, else the last; spread as far as there is room."""
    candidates = [grown(Mapping.of({}, order), spread, problem, hardware) for order in orders]
    kept = [mapping for mapping in candidates if not mapping.spills(problem, hardware)]
    return first_legal(name, [*kept, candidates[-1]], problem, hardware)
