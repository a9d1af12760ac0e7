"""States of a leaf register; NEW: filled in this cycle, so that it was empty at the start."""

EMPTY, HELD, NEW = 0, 1, 2
