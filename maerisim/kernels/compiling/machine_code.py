"""Machine code of kernels: kept in files that are whole or not there, loaded by LLVM, and called.

numba makes it; running it takes LLVM alone, so that a process whose kernels are on disk does not import numba (0.4 s, and as
much again until its compiler could load anything).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite import binding

_DIGEST = hashlib.sha256().digest_size
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
"""Status of (where results go, where an exception would go, table): how numba's functions call one another."""
_MOST_RESULTS = 8


class MachineCode(NamedTuple):
    """An object file, the symbol in it to be called, and the layout of what that returns (in the letters of ``struct``)."""

    symbol: str
    results: str
    content: bytes


class LoadedCode:
    """Machine code in memory that can be called."""

    def __init__(self, code: MachineCode) -> None:
        # An engine for each, as object files of different processes may use the same symbols for different things.
        self._engine = binding.create_mcjit_compiler(
            binding.parse_assembly(""), _target().create_target_machine(jit=True)
        )
        self._engine.add_object_file(binding.ObjectFileRef.from_data(code.content))
        self._engine.finalize_object()
        self._function = _ENTRY(self._engine.get_function_address(code.symbol))
        self._results = struct.Struct(f"={code.results}")

    def __call__(self, table: bytes) -> Any:
        """Run it without Python's lock; what it returns."""
        words = (ctypes.c_int64 * (_MOST_RESULTS + 1))()
        status = self._function(ctypes.addressof(words), ctypes.addressof(words) + 8 * _MOST_RESULTS, table)
        if status:
            raise RuntimeError(f"a kernel ended with status {status}")
        found = self._results.unpack_from(words)
        return found if len(found) > 1 else found[0] if found else None


@cache
def _target() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple()


@cache
def processor() -> str:
    """What machine code was made for: another processor, and another choice of instructions or checks, need other code."""
    chosen = [os.environ.get(f"NUMBA_{name}", "") for name in ("CPU_NAME", "CPU_FEATURES", "OPT", "BOUNDSCHECK")]
    host = binding.get_process_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    return " ".join((*host, *chosen))


def read(path: Path) -> MachineCode | None:
    """The machine code of a file; None if it is not there, or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    symbol, results, code = content[_DIGEST:].split(b"\0", 2)
    return MachineCode(symbol.decode(), results.decode(), code)


def write(path: Path, code: MachineCode) -> None:
    """Keep machine code, if there is room and permission, behind its SHA-256: LLVM would run whatever bytes it finds."""
    content = b"\0".join((code.symbol.encode(), code.results.encode(), code.content))
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        beside.write_bytes(hashlib.sha256(content).digest() + content)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
