"""The fabric as text and as a Graphviz document, empty or with virtual neurons placed on it.

In both, a virtual neuron (VN) goes by a letter, and an adder switch of a tree by ``level.index``.
"""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.errors import MappingError
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.fabric.topology import Reduction, Span, Topology, Wire, topology_of
from maerisim.fabric.tree import BinaryTree
from maerisim.hardware.hardware import Hardware

_WIDTH = 100
_LABEL = 13
_CELL = 5
_PICTURED_MULTIPLIERS = 16
_SHOWN_ROWS = 8
_SHOWN_VIRTUAL_NEURONS = 32
_COLORS = ("#8dd3c7", "#ffd92f", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5", "#bc80bd", "#ccebc5")
_IDLE = "#eeeeee"


def text(hardware: Hardware, vn_sizes: Sequence[int] | None = None) -> str:
    """The networks in words; for up to 16 multiplier switches a picture, beyond that the levels one by one.

    ``vn_sizes`` places virtual neurons side by side from switch 0 on. Raises MappingError when they do not fit.
    """
    fabric = _Fabric.of(hardware, vn_sizes or ())
    lines = [*_description(hardware, fabric.topology), ""]
    small = hardware.multipliers <= _PICTURED_MULTIPLIERS
    lines += _picture(fabric) if small else _levels(fabric)
    if fabric.spans:
        lines += ["", *_virtual_neurons(fabric)]
    return "\n".join(lines)


class Deed(NamedTuple):
    """What an adder switch does for a VN: add two or three words, pass one on, or send one across a lateral link.

    ``how`` is ``2``, ``3``, ``1``, ``<`` or ``>``; ``leaves`` says that the sum goes to its collection bus.
    """

    virtual_neuron: int
    how: str
    leaves: bool = False

    def __str__(self) -> str:
        return f"{letter(self.virtual_neuron)}{self.how}{'*' if self.leaves else ''}"


def letter(virtual_neuron: int) -> str:
    """A, B, .., Z, AA, AB, .. for virtual neurons 0, 1, ..."""
    name = ""
    number = virtual_neuron + 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


@dataclass(frozen=True)
class _Fabric:
    """A fabric with virtual neurons on it; ``deeds`` maps adder switches to what they do."""

    hardware: Hardware
    topology: Topology
    spans: tuple[Span, ...]
    reduction: Reduction
    buses: tuple[int, ...]
    deeds: dict[int, list[Deed]]

    @classmethod
    def of(cls, hardware: Hardware, sizes: Sequence[int]) -> _Fabric:
        """Place VNs of the given sizes. Raises MappingError when they do not fit."""
        topology = topology_of(hardware)
        spans = _placed(hardware, topology, sizes)
        reduction = topology.route(spans)
        return cls(
            hardware,
            topology,
            spans,
            reduction,
            tuple(entry.bus for entry in bus_inputs(reduction, hardware)),
            _deeds(topology, reduction),
        )

    @property
    def owner(self) -> list[int]:
        """Per multiplier switch its VN, or -1."""
        owners = [-1] * self.hardware.multipliers
        for vn, (start, size) in enumerate(self.spans):
            owners[start : start + size] = [vn] * size
        return owners


def _placed(hardware: Hardware, topology: Topology, sizes: Sequence[int]) -> tuple[Span, ...]:
    """VNs side by side, each at the first place where its topology lets it begin."""
    aligned = hardware.reduction.topology == "plain_tree"
    spans: list[Span] = []
    free = 0
    for size in sizes:
        block = topology.block(size) if aligned else 1
        spans.append(Span(-(-free // block) * block, size))
        free = spans[-1].start + size
    if free > hardware.multipliers:
        msg = f"virtual neurons of {', '.join(map(str, sizes))}"
        why = f"they take {free} multiplier switches, {hardware.name} has {hardware.multipliers}"
        raise MappingError(msg, [why + (" (in a plain_tree each starts an aligned subtree)" if aligned else "")])
    return tuple(spans)


def _origin(wire: Wire) -> tuple[int, int]:
    """(level, index) of the component that drives a wire; multiplier switches are level 0."""
    return (0 if wire.kind == "product" else wire.level), wire.place


def _deeds(topology: Topology, reduction: Reduction) -> dict[int, list[Deed]]:
    """What each adder switch does, the VNs from left to right."""
    deeds: dict[int, list[Deed]] = {}
    for switch, operands, output, vn, _ in reduction.transfers:
        if operands[0]._replace(stage=0) == output._replace(stage=0):
            continue  # a register on the way out
        if output.kind == "lateral":
            deeds.setdefault(switch, []).append(Deed(vn, ">" if output.place % 2 else "<"))
            continue
        if isinstance(topology, BinaryTree):
            level, index = topology.place(switch)
            for wire in operands:
                if wire.kind in ("product", "up") and wire.place // 2 != index:  # crosses over without a register
                    neighbour = topology.number(level, wire.place // 2)
                    deeds.setdefault(neighbour, []).append(Deed(vn, ">" if wire.place // 2 < index else "<"))
        deeds.setdefault(switch, []).append(Deed(vn, str(len(operands)), output.kind == "result"))
    return {switch: sorted(done, key=lambda deed: deed.virtual_neuron) for switch, done in deeds.items()}


def _description(hardware: Hardware, topology: Topology) -> list[str]:
    """The networks, one paragraph each."""
    switch, reduction, collection = hardware.multiplier, hardware.reduction, hardware.collection
    below, above = hardware.leaves_per_port, hardware.multipliers // hardware.buses
    buffering = ", the next ones loaded behind the computation" if switch.weight_double_buffering else ""
    forwarding = (
        f", inputs forwarded to the left neighbour through a queue of {switch.forward_fifo_depth}"
        if switch.forwarding
        else ", no forwarding"
    )
    if isinstance(topology, BinaryTree):
        shape = f"{reduction.topology}: {_times(topology.levels, 'level')} of adder switches"
        latency = f"latency {reduction.latency} a level"
        if reduction.topology == "art":
            latency += f", {reduction.lateral_latency} across a lateral link"
    else:
        shape, latency = f"linear: a chain of {hardware.multipliers} adders", f"latency {reduction.latency} each"
    wiring = (
        f"bus b takes the results that leave above switches {_multiple(above, 'b')}"
        if collection.wiring == "regional"
        else f"adder switch n is wired to bus n modulo {hardware.buses}"
    )
    words = hardware.accumulation_words
    accumulation = f"{words:,} partial sums, latency {hardware.accumulation.latency}"
    paragraphs = {
        "distribution": f"{_times(hardware.ports, 'port')}, each a word a cycle to any of its leaves (port p: switches "
        f"{_multiple(below, 'p')}), latency {hardware.distribution.latency}",
        "multipliers": f"{_times(switch.weight_registers, 'weight')} held{buffering}; input queue "
        f"{switch.input_fifo_depth}{forwarding}; latency {switch.latency}",
        "reduction": f"{shape}, {latency}, queue depth {reduction.fifo_depth}",
        "collection": f"{_times(hardware.buses, 'bus')}, each a result a cycle ({wiring}), latency {collection.latency}",
        "accumulation": accumulation if words else "none: partial sums go through the global buffer",
    }
    lines = [f"{hardware.name}: {hardware.multipliers} multiplier switches"]
    for name, paragraph in paragraphs.items():
        lines += textwrap.wrap(
            paragraph, _WIDTH, initial_indent=f"{name:<{_LABEL}} ", subsequent_indent=" " * (_LABEL + 1)
        )
    return lines


def _times(number: int, noun: str) -> str:
    plural = "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{'' if number == 1 else plural}"


def _multiple(size: int, name: str) -> str:
    """The switches of group ``name`` when each group has ``size``: ``4p to 4p+3``."""
    return name if size == 1 else f"{size}{name} to {size}{name}+{size - 1}"


class _Canvas:
    """Rows of characters that are written centred on columns."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[str]]] = []

    def row(self, label: str = "") -> None:
        """Begin a new row."""
        self.rows.append((label, [" "] * (_WIDTH - _LABEL)))

    def put(self, center: int, word: str) -> None:
        """Write a word around a column of the last row."""
        start = max(0, center - (len(word) - 1) // 2)
        self.rows[-1][1][start : start + len(word)] = word

    def bracket(self, left: int, middle: int, right: int, ends: str) -> None:
        """Join two columns to the one between them; ``ends`` are the two corners and the joint."""
        row = self.rows[-1][1]
        row[left : right + 1] = "─" * (right - left + 1)
        row[left], row[right], row[middle] = tuple(ends if left < right else "│││")

    def link(self, left: int, right: int) -> None:
        """A lateral link in what is free between two columns of the last row."""
        row = self.rows[-1][1]
        taken = [column for column in range(left, right + 1) if row[column] != " "]
        inner = [end for start, end in itertools.pairwise(taken) if end - start > 3]
        for end in inner:
            start = taken[taken.index(end) - 1]
            row[start + 2 : end - 1] = "┄" * (end - start - 3)

    def lines(self) -> list[str]:
        """The rows without what trails them."""
        return [f"{label:<{_LABEL}}{''.join(row)}".rstrip() for label, row in self.rows]


def _picture(fabric: _Fabric) -> list[str]:
    """Ports above the multiplier switches, the adders below them."""
    hardware = fabric.hardware
    columns = [_CELL * index + _CELL // 2 for index in range(hardware.multipliers)]
    canvas = _Canvas()
    canvas.row("ports")
    spans = [columns[port * hardware.leaves_per_port :][: hardware.leaves_per_port] for port in range(hardware.ports)]
    for port, leaves in enumerate(spans):
        canvas.put((leaves[0] + leaves[-1]) // 2, str(port))
    canvas.row()
    for leaves in spans:
        canvas.bracket(leaves[0], (leaves[0] + leaves[-1]) // 2, leaves[-1], "╭╮┴")
    canvas.row("multipliers")
    for index, (column, owner) in enumerate(zip(columns, fabric.owner, strict=True)):
        canvas.put(column, str(index) if owner < 0 else f"{letter(owner)}{index}")
    if isinstance(fabric.topology, BinaryTree):
        _tree_picture(canvas, fabric, fabric.topology, columns)
        legend = "adders go by their index in the level; ┄┄ lateral link"
    else:
        _chain_picture(canvas, fabric, columns)
        legend = "each adder adds the product above it to the sum from its left"
    return [*canvas.lines(), "", *(_DEEDS if fabric.spans else [legend])]


_DEEDS = [
    "A2 A3: adds two, three words of virtual neuron A; A1: passes one on; A< A>: sends it across the",
    "lateral link to the left, right; A2*: the sum leaves for its bus; a number is an idle switch",
]


def _tree_picture(canvas: _Canvas, fabric: _Fabric, tree: BinaryTree, columns: list[int]) -> None:
    for level in range(1, tree.levels + 1):
        pairs = list(zip(columns[::2], columns[1::2], strict=True))
        columns = [(left + right) // 2 for left, right in pairs]
        canvas.row()
        for (left, right), middle in zip(pairs, columns, strict=True):
            canvas.bracket(left, middle, right, "╰╯┬")
        canvas.row(f"level {level}")
        for index, column in enumerate(columns):
            canvas.put(column, _work(fabric, tree.number(level, index)) or str(index))
        if fabric.hardware.reduction.topology == "art":
            for left, right in zip(columns[1:-1:2], columns[2::2], strict=True):
                canvas.link(left, right)


def _chain_picture(canvas: _Canvas, fabric: _Fabric, columns: list[int]) -> None:
    canvas.row()
    for column in columns:
        canvas.put(column, "│")
    canvas.row("adders")
    for index, column in enumerate(columns):
        canvas.put(column, _work(fabric, index) or str(index))
    owner = fabric.owner
    for index, (left, right) in enumerate(itertools.pairwise(columns)):
        if not fabric.spans or owner[index] == owner[index + 1] >= 0:
            canvas.put((left + right + 1) // 2, "→")


def _work(fabric: _Fabric, switch: int) -> str:
    return " ".join(str(deed) for deed in fabric.deeds.get(switch, ()))


def _levels(fabric: _Fabric) -> list[str]:
    """Adder switches level by level: what they do, or their lateral links when nothing is mapped."""
    topology = fabric.topology
    if not isinstance(topology, BinaryTree):
        rows = {"adders": range(topology.switches)}
    else:
        rows = {
            f"level {level}": range(
                topology.number(level, 0), topology.number(level, 0) + (topology.multipliers >> level)
            )
            for level in range(1, topology.levels + 1)
        }
    lines = []
    for label, switches in rows.items():
        if fabric.spans:
            lines += _folded(label, _tokens(fabric, switches))
            continue
        links = [f"{n}-{n + 1}" for n in range(1, len(switches) - 1, 2)]
        shown = links if len(links) <= 5 else [*links[:3], "..", links[-1]]
        lateral = f", lateral links {' '.join(shown)}" if links and fabric.hardware.reduction.topology == "art" else ""
        lines.append(
            f"{label:<{_LABEL}} {_times(len(switches), 'adder switch').replace('switchs', 'switches')}{lateral}"
        )
    if fabric.spans:
        lines += ["", *_DEEDS[:1], _DEEDS[1].replace("a number", ".") + ";"]
        lines.append("x 4: four neighbours alike; a row begins with the index of its first switch")
    return lines


def _tokens(fabric: _Fabric, switches: Iterable[int]) -> list[tuple[int, str]]:
    """(index of the first, word) for every run of switches that do the same."""
    tokens = []
    index = 0
    for work, run in itertools.groupby(_work(fabric, switch).replace(" ", "+") or "." for switch in switches):
        length = len(list(run))
        tokens.append((index, work if length == 1 else f"{work} x {length}"))
        index += length
    return tokens


def _folded(label: str, tokens: list[tuple[int, str]]) -> list[str]:
    """Tokens in rows of the page's width, each row with the index it begins at."""
    lines: list[str] = []
    for place, (index, token) in enumerate(tokens):
        if lines and len(lines[-1]) + 3 + len(token) <= _WIDTH:
            lines[-1] += f"   {token}"
        elif len(lines) == _SHOWN_ROWS:
            return [*lines, f"{'':<{_LABEL}} ... {len(tokens) - place} more"]
        else:
            lines.append(f"{label if not lines else '':<{_LABEL}} {index:>4}: {token}")
    return lines


def _virtual_neurons(fabric: _Fabric) -> list[str]:
    """Where each VN lies and where its sum leaves; for few multiplier switches also what is done for it."""
    detailed = len(fabric.spans) <= _PICTURED_MULTIPLIERS
    cells = []
    for vn, (start, size) in enumerate(fabric.spans):
        switches = f"switch {start}" if size == 1 else f"switches {start}-{start + size - 1}"
        leaves = fabric.topology.name_switch(fabric.reduction.exits[vn])
        cells.append(f"{letter(vn)}: {switches}, leaves at {leaves} on bus {fabric.buses[vn]}")
        if detailed:
            done = Counter(deed.how for deeds in fabric.deeds.values() for deed in deeds if deed.virtual_neuron == vn)
            names = {"2": "add2", "3": "add3", "1": "pass", "<": "cross", ">": "cross"}
            work: Counter[str] = Counter()
            for how, count in done.items():
                work[names[how]] += count
            cells[-1] += (
                " (" + ", ".join(f"{work[name]} {name}" for name in dict.fromkeys(names.values()) if work[name]) + ")"
            )
    shown = cells if len(cells) <= _SHOWN_VIRTUAL_NEURONS else cells[:_SHOWN_VIRTUAL_NEURONS]
    width = max(len(cell) for cell in shown) + 3
    columns = 1 if detailed else max(1, _WIDTH // width)
    lines = [
        "".join(f"{cell:<{width}}" for cell in shown[start : start + columns]).rstrip()
        for start in range(0, len(shown), columns)
    ]
    if len(shown) < len(cells):
        lines.append(f"... {len(cells) - len(shown)} more, the last one {cells[-1]}")
    return lines


def dot(hardware: Hardware, vn_sizes: Sequence[int] | None = None) -> str:
    """The fabric as a Graphviz document: ports, multiplier switches, adder switches with their links, buses.

    Virtual neurons are told apart by colour; a switch that works for two of them has both. Raises MappingError when
    they do not fit.
    """
    fabric = _Fabric.of(hardware, vn_sizes or ())
    lines = [
        f"digraph {_quoted(hardware.name)} {{",
        '  node [fontname="Helvetica", fontsize=10, style=filled, fillcolor=white];',
        "  edge [color=gray60, arrowsize=0.6];",
    ]
    lines.append(f"  {{ rank=sink; {'; '.join(_nodes('bus', hardware.buses))}; }}")
    for kind, count in (("port", hardware.ports), ("m", hardware.multipliers)):
        lines.append(f"  {{ rank=same; edge [style=invis]; {' -> '.join(_nodes(kind, count))}; }}")
    lines += [f'  port{port} [label="port {port}", shape=invtriangle];' for port in range(hardware.ports)]
    for index, owner in enumerate(fabric.owner):
        lines.append(f'  m{index} [label="{index}", shape=circle, fillcolor="{_color(owner)}"];')
    names = _adder_names(fabric)
    for switch, name in names.items():
        deeds = fabric.deeds.get(switch, [])
        colors = ":".join(dict.fromkeys(_color(deed.virtual_neuron) for deed in deeds)) or _IDLE
        label = fabric.topology.name_switch(switch) + (f"\\n{_work(fabric, switch)}" if deeds else "")
        lines.append(f'  {name} [label="{label}", shape=box, fillcolor="{colors}"];')
    lines += [f'  bus{bus} [label="bus {bus}", shape=invhouse];' for bus in range(hardware.buses)]
    for index in range(hardware.multipliers):
        lines.append(f"  port{index // hardware.leaves_per_port} -> m{index};")
    used = _used_links(fabric)
    for source, target, lateral in _links(fabric):
        vn = used.pop((source, target), -1)
        back = used.pop((target, source), -1) if lateral else -1
        style = ["style=dashed", "constraint=false"] if lateral else []
        if lateral and vn < 0:
            style.append("dir=back" if back >= 0 else "dir=both")
        if max(vn, back) >= 0:
            style += [f'color="{_color(max(vn, back))}"', "penwidth=3"]
        lines.append(f"  {source} -> {target}" + (f" [{', '.join(style)}];" if style else ";"))
    for vn, bus in enumerate(fabric.buses):
        lines.append(f'  {names[fabric.reduction.exits[vn]]} -> bus{bus} [color="{_color(vn)}", penwidth=3];')
    return "\n".join([*lines, "}"])


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _nodes(kind: str, count: int) -> list[str]:
    return [f"{kind}{index}" for index in range(count)]


def _color(virtual_neuron: int) -> str:
    return _IDLE if virtual_neuron < 0 else _COLORS[virtual_neuron % len(_COLORS)]


def _adder_names(fabric: _Fabric) -> dict[int, str]:
    """The node name of every adder switch."""
    return {
        switch: "a" + fabric.topology.name_switch(switch).replace(".", "_")
        for switch in range(fabric.topology.switches)
    }


def _links(fabric: _Fabric) -> list[tuple[str, str, bool]]:
    """(source, target, lateral) for every link between multiplier and adder switches."""
    topology = fabric.topology
    if not isinstance(topology, BinaryTree):
        own = [(f"m{index}", f"a{index}", False) for index in range(topology.switches)]
        return own + [(f"a{index}", f"a{index + 1}", False) for index in range(topology.switches - 1)]
    links = []
    for level in range(1, topology.levels + 1):
        children = topology.multipliers >> (level - 1)
        links += [(_name((level - 1, child)), _name((level, child // 2)), False) for child in range(children)]
        if fabric.hardware.reduction.topology == "art":
            odd = range(1, children // 2 - 1, 2)
            links += [(_name((level, index)), _name((level, index + 1)), True) for index in odd]
    return links


def _name(place: tuple[int, int]) -> str:
    level, index = place
    return f"m{index}" if level == 0 else f"a{level}_{index}"


def _used_links(fabric: _Fabric) -> dict[tuple[str, str], int]:
    """The VN on each link in use."""
    names = _adder_names(fabric)
    used: dict[tuple[str, str], int] = {}
    for transfer in fabric.reduction.transfers:
        target = names[transfer.switch]
        for wire in transfer.operands:
            if wire.stage:
                continue
            source = f"a{wire.place}" if wire.kind == "chain" else _name(_origin(wire))
            if wire.kind in ("product", "up") and isinstance(fabric.topology, BinaryTree):
                level, index = _origin(wire)
                parent = _name((level + 1, index // 2))
                used[source, parent] = transfer.virtual_neuron
                source = parent
            if source != target:
                used[source, target] = transfer.virtual_neuron
    return used
