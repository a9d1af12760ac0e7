"""A SQLite file of ours: made when it is not there, recognised when it is, and errors in words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar, Self

from maerisim.errors import DocumentError

FORMAT = 1
"""SQLite's ``user_version`` of our files."""
PATIENCE_SECONDS = 30.0
"""How long to wait for another program that has locked the file."""
MOST_VARIABLES = 500
"""Keys in one query; SQLite allows at least 999."""


class Database:
    """Results in a file, which is created when it is not there, or without ``path`` in memory.

    Raises DocumentError when the file cannot be used.
    """

    application: ClassVar[int]
    """SQLite's ``application_id``."""
    schema: ClassVar[str]
    holds: ClassVar[str]
    """What is in it, in words."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = path
        with self._explained():
            self._connection = sqlite3.connect(":memory:" if path is None else path, timeout=PATIENCE_SECONDS)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        if self._is_empty():
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                if self._is_empty():  # or else another program was first
                    self._connection.execute(self.schema)
                    self._connection.execute(f"PRAGMA application_id = {self.application}")
                    self._connection.execute(f"PRAGMA user_version = {FORMAT}")
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (file_format,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != self.application:
            raise DocumentError([f"{self.path}: is not a database of {self.holds}; name another with --database"])
        if file_format != FORMAT:
            text = f"has format {file_format}, this version of maerisim reads {FORMAT}; name another with --database"
            raise DocumentError([f"{self.path}: {text}"])

    def _is_empty(self) -> bool:
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return bool(tables == 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (
            sqlite3.Error,
            ValueError,
            TypeError,
        ) as error:  # the latter two for rows that are not as they were written
            raise DocumentError([f"{self.path}: cannot be used as a database: {error}"]) from error
