"""The commands: each asks what ``import maerisim`` offers for its results, and hands them to ``output``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from maerisim.cli import FAILED, import_commands, options
from maerisim.cli.forms import form_of
from maerisim.cli.saying import Loudness, say, set_loudness

app = typer.Typer(
    name="maerisim",
    help="Map DNN layers onto a MAERI accelerator, simulate them cycle by cycle, and check the estimate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.add_typer(import_commands.app)


def print_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from importlib.metadata import version

        say(f"maerisim {version('maerisim')}")
        raise typer.Exit


@app.callback()
def maerisim(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only: no progress, no word of compiling.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say how long each layer took, and how much memory.")
    ] = False,
) -> None:
    """Map DNN layers onto a MAERI accelerator, simulate them cycle by cycle, and check the estimate."""
    del version  # printed before this runs
    if quiet and verbose:
        raise typer.BadParameter("is the opposite of --verbose", param_hint="--quiet")
    set_loudness(Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else Loudness.USUAL)


@app.command("map")
def map_command(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    objective: options.FrontOrObjective = "cycles",
    constraints: options.ConstraintsFile = None,
    prove: options.Prove = False,
    time_budget: options.TimeBudget = None,
    explain: options.Explain = False,
    scale: options.Scale = None,
    output: options.Output = None,
    plot: options.FrontPlot = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Find the best mapping of each layer, and say why it won.

    The column "proven" says how sure that is: --prove and --time-budget make it surer.
    """
    from maerisim.cli.output import finish, finish_front, require_place
    from maerisim.cli.progress import shown
    from maerisim.reports import figures
    from maerisim.study import api
    from maerisim.study.given import save_mappings

    if output is not None:
        require_place(output)
    if plot is not None:
        if objective != "pareto":
            raise typer.BadParameter("is for --objective pareto", param_hint="--plot")
        figures.require(plot)
    if objective == "pareto":
        asked = ((output, "--output"), (prove, "--prove"), (time_budget, "--time-budget"), (explain, "--explain"))
        for given, name in asked:
            if given:
                raise typer.BadParameter("is for one mapping a layer, a front has several", param_hint=name)
        with shown() as progress:
            front = api.front(
                hardware, network, layers=layer, constraints=constraints, scale=scale, progress=progress, partial=True
            )
        if plot is not None and front.layers:
            from maerisim.reports import front_plot

            figures.write(plot, lambda: front_plot.draw(front))
        finish_front(front, form=form_of(json, csv))
        return
    with shown() as progress:
        report = api.map(
            hardware, network, layers=layer, objective=objective, constraints=constraints, prove=prove,
            time_budget=time_budget, explain=explain, scale=scale, progress=progress, partial=True,
        )  # fmt: skip
    if output is not None and report.layers:  # what an earlier command found is worth more than no mapping
        save_mappings(report, output)
    finish("map", report, form=form_of(json, csv))


