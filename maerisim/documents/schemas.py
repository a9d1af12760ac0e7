"""JSON Schemas of documents, for editors that check YAML while it is typed."""

from __future__ import annotations

from typing import Any

from maerisim.documents.loading import EXTENDABLE
from maerisim.documents.models import Document


def schema(model: type[Document]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document.

    A file with ``extends`` takes what it leaves out from the extended file, so that nothing is required there.
    """
    generated = model.model_json_schema()
    generated["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    if model.kind in EXTENDABLE:
        generated["properties"]["extends"] = {
            "type": "string",
            "title": "Extends",
            "description": f"a {model.kind} file relative to this one, or a shipped name; this file changes it key by key",
        }
        generated["anyOf"] = [{"required": generated.pop("required")}, {"required": ["extends"]}]
    return generated
