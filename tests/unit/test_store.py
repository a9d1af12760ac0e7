"""The file of a sweep's results: shared, and refused where it is damaged."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from maerisim.errors import DocumentError
from maerisim.sweeps.store import Store


def test_sweeps_that_begin_a_file_at_once_share_it(tmp_path):
    path, both = tmp_path / "results.sqlite", threading.Barrier(8)

    def open_store(_number: int) -> int:
        both.wait()
        with Store(path) as store:
            return len(store.get(["key"]))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_store, range(8))) == [0] * 8


def test_a_row_that_is_not_as_it_was_written_is_refused(tmp_path):
    path = tmp_path / "results.sqlite"
    columns = "key, status, mapping, hardware, problem, objective, version, wall_seconds, finished_at"
    with Store(path) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"INSERT INTO results ({columns}) VALUES ('k', 'done', '{{', '', '', '', '', 1, '')")
        with pytest.raises(DocumentError, match=r"results\.sqlite: cannot be used as a database"):
            store.get(["k"])
