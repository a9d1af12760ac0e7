"""What a program is: concurrent threads, each a small loop nest of templates, over a configured fabric.

A :class:`Thread` is walked independently by each of its components (distribution ports, multiplier switches, virtual
neurons). Its nodes are :class:`Step` (use template number ``template``, ``count`` times) and :class:`Loop`. Every
walker keeps one *base address* into the operand that its thread moves, and the number of the control step that it
works for; after each repetition of a node they advance by ``advance`` words and ``period`` steps.

Templates are flat arrays, because the numba kernels read them as they are:

- :class:`Packets` (threads ``partial_sums``, ``inputs``, ``weights``): for each port the packets of one step.
- flags per multiplier switch (thread ``compute``), see :class:`Use`.
- flags and addition counts per virtual neuron (thread ``collect``), see :class:`Collect`.

A controller that drives the fabric in lock step walks one thread more, ``control``, of :class:`ControlRow`; the
distribution threads then only hold the packets that its rows send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.workload.problem import LEAST

if TYPE_CHECKING:
    from maerisim.fabric.collection_buses import BusInput
    from maerisim.fabric.topology import Routing
    from maerisim.fabric.virtual_neuron import Span

T = TypeVar("T")


class Use(IntFlag):
    """What a multiplier switch does in a control step (a switch with none of the flags in ``ACTIVE`` skips it)."""

    MULTIPLY = 1
    """Multiply the current weight by the current input."""
    IDLE = 2
    """Pass an empty word to the adders: the virtual neuron is at work, this switch is beyond the edge of its tile."""
    PARTIAL_SUM = 4
    """Pass the partial sum that came back from the global buffer."""
    RETIRE_WEIGHT = 8
    """The weight was needed for the last time."""
    NEXT_WEIGHT = 16
    """The next step uses the next of the weights held."""
    REWIND_WEIGHTS = 32
    """The next step starts again at the first of the weights held."""
    FORWARDED_INPUT = 64
    """The input comes over the forwarding link instead of from the distribution network."""
    RETIRE_INPUT = 128
    """The input was needed for the last time."""
    NEXT_INPUT = 256
    """The next step uses the next of the inputs held."""
    REWIND_INPUTS = 512
    """The next step starts again at the first of the inputs held."""
    FORWARD = 1024
    """Send the input on to the neighbour of lower index."""
    PASS = 2048
    """Pass the current input to the adders as it is: a pooling has no weights."""


ACTIVE = Use.MULTIPLY | Use.IDLE | Use.PARTIAL_SUM | Use.PASS


class Collect(IntFlag):
    """What becomes of the sum of a virtual neuron in a control step."""

    ACTIVE = 1
    """The virtual neuron is at work in this step."""
    FIRST = 2
    """The sum starts an output."""
    EMIT = 4
    """The sum (with what is accumulated) leaves over the collection bus."""
    LAST = 8
    """The output is complete."""


@dataclass(frozen=True)
class Step:
    """``count`` control steps with one template."""

    template: int
    count: int
    period: int
    advance: int


@dataclass(frozen=True)
class Loop:
    """``count`` repetitions of ``body``."""

    count: int
    period: int
    advance: int
    body: tuple[Node, ...]


Node = Step | Loop


@dataclass(frozen=True)
class Packets:
    """The packets of one control step.

    The packets of port d are ``port_start[d] .. port_start[d + 1] - 1``. Packet i carries the word at base +
    ``offset[i]`` to the multiplier switches ``destinations[first[i] : first[i + 1]]``; it passes ``hops[i]``
    distribution switches and costs ``reads[i]`` reads of the global buffer (0 when a packet of another port carries
    the same word). ``wait[i]`` (partial sums only) is how many results of its virtual neuron ago the word was
    written; 0 means that there is nothing to send.
    """

    port_start: Ints
    offset: Ints
    reads: Ints
    hops: Ints
    first: Ints
    destinations: Ints
    wait: Ints

    def of_port(self, port: int) -> range:
        """Indices of the packets of ``port``."""
        return range(int(self.port_start[port]), int(self.port_start[port + 1]))

    def destinations_of(self, packet: int) -> Ints:
        """The multiplier switches that packet ``packet`` goes to."""
        return self.destinations[self.first[packet] : self.first[packet + 1]]


@dataclass(frozen=True)
class CollectStep:
    """Per virtual neuron: :class:`Collect` flags, and the two- and three-input additions of its sum."""

    flags: Ints
    additions_two: Ints
    additions_three: Ints


class Role(IntEnum):
    """What a multiplier switch of kind ``role`` does with the words that reach it."""

    IDLE = 0
    """Drop every word."""
    WEIGHT = 1
    """Keep the word as the weight."""
    LEFT = 2
    """First switch of a filter row: multiply words from the distribution network, copy them to the right."""
    MIDDLE = 3
    """Multiply words that the left neighbour copies, copy them on."""
    RIGHT = 4
    """Last switch of a filter row: multiply words that the left neighbour copies."""
    MIDDLE_FIRST = 5
    """MIDDLE in the next cycle."""
    RIGHT_FIRST = 6
    """RIGHT in the next cycle."""


class Control(IntEnum):
    """What a row of the controller's program waits for and does. A row that goes takes one cycle."""

    PAUSE = 0
    """Nothing."""
    CONFIGURE = 1
    """Wait until the switches have taken up their last configuration; give them a role and a count of products."""
    SEND = 2
    """Wait until every port that is needed has room in its queue; give each its packet."""
    DRAINED = 3
    """Wait until every word sent has been delivered in an earlier cycle."""
    RESULTS = 4
    """Wait until exactly as many results have left as the base address says; at the end of the run more will do."""


