"""How results are printed and written as JSON. Nothing here simulates or estimates anything."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from rich.table import Table

    from maerisim.analytic import Estimate
    from maerisim.blocks import MemoryUse
    from maerisim.certificate import Certificate
    from maerisim.counters import Traffic
    from maerisim.engine import Result
    from maerisim.errors import MaerisimError
    from maerisim.fusion import FusedMapping
    from maerisim.hardware import Hardware
    from maerisim.mapping import Mapping
    from maerisim.problem import FusedProblem
    from maerisim.workload import Problem

SMALL_ERROR, LARGE_ERROR = 0.02, 0.05
"""Errors of the estimate up to the first are shown as good, beyond the second as bad."""

MOST_SCALED_LAYERS_LISTED = 10
MOST_CHOICES_LISTED = 12
"""With more layers than these the notes below a table would be longer than the table."""


class Measured(ABC):
    """What is known of a layer, or of two fused ones, after a mapping was chosen and, with a ``result``, simulated.

    ``operations_before_scaling`` is set when ``--scale`` shrank it; ``candidates``, ``reason`` and ``certificate`` come
    from the mapper and are absent when the mapping was given.
    """

    name: str
    op: str
    count: int
    estimate: Estimate
    result: Result | None
    operations_before_scaling: int | None
    candidates: int | None
    reason: str
    certificate: Certificate | None
    values_checked: bool

    @property
    def scaled(self) -> bool:
        return self.operations_before_scaling is not None

    @property
    def cycles(self) -> int | None:
        """Simulated cycles of one occurrence."""
        return None if self.result is None else self.result.cycles

    @property
    def best_known_cycles(self) -> int:
        """Simulated cycles when there are any, else the estimate."""
        return self.estimate.cycles if self.result is None else self.result.cycles

    @property
    def counters(self) -> Traffic:
        """Simulated counters when there are any, else the estimate's."""
        return self.estimate.counters if self.result is None else self.result.counters

    @property
    def memory(self) -> MemoryUse:
        """Blocks, words in the global buffer and words from and to DRAM, as estimated where nothing was simulated."""
        use = (self.result or self.estimate).memory
        return self.unlimited_memory if use is None else use

    @property
    @abstractmethod
    def unlimited_memory(self) -> MemoryUse:
        """The same where neither the buffer nor DRAM limits it."""

    @property
    def error(self) -> float | None:
        """(estimated - simulated) / simulated, a signed fraction."""
        return None if self.result is None else (self.estimate.cycles - self.result.cycles) / self.result.cycles


@dataclass(frozen=True)
class LayerReport(Measured):
    """One layer; ``problem`` is always what ran."""

    name: str
    op: str
    count: int
    problem: Problem
    mapping: Mapping
    estimate: Estimate
    result: Result | None = None
    operations_before_scaling: int | None = None
    candidates: int | None = None
    reason: str = ""
    certificate: Certificate | None = None
    values_checked: bool = False

    @property
    def unlimited_memory(self) -> MemoryUse:
        from maerisim.blocks import unlimited_use

        return unlimited_use(self.problem, self.mapping, self.best_known_cycles)


@dataclass(frozen=True)
class FusedReport(Measured):
    """Two layers that run at the same time, called ``parts``.

    ``cycles_apart`` (absent when the mapping was given) is what they take one after the other, each on the whole array
    with a mapping of its own, simulated.
    """

    name: str
    parts: tuple[str, str]
    count: int
    problem: FusedProblem
    mapping: FusedMapping
    estimate: Estimate
    result: Result | None = None
    operations_before_scaling: int | None = None
    candidates: int | None = None
    reason: str = ""
    certificate: Certificate | None = None
    values_checked: bool = False
    cycles_apart: int | None = None
    op: str = "fused"

    @property
    def unlimited_memory(self) -> MemoryUse:
        from maerisim.blocks import fused_use

        return fused_use(self.problem, self.mapping.of_layers, self.best_known_cycles)


AnyReport = LayerReport | FusedReport


@dataclass(frozen=True)
class UnsupportedLayer:
    """A layer of the network that was not run, and why."""

    name: str
    op: str
    count: int
    reason: str


EntryT = TypeVar("EntryT")


