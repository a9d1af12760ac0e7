"""Array types: what kernels and all that feeds them hand to one another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.uint32]
"""Indices into other arrays: unsigned, so that a kernel need not ask whether one counts from the end."""
