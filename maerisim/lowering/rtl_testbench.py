"""Lower a layer as the testbench of the published RTL runs it: one program of rows for all ports and switches.

``for C { for K by virtual neurons { weights; for output rows { first window; slide along X; wait for the row's results
} } }``. Nothing overlaps, and the sums of different channel tiles leave as results of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from maerisim.arrays import Ints
from maerisim.errors import NotSupportedError
from maerisim.fabric.collection_buses import BusInput
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.multicast_packets import multicast
from maerisim.program.program import (
    Batches,
    CollectStep,
    Control,
    ControlRow,
    Loop,
    Node,
    Packets,
    Program,
    Role,
    Step,
    Thread,
)
from maerisim.rtl.fabric import configured
from maerisim.rtl.layer import REFUSED, hardware_reasons
from maerisim.rtl.memory import Files, LayerInfo


def lower_testbench(files: Files, hardware: Hardware) -> Program:
    """The program that runs the layer of ``files`` on switches configured as they say.

    Raises NotSupportedError with everything that the RTL cannot do.
    """
    layer = files.layer
    reasons = [*hardware_reasons(hardware), *_reasons(layer, hardware)]
    if reasons:
        raise NotSupportedError("\n".join(REFUSED + reason for reason in reasons))
    reduction = configured(files.configuration, hardware.buses)
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
        results=layer.outputs,
        output_offset=none,
        partial_sum_of=np.full(hardware.multipliers, -1, np.int64),
        batches=Batches(steps=1, count=0, weights=1, trips=(), results=()),
        control=control,
    )


def input_multicasts(layer: LayerInfo) -> int:
    """Inputs sent after the first window of each output row, one a filter row and column."""
    tiles = sum(times for times, _ in _tiles(layer))
    return layer.C * tiles * _rows(layer) * layer.R * (layer.X - layer.S)


def unique_inputs(layer: LayerInfo) -> int:
    """Inputs that the testbench counts as read for the first time, in the first tile of K."""
    first_row = layer.vn_size + layer.R * (layer.X - layer.S)
    return layer.C * (first_row + (_rows(layer) - 1) * layer.X)


def _rows(layer: LayerInfo) -> int:
    """Output rows."""
    return layer.Y - layer.R + 1


def _tiles(layer: LayerInfo) -> tuple[tuple[int, int], ...]:
    """(how often, how many virtual neurons are active) of the tiles of K."""
    whole, rest = divmod(layer.K, layer.vn_count)
    return tuple((times, active) for times, active in ((whole, layer.vn_count), (min(rest, 1), rest)) if times)


def _reasons(layer: LayerInfo, hardware: Hardware) -> list[str]:
    """What of a layer the testbench cannot run on ``hardware``."""
    if min(*layer.sizes, layer.vn_count) < 1 or layer.vn_size < 2:
        return ["every size is at least 1, that of a virtual neuron at least 2"]
    reasons = []
    if layer.multipliers != hardware.multipliers:
        reasons.append(f"it is configured for {layer.multipliers} multipliers, not {hardware.multipliers}")
    if layer.vn_count * layer.vn_size > hardware.multipliers:
        placed = f"{layer.vn_count} virtual neurons of {layer.vn_size}"
        reasons.append(f"{placed} do not fit on {hardware.multipliers} multipliers")
    if layer.Y < layer.R:
        reasons.append(f"a filter of {layer.R} rows in an input of {layer.Y} (Y counts the padding)")
    if layer.X <= layer.S:
        reasons.append(f"X {layer.X} is not more than S {layer.S}, its row counter never ends then")
    if hardware.controller.kind != "lock_step":
        reasons.append(f"hardware {hardware.name} has no controller of kind lock_step (see maeri_rtl)")
    return reasons


@dataclass
class _Testbench:
    """Builds the controller's program; rows that occur again share a template."""

    layer: LayerInfo
    hardware: Hardware
    rows: list[ControlRow] = field(default_factory=list)
    packets: dict[str, list[Packets]] = field(default_factory=lambda: {"weights": [], "inputs": []})

    def __post_init__(self) -> None:
        self.drained = self._row(ControlRow(Control.DRAINED))
        self.results = self._row(ControlRow(Control.RESULTS))

    def thread(self) -> Thread[ControlRow]:
        """The whole program. Its base address counts the results that are due."""
        nodes: list[Node] = [self._row(ControlRow(Control.PAUSE), count=self.hardware.controller.start_cycles)]
        tiles = tuple(Loop(times, 0, 0, self._tile(active)) for times, active in _tiles(self.layer))
        nodes.append(Loop(self.layer.C, 0, 0, tiles))
        return Thread("control", tuple(node for node in nodes if node.count), tuple(self.rows))

    def _tile(self, active: int) -> tuple[Node, ...]:
        """Weights, then the output rows, of so many active virtual neurons."""
        layer = self.layer
        used = np.arange(active * layer.vn_size)
        leaf = used % self.hardware.leaves_per_port
        weights = [
            self._send("weights", used[leaf == t], used[leaf == t]) for t in range(self.hardware.leaves_per_port)
        ]
        window = [self._broadcast(used[used % layer.vn_size == t]) for t in range(layer.vn_size)]
        left = used[used % layer.S == 0]
        steady = [self._broadcast(left[left // layer.S % layer.R == t]) for t in range(layer.R)]
        columns = layer.X - layer.S + 1
        row: tuple[Node, ...] = (
            self._row(ControlRow(Control.CONFIGURE, self._filter_roles(used), columns), advance=active * columns),
            *window,
            self.drained,
            Loop(layer.X - layer.S, 0, 0, tuple(steady)),
            self.results,
        )
        load = self._row(ControlRow(Control.CONFIGURE, self._roles(used, np.full(len(used), Role.WEIGHT))))
        return load, *weights, self.drained, Loop(_rows(layer), 0, 0, row)

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
