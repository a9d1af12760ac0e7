"""JSON Schemas of the documents, for editors that check YAML while it is typed."""

from __future__ import annotations

from typing import Any

from maerisim.documents import Document, Kind
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraints
from maerisim.mapping.document import MappingFile
from maerisim.sweeps.document import Sweep
from maerisim.workload.network import Network

_MODELS: dict[Kind, type[Document]] = {
    "hardware": Hardware,
    "network": Network,
    "mapping": MappingFile,
    "sweep": Sweep,
    "constraints": Constraints,
}


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document of this kind.

    A hardware file with ``extends`` takes what it leaves out from the extended file, so that nothing is required there.
    """
    generated = _MODELS[kind].model_json_schema()
    generated["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    if kind == "hardware":
        generated["properties"]["extends"] = {
            "type": "string",
            "title": "Extends",
            "description": "a hardware file relative to this one, or a shipped name; this file changes it key by key",
        }
        generated["anyOf"] = [{"required": generated.pop("required")}, {"required": ["extends"]}]
    return generated
