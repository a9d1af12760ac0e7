"""How profiles of mappings are printed and written as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from maerisim.counts.tile_kinds import summed
from maerisim.mapping.notation import counted, mapping_words, percent, quantity, whole
from maerisim.report.findings import Findings, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.report.table import layer_label, scaled_notes, unsupported_notes
from maerisim.workload.problem import DIMENSIONS

if TYPE_CHECKING:
    from rich.table import Table

    from maerisim.counts.tile_kinds import Share, TileKind, Work
    from maerisim.counts.totals import Multicasts
    from maerisim.hardware.hardware import EnergyTable
    from maerisim.report.profile import Profile, Relief

MOST_TILES_LISTED = 8
"""A sparse layer has a kind of tile for every fold of every set of filters."""
LABEL_COLUMNS, NUMBER_COLUMNS = 36, 14
"""Widths of the names and of the numbers where kinds of tiles stand beside one another."""


@dataclass(frozen=True)
class ProfiledLayer:
    """A layer with its mapping, simulated, and the profile of that run."""

    layer: LayerReport
    profile: Profile


@dataclass(frozen=True)
class ProfileReport(Findings[ProfiledLayer]):
    """The layers of a network with their profiles."""

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``report``."""
        results, layers, energies = self.results, self.layers, self.hardware.energy
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "layers": [results.layer_dict(each.layer) | profile_json(each, energies) for each in layers],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "total_cycles": results.total_cycles,
            "total_energy": results.total_energy,
            "total_dram_energy": math.fsum(dram_energy(each.profile) * each.layer.count for each in layers),
            "total_code_bits": sum(code_size(each.profile) for each in layers),
            "interrupted": self.interrupted,
        }

    @property
    def results(self) -> NetworkReport:
        """The same without the profiles."""
        return self.reports(lambda profiled: profiled.layer)


