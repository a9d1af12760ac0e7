"""The sweep document: networks over a grid of hardware parameters."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Document, KeyPath, Kind, described, dotted
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.sweeps.grid import Grid, GridPoint, Invalid, parameters_of
from maerisim.workload.network import Network

MOST_POINTS = 100_000
_MOST_BYTES = 200
"""Of the name of a sweep, which becomes that of a file."""

DocumentT = TypeVar("DocumentT", Hardware, Network)


def _file_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.+-]*", name) or len(name.encode()) > _MOST_BYTES:
        expected = f"expected letters, digits and . _ + - only, {_MOST_BYTES} bytes at most"
        msg = f"{expected}, as results are stored in NAME.sqlite, found {described(name)}"
        raise ValueError(msg)
    return name


def _single(value: object) -> object:
    if value is not None and not isinstance(value, (bool, int, float, str)):
        msg = f"expected a number, a text, true, false or null, found {described(value)}"
        raise ValueError(msg)
    return value


FileName = Annotated[
    str, AfterValidator(_file_name), WithJsonSchema({"type": "string", "pattern": r"^\w[\w.+-]{0,199}$"})
]
SingleValue = Annotated[Any, AfterValidator(_single), WithJsonSchema({"type": ["number", "string", "boolean", "null"]})]


class Sweep(Document):
    """Networks over a grid of hardware parameters."""

    kind: ClassVar[Kind] = "sweep"

    name: FileName = Field(description="how reports call this sweep; its results are stored in NAME.sqlite")
    description: str = Field("", description="anything worth knowing")
    hardware: str = Field(
        min_length=1, description="what the grid changes: a file relative to this one, or a shipped name"
    )
    networks: list[str] = Field(min_length=1, description="files relative to this one, or shipped names")
    layers: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="the layers (or stages) to run, by network; networks not named run all of theirs",
    )
    scale: int | None = Field(
        None, ge=1, description="shrink layers of more multiply-accumulates (or pooled inputs); null: none"
    )
    objective: Literal["cycles", "energy", "edp", "energy_efficiency"] = Field(
        "cycles", description="what mappings should minimise"
    )
    grid: Annotated[dict[str, Annotated[list[SingleValue], Field(min_length=1)]], Field(min_length=1)] = Field(
        description="values by hardware parameter, as in 'distribution.bandwidth: [4, 8]'; parameters separated by a "
        "comma share their values; 1/4 is a quarter of the multipliers"
    )
    skip_invalid: bool = Field(
        False, description="leave out combinations that are no valid hardware instead of refusing the sweep"
    )

    @classmethod
    def complaints_between(cls, data: Mapping[str, Any]) -> list[Complaint]:
        """Layers of networks that are not there, parameters varied twice, and too many points."""
        problems: list[Complaint] = []
        networks = data["networks"] if isinstance(data.get("networks"), list) else []
        known = [name for name in networks if isinstance(name, str)]
        for name in data["layers"] if isinstance(data.get("layers"), dict) else ():
            if name not in known:
                hint = documents.nearest(name, known) or f" (networks: {documents.listed(known)})"
                problems.append((("layers", name), f"is not one of the networks{hint}"))
        grid = data["grid"] if isinstance(data.get("grid"), dict) else {}
        count = prod(len(values) for values in grid.values() if isinstance(values, list))
        if count > MOST_POINTS:
            problems.append((("grid",), f"{count:,} points, expected at most {MOST_POINTS:,}"))
        varied: dict[str, str] = {}
        for key in grid:
            for parameter in parameters_of(key):
                if parameter in varied:
                    problems.append((("grid", key), f"{parameter} is already varied by '{varied[parameter]}'"))
                varied[parameter] = key
        return problems

    @model_validator(mode="after")
    def _check(self) -> Sweep:
        problems = self.complaints_between(self.model_dump())
        if problems:
            raise documents.complaints_error(problems)
        return self


@dataclass(frozen=True)
class Experiment:
    """A sweep with everything that it names: each network with the layers to run (none: all), every point of the grid,
    and the combinations that are left out because they are no valid hardware.
    """

    sweep: Sweep
    hardware: Hardware
    networks: tuple[tuple[Network, tuple[str, ...]], ...]
    points: tuple[GridPoint, ...]
    skipped: tuple[Invalid, ...]

    @classmethod
    def load(cls, path_or_name: str | os.PathLike[str]) -> Experiment:
        """The sweep in a YAML file, or a shipped one by name, with the documents that it names.

        Raises DocumentError with every problem: of the file, of what it names, and of points that are no valid hardware.
        """
        path = documents.locate("sweep", path_or_name)
        sweep, source = documents.load_with_source(Sweep, path)
        return cls._with_what_it_names(sweep, path.parent, {}, lambda problems: source.report(problems).problems)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Experiment:
        """The sweep that a document with these keys would be; hardware and networks may be objects, the name left out.

        Files are relative to the working directory. Raises DocumentError with every problem.
        """
        given: dict[str, Hardware | Network] = {}

        def name_of(named: object) -> object:
            if not isinstance(named, Hardware | Network):
                return os.fspath(named) if isinstance(named, os.PathLike) else named
            given[named.name] = named
            return named.name

        data = {"name": "sweep", **data}
        if "hardware" in data:
            data["hardware"] = name_of(data["hardware"])
        if isinstance(data.get("networks"), list | tuple):
            data["networks"] = [name_of(network) for network in data["networks"]]
        sweep = documents.validate(Sweep, data, "sweep")
        return cls._with_what_it_names(
            sweep, Path(), given, lambda problems: [f"sweep: {dotted(path)}: {text}" for path, text in problems]
        )

    @classmethod
    def _with_what_it_names(
        cls,
        sweep: Sweep,
        folder: Path,
        given: Mapping[str, Hardware | Network],
        report: Callable[[list[Complaint]], list[str]],
    ) -> Experiment:
        """The sweep with documents that lie in a folder, or are ``given``; ``report`` puts its problems in lines."""
        here: list[Complaint] = []
        elsewhere: list[str] = []

        def named(model: type[DocumentT], key: KeyPath, name: str) -> DocumentT | None:
            known = given.get(name)
            if isinstance(known, model):
                return known
            try:
                located = documents.locate_beside(model.kind, name, folder)
            except DocumentError as error:
                here.extend((key, problem) for problem in error.problems)
                return None
            try:
                return model.load(located)
            except DocumentError as error:
                elsewhere.extend(error.problems)
                return None

        networks: list[tuple[Network, tuple[str, ...]]] = []
        for place, name in enumerate(sweep.networks):
            network = named(Network, ("networks", place), name)
            if network is not None:
                if any(network.name == other.name for other, _ in networks):
                    here.append((("networks", place), f"{name}: its name '{network.name}' is that of another network"))
                here += _unknown_layers(network, name, sweep.layers.get(name, ()))
                networks.append((network, tuple(sweep.layers.get(name, ()))))
        hardware = named(Hardware, ("hardware",), sweep.hardware)
        grid = None if hardware is None else Grid.of(sweep.grid, hardware)
        if grid is not None:
            here += grid.problems(skip_invalid=sweep.skip_invalid)
        if here or elsewhere or hardware is None or grid is None:
            raise DocumentError(report(here) + elsewhere)
        return cls(sweep, hardware, tuple(networks), grid.points, grid.invalid)


def _unknown_layers(network: Network, name: str, layers: Sequence[str]) -> list[Complaint]:
    problems: list[Complaint] = []
    stages = {stage.name for layer in network.layers for stage in layer.stages}
    for place, layer in enumerate(layers):
        try:
            if layer not in stages:
                network.layer(layer)
        except DocumentError as error:
            problems += [(("layers", name, place), problem) for problem in error.problems]
    return problems
