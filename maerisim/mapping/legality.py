"""Whether a mapping can run: every rule, and the value that says that it was checked.

Which rules hold depends on the way in which a layer runs: :mod:`maerisim.ways` calls them. Violations are in words with
numbers, none when a mapping can run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import prod
from typing import Generic, TypeVar

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.fabric.choose import topology_of
from maerisim.hardware.hardware import Hardware
from maerisim.mapping import buffer_fit, sparse_rounds
from maerisim.mapping.fused import WORDS, FusedMapping, shares
from maerisim.mapping.mapping import REDUCED, REPLICATED, Mapping, order_violations
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem

ProblemT = TypeVar("ProblemT")
MappingT = TypeVar("MappingT")


@dataclass(frozen=True, slots=True)
class Legal(Generic[ProblemT, MappingT]):
    """A mapping of a problem that runs on the hardware: it was checked, or it is a part of one that was.

    Lowering, estimates and runs take it and check nothing again; :func:`maerisim.ways.way.legal` makes one.
    """

    problem: ProblemT
    mapping: MappingT
    hardware: Hardware


LegalLayer = Legal[Problem, Mapping]
LegalPair = Legal[FusedProblem, FusedMapping]


# --- Room on the array ------------------------------------------------------------------------------------------------


def switches_needed(count: int, size: int, hardware: Hardware) -> int:
    """Multiplier switches up to the last of ``count`` virtual neurons of ``size`` side by side.

    The kernels of the estimate have a twin, with a table of ``blocks``: see :mod:`maerisim.kernels.estimating.orders`.
    """
    return (count - 1) * topology_of(hardware).block(size) + size


def fits_array(counts: Ints, sizes: Ints, hardware: Hardware) -> Mask:
    """Where so many virtual neurons of such sizes, none larger than the array has switches, find room on it."""
    block = topology_of(hardware).block
    blocks = np.array([1, *(block(size) for size in range(1, hardware.multipliers + 1))])
    return np.asarray((counts - 1) * blocks[sizes] + sizes <= hardware.multipliers)


# --- Rules ------------------------------------------------------------------------------------------------------------


def malformed(problem: Problem, mapping: Mapping, unlimited: Collection[str] = ()) -> list[str]:
    """What is wrong with the tile sizes and loop orders of a mapping; a tile may exceed ``unlimited`` dimensions."""
    if len(mapping.tile) != len(DIMENSIONS):
        return [f"a tile needs one size for each of {' '.join(DIMENSIONS)}, found {len(mapping.tile)} sizes"]
    violations = []
    for name, tile, size in zip(DIMENSIONS, mapping.tile, problem.dims, strict=True):
        if tile < 1:
            violations.append(f"the tile of {name} is {tile}, expected at least 1")
        elif tile > size and name not in unlimited:
            violations.append(f"the tile of {name} is {tile}, more than the {size} that the layer has")
    violations += order_violations("an order", _loops_over_tiles(mapping), DIMENSIONS)
    violations += order_violations("a placement", mapping.placement, REPLICATED)
    return violations or _blocks_malformed(problem, mapping)


def _loops_over_tiles(mapping: Mapping) -> tuple[str, ...]:
    """The order without its loops over blocks; all of it if it has not one more loop for each size of a block."""
    innermost = tuple(d for place, d in enumerate(mapping.order) if d not in mapping.order[place + 1 :])
    return innermost if len(mapping.order) - len(innermost) == len(mapping.cuts) else mapping.order


def _blocks_malformed(problem: Problem, mapping: Mapping) -> list[str]:
    """Blocks that do not lie between the tile and what is around them."""
    if len(mapping.order) - len(DIMENSIONS) != len(mapping.cuts):
        loops = f"the {len(mapping.order) - len(DIMENSIONS)} loops that walk blocks"
        return [f"{len(mapping.cuts)} sizes of blocks, expected one for each of {loops}"]
    if not mapping.cuts:
        return []
    violations = []
    around = dict(zip(DIMENSIONS, problem.dims, strict=True))
    what = dict.fromkeys(DIMENSIONS, "that the layer has")
    for place, (d, step) in enumerate(mapping.loops):
        if d not in mapping.order[place + 1 :]:
            continue
        if step <= mapping.tile_of(d):
            violations.append(f"a block of {step} in {d}, expected more than its tile of {mapping.tile_of(d)}")
        if step >= around[d]:
            violations.append(f"a block of {step} in {d}, expected less than the {around[d]} {what[d]}")
        around[d], what[d] = step, "of the block around it"
    return violations


def dense_violations(problem: Problem, mapping: Mapping, hardware: Hardware, kept_whole: str = "") -> list[str]:
    """Every rule that a mapping of a dense layer violates; ``kept_whole`` says why it is not cut into blocks, if so."""
    unlimited = DIMENSIONS if hardware.controller.pad_edges else ()
    return malformed(problem, mapping, unlimited) or [
        *_blocks_refused(problem, mapping, hardware),
        *_order_refused(problem, mapping, hardware),
        *_padding_refused(problem, mapping, hardware),
        *_space_violations(problem, mapping, hardware),
        *buffer_fit.violations(problem, mapping, hardware, kept_whole),
    ]


def sparse_violations(problem: Problem, mapping: Mapping, hardware: Hardware, kept_whole: str = "") -> list[str]:
    """Every rule that a mapping of a layer with zeros among its weights violates, see :mod:`maerisim.mapping.sparse_rounds`."""
    refused = _blocks_not_walked(mapping, "sparse layers") or malformed(problem, mapping, "GKCRS")
    return refused or [
        *sparse_rounds.violations(problem, mapping, hardware),
        *buffer_fit.violations(problem, mapping, hardware, kept_whole),
    ]


def fused_violations(problem: FusedProblem, mapping: FusedMapping, hardware: Hardware) -> list[str]:
    """Every rule that the mappings of two fused layers violate, each on its share of the array."""
    leaves, first = hardware.leaves_per_port, mapping.multipliers
    if not 0 < first < hardware.multipliers or first % leaves:
        found = f"the first layer has {first} of {hardware.multipliers} multipliers"
        return [f"{found}, expected some but not all, and a multiple of the {leaves} below a distribution port"]
    layers = zip(WORDS, mapping.of_layers, problem.layers, shares(hardware, first), strict=True)
    return [
        f"the {word} of the fused layers: {violation}"
        for word, each, layer, share in layers
        for violation in _blocks_not_walked(each, "fused layers") or dense_violations(layer, each, share)
    ] or misaligned(problem.second, mapping.second, hardware, mapping.multipliers)


def _blocks_not_walked(mapping: Mapping, what: str) -> list[str]:
    """For what loops over blocks are not supported."""
    if not mapping.cuts:
        return []
    blocks = " ".join(loop for loop in mapping.written_order if ":" in loop)
    return [f"loops over blocks are not supported for {what}: expected one loop a dimension, found {blocks}"]


def keeps_to_one_loop(hardware: Hardware) -> str:
    """The options because of which a controller walks one loop a dimension; empty where any can walk blocks."""
    controller = hardware.controller
    counting = {
        "controller.kind: lock_step": controller.kind == "lock_step",
        "controller.pad_edges": controller.pad_edges,
        "controller.wait_for_outputs": controller.wait_for_outputs,
        "controller.weights_first": controller.weights_first,
        "multiplier.wait_for_all_weights": hardware.multiplier.wait_for_all_weights,
    }
    return ", ".join(option for option, wanted in counting.items() if wanted)


def _blocks_refused(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    """Controllers that count their way through one loop a dimension, and partial sums that come back."""
    if not mapping.cuts:
        return []
    options = keeps_to_one_loop(hardware)
    if options:
        return _blocks_not_walked(mapping, f"the controller of {hardware.name} ({options})")
    cut = [d for d in REDUCED if mapping.order.count(d) > 1]
    if not cut or not mapping.spills(problem, hardware):
        return []
    live, words = mapping.live_partial_sums(problem), hardware.accumulation_words
    why = f"{live} partial sums are live, the accumulation buffer holds {words}"
    return [f"{why}: where they go through the global buffer, {' '.join(cut)} cannot be cut into blocks"]


def _order_refused(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    if not hardware.multiplier.wait_for_all_weights:
        return []
    trips = dict(zip(DIMENSIONS, mapping.trips(problem), strict=True))
    turning = [name for name in mapping.order if trips[name] > 1]
    folding = [name for name in turning if name in REDUCED]
    folds, registers = prod(trips[name] for name in folding), hardware.multiplier.weight_registers
    refused = []
    if folding != turning[len(turning) - len(folding) :]:
        refused.append(
            f"the controller of {hardware.name} takes all folds of an output together: C R S must be the innermost "
            f"loops, found {' '.join(turning)}"
        )
    if folds > registers:
        refused.append(f"{folds} folds need as many weight registers in each switch, {registers} are there")
    return refused


def keeps_windows_whole(problem: Problem, hardware: Hardware) -> bool:
    """Whether tiles of C, R and S have to divide them: where partial tiles are filled up.

    A convolution has weights of 0 for what lies beyond a window; a pooling would take in its neighbours.
    """
    return problem.pools and hardware.controller.pad_edges


def _padding_refused(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    if not keeps_windows_whole(problem, hardware):
        return []
    return [
        f"a tile of {mapping.tile_of(name)} in {name} leaves a partial one of the {getattr(problem, name)} of a pooling "
        f"window, and the controller of {hardware.name} fills up partial tiles"
        for name in REDUCED
        if getattr(problem, name) % mapping.tile_of(name)
    ]


def has_room(problem: Problem, mapping: Mapping, hardware: Hardware) -> bool:
    """Whether the virtual neurons of a dense layer, with the switches that take in partial sums, find room on the array."""
    size = mapping.vn_size + mapping.spills(problem, hardware)
    return switches_needed(mapping.vn_count, size, hardware) <= hardware.multipliers


def _space_violations(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    spills = mapping.spills(problem, hardware)
    size = mapping.vn_size + spills
    needed = switches_needed(mapping.vn_count, size, hardware)
    if needed <= hardware.multipliers:
        return []
    block = topology_of(hardware).block(size)
    why = f"{mapping.vn_count} virtual neurons of {size} need {needed} multipliers, {hardware.multipliers} are there"
    if block != size:
        why += f" (in a {hardware.reduction.topology} each takes an aligned subtree of {block})"
    if spills:
        why += (
            f" (one of each takes in partial sums: {mapping.live_partial_sums(problem)} are live, the accumulation "
            f"buffer holds {hardware.accumulation_words}; a loop order with C R S further in needs fewer)"
        )
    return [why]


def misaligned(second: Problem, mapping: Mapping, hardware: Hardware, multipliers: int) -> list[str]:
    """Virtual neurons of the second of two layers, behind so many multipliers, may have to begin at a multiple of what they take."""
    share = shares(hardware, multipliers)[1]
    size = mapping.vn_size + mapping.spills(second, share)
    multiple = topology_of(hardware).alignment(size)
    if multipliers % multiple == 0:
        return []
    reason = (
        f"its virtual neurons of {size} each take an aligned subtree of {multiple} in a {hardware.reduction.topology}"
    )
    advice = f"give the first a multiple of {multiple} multipliers"
    return [f"the second of the fused layers begins at multiplier switch {multipliers}, {reason} ({advice})"]