@dataclass(frozen=True)
class Section:
    """A part of a page: a table, whose first ``words`` columns are text and the others numbers, and notes below it."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    words: int
    notes: Sequence[str] = ()

    @property
    def headed(self) -> bool:
        """Whether there are headings."""
        return any(self.headings)


# --- JSON -------------------------------------------------------------------------------------------------------------


def profile_json(each: ProfiledLayer, energies: EnergyTable) -> dict[str, Any]:
    """What the report adds to an entry of ``layers`` of ``simulate``."""
    profile = each.profile
    return {
        "loops": [loop._asdict() for loop in loops(each.layer)],
        "control_steps": profile.steps,
        "configurations": profile.configurations,
        "peak_utilization": profile.peak_utilization,
        "step_utilization": profile.step_utilization,
        "tiles": [share_json(share, energies) for share in profile.shares],
        "multicasts": multicasts_json(profile.multicasts),
        "events": [asdict(spent) for spent in profile.spent],
        "compulsory_dram_words": profile.dram,
        "compulsory_dram_energy": dram_energy(profile) * sum(profile.dram.values()) / dram_words(profile),
        "busiest": profile.busiest.resource,
        "busy_cycles": {load.resource: load.busy for load in profile.loads},
        "bounds": {load.resource: load.bound for load in profile.loads},
        "relief": [asdict(relief) | {"saved_cycles": profile.cycles - relief.cycles} for relief in profile.reliefs],
        "code_bits": profile.code_bits,
    }


def share_json(share: Share, energies: EnergyTable) -> dict[str, Any]:
    """A kind of tile, with all that is done in its control steps."""
    return asdict(share.tile) | {
        "virtual_neurons": [{"size": size, "count": count} for size, count in share.tile.virtual_neurons],
        "busy_cycles": share.work.busy,
        "busiest": share.work.busiest,
        "counters": share.work.traffic.as_dict(),
        "multicasts": multicasts_json(share.work.multicasts),
        "events": [asdict(spent) for spent in share.work.traffic.spent(energies)],
        "energy": share.work.traffic.energy(energies),
    }


def multicasts_json(multicasts: Mapping[str, Multicasts]) -> dict[str, Any]:
    """Per operand the words that are read and sent."""
    return {
        operand: {
            "unicasts": sent.words.get(1, 0),
            "multicasts": wide_words(sent),
            "words_by_width": {str(width): count for width, count in sent.words.items()},
            "packets": sent.packets,
            "distribution_hops": sent.hops,
        }
        for operand, sent in multicasts.items()
    }


# --- Numbers ----------------------------------------------------------------------------------------------------------


def dram_words(profile: Profile) -> int:
    """Words from and to DRAM, the compulsory ones where DRAM is not modelled."""
    return sum(spent.count for spent in profile.spent if spent.component == "dram")


def dram_energy(profile: Profile) -> float:
    """Energy of these words."""
    return math.fsum(spent.energy for spent in profile.spent if spent.component == "dram")


def code_size(profile: Profile) -> int:
    """Bits of all parts of the code."""
    return sum(profile.code_bits.values())


def wide_words(sent: Multicasts) -> int:
    """Words that go to more than one multiplier switch."""
    return sum(count for width, count in sent.words.items() if width > 1)


def delivered(sent: Multicasts) -> int:
    """Words that arrive at multiplier switches."""
    return sum(width * count for width, count in sent.words.items())


def mean_width(sent: Multicasts) -> str:
    """Switches that a multicast goes to on average; nothing when there is none."""
    wide = wide_words(sent)
    return f"{(delivered(sent) - sent.words.get(1, 0)) / wide:.2f}" if wide else ""


class TurningLoop(NamedTuple):
    """A temporal loop: how many ``tiles`` of ``size`` a dimension is cut into, and the size of the ``last``."""

    dimension: str
    tiles: int
    size: int
    last: int


def loops(layer: LayerReport) -> list[TurningLoop]:
    """The loops that turn, outermost first; none for a sparse layer, where each set of filters has its own."""
    if layer.problem.sparsity is not None:
        return []
    sizes = dict(zip(DIMENSIONS, layer.problem.dims, strict=True))
    found = []
    for dimension in layer.mapping.order:
        size, tile = sizes[dimension], layer.mapping.tile_of(dimension)
        if tile < size:
            found.append(TurningLoop(dimension, -(-size // tile), tile, size % tile or tile))
    return found


# --- Sections ---------------------------------------------------------------------------------------------------------


def sections(report: ProfileReport, each: ProfiledLayer, width: int) -> list[Section]:
    """The page of one layer, for a screen of so many columns."""
    profile = each.profile
    return [
        summary(report, each),
        tiles_section(profile),
        *shares_sections(profile, report.hardware.energy, width),
        distribution_section(profile),
        energy_section(profile),
        bounds_section(profile),
        relief_section(profile),
    ]


def summary(report: ProfileReport, each: ProfiledLayer) -> Section:
    """A line for each figure of the whole run."""
    layer, profile = each.layer, each.profile
    stalls = profile.counters.stalls
    waits = sorted((cause for cause in stalls if stalls[cause]), key=lambda cause: -stalls[cause])
    all_cycles = profile.cycles * profile.multipliers
    rows = [
        ("mapping", mapping_words(layer.problem, layer.mapping)),
        *([("loops", loop_words(layer))] if loops(layer) else []),
        ("cycles", f"{profile.cycles:,}, {profile.cycles / layer.estimate.bound_cycles:.2f} times the bound"),
        ("control steps", f"{profile.steps:,} in {plural(profile.configurations, 'configuration')} of the fabric"),
        ("utilization", utilization_words(profile)),
        (
            "limited by",
            f"{profile.busiest.resource}: busy in {percent(profile.busiest.busy / profile.cycles)} of the cycles",
        ),
        (
            "waits for",
            ", ".join(f"{cause} {percent(stalls[cause] / all_cycles)}" for cause in waits) + " of multiplier cycles"
            if waits
            else "nothing",
        ),
        ("energy", f"{quantity(profile.energy)} ({report.hardware.energy.unit}), DRAM apart"),
        *dram_rows(profile),
        ("code size", code_words(profile)),
    ]
    title = f"{layer_label(layer)} of {report.network} on {report.hardware.name}"
    return Section(title, ("", ""), rows, words=2)


def dram_rows(profile: Profile) -> list[tuple[str, str]]:
    """What moves from and to DRAM, where it is modelled also in how many blocks, and how long the fabric waits."""
    least, words, energy = sum(profile.dram.values()), dram_words(profile), quantity(dram_energy(profile))
    use = profile.memory
    if use is None:
        pace = f"{least / profile.cycles:.2f} words a cycle keep pace"
        return [("compulsory DRAM", f"{least:,} words, energy {energy}; {pace}")]
    waits = f"the fabric waits in {percent(use.waiting_cycles / profile.cycles)} of the cycles"
    return [
        ("DRAM", f"{words:,} words, {words / least:.2f} times the compulsory, energy {energy}; {waits}"),
        ("global buffer", f"{plural(use.blocks, 'block')}, at most {use.buffer_words:,} words"),
    ]


def loop_words(layer: LayerReport) -> str:
    """The loops with their tiles, those of 1 without saying so."""
    return ", ".join(
        f"{dimension} {tiles}" + (f" x {size}" if size > 1 else "") + (f" (last {last})" if last != size else "")
        for dimension, tiles, size, last in loops(layer)
    )


def utilization_words(profile: Profile) -> str:
    """Average and peak utilization."""
    peak = max(kind.multipliers for kind in profile.tiles)
    return (
        f"{percent(profile.utilization)} of the multipliers on average over the cycles, "
        f"{percent(profile.step_utilization)} over the control steps; "
        f"peak {percent(profile.peak_utilization)} ({peak} of {profile.multipliers})"
    )


def code_words(profile: Profile) -> str:
    """The size of the code in bytes, and of what."""
    parts = ", ".join(f"{name.replace('_', ' ')} {-(-bits // 8):,}" for name, bits in profile.code_bits.items())
    return f"{-(-code_size(profile) // 8):,} bytes ({parts})"


def tiles_section(profile: Profile) -> Section:
    """The kinds of tiles; with many of them only the first, and how many more there are."""
    listed = profile.tiles[:MOST_TILES_LISTED]
    rows = [tile_row(number, kind, profile) for number, kind in enumerate(listed, 1)]
    hidden = profile.tiles[MOST_TILES_LISTED:]
    notes = []
    if hidden:
        steps = sum(kind.steps for kind in hidden)
        notes = [f"{plural(len(hidden), 'more kind')} in {steps:,} control steps; --json lists all"]
    headings = ("kind", "virtual neurons", "used", "empty", "partial sums", "idle", "control steps", "share")
    return Section("kinds of tiles, in multiplier switches", headings, rows, words=2, notes=notes)


def tile_row(number: int, kind: TileKind, profile: Profile) -> list[str]:
    """One kind of tile."""
    sizes = ", ".join(f"{count} of {size}" for size, count in kind.virtual_neurons) or "none"
    counts = [kind.multipliers, kind.empty, kind.partial_sums, kind.idle, kind.steps]
    return [str(number), sizes, *map(whole, counts), percent(kind.steps / profile.steps)]


def shares_sections(profile: Profile, energies: EnergyTable, width: int) -> list[Section]:
    """The kinds of tiles beside one another, those without a column as one; nothing when there is a single kind."""
    if len(profile.shares) == 1:
        return []
    columns = [share.work for share in profile.shares]
    names = [f"kind {number}" for number in range(1, len(columns) + 1)]
    most = max(2, (width - LABEL_COLUMNS) // NUMBER_COLUMNS - 1)
    if len(columns) > most:
        names = [*names[: most - 1], f"{most} to {len(columns)}"]
        columns = [*columns[: most - 1], summed(columns[most - 1 :])]
    columns.append(summed(columns))
    by_column = [figures(work, energies) for work in columns]
    rows = [
        [name.replace("_", " "), *(found.get(name, "") for found in by_column)]
        for name in dict.fromkeys(name for found in by_column for name in found)
        if any(found.get(name, "0") not in ("0", "") for found in by_column)
    ]
    note = (
        "words count with the control step they are sent for. Cycles do not divide: the ports load the next tile while one "
        "computes, so that tiles overlap; and each kind may keep another port or bus busiest"
    )
    return [Section("what each kind of tile does", ("", *names, "total"), rows, words=1, notes=[note])]


def figures(work: Work, energies: EnergyTable) -> dict[str, str]:
    """All that is known of some work, by name: time, words by operand, events, energy by component."""
    found = {
        "busiest": work.busiest,
        "control steps": whole(work.steps),
        "slots of the busiest port": whole(work.busy["distribution"]),
        "results on the busiest bus": whole(work.busy["collection"]),
    }
    for operand, sent in work.multicasts.items():
        found |= {
            f"{operand}: unicasts": whole(sent.words.get(1, 0)),
            f"{operand}: multicasts": whole(wide_words(sent)),
            f"{operand}: mean width": mean_width(sent),
            f"{operand}: delivered": whole(delivered(sent)),
            f"{operand}: port slots": whole(sent.packets),
        }
    found["inputs: forwarded"] = whole(work.traffic.forwards)
    found |= {f"{spent.component}: {spent.event}": whole(spent.count) for spent in work.traffic.spent(energies)}
    by_component = work.traffic.energy_by_component(energies)
    found |= {f"energy: {component}": quantity(energy) for component, energy in by_component.items()}
    return found | {"energy": quantity(work.traffic.energy(energies))}


def distribution_section(profile: Profile) -> Section:
    """Per operand the words that are read and sent, and how wide they are."""
    used = {operand: sent for operand, sent in profile.multicasts.items() if sent.words}
    by_figure: dict[str, Callable[[Multicasts], str]] = {
        "unicasts": lambda sent: whole(sent.words.get(1, 0)),
        "multicasts": lambda sent: whole(wide_words(sent)),
        "mean width of a multicast": mean_width,
        "widest": lambda sent: whole(max(sent.words)) if wide_words(sent) else "",
        "delivered": lambda sent: whole(delivered(sent)),
        "port slots": lambda sent: whole(sent.packets),
        "distribution switches passed": lambda sent: whole(sent.hops),
    }
    rows = [[name, *map(figure, used.values())] for name, figure in by_figure.items()]
    rows = [row for row in rows if any(row[1:])]
    if profile.counters.forwards:
        forwarded = whole(profile.counters.forwards)
        rows.append(["forwarded by the neighbour", *(forwarded if operand == "inputs" else "" for operand in used)])
    headings = ("", *(operand.replace("_", " ") for operand in used))
    note = (
        "unicasts, multicasts: words read from the global buffer, to one or more multiplier switches (their width); "
        "each takes a slot of every port that it is needed below"
    )
    return Section("distribution", headings, rows, words=1, notes=[note])


def energy_section(profile: Profile) -> Section:
    """Events and energy by component; what does not occur is left out."""
    spent = [entry for entry in profile.spent if entry.count]
    total = profile.energy
    rows = []
    for entry in spent:
        share = "" if entry.component == "dram" else percent(entry.energy / total) if total else ""
        component = entry.component.replace("_", " ")
        if entry.component == "dram":
            component = "DRAM, compulsory" if profile.memory is None else "DRAM"
        rows.append([component, entry.event.replace("_", " "), whole(entry.count), quantity(entry.energy), share])
    rows.append(["total", "without DRAM", "", quantity(total), ""])
    headings = ("component", "event", "count", "energy", "share")
    return Section("accesses and energy", headings, rows, words=2)


def bounds_section(profile: Profile) -> Section:
    """For each resource the cycles it is busy in, and those that no mapping can save."""
    rows = [
        [
            load.resource,
            whole(load.busy),
            percent(load.busy / profile.cycles),
            whole(load.bound),
            percent(load.bound / profile.cycles),
        ]
        for load in profile.loads
    ]
    headings = ("resource", "busy cycles", "of cycles", "bound", "of cycles")
    dram = "DRAM has no bandwidth here, so it bounds nothing"
    if profile.memory is not None:
        dram = "control steps, port and bus are those of the layer in one piece, without blocks"
    note = (
        "busy: cycles of the control steps, of the busiest port, of the busiest bus; "
        f"bound: the least that any mapping needs of it on this hardware. {dram}"
    )
    return Section("distance from the bounds", headings, rows, words=1, notes=[note])


def relief_section(profile: Profile) -> Section:
    """What was simulated with more of each resource."""
    rows = [relief_row(relief, profile) for relief in profile.reliefs]
    headings = ("more of", "change", "cycles", "saved", "of cycles")
    notes = ["each simulated, with the same mapping unless mapped anew; a negative number costs cycles"]
    return Section("what would relieve it", headings, rows, words=2, notes=notes)


def relief_row(relief: Relief, profile: Profile) -> list[str]:
    saved = profile.cycles - relief.cycles
    change = f"{relief.change}, mapped anew" if relief.remapped else relief.change
    return [relief.resource, change, whole(relief.cycles), whole(saved), percent(saved / profile.cycles)]


def totals_section(report: ProfileReport) -> Section:
    """A row for each layer and the sums over all of them, each times its count but for the code, which all share."""
    rows = []
    for entry in report.entries:
        if isinstance(entry, UnsupportedLayer):
            rows.append([counted(entry.name, entry.count), "not supported", *[""] * 7])
            continue
        layer, profile = entry.layer, entry.profile
        rows.append(
            [
                layer_label(layer),
                profile.busiest.resource,
                best_relief(profile),
                whole(profile.cycles),
                percent(layer.estimate.bound_cycles / profile.cycles),
                percent(profile.utilization),
                quantity(profile.energy),
                quantity(dram_energy(profile)),
                whole(-(-code_size(profile) // 8)),
            ]
        )
    results = report.results
    dram = math.fsum(dram_energy(each.profile) * each.layer.count for each in report.layers)
    code = sum(code_size(each.profile) for each in report.layers)
    sums = [whole(results.total_cycles), "", percent(results.total_utilization), quantity(results.total_energy)]
    rows.append(["total", "", "", *sums, quantity(dram), whole(-(-code // 8))])
    headings = ("layer", "limited by", "best relief", "cycles", "bound", "used", "energy", "DRAM", "code")
    return Section("in total", headings, rows, words=3, notes=["code: bytes, once for all occurrences of a layer"])


def best_relief(profile: Profile) -> str:
    """The single resource of which twice as much, with the same mapping, saves most."""
    single = [relief for relief in profile.reliefs if not relief.remapped and relief.resource != "all of these"]
    best = min(single, key=lambda relief: relief.cycles, default=None)
    if best is None or best.cycles >= profile.cycles:
        return "none"
    return f"{best.resource} {percent((best.cycles - profile.cycles) / profile.cycles)}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def notes(report: ProfileReport) -> list[str]:
    """Which layers are smaller than they are, and which did not run."""
    return [*scaled_notes(report.results), *unsupported_notes(report.results)]


def table(section: Section) -> Table:
    """A section as a rich table."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    style = box.SIMPLE_HEAD if section.headed else None
    result = Table(box=style, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, show_header=section.headed)
    for place, heading in enumerate(section.headings):
        text = place < section.words
        words = [word for row in section.rows if text for word in row[place].split()]
        result.add_column(
            heading,
            justify="left" if text else "right",
            no_wrap=place == 0 or not text,
            min_width=max(map(len, words), default=None),
            overflow="fold",
        )
    for row in section.rows:
        result.add_row(*(Text(cell) for cell in row))
    return result
