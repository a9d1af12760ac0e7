"""The analytic model's cycles the slow way: every control step is walked, every word at every port counted.

Written from the definitions in :mod:`maerisim.kernels.estimating.timing` on top of the lowering's programs, wires and packets, without
the kernels' classes of steps, equal parts and repetitions.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import NamedTuple

import numpy as np

from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating import times
from maerisim.lowering.dense import filled_up
from maerisim.lowering.layout import WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import Held, held, temporal_loops
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import ACTIVE, Collect, CollectStep, Program, Use
from maerisim.program.wiring import wire_up
from maerisim.ways.way import program_of
from maerisim.workload.problem import Problem


def estimated_cycles(given: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Cycles of ``mapping`` as the analytic model defines them."""
    problem = filled_up(given, mapping, hardware)
    multiplier, loops = hardware.multiplier, temporal_loops(problem, mapping)
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    # The program of a controller that sends weights first has control steps for them; here they are where they are first used.
    program = program_of(given, mapping, hardware.with_overrides({"controller.weights_first": False}))
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
    last = _last_result(program, problem, mapping, hardware, weights)
    return max(max(steps, busiest) + drain - 1, last)


NEVER = -(10**9)
"""A time of something that has not happened."""


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
        while (output := reader[here].output).kind != "result" or output.stage >= hardware.reduction.latency:
            here = output
            cycles, room = cycles + 1, room + wiring.depth[here]
        ways[switch] = _Way(cycles, room)
    return ways


def _room(words: int) -> int:
    """The words of a queue, as many as there are when they are more than it is known to fill up."""
    return words if words <= times.DEEPEST else 1 << 40


class _Cycles:
    """The cycles of a port or bus: it takes a word in each, in any order.

    Of cycles longer ago than is remembered only the number of those that were ``missed`` is known.
    """

    def __init__(self) -> None:
        self.taken = {-1}
        self.missed = 0

    def take(self, ready: int) -> int:
        """The first free cycle from ``ready`` on, of those that are remembered."""
        latest = max(self.taken)
        time = max(ready, latest - times.SLOTS + 1)
        while time in self.taken:
            time += 1
        self.taken.add(time)
        forgotten = range(max(0, latest - times.SLOTS + 1), max(0, time - times.SLOTS + 1))
        self.missed += sum(cycle not in self.taken for cycle in forgotten)
        return time


def _results_in_a_row(collects: list[CollectStep]) -> list[int]:
    """For each step the steps with results from it on, up to the first without."""
    left, following = [], 0
    for template in reversed(collects):
        following = following + 1 if np.any(template.flags & Collect.EMIT) else 0
        left.append(following)
    return left[::-1]


