"""A folder to sweep in."""

from __future__ import annotations

import pytest

from tests.cli.sweep.documents import MANY, NETWORK, RTL, SMALL


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with two sweeps of one small network, and one on hardware that cannot run all of it."""
    for name, text in (("net", NETWORK), ("small", SMALL), ("many", MANY), ("rtl", RTL)):
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path
