"""STONNE's files and command lines, as settings with their lines.

A file is told by what is in it: a configuration (``.cfg``) has sections such as ``[MSNetwork]``, a tile file lines such as
``T_R=3``, and a script command lines such as ``./stonne -CONV -R=3 ...``.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.importers.layers import FileLine
from maerisim.text import shown

CONVOLUTIONS, PRODUCTS = ("-CONV",), ("-FC", "-DenseGEMM")
SPARSE = ("-SparseGEMM", "-SparseDense")
OPERATIONS = (*CONVOLUTIONS, *PRODUCTS, *SPARSE)
"""What STONNE's command line begins with."""

TILE = ("T_R", "T_S", "T_C", "T_G", "T_K", "T_N", "T_X_", "T_Y_")
SIZES = ("R", "S", "C", "G", "K", "N", "X", "Y", "strides")
PRODUCT_SIZES, PRODUCT_TILE = ("M", "N", "K"), ("T_M", "T_N", "T_K")
HARDWARE = ("num_ms", "dn_bw", "rn_bw", "rn_type", "accumulation_buffer", "mn_type", "mem_ctrl", "ms_rows", "ms_cols")
GENERATED = ("generate_tile", "generator")
_OPTIONS = {
    **dict.fromkeys(CONVOLUTIONS, (*SIZES, *TILE)),
    **dict.fromkeys(PRODUCTS, (*PRODUCT_SIZES, *PRODUCT_TILE)),
}
_COMMON = ("layer_name", "print_stats", *GENERATED, *HARDWARE)

_CONFIGURED = {
    "MSNetwork.ms_size": "num_ms",
    "MSNetwork.type": "mn_type",
    "MSNetwork.ms_rows": "ms_rows",
    "MSNetwork.ms_cols": "ms_cols",
    "ReduceNetwork.type": "rn_type",
    "ReduceNetwork.accumulation_buffer_enabled": "accumulation_buffer",
    "SDMemory.dn_bw": "dn_bw",
    "SDMemory.rn_bw": "rn_bw",
    "SDMemory.controller_type": "mem_ctrl",
}
"""Keys of a configuration, and the options of the command line that say the same."""
_SWITCH = ("latency", "input_ports", "output_ports", "forwarding_ports", "port_width", "buffers_capacity")
_WITHOUT_EFFECT = (
    "DSNetwork.n_switches_traversed_by_cycle",
    *(f"{section}.{key}" for section in ("DSwitch", "MSwitch", "ASwitch", "LookUpTable") for key in _SWITCH),
    *("SDMemory.port_width", "SDMemory.write_buffer_capacity"),
)
"""Keys that STONNE reads but never uses."""
_IGNORED = ("print_stats_enabled",)


class Setting(NamedTuple):
    """A value as it is written, and where."""

    text: str
    source: FileLine


Settings = Mapping[str, Setting]


@dataclass(frozen=True)
class Command:
    """A command line: its operation and its options, without the dash."""

    operation: str
    source: FileLine
    options: Settings

    @property
    def is_product(self) -> bool:
        """Whether it computes a product of matrices, which STONNE makes a convolution of."""
        return self.operation in PRODUCTS


@dataclass(frozen=True)
class TileFile:
    """A tile file: the type of layer that it is for, and its sizes."""

    source: FileLine
    kind: str
    sizes: Settings


@dataclass
class Found:
    """All that was read, with what is wrong (``problems``) or has no effect (``notes``)."""

    hardware: dict[str, Setting] = field(default_factory=dict)
    tiles: list[TileFile] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_all(paths: Sequence[str | os.PathLike[str]], arguments: Sequence[str]) -> Found:
    """Everything in the files, and in the ``arguments`` of a command line (from the operation on)."""
    found = Found()
    for path in map(Path, paths):
        try:
            text = documents.read_text(path, "a file of STONNE", "a configuration, tile or script of STONNE")
        except DocumentError as error:
            found.problems += error.problems
            continue
        _file(path, text, found)
    if arguments:
        _command(list(arguments), FileLine("command line", 1), found)
    return found


def _file(path: Path, text: str, found: Found) -> None:
    if any(token in OPERATIONS for _, line in _lines(text) for token in line.split()):
        for number, line in _joined(text):
            source = FileLine(str(path), number)
            try:
                commands = _commands(line)
            except ValueError:
                found.problems.append(f"{source}: a quotation is not closed: {shown(line)}")
                continue
            for tokens in commands:
                begins = [place for place, token in enumerate(tokens) if token in OPERATIONS]
                if begins:
                    _command(tokens[begins[0] :], source, found)
    elif any(line.startswith("[") for _, line in _lines(text)):
        _configuration(path, text, found)
    elif any(re.match(r"tile_type|T_|generat", line) for _, line in _lines(text)):
        _tile(path, text, found)
    else:
        expected = "sections such as [MSNetwork], lines such as T_R=3, or command lines with -CONV or -FC"
        found.problems.append(f"{path}: expected a file of STONNE ({expected}), found none of these")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold something, without remarks."""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if content:
            yield number, content


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The same of a script, in which a line may go on after a backslash."""
    begun, so_far = 0, ""
    for number, line in _lines(text):
        begun = begun if so_far else number
        so_far += line.removesuffix("\\") + " "
        if not line.endswith("\\"):
            yield begun, so_far
            so_far = ""
    if so_far:
        yield begun, so_far


