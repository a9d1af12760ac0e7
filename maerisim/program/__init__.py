"""What is sent and done, in full: the threads of packets, uses and sums that controllers walk.

``program.py`` is the program itself, ``wiring.py`` its adder switches and buses connected, ``printing.py`` how it
reads.
"""
