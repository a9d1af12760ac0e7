"""The words that the distribution network brings: from which reads, in which packets, to how many switches at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.counts.counters import OPERANDS
from maerisim.counts.visits import Visits
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Packets, Program, Thread


@dataclass(frozen=True)
class Multicasts:
    """What brings an operand to the multiplier switches.

    ``words`` counts the words read from the global buffer by their *width*, the number of switches that each goes to in
    its control step, fewest first: those that go to one are unicasts. A word takes a packet below each port that it is
    needed below; ``packets`` counts these, ``hops`` the distribution switches that they pass.
    """

    words: dict[int, int]
    packets: int
    hops: int

    @property
    def wide(self) -> int:
        """Words that go to more than one multiplier switch."""
        return sum(count for width, count in self.words.items() if width > 1)

    @property
    def delivered(self) -> int:
        """Words that arrive at multiplier switches."""
        return sum(width * count for width, count in self.words.items())


def multicasts(program: Program, hardware: Hardware, visits: Visits | None = None) -> dict[str, Multicasts]:
    """The words of each operand by their width, in a whole run or in ``visits``."""
    found = {}
    visits = visits or Visits.of(program)
    for operand, thread, visits_of_thread in zip(OPERANDS, program.streams, visits.streams, strict=True):
        by_width: Counter[int] = Counter()
        for times, packets in zip(visits_of_thread.tolist(), thread.templates, strict=True):
            if not times:
                continue
            sent = leaving(thread, packets)
            _, word = np.unique(packets.offset[sent], return_inverse=True)
            widths = np.bincount(word, weights=np.diff(packets.first)[sent]).astype(np.int64)
            for width in widths.tolist():
                by_width[width] += times
        stream = Sent(thread, visits_of_thread, hardware.ports)
        found[operand] = Multicasts(dict(sorted(by_width.items())), stream.packets, stream.hops)
    return found


def together(runs: Sequence[dict[str, Multicasts]]) -> dict[str, Multicasts]:
    """The multicasts of several runs, or of several parts of one."""
    return {
        operand: Multicasts(
            dict(sorted(sum((Counter(run[operand].words) for run in runs), Counter()).items())),
            sum(run[operand].packets for run in runs),
            sum(run[operand].hops for run in runs),
        )
        for operand in OPERANDS
    }


class Sent:
    """The packets of one stream, and what they move."""

    def __init__(self, thread: Thread[Packets], visits: Ints, ports: int) -> None:
        self.ports = np.zeros(ports, np.int64)
        self.packets = self.delivered = self.reads = self.hops = 0
        for times, packets in zip(visits.tolist(), thread.templates, strict=True):
            if not times:
                continue
            sent = leaving(thread, packets)
            port = np.repeat(np.arange(ports), np.diff(packets.port_start))
            self.ports += times * np.bincount(port[sent], minlength=ports)
            self.packets += times * int(sent.sum())
            self.delivered += times * int(np.diff(packets.first)[sent].sum())
            self.reads += times * int(packets.reads[sent].sum())
            self.hops += times * int(packets.hops[sent].sum())


def leaving(thread: Thread[Packets], packets: Packets) -> Mask:
    """Which packets are sent at all: a partial sum that starts an output is not."""
    return packets.wait > 0 if thread.name == "partial_sums" else np.ones(len(packets.wait), np.bool_)
