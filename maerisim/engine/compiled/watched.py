"""A run of the compiled engine that observers can watch from any cycle on.

Kernels tell nobody what happens. But a cycle of the word-by-word engine can be one call, and what its arrays hold before and
after that call says it all. What recurs on the way to a window is skipped, exactly; in the window a cycle costs about a millisecond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.counts.counters import OPERANDS, STALLS
from maerisim.engine.compiled.fast_forward import applies_to, recorded_by_word
from maerisim.engine.compiled.flatten import flatten
from maerisim.engine.observers import Observer
from maerisim.errors import DeadlockError, NotSupportedError
from maerisim.fabric.topology import crosses
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping import counted, ending, fabric
from maerisim.kernels.stepping.machine import Machine
from maerisim.kernels.stepping.operand_store import INPUTS, PARTIAL_SUMS, WEIGHTS
from maerisim.kernels.stepping.walk import LATEST, Walkers
from maerisim.program.program import ACTIVE, Collect, Node, Program, Step, Use, net_advance
from maerisim.program.wiring import REGISTER, wire_up

_STEPS_PER_CALL = 1_000_000
# Plain numbers: asking a flag whether it is set takes longer than all else that is done with it.
_ACTIVE, _MULTIPLY, _PASS, _FORWARD = int(ACTIVE), int(Use.MULTIPLY), int(Use.PASS), int(Use.FORWARD)
_FIRST = int(Collect.FIRST)


@dataclass(frozen=True)
class _Before:
    """What the machine held before a cycle; ``compute``, ``collect``, ``streams`` and ``returning`` are where walkers were."""

    words: Ints
    uses: Ints
    compute: Ints
    collect: Ints
    streams: Ints
    returning: Ints
    head: Ints
    line: Ints
    written: Ints
    busy_ports: Ints
    busy_buses: Ints

    @classmethod
    def of(cls, machine: Machine) -> _Before:
        ports, collection = machine.ports, machine.collection
        return cls(
            words=machine.wires.words.copy(),
            uses=machine.multipliers.now.copy(),
            compute=_positions(machine.compute_walkers),
            collect=_positions(machine.collect_walkers),
            streams=_positions(machine.stream_walkers),
            returning=_positions(machine.returning_walkers),
            head=ports.head.copy(),
            line=ports.line.copy(),
            written=collection.written.copy(),
            busy_ports=ports.busy.copy(),
            busy_buses=collection.busy.copy(),
        )


class Watched:
    """A run of ``program`` without values, at ``cycle``, up to which so many were ``stepped``. Raises NotSupportedError for the lock step.

    It tells the events that the event engine tells; only which words on operand wires are empty it does not know: to an
    adder switch all of them are 0.
    """

    def __init__(self, program: Program, hardware: Hardware) -> None:
        if program.control is not None:
            msg = f"hardware {hardware.name} drives the fabric in lock step, where only the event engine can be watched"
            raise NotSupportedError(msg)
        self.program, self.cycle, self.stepped = program, 0, 0
        self._comparing, self._spilling = program.comparing.tolist(), program.spilling.tolist()
        self._machine, self._record = recorded_by_word(flatten(program, hardware, None, np.zeros(0, np.int64)))
        self._recurs = applies_to(self._machine)
        wiring = wire_up(program, hardware)
        number = {wire: index for index, wire in enumerate(wiring.depth)}
        self._senders_first = [
            (transfer, number[transfer.operands[0]], number[transfer.output]) for transfer in reversed(wiring.reduction)
        ]
        self._results: list[Iterator[SentResult]] = []
        self._waiting: deque[tuple[int, SentResult]] = deque()
        self._told_until = -1

    @property
    def finished(self) -> bool:
        """Whether all results have left."""
        return int(self._machine.tally[counted.RESULTS]) >= self.program.results

    @property
    def work(self) -> int:
        """Multiplications so far, and inputs that a pooling has passed on."""
        return int(self._machine.multipliers.busy.sum())

    @property
    def stalls(self) -> dict[str, int]:
        """How often a multiplier switch had to wait so far, by cause."""
        counts = self._machine.tally[counted.STALLED : counted.STALLED + len(STALLS)]
        return dict(zip(STALLS, counts.tolist(), strict=True))

    def go_to(self, cycle: int, steps: int = LATEST) -> None:
        """Run on to the beginning of a cycle, or to the end of the run, without telling anybody; or for so many ``steps``."""
        end = self.stepped + steps
        while self.cycle < cycle and self.stepped < end and not self.finished:
            self._step(cycle, min(_STEPS_PER_CALL, end - self.stepped), skipping=self._recurs)

    def watch(self, until: int, observer: Observer) -> None:
        """Run on to the beginning of cycle ``until``, or to the end, and tell ``observer`` of all that happens."""
        if self._told_until != self.cycle:
            self._take_stock()
        while self.cycle < until and not self.finished:
            before, cycle = _Before.of(self._machine), self.cycle
            self._step(cycle + 1, 1)
            self._tell(before, cycle, observer)
            observer.cycle_ended(cycle)
        self._told_until = self.cycle

    def _step(self, until: int, steps: int, *, skipping: bool = False) -> None:
        """Run towards cycle ``until``, for ``steps`` at the most. Raises DeadlockError."""
        status, self.cycle, stepped = fabric.run(
            self._machine, self._record, self.program.results, self.cycle, until, steps, False, skipping
        )
        self.stepped += stepped
        if status == ending.DEADLOCK:
            msg = f"deadlock: nothing moves in cycle {self.cycle}"
            raise DeadlockError(msg)

    def _take_stock(self) -> None:
        """Find out which results the virtual neurons have sent so far, and which of them are not written yet."""
        collection = self._machine.collection
        written = collection.written.tolist()
        self._results = [results_from(self.program, vn, count) for vn, count in enumerate(written)]
        queue = collection.write_queue[: collection.waiting[0]].tolist()
        self._waiting = deque((vn, next(self._results[vn])) for vn in queue)

    def _tell(self, before: _Before, cycle: int, observer: Observer) -> None:
        """Tell what a cycle has done."""
        self._tell_collected(before, cycle, observer)
        worked = _moved(before.compute, self._machine.compute_walkers)
        self._tell_sums(before, worked, cycle, observer)
        self._tell_multipliers(before, worked, cycle, observer)
        self._tell_written(before, cycle, observer)
        self._tell_ports(before, cycle, observer)

    def _tell_collected(self, before: _Before, cycle: int, observer: Observer) -> None:
        """Each bus has put the result that it took at the end of the write queue."""
        collection = self._machine.collection
        for bus in np.flatnonzero(collection.busy - before.busy_buses).tolist():
            vn = self._granted(bus)
            result = next(self._results[vn])
            self._waiting.append((vn, result))
            observer.collected(bus, vn, 0, result.complete, cycle)

    def _granted(self, bus: int) -> int:
        """The virtual neuron that a bus served last."""
        collection = self._machine.collection
        last = collection.member_start[bus + 1] - 1 if collection.least_recent else collection.last_granted[bus]
        return int(collection.member[last])

    def _tell_sums(self, before: _Before, worked: Mask, cycle: int, observer: Observer) -> None:
        """A wire has lost what it held before and was given, but for what it still holds; so its reader has taken that."""
        machine = self._machine
        gone = before.words - machine.wires.words
        for m in np.flatnonzero(worked & (before.uses & _ACTIVE > 0)).tolist():
            gone[int(machine.multipliers.product[m])] += 1
        done = []
        for transfer, operand, output in self._senders_first:
            if gone[operand] > 0:
                gone[output] += 1
                done.append(transfer)
        for transfer in reversed(done):
            vn = transfer.virtual_neuron
            if transfer.switch == REGISTER:
                continue
            tell = observer.compared if self._comparing[vn] else observer.added
            tell(transfer.switch, vn, [0] * len(transfer.operands), 0, cycle)
            if crosses(transfer):
                observer.crossed(transfer.switch, vn, 0, cycle)
        flags = machine.collection.flags
        for vn in np.flatnonzero(_moved(before.collect, machine.collect_walkers)).tolist():
            uses = int(flags[machine.code.arg[before.collect[vn, 0]], vn])
            if not (uses & _FIRST or self._spilling[vn]):
                observer.accumulated(vn, 0, cycle)

    def _tell_multipliers(self, before: _Before, worked: Mask, cycle: int, observer: Observer) -> None:
        """Those that went on did what they were at; the others say themselves what they wait for."""
        causes = self._machine.multipliers.stalled_by
        for m, uses in enumerate(before.uses.tolist()):
            if uses < 0:
                continue
            if not worked[m]:
                observer.stalled(m, STALLS[causes[m]], cycle)
            elif uses & _MULTIPLY:
                observer.multiplied(m, 0, cycle)
            elif uses & _PASS:
                observer.passed(m, 0, cycle)
            if worked[m] and uses & _FORWARD and m > 0:
                observer.forwarded(m, m - 1, 0, cycle)

    def _tell_written(self, before: _Before, cycle: int, observer: Observer) -> None:
        """The global buffer writes results in the order in which they came."""
        for _ in range(int((self._machine.collection.written - before.written).sum())):
            vn, result = self._waiting.popleft()
            observer.written(vn, result.address, 0, cycle)

    def _tell_ports(self, before: _Before, cycle: int, observer: Observer) -> None:
        """What has left each port, or waits there, and what has come out of the tree below it."""
        ports = self._machine.ports
        stages = ports.line.shape[0]
        released = int(self._machine.controller.released[0])
        busy = ports.busy > before.busy_ports
        for port in range(len(busy)):
            if busy[port]:
                self._tell_sent(before, port, cycle, observer)
            if stages and before.line[cycle % stages, port] >= 0:
                self._tell_delivered(int(before.line[cycle % stages, port]), port, cycle, observer)
            if not busy[port]:
                self._tell_held(port, released, cycle, observer)

    def _tell_sent(self, before: _Before, port: int, cycle: int, observer: Observer) -> None:
        ports, at = self._machine.ports, len(before.busy_ports)
        moved = _moved(before.streams, self._machine.stream_walkers) | (ports.head != before.head).ravel()
        stream = next((s for s in (INPUTS, WEIGHTS) if moved[s * at + port]), PARTIAL_SUMS)
        packet, base = int(before.head[stream, port]), int(before.streams[stream * at + port, 3])
        if stream == PARTIAL_SUMS and len(self._machine.returning.port):
            packet, base = self._returned(before, port)
        address = base + int(ports.offset[packet])
        if stream == INPUTS and port >= ports.between.port:
            address = int(ports.between.source[address])
        reads, hops = int(ports.reads[packet]), int(ports.hops[packet])
        destinations = self._destinations(packet)
        observer.sent(port, OPERANDS[stream], destinations, 0, cycle, address=address, reads=reads, hops=hops)
        if not ports.line.shape[0]:
            self._tell_delivered(packet, port, cycle, observer)

    def _returned(self, before: _Before, port: int) -> tuple[int, int]:
        """The packet of the partial sum that has left a port, and its base: its virtual neuron's walker has gone on."""
        returning = self._machine.returning
        moved = _moved(before.returning, self._machine.returning_walkers) & (returning.port == port)
        (vn,) = np.flatnonzero(moved).tolist()
        row, base = before.returning[vn, 0], before.returning[vn, 3]
        return int(returning.packet[self._machine.code.arg[row], vn]), int(base)

    def _tell_delivered(self, packet: int, port: int, cycle: int, observer: Observer) -> None:
        operand = OPERANDS[self._machine.ports.stream[packet]]
        for switch in self._destinations(packet):
            observer.delivered(port, operand, switch, 0, cycle)

    def _tell_held(self, port: int, released: int, cycle: int, observer: Observer) -> None:
        """The first word that could not go, of a control step that is released."""
        ports, count = self._machine.ports, len(self._machine.ports.busy)
        for stream, operand in enumerate(OPERANDS):
            packet = int(ports.head[stream, port])
            waits = packet < ports.end[stream, port]
            if waits and self._machine.stream_walkers.step[stream * count + port] < released:
                observer.port_stalled(port, operand, self._destinations(packet), cycle)
                return

    def _destinations(self, packet: int) -> list[int]:
        ports = self._machine.ports
        return [int(m) for m in ports.destination[ports.first[packet] : ports.first[packet + 1]]]


