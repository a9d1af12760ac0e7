"""The analytic model's cycles the slow way: every control step is walked, every word at every port counted.

Written from the definitions in :mod:`maerisim.kernels.timing` on top of the lowering's programs, wires and packets, without
the kernels' classes of steps, equal parts and repetitions.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import NamedTuple

import numpy as np

from maerisim.fabric.wiring import wire_up
from maerisim.hardware import Hardware
from maerisim.kernels.times import RING, SLOTS
from maerisim.lowering import lower, padded
from maerisim.lowering.layout import WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import held, temporal_loops
from maerisim.mapping import Mapping
from maerisim.program import ACTIVE, Collect, Program, Use
from maerisim.workload import Problem


def estimated_cycles(given: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Cycles of ``mapping`` as the analytic model defines them."""
    problem = padded(given, mapping) if hardware.controller.pad_edges else given
    multiplier, loops = hardware.multiplier, temporal_loops(problem, mapping)
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    # The program of a controller that sends weights first counts control steps for them; the estimate does not.
    program = lower(given, mapping, hardware.with_overrides({"controller.weights_first": False}))
    at_ports = sum(
        (
            np.add.reduceat(np.append(template.wait > 0, 0), template.port_start[:-1])
            * (np.diff(template.port_start) > 0)
            if thread is program.partial_sums
            else np.diff(template.port_start)
        )
        for thread in program.streams
        for template, *_ in thread.walk()
    )
    at_buses = np.zeros(hardware.buses, np.int64)
    for template, *_ in program.collect.walk():
        for vn in np.flatnonzero(template.flags & Collect.EMIT):
            at_buses[program.buses[vn]] += 1
    depth = max(program.reduction.depth(vn) for vn in range(len(program.spans)))
    drain = hardware.distribution.latency + multiplier.latency + depth
    drain += hardware.accumulation.latency + hardware.collection.latency
    steps, busiest = program.compute.steps, int(max(np.max(at_ports), at_buses.max()))
    if hardware.controller.wait_for_outputs:
        trips = {loop.dimension: loop.trips for loop in loops}
        batches = 1 if given.pools else prod(n for d, n in trips.items() if d not in weights.reused | weights.ring)
        ahead = batches * weights.words if hardware.controller.weights_first and not given.pools else 0
        return max(steps + ahead, busiest) + batches * drain
    last = _last_result(program, problem, hardware, weights.words)
    return max(max(steps, busiest) + drain - 1, last)


class _Way(NamedTuple):
    """From a multiplication to the last adder of its virtual neuron: cycles, and products that have room."""

    cycles: int
    room: int


def _ways(program: Program, hardware: Hardware) -> dict[int, _Way]:
    """The way from each multiplier switch at work, wire by wire."""
    wiring = wire_up(program, hardware)
    reader = {wire: transfer for transfer in wiring.reduction for wire in transfer.operands}
    ways = dict[int, _Way]()
    for switch in (switch for start, size in program.spans for switch in range(start, start + size)):
        here = wiring.product[switch]
        cycles, room = 1, wiring.depth[here]
        while reader[here].output.kind != "result":
            here = reader[here].output
            cycles, room = cycles + 1, room + wiring.depth[here]
        ways[switch] = _Way(cycles, room)
    return ways


class _Bus:
    """A bus takes one result a cycle, in any order."""

    def __init__(self) -> None:
        self.taken: set[int] = set()

    def take(self, ready: int) -> int:
        """The first free cycle from ``ready`` on, of those not longer ago than a bus is known for."""
        latest = max(self.taken, default=ready)
        time = max(ready, latest - SLOTS + 1)
        while time in self.taken:
            time += 1
        self.taken.add(time)
        return time


