"""The table of the loads of a placed tile: what its rows and columns are.

A row is a class of control steps, that many rows further on than the first row of a load: words of weights, of inputs, of
the inputs that forwarding leaves to send after the first step of a row, and of returning partial sums.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import dimensions

WEIGHTS, INPUTS, SLIDING, RETURNS = 0, dimensions.CLASSES, 2 * dimensions.CLASSES, 3 * dimensions.CLASSES
ROWS = 4 * dimensions.CLASSES

ALL, BRANCHES, BUSIEST = 0, 1, 2
"""Columns: the words of all ports, the distribution switches below the ports that these pass, and from BUSIEST on the words
at each port that can be the busiest of any mix of classes."""


@helper
def first_row(load: int, classes: int) -> int:
    """The first row of a load of switches in a table of so many classes of control steps."""
    return load // dimensions.CLASSES * classes
