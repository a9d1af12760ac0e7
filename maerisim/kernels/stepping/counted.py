"""Rows of a run's tally: what is counted."""

MULTIPLICATIONS, ADDITIONS_TWO, ADDITIONS_THREE, ACCUMULATIONS, FORWARDS = 0, 1, 2, 3, 4
HOPS, ADDER_WORDS, RESULTS, PORT_STALLS, OUTPUTS_WRITTEN, PARTIAL_SUMS_WRITTEN = 5, 6, 7, 8, 9, 10
STALLED = 11  # five causes: collection, weights, inputs, wait, forwarding
DISTRIBUTED, DELIVERED, READS = 16, 19, 22  # three operands each: inputs, partial sums, weights
FIRST_RESULT = 25  # cycles up to and with that of the first result
PASSES = 26
COMPARISONS = 27
TALLY_ROWS = 28
