"""Adder switches that several parts of a fabric use: in how many cycles they moved any word at all."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from maerisim.arrays import Ints
from maerisim.engine.compiled.independent_parts import IndependentPart
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine


class SharedSwitches:
    """The cycles in which the parts that have run moved words through adder switches that others use as well.

    Adder switches go by their column on the whole array.
    """

    def __init__(self) -> None:
        self._moments: dict[int, list[Ints]] = defaultdict(list)

    def prepared(self, part: IndependentPart, machine: LaneMachine) -> LaneMachine:
        """A machine that notes the words through those of its adder switches that others use."""
        if not part.noted:
            return machine
        columns, words = np.array(list(part.noted)), np.array(list(part.noted.values()))
        network, noted, first = machine.network, machine.network.noted.copy(), machine.network.first_moment.copy()
        np.bitwise_or.at(noted, columns >> 6, np.uint64(1) << (columns & 63).astype(np.uint64))
        first[columns] = np.cumsum(words) - words
        moments = np.zeros(int(words.sum()), np.int64)
        return machine._replace(network=network._replace(noted=noted, first_moment=first, moments=moments))

    def finished(self, part: IndependentPart, machine: LaneMachine) -> None:
        """Remember what the machine of a part has noted, for all equal parts."""
        network = machine.network
        for column, words in part.noted.items():
            first = int(network.first_moment[column])
            for start in part.starts:
                self._moments[start + column].append(network.moments[first : first + words])
                network.twice[column] = 0

    def busy(self) -> dict[int, int]:
        """By column in how many cycles any part moved a word."""
        found = {}
        for column, moments in self._moments.items():
            # Each part's are in order, which a stable sort makes use of; memory depends on the words, not on the cycles.
            together = np.sort(np.concatenate(moments), kind="stable")
            found[column] = int(np.count_nonzero(np.diff(together, prepend=-1)))
        return found
