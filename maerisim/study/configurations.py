"""What configures a controller for one layer: the published RTL's files, or our fabric's whole program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.reports.configuration_json import configuration
from maerisim.rtl.layer import prepare
from maerisim.rtl.memory import Files
from maerisim.rtl.tokens import push
from maerisim.study.forecast import foresee_search
from maerisim.workload.problem import Stage
from mapper import find_mapping


def rtl_files(hardware: Hardware, stage: Stage, mapping_file: Path | None, vn_count: int | None) -> Files:
    """The RTL's files for a layer, for its mapping in a file or else for the most virtual neurons that work."""
    mapping = None if mapping_file is None else mapping_in(mapping_file, stage)
    files = prepare(stage.problem, hardware, mapping, vn_count)
    flow = push(files.configuration, files.layer.vn_size, files.layer.vn_count)
    if flow.problems:  # pragma: no cover - a defect; better to stop than to hand out a wrong configuration
        raise AssertionError("\n".join(flow.problems))
    return files


def fabric_configuration(hardware: Hardware, stage: Stage, mapping_file: Path | None) -> dict[str, Any]:
    """The configuration of our own fabric, for the layer's mapping in a file or else for the best that the mapper finds."""
    problem = stage.problem
    if mapping_file is None:
        foresee_search(problem, hardware)
        mapping = find_mapping(problem, hardware).mapping
    else:
        mapping = mapping_in(mapping_file, stage)
    return configuration(problem, mapping, hardware)


def mapping_in(file: Path, stage: Stage) -> Mapping:
    """The mapping of a layer in a file. Raises DocumentError and MappingError."""
    return load_mappings(file).mapping_for(stage.name, stage.problem)
