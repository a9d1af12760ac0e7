"""What all references do: make a tile as large as the array takes, and refuse with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from maerisim.errors import MappingError
from maerisim.fabric.choose import topology_of
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.space import sizes_without_waste


def fits(mapping: Mapping, problem: Problem, hardware: Hardware) -> bool:
    """Whether the virtual neurons find room, with a switch more in each for a returning partial sum if there are any."""
    size = mapping.vn_size + mapping.spills(problem, hardware)
    return (mapping.vn_count - 1) * topology_of(hardware).block(size) + size <= hardware.multipliers


def with_size(mapping: Mapping, dimension: str, size: int) -> Mapping:
    """The mapping with another tile size in one dimension."""
    return replace(mapping, tile=Mapping.of(mapping.T | {dimension: size}).tile)


def grown(mapping: Mapping, dimensions: Sequence[str], problem: Problem, hardware: Hardware) -> Mapping:
    """The mapping with each of the ``dimensions`` in turn as large as there is room, none only to leave a smaller edge."""
    for dimension in dimensions:
        size = problem.dims[DIMENSIONS.index(dimension)]
        for tile in reversed(sizes_without_waste(size, hardware.multipliers)):
            larger = with_size(mapping, dimension, tile)
            if tile > mapping.tile_of(dimension) and fits(larger, problem, hardware):
                mapping = larger
                break
    return mapping


def first_legal(name: str, mappings: Iterable[Mapping], problem: Problem, hardware: Hardware) -> Mapping:
    """The first mapping without violations. Raises MappingError with those of the last one when there is none."""
    if hardware.controller.kind == "lock_step":
        why = f"the controller of {hardware.name} has one layout for each layer, there is nothing to choose"
        raise MappingError(name, [why])
    if problem.sparsity is not None:
        raise MappingError(
            name, ["it keeps whole filters, and those of a sparse layer have virtual neurons of unequal size"]
        )
    violations: list[str] = []
    for mapping in mappings:
        violations = mapping.check(problem, hardware)
        if not violations:
            return mapping
    raise MappingError(name, violations)
