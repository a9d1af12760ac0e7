"""Files of compiled kernels that are whole or not there: what is damaged is compiled anew, what cannot be kept is left out.

numba's own files are written beside and renamed, but it would run machine code with a byte changed, and passes on every error of
a disk.
"""

from __future__ import annotations

import hashlib
import pickle
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core import serialize

_DIGEST = hashlib.sha256().digest_size
_dumps: Any = serialize.dumps


class CheckedFile:
    """The machine code of a kernel for each key (types and processor), behind its SHA-256; in the place of numba's files."""

    def __init__(self, path: Path, stamp: object) -> None:
        self._path, self._stamp = path, stamp

    def load(self, key: object) -> Any:
        """What is kept for a key; None for nothing."""
        return self._read().get(key)

    def save(self, key: object, data: object) -> None:
        """Keep ``data``, if there is room and permission; of two processes that save at once one may have to compile again."""
        content = _dumps((self._stamp, {**self._read(), key: data}))
        beside = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}")
        try:
            beside.write_bytes(hashlib.sha256(content).digest() + content)
            beside.replace(self._path)
        except OSError:
            with suppress(OSError):
                beside.unlink()

    def flush(self) -> None:
        """Forget everything."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[object, Any]:
        try:
            content = self._path.read_bytes()
        except OSError:
            return {}
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return {}
        stamp, found = pickle.loads(content[_DIGEST:])
        return dict(found) if stamp == self._stamp else {}


def check_files(dispatcher: Any) -> None:
    """Keep the machine code of a kernel in a checked file."""
    kept = dispatcher._cache
    path = Path(kept.cache_path) / f"{kept._impl.filename_base}.nbc"
    kept._cache_file = CheckedFile(path, kept._impl.locator.get_source_stamp())
