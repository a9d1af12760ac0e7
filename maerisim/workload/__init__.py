"""What is asked for, and what it computes.

Networks and their layers as documents, each layer as a loop nest (a problem), sparse weights, the stages of recurrent
layers, and what NumPy makes of the same operands.
"""
