"""Experiments on search techniques: what runs, what is kept, and how it is shown; the techniques are in :mod:`mapper.searching`."""
