"""What the ports of a second layer have asked for: the words that the first computes, and when these were there.

A port asks in each cycle in which the next word of its inputs could go whether that has been written. What it is told
depends on a table by address, so it is kept: a stretch of a run repeats only for as long as the same questions, of the
words that come then, are answered alike.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined
from maerisim.kernels.stepping import operand_store, walk
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.machine import Asked, Between, Collectors, Ports
from maerisim.kernels.stepping.record import Record
from maerisim.kernels.stepping.walk import Walkers

NEVER = -walk.LATEST
"""Stands for the last refusal of a word that never was refused."""


@helper
def is_there(
    ports: Ports, asked: Asked, walkers: Walkers, collection: Collectors, packet: int, port: int, cycle: int
) -> bool:
    """Whether the next input of a port of the second layer has been written; the answer is kept."""
    between = ports.between
    if between.in_cycles and cycle >= between.last:
        return True
    word = walkers.base[operand_store.INPUTS * ports.head.shape[1] + port] + ports.offset[packet]
    now = cycle if between.in_cycles else collection.written[between.producer[word]]
    place = asked.sent[port] % asked.word.shape[1]
    asked.word[port, place] = word
    if now < between.due[word]:
        asked.late[port, place] = now
        return False
    asked.there[port, place] = min(asked.there[port, place], now)
    return True


@inlined
def ask_for_next(asked: Asked, port: int) -> None:
    """The word that a port has asked for has been sent."""
    asked.sent[port] += 1
    place = asked.sent[port] % asked.word.shape[1]
    asked.late[port, place], asked.there[port, place] = NEVER, walk.LATEST


@helper
def until_next_is_there(ports: Ports, asked: Asked, cycle: int) -> int:
    """The first cycle after those before ``cycle`` in which a word is there that a port was refused in the last of them, or
    ``cycle``; as if all of them had been asked for in each cycle until then.
    """
    between, next_cycle = ports.between, walk.LATEST
    if not between.in_cycles:
        return cycle
    for port in range(between.port, ports.head.shape[1]):
        place = asked.sent[port] % asked.word.shape[1]
        if asked.late[port, place] == cycle - 1:
            next_cycle = min(next_cycle, between.due[asked.word[port, place]])
    if next_cycle == walk.LATEST:
        return cycle
    for port in range(between.port, ports.head.shape[1]):
        place = asked.sent[port] % asked.word.shape[1]
        if asked.late[port, place] == cycle - 1:
            asked.late[port, place] = next_cycle - 1
    return int(next_cycle)


@inlined
def progress(machine: LaneMachine, record: Record, level: int, word: int, cycle: int) -> int:
    """By how much that which ``word`` is due by has grown since the copy of ``level``."""
    between = machine.ports.between
    if between.in_cycles:
        return int(cycle - record.saved_cycle[level])
    vn = between.producer[word]
    return int(machine.collection.written[vn] - record.saved_clock[level, record.written_clock + vn])


@helper
def alike(between: Between, word: int, step: int, growth: int, late: int, there: int, most: int) -> int:
    """Repetitions, at most so many, in which words each a ``step`` further are answered as ``word`` was."""
    for repetition in range(1, most + 1):
        other = word + repetition * step
        due = between.due[other] - repetition * growth
        if due <= late or due > there:
            return repetition - 1
        if not between.in_cycles and between.producer[other] != between.producer[word]:
            return repetition - 1
    return most


@helper
def until_answer_changes(machine: LaneMachine, record: Record, level: int, cycle: int, most: int) -> int:
    """Repetitions, at most so many, in which all ports of a second layer are answered as since the copy of ``level``.

    A few answers from before that may count as well: those about the words that were next then.
    """
    between, asked, walkers = machine.ports.between, machine.asked, machine.stream_walkers
    if between.in_cycles and record.saved_cycle[level] >= between.last:
        return most
    ports, kept = machine.ports.head.shape[1], asked.word.shape[1]
    for port in range(between.port, ports):
        first, last = record.saved_clock[level, record.asked_clock + port], asked.sent[port]
        if last - first >= kept:
            return 0
        walker = operand_store.INPUTS * ports + port
        step = walkers.base[walker] - record.saved_clock[level, record.base_clock + walker]
        for number in range(first, last + 1):
            place = number % kept
            late, there = asked.late[port, place], asked.there[port, place]
            if late == NEVER and there == walk.LATEST:
                continue
            word = asked.word[port, place]
            growth = progress(machine, record, level, word, cycle)
            most = alike(between, word, step, growth, late, there, most)
            if most == 0:
                return 0
    return most


@helper
def ask_again(machine: LaneMachine, record: Record, level: int, cycle: int, repetitions: int) -> None:
    """Keep the questions of so many repetitions of the stretch since the copy of ``level``, before these are made."""
    between, asked, walkers = machine.ports.between, machine.asked, machine.stream_walkers
    ports = machine.ports.head.shape[1]
    for port in range(between.port, ports):
        first, last = record.saved_clock[level, record.asked_clock + port], asked.sent[port]
        walker = operand_store.INPUTS * ports + port
        step = walkers.base[walker] - record.saved_clock[level, record.base_clock + walker]
        growth = progress(machine, record, level, asked.word[port, last % asked.word.shape[1]], cycle)
        if last == first:
            grow(asked.late, port, last % asked.word.shape[1], repetitions * growth)
            continue
        # What comes next has been asked for since, as what came first was asked for from the copy on.
        shift(machine, record, level, cycle, port, first, last, step, True)
        for number in range(last + 1, last + 1 + repetitions * (last - first)):
            shift(machine, record, level, cycle, port, number - (last - first), number, step, False)


@inlined
def grow(bounds: Ints, port: int, place: int, by: int) -> None:
    """Let the last refusal of a word be so much later, if there was one."""
    if bounds[port, place] != NEVER:
        bounds[port, place] += by


@helper
def shift(
    machine: LaneMachine, record: Record, level: int, cycle: int, port: int, source: int, to: int, step: int, both: bool
) -> None:
    """Keep the answers about word number ``source`` as those, a repetition later, about number ``to``; or what holds of
    ``both``.
    """
    asked = machine.asked
    source, to = source % asked.word.shape[1], to % asked.word.shape[1]
    word, late, there = asked.word[port, source], asked.late[port, source], asked.there[port, source]
    if late != NEVER or there != walk.LATEST:
        growth = progress(machine, record, level, word, cycle)
        late = late if late == NEVER else late + growth
        there = there if there == walk.LATEST else there + growth
    if both:
        late, there = max(late, asked.late[port, to]), min(there, asked.there[port, to])
    asked.word[port, to], asked.late[port, to], asked.there[port, to] = word + step, late, there
