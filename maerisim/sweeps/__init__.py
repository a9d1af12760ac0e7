"""The same over a grid of hardware: what to run, on which cores or cluster, what is stored, and what it adds up to."""
