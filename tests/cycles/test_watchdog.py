"""A program that cannot progress ends in both engines, in the same cycle, and says who waits for what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from maerisim.engine.run import EngineName, RunOptions, run_programs
from maerisim.errors import DeadlockError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Packets, Program, Step, Thread, Use
from maerisim.ways.way import program_of
from maerisim.workload.problem import Problem

ENGINES: tuple[EngineName, ...] = ("event", "compiled")
HARDWARE = Hardware.model_validate({"name": "small", "multipliers": 8, "distribution": {"bandwidth": 2}})
PROBLEM = Problem(K=2, C=12, N=5)
TILE = {"K": 2, "C": 4}
ORDER = "G K N P Q C R S"


def program_on(hardware: Hardware) -> Program:
    return program_of(PROBLEM, Mapping.of(TILE, ORDER), hardware)


def without_last_packet(packets: Packets) -> Packets:
    """The same packets but the last one of the last port."""
    last = len(packets.offset) - 1
    end = packets.first[last]
    return Packets(
        port_start=np.minimum(packets.port_start, last),
        offset=packets.offset[:last],
        reads=packets.reads[:last],
        hops=packets.hops[:last],
        first=packets.first[: last + 1],
        destinations=packets.destinations[:end],
        wait=packets.wait[:last],
    )


def losing(thread: Thread[Packets], template: int) -> Thread[Packets]:
    templates = [
        without_last_packet(packets) if number == template else packets
        for number, packets in enumerate(thread.templates)
    ]
    return replace(thread, templates=tuple(templates))


def deadlocks(program: Program, hardware: Hardware) -> list[str]:
    """What both engines say, in this order: event, compiled."""
    messages = []
    for engine in ENGINES:
        with pytest.raises(DeadlockError) as caught:
            run_programs((program,), hardware, RunOptions(engine=engine))
        messages.append(str(caught.value))
    return messages


def first_line(message: str) -> str:
    return message.splitlines()[0]


def lost_weight(program: Program) -> Program:
    return replace(program, weights=losing(program.weights, 0))


def lost_input(program: Program) -> Program:
    return replace(program, inputs=losing(program.inputs, 0))


def no_inputs_at_all(program: Program) -> Program:
    return replace(program, inputs=Thread("inputs", (), ()))


def inputs_never_retired(program: Program) -> Program:
    """Each multiplier asks for one input more than its queue can hold."""
    flip = np.int64(Use.RETIRE_INPUT | Use.NEXT_INPUT)
    templates = tuple(np.where(uses & Use.RETIRE_INPUT, uses ^ flip, uses) for uses in program.compute.templates)
    return replace(program, compute=replace(program.compute, templates=templates))


def one_step_short(program: Program) -> Program:
    """The multipliers stop after one step: nobody takes the words that are left."""
    return replace(program, compute=replace(program.compute, nodes=(Step(0, 1, 1, 0),)))


def one_result_too_many(program: Program) -> Program:
    return replace(program, results=program.results + 1)


BROKEN: list[tuple[Callable[[Program], Program], list[str]]] = [
    (lost_weight, ["multiplier switches 7: its weight has not arrived", "product 4", "5 of 10 results"]),
    (lost_input, ["multiplier switches 7: its input has not arrived", "product 4"]),
    (
        no_inputs_at_all,
        ["multiplier switches 0, 1, 2, 3, 4, 5, 6, 7: its input has not arrived", "nothing left to send"],
    ),
    (
        inputs_never_retired,
        ["its input has not arrived", "port 0: holds inputs for multiplier switches", "no room there"],
    ),
    (one_step_short, ["port 0: holds inputs for multiplier switches", "port 1: holds inputs for multiplier switches"]),
    (one_result_too_many, ["10 of 11 results have left", "nothing left to send"]),
]


@pytest.mark.parametrize(("spoil", "facts"), BROKEN, ids=[spoil.__name__ for spoil, _ in BROKEN])
@pytest.mark.parametrize("latency", [1, 4])
def test_a_broken_program_ends_and_names_who_waits(
    spoil: Callable[[Program], Program], facts: list[str], latency: int
) -> None:
    hardware = HARDWARE.with_overrides({"distribution.latency": latency, "multiplier.weight_registers": 4})
    event, compiled = deadlocks(spoil(program_on(hardware)), hardware)
    assert first_line(event) == first_line(compiled)
    for message in (event, compiled):
        assert message.startswith("deadlock: nothing moves in cycle ")
        assert "the queue depths of the hardware" in message
        for fact in facts:
            assert fact in message


def test_both_engines_name_the_same_components() -> None:
    for spoil, _ in BROKEN:
        event, compiled = deadlocks(spoil(program_on(HARDWARE)), HARDWARE)
        assert event == compiled


def test_a_sound_program_is_not_stopped_while_words_are_under_way() -> None:
    """Nothing moves for longer than any other latency while a word is in the distribution network."""
    hardware = HARDWARE.with_overrides({"distribution.latency": 50, "multiplier.input_fifo_depth": 1})
    results = [run_programs((program_on(hardware),), hardware, RunOptions(engine=engine)) for engine in ENGINES]
    assert results[0] == results[1]
    assert results[0].cycles > 50


@pytest.mark.parametrize("latency", [1, 5])
def test_partial_sums_that_never_come_back(latency: int) -> None:
    """The ports think that every step starts an output, the multipliers ask for what came before."""
    hardware = HARDWARE.with_overrides({"accumulation.words": 0, "distribution.latency": latency})
    program = program_of(PROBLEM, Mapping.of({"K": 2, "C": 3}, ORDER), hardware)
    assert program.spills
    silent = tuple(replace(packets, wait=np.zeros_like(packets.wait)) for packets in program.partial_sums.templates)
    event, compiled = deadlocks(
        replace(program, partial_sums=replace(program.partial_sums, templates=silent)), hardware
    )
    assert event == compiled
    assert "multiplier switches 0, 4: its partial sum has not come back" in event


@pytest.mark.parametrize("latency", [1, 5])
def test_a_program_that_holds_more_weights_than_there_are_registers(latency: int) -> None:
    """Lowered for four registers, run on one: the second weight has no room, the first is wanted again later."""
    hardware = HARDWARE.with_overrides({"distribution.latency": latency, "multiplier.weight_registers": 4})
    program = program_on(hardware)
    smaller = hardware.with_overrides({"multiplier.weight_registers": 1, "multiplier.weight_double_buffering": False})
    event, compiled = deadlocks(program, smaller)
    assert event == compiled
    assert "multiplier switches 0, 1, 2, 3, 4, 5, 6, 7: its weight has not arrived" in event
    assert "no room there" in event
    assert run_programs((program,), hardware).counters.results == 10


def test_forwarded_inputs_that_fit_nowhere() -> None:
    """Two columns of a filter wait for the next channel while the queue between the switches holds one input only."""
    problem = Problem(C=4, S=2, Q=3)
    program = program_of(problem, Mapping.of({"S": 2}, "N G K P Q C R S"), HARDWARE)
    smaller = HARDWARE.with_overrides({"multiplier.forward_fifo_depth": 1})
    assert any(Use.FORWARD & int(uses.max()) for uses in program.compute.templates)
    messages = []
    for engine in ENGINES:
        with pytest.raises(DeadlockError) as caught:
            run_programs((program,), smaller, RunOptions(engine=engine))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "multiplier switches 1: its left neighbour has no room for the input it forwards" in messages[0]
