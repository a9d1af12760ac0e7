"""The compiled engine: the fabric as flat arrays, stepped by numba kernels."""

from __future__ import annotations

from maerisim.counters import OPERANDS, STALLS, Counters
from maerisim.engine.event import Progress
from maerisim.engine.fast_forward import FastForward, Skipper, watched_switch
from maerisim.engine.flatten import counters_of, flatten, flatten_lock_step
from maerisim.engine.watchdog import deadlock_message
from maerisim.errors import DeadlockError
from maerisim.fabric.wiring import wire_up
from maerisim.hardware import Hardware
from maerisim.kernels import fabric
from maerisim.kernels import lock_step as ls
from maerisim.kernels import machine as k
from maerisim.kernels.walk import HALT
from maerisim.program import Control, Ints, Program
from maerisim.reference import Operands

_CYCLES_PER_CALL = 200_000


def run(
    program: Program,
    hardware: Hardware,
    operands: Operands | None,
    outputs: Ints,
    progress: Progress | None,
    fast_forward: bool = True,
) -> tuple[int, Counters, int]:
    """Run to the last result; return (cycles, counters, cycles to the first result).

    Fills ``outputs`` (flat) when values are carried; otherwise repetitions are skipped, exactly, unless
    ``fast_forward`` is off. Raises DeadlockError when nothing moves for longer than a word
    takes through the distribution network.
    """
    machine = flatten(program, hardware, operands, outputs)
    lock_step = None if program.control is None else flatten_lock_step(program, program.control, hardware)
    status, cycle, skipper = k.RUNNING, 0, None
    if fast_forward and lock_step is None and operands is None and FastForward.applies_to(machine):
        forward = FastForward(machine)
        machine = forward.machine
        skipper = Skipper(forward, watched_switch(machine.compute_walkers, machine.multipliers.now))
    while status == k.RUNNING:
        if lock_step is None and skipper is not None:
            before = cycle
            status, cycle = fabric.run(
                machine, program.results, cycle, _CYCLES_PER_CALL, False, skipper.watched, skipper.depth
            )
            if cycle - before == _CYCLES_PER_CALL:
                skipper.watch_another(_CYCLES_PER_CALL)
            elif status == k.RUNNING:
                cycle = skipper.boundary(cycle, cycle - before)
        elif lock_step is None:
            status, cycle = fabric.run(machine, program.results, cycle, _CYCLES_PER_CALL, operands is not None, -1, 0)
        else:
            status, cycle = ls.run(machine, lock_step, program.results, cycle, _CYCLES_PER_CALL)
        if progress is not None:
            progress(int(machine.tally[k.RESULTS]), program.results)
    if status == k.DEADLOCK:
        raise DeadlockError(_deadlock(machine, lock_step, program, hardware, cycle))
    return cycle, counters_of(machine), int(machine.tally[k.FIRST_RESULT])


def _deadlock(
    machine: k.Machine, lock_step: ls.LockStep | None, program: Program, hardware: Hardware, cycle: int
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
        if machine.code.op[rows[m]] != HALT
    }
    wires = wire_up(program, hardware).depth
    return deadlock_message(
        cycle=cycle,
        results=int(machine.tally[k.RESULTS]),
        expected=program.results,
        stalled=stalled,
        blocked=blocked,
        waiting=[str(wire) for wire, words in zip(wires, machine.wires.words, strict=True) if words],
        row=None if lock_step is None else _row_in_wait(lock_step.control),
    )


def _row_in_wait(control: ls.Control) -> Control | None:
    row = control.walker.row[0]
    return None if control.code.op[row] == HALT else Control(control.kind[control.code.arg[row]])
