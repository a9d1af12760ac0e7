"""The analytic model's cycles the slow way: every control step is walked, every word at every port counted.

Written from the definitions in :mod:`maerisim.analytic` and DESIGN.md on top of the lowering's layout and reuse, without
the closed forms, the classes of steps and the short cuts of the kernels.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import prod

import numpy as np

from maerisim.fabric.collection import bus_inputs
from maerisim.fabric.topology import topology_of
from maerisim.hardware import Hardware
from maerisim.lowering import padded
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS, addresses, place, strides_of
from maerisim.lowering.reuse import forwards, held, temporal_loops
from maerisim.mapping import REDUCED, Mapping
from maerisim.workload import DIMENSIONS, Problem


def estimated_cycles(given: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Cycles of ``mapping`` as the analytic model defines them."""
    problem = padded(given, mapping) if hardware.controller.pad_edges else given
    multiplier = hardware.multiplier
    loops = temporal_loops(problem, mapping)
    trips = {loop.dimension: loop.trips for loop in loops}
    folds = set(REDUCED) & set(trips)
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    inputs = held(loops, INPUT_DIMENSIONS, multiplier.input_registers)
    slides = forwards(problem, mapping, hardware, loops, inputs)
    if hardware.controller.pad_edges and given.S % mapping.tile_of("S"):
        slides = False
    spills = mapping.spills(problem, hardware)
    topology = topology_of(hardware)
    layout = place(mapping, topology, spills)
    route = topology.route(layout.spans)
    bus_of = np.array([entry.bus for entry in bus_inputs(route, hardware)])
    starts = np.array([span.start for span in layout.spans])
    port_of = np.arange(layout.switches) // hardware.leaves_per_port
    strides = strides_of(problem)
    weight, word = addresses(layout, strides.weights), addresses(layout, strides.inputs)
    worker = (layout.virtual_neuron >= 0) & ~layout.partial_sum
    edge = {d: problem.dims[DIMENSIONS.index(d)] - (n - 1) * mapping.tile_of(d) for d, n in trips.items()}

    def words_by_port(switches, address):
        sent = {(port, value) for port, value in zip(port_of[switches], address[switches], strict=True)}
        return np.bincount([port for port, _ in sent], minlength=hardware.ports)

    fast, period = [], 1
    for loop in reversed(loops):
        if period > multiplier.input_fifo_depth:
            break
        fast.append(loop.dimension)
        period *= loop.trips

    at_ports, at_buses = np.zeros(hardware.ports, np.int64), np.zeros(hardware.buses, np.int64)
    phases: dict[object, Counter[str]] = {}
    phase_ports: dict[object, np.ndarray] = {}
    first_words = {}
    for step in product(*(range(loop.trips) for loop in loops)):
        index = dict(zip(trips, step, strict=True))
        inside = np.ones(layout.switches, bool)
        at_work = np.ones(layout.switches, bool)
        for d, turns in trips.items():
            if index[d] == turns - 1:
                inside &= layout.coordinate[d] < edge[d]
                at_work &= (layout.coordinate[d] < edge[d]) | (d in REDUCED)
        load = np.zeros(hardware.ports, np.int64)
        if all(index[d] == 0 for d in weights.reused if d in trips):
            sent = words_by_port(worker & inside & (not given.pools), weight)
            first_words.setdefault("weights", sent)
            at_ports += sent
        if all(index[d] == 0 for d in inputs.reused if d in trips):
            needed = worker & inside
            if slides and index["Q"] > 0:
                columns = edge["S"] if "S" in trips and index["S"] == trips["S"] - 1 else mapping.tile_of("S")
                needed = needed & (layout.coordinate["S"] == columns - 1)
            sent = words_by_port(needed, word)
            first_words.setdefault("inputs", sent)
            load += sent
        busy = starts[at_work[starts]]
        if spills and any(index[d] > 0 for d in folds):
            load += np.bincount(port_of[busy], minlength=hardware.ports)
        results = np.zeros(hardware.buses, np.int64)
        if spills or all(index[d] == trips[d] - 1 for d in folds):
            results = np.bincount(bus_of[at_work[starts]], minlength=hardware.buses)
        at_ports += load
        at_buses += results
        key = tuple(index[d] for d in trips if d not in fast)
        phases.setdefault(key, Counter()).update(steps=1, results=int(results.max()))
        phase_ports.setdefault(key, np.zeros(hardware.ports, np.int64))
        phase_ports[key] += load

    depth = max(route.depth(vn) for vn in range(len(layout.spans)))
    drain = hardware.distribution.latency + multiplier.latency + depth
    drain += hardware.accumulation.latency + hardware.collection.latency
    steps, busiest = prod(trips.values()), int(max(at_ports.max(), at_buses.max()))
    if hardware.controller.wait_for_outputs:
        batches = 1 if given.pools else prod(n for d, n in trips.items() if d not in weights.reused | weights.ring)
        ahead = batches * weights.words if hardware.controller.weights_first and not given.pools else 0
        return max(steps + ahead, busiest) + batches * drain
    in_phases = sum(max(*phase.values(), int(phase_ports[key].max())) for key, phase in phases.items())
    ring = weights.ring if weights.passes else frozenset()
    first_pass = {d: trips[d] for d in ring | weights.repeats}
    sends = prod(n for d, n in first_pass.items() if d not in inputs.reused) * first_words["inputs"]
    loading = prod(trips[d] for d in ring) * first_words["weights"] + sends
    in_phases += max(0, int(loading.max()) - max(prod(first_pass.values()), int(sends.max())))
    return max(in_phases, busiest) + drain - 1
