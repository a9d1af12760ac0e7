"""What a document is made of: frozen models without unknown keys, and the problems that can be found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

Kind = Literal["hardware", "network", "mapping", "sweep", "constraints"]
KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]

NOUNS: dict[Kind, str] = {
    "hardware": "a hardware description",
    "network": "a network description",
    "mapping": "saved mappings",
    "sweep": "a sweep",
    "constraints": "constraints",
}
"""What messages call a document of each kind."""
PROBLEMS_ERROR = "problems"
"""Type of the errors of ``problems_error``."""


class Model(BaseModel):
    """Base of everything that can stand in a document: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def problems_between(cls, data: Mapping[str, Any]) -> list[Problem]:  # noqa: ARG003
        """Problems that involve several keys of the raw ``data``; values of the wrong type are to be ignored here."""
        return []


class Document(Model):
    """Base of a whole document. ``kind`` decides where shipped files are looked up and how messages call it."""

    kind: ClassVar[Kind]


def problems_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """An error for a pydantic validator that reports several problems, each at a path below the validated model."""
    text = "; ".join(f"{dotted(path)}: {message}" if path else message for path, message in problems)
    return PydanticCustomError(PROBLEMS_ERROR, "{text}", {"text": text, "problems": list(problems)})


def dotted(path: KeyPath) -> str:
    """``("layers", 2, "stride")`` as ``layers[2].stride``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
