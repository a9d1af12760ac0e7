"""Writing files that the user named."""

from __future__ import annotations

import os
from pathlib import Path

from maerisim.errors import DocumentError


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write a file. Raises DocumentError for a place that cannot be written: the user named it and can mend it."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DocumentError([f"{path}: cannot be written: {error.strerror}"]) from error
