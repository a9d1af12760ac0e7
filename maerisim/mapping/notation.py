"""How layers, mappings and numbers read in few words."""

from __future__ import annotations

from maerisim.hardware.energy import EnergyTable
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import FusedProblem, Problem


def counted(name: str, occurrences: int) -> str:
    return name if occurrences == 1 else f"{name} ×{occurrences}"


def mapping_words(problem: Problem, mapping: Mapping) -> str:
    """The tiles that are not 1, then the loops that turn more than once, outermost first."""
    tile, sizes = mapping.T, dims(problem)
    loops = zip(mapping.order, mapping.written_order, strict=True)
    spatial = " ".join(f"{dim}{size}" for dim, size in tile.items() if size > 1) or "one multiplier"
    temporal = " ".join(written for dim, written in loops if sizes[dim] > tile[dim])
    return f"{spatial} | {temporal}" if temporal else spatial


def dims_words(problem: Problem) -> str:
    """The dimensions that are not 1, as in ``K96 C3 R11``."""
    return " ".join(f"{dim}{size}" for dim, size in dims(problem).items() if size > 1)


def size_words(problem: Problem | FusedProblem) -> str:
    """The same, for both of two fused layers."""
    parts = (problem.first, problem.second) if isinstance(problem, FusedProblem) else (problem,)
    return ", then ".join(map(dims_words, parts))


def dims(problem: Problem) -> dict[str, int]:
    """Size by dimension, in the order N G K C R S P Q."""
    return {name: getattr(problem, name) for name in "NGKCRSPQ"}


def whole(value: int | None) -> str:
    """Digits in groups of three; nothing for a number that is not known."""
    return "" if value is None else f"{value:,}"


def percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}%"


def signed_percent(fraction: float | None) -> str:
    """A signed percentage; a zero has no sign."""
    if fraction is None:
        return ""
    text = f"{100 * fraction:+.2f}%"
    return text if text.strip("+-0.%") else "0.00%"


_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))


def measured(value: float, unit: str) -> str:
    """A physical quantity in three digits, as in ``12.4 ms``."""
    rounded = float(f"{value:.3g}")
    for size, prefix in (*_PREFIXES, (1e-12, "p")):
        if rounded >= size:
            scaled = rounded / size
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} {prefix}{unit}"
    return f"{rounded:g} {unit}"


def energy_words(value: float, table: EnergyTable) -> str:
    """An energy in the unit of the table, or in joules where that is one of them."""
    return quantity(value) if table.joules is None else measured(value * table.joules, "J")


def quantity(value: float) -> str:
    """A number in three digits and a unit prefix, as in ``12.4 M``."""
    rounded = float(f"{value:.3g}")
    for unit, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")):
        if rounded >= unit:
            scaled = rounded / unit
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}{prefix}"
    return f"{rounded:g}"
