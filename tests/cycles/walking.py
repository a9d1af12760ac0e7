"""The analytic model's cycles the slow way: every control step is walked, every word at every port counted.

Written from the definitions in :mod:`maerisim.kernels.timing` on top of the lowering's programs, layout and reuse, without
the kernels' classes of steps, equal parts and repetitions.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod

import numpy as np

from maerisim.analytic import representative
from maerisim.hardware import Hardware
from maerisim.kernels.timing import RING
from maerisim.lowering import lower, padded
from maerisim.lowering.layout import WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import held, temporal_loops
from maerisim.mapping import REPLICATED, Mapping
from maerisim.program import ACTIVE, Collect, Program, Use
from maerisim.workload import DIMENSIONS, Problem


def estimated_cycles(given: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Cycles of ``mapping`` as the analytic model defines them."""
    mapping = representative(given, mapping, hardware)
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
    last = _last_result(program, problem, mapping, hardware, weights.words)
    return max(max(steps, busiest) + drain - 1, last)


def _bundles(program: Program, problem: Problem, mapping: Mapping, hardware: Hardware) -> list[list[int]]:
    """Virtual neurons side by side under one port that are at work in the same steps and share a bus; others alone."""
    span = hardware.leaves_per_port
    index = dict(
        zip(mapping.placement, np.indices([mapping.tile_of(d) for d in mapping.placement]).reshape(5, -1), strict=True)
    )
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    bundles: list[list[int]] = []
    known = None
    for vn, (start, size) in enumerate(program.spans):
        first, last = start // span, (start + size - 1) // span
        beyond = [
            index[d][vn] >= sizes[d] - (-(-sizes[d] // mapping.tile_of(d)) - 1) * mapping.tile_of(d) for d in REPLICATED
        ]
        kind = (first, program.buses[vn], tuple(beyond)) if first == last else None
        if kind is not None and kind == known:
            bundles[-1].append(vn)
        else:
            bundles.append([vn])
        known = kind
    return bundles


def _last_result(program: Program, problem: Problem, mapping: Mapping, hardware: Hardware, held_weights: int) -> int:
    """Cycles until the last result has left, by the recurrence of the control steps."""
    multiplier, span = hardware.multiplier, hardware.leaves_per_port
    bundles = _bundles(program, problem, mapping, hardware)
    bundle_of = {vn: b for b, members in enumerate(bundles) for vn in members}
    sections, section_of = [], {}
    for vn, (start, size) in enumerate(program.spans):
        for switch in range(start, start + size):
            key = (bundle_of[vn], switch // span)
            if key not in sections:
                sections.append(key)
            section_of[switch] = sections.index(key)
    lead = [program.spans[members[0]].start for members in bundles]
    way = [max(program.reduction.depth(vn) for vn in members) + multiplier.latency for members in bundles]
    slack = [
        min(RING - 1, multiplier.product_fifo_depth + hardware.reduction.fifo_depth * (w - multiplier.latency - 1))
        for w in way
    ]
    tail = hardware.accumulation.latency + hardware.collection.latency
    room = multiplier.weight_registers * (2 if multiplier.weight_double_buffering else 1) - held_weights

    sent = defaultdict(lambda: -1)
    saved = defaultdict(int)
    done = defaultdict(lambda: -1)
    spread = defaultdict(int)
    used, returned, taken, bus_time = defaultdict(list), defaultdict(list), defaultdict(list), {}
    sums = defaultdict(dict)
    emitted = defaultdict(list)

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

    def receivers(template):
        return sorted({section_of[switch] for switch in template.destinations.tolist()})

    streams = [{visit.step: visit.template for visit in thread.walk()} for thread in program.streams]
    collects = [visit.template for visit in program.collect.walk()]
    for step, (uses, *_) in enumerate(program.compute.walk()):
        inputs, partial_sums, weights = (stream.get(step) for stream in streams)
        ready, words = {}, {}
        if inputs is not None:
            for s in receivers(inputs):
                if len(used[s]) >= multiplier.input_fifo_depth:
                    ready[s] = used[s][-multiplier.input_fifo_depth] - 1
            for port in np.flatnonzero(words_of(inputs)):
                wait(
                    port,
                    max((ready[s] for s in receivers(inputs) if s in ready and sections[s][1] == port), default=-1),
                )
                sent[port] += int(words_of(inputs)[port])
            for s in receivers(inputs):
                ready[s] = sent[sections[s][1]] + hardware.distribution.latency
                words[s] = int(words_of(inputs)[sections[s][1]])
        if partial_sums is not None:
            for b, members in enumerate(bundles):
                packets = [i for i, to in enumerate(partial_sums.destinations) if to == lead[b]]
                if not packets or not partial_sums.wait[packets[0]]:
                    continue
                s = section_of[lead[b]]
                until = -1
                if len(returned[s]) >= multiplier.partial_sum_fifo_depth:
                    until = returned[s][-multiplier.partial_sum_fifo_depth] - 1
                at, time = emitted[b][-partial_sums.wait[packets[0]]]
                if step - at < RING:
                    until = max(until, time - 2)
                port = sections[s][1]
                wait(port, until)
                sent[port] += len(members)
                if sent[port] + hardware.distribution.latency > ready.get(s, -1):
                    ready[s], words[s] = sent[port] + hardware.distribution.latency, len(members)
        if weights is not None:
            for s in receivers(weights):
                port = sections[s][1]
                wait(port, done[s] - (multiplier.input_fifo_depth * int(first_inputs[port]) if room > 0 else 1))
            late = {}
            for port in range(hardware.ports):
                due = int(words_of(weights)[port])
                from_savings = min(due, saved[port])
                saved[port] -= from_savings
                sent[port] += due - from_savings
                if due > from_savings:
                    late[port] = sent[port] + hardware.distribution.latency
            for s in receivers(weights):
                port = sections[s][1]
                if late.get(port, -1) > ready.get(s, -1):
                    ready[s], words[s] = late[port], int(words_of(weights)[port])
        retires = {
            section_of[m]
            for m in np.flatnonzero((uses & Use.RETIRE_INPUT > 0) & (uses & Use.FORWARDED_INPUT == 0)).tolist()
        }
        returning = {section_of[m] for m in np.flatnonzero(uses & Use.PARTIAL_SUM).tolist()}
        at_work = [bool(uses[switch : switch + program.spans[0].size].max() & int(ACTIVE)) for switch in lead]
        for s, (b, _) in enumerate(sections):
            done[s] += 1
            if at_work[b]:
                if ready.get(s, -1) > done[s]:
                    done[s], spread[s] = ready[s], words[s] - 1
                if step >= slack[b] and step - slack[b] in sums[b]:
                    done[s] = max(done[s], sums[b][step - slack[b]] - way[b])
            if s in retires:
                used[s].append(done[s])
            if s in returning:
                returned[s].append(done[s])
        for b in range(len(bundles)):
            before = sums[b].get(step - 1)
            if at_work[b]:
                arrived = max(done[s] + way[b] for s, (other, _) in enumerate(sections) if other == b)
                sums[b][step] = arrived if before is None else max(before + 1, arrived)
            elif before is not None:
                sums[b][step] = before
        emits = [b for b, members in enumerate(bundles) if collects[step].flags[members[0]] & Collect.EMIT]
        by_bus = defaultdict(list)
        for b in emits:
            by_bus[program.buses[bundles[b][0]]].append(b)
            if len(taken[b]) >= hardware.collection.fifo_depth:
                sums[b][step] = max(sums[b][step], taken[b][-hardware.collection.fifo_depth] - 1)
        for bus, members in by_bus.items():
            results = sum(len(bundles[b]) for b in members)
            last_section = {b: max(s for s, (other, _) in enumerate(sections) if other == b) for b in members}
            soonest = min(sums[b][step] - min(results - 1, spread[last_section[b]]) for b in members)
            latest = max(sums[b][step] for b in members)
            bus_time[bus] = max(max(bus_time.get(bus, -1), soonest + tail - 1) + results, latest + tail)
        for b in emits:
            bus = program.buses[bundles[b][0]]
            results = sum(len(bundles[other]) for other in by_bus[bus])
            alone = max(sums[b][step] + tail, taken[b][-1] + results if taken[b] else 0)
            time = min(bus_time[bus], alone)
            taken[b].append(time)
            emitted[b].append((step, time))
    return max(bus_time.values())
