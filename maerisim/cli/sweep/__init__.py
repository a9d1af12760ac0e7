"""Sweeps: what has to be run, where it runs, where results are kept, and how they are shown."""
