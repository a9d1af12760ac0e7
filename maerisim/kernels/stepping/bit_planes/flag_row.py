"""Rows of flags, in the order of the bits of Use; the last row marks the switches that have a step left."""

MULTIPLY, IDLE, PARTIAL_SUM, RETIRE_WEIGHT, NEXT_WEIGHT, REWIND_WEIGHTS = 0, 1, 2, 3, 4, 5
FORWARDED_INPUT, RETIRE_INPUT, NEXT_INPUT, REWIND_INPUTS, FORWARD, PASS, AT_WORK = 6, 7, 8, 9, 10, 11, 12
FLAG_ROWS = 13
