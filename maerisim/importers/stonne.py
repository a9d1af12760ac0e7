"""STONNE's configurations (``.cfg``), tile files and command lines, as hardware, network and mapping documents.

X and Y are rows and columns of the padded input. A fully connected layer and a dense product become the convolution that
STONNE makes of them: M rows of K columns under N filters of one row. Its order of loops and virtual neurons is fixed. What
is not given is as in STONNE, and said. Architectures other than MAERI have no counterpart: they are refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.importers.layers import FileLine, ImportedLayer, ImportedNetwork, brief, whole_number, with_distinct_names
from maerisim.importers.stonne_files import (
    HARDWARE,
    OPERATIONS,
    PRODUCT_SIZES,
    PRODUCT_TILE,
    SIZES,
    TILE,
    Command,
    Setting,
    Settings,
    TileFile,
    read_all,
)
from maerisim.mapping.document import MappingFile, dump_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import violations
from maerisim.workload.network import Network

__all__ = ["OPERATIONS", "ImportedStonne", "read"]

ORDER, PLACEMENT = "N G K P Q C R S", "N G K P Q"
"""The loops of STONNE's controller, and its virtual neurons along the array."""

_MISSING = {
    **dict.fromkeys((*SIZES, *TILE), 1),
    **dict.fromkeys(("S", "Y", "T_S"), 3),
}
"""What STONNE takes for the options of a convolution that are not given."""
_MISSING_IN_PRODUCTS = {"M": 1, "N": 1, "K": 3, "T_M": 1, "T_N": 1, "T_K": 1}
_MISSING_IN_HARDWARE = {"num_ms": 64, "dn_bw": 4, "rn_bw": 4, "accumulation_buffer": 0}
_EXPECTED = ("G", "N", "strides", "T_G", "T_N", "T_C", "T_M")
"""Options that are 1 where they are not given."""
_DIMENSIONS = {"T_R": "R", "T_S": "S", "T_C": "C", "T_G": "G", "T_K": "K", "T_N": "N", "T_X_": "P", "T_Y_": "Q"}
"""STONNE's tile sizes, and the dimensions that they are of."""

_OURS = {
    "mn_type": ("LINEAR", "a linear array of multipliers"),
    "rn_type": ("ASNETWORK", "MAERI's augmented reduction tree"),
    "mem_ctrl": ("MAERI_DENSE_WORKLOAD", "MAERI's controller"),
}
"""What the ``stonne`` profile has of what STONNE chooses from; 0 stands for it as well."""
_OTHERS = {
    "OS_MESH": "the mesh of a TPU",
    "FENETWORK": "STONNE's forwarding reduction network",
    "TEMPORALRN": "the accumulators of a TPU",
    "SIGMA_SPARSE_GEMM": "SIGMA's controller of sparse products",
    "TPU_OS_DENSE": "a TPU's controller",
    "MAGMA_SPARSE_DENSE": "a controller of sparse products",
    "SNAPEA_OS_DENSE": "SnaPEA's controller",
}


@dataclass(frozen=True)
class ImportedStonne:
    """What a set of STONNE's files and command lines holds.

    ``hardware`` is what differs from the ``stonne`` profile, by the keys of its document; ``says_hardware``: whether any of it
    was given. ``mappings`` are those of the layers that have a tile, with where it is from.
    """

    network: ImportedNetwork | None
    says_hardware: bool
    notes: tuple[str, ...]
    hardware: dict[str, Any]
    mappings: MappingOf[str, tuple[Mapping, FileLine]]

    def hardware_yaml(self, name: str) -> str:
        """The hardware document. Raises DocumentError for sizes that no hardware has."""
        self._machine(name)
        sections: dict[str, list[str]] = {}
        for path, value in self.hardware.items():
            section, _, key = path.partition(".")
            sections.setdefault(section, []).append(f"{key}: {value}" if key else str(value))
        lines = ["# Imported from STONNE; what it has no option for is as in the profile.", "extends: stonne"]
        lines.append(f"name: {documents.scalar(name)}")
        for section, entries in sections.items():
            single = section == "multipliers"
            lines.append(f"{section}: {entries[0] if single else '{' + ', '.join(entries) + '}'}")
        return "\n".join(lines) + "\n"

    def mapping_yaml(self, hardware: str) -> str:
        """The mapping document of the layers that have a tile. Raises DocumentError for tiles that do not run."""
        if self.network is None or not self.mappings:
            raise DocumentError(["there is no tile: expected options such as -T_R=3, or a tile file"])
        machine = self._machine(hardware)
        problems, layers = [], {}
        for layer in self.network.layers:
            if layer.name not in self.mappings:
                continue
            mapping, source = self.mappings[layer.name]
            content = {"name": self.network.name, "layers": [dict(layer.fields)]}
            (stage,) = documents.validate(Network, content, str(layer.source)).layers[0].stages
            problems += [f"{source}: {layer.name}: {each}" for each in violations(stage.problem, mapping, machine)]
            layers[layer.name] = (stage.problem, mapping)
        if problems:
            raise DocumentError(problems)
        return dump_mappings(MappingFile.of(hardware, self.network.name, layers))

    def _machine(self, name: str) -> Hardware:
        return Hardware.load("stonne").with_overrides({"name": name, **self.hardware}, "STONNE's hardware")


