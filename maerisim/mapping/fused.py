"""Two fused layers on one array: which multiplier switches each has, and how each is mapped on its share."""

from __future__ import annotations

from dataclasses import dataclass

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import FusedProblem

WORDS = ("first", "second")
"""What the two layers are called in messages."""


@dataclass(frozen=True, slots=True)
class FusedMapping:
    """The mapping of each of two fused layers, and the ``multipliers`` (from switch 0 on) that the first has.

    The second has all others. Each distribution port serves one layer, so that the first has whole ports.
    """

    first: Mapping
    second: Mapping
    multipliers: int

    @property
    def of_layers(self) -> tuple[Mapping, Mapping]:
        """Both mappings."""
        return self.first, self.second

    def check(self, problem: FusedProblem, hardware: Hardware) -> list[str]:
        """Every constraint that the mappings violate, in words with numbers; empty when they can run."""
        leaves = hardware.leaves_per_port
        if not 0 < self.multipliers < hardware.multipliers or self.multipliers % leaves:
            found = f"the first layer has {self.multipliers} of {hardware.multipliers} multipliers"
            return [f"{found}, expected some but not all, and a multiple of the {leaves} below a distribution port"]
        layers = zip(
            WORDS, self.of_layers, (problem.first, problem.second), shares(hardware, self.multipliers), strict=True
        )
        violations = [
            f"the {word} of the fused layers: {violation}"
            for word, mapping, layer, share in layers
            for violation in mapping.check(layer, share)
        ]
        return violations or self._misaligned(problem, hardware)

    def _misaligned(self, problem: FusedProblem, hardware: Hardware) -> list[str]:
        """A plain tree sums a virtual neuron in an aligned subtree."""
        if hardware.reduction.topology != "plain_tree":
            return []
        share = shares(hardware, self.multipliers)[1]
        size = self.second.vn_size + self.second.spills(problem.second, share)
        block = 1 << (size - 1).bit_length()
        if self.multipliers % block == 0:
            return []
        reason = f"its virtual neurons of {size} each take an aligned subtree of {block} in a plain_tree"
        advice = f"give the first a multiple of {block} multipliers"
        return [f"the second of the fused layers begins at multiplier switch {self.multipliers}, {reason} ({advice})"]

    def __str__(self) -> str:
        return f"first on {self.multipliers} multipliers: {self.first}; second: {self.second}"


def shares(hardware: Hardware, multipliers: int) -> tuple[Hardware, Hardware]:
    """What each layer has of ``hardware`` when the first has so many multipliers: switches, ports, accumulation buffer.

    The buffer is shared in proportion to the switches; the collection buses serve both.
    """

    def share(count: int) -> Hardware:
        ports = hardware.distribution.model_copy(update={"bandwidth": count // hardware.leaves_per_port})
        buses = hardware.collection.model_copy(update={"bandwidth": hardware.buses})
        parts = {"multipliers": count, "distribution": ports, "collection": buses}
        return share_of_buffer(hardware, count).model_copy(update=parts)

    return share(multipliers), share(hardware.multipliers - multipliers)


def share_of_buffer(hardware: Hardware, multipliers: int) -> Hardware:
    """All of ``hardware``, with the accumulation buffer that a layer has which has so many multipliers.

    A layer that fits its share runs here as it does there, so that what is known of whole arrays tells of shares.
    """
    words = hardware.accumulation_words * multipliers // hardware.multipliers
    return hardware.model_copy(update={"accumulation": hardware.accumulation.model_copy(update={"words": words})})


def refusals(hardware: Hardware) -> list[str]:
    """Why no two layers can be fused on ``hardware``; empty when they can."""
    controller = hardware.controller
    held_back = {
        "controller.kind: lock_step": controller.kind == "lock_step",
        "controller.steps_per_cycle": controller.steps_per_cycle is not None,
        "controller.wait_for_outputs": controller.wait_for_outputs,
        "controller.weights_first": controller.weights_first,
        "controller.pad_edges": controller.pad_edges,
        "multiplier.wait_for_all_weights": hardware.multiplier.wait_for_all_weights,
    }
    options = ", ".join(option for option, wanted in held_back.items() if wanted)
    if options:
        return [
            f"fused layers need distribution ports that run ahead on their own, its controller holds them back ({options})"
        ]
    if hardware.limits_memory:
        return ["fused layers need all of their words in the global buffer, its global_buffer and dram limit that"]
    if hardware.ports < 2:
        return ["fused layers need a distribution port each, there is one"]
    return []
