"""``maerisim import``: networks and hardware in the formats of other tools, written as our documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from maerisim.cli.saying import give, say
from maerisim.text import shown, whole_number

if TYPE_CHECKING:
    from maerisim.importers.layers import ImportedNetwork

app = typer.Typer(
    name="import",
    help="Import networks from the files of other tools.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the network here instead of printing it.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Call the network so.")]


@app.command()
def mrna(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Model_parameter*.txt, in the order of their numbers.")
    ],
    output: Output = None,
    name: Name = None,
    hardware_output: Annotated[
        Path | None,
        typer.Option("--hardware-output", metavar="FILE", help="Write energies (Config_file.txt) and sizes here."),
    ] = None,
    num_ms: Annotated[int | None, typer.Option(metavar="N", help="Multipliers, for --hardware-output.")] = None,
    dn_bw: Annotated[int | None, typer.Option(metavar="N", help="Distribution bandwidth, likewise.")] = None,
    rn_bw: Annotated[int | None, typer.Option(metavar="N", help="Collection bandwidth, likewise.")] = None,
) -> None:
    """Import the layers, and the energies, that mRNA reads."""
    from maerisim import documents
    from maerisim.importers import mrna as importer

    imported = importer.read(files, name)
    sizes = {"num_ms": num_ms, "dn_bw": dn_bw, "rn_bw": rn_bw}
    if hardware_output is not None:
        text = importer.hardware_yaml(hardware_output.stem, imported.energies, sizes)
        documents.write(hardware_output, text)
        say(f"wrote {hardware_output}", err=output is None)
    elif imported.network is None:
        raise typer.BadParameter("there are only energies: name a file for them", param_hint="--hardware-output")
    elif imported.energies or any(sizes.values()):
        say("note: energies and sizes are hardware: name a file for them with --hardware-output", err=True)
    if imported.network is not None:
        finish(imported.network, output)


@app.command("scale-sim")
def scale_sim(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Topologies (CSV), convolutions or GEMM; one network.")
    ],
    output: Output = None,
    name: Name = None,
) -> None:
    """Import topologies of SCALE-Sim."""
    from maerisim.importers import scale_sim as importer

    finish(importer.read(files, name), output)


class StonneCommand(TyperCommand):
    """A command whose last arguments are a command line of STONNE, from its operation on: their dashes are not ours."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Mark where STONNE's command line begins."""
        from maerisim.importers.stonne import OPERATIONS

        begin = next((place for place, argument in enumerate(args) if argument in OPERATIONS), None)
        if begin is not None and "--" not in args[:begin]:
            args = [*args[:begin], "--", *args[begin:]]
        return super().parse_args(ctx, args)


@app.command(cls=StonneCommand)
def stonne(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES",
            help="Configurations (.cfg), tile files, scripts; then, from -CONV, -FC or -DenseGEMM on, a command line.",
        ),
    ],
    output: Output = None,
    name: Name = None,
    hardware_output: Annotated[
        Path | None, typer.Option("--hardware-output", metavar="FILE", help="Write the hardware here.")
    ] = None,
    mapping_output: Annotated[
        Path | None, typer.Option("--mapping-output", metavar="FILE", help="Write the tiles here, as mappings.")
    ] = None,
) -> None:
    """Import hardware, layers and tiles of STONNE."""
    from maerisim import documents
    from maerisim.importers import stonne as importer

    begin = next((place for place, argument in enumerate(files) if argument in importer.OPERATIONS), len(files))
    imported = importer.read(files[:begin], files[begin:], name)
    if imported.network is None and hardware_output is None:
        raise typer.BadParameter("there is only hardware: name a file for it", param_hint="--hardware-output")
    printed = imported.network is not None and output is None
    of_hardware = hardware_output.stem if hardware_output is not None else "stonne"
    hardware = imported.hardware_yaml(of_hardware)
    network = None if imported.network is None else imported.network.to_yaml()
    mappings = None if mapping_output is None else imported.mapping_yaml(of_hardware)
    if hardware_output is not None:
        documents.write(hardware_output, hardware)
        say(f"wrote {hardware_output}", err=printed)
    elif imported.says_hardware:
        say("note: sizes are hardware: name a file for them with --hardware-output", err=True)
    if mapping_output is not None and mappings is not None:
        documents.write(mapping_output, mappings)
        say(f"wrote {mapping_output}", err=printed)
    elif imported.mappings:
        say("note: tiles are mappings: name a file for them with --mapping-output", err=True)
    if imported.network is not None and network is not None:
        finish(imported.network, output)
    else:
        for note in imported.notes:
            say(f"note: {note}", err=True)


@app.command()
def onnx(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="An ONNX model.")],
    output: Output = None,
    name: Name = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Size of the first dimension of every input.")
    ] = None,
    dim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="Size of a symbolic dimension, by its name or as INPUT.PLACE; repeat."),
    ] = None,
    sparsity: Annotated[
        bool, typer.Option("--sparsity", help="Give layers the density of their stored weights.")
    ] = False,
    apart: Annotated[bool, typer.Option("--apart", help="Keep equal layers apart instead of counting them.")] = False,
) -> None:
    """Import an ONNX model, and list what MAERI does not run of it."""
    from maerisim.importers import onnx as importer

    sizes: dict[str, int] = {}
    for each in dim or ():
        key, _, size = each.rpartition("=")
        number = whole_number(size)
        if not key or number is None or not 1 <= number < 2**40:
            raise typer.BadParameter(
                f"expected NAME=N with a whole number from 1, found '{shown(each)}'", param_hint="--dim"
            )
        sizes[key] = number
    finish(importer.read(model, name, batch=batch, sizes=sizes, sparsity=sparsity, apart=apart), output)


def finish(network: ImportedNetwork, output: Path | None) -> None:
    """Write or print a network, and say on standard error what was not taken as it is written."""
    from maerisim import documents
    from maerisim.importers.layers import summed_up

    text = network.to_yaml()
    for note in summed_up(network.notes):
        say(f"note: {note}", err=True)
    if output is None:
        give(text)
        return
    documents.write(output, text)
    say(f"wrote {output}: {len(network.layers)} {'layer' if len(network.layers) == 1 else 'layers'}")
