"""What ``maerisim rtl`` prints and writes."""

from __future__ import annotations

from pathlib import Path

from maerisim import documents
from maerisim.cli.saying import say
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.reports.as_json import json_text
from maerisim.rtl import memory, words
from maerisim.rtl.summary import summary
from maerisim.study.configurations import fabric_configuration, rtl_files
from maerisim.workload.network import Network
from maerisim.workload.problem import Stage

JSON_FILE = "configuration.json"


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
    files = rtl_files(hardware, stage, mapping_file, vn_count)
    for line in summary(hardware, network.name, stage.name, stage.problem, files):
        say(line)
    if mapping_file is not None:
        say("  loops       the testbench's own, C K P Q: the order of the mapping is not used")
    if explain:
        say("")
        for line in words.explain(files, hardware.buses):
            say(line)
    if directory is None:
        say("nothing written: name a directory with -o")
        return
    try:
        written = memory.write(directory, files)
    except OSError as error:
        raise DocumentError([f"{directory}: cannot be written: {error.strerror}"]) from error
    say(f"wrote {directory}: {', '.join(f'{name} ({count} words)' for name, count in written.items())}")


def write_json(hardware: Hardware, stage: Stage, mapping_file: Path | None, directory: Path | None) -> None:
    """Print the configuration of our own fabric, or write it into a directory."""
    text = json_text(fabric_configuration(hardware, stage, mapping_file))
    if directory is None:
        say(text)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DocumentError([f"{directory}: cannot be written: {error.strerror}"]) from error
    documents.write(directory / JSON_FILE, text + "\n")
    say(f"wrote {directory / JSON_FILE}")
