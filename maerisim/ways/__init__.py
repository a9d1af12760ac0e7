"""The ways in which a layer runs on a machine, and what is true of all of them.

``way.py`` chooses the way of a layer, and offers what callers need: one complete ``simulate``, one complete ``estimate``.
``base.py`` says what a way is; each has a file of its own: dense, sparse, lock_step, fused, and in_blocks around one of
them where the global buffer or DRAM limits the layer. ``sequence.py`` runs recurrent layers.
"""
