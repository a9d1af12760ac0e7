"""From a name to a validated document, with every problem of its file at once."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from pydantic import ValidationError

from maerisim.documents.complaints import complaints_of
from maerisim.documents.locating import locate
from maerisim.documents.models import Document, Kind, dotted
from maerisim.documents.reading import Source, read
from maerisim.errors import DocumentError

DocumentT = TypeVar("DocumentT", bound=Document)

EXTENDABLE: tuple[Kind, ...] = ("hardware",)
"""Kinds of documents that may extend another one."""


def load(model: type[DocumentT], name: str | os.PathLike[str]) -> DocumentT:
    """Locate, read and validate a document. Raises DocumentError with every problem of the file."""
    return load_with_source(model, name)[0]


def load_with_source(model: type[DocumentT], name: str | os.PathLike[str]) -> tuple[DocumentT, Source]:
    """Like ``load``, with the source for complaints that show only when the document is put to use."""
    extendable = model.kind in EXTENDABLE
    source = read(locate(model.kind, name), model.kind, extendable=extendable)
    try:
        return model.model_validate(source.data), source
    except ValidationError as error:
        extra = ("extends",) if extendable else ()
        raise source.report(complaints_of(model, source.data, error, extra)) from None


def validate(model: type[DocumentT], data: dict[str, Any], origin: str) -> DocumentT:
    """Validate ``data`` that did not come from a file; ``origin`` takes the place of file and line in messages."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        complaints = complaints_of(model, data, error, ())
        lines = [f"{origin}: {dotted(path)}: {text}" if path else f"{origin}: {text}" for path, text in complaints]
        raise DocumentError(list(dict.fromkeys(lines))) from None
