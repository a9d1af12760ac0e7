"""Networks in the formats of other tools, read into network documents: ``mrna.py``, ``scale_sim.py``."""
