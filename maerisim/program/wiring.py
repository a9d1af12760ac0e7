"""The wires of a configured fabric from the multipliers to the collection buses, with their queue depths."""

from __future__ import annotations

from dataclasses import dataclass, field

from maerisim.fabric.topology import Transfer, Wire
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program

REGISTER = -1
"""The ``switch`` of a transfer that is only a pipeline register."""


@dataclass(frozen=True)
class Wiring:
    """Queues and the transfers between them, both engines' view of the fabric behind the multipliers.

    ``depth`` maps every wire to the words it holds. A multiplier switch puts its products on ``product[m]``; virtual
    neuron v's sums reach the accumulator on ``result[v]``, leave it on ``accumulated[v]`` and wait for their bus on
    ``outgoing[v]``. ``reduction`` (before the accumulators) and ``collection`` (behind them) are ordered receivers
    first. Wires in ``normal`` have room only if they are not full at the start of the cycle (*normal* queues); all
    others also take a word in the cycle in which they are popped (*pipeline* queues).
    """

    depth: dict[Wire, int]
    product: tuple[Wire, ...]
    result: tuple[Wire, ...]
    accumulated: tuple[Wire, ...]
    outgoing: tuple[Wire, ...]
    reduction: tuple[Transfer, ...]
    collection: tuple[Transfer, ...]
    normal: frozenset[Wire] = frozenset()


@dataclass
class _Builder:
    depth: dict[Wire, int] = field(default_factory=dict)

    def pipeline(self, target: Wire, latency: int, depth: int, virtual_neuron: int) -> tuple[Wire, list[Transfer]]:
        """Registers in front of ``target``: the wire to put words on, and the moves, receivers first."""
        self.depth[target] = depth
        moves = []
        for stage in range(1, latency):
            register = target._replace(stage=stage)
            self.depth[register] = 1
            moves.append(Transfer(REGISTER, (register,), target._replace(stage=stage - 1), virtual_neuron))
        return target._replace(stage=latency - 1), moves


def wire_up(program: Program, hardware: Hardware) -> Wiring:
    """The wiring of ``program``'s configuration on ``hardware``."""
    if program.control is not None:
        return _wire_up_ports(program, hardware)
    build = _Builder()
    product, product_moves = [], []
    for multiplier in range(program.multipliers_used):
        wire, moves = build.pipeline(
            Wire("product", 0, multiplier), hardware.multiplier.latency, hardware.multiplier.product_fifo_depth, -1
        )
        product.append(wire)
        product_moves += moves
    for transfer in program.reduction.transfers:
        build.depth[transfer.output] = hardware.reduction.fifo_depth if transfer.output.stage == 0 else 1
    accumulated, outgoing, outgoing_moves = [], [], []
    behind = max(1, hardware.accumulation.latency) + hardware.collection.latency - 1
    for vn in range(len(program.spans)):
        goal = Wire("outgoing", 0, vn)
        wire, moves = build.pipeline(goal, behind, hardware.collection.fifo_depth, vn)
        accumulated.append(wire)
        outgoing.append(goal)
        outgoing_moves += moves
    return Wiring(
        depth=build.depth,
        product=tuple(product),
        result=tuple(Wire("result", 0, vn) for vn in range(len(program.spans))),
        accumulated=tuple(accumulated),
        outgoing=tuple(outgoing),
        reduction=(*program.reduction.receivers_first, *product_moves),
        collection=tuple(outgoing_moves),
    )


def _wire_up_ports(program: Program, hardware: Hardware) -> Wiring:
    """The wiring of a configuration whose results leave at the ports of collection buses."""
    product = tuple(Wire("product", 0, multiplier) for multiplier in range(program.multipliers_used))
    transfers = program.reduction.transfers
    links = dict.fromkeys((*product, *(wire for t in transfers for wire in (*t.operands, t.output))))
    ports = program.reduction.ports
    depth = dict.fromkeys(links, hardware.reduction.fifo_depth) | dict.fromkeys(ports, hardware.collection.fifo_depth)
    normal = hardware.reduction.fifo_kind == "normal"
    return Wiring(
        depth=depth,
        product=product,
        result=(),
        accumulated=(),
        outgoing=ports,
        reduction=program.reduction.receivers_first,
        collection=(),
        normal=frozenset(depth.keys() - set(ports)) if normal else frozenset(),
    )
