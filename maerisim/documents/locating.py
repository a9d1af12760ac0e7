"""Finding documents: by path, or by the name of a file that comes with maerisim."""

from __future__ import annotations

import os
import re
from pathlib import Path

from maerisim.documents.files import is_directory, is_file
from maerisim.documents.models import NOUNS, Kind
from maerisim.documents.words import nearest
from maerisim.errors import DocumentError
from maerisim.text import shown

_FOLDERS: dict[Kind, str] = {
    "hardware": "hardware",
    "network": "networks",
    "mapping": "mappings",
    "sweep": "sweeps",
    "constraints": "constraints",
}


def _shipped_folder(kind: Kind) -> Path | None:
    here = Path(__file__).resolve().parent.parent
    for root in (here / "configs", here.parent / "configs", here.parent / "benchmarks"):
        if (root / _FOLDERS[kind]).is_dir():
            return root / _FOLDERS[kind]
    return None


def shipped(kind: Kind) -> list[str]:
    """Names of the documents of this kind that come with maerisim, sorted with numbers in numeric order."""
    folder = _shipped_folder(kind)
    names = [path.stem for path in folder.glob("*.yaml")] if folder else []
    return sorted(names, key=lambda name: [(int(run or 0), word) for run, word in re.findall(r"(\d+)|(\D+)", name)])


def locate(kind: Kind, name: str | os.PathLike[str]) -> Path:
    """The file meant by ``name``: a shipped name (``maeri-64``) or a path.

    A bare word is first looked up among the shipped names; write ``./word`` for a file that is called like one.
    Raises DocumentError when there is no such file, with the nearest shipped names.
    """
    text = os.fspath(name)
    path = _expanded(text)
    folder = _shipped_folder(kind)
    is_bare = os.sep not in text and "/" not in text and path.suffix not in (".yaml", ".yml")
    if is_bare and folder is not None and text in shipped(kind):
        return _displayed(folder / f"{text}.yaml")
    if text and is_directory(path):
        raise DocumentError([f"{text}: is a directory, expected the YAML file of {NOUNS[kind]}"])
    if is_file(path):
        return path
    names = shipped(kind)
    others = [other for other in _FOLDERS if other != kind and is_bare and text in shipped(other)]
    if others:
        raise DocumentError([f"{text}: is a shipped {others[0]}, expected {NOUNS[kind]}"])
    hint = nearest(path.stem if path.suffix in (".yaml", ".yml") else path.name, names)
    if names and not hint:
        hint = f" (shipped: {', '.join(names)})"
    what = f"no such file or shipped {kind}" if is_bare else f"no such file, expected {NOUNS[kind]}"
    raise DocumentError([f"{shown(text) or repr(text)}: {what}{hint}"])


def locate_beside(kind: Kind, name: str, folder: Path) -> Path:
    """The file that a document in ``folder`` means by ``name``: one relative to the folder, else a shipped one.

    Raises DocumentError when there is no such file, with the nearest shipped names.
    """
    path = folder / _expanded(name)
    if is_file(path):
        return path
    return locate(kind, name if "/" not in name and not name.endswith((".yaml", ".yml")) else path)


def _expanded(name: str) -> Path:
    """The path ``name``, in which ``~`` is a home directory where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _displayed(path: Path) -> Path:
    """``path`` relative to the working directory when it is below it, as the user would type it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
