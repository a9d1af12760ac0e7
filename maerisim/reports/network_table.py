"""The results of ``map``, ``simulate`` and ``validate`` as a table: which columns each has, and what is said below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maerisim.mapping.notation import (
    counted,
    energy_words,
    mapping_words,
    measured,
    percent,
    quantity,
    signed_percent,
    size_words,
    whole,
)
from maerisim.reports.explanation_table import explanation_pages
from maerisim.reports.findings import AnyReport, FusedReport, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.reports.pace import pace_of, seconds_of
from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural

if TYPE_CHECKING:
    from maerisim.hardware.hardware import Hardware

SMALL_ERROR, LARGE_ERROR = 0.02, 0.05
"""Errors of the estimate up to the first are shown as good, beyond the second as bad."""

MOST_SCALED_LAYERS_LISTED = 10
MOST_CHOICES_LISTED = 12
"""With more layers than these the notes below a table would be longer than the table."""


@dataclass(frozen=True)
class LayerColumn:
    """A column of layers: its heading, what it says of a layer, and what it says in the row of totals."""

    heading: str
    cell: Callable[[NetworkReport, AnyReport], str]
    total: Callable[[NetworkReport], str] = lambda _report: ""
    number: bool = True
    spare: int = 0


def layer_label(layer: AnyReport) -> str:
    return counted(layer.name, layer.count) + ("*" if layer.scaled else "")


def mapping_cell(report: NetworkReport, layer: AnyReport) -> str:
    """A mapping in few words; those of fused layers behind their multipliers, as in ``16: K4 | P Q + 48: C9 | Q``."""
    if isinstance(layer, LayerReport):
        return mapping_words(layer.problem, layer.mapping)
    parts = zip(report.shares(layer), (layer.problem.first, layer.problem.second), layer.mapping.of_layers, strict=True)
    return " + ".join(f"{share}: {mapping_words(problem, mapping)}" for share, problem, mapping in parts)


def proof_words(layer: AnyReport) -> str:
    """Whether the mapping is proven to be the best, or by how much another one could be better."""
    return "" if layer.certificate is None else layer.certificate.proof


def stall_words(report: NetworkReport, layer: AnyReport) -> str:
    """What multipliers wait for most, and in how many of their cycles."""
    if layer.result is None:
        return ""
    stalls = layer.result.counters.stalls
    cause = max(stalls, key=lambda name: stalls[name])
    share = stalls[cause] / (layer.result.cycles * report.hardware.multipliers)
    return f"{percent(share, 0):>4} {cause}" if stalls[cause] else "nothing"


LAYER = LayerColumn("layer", lambda _, layer: layer_label(layer), lambda _: "total", number=False)
OPERATOR = LayerColumn("op", lambda _, layer: layer.op, number=False, spare=8)
MAPPING = LayerColumn("mapping", mapping_cell, number=False)
CYCLES = LayerColumn("cycles", lambda _, layer: whole(layer.cycles), lambda report: whole(report.total_cycles))
ESTIMATE = LayerColumn(
    "estimate", lambda _, layer: whole(layer.estimate.cycles), lambda report: whole(report.total_estimated_cycles)
)
ERROR = LayerColumn(
    "error", lambda _, layer: signed_percent(layer.error), lambda report: signed_percent(report.total_error)
)
UTILIZATION = LayerColumn(
    "used",
    lambda report, layer: percent(report.utilization(layer)),
    lambda report: percent(report.total_utilization),
)
BOUND = LayerColumn("bound", lambda _, layer: percent(layer.estimate.bound_cycles / layer.best_known_cycles), spare=3)
LIMIT = LayerColumn("limited by", lambda _, layer: layer.estimate.limited_by, number=False, spare=9)
STALLS = LayerColumn("waits for", stall_words, number=False, spare=2)
PROOF = LayerColumn("proven", lambda _, layer: proof_words(layer))
ENERGY = LayerColumn(
    "energy",
    lambda report, layer: energy_words(report.energy(layer), report.hardware.energy),
    lambda report: energy_words(report.total_energy, report.hardware.energy),
    spare=1,
)


def time_cell(report: NetworkReport, layer: AnyReport) -> str:
    seconds = seconds_of(report, layer)
    return "" if seconds is None else measured(seconds, "s")


def total_time(report: NetworkReport) -> str:
    pace = pace_of(report)
    return "" if pace is None else measured(pace.seconds, "s")


TIME = LayerColumn("time", time_cell, total_time)

BLOCKS = LayerColumn("blocks", lambda _, layer: whole(layer.memory.blocks), spare=7)
DRAM_WORDS = LayerColumn(
    "DRAM words",
    lambda _, layer: quantity(layer.memory.words),
    lambda report: quantity(report.total_dram_words),
)
DRAM_WAITS = LayerColumn(
    "waits for DRAM",
    lambda _, layer: percent(layer.memory.waiting_cycles / layer.best_known_cycles),
    lambda report: percent(report.total_waiting),
)

COLUMNS: dict[str, tuple[LayerColumn, ...]] = {
    "map": (LAYER, OPERATOR, MAPPING, ESTIMATE, UTILIZATION, BOUND, PROOF, LIMIT, ENERGY),
    "simulate": (LAYER, OPERATOR, MAPPING, CYCLES, UTILIZATION, STALLS, ENERGY),
    "validate": (LAYER, OPERATOR, MAPPING, CYCLES, ESTIMATE, ERROR, UTILIZATION, BOUND),
}
"""What each command shows."""
WITH_DRAM = {
    "simulate": (LAYER, OPERATOR, MAPPING, CYCLES, UTILIZATION, STALLS, BLOCKS, DRAM_WORDS, DRAM_WAITS, ENERGY),
}
"""What it shows instead where the global buffer or DRAM limits layers."""
NARROWEST_MAPPING = 12


def columns_of(command: str, hardware: Hardware) -> tuple[LayerColumn, ...]:
    """What a command shows of layers on this hardware."""
    columns = WITH_DRAM.get(command, COLUMNS[command]) if hardware.limits_memory else COLUMNS[command]
    if hardware.clock is not None:
        behind = columns.index(CYCLES if CYCLES in columns else ESTIMATE) + 1
        columns = (*columns[:behind], TIME, *columns[behind:])
    return columns


def table_rows(report: NetworkReport, columns: Sequence[LayerColumn]) -> list[list[str]]:
    """The cells of every layer in the network's order, without headings and totals."""
    return [
        unsupported_row(entry, columns)
        if isinstance(entry, UnsupportedLayer)
        else [column.cell(report, entry) for column in columns]
        for entry in report.entries
    ]


