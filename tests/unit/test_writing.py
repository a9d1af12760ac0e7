"""Files are written whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from maerisim import documents
from maerisim.errors import DocumentError


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        documents.write(tmp_path / "new", "text\n")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_text("utf-8") == "text\n"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_file_keeps_its_permissions_and_a_link_stays_one(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old", "utf-8")
    file.chmod(0o600)
    link.symlink_to(file)
    documents.write(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_what_was_there_stays_when_the_disk_is_full(tmp_path, monkeypatch, failing):
    def full(*_):
        raise OSError(28, "No space left on device")

    file = tmp_path / "file"
    file.write_text("old", "utf-8")
    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[failing], full)
    with pytest.raises(DocumentError, match="file: cannot be written: No space left on device"):
        documents.write(file, "new")
    assert file.read_text("utf-8") == "old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names only


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_device_is_written_into():
    documents.write("/dev/null", "text")
    with pytest.raises(DocumentError, match="/dev/full: cannot be written: No space left on device"):
        documents.write("/dev/full", "text")
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(sys.platform == "win32", reason="has no such links")
def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(DocumentError, match="cannot be written"):
        documents.write(tmp_path / "a", "text")
