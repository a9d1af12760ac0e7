"""What a fabric driven in lock step has besides a :class:`maerisim.kernels.stepping.machine.Machine`."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.stepping.walk import Code, Walkers


class Switches(NamedTuple):
    """Multiplier switches: role, products that may still leave and the cycle in which one last did, the configuration
    that waits (role or -1, products), products in their queue of ``product_depth``, and the two registers of the leaf.
    """

    role: Ints
    left: Ints
    sent: Ints
    next_role: Ints
    next_left: Ints
    products: Ints
    product_depth: int
    first_register: Ints
    second_register: Ints


class Slots(NamedTuple):
    """Distribution ports: a queue [port, depth] of packets with its head and the number that wait, the packet whose slot
    is being configured and the one in the tree (-1: none), and packets sent that have not been delivered.
    """

    queue: Ints
    head: Ints
    waiting: Ints
    register: Ints
    tree: Ints
    undelivered: Ints


class ControlProgram(NamedTuple):
    """The controller: rows [template] of :class:`maerisim.program.program.ControlRow`, ``roles`` [template, switch], the number
    of the packets in :class:`Ports`; one walker, whose base address counts the results that are due.
    """

    code: Code
    kind: Ints
    roles: Ints
    products: Ints
    packets: Ints
    walker: Walkers


class LockStepState(NamedTuple):
    """What a machine driven in lock step has besides a :class:`Machine`; adders rest before cycle ``configured_at``."""

    switches: Switches
    slots: Slots
    control: ControlProgram
    configured_at: int