def unsupported_row(layer: UnsupportedLayer, columns: Sequence[LayerColumn]) -> list[str]:
    """Name and operator of a layer that did not run; the reason is a footnote."""
    known = {"layer": counted(layer.name, layer.count), "op": layer.op, "mapping": "not supported"}
    return [known.get(column.heading, "") for column in columns]


def total_row(report: NetworkReport, columns: Sequence[LayerColumn]) -> list[str]:
    return [column.total(report) for column in columns]


def network_pages(command: str, report: NetworkReport) -> list[Page]:
    """What a command prints: nothing when nothing was finished."""
    columns = columns_of(command, report.hardware)
    totals = total_row(report, columns) if len(report.layers) > 1 else None
    if not report.entries:
        return []
    return [layers_page(report, columns, footnotes(command, report), totals), *explanation_pages(report)]


def layers_page(
    report: NetworkReport, columns: Sequence[LayerColumn], notes: Sequence[str], totals: Sequence[str] | None = None
) -> Page:
    """A row for each layer."""
    return Page(
        title(report),
        [
            Column(
                column.heading,
                column.number,
                total,
                wraps=column is MAPPING,
                least_width=NARROWEST_MAPPING if column is MAPPING else None,
                spare=column.spare,
            )
            for column, total in zip(columns, totals or [""] * len(columns), strict=True)
        ],
        [
            Row(
                cells,
                style="dim" if isinstance(entry, UnsupportedLayer) else "",
                cell_styles=[cell_style(entry, column) for column in columns],
            )
            for entry, cells in zip(report.entries, table_rows(report, columns), strict=True)
        ],
        notes,
    )


def cell_style(entry: AnyReport | UnsupportedLayer, column: LayerColumn) -> str:
    """Green, yellow or red for the error of an estimate; nothing for the rest."""
    if column is not ERROR or isinstance(entry, UnsupportedLayer) or entry.error is None:
        return ""
    size = abs(entry.error)
    return "green" if size <= SMALL_ERROR else "yellow" if size <= LARGE_ERROR else "red"


def title(report: NetworkReport) -> str:
    hardware = report.hardware
    return (
        f"{report.network} on {hardware.name}: {plural(hardware.multipliers, 'multiplier')}, "
        f"{plural(hardware.ports, 'distribution port')}, {plural(hardware.buses, 'collection bus')}"
    )


