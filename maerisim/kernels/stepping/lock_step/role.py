"""Numbers of :class:`maerisim.program.program.Role` as plain numbers; a unit test keeps them equal."""

LEFT, MIDDLE, RIGHT, MIDDLE_FIRST, RIGHT_FIRST = 2, 3, 4, 5, 6