@dataclass(frozen=True)
class ControlRow:
    """One row of a controller that drives all ports and switches in lock step.

    CONFIGURE: ``roles`` per multiplier switch (-1: left alone) and the ``products`` that each may then give. SEND:
    template ``packets`` of the thread of ``operand``, with one packet per port at most.
    """

    kind: Control
    roles: Ints | None = None
    products: int = 0
    operand: str = ""
    packets: int = 0


class Visit(NamedTuple, Generic[T]):
    """A walker's place in its thread: the template to use, the control step it is for, and the base address."""

    template: T
    step: int
    base: int


@dataclass(frozen=True)
class Thread(Generic[T]):
    """A loop nest over templates, walked by each component at its own pace from control step ``first_step`` on.

    Where two layers share the fabric, the components of the second walk the nest ``second``.
    """

    name: str
    nodes: tuple[Node, ...]
    templates: tuple[T, ...]
    first_step: int = 0
    second: tuple[Node, ...] = ()

    def walk(self, layer: int = 0) -> Iterator[Visit[T]]:
        """Visit the control steps of a layer (0, or 1 for the second of two) in order."""
        for template, step, base in _walk(self.second if layer else self.nodes, self.first_step, 0):
            yield Visit(self.templates[template], step, base)

    @property
    def steps(self) -> int:
        """Number of control steps."""
        return self.steps_of(0)

    def steps_of(self, layer: int) -> int:
        """Number of control steps of a layer."""
        return sum(control_steps(node) for node in (self.second if layer else self.nodes))


def control_steps(node: Node) -> int:
    """Control steps of all repetitions of a node."""
    return node.count if isinstance(node, Step) else node.count * sum(control_steps(inner) for inner in node.body)


def _walk(nodes: tuple[Node, ...], step: int, base: int) -> Iterator[tuple[int, int, int]]:
    for node in nodes:
        for _ in range(node.count):
            if isinstance(node, Step):
                yield node.template, step, base
            else:
                yield from _walk(node.body, step, base)
                step += sum(net_period(inner) for inner in node.body)
                base += sum(net_advance(inner) for inner in node.body)
            step += node.period
            base += node.advance


def net_period(node: Node) -> int:
    """By how many control steps a node moves its walker on altogether."""
    inner = 0 if isinstance(node, Step) else sum(net_period(child) for child in node.body)
    return node.count * (node.period + inner)


def net_advance(node: Node) -> int:
    """By how many words a node moves the base address altogether."""
    inner = 0 if isinstance(node, Step) else sum(net_advance(child) for child in node.body)
    return node.count * (node.advance + inner)


