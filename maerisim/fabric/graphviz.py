"""The fabric as a Graphviz document, empty or with virtual neurons placed on it."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.fabric.occupancy import Occupancy
from maerisim.fabric.topology import Place
from maerisim.hardware.hardware import Hardware
from maerisim.text import harmless

_COLORS = ("#8dd3c7", "#ffd92f", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5", "#bc80bd", "#ccebc5")
_IDLE = "#eeeeee"


def dot(hardware: Hardware, vn_sizes: Sequence[int] | None = None) -> str:
    """The fabric as a Graphviz document: ports, multiplier switches, adder switches with their links, buses.

    Virtual neurons are told apart by colour; a switch that works for two of them has both. Raises MappingError when
    they do not fit.
    """
    fabric = Occupancy.of(hardware, vn_sizes or ())
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
        label = fabric.topology.name_switch(switch) + (f"\\n{fabric.work(switch)}" if deeds else "")
        lines.append(f'  {name} [label="{label}", shape=box, fillcolor="{colors}"];')
    lines += [f'  bus{bus} [label="bus {bus}", shape=invhouse];' for bus in range(hardware.buses)]
    for index in range(hardware.multipliers):
        lines.append(f"  port{index // hardware.leaves_per_port} -> m{index};")
    used = {(passage.source, passage.target): passage.virtual_neuron for passage in fabric.passages}
    for link in fabric.topology.links():
        vn = used.get((link.source, link.target), -1)
        back = -1
        if link.both_ways and link.source.kind == "adder":
            back = used.get((Place("adder", link.target), link.source.number), -1)
        style = ["style=dashed", "constraint=false"] if link.beside else []
        if link.both_ways and vn < 0:
            style.append("dir=back" if back >= 0 else "dir=both")
        if max(vn, back) >= 0:
            style += [f'color="{_color(max(vn, back))}"', "penwidth=3"]
        source = f"m{link.source.number}" if link.source.kind == "multiplier" else names[link.source.number]
        lines.append(f"  {source} -> {names[link.target]}" + (f" [{', '.join(style)}];" if style else ";"))
    for vn, bus in enumerate(fabric.buses):
        lines.append(f'  {names[fabric.reduction.exits[vn]]} -> bus{bus} [color="{_color(vn)}", penwidth=3];')
    return "\n".join([*lines, "}"])


def _quoted(name: str) -> str:
    escaped = harmless(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _nodes(kind: str, count: int) -> list[str]:
    return [f"{kind}{index}" for index in range(count)]


def _color(virtual_neuron: int) -> str:
    return _IDLE if virtual_neuron < 0 else _COLORS[virtual_neuron % len(_COLORS)]


def _adder_names(fabric: Occupancy) -> dict[int, str]:
    """The node name of every adder switch."""
    return {
        switch: "a" + fabric.topology.name_switch(switch).replace(".", "_")
        for switch in range(fabric.topology.switches)
    }
