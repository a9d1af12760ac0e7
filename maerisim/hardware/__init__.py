"""What machine it is: every number of a fabric, validated, and what follows from them.

``hardware.py`` is the hardware document, ``energy.py`` its prices of events.
"""