@dataclass(frozen=True)
class Batches:
    """The control steps that share their held weights, for controllers that take them one batch after the other.

    A batch is ``steps`` long and holds ``weights`` words per switch together (1 where each is held for itself); there
    are ``count`` of them. ``trips`` and ``results`` describe the loops outside a batch, innermost first: their
    iterations, and the results that leave during one of them.
    """

    steps: int
    count: int
    weights: int
    trips: tuple[int, ...]
    results: tuple[int, ...]

    def results_before(self, batch: int) -> int:
        """Results that leave before ``batch`` (counted from 0) begins."""
        total = 0
        for trips, results in zip(self.trips, self.results, strict=True):
            batch, index = divmod(batch, trips)
            total += index * results
        return total

    @property
    def last_step(self) -> int:
        """Number of control steps."""
        return self.steps * self.count


@dataclass(frozen=True)
class Fusion:
    """The second of two layers that run at the same time on one fabric, and what it takes from the first.

    It has the distribution ports, multiplier switches and virtual neurons from these numbers on. Word w of its (padded)
    inputs is result number ``due[w]`` (from 1) of virtual neuron ``producer[w]`` and lies at ``source[w]`` among the
    outputs; a port sends it when that result has been written. Padding is due at 0, has no source (-1), and the value
    ``identity``. With ``compares`` the sums of this layer are maxima.
    """

    port: int
    switch: int
    virtual_neuron: int
    producer: Ints
    due: Ints
    source: Ints
    identity: int
    compares: bool


@dataclass(frozen=True)
class Program:
    """Everything that a run needs besides the hardware.

    ``spans`` and ``reduction`` configure the fabric; ``bus_inputs`` say where each virtual neuron's
    results join a collection bus.
    ``multipliers_used`` switches (those below that index) take part. ``results`` is the number of words that leave
    over the collection buses. ``output_offset`` is each virtual neuron's place relative to the base of the collect
    thread; ``partial_sum_of`` the virtual neuron whose partial sums a switch takes in, or -1. With ``compares`` adder
    switches and accumulators keep the larger of their words instead of adding them. ``control`` is there when a
    controller drives the fabric in lock step, ``fusion`` when a second layer runs beside the first: layer 0 and layer 1.
    """

    weights: Thread[Packets]
    inputs: Thread[Packets]
    partial_sums: Thread[Packets]
    compute: Thread[Ints]
    collect: Thread[CollectStep]
    spans: tuple[Span, ...]
    reduction: Routing
    bus_inputs: tuple[BusInput, ...]
    multipliers_used: int
    results: int
    output_offset: Ints
    partial_sum_of: Ints
    batches: Batches
    compares: bool = False
    control: Thread[ControlRow] | None = None
    fusion: Fusion | None = None

    def layer_of_port(self, port: int) -> int:
        """Which layer a distribution port serves."""
        return int(self.fusion is not None and port >= self.fusion.port)

    def layer_of_switch(self, switch: int) -> int:
        """Which layer a multiplier switch works for."""
        return int(self.fusion is not None and switch >= self.fusion.switch)

    def layer_of_virtual_neuron(self, virtual_neuron: int) -> int:
        """Which layer a virtual neuron belongs to."""
        return int(self.fusion is not None and virtual_neuron >= self.fusion.virtual_neuron)

    def compares_in(self, layer: int) -> bool:
        """Whether the sums of a layer are maxima."""
        return self.fusion.compares if layer and self.fusion is not None else self.compares

    @property
    def streams(self) -> tuple[Thread[Packets], Thread[Packets], Thread[Packets]]:
        """The distribution threads, in the order in which a port prefers words of the same control step."""
        return self.inputs, self.partial_sums, self.weights

    def empty_in(self, layer: int) -> int:
        """The value of an empty word, which changes no output of a layer."""
        return LEAST if self.compares_in(layer) else 0

    @property
    def buses(self) -> tuple[int, ...]:
        """The collection bus of each virtual neuron."""
        return tuple(entry.bus for entry in self.bus_inputs)

    @property
    def spills(self) -> bool:
        """Whether any partial sums go through the global buffer."""
        return bool((self.partial_sum_of >= 0).any())

    @property
    def spilling(self) -> Mask:
        """Per virtual neuron: whether its partial sums go through the global buffer."""
        return np.isin(np.arange(len(self.spans)), self.partial_sum_of)

    @property
    def comparing(self) -> Mask:
        """Per virtual neuron: whether its sums are maxima."""
        comparing = np.full(len(self.spans), self.compares)
        if self.fusion is not None:
            comparing[self.fusion.virtual_neuron :] = self.fusion.compares
        return comparing
