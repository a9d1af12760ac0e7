"""One cycle of the fabric without values, 64 switches at a time.

Where only time matters a queue is a count, and the same count of 64 neighbouring switches lies in a few machine words,
one bit of each count per word (*bit planes*). What a multiplier switch or an adder switch does in a cycle is then some
twenty bitwise operations for all 64 of them; only what differs from switch to switch, their place in the program, is
walked one by one, and only by those that did something. Buses, controller and global buffer are those of
:mod:`maerisim.kernels.stepping.fabric`, and so is the order within a cycle.
"""

from __future__ import annotations

import numpy as np

from maerisim.kernels.compiling.jit import helper, inlined
from maerisim.kernels.stepping.adder_switch import step_adders
from maerisim.kernels.stepping.bit_planes import bitwise, flag_row
from maerisim.kernels.stepping.bit_planes.accumulator import step_accumulators
from maerisim.kernels.stepping.bit_planes.adder_switch import step_network
from maerisim.kernels.stepping.bit_planes.distribution_port import seek_packet, step_ports
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.bit_planes.multiplier_switch import enter_step, step_multipliers
from maerisim.kernels.stepping.collection_bus import step_buses
from maerisim.kernels.stepping.controller import step_controller
from maerisim.kernels.stepping.distribution_port import open_step, seek_template
from maerisim.kernels.stepping.global_buffer import step_global_buffer


@inlined
def step_cycle(machine: LaneMachine, cycle: int) -> bool:
    """One cycle of the whole fabric; whether anything moved."""
    m = machine
    moved = step_buses(m.wires, m.collection)
    moved |= step_adders(m.wires, m.adders, 0, len(m.adders.output), cycle, m.tally, False, False)
    if m.collection.own_stage:
        moved |= step_accumulators(m.code, m.network, m.wires, m.collection, m.collect_walkers)
    moved |= step_network(m.lanes, m.network, cycle)
    if not m.collection.own_stage:
        moved |= step_accumulators(m.code, m.network, m.wires, m.collection, m.collect_walkers)
    moved |= step_multipliers(m.code, m.lanes, m.network, m.compute_walkers, m.tally)
    moved |= step_controller(m.controller, m.tally)
    moved |= step_global_buffer(
        m.code, m.collection, m.ports, m.stream_walkers, m.returning, m.returning_walkers, cycle, m.tally
    )
    released = m.controller.released[0]
    moved |= step_ports(
        m.code,
        m.lanes,
        m.ports,
        m.arrivals,
        m.asked,
        m.stream_walkers,
        m.returning,
        m.returning_walkers,
        m.collection,
        released,
        cycle,
        m.tally,
    )
    return moved


@helper
def begin(machine: LaneMachine) -> None:
    """Put every switch at its first step and every stream of every port at its first packet."""
    lanes, ports, walkers, code = machine.lanes, machine.ports, machine.stream_walkers, machine.code
    for m in range(len(lanes.now)):
        lanes.bits[lanes.flags + flag_row.AT_WORK * lanes.words + (m >> 6)] |= bitwise.ONE << np.uint64(m & 63)
        enter_step(code, lanes, machine.compute_walkers, m)
    count = ports.head.shape[1]
    for stream in range(3):
        for port in range(count):
            seek_template(code, ports, walkers, stream * count + port, port)
            open_step(code, ports, walkers, stream, port)
            seek_packet(code, ports, walkers, stream, port)
