"""Two fused layers, one after the other: when the first writes its results, which the second waits for.

The first never waits for the second. So where they share no bus, no adder switch and no limit of the global buffer, the first
runs alone, and the second knows in which cycle each of its inputs is there.
"""

from __future__ import annotations

import numpy as np

from maerisim.arrays import Ints
from maerisim.engine.compiled.independent_parts import IndependentPart
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.program.program import Fusion, Program


class TwoLayers:
    """What the parts of a program with two layers have to know of one another, given the ``results`` of each virtual neuron.

    Parts with both layers, and programs with one, need nothing.
    """

    def __init__(self, program: Program, results: Ints) -> None:
        self._fusion = program.fusion
        self._results = results
        self._start = np.array([span.start for span in program.spans])
        self._moments = [np.zeros(0, np.int64)] * len(results)
        self._due: Ints | None = None

    def prepared(self, part: IndependentPart, machine: LaneMachine) -> LaneMachine:
        """A machine that notes when its results are written, or knows when its inputs are there; else as it is."""
        layers = {part.program.layer_of_port(port) for port in range(part.hardware.ports)}
        if self._fusion is None or len(layers) == 2:
            return machine
        if layers == {0}:
            results = self._results[self._neurons(part, part.starts[0])]
            moments, first = np.zeros(int(results.sum()), np.int64), np.cumsum(results) - results
            return machine._replace(collection=machine.collection._replace(moments=moments, first_moment=first))
        if self._due is None:
            self._due = self._cycles_of_words(self._fusion)
        ports, last = machine.ports, int(self._due.max(initial=0))
        between = ports.between._replace(due=self._due, in_cycles=True, last=last)
        return machine._replace(ports=ports._replace(between=between))

    def finished(self, part: IndependentPart, machine: LaneMachine) -> None:
        """Remember what the machine of a part has noted, for all equal parts."""
        noted = machine.collection.moments
        if len(noted):
            of_neurons = np.split(noted, machine.collection.first_moment[1:])
            for start in part.starts:
                self._moments[self._neurons(part, start)] = of_neurons

    def _neurons(self, part: IndependentPart, start: int) -> slice:
        """The virtual neurons of a part that begins at a multiplier switch."""
        first = int(np.searchsorted(self._start, start))
        return slice(first, first + len(part.program.spans))

    def _cycles_of_words(self, fusion: Fusion) -> Ints:
        """The cycle in which each word between the layers is written; 0 for padding."""
        first = np.cumsum(self._results) - self._results
        place = np.where(fusion.due > 0, first[fusion.producer] + fusion.due - 1, 0)
        return np.where(fusion.due > 0, np.concatenate(self._moments)[place], 0)