def read(
    paths: Sequence[str | os.PathLike[str]], arguments: Sequence[str] = (), name: str | None = None
) -> ImportedStonne:
    """Read files, and the ``arguments`` of a command line from its operation (``-CONV``) on.

    What a command line says goes before what a file says. A single tile file is for every layer without a tile; several
    are for these layers in turn. Raises DocumentError with every problem of every file.
    """
    found = read_all(paths, arguments)
    reader = _Reader(found.problems, found.notes)
    hardware = reader.hardware(found.hardware, found.commands)
    layers = [reader.layer(command) for command in found.commands]
    tiles = reader.tiles(found.commands, found.tiles)
    if found.problems:
        raise DocumentError(found.problems)
    distinct, renamed = with_distinct_names(layers)
    mappings = {layer.name: tile for layer, tile in zip(distinct, tiles, strict=True) if tile is not None}
    untiled = [layer.name for layer in distinct if layer.name not in mappings]
    if untiled:
        found.notes.append(f"without a tile, and so without a mapping: {', '.join(untiled)}")
    origin = "Imported from STONNE.\nInputs include the padding, which is why there is none here."
    network = ImportedNetwork(name or "stonne", origin, tuple(distinct), (*found.notes, *renamed)) if layers else None
    says_hardware = bool(found.hardware) or any(
        key in command.options for command in found.commands for key in HARDWARE
    )
    return ImportedStonne(network, says_hardware, tuple(found.notes), hardware, mappings)


