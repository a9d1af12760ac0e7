"""Files of compiled kernels are whole or not there; what they hold can be called."""

from __future__ import annotations

import errno
from pathlib import Path

from maerisim.kernels.compiling.machine_code import MachineCode, read, write

CODE, OTHER = MachineCode("symbol", "qq", b"machine\0code\0"), MachineCode("other", "", b"more")


def test_what_is_kept_is_read(tmp_path):
    path = tmp_path / "kernel.o"
    assert read(path) is None
    write(path, CODE)
    assert read(path) == CODE
    write(path, OTHER)
    assert read(path) == OTHER
    assert list(tmp_path.iterdir()) == [path]


def test_no_damaged_byte_is_loaded(tmp_path):
    path = tmp_path / "kernel.o"
    write(path, CODE)
    good = path.read_bytes()
    damaged = [good[:end] for end in range(len(good))]
    damaged += [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(len(good))]
    for content in damaged:
        path.write_bytes(content)
        assert read(path) is None
    write(path, CODE)
    assert path.read_bytes() == good


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "kernel.o"
    write(path, CODE)

    def fail(self: Path, _content: bytes) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    write(path, OTHER)
    monkeypatch.undo()
    assert read(path) == CODE
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    path = tmp_path / "nowhere" / "kernel.o"
    write(path, CODE)
    assert read(path) is None
