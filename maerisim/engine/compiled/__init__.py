"""The engine to use: programs as flat arrays, stepped by the kernels of :mod:`maerisim.kernels.stepping`.

What need not be stepped is not: parts of the fabric that are independent run apart, switches that do the same as
bits of one word, and what repeats itself is skipped.
"""
