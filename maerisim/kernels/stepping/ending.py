"""How a call of a run ends: out of budget, with the last result, or with nothing that could move."""

RUNNING, COMPLETE, DEADLOCK = 0, 1, 2
