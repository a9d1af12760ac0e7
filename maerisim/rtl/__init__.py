"""Configurations for the published MAERI RTL (Bluespec), which its testbench loads from three files.

A good reading order: ``switches`` (what is wired to what), ``modes`` (what a switch can do), ``configure`` (how
virtual neurons are summed with that), ``tokens`` (whether they are), ``layer`` (what the testbench can run),
``memory`` (the files), ``words`` (all of it for a person to read).
"""
