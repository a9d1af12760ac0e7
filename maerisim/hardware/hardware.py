"""The hardware document: every number of a MAERI fabric, validated.

Words are operand or result words of the datapath, times are cycles of the fabric's one clock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Constructible, Document, Kind, Model
from maerisim.errors import DocumentError
from maerisim.hardware.clock import Clock, hertz
from maerisim.hardware.energy import EnergyTable

MAX_MULTIPLIERS = 4096

Latency = Annotated[int, Field(ge=1, le=1024)]
Depth = Annotated[int, Field(ge=1, le=65536)]


class Controller(Model):
    """What feeds the distribution ports, and when. The defaults let every port run ahead as far as its words have room;
    the other values are ways in which other controllers hold back.
    """

    kind: Literal["decoupled", "lock_step"] = Field(
        "decoupled",
        description="ports that run ahead on their own, or one program that drives all ports and switches together",
    )
    start_cycles: int = Field(0, ge=0, le=2**20, description="lock_step: cycles before the first row of the program")
    steps_per_cycle: int | None = Field(
        None, ge=1, le=2**20, description="control steps whose words may be released per cycle; null: any number"
    )
    weights_first: bool = Field(False, description="all weights that are held together are sent before any input")
    wait_for_outputs: bool = Field(
        False, description="the next weights wait until all outputs of the present ones are in the global buffer"
    )
    wait_across_images: bool = Field(
        True, description="with wait_for_outputs: a new image waits for all outputs of the one before"
    )
    pad_edges: bool = Field(False, description="fill partial tiles with zeros that are multiplied like other words")

    @property
    def holds_ports_back(self) -> bool:
        """Whether ports wait for more than room."""
        return self.wait_for_outputs or self.steps_per_cycle is not None


class Distribution(Model):
    """The distribution network: ``bandwidth`` subtrees, each multicasting one word a cycle to its own leaves."""

    bandwidth: int | None = Field(
        None, description="words a cycle, one per port; a power of two; default: a quarter of the multipliers"
    )
    latency: Latency = Field(1, description="cycles from a port to a multiplier switch")
    fifo_depth: Depth = Field(4, description="lock_step: words that wait in front of a port")
    partial_sums_first: bool = Field(
        False, description="returning partial sums go before all other words instead of in the order of control steps"
    )
    partial_sums_as_they_arrive: bool = Field(
        False,
        description="with partial_sums_first: returning partial sums wait in a queue at their port, in the order in which "
        "they were written, instead of in the order of the program",
    )


class Multiplier(Model):
    """One multiplier switch: operand registers, the queues in front of and behind the multiplier, forwarding."""

    kind: Literal["step", "role"] = Field(
        "step",
        description="follows its own control steps, or is given a role in its filter row and a count of products",
    )
    weight_registers: Depth = Field(32, description="weights held per multiplier switch")
    weight_double_buffering: bool = Field(True, description="load the next weights behind the computation")
    wait_for_all_weights: bool = Field(
        False, description="multiply only when all weights that are held together have arrived; drop them together"
    )
    input_registers: int = Field(
        1, ge=0, le=2**20, description="inputs held per multiplier switch; 0: inputs are sent again for every step"
    )
    input_fifo_depth: Depth = Field(4, description="inputs that fit in the ingress queue, held ones included")
    partial_sum_fifo_depth: Depth = Field(2, description="returning partial sums that fit in their queue")
    forwarding: bool = Field(True, description="pass inputs on to the neighbouring switch (sliding-window reuse)")
    forward_fifo_depth: Depth = Field(32, description="inputs that fit in the queue of the forwarding link")
    product_fifo_depth: Depth = Field(2, description="products that may wait for the reduction network")
    latency: Latency = Field(1, description="cycles of one multiplication; one starts every cycle")

    @property
    def held_weights(self) -> int:
        """Weights that a switch has room for, those that load behind the computation included."""
        return self.weight_registers * (2 if self.weight_double_buffering else 1)


class Reduction(Model):
    """The reduction network that sums the products of each virtual neuron."""

    topology: Literal["art", "plain_tree", "linear", "fan"] = Field(
        "art",
        description="augmented reduction tree, tree without lateral links, chain of adders, or the forwarding adder "
        "network of SIGMA",
    )
    latency: Latency = Field(1, description="cycles per level")
    lateral_latency: int = Field(1, ge=0, le=1024, description="extra cycles across a lateral link")
    crossing: Literal["single", "shorter_end"] = Field(
        "single",
        description="what crosses a lateral link of the art: single values at the end of a virtual neuron, or whichever "
        "end is the shorter part, as the MAERI paper has it",
    )
    exit: Literal["own_level", "last_level"] = Field(
        "own_level",
        description="where the sums of a fan leave: at the switch that completes them, or handed on to the last level, so "
        "that all take equally long, as in SIGMA (which has a bus per multiplier)",
    )
    fifo_depth: Depth = Field(4, description="words that fit in the queue of a link")
    fifo_kind: Literal["pipeline", "normal"] = Field(
        "pipeline",
        description="whether a full queue takes a word in the cycle in which it is popped (pipeline) or not (normal)",
    )


class Collection(Model):
    """The buses that carry results out of the reduction network, each one result a cycle."""

    bandwidth: int | None = Field(
        None, description="results a cycle, one per bus; a power of two; default: a quarter of the multipliers"
    )
    fifo_depth: Depth = Field(4, description="results that may wait at a source of a bus")
    latency: Latency = Field(1, description="cycles from an adder switch to the end of its bus")
    wiring: Literal["regional", "modulo", "pairs"] = Field(
        "regional",
        description="adder switches share a bus with their neighbours, take buses in turn, or (pairs) lateral neighbours "
        "take a bus together, from the root down, and the switches at the edges of the tree take the rest in turn",
    )
    arbiter: Literal["round_robin", "least_recently_granted"] = Field(
        "round_robin", description="which of the results that wait for a bus goes first"
    )
    write_back: Literal["all", "half"] = Field(
        "all", description="how many of the results that wait at the global buffer it writes in a cycle"
    )


class Accumulation(Model):
    """The buffer at the collection side in which the folds of an output add up."""

    words: int | None = Field(
        None,
        ge=0,
        le=2**40,
        description="partial sums held; 0: none, they go through the global buffer; default: 64 per multiplier",
    )
    latency: int = Field(
        1, ge=0, le=1024, description="cycles of one accumulation; one starts every cycle; 0: no stage of its own"
    )


class GlobalBuffer(Model):
    """The buffer between DRAM and the fabric. A layer that does not fit runs in blocks, see :mod:`maerisim.memory.blocks`."""

    words: int | None = Field(
        None,
        ge=1,
        le=2**40,
        description="operand words and outputs held, twice over where the next block loads behind the present one; "
        "null: as many as a layer has",
    )


class Dram(Model):
    """The channel between DRAM and the global buffer: one transfer after the other."""

    bandwidth: float | None = Field(
        None, ge=1e-6, le=2**20, allow_inf_nan=False, description="words a cycle, may be a fraction; null: not limiting"
    )
    latency: int = Field(0, ge=0, le=2**20, description="cycles from the last word of a read to its use")


class Hardware(Document, Constructible):
    """A MAERI fabric. Bandwidths and buffer sizes left out follow from ``multipliers``; read them as ``ports``,
    ``buses`` and ``accumulation_words``.
    """

    kind: ClassVar[Kind] = "hardware"

    name: str = Field(min_length=1, description="how reports call this hardware")
    description: str = Field("", description="anything worth knowing")
    multipliers: int = Field(description=f"multiplier switches, a power of two from 2 to {MAX_MULTIPLIERS}")
    controller: Controller = Field(default_factory=Controller, description="what feeds the distribution ports")
    distribution: Distribution = Field(default_factory=Distribution, description="the distribution network")
    multiplier: Multiplier = Field(default_factory=Multiplier, description="one multiplier switch")
    reduction: Reduction = Field(default_factory=Reduction, description="the reduction network")
    collection: Collection = Field(default_factory=Collection, description="the collection buses")
    accumulation: Accumulation = Field(default_factory=Accumulation, description="the accumulation buffer")
    global_buffer: GlobalBuffer = Field(default_factory=GlobalBuffer, description="the buffer in front of DRAM")
    dram: Dram = Field(default_factory=Dram, description="the channel to DRAM")
    clock: Clock | None = Field(
        None, description="a frequency such as 200 MHz, by which reports have times as well; null: cycles alone"
    )
    energy: EnergyTable = Field(default_factory=EnergyTable, description="energy per event")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            multipliers: int,
            name: str = ...,
            description: str = ...,
            controller: Controller | Mapping[str, Any] = ...,
            distribution: Distribution | Mapping[str, Any] = ...,
            multiplier: Multiplier | Mapping[str, Any] = ...,
            reduction: Reduction | Mapping[str, Any] = ...,
            collection: Collection | Mapping[str, Any] = ...,
            accumulation: Accumulation | Mapping[str, Any] = ...,
            global_buffer: GlobalBuffer | Mapping[str, Any] = ...,
            dram: Dram | Mapping[str, Any] = ...,
            clock: str | None = ...,
            energy: EnergyTable | Mapping[str, Any] = ...,
        ) -> None:
            """What is left out is as in a document; the name is then ``hardware``."""

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What was given, and a name."""
        return {"name": "hardware", **data}

    @classmethod
    def complaints_between(cls, data: Mapping[str, Any]) -> list[Complaint]:
        """Sizes that are not powers of two or exceed the multipliers, and queues smaller than what they hold."""
        problems: list[Complaint] = []
        multipliers = _integer(data.get("multipliers"))
        if multipliers is not None and not (_is_power_of_two(multipliers) and 2 <= multipliers <= MAX_MULTIPLIERS):
            expected = f"expected a power of two from 2 to {MAX_MULTIPLIERS}"
            problems.append((("multipliers",), f"{expected}, found {multipliers}"))
            multipliers = None
        for section, words, hint in (
            ("distribution", "words a cycle", "one per multiplier"),
            ("collection", "results a cycle", "one per multiplier"),
        ):
            bandwidth = _integer(_entry(data, section, "bandwidth"))
            if bandwidth is None:
                continue
            path = (section, "bandwidth")
            if not _is_power_of_two(bandwidth):
                problems.append((path, f"expected a power of two, found {bandwidth}"))
            elif multipliers is not None and bandwidth > multipliers:
                text = f"{bandwidth} {words} for {multipliers} multipliers: at most {hint} (use {multipliers} or less)"
                problems.append((path, text))
        defaults = Multiplier.model_fields
        held = _integer(_entry(data, "multiplier", "input_registers", defaults["input_registers"].default))
        depth = _integer(_entry(data, "multiplier", "input_fifo_depth", defaults["input_fifo_depth"].default))
        if held is not None and depth is not None and depth < held:
            written = isinstance(data.get("multiplier"), Mapping) and "input_fifo_depth" in data["multiplier"]
            path = ("multiplier", "input_fifo_depth" if written else "input_registers")
            text = f"a queue of {depth} inputs cannot hold the {held} inputs of input_registers"
            problems.append((path, f"{text} (make input_fifo_depth {held} or more)"))
        problems += cls._lock_step_complaints(data)
        topology = _entry(data, "reduction", "topology", Reduction.model_fields["topology"].default)
        if _entry(data, "collection", "wiring") == "pairs" and topology in ("linear", "fan"):
            problems.append((("collection", "wiring"), f"pairs are lateral neighbours in a tree; {topology} has none"))
        if _entry(data, "reduction", "exit") == "last_level" and topology != "fan":
            problems.append((("reduction", "exit"), f"last_level needs reduction.topology: fan, found {topology}"))
        together = _entry(data, "multiplier", "wait_for_all_weights") is True
        if together and _entry(data, "controller", "pad_edges") is not True:
            text = "needs controller.pad_edges: true, so that every switch holds the same number of weights"
            problems.append((("multiplier", "wait_for_all_weights"), text))
        for key in ("weights_first", "wait_for_outputs"):
            if _entry(data, "controller", key) is True and not together:
                text = "needs multiplier.wait_for_all_weights: true, so that all folds of an output are held together"
                problems.append((("controller", key), text))
        if _entry(data, "distribution", "partial_sums_as_they_arrive") is True:
            path = ("distribution", "partial_sums_as_they_arrive")
            if _entry(data, "distribution", "partial_sums_first") is not True:
                text = "needs distribution.partial_sums_first: true; in the order of control steps there is no queue"
                problems.append((path, text))
            if not together:
                text = "needs multiplier.wait_for_all_weights: true, so that what comes back is what is needed next"
                problems.append((path, text))
        return problems

    @classmethod
    def _lock_step_complaints(cls, data: Mapping[str, Any]) -> list[Complaint]:
        """Options that exist only together with a lock-step controller, and what it needs."""
        lock_step = _entry(data, "controller", "kind") == "lock_step"
        problems: list[Complaint] = []
        for section, key, value in (("multiplier", "kind", "role"), ("reduction", "fifo_kind", "normal")):
            if _entry(data, section, key) == value and not lock_step:
                problems.append(((section, key), f"{value} needs controller.kind: lock_step"))
        if lock_step and _entry(data, "multiplier", "kind") != "role":
            problems.append((("controller", "kind"), "lock_step needs multiplier.kind: role"))
        if lock_step and _entry(data, "distribution", "latency") != 2:
            problems.append((("controller", "kind"), "lock_step needs distribution.latency: 2"))
        return problems

    @model_validator(mode="after")
    def _check(self) -> Hardware:
        problems = self.complaints_between(self.model_dump(exclude_unset=True))
        if problems:
            raise documents.complaints_error(problems)
        return self

    @classmethod
    def load(cls, path_or_name: str | os.PathLike[str]) -> Hardware:
        """The hardware in a YAML file, or a shipped one by name (``maeri-64``).

        Raises DocumentError with every problem of the file.
        """
        return documents.load(cls, path_or_name)

    def with_overrides(self, overrides: Mapping[str, Any], origin: str = "override") -> Hardware:
        """This hardware with some numbers replaced, e.g. ``{"distribution.bandwidth": 32}``, validated again.

        Numbers that were left out still follow from ``multipliers``. Raises DocumentError with every problem;
        ``origin`` says in the messages where the overrides came from.
        """
        data = self.model_dump(exclude_unset=True)
        problems = []
        for path, value in overrides.items():
            *sections, key = path.split(".")
            target: Any = data
            for section in sections:
                target = target.setdefault(section, {}) if isinstance(target, dict) else None
            if isinstance(target, dict):
                target[key] = value
            else:
                problems.append(f"{origin}: {path}: '{'.'.join(sections)}' is a single value, it has no keys")
        if problems:
            raise DocumentError(problems)
        return documents.validate(Hardware, data, origin)

    @property
    def ports(self) -> int:
        """Distribution bandwidth: ports of the distribution network, words a cycle."""
        return self.distribution.bandwidth or max(1, self.multipliers // 4)

    @property
    def buses(self) -> int:
        """Collection bandwidth: collection buses, results a cycle."""
        return self.collection.bandwidth or max(1, self.multipliers // 4)

    @property
    def leaves_per_port(self) -> int:
        """Neighbouring multiplier switches below one distribution port."""
        return self.multipliers // self.ports

    @property
    def accumulation_words(self) -> int:
        """Partial sums that the accumulation buffer holds; 0 means that there is none."""
        return 64 * self.multipliers if self.accumulation.words is None else self.accumulation.words

    @property
    def hertz(self) -> float | None:
        """Cycles a second, where a clock is given."""
        return None if self.clock is None else hertz(self.clock)

    @property
    def limits_memory(self) -> bool:
        """Whether the global buffer or DRAM can hold a layer up."""
        return self.global_buffer.words is not None or self.dram.bandwidth is not None or self.dram.latency > 0


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _entry(data: Mapping[str, Any], section: str, key: str, default: object = None) -> object:
    inner = data.get(section, {})
    return inner.get(key, default) if isinstance(inner, Mapping) else None
