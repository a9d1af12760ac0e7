"""mRNA's input: a text file per layer (``Model_parameter*.txt``) and one of energies (``Config_file.txt``).

Both are lines ``name = value``, grouped in blocks ``Title { ... }``. mRNA takes x for the vertical direction: its
front end writes the height of a tensor into it. It does not state padding; what counts are the sizes of the output and
of the filter, and the padding written here is the one that makes these fit the input, when there is one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.importers.layers import (
    FileLine,
    ImportedLayer,
    ImportedNetwork,
    brief,
    summed_up,
    whole_number,
    with_distinct_names,
)
from maerisim.text import shown

TITLES = ("Input_parameter", "Output_parameter", "Weight_parameter", "Hidden_parameter")
LAYER_KEYS = (
    *("Model_Name", "Layer_Type", "Layer_Number"),
    *("input_batch", "input_x", "input_y", "input_channel"),
    *("output_batch", "output_x", "output_y", "output_channel"),
    *("weight_x", "weight_y", "weight_channel", "weight_number", "weight_stride", "stride_x", "stride_y"),
    *("hidden_x", "hidden_y", "hidden_channel"),
)
ENERGIES = {
    "dram_eng": "dram_access",
    "spm_eng": "global_buffer_access",
    "reg_eng": "register_access",
    "dsaccess_eng": "distribution_switch_access",
    "rsaccess_eng": "reduction_switch_access",
    "msaccess_eng": "multiplier_switch_access",
    "multiply_eng": "multiply",
    "reduce_eng": "add",
}
"""mRNA's energies, and the keys of the hardware document's energy table that they are."""

SIZES = {"num_ms": "multipliers", "dn_bw": "distribution.bandwidth", "rn_bw": "collection.bandwidth"}
"""mRNA's options for the size of the fabric, and the keys of the hardware document."""

_TYPES = ("CONV", "FC", "RNN", "MAXPOOL")


_MOST_SLIPS = 5
"""Lines of a file that are not understood; one with more of them, and fewer that are, is a file of something else."""

_Pair = tuple[int, int]
"""Vertical and horizontal, mRNA's x and y."""


@dataclass(frozen=True)
class Parameters:
    """The values of one file as text with their lines, and the lines of its blocks by title."""

    path: str
    values: Mapping[str, tuple[str, int]]
    blocks: Mapping[str, int]
    problems: tuple[str, ...]

    def source(self, key: str) -> FileLine:
        """The line of ``key``, or where it is missing: its block, or the first line of the file."""
        if key in self.values:
            return FileLine(self.path, self.values[key][1])
        missing_from = f"{key.partition('_')[0].capitalize()}_parameter"
        return FileLine(self.path, self.blocks.get(missing_from, 1))


@dataclass(frozen=True)
class Imported:
    """What a set of mRNA's files holds: a network, energies by the keys of the hardware document, or both."""

    network: ImportedNetwork | None
    energies: Mapping[str, float]


def read(paths: Sequence[str | os.PathLike[str]], name: str | None = None) -> Imported:
    """Read layers and energies, each file for what it holds; layers in the order of the file names, 2 before 10.

    The network is called ``name``, or as the files say. Raises DocumentError with every problem of every file.
    """
    files: list[Parameters] = []
    problems: list[str] = []
    for path in sorted(paths, key=lambda path: _natural(os.fspath(path))):
        try:
            files.append(_parse(Path(path)))
        except DocumentError as error:
            problems += error.problems
    tables = [file for file in files if _holds_energies(file)]
    problems += [problem for file in files for problem in file.problems]
    layers: list[ImportedLayer] = []
    notes: list[str] = []
    for file in files:
        if file in tables or not file.values:
            continue
        reader = _LayerReader(file)
        layer = reader.layer()
        layers += [layer] if layer else []
        notes += reader.notes
        problems += reader.problems
    energies, of_energies = _energies(tables)
    problems += of_energies
    if problems:
        raise DocumentError(problems)
    if len(files) == len(tables):
        return Imported(None, energies)
    if not layers:
        raise DocumentError([*summed_up(notes), f"none of {len(files)} files holds a layer that a network can have"])
    layers, renamed = with_distinct_names(layers)
    models = dict.fromkeys(file.values["Model_Name"][0] for file in files if "Model_Name" in file.values)
    network = ImportedNetwork(
        name or next(iter(models), "mrna"),
        f"Imported from mRNA's {len(layers)} parameter files of {', '.join(models) or 'an unnamed model'}.\n"
        "mRNA does not state padding: it is what makes outputs and filters fit the inputs.",
        tuple(layers),
        (*notes, *renamed),
    )
    return Imported(network, energies)


