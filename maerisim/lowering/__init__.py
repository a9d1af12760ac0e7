"""How a mapping becomes a program.

Temporal loops, what stays in place from one step to the next, where each virtual neuron lies, and the packets that
bring the rest: for dense, sparse and fused layers, and for the testbench of the published RTL.
"""
