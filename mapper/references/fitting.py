"""What all references do: make a tile as large as the array takes, and refuse with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.legality import switches_needed
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import way_of
from maerisim.workload.problem import Problem
from mapper.space import tile_sizes


def fits(mapping: Mapping, problem: Problem, hardware: Hardware) -> bool:
    """Whether the virtual neurons find room, with a switch more in each for a returning partial sum if there are any."""
    size = mapping.vn_size + mapping.spills(problem, hardware)
    return switches_needed(mapping.vn_count, size, hardware) <= hardware.multipliers


def with_size(mapping: Mapping, dimension: str, size: int) -> Mapping:
    """The mapping with another tile size in one dimension."""
    return replace(mapping, tile=Mapping.of(mapping.T | {dimension: size}).tile)


def grown(mapping: Mapping, dimensions: Sequence[str], problem: Problem, hardware: Hardware) -> Mapping:
    """The mapping with each of the ``dimensions`` in turn as large as there is room, none only to leave a smaller edge."""
    for dimension in dimensions:
        for tile in reversed(tile_sizes(problem, dimension, hardware)):
            larger = with_size(mapping, dimension, tile)
            if tile > mapping.tile_of(dimension) and fits(larger, problem, hardware):
                mapping = larger
                break
    return mapping


def first_legal(name: str, mappings: Iterable[Mapping], problem: Problem, hardware: Hardware) -> Mapping:
    """The first mapping without violations. Raises MappingError with those of the last one when there is none."""
    way = way_of(problem, hardware)
    if way.space == "one_layout":
        why = f"the controller of {hardware.name} has one layout for each layer, there is nothing to choose"
        raise MappingError(name, [why])
    if way.space == "sets_of_filters":
        raise MappingError(
            name, ["it keeps whole filters, and those of a sparse layer have virtual neurons of unequal size"]
        )
    violations: list[str] = []
    for mapping in mappings:
        violations = way.violations(mapping)
        if not violations:
            return mapping
    raise MappingError(name, violations)
