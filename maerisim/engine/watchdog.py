"""The watchdog: when a program cannot progress any more, and the message that says who waits for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maerisim.program.program import Control

_SHOWN = 8

_CAUSES = {
    "collection": "no room for its product: the reduction network does not move",
    "weights": "its weight has not arrived",
    "inputs": "its input has not arrived",
    "wait": "its partial sum has not come back",
    "forwarding": "its left neighbour has no room for the input it forwards",
}

_ROWS = {
    Control.PAUSE: "for nothing",
    Control.CONFIGURE: "until the multiplier switches have taken up their last configuration",
    Control.SEND: "for room in the queues of the ports",
    Control.DRAINED: "until the distribution network is empty",
    Control.RESULTS: "for the results that are due",
}


@dataclass
class Watchdog:
    """Looks at the end of each cycle whether something ``moved`` in it, which the components of the fabric say.

    A word may be on its way through the distribution network for ``latency`` cycles in which nothing else moves; a
    fabric that rests for longer never moves again. (The kernels' twin counts idle cycles in their loops.)
    """

    latency: int
    moved: bool = False
    idle: int = 0

    def bites(self) -> bool:
        """At the end of a cycle: whether nothing has moved for too long."""
        self.idle = 0 if self.moved else self.idle + 1
        self.moved = False
        return self.idle >= self.latency


def deadlock_message(
    *,
    cycle: int,
    results: int,
    expected: int,
    stalled: Mapping[int, str],
    blocked: Mapping[int, tuple[str, list[int]]],
    waiting: list[str],
    row: Control | None = None,
) -> str:
    """Describe a fabric in which nothing moved in ``cycle``.

    ``stalled`` gives for each unfinished multiplier switch why it stands still, ``blocked`` for each port the operand
    at its head and where that is to go, ``waiting`` the wires that hold words, ``row`` the kind of row at which a
    controller stands that drives the fabric in lock step.
    """
    lines = [f"deadlock: nothing moves in cycle {cycle} ({results} of {expected} results have left)"]
    for cause, reason in _CAUSES.items():
        members = [index for index, why in stalled.items() if why == cause]
        if members:
            lines.append(f"  multiplier switches {_some(members)}: {reason}")
    for port, (operand, destinations) in list(blocked.items())[:_SHOWN]:
        lines.append(f"  port {port}: holds {operand} for multiplier switches {_some(destinations)}, no room there")
    if len(blocked) > _SHOWN:
        lines.append(f"  and {len(blocked) - _SHOWN} more ports")
    if waiting:
        lines.append(f"  words wait on: {_some(waiting)}")
    if row is not None:
        lines.append(f"  the controller waits {_ROWS[row]}")
    elif not blocked:
        lines.append("  the distribution ports have nothing left to send that could move")
    lines.append("  check the waits of the program (--print-program) and the queue depths of the hardware")
    return "\n".join(lines)


def _some(members: list[int] | list[str]) -> str:
    shown = ", ".join(str(member) for member in members[:_SHOWN])
    return shown + (f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else "")
