"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Objective = Literal["cycles", "energy", "edp", "energy_efficiency"]
CostKind = Literal["closed_form", "estimate", "simulate"]
Engine = Literal["compiled", "event"]
ExportFormat = Literal["csv", "json"]
DocumentKind = Literal["hardware", "network", "mapping", "sweep", "constraints"]


def _completed(kind: Literal["hardware", "network", "sweep"], begun: str) -> list[str]:
    """What may be typed for a document: shipped names, files and folders."""
    from maerisim.documents.locating import shipped  # which knows of numbers in names, and is light

    folder, _, begin = begun.rpartition("/")
    place = Path(folder or ("/" if begun.startswith("/") else "."))
    prefix = begun[: len(begun) - len(begin)]
    files = [
        f"{prefix}{path.name}{'/' if path.is_dir() else ''}"
        for path in (sorted(place.iterdir()) if place.is_dir() else [])
        if path.name.startswith(begin) and (path.suffix in (".yaml", ".yml") or path.is_dir())
    ]
    return [*(name for name in shipped(kind) if name.startswith(begun)), *files]


def _hardware(incomplete: str) -> list[str]:
    return _completed("hardware", incomplete)


def _network(incomplete: str) -> list[str]:
    return _completed("network", incomplete)


def _sweep(incomplete: str) -> list[str]:
    return _completed("sweep", incomplete)


HardwareName = Annotated[
    str,
    typer.Argument(metavar="HARDWARE", help="A YAML file, or a shipped name: maeri-64.", autocompletion=_hardware),
]
NetworkName = Annotated[
    str, typer.Argument(metavar="NETWORK", help="A YAML file, or a shipped name: alexnet.", autocompletion=_network)
]
LayerNames = Annotated[
    list[str] | None, typer.Option("--layer", metavar="NAME", help="Only this layer; may be repeated.")
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="Use these mappings instead of finding some.")
]
EngineName = Annotated[Engine, typer.Option("--engine", help="Which of the two engines; they agree on every cycle.")]
CheckValues = Annotated[
    bool, typer.Option("--check-values", help="Simulate with data and compare every output with NumPy's.")
]
FastForward = Annotated[
    bool, typer.Option("--fast-forward/--no-fast-forward", help="Skip repetitions, exactly, or step every cycle.")
]
PrintProgram = Annotated[bool, typer.Option("--print-program", help="Print the program that runs; do not run it.")]
Trace = Annotated[
    Path | None,
    typer.Option(
        "--trace", metavar="FILE", help="Write a trace of one layer for Perfetto and chrome://tracing (JSON)."
    ),
]
Vcd = Annotated[
    Path | None, typer.Option("--vcd", metavar="FILE", help="Write a waveform of one layer for GTKWave and Surfer.")
]
Cycles = Annotated[
    str | None, typer.Option("--cycles", metavar="A:B", help="Trace from cycle A up to, but not with, B of the layer.")
]
Scale = Annotated[
    int | None,
    typer.Option(
        "--scale",
        metavar="MACS",
        min=1,
        help="Shrink layers of more multiply-accumulates (or pooled inputs) than this.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="A line of CSV for each row of the JSON instead of a table.")]
FrontOrObjective = Annotated[
    Literal["cycles", "energy", "edp", "energy_efficiency", "pareto"],
    typer.Option("--objective", help="What the mapping should minimise; pareto: all that trade cycles for energy."),
]
ConstraintsFile = Annotated[
    Path | None, typer.Option("--constraints", metavar="FILE", help="Only mappings that this YAML file allows.")
]
TimeBudget = Annotated[
    float | None,
    typer.Option(
        "--time-budget",
        metavar="SECONDS",
        min=0,
        help="Search each layer for so long, or until no mapping can be better.",
    ),
]
Prove = Annotated[
    bool, typer.Option("--prove", help="Simulate until no other mapping can be better, however long it takes.")
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Also simulate the best rejected mappings and the neighbours of each winner, and compare them.",
    ),
]
ObjectiveName = Annotated[Objective, typer.Option("--objective", help="What the mapping should minimise.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the mappings to this YAML file.")
]
Dot = Annotated[
    str | None, typer.Option("--dot", metavar="FILE", help="Write Graphviz to this file, or - to print it.")
]
VirtualNeurons = Annotated[
    list[str] | None,
    typer.Option("--vn", metavar="SIZE[xCOUNT]", help="Place virtual neurons: 9x3 is three of nine; may be repeated."),
]

SweepName = Annotated[
    str, typer.Argument(metavar="SWEEP", help="A YAML file, or a shipped name: bandwidth.", autocompletion=_sweep)
]
Database = Annotated[
    Path | None,
    typer.Option(
        "--database", metavar="FILE", help="Keep results in this file; default: NAME.sqlite in the working directory."
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes to run on; default: all cores.")
]
Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler: tcp://HOST:8786."),
]
Run = Annotated[bool, typer.Option("--run/--no-run", help="Run what is missing first, or only report what is stored.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run failed results again.")]
ResultFile = Annotated[Path, typer.Argument(metavar="RESULT", help="A file of JSON, HTML or SQLite.")]
Export = Annotated[
    ExportFormat | None,
    typer.Option("--export", help="Print a row for every layer at every point instead of the table."),
]
ExportOutput = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the export to this file.")
]
FabricPlot = Annotated[
    Path | None,
    typer.Option("--plot", "--svg", metavar="FILE", help="Draw the fabric into this .png, .svg or .pdf file."),
]
CurvePlot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Plot the curves into this .png, .svg or .pdf file."),
]
ValidationPlot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Plot cycles and errors of all layers into this .png, .svg or .pdf file."
    ),
]
FrontPlot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="With --objective pareto: plot the fronts into this .png, .svg or .pdf file."
    ),
]
HtmlFile = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write a page for a browser, which shows each mapping at work."),
]
RooflinePlot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Plot the layers under their roof into this .png, .svg or .pdf file."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Plot cycles against bandwidth into this .png, .svg or .pdf file."),
]

Techniques = Annotated[
    list[str] | None,
    typer.Option("--technique", metavar="NAME", help="Only this technique; may be repeated. An unknown one lists all."),
]
Budget = Annotated[int, typer.Option("--budget", metavar="N", min=1, help="Samples of each search.")]
Seeds = Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="Searches with each technique.")]
CostName = Annotated[
    CostKind,
    typer.Option("--cost", help="Cycles of the busiest resource, or the whole estimate, or of a simulation."),
]
SimulateWinners = Annotated[
    bool, typer.Option("--simulate", help="Also simulate the median search's mapping of each layer and technique.")
]
Replay = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="FILE",
        help="Begin with the mapping of the most similar layer in this mapping file, and add the best found to it.",
    ),
]
SearchDatabase = Annotated[
    Path | None,
    typer.Option("--database", metavar="FILE", help="Keep results in this SQLite file: the same command then resumes."),
]
SearchPlot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Plot the best so far against samples and time into this .png, .svg or .pdf file.",
    ),
]
