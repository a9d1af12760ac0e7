"""STONNE's rules for dense MAERI workloads, restated as one loop over cycles: a witness that knows nothing of our engines.

Only the geometry is ours (which adder switches a virtual neuron has, and which bus takes its results). Queues have no
limits. Words carry the weights that they are meant for instead of values, so that what STONNE computes wrongly is noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import bus_inputs, virtual_neurons_by_bus
from maerisim.fabric.topology import Wire
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.layout import place
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem


class WrongError(Exception):
    """STONNE multiplies words that do not belong together, or waits for ever."""


class Word(NamedTuple):
    """A packet below one port: what it is, the batch of weights and the fold that it belongs to, where it goes."""

    kind: str
    batch: int
    fold: int
    switches: tuple[int, ...]


class Counts(NamedTuple):
    """What STONNE counts at its memory, without the zeros that fill up partial tiles."""

    cycles: int
    weight_reads: int
    input_reads: int
    partial_sum_reads: int
    writes: int


class _Switch:
    """A multiplier switch: its queues, and its place in the ring of weights and in the row of windows."""

    def __init__(self) -> None:
        self.inputs: deque[Word] = deque()
        self.neighbour: deque[Word] = deque()
        self.weights: deque[Word] = deque()
        self.fold = self.window = 0


class Stonne:
    """One run of a layer with a tile; ``accumulates`` says whether there is an accumulation buffer."""

    def __init__(self, problem: Problem, mapping: Mapping, hardware: Hardware) -> None:
        self.problem, self.tile, self.hardware = problem, mapping.T, hardware
        self.trips = {d: -(-getattr(problem, d) // size) for d, size in self.tile.items()}
        self.folds = self.trips["C"] * self.trips["R"] * self.trips["S"]
        self.returns = self.folds > 1 and hardware.accumulation_words == 0
        layout = place(mapping, topology_of(hardware), self.returns)
        self.size, self.count = mapping.vn_size + self.returns, mapping.vn_count
        routing = topology_of(hardware).route(layout.spans)
        self.transfers = routing.receivers_first
        self.members = virtual_neurons_by_bus(bus_inputs(routing, hardware), hardware.buses)
        t, p = self.tile, problem
        self.slides = t["Q"] == 1 and t["S"] > 1 and p.stride == (1, 1) and p.S % t["S"] == 0
        self.reads = {"weight": 0, "input": 0, "sum": 0}

    # --- what the controller generates ------------------------------------------------------------------------------

    def steps(self) -> Iterator[tuple[int, list[Word]]]:
        """Gate (results per output pixel) and words of each step, in order: all folds of the weights, then the inputs."""
        t, p, trips = self.tile, self.problem, self.trips
        folds = list(product(range(trips["C"]), range(trips["R"]), range(trips["S"])))
        for batch, (_, g, k) in enumerate(product(*(range(trips[d]) for d in "NGK"))):
            gate = g * t["G"] * p.K + k * t["K"] * t["G"]
            for fold, (c, r, s) in enumerate(folds):
                yield gate, self._weights(batch, fold, k, c, r, s)
            for _, column in product(range(trips["P"]), range(trips["Q"])):
                for fold, (c, r, s) in enumerate(folds):
                    yield gate, self._inputs(batch, fold, column, c, r, s)

    def _switch(self, n: int, g: int, k: int, x: int, y: int, c: int, r: int, s: int) -> int:
        t = self.tile
        vn = (((n * t["G"] + g) * t["K"] + k) * t["P"] + x) * t["Q"] + y
        return vn * self.size + self.returns + (c * t["R"] + r) * t["S"] + s

    def _weights(self, batch: int, fold: int, k0: int, c0: int, r0: int, s0: int) -> list[Word]:
        t, p, words = self.tile, self.problem, []
        for g, k, c, r, s in product(*(range(t[d]) for d in "GKCRS")):
            where = [self._switch(n, g, k, x, y, c, r, s) for n, x, y in product(*(range(t[d]) for d in "NPQ"))]
            words.append(Word("weight", batch, fold, tuple(where)))
            starts = (k0 * t["K"] + k, c0 * t["C"] + c, r0 * t["R"] + r, s0 * t["S"] + s)
            self.reads["weight"] += all(i < size for i, size in zip(starts, (p.K, p.C, p.R, p.S), strict=True))
        return words

    def _inputs(self, batch: int, fold: int, column: int, c0: int, r0: int, s0: int) -> list[Word]:
        t, p, words = self.tile, self.problem, []
        step = p.stride[0]
        rows, columns = t["R"] + (t["P"] - 1) * step, t["S"] + (t["Q"] - 1) * step
        for u, v in product(range(rows), range(columns - 1 if self.slides and column else 0, columns)):
            windows = [
                (x, y)
                for x, y in product(range(t["P"]), range(t["Q"]))
                if 0 <= u - x * step < t["R"] and 0 <= v - y * step < t["S"]
            ]
            for n, g, c in product(*(range(t[d]) for d in "NGC")):
                where = [
                    self._switch(n, g, k, x, y, c, u - x * step, v - y * step)
                    for k in range(t["K"])
                    for x, y in windows
                ]
                words.append(Word("input", batch, fold, tuple(where)))
                within = r0 * t["R"] + u < t["P"] + p.R - 1 and s0 * t["S"] + v < t["Q"] + p.S - 1
                self.reads["input"] += within and c0 * t["C"] + c < p.C
        return words

    # --- the cycle --------------------------------------------------------------------------------------------------

    def run(self) -> Counts:
        """All cycles of the layer. Raises WrongError."""
        hardware, leaves = self.hardware, self.hardware.leaves_per_port
        at_once = leaves == 1  # without a switch between them a word arrives in the cycle in which it is sent
        queues: list[deque[Word]] = [deque() for _ in range(hardware.ports)]
        sums: list[deque[Word]] = [deque() for _ in range(hardware.ports)]
        switches = [_Switch() for _ in range(hardware.multipliers)]
        wires: dict[Wire, int] = {}
        done, accumulated = [0] * self.count, [0] * self.count
        bus: list[deque[int]] = [deque() for _ in self.members]  # results under way to the memory
        results: list[deque[int]] = [deque() for _ in range(self.count)]
        turn = [0] * len(self.members)
        waiting: deque[int] = deque()
        steps, pixels = deque(self.steps()), self.problem.P * self.problem.Q * (self.folds if self.returns else 1)
        expected = self._outputs() * self.count * (self.folds if self.returns else 1)
        written = writes = cycle = idle = 0
        while written < expected:
            cycle, idle = cycle + 1, idle + 1
            if idle > 1000:
                raise WrongError
            # memory controller: at most one step, then what has come, then a word for each port
            if steps and steps[0][0] <= written // pixels:
                for word in steps.popleft()[1]:
                    for port in sorted({switch // leaves for switch in word.switches}):
                        here = tuple(switch for switch in word.switches if switch // leaves == port)
                        queues[port].append(word._replace(switches=here))
            for line in bus:
                waiting.extend(line)
                line.clear()
            for _ in range(-(-len(waiting) // 2)):
                vn = waiting.popleft()
                index, fold = divmod(done[vn], self.folds if self.returns else 1)
                done[vn], written, idle = done[vn] + 1, written + 1, 0
                writes += self._is_real(vn, index)
                if self.returns and fold < self.folds - 1:
                    sums[vn * self.size // leaves].append(Word("sum", 0, 0, (vn * self.size,)))
                    self.reads["sum"] += 1
            sent = [
                sums[p].popleft() if sums[p] else queues[p].popleft() if queues[p] else None for p in range(len(queues))
            ]
            if at_once:
                self._deliver(sent, switches)
            # collection buses, round robin
            for line, members in enumerate(self.members):
                for ahead in range(len(members)):
                    chosen = (turn[line] + ahead) % len(members)
                    if results[members[chosen]]:
                        results[members[chosen]].popleft()
                        bus[line].append(members[chosen])
                        turn[line] = (chosen + 1) % len(members)
                        break
            # accumulators, then adder switches from the root to the leaves
            if not self.returns and self.hardware.accumulation_words:
                for vn in range(self.count):
                    if wires.get(Wire("result", 0, vn), 0):
                        wires[Wire("result", 0, vn)] -= 1
                        accumulated[vn] += 1
                        if accumulated[vn] % self.folds == 0:
                            results[vn].append(vn)
            for transfer in self.transfers:
                if all(wires.get(wire, 0) for wire in transfer.operands):
                    idle = 0
                    for wire in transfer.operands:
                        wires[wire] -= 1
                    if transfer.output.kind == "result" and not self.hardware.accumulation_words:
                        results[transfer.virtual_neuron].append(transfer.virtual_neuron)
                    else:
                        wires[transfer.output] = wires.get(transfer.output, 0) + 1
            # multiplier switches, by rising index
            for number in range(self.size * self.count):
                if self._multiply(number, switches):
                    idle = 0
                    wires[Wire("product", 0, number)] = wires.get(Wire("product", 0, number), 0) + 1
            if not at_once:
                self._deliver(sent, switches)
        return Counts(cycle, self.reads["weight"], self.reads["input"], self.reads["sum"], writes)

    def _is_real(self, vn: int, index: int) -> bool:
        """Whether output number ``index`` of a virtual neuron is one that the layer has."""
        t, p, trips = self.tile, self.problem, self.trips
        rest, y = divmod(vn, t["Q"])
        rest, x = divmod(rest, t["P"])
        rest, k = divmod(rest, t["K"])
        n, g = divmod(rest, t["G"])
        index, column = divmod(index, trips["Q"])
        index, row = divmod(index, trips["P"])
        index, filters = divmod(index, trips["K"])
        images, groups = divmod(index, trips["G"])
        at = (images * t["N"] + n, groups * t["G"] + g, filters * t["K"] + k, row * t["P"] + x, column * t["Q"] + y)
        return all(place < size for place, size in zip(at, (p.N, p.G, p.K, p.P, p.Q), strict=True))

    def _deliver(self, sent: list[Word | None], switches: list[_Switch]) -> None:
        for word in sent:
            for number in word.switches if word is not None else ():
                switch = switches[number]
                if word.kind == "weight":
                    if len(switch.weights) == self.folds:
                        switch.weights.clear()
                    switch.weights.append(word)
                else:
                    switch.inputs.append(word)

    def _multiply(self, number: int, switches: list[_Switch]) -> bool:
        """Whether a switch puts something on its wire in this cycle."""
        switch, inside = switches[number], number % self.size
        if self.returns and inside == 0:
            if switch.fold > 0 and not switch.inputs:
                return False
            if switch.fold > 0:
                switch.inputs.popleft()
            elif switch.window == self._outputs():
                return False
            switch.fold = (switch.fold + 1) % self.folds
            switch.window += switch.fold == 0
            return True
        column = (inside - self.returns) % self.tile["S"]
        slid = self.slides and column < self.tile["S"] - 1 and switch.window > 0
        queue = switch.neighbour if slid else switch.inputs
        if not queue or len(switch.weights) < self.folds:
            return False
        word, weight = queue.popleft(), switch.weights.popleft()
        switch.weights.append(weight)
        if (word.batch, word.fold) != (weight.batch, weight.fold):
            raise WrongError
        if self.slides and column > 0 and switch.window < self.problem.Q - 1:
            switches[number - 1].neighbour.append(word)
        switch.fold = (switch.fold + 1) % self.folds
        if switch.fold == 0:
            switch.window = (switch.window + 1) % self.problem.Q
        return True

    def _outputs(self) -> int:
        """Outputs of a virtual neuron (beyond which a switch for partial sums would go on with zeros)."""
        return prod(self.trips[d] for d in "NGKPQ")
