"""The input lines under neighbouring windows: rows (axis 0) or columns (axis 1).

The kernels of the estimate have a twin of :func:`lines`: ``distinct`` in :mod:`maerisim.kernels.estimating.loads`.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np

from maerisim.arrays import Ints
from maerisim.documents.sizes import behind
from maerisim.workload.problem import Problem

Count = Any
"""A number, or an array of numbers."""


def lines(outputs: Count, taps: Count, stride: int, dilation: int) -> Count:
    """Input rows (or columns) under so many neighbouring windows of so many taps.

    The number of values of i stride + j dilation. With g their greatest common divisor a value has one pair (i, j), plus
    one for each pair that is ``dilation / g`` outputs and ``stride / g`` taps away from another.
    """
    g = gcd(stride, dilation)
    repeated_outputs, repeated_taps = outputs - dilation // g, taps - stride // g
    both = (repeated_outputs > 0) & (repeated_taps > 0)
    return outputs * taps - repeated_outputs * repeated_taps * both


def real_lines(problem: Problem, axis: int, outputs: range, taps: range) -> Ints:
    """The input rows (axis 0) or columns (1) that windows touch at some of their taps and that are not padding.

    Where the stride does not reach the last row, up to stride - 1 rows too few are counted.
    """
    touched = np.add.outer(np.array(outputs) * problem.stride[axis], np.array(taps) * problem.dilation[axis])
    last = (problem.H, problem.W)[axis] - 1 - behind(problem.padding)[axis]
    return np.unique(touched[(touched >= problem.padding[axis]) & (touched <= last)])
