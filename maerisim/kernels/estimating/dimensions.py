"""Dimensions as numbers, in the order of ``DIMENSIONS``: N G K C R S P Q. A set of dimensions is a mask with bit d set."""

from __future__ import annotations

N, G, K, C, R, S, P, Q = 0, 1, 2, 3, 4, 5, 6, 7
OF_K, OF_S, OF_Q = 1 << K, 1 << S, 1 << Q
OF_PLANE = 1 << P | 1 << Q
"""Rows and columns of the output."""
FOLDS = 1 << C | 1 << R | 1 << S
"""Dimensions that are summed over."""
REPLICATED = 255 ^ FOLDS
"""Dimensions that tell virtual neurons apart."""
OF_WEIGHTS = 1 << G | 1 << K | FOLDS
"""Dimensions that the weights depend on; the inputs depend on all but K."""
EVERYTHING = 255
CLASSES = 256
"""Sets of dimensions."""
