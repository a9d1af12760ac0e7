"""Bits of :class:`maerisim.program.program.Use` as plain numbers; a unit test keeps them equal."""

MULTIPLY, IDLE, PARTIAL_SUM = 1, 2, 4
RETIRE_WEIGHT, NEXT_WEIGHT, REWIND_WEIGHTS = 8, 16, 32
FORWARDED_INPUT, RETIRE_INPUT, NEXT_INPUT, REWIND_INPUTS, FORWARD, PASS = 64, 128, 256, 512, 1024, 2048
