"""Lower a layer as the testbench of the published RTL runs it: one program of rows for all ports and switches.

``for C { for K by virtual neurons { weights; for output rows { first window; slide along X; wait for the row's results
} } }``. Nothing overlaps, and the sums of different channel tiles leave as results of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from maerisim.errors import MappingError
from maerisim.fabric.collection import BusInput
from maerisim.hardware import Hardware
from maerisim.lowering.packets import multicast
from maerisim.lowering.rtl_configuration import configured, words_needed
from maerisim.program import (
    Batches,
    CollectStep,
    Control,
    ControlRow,
    Ints,
    Loop,
    Node,
    Packets,
    Program,
    Role,
    Step,
    Thread,
)


class RtlLayer(NamedTuple):
    """What the testbench is told: sizes (Y and X of the padded input), virtual neurons mapped at once, and their size."""

    K: int
    C: int
    R: int
    S: int
    Y: int
    X: int
    vn_count: int
    vn_size: int

    @property
    def rows(self) -> int:
        """Output rows."""
        return self.Y - self.R + 1

    @property
    def columns(self) -> int:
        """Output columns: the products that a switch gives for a row."""
        return self.X - self.S + 1

    @property
    def results(self) -> int:
        """Words that leave over the collection buses."""
        return self.K * self.C * self.rows * self.columns

    @property
    def tiles(self) -> tuple[tuple[int, int], ...]:
        """(how often, how many virtual neurons are active) of the tiles of K."""
        whole, rest = divmod(self.K, self.vn_count)
        return tuple((times, active) for times, active in ((whole, self.vn_count), (min(rest, 1), rest)) if times)

    @property
    def input_multicasts(self) -> int:
        """Inputs sent after the first window of each row, a filter row at a time."""
        tiles = sum(times for times, _ in self.tiles)
        return self.C * tiles * self.rows * self.R * (self.X - self.S)

    @property
    def unique_inputs(self) -> int:
        """Inputs that the testbench counts as read for the first time, in the first tile of K."""
        first_row = self.vn_size + self.R * (self.X - self.S)
        return self.C * (first_row + (self.rows - 1) * self.X)

    def problems(self, hardware: Hardware) -> list[str]:
        """What the RTL or its testbench cannot do."""
        problems = []
        if min(self) < 1:
            problems.append("every size is at least 1")
        if self.vn_size < 2:
            problems.append("a virtual neuron has at least 2 multiplier switches")
        if self.vn_count * self.vn_size > hardware.multipliers:
            text = f"{self.vn_count} virtual neurons of {self.vn_size} do not fit"
            problems.append(f"{text} on {hardware.multipliers} multiplier switches")
        if self.Y < self.R:
            problems.append(f"a filter of {self.R} rows does not fit in an input of {self.Y} (Y counts the padding)")
        if self.X <= self.S:
            problems.append(f"the testbench never ends a row unless X is more than S, found X {self.X} and S {self.S}")
        if hardware.leaves_per_port < 2:
            problems.append("a distribution port has at least 2 multiplier switches")
        return problems


def lower_testbench(layer: RtlLayer, words: Sequence[int], hardware: Hardware) -> Program:
    """The program that runs ``layer`` on switches configured by ``words`` (of ``RN_Config.vmh``).

    Raises MappingError with everything that the RTL cannot do.
    """
    problems = layer.problems(hardware)
    needed = words_needed(hardware.multipliers)
    if len(words) != needed:
        problems.append(f"{hardware.multipliers} multiplier switches need {needed} words, found {len(words)}")
    if hardware.controller.kind != "lock_step":
        problems.append(f"hardware {hardware.name}: needs controller.kind: lock_step (see maeri_rtl)")
    if problems:
        raise MappingError("RTL testbench", problems)
    reduction = configured(words, hardware.multipliers, hardware.buses)
    testbench = _Testbench(layer, hardware)
    control = testbench.thread()
    none = np.zeros(0, np.int64)
    return Program(
        weights=Thread("weights", (), tuple(testbench.packets["weights"])),
        inputs=Thread("inputs", (), tuple(testbench.packets["inputs"])),
        partial_sums=Thread("partial_sums", (), ()),
        compute=Thread("compute", (), (np.zeros(hardware.multipliers, np.int64),)),
        collect=Thread("collect", (), (CollectStep(none, none, none),)),
        spans=(),
        reduction=reduction,
        bus_inputs=tuple(BusInput(port.level, port.place) for port in reduction.ports),
        multipliers_used=hardware.multipliers,
        results=layer.results,
        output_offset=none,
        partial_sum_of=np.full(hardware.multipliers, -1, np.int64),
        batches=Batches(steps=1, count=0, weights=1, trips=(), results=()),
        control=control,
    )


@dataclass
class _Testbench:
    """Builds the controller's program; rows that occur again share a template."""

    layer: RtlLayer
    hardware: Hardware
    rows: list[ControlRow] = field(default_factory=list)
    packets: dict[str, list[Packets]] = field(default_factory=lambda: {"weights": [], "inputs": []})

    def thread(self) -> Thread[ControlRow]:
        """The whole program. Its base address counts the results that are due."""
        nodes: list[Node] = [self._row(ControlRow(Control.PAUSE), count=self.hardware.controller.start_cycles)]
        tiles = tuple(Loop(times, 0, 0, self._tile(active)) for times, active in self.layer.tiles)
        nodes.append(Loop(self.layer.C, 0, 0, tiles))
        return Thread("control", tuple(node for node in nodes if node.count), tuple(self.rows))

    def _tile(self, active: int) -> tuple[Node, ...]:
        """Weights, then the output rows, of so many active virtual neurons."""
        layer = self.layer
        used = np.arange(active * layer.vn_size)
        leaf = used % self.hardware.leaves_per_port
        drained = self._row(ControlRow(Control.DRAINED))
        weights = [
            self._send("weights", used[leaf == t], used[leaf == t]) for t in range(self.hardware.leaves_per_port)
        ]
        window = [self._broadcast(used[used % layer.vn_size == t]) for t in range(layer.vn_size)]
        left = used[used % layer.S == 0]
        steady = [self._broadcast(left[left // layer.S % layer.R == t]) for t in range(layer.R)]
        due = active * layer.columns
        row: tuple[Node, ...] = (
            self._row(ControlRow(Control.CONFIGURE, self._filter_roles(used), layer.columns), advance=due),
            *window,
            drained,
            Loop(layer.X - layer.S, 0, 0, tuple(steady)),
            self._row(ControlRow(Control.RESULTS)),
        )
        load = self._row(ControlRow(Control.CONFIGURE, self._roles(used, np.full(len(used), Role.WEIGHT))))
        return load, *weights, drained, Loop(layer.rows, 0, 0, row)

    def _row(self, row: ControlRow, *, count: int = 1, advance: int = 0) -> Step:
        self.rows.append(row)
        return Step(len(self.rows) - 1, count, 0, advance)

    def _filter_roles(self, used: Ints) -> Ints:
        """Every filter row has a left edge, a right edge, and middle switches between them."""
        place = used % self.layer.S
        role = np.full(len(used), Role.MIDDLE_FIRST, np.int64)
        role[place == self.layer.S - 1] = Role.RIGHT_FIRST
        role[place == 0] = Role.LEFT
        return self._roles(used, role)

    def _roles(self, used: Ints, role: Ints) -> Ints:
        roles = np.full(self.hardware.multipliers, -1, np.int64)
        roles[used] = role
        return roles

    def _broadcast(self, switches: Ints) -> Step:
        """One input for all of these switches."""
        return self._send("inputs", switches, np.zeros(len(switches), np.int64))

    def _send(self, operand: str, switches: Ints, address: Ints) -> Step:
        """A row that sends word ``address[i]`` to multiplier switch ``switches[i]``, one packet per port."""
        self.packets[operand].append(multicast(self.hardware, switches, address))
        return self._row(ControlRow(Control.SEND, operand=operand, packets=len(self.packets[operand]) - 1))