def hardware_yaml(name: str, energies: Mapping[str, float], sizes: Mapping[str, int | None]) -> str:
    """A hardware document that extends ``maeri`` with mRNA's energies and the sizes that are given.

    ``sizes`` has the names of mRNA's options: num_ms, dn_bw, rn_bw. What mRNA does not know, such as an accumulation
    buffer, stays as it is. Raises DocumentError for sizes and energies that no hardware has.
    """
    overrides: dict[str, Any] = {SIZES[key]: size for key, size in sizes.items() if size is not None}
    overrides |= {f"energy.{key}": value for key, value in energies.items()}
    Hardware.load("maeri").with_overrides({"name": name, **overrides}, "mRNA's hardware")
    lines = ["# Imported from mRNA; what mRNA does not know is as in maeri.", "extends: maeri"]
    lines.append(f"name: {documents.scalar(name)}")
    for path, value in overrides.items():
        section, _, key = path.partition(".")
        if section != "energy":
            lines.append(f"{section}: {{{key}: {value}}}" if key else f"{section}: {value}")
    if energies:
        lines += ["energy:", *(f"  {key}: {value:g}" for key, value in energies.items())]
    return "\n".join(lines) + "\n"


# --- reading ----------------------------------------------------------------------------------------------------------


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(number or 0), word) for number, word in re.findall(r"(\d+)|(\D+)", text)]


