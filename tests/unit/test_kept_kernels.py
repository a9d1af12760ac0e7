"""Files of compiled kernels are whole or not there."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from maerisim.kernels.compiling.kept import CheckedFile


@pytest.fixture
def file(tmp_path):
    return CheckedFile(tmp_path / "kernel.nbc", "stamp")


def test_what_is_kept_is_found_by_its_key_and_stamp(file, tmp_path):
    file.save("one", b"first")
    file.save("other", b"second")
    assert (file.load("one"), file.load("other"), file.load("third")) == (b"first", b"second", None)
    assert CheckedFile(tmp_path / "kernel.nbc", "another stamp").load("one") is None
    file.flush()
    assert file.load("one") is None
    assert list(tmp_path.iterdir()) == []


def test_no_damaged_byte_is_loaded(file, tmp_path):
    file.save("one", b"machine code")
    path = tmp_path / "kernel.nbc"
    good = path.read_bytes()
    damaged = [good[:end] for end in range(0, len(good), 5)]
    damaged += [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(len(good))]
    for content in damaged:
        path.write_bytes(content)
        assert file.load("one") is None
        file.save("one", b"machine code")
        assert path.read_bytes() == good


def test_a_full_disk_loses_nothing(file, tmp_path, monkeypatch):
    file.save("one", b"machine code")

    def fail(self: Path, _content: bytes) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    file.save("other", b"more")
    monkeypatch.undo()
    assert (file.load("one"), file.load("other")) == (b"machine code", None)
    assert [path.name for path in tmp_path.iterdir()] == ["kernel.nbc"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    file = CheckedFile(tmp_path / "nowhere" / "kernel.nbc", "stamp")
    file.save("one", b"machine code")
    assert file.load("one") is None
