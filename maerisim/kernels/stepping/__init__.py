"""The cycles of the machine, one after the other or as many at once as repeat: what :mod:`maerisim.engine.event`
says, fast.
"""