def _commands(line: str) -> list[list[str]]:
    """The commands of a line of a script, without what becomes of their output. Raises ValueError for open quotations."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    commands: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= set("();<>|&"):
            if token.startswith(">") and commands[-1][-1:] in (["1"], ["2"]):
                commands[-1].pop()
            commands.append([])
        else:
            commands[-1].append(token)
    return commands


def _assignments(path: Path, text: str, found: Found) -> Iterator[tuple[str, Setting]]:
    """Keys with their sections, and values without quotation marks."""
    section = ""
    for number, line in _lines(text):
        source = FileLine(str(path), number)
        title = re.fullmatch(r"\[\s*([\w.]+)\s*\]", line)
        assigned = re.fullmatch(r"([\w']+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"']+)", line)
        if title:
            section = f"{title[1]}."
        elif assigned:
            yield section + assigned[1], Setting(assigned[2].strip("\"'"), source)
        else:
            found.problems.append(
                f"{source}: expected 'name = value' or '[Section]', found {documents.described(line)}"
            )


def _configuration(path: Path, text: str, found: Found) -> None:
    for key, setting in _assignments(path, text, found):
        if key in _CONFIGURED:
            _put(found.hardware, _CONFIGURED[key], key, setting, found.problems)
        elif key in _WITHOUT_EFFECT:
            found.notes.append(f"{setting.source}: {key} is not taken: STONNE reads it, and never uses it")
        elif key not in _IGNORED:
            hint = documents.nearest(key, (*_CONFIGURED, *_WITHOUT_EFFECT, *_IGNORED))
            found.problems.append(f"{setting.source}: {shown(key)}: unknown key{hint}")


def _tile(path: Path, text: str, found: Found) -> None:
    names = {"T_X'": "T_X_", "T_Y'": "T_Y_", **{name: name for name in TILE}}
    sizes: dict[str, Setting] = {}
    kind, source = "CONV", FileLine(str(path), 1)
    for key, setting in _assignments(path, text, found):
        if key in names:
            _put(sizes, names[key], key, setting, found.problems)
        elif key == "tile_type":
            kind, source = setting.text, setting.source
        elif key in GENERATED:
            found.notes.append(f"{setting.source}: {key} is not taken: maerisim map finds a mapping")
        else:
            hint = documents.nearest(key, (*names, "tile_type", *GENERATED))
            found.problems.append(f"{setting.source}: {shown(key)}: unknown key{hint}")
    if kind not in ("CONV", "FC"):
        found.problems.append(f"{source}: tile_type: expected CONV or FC, found {documents.described(kind)}")
    found.tiles.append(TileFile(source, kind, sizes))


def _command(tokens: Sequence[str], source: FileLine, found: Found) -> None:
    operation = tokens[0]
    options: dict[str, Setting] = {}
    if operation in SPARSE:
        found.problems.append(f"{source}: {operation}: SIGMA's sparse products have no counterpart here")
        return
    if operation not in OPERATIONS:
        hint = documents.nearest(operation, OPERATIONS)
        expected = f"expected {', '.join((*CONVOLUTIONS, *PRODUCTS))}"
        found.problems.append(f"{source}: {shown(operation)}: {expected} as the first option{hint}")
        return
    known = (*_OPTIONS[operation], *_COMMON)
    for token in tokens[1:]:
        match = re.fullmatch(r"-(\w+)=(.*)", token)
        if match is None:
            found.problems.append(f"{source}: expected an option such as -R=3, found {documents.described(token)}")
        elif match[1] not in known:
            hint = documents.nearest(f"-{match[1]}", [f"-{name}" for name in known])
            found.problems.append(f"{source}: -{shown(match[1])}: {operation} has no such option{hint}")
        elif match[1] in GENERATED:
            found.notes.append(f"{source}: -{match[1]} is not taken: maerisim map finds a mapping")
        else:
            _put(options, match[1], f"-{match[1]}", Setting(match[2], source), found.problems)
    found.commands.append(Command(operation, source, options))


def _put(settings: dict[str, Setting], name: str, written: str, setting: Setting, problems: list[str]) -> None:
    """Keep a setting that is there once."""
    if name in settings:
        problems.append(f"{setting.source}: {written}: already at {settings[name].source}")
    settings.setdefault(name, setting)