def _last_result(program: Program, problem: Problem, hardware: Hardware, held_weights: int) -> int:
    """Cycles until the last result has left, by the recurrence of the control steps."""
    multiplier, span, reduction = hardware.multiplier, hardware.leaves_per_port, hardware.reduction
    section_of = {
        switch: (vn, switch // span)
        for vn, (start, size) in enumerate(program.spans)
        for switch in range(start, start + size)
    }
    ways = _ways(program, hardware)
    members = defaultdict(list)
    for switch, section in section_of.items():
        members[section].append(switch)
    way = {section: max(ways[switch].cycles for switch in switches) for section, switches in members.items()}
    slack = {
        section: min([RING - 1, *(ways[switch].room for switch in switches)]) for section, switches in members.items()
    }
    lead = [program.spans[vn].start for vn in range(len(program.spans))]
    tail = hardware.accumulation.latency + hardware.collection.latency
    room_for_sums = reduction.fifo_depth + reduction.latency - 1
    room_for_results = (
        hardware.collection.fifo_depth + max(1, hardware.accumulation.latency) + hardware.collection.latency - 2
    )
    room = multiplier.weight_registers * (2 if multiplier.weight_double_buffering else 1) - held_weights

    sent = defaultdict(lambda: -1)
    saved = defaultdict(int)
    done = defaultdict(lambda: -1)
    used, returned, summed, taken = defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list)
    added = defaultdict(dict)
    emitted = defaultdict(list)
    buses = defaultdict(_Bus)
    last_result = 0

    def words_of(template):
        return np.diff(template.port_start)

    first_inputs = words_of(next(program.inputs.walk()).template)
    first_weights = np.zeros(hardware.ports, np.int64)
    if program.weights.templates:
        first_weights = words_of(next(program.weights.walk()).template)

    def wait(port, until):
        gap = until - sent[port]
        if gap > 0:
            sent[port] = until
            saved[port] = max(0, min(saved[port] + gap, room * int(first_weights[port])))

    def receivers(template, packet):
        return {section_of[switch] for switch in template.destinations_of(packet).tolist()}

    streams = [{visit.step: visit.template for visit in thread.walk()} for thread in program.streams]
    collects = [visit.template for visit in program.collect.walk()]
    for step, (uses, *_) in enumerate(program.compute.walk()):
        inputs, partial_sums, weights = (stream.get(step) for stream in streams)
        ready = {}
        if inputs is not None:
            for port in range(hardware.ports):
                begun = set()
                for packet in inputs.of_port(port):
                    for section in receivers(inputs, packet) - begun:
                        if len(used[section]) >= multiplier.input_fifo_depth:
                            wait(port, used[section][-multiplier.input_fifo_depth] - 1)
                        begun.add(section)
                    sent[port] += 1
                    for section in receivers(inputs, packet):
                        ready[section] = sent[port] + hardware.distribution.latency
        if partial_sums is not None:
            for vn, switch in enumerate(lead):
                packets = [i for i, to in enumerate(partial_sums.destinations) if to == switch]
                if not packets or not partial_sums.wait[packets[0]]:
                    continue
                until = -1
                if len(returned[vn]) >= multiplier.partial_sum_fifo_depth:
                    until = returned[vn][-multiplier.partial_sum_fifo_depth] - 1
                at, time = emitted[vn][-partial_sums.wait[packets[0]]]
                if step - at < RING:
                    until = max(until, time - 2)
                section = section_of[switch]
                port = section[1]
                wait(port, until)
                sent[port] += 1
                ready[section] = max(ready.get(section, -1), sent[port] + hardware.distribution.latency)
        if weights is not None:
            for port in range(hardware.ports):
                packets = weights.of_port(port)
                ahead = multiplier.input_fifo_depth * int(first_inputs[port]) if room > 0 else 1
                for section in set().union(*(receivers(weights, packet) for packet in packets)):
                    wait(port, done[section] - ahead)
                from_savings = min(len(packets), saved[port])
                saved[port] -= from_savings
                for packet in packets[from_savings:]:
                    sent[port] += 1
                    for section in receivers(weights, packet):
                        ready[section] = max(ready.get(section, -1), sent[port] + hardware.distribution.latency)
        retires = {
            section_of[m]
            for m in np.flatnonzero((uses & Use.RETIRE_INPUT > 0) & (uses & Use.FORWARDED_INPUT == 0)).tolist()
        }
        returning = {section_of[m][0] for m in np.flatnonzero(uses & Use.PARTIAL_SUM).tolist()}
        at_work = [bool(uses[switch : switch + program.spans[0].size].max() & int(ACTIVE)) for switch in lead]
        for section in members:
            done[section] += 1
            if at_work[section[0]]:
                done[section] = max(
                    done[section], ready.get(section, -1), added[section[0]].get(step - slack[section], -1)
                )
            if section in retires:
                used[section].append(done[section])
        for vn, switch in enumerate(lead):
            before = added[vn].get(step - 1)
            if not at_work[vn]:
                if before is not None:
                    added[vn][step] = before
                continue
            if vn in returning:
                returned[vn].append(done[section_of[switch]])
            time = max(done[section] + way[section] for section in members if section[0] == vn)
            if before is not None:
                time = max(time, before + 1)
            if len(summed[vn]) >= room_for_sums:
                time = max(time, summed[vn][-room_for_sums])
            added[vn][step] = time
            time += reduction.latency
            if summed[vn]:
                time = max(time, summed[vn][-1] + 1)
            if collects[step].flags[vn] & Collect.EMIT:
                if len(taken[vn]) >= room_for_results:
                    time = max(time, taken[vn][-room_for_results] - 1)
                turn = 0
                if taken[vn]:
                    rivals = sum(
                        bool(taken[other]) and taken[other][-1] < time + tail - hardware.collection.fifo_depth
                        for other, bus in enumerate(program.buses)
                        if other != vn and bus == program.buses[vn]
                    )
                    turn = taken[vn][-1] + rivals + 1
                written = buses[program.buses[vn]].take(max(time + tail, turn))
                taken[vn].append(written)
                emitted[vn].append((step, written))
                last_result = max(last_result, written)
            summed[vn].append(time)
    return last_result
