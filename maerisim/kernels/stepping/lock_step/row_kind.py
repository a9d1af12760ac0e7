"""Numbers of :class:`maerisim.program.program.Control` as plain numbers; a unit test keeps them equal."""

CONFIGURE, SEND, DRAINED, RESULTS = 1, 2, 3, 4
