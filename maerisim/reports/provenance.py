"""Where a result comes from: all that it takes to get it again, and to see whether that was altered.

Every JSON document of a command holds it under ``provenance``: the version, the complete hardware, and for each run its loop
nest, its mapping, what is different in its hardware, and the cycles that came out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from maerisim import documents
from maerisim.errors import DocumentError, MaerisimError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping as LoopMapping
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.sparsity import Sparsity

if TYPE_CHECKING:
    from maerisim.reports.findings import FusedReport, LayerReport

KEY = "provenance"


@dataclass(frozen=True)
class StoredRun:
    """A layer, or two fused ones, as it ran, and what came out; ``cycles`` is None where it was only estimated."""

    layer: str
    problem: Problem | FusedProblem
    mapping: LoopMapping | FusedMapping
    hardware: Hardware
    cycles: int | None
    estimated_cycles: int | None


@dataclass(frozen=True)
class Provenance:
    """The runs of a result, the ``version`` of maerisim that made it, and how many of its inputs are not those that it was
    made from.
    """

    version: str
    runs: tuple[StoredRun, ...]
    altered: int = 0


def provenance(hardware: Hardware, layers: Iterable[LayerReport | FusedReport]) -> dict[str, Any]:
    """The provenance of layers that ran on a piece of hardware, for JSON."""
    return provenance_of(hardware, (run_of(layer, hardware) for layer in layers))


def run_of(layer: LayerReport | FusedReport, hardware: Hardware) -> StoredRun:
    """How a layer ran on a piece of hardware."""
    return StoredRun(layer.name, layer.problem, layer.mapping, hardware, layer.cycles, layer.estimate.cycles)


def provenance_of(hardware: Hardware, runs: Iterable[StoredRun]) -> dict[str, Any]:
    """The provenance of runs on a piece of hardware, or on others, of which what differs stands with the run."""
    machine = hardware.model_dump(mode="json")
    stored = [_run_json(run, machine) for run in runs]
    return {
        "maerisim": version("maerisim"),
        "sha256": inputs_hash(machine, stored),
        "hardware": machine,
        "runs": stored,
    }


def inputs_hash(hardware: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> str:
    """The SHA-256 of hardware, loop nests and mappings: of what went in, not of what came out."""
    inputs = [
        [run["problem"], run["mapping"], run.get("multipliers"), *([run["hardware"]] if "hardware" in run else [])]
        for run in runs
    ]
    return hashlib.sha256(json.dumps([hardware, inputs], sort_keys=True).encode()).hexdigest()


def _run_json(run: StoredRun, machine: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"layer": run.layer}
    different = _differences(machine, run.hardware.model_dump(mode="json"))
    if different:
        found["hardware"] = different
    if isinstance(run.problem, FusedProblem):
        assert isinstance(run.mapping, FusedMapping)
        found["problem"] = [_plain(problem) for problem in run.problem.layers]
        found["mapping"] = [mapping.to_dict() for mapping in run.mapping.of_layers]
        found["multipliers"] = run.mapping.multipliers
    else:
        assert isinstance(run.mapping, LoopMapping)
        found["problem"], found["mapping"] = _plain(run.problem), run.mapping.to_dict()
    return found | {"cycles": run.cycles, "estimated_cycles": run.estimated_cycles}


def _differences(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What has another value in ``other``, section by section."""
    found: dict[str, Any] = {}
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(base[key], dict):
            found |= {key: within} if (within := _differences(base[key], value)) else {}
        elif value != base[key]:
            found[key] = value
    return found


def _with(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the differences to it."""
    return {
        key: _with(value, changes[key])
        if isinstance(value, dict) and isinstance(changes.get(key), dict)
        else changes.get(key, value)
        for key, value in base.items()
    }


def _plain(problem: Problem) -> dict[str, Any]:
    """A loop nest as JSON reads it again: pairs are lists."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in problem.as_dict().items()}


def stored_provenance(document: object, origin: str) -> Provenance:
    """The provenance in a JSON document. Raises DocumentError where there is none, or it cannot be read."""
    stored = document.get(KEY) if isinstance(document, dict) else None
    if not isinstance(stored, dict):
        text = "expected a result of maerisim with a 'provenance': --json of a command, a report page, or a sweep's database"
        raise DocumentError([f"{origin}: {text}"])
    try:
        runs = tuple(_stored_run(run, stored["hardware"], origin) for run in stored["runs"])
        same = inputs_hash(stored["hardware"], stored["runs"]) == stored["sha256"]
        return Provenance(str(stored["maerisim"]), runs, altered=0 if same else 1)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(origin, error) from error


def unreadable(origin: str, error: Exception) -> DocumentError:
    """What to say of a provenance that lacks something."""
    what = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read ({documents.described(str(error))})"
    return DocumentError([f"{origin}: its provenance {what}; it was altered, or made by another version"])


def hardware_from(data: Mapping[str, Any], origin: str) -> Hardware:
    """The hardware that was stored. Raises DocumentError, which names what this version does not know."""
    return documents.validate(Hardware, dict(data), f"{origin}: {KEY}.hardware")


def _stored_run(run: Mapping[str, Any], machine: Mapping[str, Any], origin: str) -> StoredRun:
    hardware = hardware_from(_with(machine, run.get("hardware", {})), origin)
    problem: Problem | FusedProblem
    mapping: LoopMapping | FusedMapping
    if isinstance(run["problem"], list):
        first, second = map(problem_from, run["problem"])
        one, other = map(mapping_from, run["mapping"])
        problem, mapping = FusedProblem(first, second), FusedMapping(one, other, int(run["multipliers"]))
    else:
        problem, mapping = problem_from(run["problem"]), mapping_from(run["mapping"])
    return StoredRun(str(run["layer"]), problem, mapping, hardware, run["cycles"], run["estimated_cycles"])


def problem_from(data: Mapping[str, Any]) -> Problem:
    """The loop nest that ``Problem.as_dict`` described."""
    values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
    if data.get("sparsity") is not None:
        given = {name: value for name, value in data["sparsity"].items() if value is not None}
        if "bitmap" in given:
            del given["seed"]  # a bitmap has none
        values["sparsity"] = Sparsity.model_validate(given)
    return Problem(**values)


def mapping_from(data: Mapping[str, Any]) -> LoopMapping:
    """The mapping that ``Mapping.to_dict`` described. Raises ValueError for one that cannot be read."""
    try:
        return LoopMapping.of(data["tile"], data["order"], data["placement"])
    except MaerisimError as error:
        raise ValueError(str(error)) from error
