"""The JSON Schemas say what the documents say."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from maerisim import documents
from maerisim.cli.schemas import DOCUMENTS
from maerisim.documents import Kind


@pytest.mark.parametrize("kind", get_args(Kind))
def test_schemas_are_json_and_closed(kind: Kind) -> None:
    found = documents.schema(DOCUMENTS[kind])
    assert json.loads(json.dumps(found)) == found
    assert found["additionalProperties"] is False
    assert all("description" in entry for name, entry in found["properties"].items())


def test_hardware_knows_extends() -> None:
    found = documents.schema(DOCUMENTS["hardware"])
    assert "extends" in found["properties"]
    assert {"required": ["extends"]} in found["anyOf"]
    assert found["$defs"]["Reduction"]["properties"]["topology"]["enum"] == ["art", "plain_tree", "linear", "fan"]


def test_pairs_may_be_written_as_one_integer() -> None:
    kernel = documents.schema(DOCUMENTS["network"])["$defs"]["Conv2d"]["properties"]["kernel"]
    assert [option["type"] for option in kernel["anyOf"]] == ["integer", "array"]