@dataclass(frozen=True)
class Findings(Generic[EntryT]):
    """What a command found out about each layer of a network on a piece of hardware, in the network's order.

    ``failure`` is the error that ended the run; the entries are what was finished before it.
    """

    hardware: Hardware
    network: str
    entries: tuple[EntryT | UnsupportedLayer, ...]
    interrupted: bool = False
    failure: MaerisimError | None = None

    @property
    def layers(self) -> list[EntryT]:
        return [entry for entry in self.entries if not isinstance(entry, UnsupportedLayer)]

    @property
    def unsupported(self) -> list[UnsupportedLayer]:
        return [entry for entry in self.entries if isinstance(entry, UnsupportedLayer)]

    def reports(self, of: Callable[[EntryT], LayerReport]) -> NetworkReport:
        """The same with what ``of`` takes of each entry."""
        entries = tuple(entry if isinstance(entry, UnsupportedLayer) else of(entry) for entry in self.entries)
        return NetworkReport(self.hardware, self.network, entries, self.interrupted, self.failure)


@dataclass(frozen=True)
class NetworkReport(Findings[AnyReport]):
    """All that is known about a network on a piece of hardware.

    ``cycles_in_turn`` are those of all layers when DRAM reads the first weights of each behind the layer before.
    """

    cycles_in_turn: int | None = None

    @property
    def total_cycles(self) -> int | None:
        """Simulated cycles of every layer times its count; None as soon as one was not simulated."""
        cycles = [(layer.cycles, layer.count) for layer in self.layers]
        return sum_or_none(None if each is None else each * count for each, count in cycles)

    @property
    def total_estimated_cycles(self) -> int:
        return sum(layer.estimate.cycles * layer.count for layer in self.layers)

    @property
    def total_error(self) -> float | None:
        """The error of the estimated total, where errors of opposite sign cancel."""
        total = self.total_cycles
        return None if not total else (self.total_estimated_cycles - total) / total

    @property
    def total_energy(self) -> float:
        return math.fsum(self.energy(layer) * layer.count for layer in self.layers)

    @property
    def mean_absolute_error(self) -> float | None:
        """Mean of |error| over the simulated layers, every layer once."""
        errors = [abs(layer.error) for layer in self.layers if layer.error is not None]
        return math.fsum(errors) / len(errors) if errors else None

    @property
    def worst_layer(self) -> AnyReport | None:
        """The layer whose estimate is furthest off."""
        simulated = [layer for layer in self.layers if layer.error is not None]
        return max(simulated, key=lambda layer: abs(layer.error or 0.0), default=None)

    def utilization(self, layer: AnyReport) -> float:
        """Operations of a layer over what all multipliers could do in its cycles."""
        return layer.counters.operations / (layer.best_known_cycles * self.hardware.multipliers)

    @property
    def total_utilization(self) -> float:
        """Operations over multiplier cycles of all layers, each times its count."""
        done = sum(layer.counters.operations * layer.count for layer in self.layers)
        cycles = sum(layer.best_known_cycles * layer.count for layer in self.layers)
        return done / (cycles * self.hardware.multipliers)

    @property
    def total_dram_words(self) -> int:
        """Words from and to DRAM of all layers, each times its count."""
        return sum(layer.memory.words * layer.count for layer in self.layers)

    @property
    def total_waiting(self) -> float:
        """Share of the cycles of all layers in which the fabric waits for DRAM."""
        waiting = sum(layer.memory.waiting_cycles * layer.count for layer in self.layers)
        return waiting / sum(layer.best_known_cycles * layer.count for layer in self.layers)

    def energy(self, layer: AnyReport) -> float:
        """Energy of one occurrence of a layer in the unit of the hardware's table."""
        return layer.counters.energy(self.hardware.energy)


def sum_or_none(values: Iterable[int | None]) -> int | None:
    """The sum, or None when a value is missing or there are none."""
    known = list(values)
    present = [value for value in known if value is not None]
    return sum(present) if known and len(present) == len(known) else None


# --- JSON -------------------------------------------------------------------------------------------------------------


def network_json(report: NetworkReport) -> dict[str, Any]:
    """The documented, deterministic JSON document of ``map``, ``simulate`` and ``validate``."""
    return {
        "hardware": report.hardware.name,
        "network": report.network,
        "layers": [layer_json(report, layer) for layer in report.layers],
        "unsupported": unsupported_json(report),
        "total_cycles": report.total_cycles,
        "total_estimated_cycles": report.total_estimated_cycles,
        "cycles_in_turn": report.cycles_in_turn,
        "mean_absolute_error": report.mean_absolute_error,
        "interrupted": report.interrupted,
    }


