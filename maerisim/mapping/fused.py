"""Two fused layers on one array: which multiplier switches each has, and how each is mapped on its share."""

from __future__ import annotations

from dataclasses import dataclass

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping

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
