"""The entries of a cost: what one row of numbers says of a mapping.

Those of an operand come three in a row: inputs, partial sums, weights.
"""

from __future__ import annotations

INPUTS, PARTIAL_SUMS, WEIGHTS = 0, 1, 2
CYCLES, STEPS, PORT_CYCLES, BUS_CYCLES, DRAIN, DEPTH = 0, 1, 2, 3, 4, 5
DISTRIBUTED, DELIVERED, READS = 6, 9, 12
HOPS, ADDITIONS, ADDER_WORDS, ACCUMULATIONS, FORWARDS, RESULTS, OUTPUTS, FOLD_STEPS = 15, 16, 17, 18, 19, 20, 21, 22
SPILLS, FORWARDING, MACS, PASSES, NEAREST = 23, 24, 25, 26, 27
COSTS = 28