def unsupported_json(report: Findings[Any]) -> list[dict[str, Any]]:
    """The layers that were not run."""
    return [
        {"name": layer.name, "op": layer.op, "count": layer.count, "reason": layer.reason}
        for layer in report.unsupported
    ]


def layer_json(report: NetworkReport, layer: AnyReport) -> dict[str, Any]:
    """One entry of ``layers`` in the JSON document; fused layers have a problem and a mapping each, and ``fused``."""
    return {
        "name": layer.name,
        "op": layer.op,
        "count": layer.count,
        "cycles": layer.cycles,
        "estimated_cycles": layer.estimate.cycles,
        "error": layer.error,
        "macs": layer.problem.macs,
        "utilization": report.utilization(layer),
        "bound_cycles": layer.estimate.bound_cycles,
        "limited_by": layer.estimate.limited_by,
        "energy": report.energy(layer),
        "counters": layer.counters.as_dict(),
        "dram": memory_json(report.hardware, layer.memory),
        "mapping": mapping_json(layer.mapping)
        if isinstance(layer, LayerReport)
        else [mapping_json(mapping) for mapping in layer.mapping.of_layers],
        "scaled": layer.scaled,
        "problem": dims(layer.problem)
        if isinstance(layer, LayerReport)
        else [dims(layer.problem.first), dims(layer.problem.second)],
        "candidates": layer.candidates,
        "reason": layer.reason or None,
        "search": None if layer.certificate is None else layer.certificate.as_dict(),
        "values_checked": layer.values_checked,
    } | ({"fused": fused_json(report, layer)} if isinstance(layer, FusedReport) else {})


def mapping_json(mapping: Mapping) -> dict[str, Any]:
    return {"tile": mapping.T, "order": list(mapping.order), "placement": list(mapping.placement)}


def fused_json(report: NetworkReport, layer: FusedReport) -> dict[str, Any]:
    """What fused layers have besides: who has what of the array, and what they would take one after the other."""
    words = layer.problem.intermediate_words
    return {
        "layers": list(layer.parts),
        "multipliers": shares_of(report, layer),
        "intermediate_words": words,
        "cycles_apart": layer.cycles_apart,
        "boundary_words_apart": 2 * words,
    }


def shares_of(report: NetworkReport, layer: FusedReport) -> list[int]:
    """Multipliers of each of two fused layers."""
    return [layer.mapping.multipliers, report.hardware.multipliers - layer.mapping.multipliers]


def memory_json(hardware: Hardware, use: MemoryUse) -> dict[str, Any]:
    """What a layer takes of the global buffer and DRAM."""
    return {
        "blocks": use.blocks,
        "buffer_words": use.buffer_words,
        "read": use.read,
        "written": use.written,
        "energy": use.words * hardware.energy.dram_access,
        "compute_cycles": use.compute_cycles,
        "channel_cycles": use.dram_cycles,
        "waiting_cycles": use.waiting_cycles,
    }


# --- Words ------------------------------------------------------------------------------------------------------------


def counted(name: str, occurrences: int) -> str:
    return name if occurrences == 1 else f"{name} ×{occurrences}"


def layer_label(layer: AnyReport) -> str:
    return counted(layer.name, layer.count) + ("*" if layer.scaled else "")


def mapping_cell(report: NetworkReport, layer: AnyReport) -> str:
    """A mapping in few words; those of fused layers behind their multipliers, as in ``16: K4 | P Q + 48: C9 | Q``."""
    if isinstance(layer, LayerReport):
        return mapping_words(layer)
    parts = zip(
        shares_of(report, layer), (layer.problem.first, layer.problem.second), layer.mapping.of_layers, strict=True
    )
    return " + ".join(f"{share}: {loop_words(problem, mapping)}" for share, problem, mapping in parts)


def mapping_words(layer: LayerReport) -> str:
    """A mapping in few words."""
    return loop_words(layer.problem, layer.mapping)


def loop_words(problem: Problem, mapping: Mapping) -> str:
    """The tiles that are not 1, then the loops that turn more than once, outermost first."""
    tile, sizes = mapping.T, dims(problem)
    spatial = " ".join(f"{dim}{size}" for dim, size in tile.items() if size > 1) or "one multiplier"
    temporal = " ".join(dim for dim in mapping.order if sizes[dim] > tile[dim])
    return f"{spatial} | {temporal}" if temporal else spatial


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


def dims_words(problem: Problem) -> str:
    """The dimensions that are not 1, as in ``K96 C3 R11``."""
    return " ".join(f"{dim}{size}" for dim, size in dims(problem).items() if size > 1)


