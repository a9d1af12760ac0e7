"""The fabric as bit planes: what a run without values reads and writes."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints, Places
from maerisim.kernels.stepping.machine import Adders, Asked, Bits, Collectors, Controller, Ports, Returning, Wires
from maerisim.kernels.stepping.walk import Code, Walkers


class Lanes(NamedTuple):
    """Multiplier switches.

    ``bits`` holds all bit planes, ``words`` elements each, one after the other. For each operand store ``present``,
    ``available`` and ``claimed`` are the first elements of ``planes`` planes: words present, those beyond the one in use
    (the same planes when the first is always in use), those present or on their way (-1: nobody asks); ``depth`` is
    the store's room. Weights are waited for and retired ``together``. ``flags`` is the first element of the flags,
    ``now`` the same per switch (-1: no step is left), ``uses`` [template, switch] what they are taken from.
    ``stalled`` [cause, word] says who was held back in the last cycle.
    """

    bits: Bits
    words: int
    present: Ints
    available: Ints
    claimed: Ints
    planes: Ints
    depth: Ints
    together: int
    flags: int
    now: Ints
    uses: Ints
    stalled: Bits


class ReductionNetwork(NamedTuple):
    """Reduction network. Transfers that do not depend on one another within a cycle form a *group*, receivers first;
    each transfer, and the wire it puts its sums on, has a column (a bit) in its group. 64 columns of a group are a *slot*;
    the first slots, one for each word of switches, are the products, which no transfer makes.

    For each slot: ``first`` plane (in the bits of the lanes, ``planes`` of them), ``depth`` of the wires, ``exists`` for
    the columns that have a transfer, ``switches`` for those that are adder switches, ``word`` of columns. Its operands
    are ``operand_start[slot] ..``: columns ``needed`` take a word each from slot ``source``, rotated by ``turn`` columns.
    ``filled`` are the wires with a word, ``full`` those without room, ``.._above`` the same by the upper planes alone, ``taken`` those that lost one in this cycle and have not been counted down yet.
    ``exits`` are the slots with wires that end at an accumulator, ``exit_mask`` which, ``virtual_neuron`` [slot, column]
    whose. ``twice`` counts the cycles in which a switch (by column) moved more than one word, once for each word beyond
    the first; ``active`` is scratch. Of the switches of columns ``noted`` every word counts there, and ``moments`` has the cycle of
    each of them, from ``first_moment`` of the column on (-1: it is not noted).
    """

    first: Places
    planes: Ints
    depth: Ints
    word: Places
    exists: Bits
    switches: Bits
    operand_start: Places
    needed: Bits
    source: Places
    turn: Bits
    filled: Bits
    full: Bits
    filled_above: Bits
    full_above: Bits
    taken: Bits
    exits: Ints
    exit_mask: Bits
    virtual_neuron: Ints
    active: Bits
    twice: Ints
    noted: Bits
    first_moment: Ints
    moments: Ints


class Arrivals(NamedTuple):
    """Per operand and word of 64 switches: stores without room, words sent in this cycle, and those on their way to the tree.

    All ports take as long, so that what is ``under_way`` [cycle modulo stages, operand, word] are the words sent in one cycle.
    """

    full: Bits
    sent: Bits
    under_way: Bits


class LaneMachine(NamedTuple):
    """Everything that a run without values reads and writes; ``tally_before`` is the tally before a cycle in which nothing
    may move.
    """

    code: Code
    lanes: Lanes
    network: ReductionNetwork
    wires: Wires
    adders: Adders
    collection: Collectors
    collect_walkers: Walkers
    compute_walkers: Walkers
    controller: Controller
    ports: Ports
    arrivals: Arrivals
    asked: Asked
    stream_walkers: Walkers
    returning: Returning
    returning_walkers: Walkers
    tally: Ints
    tally_before: Ints