def _last_result(program: Program, problem: Problem, mapping: Mapping, hardware: Hardware, weights_held: Held) -> int:
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
    slack = {section: _room(min(ways[switch].room for switch in switches)) for section, switches in members.items()}
    lead = [program.spans[vn].start for vn in range(len(program.spans))]
    tail = hardware.accumulation.latency + hardware.collection.latency
    room_for_sums = _room(reduction.fifo_depth + reduction.latency - 1)
    room_for_results = _room(
        hardware.collection.fifo_depth + max(1, hardware.accumulation.latency) + hardware.collection.latency - 2
    )
    room_for_partial_sums = _room(multiplier.partial_sum_fifo_depth)
    ahead = multiplier.weight_registers * (2 if multiplier.weight_double_buffering else 1) - weights_held.words
    trips = {loop.name: loop.trips for loop in temporal_loops(problem, mapping)}
    repeats = prod(trips[d] for d in weights_held.repeats)
    ago = ahead * repeats if ahead >= times.RETIRES else 0
    if weights_held.passes:
        rings, rest = divmod(ahead, weights_held.words)
        ago = repeats * (
            rings * weights_held.words * prod(trips[d] for d in weights_held.passes) + weights_held.words + rest
        )
    ports = defaultdict(_Cycles)
    sent = defaultdict(lambda: -1)
    done = defaultdict(lambda: -1)
    used, retired, returned = defaultdict(list), defaultdict(list), defaultdict(list)
    summed, taken = defaultdict(list), defaultdict(list)
    added = defaultdict(dict)
    emitted = defaultdict(list)
    buses = defaultdict(_Cycles)
    controller, half = hardware.controller, hardware.collection.write_back == "half"
    held_back = controller.wait_for_outputs or controller.steps_per_cycle is not None
    together = multiplier.wait_for_all_weights and bool(program.weights.templates)
    batch_steps, ring = program.batches.steps, weights_held.words
    ends, complete = defaultdict(list), defaultdict(lambda: -1)
    clock = _Clock(controller.steps_per_cycle)
    results = 0

    first_weights = np.zeros(hardware.ports, np.int64)
    if program.weights.templates:
        first_weights = np.diff(next(program.weights.walk()).template.port_start)

    def send(operand, port, room):
        in_turn = operand == "partial_sums" and hardware.distribution.partial_sums_as_they_arrive
        sent[operand, port] = ports[port].take(room if in_turn else max(room, sent[operand, port] + 1))
        return sent[operand, port] + hardware.distribution.latency

    def receivers(template, packet):
        return {section_of[switch] for switch in template.destinations_of(packet).tolist()}

    def send_all(operand, template, used_up, limit, ready, ahead=ahead):
        for port in range(hardware.ports):
            begun, packets, cycles = set(), template.of_port(port), ports[port]
            missed, early, in_vain = min(cycles.missed, ahead * int(first_weights[port])), 0, operand == "weights"
            forgotten = max(cycles.taken) - times.SLOTS
            for packet in packets:
                to = receivers(template, packet)
                room = max((used_up[s][-limit] for s in to - begun if len(used_up[s]) >= limit), default=since)
                room = max(room, since)
                begun |= to
                if in_vain and early < missed and room <= forgotten:
                    early += 1
                    arrival = forgotten + hardware.distribution.latency
                else:
                    in_vain = False
                    arrival = send(operand, port, room)
                for section in to:
                    ready[section] = max(ready[section], arrival)
            if operand == "weights" and packets:
                cycles.missed = missed - len(packets) if early == len(packets) else 0

    def send_partial_sums(template, step):
        for vn, switch in enumerate(lead):
            packets = [i for i, to in enumerate(template.destinations) if to == switch]
            if not packets or not template.wait[packets[0]]:
                continue
            room = since
            if len(returned[vn]) >= room_for_partial_sums:
                room = max(room, returned[vn][-room_for_partial_sums])
            at, time = emitted[vn][-template.wait[packets[0]]]
            if step - at < times.RING:
                room = max(room, time - 1)
            section = section_of[switch]
            ready[section] = max(ready[section], send("partial_sums", section[1], room))

    collects = [visit.template for visit in program.collect.walk()]
    returning_sums = any(np.any(template.wait) for template, *_ in program.partial_sums.walk())
    left = [1] * len(collects) if returning_sums else _results_in_a_row(collects)
    streams = [{visit.step: visit.template for visit in thread.walk()} for thread in program.streams]
    for step, (uses, *_) in enumerate(program.compute.walk()):
        inputs, partial_sums, weights = (stream.get(step) for stream in streams)
        if together and step % batch_steps == 0:
            if controller.wait_for_outputs:
                early = results - program.batches.results_before(step // batch_steps)
                clock.wait(_time_of_results(buses, early, half=half))
            complete.clear()
            for section in members:
                ends[section].append(done[section])
            for port in ports.values():
                port.missed = 0
            of_batch = [streams[2][at] for at in range(step, step + batch_steps) if at in streams[2]]
            for word, template in enumerate(of_batch):
                held = (multiplier.held_weights - word - 1) // ring + 1
                since = NEVER
                if held_back:
                    since = clock.release() if controller.weights_first else clock.time + clock.later(word)
                send_all("weights", template, ends if held <= times.RETIRES else defaultdict(list), held, complete, 0)
        since = clock.release() if held_back else NEVER
        ready = defaultdict(lambda: -1, complete)
        if partial_sums is not None and hardware.distribution.partial_sums_first:
            send_partial_sums(partial_sums, step)
        if inputs is not None:
            send_all("inputs", inputs, used, _room(multiplier.input_fifo_depth), ready)
        if partial_sums is not None and not hardware.distribution.partial_sums_first:
            send_partial_sums(partial_sums, step)
        if weights is not None and not together:
            if ago:
                long_ago = {section: [time - ago] for section, time in done.items()}
                send_all("weights", weights, defaultdict(list, long_ago), 1, ready)
            else:
                send_all("weights", weights, retired, ahead + 1, ready)
        retires = {
            section_of[m]
            for m in np.flatnonzero((uses & Use.RETIRE_INPUT > 0) & (uses & Use.FORWARDED_INPUT == 0)).tolist()
        }
        retires_weight = {section_of[m] for m in np.flatnonzero(uses & Use.RETIRE_WEIGHT).tolist()}
        returning = {section_of[m][0] for m in np.flatnonzero(uses & Use.PARTIAL_SUM).tolist()}
        at_work = [bool(uses[switch : switch + program.spans[0].size].max() & int(ACTIVE)) for switch in lead]
        for section in members:
            done[section] += 1
            if at_work[section[0]]:
                done[section] = max(done[section], ready[section], added[section[0]].get(step - slack[section], -1))
            if section in retires:
                used[section].append(done[section])
            if section in retires_weight:
                retired[section].append(done[section])
        arrived = defaultdict(int)
        for section in members:
            arrived[section[0]] = max(arrived[section[0]], done[section] + way[section])
        for vn, switch in enumerate(lead):
            before = added[vn].get(step - 1)
            if not at_work[vn]:
                if before is not None:
                    added[vn][step] = before
                continue
            if vn in returning:
                returned[vn].append(done[section_of[switch]])
            time = arrived[vn]
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
                result = time + tail
                if taken[vn]:
                    result = max(result, taken[vn][-1] + 1)
                    rivals = sum(
                        arrived[other] + 1 + reduction.latency + tail <= result < taken[other][-1] + 1.5 * left[step]
                        for other, bus in enumerate(program.buses)
                        if other != vn and at_work[other] and bus == program.buses[vn] and taken[other]
                    )
                    result = max(result, taken[vn][-1] + 1 + rivals)
                written = buses[program.buses[vn]].take(result)
                taken[vn].append(written)
                emitted[vn].append((step, written))
                results += 1
            summed[vn].append(time)
        if half and program.spilling.any():
            _write_half(buses, program.buses, emitted, step)
    return _time_of_results(buses, 0, half=half)


class _Clock:
    """When the controller releases control steps, so many a cycle (None: any number): the latest in cycle ``time``."""

    def __init__(self, rate: int | None) -> None:
        self.rate, self.time, self._released = rate, 0, 0

    def wait(self, time: int) -> None:
        """Nothing more is released before a cycle."""
        if time > self.time:
            self.time, self._released = time, 0

    def release(self) -> int:
        """Release one step."""
        if self._released == self.rate:
            self.time, self._released = self.time + 1, 0
        self._released += 1
        return self.time

    def later(self, steps: int) -> int:
        """Cycles in which so many steps are released."""
        return steps // self.rate if self.rate else 0


def _came_lately(buses: dict[int, _Cycles]) -> dict[int, list[int]]:
    """Per cycle that is remembered, in order, the buses that brought a result."""
    latest = max((max(bus.taken) for bus in buses.values()), default=-1)
    cycles = range(latest - times.SLOTS + 1, latest + 1)
    return {
        cycle: [
            number
            for number, bus in sorted(buses.items())
            if cycle in bus.taken and cycle >= 0 and max(bus.taken) - cycle < times.SLOTS
        ]
        for cycle in cycles
    }


def _time_of_results(buses: dict[int, _Cycles], early: int, *, half: bool) -> int:
    """When all but so many results are written: all that have come, or half of those that wait."""
    came = _came_lately(buses)
    left, waiting, time = sum(map(len, came.values())), 0, min(came) - 1
    while left > early:
        time += 1
        waiting += len(came.get(time, ()))
        written = -(-waiting // 2) if half else waiting
        waiting, left = waiting - written, left - written
    return max(0, time)


def _write_half(
    buses: dict[int, _Cycles], bus_of: list[int], emitted: dict[int, list[tuple[int, int]]], step: int
) -> None:
    """Let the results of a step be written in the order of the queue that is written half in each cycle."""
    came = _came_lately(buses)
    queue: list[tuple[int, int]] = []
    at = {}
    for cycle in range(min(came), max(came) + times.SLOTS):
        queue += [(cycle, bus) for bus in came.get(cycle, ())]
        for each in queue[: -(-len(queue) // 2)]:
            at[each] = cycle
        del queue[: -(-len(queue) // 2)]
    for vn, results in emitted.items():
        if results and results[-1][0] == step:
            written = results[-1][1]
            results[-1] = step, at.get((written, bus_of[vn]), written)