def footnotes(command: str, report: NetworkReport) -> list[str]:
    """What has to be said below a command's table: choices, accuracy, shrunk, checked and unsupported layers."""
    notes = choice_notes(report) if command == "map" else []
    notes += accuracy_note(report) if command == "validate" else []
    notes += in_turn_note(report) if command == "simulate" else []
    notes += pace_note(report)
    notes += [fused_note(report, layer) for layer in report.layers if isinstance(layer, FusedReport)]
    return [*notes, *scaled_notes(report), *values_note(report), *unsupported_notes(report)]


def choice_notes(report: NetworkReport) -> list[str]:
    """Why each winner won; only how many mappings were estimated in all when there are many layers."""
    chosen = [(layer, layer.candidates) for layer in report.layers if layer.candidates is not None]
    if len(chosen) > MOST_CHOICES_LISTED:
        candidates = sum(count for _, count in chosen)
        return [
            f"{candidates:,} mappings estimated for {plural(len(chosen), 'layer')}; --layer NAME and --json say why each winner won"
        ]
    width = max((len(layer.name) for layer, _ in chosen), default=0)
    return [f"{layer.name:<{width}}  {layer.reason}" for layer, _ in chosen]


def fused_note(report: NetworkReport, layer: FusedReport) -> str:
    """Who has what of the array, and what fusing gains or costs."""
    (one, other), (first, second) = report.shares(layer), layer.parts
    words = layer.problem.intermediate_words
    text = f"{layer.name}: {first} on {one} multipliers, {second} on {other} at the same time"
    if layer.cycles_apart is None:
        return f"{text}; {whole(words)} words between them stay on the chip"
    ratio = layer.best_known_cycles / layer.cycles_apart
    return (
        f"{text}, {ratio:.2f} times the {whole(layer.cycles_apart)} cycles that they take one after the other on the whole "
        f"array; {whole(words)} words between them stay on the chip, {whole(2 * words)} less to DRAM and back"
    )


def in_turn_note(report: NetworkReport) -> list[str]:
    """What is saved when layers follow one another on hardware with DRAM."""
    together, total = report.cycles_in_turn, report.total_cycles
    if together is None or total is None or len(report.layers) < 2 or not report.hardware.limits_memory:
        return []
    saved = percent((total - together) / total, 2)
    return [
        f"In turn, the first weights of each layer read behind the layer before: {together:,} cycles ({saved} less)."
    ]


def pace_note(report: NetworkReport) -> list[str]:
    """What the clock says of all layers together."""
    pace = pace_of(report)
    return [] if pace is None else [f"All layers in turn: {pace.words()}."]


def accuracy_note(report: NetworkReport) -> list[str]:
    mean, worst = report.mean_absolute_error, report.worst_layer
    if mean is None or worst is None or len(report.layers) < 2:
        return []
    average = f"The estimate is off by {percent(mean, 2)} on average over {plural(len(report.layers), 'layer')}"
    return [f"{average}; most on {worst.name}, by {signed_percent(worst.error)}."]


def scaled_notes(report: NetworkReport) -> list[str]:
    """Which layers ran smaller than they are: each when they are few, else their number and size in all."""
    sizes = [
        (layer, layer.operations_before_scaling)
        for layer in report.layers
        if layer.operations_before_scaling is not None
    ]
    if not sizes:
        return []
    heading = "* shrunk by --scale; cycles, energy and totals are those of the smaller layer"
    if len(sizes) > MOST_SCALED_LAYERS_LISTED:
        before, after = sum(size for _, size in sizes), sum(layer.problem.operations for layer, _ in sizes)
        return [
            f"{heading} ({plural(len(sizes), 'layer')}: {before:,} operations to {after:,}; --json has the sizes of each)"
        ]
    lines = [
        f"    {layer.name}: {size:,} {'pooled inputs' if layer.problem.pools else 'MACs'} "
        f"to {layer.problem.operations:,} ({size_words(layer.problem)})"
        for layer, size in sizes
    ]
    return [f"{heading}:", *lines]


def values_note(report: NetworkReport) -> list[str]:
    checked = [layer for layer in report.layers if layer.values_checked]
    if not checked:
        return []
    return [f"Every output value of {plural(len(checked), 'layer')} equals NumPy's."]


def unsupported_notes(report: NetworkReport) -> list[str]:
    return [f"Not supported: {layer.reason}" for layer in report.unsupported]
