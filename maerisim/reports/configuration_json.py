"""The configuration of a mapped layer as plain data, for controllers other than the published RTL's.

It is the program that the engines run: how every adder and multiplier switch is set, and the loops of packets that
each distribution port sends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from maerisim.arrays import Ints
from maerisim.fabric.choose import topology_of
from maerisim.fabric.topology import Topology, Transfer
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.layout import Layout, place
from maerisim.mapping.mapping import REDUCED, REPLICATED, Mapping
from maerisim.program.program import ACTIVE, Collect, CollectStep, Node, Packets, Program, Step, Thread, Use
from maerisim.ways.way import program_of
from maerisim.workload.problem import DIMENSIONS, Problem

T = TypeVar("T")

FORMAT = 1


def configuration(problem: Problem, mapping: Mapping, hardware: Hardware) -> dict[str, Any]:
    """Everything that configures the fabric for a layer, and everything that is sent to it.

    Addresses count words of row-major tensors: weights (G, K, C, R, S), of which a pooling has none, inputs
    (N, G, C, H, W) with their padding, outputs (N, G, K, P, Q). Raises MappingError when the mapping does not fit.
    """
    program = program_of(problem, mapping, hardware)
    topology = topology_of(hardware)
    layout = place(mapping, topology, program.spills)
    return {
        "format": FORMAT,
        "hardware": {
            "name": hardware.name,
            "multipliers": hardware.multipliers,
            "ports": hardware.ports,
            "buses": hardware.buses,
            "topology": hardware.reduction.topology,
        },
        "problem": {
            **{name: getattr(problem, name) for name in DIMENSIONS},
            "stride": list(problem.stride),
            "dilation": list(problem.dilation),
            "padding": list(problem.padding),
            "operation": problem.operation,
        },
        "mapping": mapping.to_dict(),
        "virtual_neurons": _virtual_neurons(program, topology, layout),
        "adder_switches": _adder_switches(program, topology),
        "multiplier_switches": _multiplier_switches(program, layout, hardware),
        "distribution_ports": {thread.name: _stream(thread) for thread in program.streams},
        "compute": _thread(program.compute, _uses),
        "collect": _thread(program.collect, _collect),
    }


def _virtual_neurons(program: Program, topology: Topology, layout: Layout) -> list[dict[str, Any]]:
    return [
        {
            "virtual_neuron": vn,
            "multipliers": [span.start, span.start + span.size - 1],
            "output": {name.lower(): int(layout.coordinate[name][span.start]) for name in REPLICATED},
            "result_switch": topology.name_switch(program.reduction.exits[vn]),
            "bus": program.buses[vn],
        }
        for vn, span in enumerate(program.spans)
    ]


def _adder_switches(program: Program, topology: Topology) -> list[dict[str, Any]]:
    """Per switch its mode, its result flag, and what it does for which virtual neuron."""
    work: dict[int, list[Transfer]] = defaultdict(list)
    for transfer in program.reduction.transfers:
        output = transfer.output._replace(stage=0)
        if transfer.operands[0]._replace(stage=0) == output:
            continue  # a register of a slow wire, no work of the switch
        work[transfer.switch].append(transfer._replace(output=output))
    switches = []
    for number in range(topology.switches):
        deeds = [
            {
                "mode": _mode(transfer, program.compares),
                "inputs": [str(wire._replace(stage=0)) for wire in transfer.operands],
                "output": transfer.output.kind,
                "virtual_neuron": transfer.virtual_neuron,
            }
            for transfer in work[number]
        ]
        switches.append(
            {
                "switch": topology.name_switch(number),
                "mode": " and ".join(sorted(str(deed["mode"]) for deed in deeds)) or "idle",
                "result": any(deed["output"] == "result" for deed in deeds),
                "work": deeds,
            }
        )
    return switches


def _mode(transfer: Transfer, compares: bool) -> str:
    if len(transfer.operands) > 1:
        return f"{'compare' if compares else 'add'} {len(transfer.operands)}"
    return "send aside" if transfer.output.kind == "lateral" else "pass"


def _multiplier_switches(program: Program, layout: Layout, hardware: Hardware) -> list[dict[str, Any]]:
    """Per switch its virtual neuron, the operand inside its tile, and where its inputs come from.

    ``input``: "port" when all inputs come over the distribution network, "neighbour" when the switch of the next
    higher index passes on what the port does not have to send again; null where nothing is multiplied.
    """
    switches: list[dict[str, Any]] = []
    for switch in range(hardware.multipliers):
        vn = int(layout.virtual_neuron[switch]) if switch < layout.switches else -1
        if vn < 0:
            switches.append({"switch": switch, "virtual_neuron": None})
            continue
        uses = Use(0)
        for template in program.compute.templates:
            uses |= Use(int(template[switch]))
        takes_partial_sums = bool(layout.partial_sum[switch])
        operand = {name.lower(): int(layout.coordinate[name][switch]) for name in REDUCED}
        switches.append(
            {
                "switch": switch,
                "virtual_neuron": vn,
                "port": switch // hardware.leaves_per_port,
                "operand": "partial sum" if takes_partial_sums else operand,
                "input": None if takes_partial_sums else "neighbour" if uses & Use.FORWARDED_INPUT else "port",
                "forwards": bool(uses & Use.FORWARD),
            }
        )
    return switches


def _thread(thread: Thread[T], described: Callable[[T], list[dict[str, Any]]]) -> dict[str, Any]:
    """The loops of a thread, from control step ``first_step`` on, and its templates."""
    return {
        "first_step": thread.first_step,
        "loops": _loops(thread.nodes),
        "templates": [described(template) for template in thread.templates],
    }


def _stream(thread: Thread[Packets]) -> dict[str, Any]:
    return _thread(thread, _packets)


def _loops(nodes: tuple[Node, ...]) -> list[dict[str, Any]]:
    """The loop nest; after each repetition the step advances by ``period`` and the base address by ``advance``."""
    loops = []
    for node in nodes:
        turn: dict[str, Any] = {"count": node.count, "period": node.period, "advance": node.advance}
        loops.append(turn | ({"template": node.template} if isinstance(node, Step) else {"body": _loops(node.body)}))
    return loops


def _packets(packets: Packets) -> list[dict[str, Any]]:
    """The packets of one step, port by port: the word at base + ``word`` goes to the multiplier switches ``to``."""
    ports = []
    for port in range(len(packets.port_start) - 1):
        words = [
            {
                "word": int(packets.offset[number]),
                "to": packets.destinations_of(number).tolist(),
                "reads_buffer": bool(packets.reads[number]),
                **({"results_ago": int(packets.wait[number])} if packets.wait[number] else {}),
            }
            for number in packets.of_port(port)
        ]
        if words:
            ports.append({"port": port, "packets": words})
    return ports


def _uses(template: Ints) -> list[dict[str, Any]]:
    """Multiplier switches that do the same in a step."""
    alike: dict[int, list[int]] = defaultdict(list)
    for switch, flags in enumerate(template.tolist()):
        if flags & ACTIVE:
            alike[flags].append(switch)
    return [{"switches": switches, "use": _names(Use(flags))} for flags, switches in alike.items()]


def _collect(step: CollectStep) -> list[dict[str, Any]]:
    """Virtual neurons whose sums are treated alike in a step."""
    alike: dict[int, list[int]] = defaultdict(list)
    for vn, flags in enumerate(step.flags.tolist()):
        if flags & Collect.ACTIVE:
            alike[flags].append(vn)
    return [{"virtual_neurons": vns, "sum": _names(Collect(flags))} for flags, vns in alike.items()]


def _names(flags: Use | Collect) -> list[str]:
    return [flag.name.lower() for flag in flags if flag.name]
