"""Bits of :class:`maerisim.program.program.Collect` as plain numbers; a unit test keeps them equal."""

ACTIVE, FIRST, EMIT, LAST = 1, 2, 4, 8
