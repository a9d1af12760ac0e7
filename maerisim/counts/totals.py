"""What a program does altogether, whatever the timing: how often each component takes each template, and what that moves.

A run ends when every word has gone its way, so these counts need no run; the event engine counts the same events one by one.
Given other :class:`Visits` than all of them, the same functions count a part of a run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, STALLS, Counters
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Collect, Node, Packets, Program, Step, Thread, Use
from maerisim.program.wiring import REGISTER, wire_up


class Visits(NamedTuple):
    """How often the walkers of each thread take each of its templates; ``streams`` in the order of ``OPERANDS``."""

    compute: Ints
    collect: Ints
    streams: tuple[Ints, Ints, Ints]

    @classmethod
    def of(cls, program: Program) -> Visits:
        """Those of a whole run."""
        inputs, partial_sums, weights = map(visits_of, program.streams)
        return cls(visits_of(program.compute), visits_of(program.collect), (inputs, partial_sums, weights))


def totals(program: Program, hardware: Hardware, visits: Visits | None = None) -> Counters:
    """The counts of a run of ``program``, or of ``visits``, those apart that depend on the timing: stalls, and the
    cycles in which an adder switch moves several words (``busy`` counts each word).
    """
    visits = visits or Visits.of(program)
    uses = np.array(program.compute.templates, np.int64)

    def per_switch(flags: int) -> Ints:
        return np.asarray(visits.compute @ ((uses & flags) == flags), np.int64)

    products, passes = per_switch(Use.MULTIPLY), per_switch(Use.PASS)
    multipliers = np.zeros(hardware.multipliers, np.int64)
    multipliers[: len(products)] = products + passes
    sums = _Sums(program, visits.collect)
    words = np.zeros(hardware.multipliers, np.int64)
    for transfer in wire_up(program, hardware).reduction:
        if transfer.switch != REGISTER:
            words[transfer.switch] += sums.steps[transfer.virtual_neuron]
    buses = np.zeros(hardware.buses, np.int64)
    np.add.at(buses, list(program.buses), sums.results)
    sent = {
        operand: _Sent(thread, times, hardware.ports)
        for operand, thread, times in zip(OPERANDS, program.streams, visits.streams, strict=True)
    }

    def by_operand(name: str) -> dict[str, int]:
        return {operand: int(getattr(count, name)) for operand, count in sent.items()}

    return Counters(
        multiplications=int(products.sum()),
        passes=int(passes.sum()),
        additions=sums.additions_two + 2 * sums.additions_three - sums.comparisons,
        comparisons=sums.comparisons,
        additions_two=sums.additions_two,
        additions_three=sums.additions_three,
        accumulations=sums.accumulations,
        forwards=int(per_switch(Use.FORWARD).sum()),
        distributed=by_operand("packets"),
        delivered=by_operand("delivered"),
        buffer_reads=by_operand("reads"),
        buffer_writes={"outputs": sums.outputs, "partial_sums": int(sums.results.sum()) - sums.outputs},
        distribution_hops=sum(count.hops for count in sent.values()),
        adder_words=int(words.sum()),
        results=int(sums.results.sum()),
        stalls=dict.fromkeys(STALLS, 0),
        port_stalls=0,
        busy={
            "multipliers": multipliers.tolist(),
            "adder_switches": words.tolist(),
            "ports": np.sum([count.ports for count in sent.values()], axis=0).tolist(),
            "buses": buses.tolist(),
        },
    )


def results_per_virtual_neuron(program: Program) -> Ints:
    """The words that each virtual neuron sends over its collection bus."""
    return _Sums(program, visits_of(program.collect)).results


@dataclass(frozen=True)
class Multicasts:
    """What brings an operand to the multiplier switches.

    ``words`` counts the words read from the global buffer by their *width*, the number of switches that each goes to in
    its control step, fewest first: those that go to one are unicasts. A word takes a packet below each port that it is
    needed below; ``packets`` counts these, ``hops`` the distribution switches that they pass.
    """

    words: dict[int, int]
    packets: int
    hops: int

    @property
    def wide(self) -> int:
        """Words that go to more than one multiplier switch."""
        return sum(count for width, count in self.words.items() if width > 1)

    @property
    def delivered(self) -> int:
        """Words that arrive at multiplier switches."""
        return sum(width * count for width, count in self.words.items())


def multicasts(program: Program, hardware: Hardware, visits: Visits | None = None) -> dict[str, Multicasts]:
    """The words of each operand by their width, in a whole run or in ``visits``."""
    found = {}
    visits = visits or Visits.of(program)
    for operand, thread, visits_of_thread in zip(OPERANDS, program.streams, visits.streams, strict=True):
        by_width: Counter[int] = Counter()
        for times, packets in zip(visits_of_thread.tolist(), thread.templates, strict=True):
            if not times:
                continue
            leaves = _leaves(thread, packets)
            _, word = np.unique(packets.offset[leaves], return_inverse=True)
            widths = np.bincount(word, weights=np.diff(packets.first)[leaves]).astype(np.int64)
            for width in widths.tolist():
                by_width[width] += times
        sent = _Sent(thread, visits_of_thread, hardware.ports)
        found[operand] = Multicasts(dict(sorted(by_width.items())), sent.packets, sent.hops)
    return found


class _Sums:
    """Per virtual neuron the steps it is at work in and its results; in all, what is added."""

    def __init__(self, program: Program, visits_of_templates: Ints) -> None:
        visits = visits_of_templates[:, None]
        templates = program.collect.templates
        flags = np.array([template.flags for template in templates], np.int64)
        at_work = visits * ((flags & Collect.ACTIVE) > 0)
        emits = at_work * ((flags & Collect.EMIT) > 0)
        self.steps = at_work.sum(axis=0)
        self.results: Ints = emits.sum(axis=0)
        self.outputs = int((emits * ((flags & Collect.LAST) > 0)).sum())
        continued = (flags & Collect.FIRST) == 0
        self.accumulations = int((at_work * continued * ~program.spilling).sum())
        two = at_work * [template.additions_two for template in templates]
        three = at_work * [template.additions_three for template in templates]
        self.additions_two, self.additions_three = int(two.sum()), int(three.sum())
        self.comparisons = int(((two + 2 * three) * program.comparing).sum())


class _Sent:
    """The packets of one stream, and what they move."""

    def __init__(self, thread: Thread[Packets], visits: Ints, ports: int) -> None:
        self.ports = np.zeros(ports, np.int64)
        self.packets = self.delivered = self.reads = self.hops = 0
        for times, packets in zip(visits.tolist(), thread.templates, strict=True):
            if not times:
                continue
            sent = _leaves(thread, packets)
            port = np.repeat(np.arange(ports), np.diff(packets.port_start))
            self.ports += times * np.bincount(port[sent], minlength=ports)
            self.packets += times * int(sent.sum())
            self.delivered += times * int(np.diff(packets.first)[sent].sum())
            self.reads += times * int(packets.reads[sent].sum())
            self.hops += times * int(packets.hops[sent].sum())


def _leaves(thread: Thread[Packets], packets: Packets) -> npt.NDArray[np.bool_]:
    """Which packets are sent at all: a partial sum that starts an output is not."""
    return packets.wait > 0 if thread.name == "partial_sums" else np.ones(len(packets.wait), np.bool_)


def visits_of(thread: Thread[Any]) -> Ints:
    """How often a walker takes each template of its thread; no template belongs to both of two layers."""
    visits = np.zeros(len(thread.templates), np.int64)

    def count(nodes: tuple[Node, ...], times: int) -> None:
        for node in nodes:
            if isinstance(node, Step):
                visits[node.template] += times * node.count
            else:
                count(node.body, times * node.count)

    count(thread.nodes, 1)
    count(thread.second, 1)
    return visits