def _parse(path: Path) -> Parameters:
    """The assignments of a file. Blocks are checked for being closed; a key means the same in any of them."""
    text = documents.read_text(path, "a file of mRNA", "a parameter file of mRNA")
    values: dict[str, tuple[str, int]] = {}
    problems: list[str] = []
    blocks: dict[str, int] = {}
    opened: tuple[str, int] | None = None
    title: tuple[str, int] | None = None
    for line, piece in _pieces(text):
        here = f"{path}:{line}"
        if piece == "{":
            if title is None or opened is not None:
                problems.append(f"{here}: expected a title such as Input_parameter before '{{'")
            opened, title = title or ("a block", line), None
            blocks.setdefault(*opened)
        elif piece == "}":
            if opened is None:
                problems.append(f"{here}: '}}' closes nothing")
            opened = None
        else:
            match = re.fullmatch(r"(\w+)\s*(?:[=:]\s*(.*)|(\s+\S+))?", piece)
            if match is None:
                problems.append(f"{here}: expected 'name = value', found {documents.described(piece)}")
                continue
            key, value = match[1], (match[2] or match[3] or "").strip()
            if not value and "=" not in piece and ":" not in piece:
                title = (key, line)
                if key not in (*TITLES, "Energy_factors"):
                    problems.append(f"{here}: {shown(key)}: expected '{shown(key)} = value'{_hint(key)}")
            elif key not in LAYER_KEYS and key not in ENERGIES:
                problems.append(f"{here}: {shown(key)}: unknown name{_hint(key)}")
            elif key in values:
                problems.append(f"{here}: {key}: already on line {values[key][1]}")
            elif not value:
                problems.append(f"{here}: {key}: expected a value, found nothing")
            else:
                values[key] = (value, line)
    if len(problems) > max(_MOST_SLIPS if values else 1, len(values)):
        problem = f"{path}: not a Model_parameter file (nor one of energies): expected lines like 'Layer_Type = CONV'"
        if values:
            problem += f"; {len(problems)} lines are not, the first is line {problems[0].removeprefix(f'{path}:')}"
        return Parameters(str(path), {}, {}, (problem,))
    if opened is not None:
        problems.append(f"{path}:{opened[1]}: {shown(opened[0])}: expected '}}' before the end of the file")
    if not values and not problems:
        problems.append(f"{path}: is empty, expected lines such as 'Layer_Type = CONV'")
    return Parameters(str(path), values, blocks, tuple(problems))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers with braces and statements, without comments and the separators that some add."""
    for line, content in enumerate(text.splitlines(), 1):
        for piece in re.split(r"([{}])", re.sub(r"(#|//).*", "", content)):
            statement = piece.strip().rstrip(",;").strip()
            if statement:
                yield line, statement


def _hint(key: str) -> str:
    return documents.nearest(key, (*LAYER_KEYS, *TITLES, "Energy_factors", *ENERGIES))


def _holds_energies(file: Parameters) -> bool:
    return any(key in ENERGIES for key in file.values)


def _energies(tables: Iterable[Parameters]) -> tuple[dict[str, float], list[str]]:
    energies: dict[str, float] = {}
    problems: list[str] = []
    for table in tables:
        for key, (text, _) in table.values.items():
            if key not in ENERGIES:
                problems.append(f"{table.source(key)}: {key}: does not belong beside energies")
                continue
            if ENERGIES[key] in energies:
                problems.append(f"{table.source(key)}: {key}: is in more than one file")
            try:
                energies[ENERGIES[key]] = float(text)
            except ValueError:
                problems.append(f"{table.source(key)}: {key}: expected a number, found {documents.described(text)}")
    return energies, problems


# --- layers -----------------------------------------------------------------------------------------------------------


class _LayerReader:
    """The layer of one file, with what is missing or wrong (``problems``) or odd (``notes``) about it."""

    def __init__(self, file: Parameters) -> None:
        self.file = file
        self.problems: list[str] = []
        self.notes: list[str] = []

    def layer(self) -> ImportedLayer | None:
        """The layer, or None when it has problems or a network cannot have it."""
        kind = self._kind()
        if kind is None:
            return None
        read: dict[str, Callable[[], dict[str, Any]]] = {
            "CONV": self._convolution,
            "FC": self._fully_connected,
            "RNN": self._lstm,
            "MAXPOOL": partial(self._pooling, "max_pool2d"),
            "AVGPOOL": partial(self._pooling, "avg_pool2d"),
        }
        fields = read[kind]()
        if self.problems:
            return None
        batch = self._number("input_batch", 1)
        if batch != 1:
            fields["batch"] = batch
        comment = fields.pop("comment", "")
        return ImportedLayer(self.file.source("Layer_Type"), {"name": self._name(kind), **fields}, comment)

    def _kind(self) -> str | None:
        if "Layer_Type" not in self.file.values:
            self.problems.append(f"{self.file.source('Layer_Type')}: Layer_Type is missing ({', '.join(_TYPES)})")
            return None
        written, _ = self.file.values["Layer_Type"]
        where = f"{self.file.source('Layer_Type')}: Layer_Type"
        if "POOL" in written.upper():
            return self._pooling_kind(written, where)
        if written.upper() in _TYPES:
            return written.upper()
        if all(key in self.file.values for key in ("weight_channel", "weight_number", "output_x", "output_y")):
            self.notes.append(f"{where}: '{written}' is no type that mRNA knows; taken for CONV, as it has filters")
            return "CONV"
        self.problems.append(f"{where}: expected one of {', '.join(_TYPES)}, found {documents.described(written)}")
        return None

    def _pooling_kind(self, written: str, where: str) -> str | None:
        """What is pooled; mRNA maps no pooling, so that a file for it need not say over which windows."""
        if any(self.file.values.get(key, ("0", 1))[0] == "0" for key in ("weight_x", "weight_y")):
            self.notes.append(f"{where}: {written} is left out: no window, expected its size as weight_x and weight_y")
            return None
        if written.upper() == "MAXPOOL":
            return "MAXPOOL"
        kind = "AVGPOOL" if re.search("AV|MEAN", written.upper()) else "MAXPOOL"
        self.notes.append(f"{where}: '{written}' is no type that mRNA knows; taken for {kind}")
        return kind

    def _name(self, kind: str) -> str:
        number, _ = self.file.values.get("Layer_Number", (Path(self.file.path).stem, 1))
        return f"{kind.lower()}{number}" if number.isdecimal() else number

    def _number(self, key: str, default: int | None = None) -> int:
        """A size of at least 1; 1 in place of one that is missing or wrong, which is then a problem."""
        if key not in self.file.values:
            if default is None:
                self.problems.append(f"{self.file.source(key)}: {key} is missing")
            return default or 1
        text, _ = self.file.values[key]
        number = whole_number(text)
        if number is None:
            where = f"{self.file.source(key)}: {key}"
            self.problems.append(f"{where}: expected a whole number from 1, found {documents.described(text)}")
            return default or 1
        return number

    def _differs(self, key: str, expected: int, why: str) -> None:
        """Note a size that contradicts the ones that are used."""
        found = self._number(key, expected)
        if found != expected:
            self.notes.append(f"{self.file.source(key)}: {key} = {found} is not used: {why}")

    def _convolution(self) -> dict[str, Any]:
        channels, filters = self._number("weight_channel"), self._number("weight_number")
        kernel = (self._number("weight_x"), self._number("weight_y"))
        outputs = (self._number("output_x"), self._number("output_y"))
        stride = self._number("weight_stride", 1)
        strides = (self._number("stride_x", stride), self._number("stride_y", stride))
        self._differs("input_channel", channels, f"weight_channel is {channels}")
        self._differs("output_channel", filters, f"weight_number is {filters}")
        fitted = self._fitted(channels, kernel, outputs, strides)
        return {"op": "conv2d", "input": fitted.pop("input"), "filters": filters, **fitted}

    def _pooling(self, op: str) -> dict[str, Any]:
        """A pooling whose windows are the sizes of the weights; they lie side by side unless a stride is given."""
        channels = self._number("input_channel")
        self._differs("output_channel", channels, f"input_channel is {channels}, and a pooling keeps them")
        kernel = (self._number("weight_x"), self._number("weight_y"))
        outputs = (self._number("output_x"), self._number("output_y"))
        steps = [self._number("weight_stride", size) for size in kernel]
        strides = (self._number("stride_x", steps[0]), self._number("stride_y", steps[1]))
        return {"op": op, **self._fitted(channels, kernel, outputs, strides, pools=True)}

    def _fitted(
        self, channels: int, kernel: _Pair, outputs: _Pair, strides: _Pair, *, pools: bool = False
    ) -> dict[str, Any]:
        """The input and what else makes so many outputs of it; of a pooling, at most half a window lies in the padding."""
        given = (self._number("input_x", 1), self._number("input_y", 1))
        paddings = [_padding(*sizes) for sizes in zip(given, outputs, kernel, strides, strict=True)]
        known = [padding for padding in paddings if padding is not None]
        fits = len(known) == len(paddings)
        if pools:
            fits = fits and all(2 * padding <= size for padding, size in zip(known, kernel, strict=True))
        padded = [(out - 1) * step + taps for out, step, taps in zip(outputs, strides, kernel, strict=True)]
        fields: dict[str, Any] = {"input": [channels, *(given if fits else padded)], "kernel": brief(*kernel)}
        if strides != (kernel if pools else (1, 1)):
            fields["stride"] = brief(*strides)
        if fits and any(known):
            fields["padding"] = brief(known[0], known[1])
        if not fits:
            fields["comment"] = f"padded input; the file has {given[0]} x {given[1]}"
        return fields

    def _fully_connected(self) -> dict[str, Any]:
        inputs = self._number("input_x") * self._number("input_y", 1) * self._number("input_channel", 1)
        outputs = self._number("output_x") * self._number("output_y", 1) * self._number("output_channel", 1)
        self._matrix(outputs, inputs)
        return {"op": "linear", "inputs": inputs, "outputs": outputs}

    def _matrix(self, rows: int, columns: int) -> None:
        """Note weights that are not ``rows`` outputs (x) of ``columns`` inputs (y), as mRNA wants them."""
        found = (self._number("weight_x", rows), self._number("weight_y", columns))
        if found != (rows, columns):
            self.notes.append(
                f"{self.file.source('weight_x')}: weights of {found[0]} x {found[1]} are not used: the layer has {rows} "
                f"outputs of {columns} inputs each (mRNA takes weight_x = {found[0]} for the outputs)"
            )

    def _lstm(self) -> dict[str, Any]:
        inputs, hidden = self._number("input_x"), self._number("hidden_x")
        self._matrix(4 * hidden, inputs + hidden)
        return {"op": "lstm", "input_size": inputs, "hidden_size": hidden}


def _padding(given: int, outputs: int, taps: int, stride: int) -> int | None:
    """The least padding on either side with which ``given`` inputs make so many outputs; None when there is none."""
    touched = (outputs - 1) * stride + taps
    padding = max(0, -(-(touched - given) // 2))
    return padding if padding < taps and given + 2 * padding - touched < stride else None
