"""The documents that the tests of sweeps begin with, and what a database holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing

PATIENCE_SECONDS = 60
"""After which a process that does not do what it should has failed."""
SMALL = """\
name: small
hardware: maeri-16
networks: [net.yaml]
grid:
  multipliers: [8, 16]
  reduction.topology: [art, linear]
"""
NETWORK = """\
name: net
layers:
  - {name: conv, op: conv2d, input: [2, 6, 6], filters: 4, kernel: 3}
  - {name: fc, op: linear, inputs: 32, outputs: 8, count: 3}
"""
MANY = """\
name: many
hardware: maeri-16
networks: [net.yaml]
grid:
  reduction.latency: [1, 2, 3, 4, 5, 6, 7, 8]
  multiplier.latency: [1, 2, 3, 4]
"""
RTL = """\
name: rtl
hardware: maeri_rtl
networks: [net.yaml]
grid:
  multipliers: [32, 64]
"""


def rows(path, columns="key, finished_at"):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT {columns} FROM results ORDER BY key").fetchall()
