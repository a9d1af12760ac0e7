"""Configurations for the published RTL, or for any controller as JSON: what ``maerisim rtl`` does."""

from __future__ import annotations

from pathlib import Path

import typer

from maerisim.cli.output import json_text, write_file
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.rtl import memory, words
from maerisim.rtl.configure import packing
from maerisim.rtl.layer import prepare
from maerisim.rtl.memory import Files
from maerisim.rtl.tokens import push
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem, Stage

JSON_FILE = "configuration.json"
MOST_ON_A_BUS = 7
"""Virtual neurons on one collection bus with which the RTL has been seen to run."""


def write_rtl(
    hardware: Hardware,
    network: Network,
    stage: Stage,
    *,
    mapping_file: Path | None,
    vn_count: int | None,
    directory: Path | None,
    explain: bool,
) -> None:
    """Write the RTL's three files, say what they hold, and explain every switch when asked to."""
    problem = stage.problem
    mapping = None if mapping_file is None else load_mappings(mapping_file).mapping_for(stage.name, problem)
    files = prepare(problem, hardware, mapping, vn_count)
    flow = push(files.configuration, files.layer.vn_size, files.layer.vn_count)
    if flow.problems:  # pragma: no cover - a defect; better to stop than to hand out a wrong configuration
        raise AssertionError("\n".join(flow.problems))
    for line in summary(hardware, network, stage.name, problem, files):
        typer.echo(line)
    if mapping is not None:
        typer.echo("  loops       the testbench's own, C K P Q: the order of the mapping is not used")
    if explain:
        typer.echo("")
        for line in words.explain(files, hardware.buses):
            typer.echo(line)
    if directory is None:
        typer.echo("nothing written: name a directory with -o")
        return
    try:
        written = memory.write(directory, files)
    except OSError as error:
        raise DocumentError([f"{directory}: cannot be written: {error.strerror}"]) from error
    typer.echo(f"wrote {directory}: {', '.join(f'{name} ({count} words)' for name, count in written.items())}")


def summary(hardware: Hardware, network: Network, name: str, problem: Problem, files: Files) -> list[str]:
    """VN size and count, idle multipliers, the layer as the testbench sees it, and the modes of the switches."""
    layer, pack = files.layer, packing(hardware.multipliers, files.layer.vn_size)
    used = layer.vn_count * layer.vn_size
    placed = f"{layer.vn_count} virtual neuron{'s' if layer.vn_count > 1 else ''} of {layer.vn_size}"
    idle = hardware.multipliers - used
    lines = [
        f"{name} of {network.name} on {hardware.name}: {placed}, {used} of {hardware.multipliers} multipliers ({idle} idle)"
    ]
    if pack.obstacle is not None:
        lines.append(f"  at most     {pack.largest} instead of {pack.full}: {pack.obstacle}")
    channels = layer.R // problem.R
    folded = f" ({channels} input channels a fold, as filter rows)" if channels > 1 else ""
    padded = f", padding of {'x'.join(map(str, problem.padding))} included" if any(problem.padding) else ""
    lines.append(
        f"  layer       K {layer.K}, C {layer.C}, R {layer.R}, S {layer.S}{folded}; "
        f"input {layer.Y} x {layer.X}{padded}; {layer.outputs:,} results"
    )
    doubles, singles = words.mode_counts(files.configuration)
    for kind, counts in (("doubles", doubles), ("singles", singles)):
        lines.append(f"  {kind}     {', '.join(f'{count} {mode}' for mode, count in counts.items())}")
    busiest = words.busiest_bus(files, hardware.buses)
    if busiest > MOST_ON_A_BUS:
        lines.append(
            f"  caution     {busiest} virtual neurons share a collection bus: the RTL has been seen to run with "
            f"{MOST_ON_A_BUS} and to deadlock with 9 (more collection bandwidth or fewer virtual neurons help)"
        )
    return lines


def write_json(
    hardware: Hardware, problem: Problem, layer: str, mapping_file: Path | None, directory: Path | None
) -> None:
    """Print the configuration of our own fabric, or write it into a directory."""
    from maerisim.report.configuration_json import configuration

    text = json_text(configuration(problem, mapping_of(hardware, problem, layer, mapping_file), hardware))
    if directory is None:
        typer.echo(text)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DocumentError([f"{directory}: cannot be written: {error.strerror}"]) from error
    write_file(directory / JSON_FILE, text + "\n")
    typer.echo(f"wrote {directory / JSON_FILE}")


def mapping_of(hardware: Hardware, problem: Problem, layer: str, mapping_file: Path | None) -> Mapping:
    """The layer's mapping in a file, or else the best that the mapper finds."""
    from mapper import find_mapping

    if mapping_file is not None:
        return load_mappings(mapping_file).mapping_for(layer, problem)
    return find_mapping(problem, hardware).mapping