def size_words(problem: Problem | FusedProblem) -> str:
    """The same, for both of two fused layers."""
    from maerisim.problem import FusedProblem

    parts = (problem.first, problem.second) if isinstance(problem, FusedProblem) else (problem,)
    return ", then ".join(map(dims_words, parts))


def dims(problem: Problem) -> dict[str, int]:
    """Size by dimension, in the order N G K C R S P Q."""
    return {name: getattr(problem, name) for name in "NGKCRSPQ"}


def whole(value: int | None) -> str:
    """Digits in groups of three; nothing for a number that is not known."""
    return "" if value is None else f"{value:,}"


def percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}%"


def signed_percent(fraction: float | None) -> str:
    """A signed percentage; a zero has no sign."""
    if fraction is None:
        return ""
    text = f"{100 * fraction:+.2f}%"
    return text if text.strip("+-0.%") else "0.00%"


def quantity(value: float) -> str:
    """A number in three digits and a unit prefix, as in ``12.4 M``."""
    rounded = float(f"{value:.3g}")
    for unit, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")):
        if rounded >= unit:
            scaled = rounded / unit
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}{prefix}"
    return f"{rounded:g}"


# --- Tables -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column: its heading, what it says of a layer, and what it says in the row of totals."""

    heading: str
    cell: Callable[[NetworkReport, AnyReport], str]
    total: Callable[[NetworkReport], str] = lambda _report: ""
    number: bool = True


LAYER = Column("layer", lambda _, layer: layer_label(layer), lambda _: "total", number=False)
OPERATOR = Column("op", lambda _, layer: layer.op, number=False)
MAPPING = Column("mapping", mapping_cell, number=False)
CYCLES = Column("cycles", lambda _, layer: whole(layer.cycles), lambda report: whole(report.total_cycles))
ESTIMATE = Column(
    "estimate", lambda _, layer: whole(layer.estimate.cycles), lambda report: whole(report.total_estimated_cycles)
)
ERROR = Column("error", lambda _, layer: signed_percent(layer.error), lambda report: signed_percent(report.total_error))
UTILIZATION = Column(
    "used",
    lambda report, layer: percent(report.utilization(layer)),
    lambda report: percent(report.total_utilization),
)
BOUND = Column("bound", lambda _, layer: percent(layer.estimate.bound_cycles / layer.best_known_cycles))
LIMIT = Column("limited by", lambda _, layer: layer.estimate.limited_by, number=False)
STALLS = Column("waits for", stall_words, number=False)
PROOF = Column("proven", lambda _, layer: proof_words(layer))
ENERGY = Column(
    "energy",
    lambda report, layer: quantity(report.energy(layer)),
    lambda report: quantity(report.total_energy),
)

BLOCKS = Column("blocks", lambda _, layer: whole(layer.memory.blocks))
DRAM_WORDS = Column(
    "DRAM words",
    lambda _, layer: quantity(layer.memory.words),
    lambda report: quantity(report.total_dram_words),
)
DRAM_WAITS = Column(
    "waits for DRAM",
    lambda _, layer: percent(layer.memory.waiting_cycles / layer.best_known_cycles),
    lambda report: percent(report.total_waiting),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "map": (LAYER, OPERATOR, MAPPING, ESTIMATE, UTILIZATION, BOUND, PROOF, LIMIT, ENERGY),
    "simulate": (LAYER, OPERATOR, MAPPING, CYCLES, UTILIZATION, STALLS, ENERGY),
    "validate": (LAYER, OPERATOR, MAPPING, CYCLES, ESTIMATE, ERROR, UTILIZATION, BOUND),
}
"""What each command shows."""
WITH_DRAM = {
    "simulate": (LAYER, OPERATOR, MAPPING, CYCLES, UTILIZATION, STALLS, BLOCKS, DRAM_WORDS, DRAM_WAITS, ENERGY),
}
"""What it shows instead where the global buffer or DRAM limits layers."""
NARROW_SCREEN = 100
"""Columns of a terminal below which tables leave out operators, and what limits a mapping, which the notes say too."""
NARROWEST_MAPPING = 12


def columns_of(command: str, hardware: Hardware, width: int) -> tuple[Column, ...]:
    """What a command shows of layers on this hardware on a screen of so many columns: not everything fits on a narrow one."""
    columns = WITH_DRAM.get(command, COLUMNS[command]) if hardware.limits_memory else COLUMNS[command]
    return tuple(column for column in columns if column not in (OPERATOR, LIMIT) or width >= NARROW_SCREEN)


