"""Which filters of a sparse layer are on the array together, and how much of each at once.

Zeros take no switch: a virtual neuron holds nonzero weights of one filter, so that virtual neurons differ in size. A
mapping's tile counts them by C; its tile of K is the most filters (of all groups) at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from maerisim.fabric.choose import topology_of
from maerisim.fabric.topology import Topology
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem

POSITIONS = ("N", "P", "Q")
"""Dimensions that tell the outputs of a filter apart."""


@dataclass(frozen=True)
class Round:
    """``filters`` that share the array, the multiplier switches of each one's virtual neurons, and the ``folds`` (control
    steps) that an output takes.
    """

    filters: tuple[int, ...]
    sizes: tuple[int, ...]
    folds: int

    @classmethod
    def of(cls, nonzeros: dict[int, int], most: int) -> Round:
        """The filters with so many ``nonzeros`` each, the largest with at most ``most`` at once.

        The others take as many folds, and fewer switches.
        """
        folds = -(-max(nonzeros.values()) // most)
        return cls(tuple(nonzeros), tuple(-(-count // folds) for count in nonzeros.values()), folds)


@dataclass(frozen=True)
class VirtualNeuron:
    """A virtual neuron of a round: which of its filters, at which place in the tile of N, P and Q."""

    filter: int
    place: dict[str, int]


def nonzeros(problem: Problem) -> dict[int, int]:
    """Nonzero weights of each filter that has any, filters of all groups numbered in order."""
    counts = problem.mask.sum(axis=(1, 2, 3)).tolist()
    return {number: count for number, count in enumerate(counts) if count}


def rounds(problem: Problem, mapping: Mapping, hardware: Hardware) -> tuple[Round, ...]:
    """All rounds: filters in order, in each as many as the array has room for and the tile of K allows."""
    found: list[Round] = []
    waiting: dict[int, int] = {}
    most, topology = mapping.tile_of("C"), topology_of(hardware)
    for number, count in nonzeros(problem).items():
        larger = Round.of({**waiting, number: count}, most)
        if waiting and (
            len(waiting) == mapping.tile_of("K") or switches(larger, mapping, topology) > hardware.multipliers
        ):
            found.append(Round.of(waiting, most))
            waiting = {}
        waiting[number] = count
    return (*found, *([Round.of(waiting, most)] if waiting else []))


def positions(mapping: Mapping) -> int:
    """Outputs of a filter at once."""
    return prod(mapping.tile_of(name) for name in POSITIONS)


def virtual_neurons(round_: Round, mapping: Mapping) -> Iterator[VirtualNeuron]:
    """The virtual neurons along the array, in the order of the mapping's placement."""
    names = [name for name in mapping.placement if name != "G"]
    ranges = [range(len(round_.filters) if name == "K" else mapping.tile_of(name)) for name in names]
    for indices in product(*ranges):
        place = dict(zip(names, indices, strict=True))
        yield VirtualNeuron(place.pop("K"), place)


def starts(sizes: Sequence[int], topology: Topology) -> list[int]:
    """The first multiplier switch of each of several virtual neurons side by side, and the first behind them."""
    found, free = [], 0
    for size in sizes:
        multiple = topology.alignment(size)
        free = -(-free // multiple) * multiple
        found.append(free)
        free += topology.block(size)
    return [*found, found[-1] + sizes[-1]]


def switches(round_: Round, mapping: Mapping, topology: Topology) -> int:
    """Multiplier switches up to the last that a round uses."""
    if all(topology.alignment(size) == 1 for size in set(round_.sizes)):
        return sum(round_.sizes) * positions(mapping)
    return starts([round_.sizes[vn.filter] for vn in virtual_neurons(round_, mapping)], topology)[-1]


def trips(problem: Problem, mapping: Mapping, round_: Round) -> dict[str, int]:
    """Iterations of each temporal loop of a round, outermost first: over N, P, Q and the folds (C)."""
    order = [name for name in mapping.order if name in (*POSITIONS, "C")]
    return {
        name: round_.folds if name == "C" else -(-getattr(problem, name) // mapping.tile_of(name)) for name in order
    }


def live_partial_sums(problem: Problem, mapping: Mapping, round_: Round) -> int:
    """Outputs begun and not complete at once: 0 when each is complete after a single control step."""
    if round_.folds == 1:
        return 0
    turning = trips(problem, mapping, round_)
    inside = list(turning)[list(turning).index("C") + 1 :]
    return len(round_.filters) * positions(mapping) * prod(turning[name] for name in inside)


def violations(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    """Every constraint that a mapping of a sparse layer violates, in words with numbers; its sizes are at least 1."""
    counts = nonzeros(problem)
    if not counts:
        return ["every weight is zero, there is nothing to run"]
    largest, filters = max(counts.values()), problem.G * problem.K
    found = [
        f"the tile of {name} is {mapping.tile_of(name)}, expected 1: in a sparse layer C counts the nonzero weights of a "
        f"virtual neuron and K the filters of all groups"
        for name in ("G", "R", "S")
        if mapping.tile_of(name) > 1
    ]
    if mapping.tile_of("C") > largest:
        found.append(f"the tile of C is {mapping.tile_of('C')}, more than the {largest} nonzero weights of any filter")
    if mapping.tile_of("K") > filters:
        found.append(f"the tile of K is {mapping.tile_of('K')}, more than the {filters} filters")
    if any(mapping.order.index(name) < mapping.order.index("K") for name in (*POSITIONS, "C")):
        found.append(
            f"the filters of a sparse layer change outermost: expected K before N P Q C, found {' '.join(mapping.order)}"
        )
    at_once = positions(mapping)
    needed = starts([min(largest, mapping.tile_of("C"))] * at_once, topology_of(hardware))[-1]
    if needed > hardware.multipliers:
        found.append(
            f"{at_once} virtual neurons of {mapping.tile_of('C')} need {needed} multipliers, "
            f"{hardware.multipliers} are there"
        )
    if found:
        return found
    live = max(live_partial_sums(problem, mapping, round_) for round_ in rounds(problem, mapping, hardware))
    if live > hardware.accumulation_words:
        found.append(
            f"{live} partial sums are live, the accumulation buffer holds {hardware.accumulation_words} "
            f"(C further in, or fewer filters at once, needs fewer)"
        )
    return found
