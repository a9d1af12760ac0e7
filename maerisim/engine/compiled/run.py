"""The compiled engine: the fabric as flat arrays, stepped by numba kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, STALLS
from maerisim.counts.program_totals import per_virtual_neuron, totals
from maerisim.engine.compiled.bit_planes import flatten_lanes
from maerisim.engine.compiled.fast_forward import recorded, recorded_by_word, recorded_in_lock_step
from maerisim.engine.compiled.flatten import counters_of, flatten, flatten_lock_step
from maerisim.engine.compiled.independent_parts import parts_of
from maerisim.engine.compiled.shared_switches import SharedSwitches
from maerisim.engine.compiled.two_layers import TwoLayers
from maerisim.engine.outcome import Progress, Run
from maerisim.engine.watchdog import deadlock_message
from maerisim.errors import DeadlockError
from maerisim.fabric.choose import places_of
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping import counted, ending, fabric, walk
from maerisim.kernels.stepping import fast_forward as repeating
from maerisim.kernels.stepping.lock_step.fabric import run_in_lock_step
from maerisim.kernels.stepping.lock_step.machine import ControlProgram, LockStepState
from maerisim.kernels.stepping.machine import Machine
from maerisim.program.program import Control, ControlRow, Program, Thread
from maerisim.program.wiring import wire_up
from maerisim.workload.reference import Operands

_CYCLES_PER_CALL = 100_000


def run(
    program: Program,
    hardware: Hardware,
    operands: Operands | None,
    outputs: Ints,
    progress: Progress | None,
    fast_forward: bool = True,
) -> Run:
    """Run to the last result.

    Fills ``outputs`` (flat) when values are carried. Otherwise repetitions are skipped, exactly, unless ``fast_forward``
    is off, and 64 switches are stepped at a time, but in lock step. Raises DeadlockError when nothing moves for longer than a word
    takes through the distribution network.
    """
    if operands is None and program.control is None:
        done = run_lanes(program, hardware, progress, fast_forward=fast_forward)
        if done is not None:
            return done
    machine = flatten(program, hardware, operands, outputs)
    if program.control is not None:
        return _run_in_lock_step(
            program, program.control, hardware, machine, progress, fast_forward and operands is None
        )
    machine, record = recorded_by_word(machine)
    status, cycle, carry = ending.RUNNING, 0, operands is not None
    while status == ending.RUNNING:
        status, cycle, _ = fabric.run(
            machine, record, program.results, cycle, walk.LATEST, _CYCLES_PER_CALL, carry, False
        )
        if progress is not None:
            progress(int(machine.tally[counted.RESULTS]), program.results)
    if status == ending.DEADLOCK:
        raise DeadlockError(_deadlock(machine, None, program, hardware, cycle))
    return Run(cycle, counters_of(machine), int(machine.tally[counted.FIRST_RESULT]), cycle)


def _run_in_lock_step(
    program: Program,
    control: Thread[ControlRow],
    hardware: Hardware,
    machine: Machine,
    progress: Progress | None,
    skipping: bool,
) -> Run:
    """Run a program whose controller drives everything."""
    machine, lock_step, record = recorded_in_lock_step(machine, flatten_lock_step(program, control, hardware))
    status, cycle, stepped = ending.RUNNING, 0, 0
    while status == ending.RUNNING:
        status, cycle, steps = run_in_lock_step(
            machine, lock_step, record, program.results, cycle, _CYCLES_PER_CALL, skipping
        )
        stepped += steps
        if progress is not None:
            progress(int(machine.tally[counted.RESULTS]), program.results)
    if status == ending.DEADLOCK:
        raise DeadlockError(_deadlock(machine, lock_step, program, hardware, cycle))
    return Run(cycle, counters_of(machine), int(machine.tally[counted.FIRST_RESULT]), stepped)


def run_lanes(
    program: Program, hardware: Hardware, progress: Progress | None = None, *, fast_forward: bool = True
) -> Run | None:
    """Run without values, 64 switches at a time; None when the program cannot go on.

    Parts that share nothing run one after the other, equal ones once. A second layer whose parts are not those of the first runs
    behind it, and waits for the cycles in which that has written its results.
    """
    counters = totals(program, hardware)
    adders, stalls = np.array(counters.busy["adder_switches"]), np.zeros(len(STALLS), np.int64)
    switch_at = _switches_by_column(hardware)
    cycles = stepped = port_stalls = results = 0
    first_result = walk.LATEST
    neurons = per_virtual_neuron(program)
    layers, shared = TwoLayers(program, neurons.results), SharedSwitches()
    for part in parts_of(program, hardware, neurons):
        if part.program.results == 0:
            continue
        machine = flatten_lanes(part.program, part.hardware, part.places)
        machine, record = recorded(layers.prepared(part, shared.prepared(part, machine)))
        status, cycle, times = ending.RUNNING, 0, len(part.starts)
        while status == ending.RUNNING:
            status, cycle, steps = repeating.run(
                machine, record, part.program.results, cycle, _CYCLES_PER_CALL, fast_forward
            )
            stepped += steps
            if progress is not None:
                progress(results + times * int(machine.tally[counted.RESULTS]), program.results)
        if status == ending.DEADLOCK:
            return None
        layers.finished(part, machine)
        shared.finished(part, machine)
        tally = machine.tally
        cycles, first_result = max(cycles, cycle), min(first_result, int(tally[counted.FIRST_RESULT]))
        results += times * part.program.results
        stalls += times * tally[counted.STALLED : counted.STALLED + len(STALLS)]
        port_stalls += times * int(tally[counted.PORT_STALLS])
        columns = np.flatnonzero(machine.network.twice)
        for start in part.starts:
            adders[switch_at[start + columns]] -= machine.network.twice[columns]
    if results != program.results:
        return None
    for column, busy in shared.busy().items():
        adders[switch_at[column]] = busy
    counters = replace(
        counters,
        stalls=dict(zip(STALLS, stalls.tolist(), strict=True)),
        port_stalls=port_stalls,
        busy=counters.busy | {"adder_switches": adders.tolist()},
    )
    return Run(cycles, counters, first_result, stepped)


def _switches_by_column(hardware: Hardware) -> Ints:
    """The adder switch at each column."""
    switches = np.zeros(hardware.multipliers, np.int64)
    for switch, (_, column) in places_of(hardware).items():
        switches[column] = switch
    return switches


def _deadlock(
    machine: Machine, lock_step: LockStepState | None, program: Program, hardware: Hardware, cycle: int
) -> str:
    ports = machine.ports
    blocked = {}
    for port in range(hardware.ports):
        for stream, operand in enumerate(OPERANDS):
            packet = ports.head[stream, port]
            if packet < ports.end[stream, port]:
                destinations = ports.destination[ports.first[packet] : ports.first[packet + 1]].tolist()
                blocked[port] = (operand, destinations)
                break
    rows = machine.compute_walkers.row
    stalled = {
        m: STALLS[machine.multipliers.stalled_by[m]]
        for m in range(program.multipliers_used)
        if machine.code.op[rows[m]] != walk.HALT
    }
    wires = wire_up(program, hardware).depth
    return deadlock_message(
        cycle=cycle,
        results=int(machine.tally[counted.RESULTS]),
        expected=program.results,
        stalled=stalled,
        blocked=blocked,
        waiting=[str(wire) for wire, words in zip(wires, machine.wires.words, strict=True) if words],
        row=None if lock_step is None else _row_in_wait(lock_step.control),
    )


def _row_in_wait(control: ControlProgram) -> Control | None:
    row = control.walker.row[0]
    return None if control.code.op[row] == walk.HALT else Control(control.kind[control.code.arg[row]])
