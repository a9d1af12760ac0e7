"""How many cycles a program takes, and with operands what comes out.

Two engines run the same machine, cycle for cycle: ``event``, written to be read, and ``compiled``, made to be fast.
Around them is what both share: what a run ends with, layers one after the other, and the watch for runs that do not
move.
"""
