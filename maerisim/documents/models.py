"""What a document is made of: frozen models without unknown keys, and complaints of what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from maerisim.text import shown

Kind = Literal["hardware", "network", "mapping", "sweep", "constraints"]
KeyPath = tuple[str | int, ...]
Complaint = tuple[KeyPath, str]
"""Something wrong with a document: at which key, and what was expected and found."""

NOUNS: dict[Kind, str] = {
    "hardware": "a hardware description",
    "network": "a network description",
    "mapping": "saved mappings",
    "sweep": "a sweep",
    "constraints": "constraints",
}
"""What messages call a document of each kind."""
COMPLAINTS_ERROR = "complaints"
"""Type of the errors of ``complaints_error``."""


class Model(BaseModel):
    """Base of everything that can stand in a document: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    foreign_keys: ClassVar[Mapping[str, str]] = {}
    """Keys of other tools, in lower case, and what is written here instead."""

    @classmethod
    def complaints_between(cls, data: Mapping[str, Any]) -> list[Complaint]:  # noqa: ARG003
        """Problems that involve several keys of the raw ``data``; values of the wrong type are to be ignored here."""
        return []


class Document(Model):
    """Base of a whole document. ``kind`` decides where shipped files are looked up and how messages call it."""

    kind: ClassVar[Kind]


class ForeignTags:
    """Metadata of a union that keys tell apart: what other tools call its members, in lower case, and we instead."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names


def complaints_error(complaints: Sequence[Complaint]) -> PydanticCustomError:
    """An error for a pydantic validator that reports several complaints, each at a path below the validated model."""
    text = "; ".join(f"{dotted(path)}: {message}" if path else message for path, message in complaints)
    return PydanticCustomError(COMPLAINTS_ERROR, "{text}", {"text": text, "complaints": list(complaints)})


def dotted(path: KeyPath) -> str:
    """``("layers", 2, "stride")`` as ``layers[2].stride``."""
    text = ""
    for part in path:
        name = part if isinstance(part, int) else shown(part)
        text += f"[{name}]" if isinstance(part, int) else f".{name}" if text else str(name)
    return text
