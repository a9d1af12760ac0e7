"""What a program does altogether, whatever the timing: how often each component takes each template, and what that moves.

A run ends when every word has gone its way, so these counts need no run; the event engine counts the same events one by one.
Given other :class:`~maerisim.counts.visits.Visits` than all of them, the same functions count a part of a run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, STALLS, Counters
from maerisim.counts.multicasts import Sent
from maerisim.counts.visits import Visits, visits_of
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Collect, Program, Use
from maerisim.program.wiring import REGISTER


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
    for transfer in program.reduction.transfers:
        if transfer.switch != REGISTER:
            words[transfer.switch] += sums.steps[transfer.virtual_neuron]
    buses = np.zeros(hardware.buses, np.int64)
    np.add.at(buses, list(program.buses), sums.results)
    sent = {
        operand: Sent(thread, times, hardware.ports)
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


class OfVirtualNeurons(NamedTuple):
    """What each virtual neuron does: the control steps that it is at work in, and the words that it sends over its
    collection bus.
    """

    steps: Ints
    results: Ints


def per_virtual_neuron(program: Program) -> OfVirtualNeurons:
    """The steps and the results of each virtual neuron."""
    sums = _Sums(program, visits_of(program.collect))
    return OfVirtualNeurons(sums.steps, sums.results)


class _Sums:
    """Per virtual neuron the steps it is at work in and its results; in all, what is added."""

    def __init__(self, program: Program, visits_of_templates: Ints) -> None:
        visits = visits_of_templates[:, None]
        templates = program.collect.templates
        flags = np.array([template.flags for template in templates], np.int64)
        at_work = visits * ((flags & Collect.ACTIVE) > 0)
        emits = at_work * ((flags & Collect.EMIT) > 0)
        self.steps: Ints = at_work.sum(axis=0)
        self.results: Ints = emits.sum(axis=0)
        self.outputs = int((emits * ((flags & Collect.LAST) > 0)).sum())
        continued = (flags & Collect.FIRST) == 0
        self.accumulations = int((at_work * continued * ~program.spilling).sum())
        two = at_work * [template.additions_two for template in templates]
        three = at_work * [template.additions_three for template in templates]
        self.additions_two, self.additions_three = int(two.sum()), int(three.sum())
        self.comparisons = int(((two + 2 * three) * program.comparing).sum())