class _Reader:
    """Turns settings into what our documents hold; adds to ``problems`` and ``notes``."""

    def __init__(self, problems: list[str], notes: list[str]) -> None:
        self.problems, self.notes = problems, notes

    # --- hardware ---------------------------------------------------------------------------------------------------

    def hardware(self, configured: Settings, commands: Sequence[Command]) -> dict[str, Any]:
        """What differs from the ``stonne`` profile; all command lines have to be for the same hardware."""
        settings = dict(configured)
        before: dict[str, Setting] = {}
        for command in commands:
            for key in HARDWARE:
                here, there = command.options.get(key), before.get(key)
                if here is not None and there is not None and here.text != there.text:
                    text = f"-{key}={here.text}, but {there.text} at {there.source}"
                    self.problems.append(f"{here.source}: {text}: layers of one network run on one hardware")
                if here is not None:
                    before.setdefault(key, here)
        settings |= before
        for key, (ours, meaning) in _OURS.items():
            written = settings.get(key)
            if written is not None and written.text not in (ours, "0"):
                self._refuse(key, written, ours, meaning)
        for key in ("ms_rows", "ms_cols"):
            if key in settings and "mn_type" not in settings:
                self.notes.append(f"{settings[key].source}: {key} is not taken: only a mesh has rows and columns")
        values = {key: self._number(settings, key, default) for key, default in _MISSING_IN_HARDWARE.items()}
        if settings:
            self._note_missing(settings, _MISSING_IN_HARDWARE, "hardware")
        overrides: dict[str, Any] = {
            "multipliers": values["num_ms"],
            "distribution.bandwidth": values["dn_bw"],
            "distribution.latency": 1 if values["dn_bw"] == values["num_ms"] else 2,
            "collection.bandwidth": values["rn_bw"],
        }
        if not values["accumulation_buffer"]:
            overrides |= {"accumulation.words": 0, "accumulation.latency": 0}
        return overrides

    def _refuse(self, key: str, written: Setting, ours: str, meaning: str) -> None:
        other = _OTHERS.get(written.text)
        what = f"{written.text}, {other}," if other else documents.described(written.text)
        verb = "has no counterpart here" if other else f"is none of STONNE's{documents.nearest(written.text, _OTHERS)}"
        self.problems.append(f"{written.source}: {key}: {what} {verb}; the stonne profile is {ours}, {meaning}")

    # --- layers -----------------------------------------------------------------------------------------------------

    def layer(self, command: Command) -> ImportedLayer:
        """The layer of a command line."""
        options, source = command.options, command.source
        named = options.get("layer_name")
        name = {"name": named.text if named is not None and named.text else "TestLayer"}
        if command.is_product:
            m, n, k = (self._number(options, key, _MISSING_IN_PRODUCTS[key]) for key in PRODUCT_SIZES)
            self._note_missing(options, {key: _MISSING_IN_PRODUCTS[key] for key in PRODUCT_SIZES}, source)
            fields = {"op": "conv2d", "input": [1, m, k], "filters": n, "kernel": brief(1, k)}
            return ImportedLayer(source, name | fields, f"{command.operation}: M {m}, N {n}, K {k}")
        r, s, c, g, k, n, x, y, stride = (self._number(options, key, _MISSING[key]) for key in SIZES)
        self._note_missing(options, {key: _MISSING[key] for key in SIZES}, source)
        fields = {"op": "conv2d", "input": [c, x, y], "filters": k, "kernel": brief(r, s)}
        optional = {"stride": stride, "groups": g, "batch": n}
        return ImportedLayer(source, name | fields | {key: size for key, size in optional.items() if size != 1})

    def tiles(self, commands: Sequence[Command], files: Sequence[TileFile]) -> list[tuple[Mapping, FileLine] | None]:
        """The tile of each layer: that of its own options, or of a file."""
        own = {key for command in commands for key in (PRODUCT_TILE if command.is_product else TILE)}
        waiting = [command for command in commands if not own & command.options.keys()]
        if files and len(files) not in (1, len(waiting)):
            counted = f"{len(files)} tile files for {len(waiting)} layers without a tile"
            self.problems.append(f"{files[-1].source}: {counted}, expected one for all or one for each")
            return [None] * len(commands)
        if files and not commands:
            self.problems.append(f"{files[0].source}: a tile without a layer: add its command line (-CONV -R=3 ...)")
        of_layer = iter(files if len(files) > 1 else [*files] * len(waiting))
        return [
            self._from_file(command, next(of_layer, None)) if command in waiting else self._from_options(command)
            for command in commands
        ]

    def _from_options(self, command: Command) -> tuple[Mapping, FileLine]:
        if command.is_product:
            missing = {key: _MISSING_IN_PRODUCTS[key] for key in PRODUCT_TILE}
            m, n, k = (self._number(command.options, key, size) for key, size in missing.items())
            tile = {"P": m, "K": n, "S": k}
        else:
            missing = {key: _MISSING[key] for key in TILE}
            tile = {_DIMENSIONS[key]: self._number(command.options, key, size) for key, size in missing.items()}
        self._note_missing(command.options, missing, command.source)
        return Mapping.of(tile, ORDER, PLACEMENT), command.source

    def _from_file(self, command: Command, file: TileFile | None) -> tuple[Mapping, FileLine] | None:
        """STONNE takes of the tile of a fully connected layer what lies in T_S, T_K and T_N."""
        if file is None or not file.sizes:
            return None
        kind = "FC" if command.is_product else "CONV"
        if file.kind != kind:
            self.problems.append(f"{file.source}: tile_type: {file.kind}, but {command.operation} needs one of {kind}")
            return None
        wanted = {"T_S": "S", "T_K": "K", "T_N": "P"} if command.is_product else _DIMENSIONS
        missing = [key for key in wanted if key not in file.sizes]
        if missing:
            self.problems.append(f"{file.source}: {', '.join(missing)}: missing from the tile")
        tile = {dimension: self._number(file.sizes, key, 1) for key, dimension in wanted.items()}
        return Mapping.of(tile, ORDER, PLACEMENT), file.source

    # --- values -----------------------------------------------------------------------------------------------------

    def _number(self, settings: Settings, key: str, default: int) -> int:
        """A size of at least 1 (an accumulation buffer may be 0), the default for one that is not given or wrong."""
        if key not in settings:
            return default
        text, source = settings[key]
        if key == "accumulation_buffer" and text in ("0", "1"):
            return int(text)
        number = whole_number(text)
        if number is None or key == "accumulation_buffer":
            expected = "0 or 1" if key == "accumulation_buffer" else "a whole number from 1"
            self.problems.append(f"{source}: {key}: expected {expected}, found {documents.described(text)}")
            return default
        return number

    def _note_missing(self, settings: Settings, defaults: MappingOf[str, int], where: object) -> None:
        """Say which values are STONNE's own, but for those that everybody expects."""
        said = [key for key in defaults if key not in settings and key not in _EXPECTED]
        missing = [f"{key} {defaults[key]}" for key in said]
        if missing:
            self.notes.append(f"{where}: not given, and so as in STONNE: {', '.join(missing)}")
