"""The fabric as text, empty or with virtual neurons placed on it (:mod:`maerisim.fabric.graphviz`: as a graph).

A virtual neuron (VN) goes by a letter, and an adder switch of a tree by ``level.index``.
"""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from maerisim.fabric.occupancy import Occupancy, letter
from maerisim.fabric.topology import Topology
from maerisim.fabric.tree import BinaryTree
from maerisim.hardware.hardware import Hardware
from maerisim.text import plural

_WIDTH = 100
_LABEL = 13
_CELL = 5
_PICTURED_MULTIPLIERS = 16
_SHOWN_ROWS = 8
_SHOWN_VIRTUAL_NEURONS = 32


def text(hardware: Hardware, vn_sizes: Sequence[int] | None = None) -> str:
    """The networks in words; for up to 16 multiplier switches a picture, beyond that the levels one by one.

    ``vn_sizes`` places virtual neurons side by side from switch 0 on. Raises MappingError when they do not fit.
    """
    fabric = Occupancy.of(hardware, vn_sizes or ())
    lines = [*_description(hardware, fabric.topology), ""]
    small = hardware.multipliers <= _PICTURED_MULTIPLIERS
    lines += _picture(fabric) if small else _levels(fabric)
    if fabric.spans:
        lines += ["", *_virtual_neurons(fabric)]
    return "\n".join(lines)


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
    wiring = (
        f"bus b takes the results that leave above switches {_multiple(above, 'b')}"
        if collection.wiring == "regional"
        else f"adder switch n is wired to bus n modulo {hardware.buses}"
    )
    words = hardware.accumulation_words
    accumulation = f"{words:,} partial sums, latency {hardware.accumulation.latency}"
    paragraphs = {
        "distribution": f"{plural(hardware.ports, 'port')}, each a word a cycle to any of its leaves (port p: switches "
        f"{_multiple(below, 'p')}), latency {hardware.distribution.latency}",
        "multipliers": f"{plural(switch.weight_registers, 'weight')} held{buffering}; input queue "
        f"{switch.input_fifo_depth}{forwarding}; latency {switch.latency}",
        "reduction": f"{topology.in_words()}, queue depth {reduction.fifo_depth}",
        "collection": f"{plural(hardware.buses, 'bus')}, each a result a cycle ({wiring}), latency {collection.latency}",
        "accumulation": accumulation if words else "none: partial sums go through the global buffer",
    }
    lines = [f"{hardware.name}: {hardware.multipliers} multiplier switches"]
    for name, paragraph in paragraphs.items():
        lines += textwrap.wrap(
            paragraph, _WIDTH, initial_indent=f"{name:<{_LABEL}} ", subsequent_indent=" " * (_LABEL + 1)
        )
    return lines


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


def _picture(fabric: Occupancy) -> list[str]:
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
        legend = f"adders go by their index in the level; {fabric.topology.legend}"
    else:
        _chain_picture(canvas, fabric, columns)
        legend = "each adder adds the product above it to the sum from its left"
    return [*canvas.lines(), "", *(_DEEDS if fabric.spans else [legend])]


_DEEDS = [
    "A2 A3: adds two, three words of virtual neuron A; A1: passes one on; A< A>: sends it across the",
    "lateral link to the left, right; A2*: the sum leaves for its bus; a number is an idle switch",
]


def _tree_picture(canvas: _Canvas, fabric: Occupancy, tree: BinaryTree, columns: list[int]) -> None:
    for level in range(1, tree.levels + 1):
        pairs = list(zip(columns[::2], columns[1::2], strict=True))
        columns = [(left + right) // 2 for left, right in pairs]
        canvas.row()
        for (left, right), middle in zip(pairs, columns, strict=True):
            canvas.bracket(left, middle, right, "╰╯┬")
        canvas.row(f"level {level}")
        for index, column in enumerate(columns):
            canvas.put(column, fabric.work(tree.number(level, index)) or str(index))
        for link in tree.links_beside(level):
            (_, source), (higher, target) = tree.place(link.source.number), tree.place(link.target)
            if higher == level:
                canvas.link(columns[source], columns[target])


def _chain_picture(canvas: _Canvas, fabric: Occupancy, columns: list[int]) -> None:
    canvas.row()
    for column in columns:
        canvas.put(column, "│")
    canvas.row("adders")
    for index, column in enumerate(columns):
        canvas.put(column, fabric.work(index) or str(index))
    owner = fabric.owner
    for index, (left, right) in enumerate(itertools.pairwise(columns)):
        if not fabric.spans or owner[index] == owner[index + 1] >= 0:
            canvas.put((left + right + 1) // 2, "→")


def _levels(fabric: Occupancy) -> list[str]:
    """Adder switches level by level: what they do, or the links beside the tree when nothing is mapped."""
    topology = fabric.topology
    rows = {"adders": range(topology.switches)}
    if isinstance(topology, BinaryTree):
        starts = [topology.number(level, 0) for level in range(1, topology.levels + 1)]
        limits = itertools.pairwise([*starts, topology.switches])
        rows = {f"level {level}": range(*limit) for level, limit in enumerate(limits, 1)}
    lines = []
    for level, (label, switches) in enumerate(rows.items(), 1):
        if fabric.spans:
            lines += _folded(label, _tokens(fabric, switches))
            continue
        count = plural(len(switches), "adder switch").replace("switchs", "switches")
        beside = _links_beside(topology, level) if isinstance(topology, BinaryTree) else ""
        lines.append(f"{label:<{_LABEL}} {count}{beside}")
    if fabric.spans:
        lines += ["", *_DEEDS[:1], _DEEDS[1].replace("a number", ".") + ";"]
        lines.append("x 4: four neighbours alike; a row begins with the index of its first switch")
    return lines


def _links_beside(tree: BinaryTree, level: int) -> str:
    """The links of a level that do not lead to parents, the first ones and the last."""
    links = []
    for link in tree.links_beside(level):
        (_, source), (higher, target) = tree.place(link.source.number), tree.place(link.target)
        links.append(f"{source}-{target}" if higher == level else f"{source}-{tree.name_switch(link.target)}")
    shown = links if len(links) <= 5 else [*links[:3], "..", links[-1]]
    return f", {tree.side_links} {' '.join(shown)}" if links else ""


def _tokens(fabric: Occupancy, switches: Iterable[int]) -> list[tuple[int, str]]:
    """(index of the first, word) for every run of switches that do the same."""
    tokens = []
    index = 0
    for work, run in itertools.groupby(fabric.work(switch).replace(" ", "+") or "." for switch in switches):
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


def _virtual_neurons(fabric: Occupancy) -> list[str]:
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