@app.command()
def simulate(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    mapping: options.MappingFile = None,
    engine: options.EngineName = "compiled",
    check_values: options.CheckValues = False,
    fast_forward: options.FastForward = True,
    print_program: options.PrintProgram = False,
    trace: options.Trace = None,
    vcd: options.Vcd = None,
    cycles: options.Cycles = None,
    scale: options.Scale = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Simulate every cycle of each layer."""
    from maerisim.cli.output import finish
    from maerisim.cli.progress import shown
    from maerisim.study import api

    if print_program:
        for program in api.programs(hardware, network, layers=layer, mapping=mapping, scale=scale):
            say(str(program))
        return
    request = None
    if trace is not None or vcd is not None or cycles is not None:
        from maerisim.cli.tracing import TraceRequest

        request = TraceRequest(hardware, network, layer, scale, trace, vcd, cycles, engine)
        request.check()
    with shown() as progress:
        report = api.simulate(
            hardware, network, layers=layer, mapping=mapping, engine=engine, check_values=check_values,
            fast_forward=fast_forward, scale=scale, progress=progress, partial=True,
        )  # fmt: skip
    if request is not None:
        request.answer(report)
    finish("simulate", report, form=form_of(json, csv))


@app.command()
def validate(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    mapping: options.MappingFile = None,
    fast_forward: options.FastForward = True,
    scale: options.Scale = None,
    plot: options.ValidationPlot = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Hold the estimate of each layer against its simulation."""
    from maerisim.cli.output import finish
    from maerisim.cli.progress import shown
    from maerisim.reports import figures
    from maerisim.study import api

    if plot is not None:
        figures.require(plot)
    with shown() as progress:
        report = api.validate(
            hardware, network, layers=layer, mapping=mapping, fast_forward=fast_forward, scale=scale,
            progress=progress, partial=True,
        )  # fmt: skip
    if plot is not None and report.layers:
        from maerisim.reports import validation_plot

        figures.write(plot, lambda: validation_plot.draw(report))
    finish("validate", report, form=form_of(json, csv))


@app.command("report")
def report_command(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    mapping: options.MappingFile = None,
    objective: options.ObjectiveName = "cycles",
    scale: options.Scale = None,
    html: options.HtmlFile = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Report what limits a mapping and what would relieve it.

    Also where its cycles, words and energy go, and its kinds of tiles. --html: as a page with each mapping at work.
    """
    from maerisim.cli.output import finish_profiles
    from maerisim.cli.progress import shown
    from maerisim.reports.html import page
    from maerisim.study import api

    if html is not None:
        page.require(html)
    with shown() as progress:
        report = api.report(
            hardware, network, layers=layer, mapping=mapping, objective=objective, scale=scale,
            replays=html is not None, progress=progress, partial=True,
        )  # fmt: skip
    if html is not None and report.layers:
        from maerisim import documents

        documents.write(html, report.to_html())
    finish_profiles(report, form=form_of(json, csv))


@app.command()
def roofline(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    mapping: options.MappingFile = None,
    scale: options.Scale = None,
    plot: options.RooflinePlot = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Hold each layer against its roofline.

    That is what its operations per word allow, beside what it attains.
    """
    from maerisim.cli.output import finish_roofline
    from maerisim.cli.progress import shown
    from maerisim.reports import figures
    from maerisim.study import api

    if plot is not None:
        figures.require(plot)
    with shown() as progress:
        report = api.roofline(
            hardware, network, layers=layer, mapping=mapping, scale=scale, progress=progress, partial=True
        )
    if plot is not None and report.layers:
        from maerisim.reports.roofline_plot import draw

        figures.write(plot, lambda: draw(report))
    finish_roofline(report, form=form_of(json, csv))


@app.command("buffer-curve")
def buffer_curve(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    objective: options.ObjectiveName = "cycles",
    scale: options.Scale = None,
    plot: options.CurvePlot = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Show how few words DRAM can move for each buffer size.

    A ski slope: the least of any blocks in any loop order, and beside it our mappings.
    """
    from maerisim.cli.output import finish_buffer_curves
    from maerisim.cli.progress import shown
    from maerisim.reports import figures
    from maerisim.study import api

    if plot is not None:
        figures.require(plot)
    with shown() as progress:
        report = api.buffer_curve(
            hardware, network, layers=layer, objective=objective, scale=scale, progress=progress, partial=True
        )
    if plot is not None and report.layers:
        from maerisim.reports.buffer_curve_plot import draw

        figures.write(plot, lambda: draw(report))
    finish_buffer_curves(report, form=form_of(json, csv))


@app.command("compare-mappings")
def compare_mappings(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    objective: options.ObjectiveName = "cycles",
    scale: options.Scale = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Simulate the mappings of mRNA and others beside ours.

    The others are rules of thumb (heuristic) and weight, output, input and row stationary dataflows.
    """
    from maerisim.cli.output import finish_comparison
    from maerisim.cli.progress import shown
    from maerisim.study import api

    with shown() as progress:
        comparison = api.compare(
            hardware, network, layers=layer, objective=objective, scale=scale, progress=progress, partial=True
        )
    finish_comparison(comparison, form=form_of(json, csv))


@app.command("compare-search")
def compare_search(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: options.LayerNames = None,
    technique: options.Techniques = None,
    budget: options.Budget = 2000,
    seeds: options.Seeds = 20,
    objective: options.ObjectiveName = "cycles",
    cost: options.CostName = "closed_form",
    simulate: options.SimulateWinners = False,
    scale: options.Scale = None,
    replay: options.Replay = None,
    database: options.SearchDatabase = None,
    jobs: options.Jobs = None,
    dask: options.Dask = None,
    plot: options.SearchPlot = None,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Compare search techniques with the proven optimum.

    Genetic and random searches, annealing, CMA-ES and others get the same samples; the proven optimum is their referee.
    """
    from maerisim.cli import searches
    from maerisim.kernels.compiling.choice import show_scipy

    show_scipy()
    if dask is not None and jobs is not None:
        raise typer.BadParameter("is for this machine's cores, a cluster has its own workers", param_hint="--jobs")
    searches.run(
        searches.SearchRequest(
            hardware,
            network,
            layer,
            technique,
            budget,
            seeds,
            objective,
            cost,
            simulate,
            scale,
            replay,
            database,
            jobs,
            dask,
            plot,
            form_of(json, csv),
        )
    )


@app.command()
def sweep(
    sweep: options.SweepName,
    database: options.Database = None,
    jobs: options.Jobs = None,
    dask: options.Dask = None,
    run: options.Run = True,
    retry_failed: options.RetryFailed = False,
    export: options.Export = None,
    output: options.ExportOutput = None,
    plot: options.Plot = None,
) -> None:
    """Map and simulate networks over a grid of hardware.

    Runs on all cores. Each result is stored as soon as it is there: after Ctrl-C or a crash the same command goes on
    where it was.
    """
    from maerisim.cli.sweep import Request
    from maerisim.cli.sweep import sweep as run_sweep

    if output is not None and export is None:
        raise typer.BadParameter("is for --export", param_hint="--output")
    if dask is not None and jobs is not None:
        raise typer.BadParameter("is for this machine's cores, a cluster has its own workers", param_hint="--jobs")
    run_sweep(Request(sweep, database, jobs, dask, run, retry_failed, export, output, plot))


@app.command()
def rerun(
    result: options.ResultFile,
    json: options.AsJson = False,
    csv: options.AsCsv = False,
) -> None:
    """Run a stored result again, and say what differs.

    Any --json of a command, a report page, or the database of a sweep. Exits with 1 when cycles differ, or inputs were altered.
    """
    from maerisim.cli.output import show as show_report
    from maerisim.cli.progress import shown
    from maerisim.reports.reruns import rerun_pages
    from maerisim.sweeps.reruns import rerun as run_again

    with shown() as progress:
        report = run_again(result, progress=progress)
    show_report(report, rerun_pages, form=form_of(json, csv))
    if not report.same:
        raise typer.Exit(FAILED)


@app.command()
def show(
    hardware: options.HardwareName,
    dot: options.Dot = None,
    plot: options.FabricPlot = None,
    vn: options.VirtualNeurons = None,
) -> None:
    """Draw the fabric, and virtual neurons placed on it."""
    from maerisim import documents
    from maerisim.cli.virtual_neurons import sizes
    from maerisim.fabric import drawing, graphviz
    from maerisim.hardware.hardware import Hardware

    machine = Hardware.load(hardware)
    vn_sizes = sizes(vn or [], machine.multipliers)
    if plot is not None:
        from maerisim.reports import fabric_plot, figures

        figures.require(plot)
        figures.write(plot, lambda: fabric_plot.draw(machine, vn_sizes))
    if dot is None and plot is None:
        say(drawing.text(machine, vn_sizes))
    if dot == "-":
        say(graphviz.dot(machine, vn_sizes))
    elif dot is not None:
        documents.write(Path(dot), graphviz.dot(machine, vn_sizes))


@app.command()
def rtl(
    hardware: options.HardwareName,
    network: options.NetworkName,
    layer: Annotated[str, typer.Option("--layer", metavar="NAME", help="The layer (or stage) to configure for.")],
    mapping: options.MappingFile = None,
    vn_count: Annotated[
        int | None,
        typer.Option("--vn-count", metavar="N", min=1, help="How many virtual neurons; default: the most that work."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the files into this directory.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what every adder switch does, in words.")] = False,
    format_: Annotated[
        Literal["vmh", "json"],
        typer.Option("--format", help="The published RTL's memory images, or our fabric's whole program."),
    ] = "vmh",
) -> None:
    """Configure the published MAERI RTL for a layer.

    Writes its configuration memory, or as JSON the whole program of our fabric for another controller.
    """
    from maerisim.cli import rtl as configuration
    from maerisim.hardware.hardware import Hardware
    from maerisim.workload.network import Network

    machine, model = Hardware.load(hardware), Network.load(network)
    chosen = model.stage(layer)
    if format_ == "json":
        if vn_count is not None or explain:
            raise typer.BadParameter("is for --format vmh", param_hint="--vn-count" if vn_count else "--explain")
        configuration.write_json(machine, chosen, mapping, output)
        return
    if mapping is not None and vn_count is not None:
        raise typer.BadParameter("a mapping says it already, by its tile of K", param_hint="--vn-count")
    configuration.write_rtl(
        machine, model, chosen, mapping_file=mapping, vn_count=vn_count, directory=output, explain=explain
    )


@app.command()
def warmup() -> None:
    """Compile the kernels for this machine ahead of their use.

    Otherwise the first command that needs them does, once.
    """
    from maerisim.kernels.compiling import cache as compilation
    from maerisim.study.warmup import compile_all

    times: list[float] = []

    def show(kernel: str, seconds: float | None) -> None:
        if seconds is not None:
            times.append(seconds)
            say(f"  {kernel:26} {seconds:5.1f} s")

    with compilation.watched(show):
        compile_all()
    done = f"kernels compiled: {len(times)}" if times else "all kernels were compiled already"
    kept = compilation.directory()
    say(f"{done}; {'they cannot be kept' if kept is None else f'kept in {kept}'}")


@app.command()
def doctor() -> None:
    """Say what this installation has, and what it lacks.

    Versions, cores, memory, where the compiled kernels are kept and which there are. Exits with 1 when something is missing
    without which nothing runs.
    """
    from maerisim.cli.doctor import examined

    lines, is_well = examined()
    say("\n".join(lines))
    if not is_well:
        raise typer.Exit(FAILED)


@app.command()
def schema(
    document: Annotated[options.DocumentKind, typer.Argument(metavar="DOCUMENT", help="Which document.")],
) -> None:
    """Print the JSON Schema of a document, for editors."""
    import json

    from maerisim import documents
    from maerisim.cli.schemas import DOCUMENTS

    say(json.dumps(documents.schema(DOCUMENTS[document]), indent=2))
