"""The fabric as a figure, empty or with virtual neurons on it: ports and their trees, multiplier switches, adders, buses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from maerisim.fabric.occupancy import Occupancy, letter
from maerisim.fabric.topology import Place
from maerisim.hardware.hardware import Hardware
from maerisim.reports.figures import add_footnote, add_title
from maerisim.text import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES_PER_SWITCH = 0.26
WIDTHS_INCHES = (6.0, 26.0)
ROW_INCHES = 0.46
IDLE, LINE = "0.93", "0.72"
LETTERED = 64
"""Multiplier switches up to which each has its number and its letter in the figure."""


class Point(NamedTuple):
    """Where a component is: along the multiplier switches, and in rows above (positive) or below them."""

    x: float
    y: float


def draw(hardware: Hardware, vn_sizes: Sequence[int] | None = None) -> Figure:
    """The figure. Raises MappingError when the virtual neurons do not fit."""
    from matplotlib.figure import Figure

    fabric = Occupancy.of(hardware, vn_sizes or ())
    low, high = WIDTHS_INCHES
    width = min(high, max(low, INCHES_PER_SWITCH * hardware.multipliers))
    rows = tree_levels(hardware) + reduction_rows(fabric) + 3
    figure = Figure(figsize=(width, ROW_INCHES * rows + 0.9), layout="constrained")
    panel = figure.subplots()
    panel.axis("off")
    size = max(1.5, min(14.0, 72 * width / hardware.multipliers * 0.62))
    draw_trees(panel, hardware, size)
    draw_reduction(panel, fabric, size)
    draw_buses(panel, fabric, size)
    draw_multipliers(panel, fabric, size)
    add_title(figure, f"{shown(hardware.name)}, {fabric.topology.in_words()}")
    panel.set_xlim(-0.03 * hardware.multipliers - 1, hardware.multipliers)
    add_footnote(figure, footnote(fabric))
    return figure


def tree_levels(hardware: Hardware) -> int:
    """Levels of distribution switches below a port."""
    return (hardware.leaves_per_port - 1).bit_length()


def reduction_rows(fabric: Occupancy) -> int:
    """Rows of adder switches; those of a chain are one."""
    return max((fabric.topology.level(switch) for switch in range(fabric.topology.switches)), default=1)


def colour(virtual_neuron: int) -> object:
    """Of a virtual neuron: neighbours are far apart; idle is grey."""
    import matplotlib as mpl

    if virtual_neuron < 0:
        return IDLE
    return mpl.colormaps["tab20"]((2 * virtual_neuron % 20 + virtual_neuron // 10 % 2) / 20 + 0.001)


def draw_trees(panel: Axes, hardware: Hardware, size: float) -> None:
    """The distribution tree below each port."""
    leaves, levels = hardware.leaves_per_port, tree_levels(hardware)
    lines: list[tuple[Point, Point]] = []
    nodes: list[Point] = []
    for port in range(hardware.ports):
        row = [Point(float(m), 0.0) for m in range(port * leaves, (port + 1) * leaves)]
        for level in range(1, levels + 1):
            above = []
            for pair in (row[at : at + 2] for at in range(0, len(row), 2)):
                parent = Point(sum(point.x for point in pair) / len(pair), float(level))
                lines += [(parent, child) for child in pair]
                above.append(parent)
            row = above
            nodes += row
        root, top = row[0], Point(row[0].x, levels + 1.0)
        lines.append((top, root))
        panel.plot(*top, "v", color="0.35", markersize=size, zorder=3)
        if hardware.ports * 4 <= LETTERED * 2:
            panel.annotate(
                f"port {port}", top, xytext=(0, size / 2 + 2), textcoords="offset points", ha="center", fontsize=7
            )
    for one, other in lines:
        panel.plot([one.x, other.x], [one.y, other.y], color=LINE, linewidth=0.8, zorder=1)
    panel.plot(
        [n.x for n in nodes],
        [n.y for n in nodes],
        "o",
        color="white",
        markeredgecolor="0.5",
        markeredgewidth=0.7,
        markersize=size * 0.45,
        zorder=2,
    )
    label(panel, "distribution", levels + 1.0)


def label(panel: Axes, text: str, y: float) -> None:
    """What a row is, on the left."""
    panel.annotate(text, (-0.9, y), ha="right", va="center", fontsize=7.5, color="0.35", annotation_clip=False)


def place_of(fabric: Occupancy, place: Place) -> Point:
    """Where a multiplier or adder switch is drawn: a switch of a tree between its children."""
    if place.kind == "multiplier":
        return Point(float(place.number), 0.0)
    return Point(fabric.topology.column(place.number) - 0.5, -float(fabric.topology.level(place.number)))


def draw_reduction(panel: Axes, fabric: Occupancy, size: float) -> None:
    """Adder switches in the colours of what they work for, and the links, those in use thick."""
    used: dict[tuple[Place, int], int] = {(p.source, p.target): p.virtual_neuron for p in fabric.passages}
    for link in fabric.topology.links():
        source, target = place_of(fabric, link.source), place_of(fabric, Place("adder", link.target))
        back = used.get((Place("adder", link.target), link.source.number), -1) if link.both_ways else -1
        vn = max(used.get((link.source, link.target), -1), back)
        style: dict[str, Any] = {"color": LINE, "linewidth": 0.8} if vn < 0 else {"color": colour(vn), "linewidth": 2.2}
        panel.plot(
            [source.x, target.x],
            [source.y, target.y],
            linestyle="--" if link.beside else "-",
            zorder=1 + (vn >= 0),
            **style,
        )
    for switch in range(fabric.topology.switches):
        at = place_of(fabric, Place("adder", switch))
        owners = list(dict.fromkeys(deed.virtual_neuron for deed in fabric.deeds.get(switch, ())))
        left, right = (owners[0], owners[-1]) if owners else (-1, -1)
        panel.plot(*at, "s", color=colour(left), markerfacecoloralt=colour(right), fillstyle="left" if left != right else "full",
                   markeredgecolor="0.35", markeredgewidth=0.7, markersize=size * 0.8, zorder=3)  # fmt: skip
    label(panel, "adder switches", -(1 + reduction_rows(fabric)) / 2)


def draw_multipliers(panel: Axes, fabric: Occupancy, size: float) -> None:
    """Multiplier switches in the colours of their virtual neurons, with the letter below its first."""
    lettered = len(fabric.owner) <= LETTERED
    for m, owner in enumerate(fabric.owner):
        panel.plot(
            m, 0, "o", color=colour(owner), markeredgecolor="0.25", markeredgewidth=0.8, markersize=size, zorder=4
        )
        if lettered:
            text = letter(owner) if owner >= 0 else str(m) if not fabric.spans else ""
            panel.annotate(text, (m, 0), ha="center", va="center", fontsize=min(8.0, size * 0.62), zorder=5)
    label(panel, "multipliers", 0)


def draw_buses(panel: Axes, fabric: Occupancy, size: float) -> None:
    """Collection buses, and where the sums of virtual neurons leave for them."""
    hardware, y = fabric.hardware, -reduction_rows(fabric) - 1.2
    share = hardware.multipliers / hardware.buses
    centre = [(bus + 0.5) * share - 0.5 for bus in range(hardware.buses)]
    for x in centre:
        panel.plot(x, y, "^", color="0.35", markersize=size * 0.9, zorder=3)
    for vn, bus in enumerate(fabric.buses):
        at = place_of(fabric, Place("adder", fabric.reduction.exits[vn]))
        panel.plot([at.x, centre[bus]], [at.y, y], color=colour(vn), linewidth=1.2, linestyle=":", zorder=2)
    label(panel, "collection buses", y)


def footnote(fabric: Occupancy) -> str:
    """What is on the fabric, and how to read it."""
    working = sum(span.size for span in fabric.spans)
    on_it = ""
    if fabric.spans:
        neurons = f"{len(fabric.spans)} virtual neuron{'s' if len(fabric.spans) > 1 else ''}"
        on_it = f"{neurons} on {working} of {fabric.hardware.multipliers} multiplier switches, a colour for each; grey: idle. "
    return on_it + "Dashed: links between neighbours; dotted: sums on their way to a bus."