class SentResult(NamedTuple):
    """Where a word that leaves over a collection bus lies among the outputs, and whether it is ``complete``."""

    address: int
    complete: bool


def results_from(program: Program, virtual_neuron: int, count: int) -> Iterator[SentResult]:
    """The results of a virtual neuron in order, without the first ``count``, over which whole loops are skipped."""
    thread, offset = program.collect, int(program.output_offset[virtual_neuron])
    flags = [int(template.flags[virtual_neuron]) for template in thread.templates]
    sends = Collect.ACTIVE | Collect.EMIT
    left = count

    def results_in(node: Node) -> int:
        """Results of one repetition of a node."""
        if isinstance(node, Step):
            return int(flags[node.template] & sends == sends)
        return sum(inner.count * results_in(inner) for inner in node.body)

    def walk(nodes: Sequence[Node], base: int) -> Iterator[SentResult]:
        nonlocal left
        for node in nodes:
            inner = () if isinstance(node, Step) else node.body
            advance = node.advance + sum(net_advance(each) for each in inner)
            each = results_in(node)
            skipped = min(node.count, left // each) if each else node.count
            left -= skipped * each
            for repetition in range(skipped, node.count):
                at = base + repetition * advance
                if isinstance(node, Step):
                    yield SentResult(at + offset, bool(flags[node.template] & Collect.LAST))
                else:
                    yield from walk(inner, at)
            base += node.count * advance

    return walk(thread.second if program.layer_of_virtual_neuron(virtual_neuron) else thread.nodes, 0)


def _positions(walkers: Walkers) -> Ints:
    """[walker, what it consists of]: row, left, step, base, turns."""
    return np.column_stack((walkers.row, walkers.left, walkers.step, walkers.base, walkers.turns))


def _moved(before: Ints, walkers: Walkers) -> Mask:
    """Which walkers have gone on."""
    moved: Mask = (before != _positions(walkers)).any(axis=1)
    return moved
