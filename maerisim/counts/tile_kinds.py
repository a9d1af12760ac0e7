"""What each kind of tile of a mapping does: the control steps in which the same virtual neurons are at work.

Words count with the control step that they are sent for, the first that uses them; results and sums with the step whose
products they are made of. So the shares add up to the counts of the whole run, exactly. Cycles do not divide like this:
while one tile computes, the ports already load the next, and the results of the last are still on their way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.coinciding_steps import coincidences
from maerisim.counts.counters import Traffic, sum_of
from maerisim.counts.multicasts import Multicasts, multicasts, together
from maerisim.counts.program_totals import totals
from maerisim.counts.visits import Visits, visits_of
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import ACTIVE, Program, Use

_Kind = tuple[tuple[tuple[int, int], ...], int, int, int]
"""Virtual neurons as (size, how many), and how many switches are used, empty, and take partial sums in."""

WORK = Use.MULTIPLY | Use.PASS
"""What makes a multiplier switch count as used."""


@dataclass(frozen=True)
class TileKind:
    """Control steps in which the same virtual neurons are at work, each with the same number of multipliers.

    ``virtual_neurons`` are (size, how many), largest first, where the size counts the multipliers that do something.
    ``empty`` switches lie beyond the edge of the tile and pass an empty word, ``partial_sums`` switches take in what
    comes back from the global buffer; ``idle`` ones do nothing at all.
    """

    virtual_neurons: tuple[tuple[int, int], ...]
    multipliers: int
    empty: int
    partial_sums: int
    idle: int
    steps: int


@dataclass(frozen=True)
class Work:
    """What is done in ``steps`` control steps. ``ports`` and ``buses`` are their busy cycles in each program."""

    steps: int
    traffic: Traffic
    multicasts: dict[str, Multicasts]
    ports: dict[int, Ints]
    buses: dict[int, Ints]

    @property
    def busy(self) -> dict[str, int]:
        """Cycles of the multipliers, and of the port and the bus that these steps keep busiest, by resource."""
        return {
            "multipliers": self.steps,
            "distribution": sum(int(cycles.max()) for cycles in self.ports.values()),
            "collection": sum(int(cycles.max()) for cycles in self.buses.values()),
        }

    @property
    def busiest(self) -> str:
        """The resource that is at work in most cycles."""
        busy = self.busy
        return max(busy, key=lambda resource: busy[resource])


@dataclass(frozen=True)
class Share:
    """A kind of tile, and what a run does in its control steps."""

    tile: TileKind
    work: Work


def shares(sequence: Sequence[Program], hardware: Hardware) -> tuple[Share, ...]:
    """What falls to each kind of tile that ``sequence`` walks, those that use most multipliers first."""
    parts: dict[_Kind, list[Work]] = {}
    for number, program in enumerate(sequence):
        for kind, visits in _visits_by_kind(program).items():
            counters = totals(program, hardware, visits)
            work = Work(
                steps=int(visits.compute.sum()),
                traffic=counters.traffic,
                multicasts=multicasts(program, hardware, visits),
                ports={number: np.array(counters.busy["ports"])},
                buses={number: np.array(counters.busy["buses"])},
            )
            parts.setdefault(kind, []).append(work)
    found = [_share(kind, summed(works), hardware.multipliers) for kind, works in parts.items()]
    return tuple(sorted(found, key=lambda share: (-share.tile.multipliers, -share.tile.steps)))


def _share(kind: _Kind, work: Work, multipliers: int) -> Share:
    virtual_neurons, used, empty, partial_sums = kind
    idle = multipliers - used - empty - partial_sums
    return Share(TileKind(virtual_neurons, used, empty, partial_sums, idle, work.steps), work)


def summed(works: Sequence[Work]) -> Work:
    """All of them together."""
    return Work(
        steps=sum(work.steps for work in works),
        traffic=sum_of([work.traffic for work in works]),
        multicasts=together([work.multicasts for work in works]),
        ports=_by_program([work.ports for work in works]),
        buses=_by_program([work.buses for work in works]),
    )


def _by_program(parts: Sequence[dict[int, Ints]]) -> dict[int, Ints]:
    """The sums of the arrays that belong to the same program."""
    found: dict[int, Ints] = {}
    for part in parts:
        for program, cycles in part.items():
            found[program] = found[program] + cycles if program in found else cycles
    return found


def _visits_by_kind(program: Program) -> dict[_Kind, Visits]:
    """The visits of all threads that belong to the control steps of each kind of tile."""
    keys = _kinds(program)
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    labels = np.array([numbers[key] for key in keys])
    steps = visits_of(program.compute)
    aligned = [
        _by_label(coincidences(thread, program.compute, labels), len(numbers), len(thread.templates))
        for thread in (program.collect, *program.streams)
    ]
    found = {}
    for key, label in numbers.items():
        collect, inputs, partial_sums, weights = (visits[label] for visits in aligned)
        found[key] = Visits(np.where(labels == label, steps, 0), collect, (inputs, partial_sums, weights))
    return found


def _by_label(found: Counter[tuple[int, int]], labels: int, templates: int) -> Ints:
    """Visits as [label, template]."""
    visits = np.zeros((labels, templates), np.int64)
    for (label, template), times in found.items():
        visits[label, template] = times
    return visits


def _kinds(program: Program) -> list[_Kind]:
    """The kind of each template of the compute thread."""
    vn_starts = [span.start for span in program.spans]
    takes_partial_sums = program.partial_sum_of >= 0
    kinds: list[_Kind] = []
    for uses in program.compute.templates:
        works = (uses & WORK) > 0
        sizes = np.add.reduceat(works.astype(np.int64), vn_starts)
        virtual_neurons = tuple(sorted(Counter(sizes[sizes > 0].tolist()).items(), reverse=True))
        active = (uses & ACTIVE) > 0
        used, partial_sums = int(works.sum()), int((active & takes_partial_sums).sum())
        kinds.append((virtual_neurons, used, int(active.sum()) - used - partial_sums, partial_sums))
    return kinds