def table_rows(report: NetworkReport, columns: Sequence[Column]) -> list[list[str]]:
    """The cells of every layer in the network's order, without headings and totals."""
    return [
        unsupported_row(entry, columns)
        if isinstance(entry, UnsupportedLayer)
        else [column.cell(report, entry) for column in columns]
        for entry in report.entries
    ]


def unsupported_row(layer: UnsupportedLayer, columns: Sequence[Column]) -> list[str]:
    """Name and operator of a layer that did not run; the reason is a footnote."""
    known = {"layer": counted(layer.name, layer.count), "op": layer.op, "mapping": "not supported"}
    return [known.get(column.heading, "") for column in columns]


def total_row(report: NetworkReport, columns: Sequence[Column]) -> list[str]:
    return [column.total(report) for column in columns]


def network_table(report: NetworkReport, columns: Sequence[Column], *, totals: bool = True) -> Table:
    """The report as a rich table; with ``totals`` in a last row when there is more than one layer."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    with_total = totals and len(report.layers) > 1
    for column, total in zip(columns, total_row(report, columns), strict=True):
        table.add_column(
            column.heading,
            footer=Text(total) if with_total else "",
            justify="right" if column.number else "left",
            no_wrap=column is not MAPPING,
            min_width=NARROWEST_MAPPING if column is MAPPING else None,
            overflow="fold",
        )
    table.show_footer = with_total
    for entry, cells in zip(report.entries, table_rows(report, columns), strict=True):
        dim = "dim" if isinstance(entry, UnsupportedLayer) else ""
        table.add_row(
            *(Text(cell, cell_style(entry, column)) for cell, column in zip(cells, columns, strict=True)), style=dim
        )
    return table


def cell_style(entry: AnyReport | UnsupportedLayer, column: Column) -> str:
    """Green, yellow or red for the error of an estimate; nothing for the rest."""
    if column is not ERROR or isinstance(entry, UnsupportedLayer) or entry.error is None:
        return ""
    size = abs(entry.error)
    return "green" if size <= SMALL_ERROR else "yellow" if size <= LARGE_ERROR else "red"


def title(report: NetworkReport) -> str:
    hardware = report.hardware
    return (
        f"{report.network} on {hardware.name}: {hardware.multipliers} multipliers, "
        f"{hardware.ports} distribution ports, {hardware.buses} collection buses"
    )


def footnotes(command: str, report: NetworkReport) -> list[str]:
    """What has to be said below a command's table: choices, accuracy, shrunk, checked and unsupported layers."""
    notes = choice_notes(report) if command == "map" else []
    notes += accuracy_note(report) if command == "validate" else []
    notes += in_turn_note(report) if command == "simulate" else []
    notes += [fused_note(report, layer) for layer in report.layers if isinstance(layer, FusedReport)]
    return [*notes, *scaled_notes(report), *values_note(report), *unsupported_notes(report)]


def choice_notes(report: NetworkReport) -> list[str]:
    """Why each winner won; only how many mappings were estimated in all when there are many layers."""
    chosen = [(layer, layer.candidates) for layer in report.layers if layer.candidates is not None]
    if len(chosen) > MOST_CHOICES_LISTED:
        candidates = sum(count for _, count in chosen)
        return [
            f"{candidates:,} mappings estimated for {len(chosen)} layers; --layer NAME and --json say why each winner won"
        ]
    width = max((len(layer.name) for layer, _ in chosen), default=0)
    return [f"{layer.name:<{width}}  {layer.reason}" for layer, _ in chosen]


def fused_note(report: NetworkReport, layer: FusedReport) -> str:
    """Who has what of the array, and what fusing gains or costs."""
    (one, other), (first, second) = shares_of(report, layer), layer.parts
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


def accuracy_note(report: NetworkReport) -> list[str]:
    mean, worst = report.mean_absolute_error, report.worst_layer
    if mean is None or worst is None or len(report.layers) < 2:
        return []
    average = f"The estimate is off by {percent(mean, 2)} on average over {len(report.layers)} layers"
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
        return [f"{heading} ({len(sizes)} layers: {before:,} operations to {after:,}; --json has the sizes of each)"]
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
    layers = "1 layer" if len(checked) == 1 else f"{len(checked)} layers"
    return [f"Every output value of {layers} equals NumPy's."]


def unsupported_notes(report: NetworkReport) -> list[str]:
    return [f"Not supported: {layer.reason}" for layer in report.unsupported]
