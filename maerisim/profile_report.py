"""How profiles of mappings are printed and written as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from maerisim.report import (
    LayerReport,
    NetworkReport,
    UnsupportedLayer,
    counted,
    layer_json,
    layer_label,
    mapping_words,
    percent,
    quantity,
    scaled_notes,
    unsupported_notes,
    whole,
)

if TYPE_CHECKING:
    from rich.table import Table

    from maerisim.engine.totals import Multicasts
    from maerisim.errors import MaerisimError
    from maerisim.hardware import Hardware
    from maerisim.profile import Profile, Relief, TileKind

MOST_TILES_LISTED = 8
"""A sparse layer has a kind of tile for every fold of every set of filters."""


@dataclass(frozen=True)
class ProfiledLayer:
    """A layer with its mapping, simulated, and the profile of that run."""

    layer: LayerReport
    profile: Profile


@dataclass(frozen=True)
class ProfileReport:
    """The layers of a network in its order; ``failure`` is the error that ended the run."""

    hardware: Hardware
    network: str
    entries: tuple[ProfiledLayer | UnsupportedLayer, ...]
    interrupted: bool = False
    failure: MaerisimError | None = None

    @property
    def layers(self) -> list[ProfiledLayer]:
        return [entry for entry in self.entries if isinstance(entry, ProfiledLayer)]

    @property
    def results(self) -> NetworkReport:
        """The same without the profiles."""
        entries = (entry.layer if isinstance(entry, ProfiledLayer) else entry for entry in self.entries)
        return NetworkReport(self.hardware, self.network, tuple(entries), self.interrupted, self.failure)


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


def profiles_json(report: ProfileReport) -> dict[str, Any]:
    """The documented, deterministic JSON document of ``report``."""
    results = report.results
    layers = report.layers
    return {
        "hardware": report.hardware.name,
        "network": report.network,
        "layers": [layer_json(results, each.layer) | profile_json(each.profile) for each in layers],
        "unsupported": [
            {"name": layer.name, "op": layer.op, "count": layer.count, "reason": layer.reason}
            for layer in results.unsupported
        ],
        "total_cycles": results.total_cycles,
        "total_energy": results.total_energy,
        "total_dram_energy": math.fsum(dram_energy(each.profile) * each.layer.count for each in layers),
        "total_code_bits": sum(code_size(each.profile) for each in layers),
        "interrupted": report.interrupted,
    }


def profile_json(profile: Profile) -> dict[str, Any]:
    """What the report adds to an entry of ``layers`` of ``simulate``."""
    return {
        "control_steps": profile.steps,
        "configurations": profile.configurations,
        "peak_utilization": profile.peak_utilization,
        "step_utilization": profile.step_utilization,
        "tiles": [
            asdict(kind) | {"virtual_neurons": [{"size": s, "count": n} for s, n in kind.virtual_neurons]}
            for kind in profile.tiles
        ],
        "multicasts": {
            operand: {
                "unicasts": sent.words.get(1, 0),
                "multicasts": wide_words(sent),
                "words_by_width": {str(width): count for width, count in sent.words.items()},
                "packets": sent.packets,
                "distribution_hops": sent.hops,
            }
            for operand, sent in profile.multicasts.items()
        },
        "events": [asdict(spent) for spent in profile.spent],
        "compulsory_dram_words": profile.dram,
        "compulsory_dram_energy": dram_energy(profile) * sum(profile.dram.values()) / dram_words(profile),
        "busiest": profile.busiest.resource,
        "busy_cycles": {load.resource: load.busy for load in profile.loads},
        "bounds": {load.resource: load.bound for load in profile.loads},
        "relief": [asdict(relief) | {"saved_cycles": profile.cycles - relief.cycles} for relief in profile.reliefs],
        "code_bits": profile.code_bits,
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


# --- Sections ---------------------------------------------------------------------------------------------------------


def sections(report: ProfileReport, each: ProfiledLayer) -> list[Section]:
    """The page of one layer."""
    profile = each.profile
    return [
        summary(report, each),
        tiles_section(profile),
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
        ("mapping", mapping_words(layer)),
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
    rows = [tile_row(kind, profile) for kind in listed]
    hidden = profile.tiles[MOST_TILES_LISTED:]
    notes = []
    if hidden:
        steps = sum(kind.steps for kind in hidden)
        notes = [f"{plural(len(hidden), 'more kind')} in {steps:,} control steps; --json lists all"]
    headings = ("virtual neurons", "used", "empty", "partial sums", "idle", "control steps", "share")
    return Section("kinds of tiles, in multiplier switches", headings, rows, words=1, notes=notes)


def tile_row(kind: TileKind, profile: Profile) -> list[str]:
    """One kind of tile."""
    sizes = ", ".join(f"{count} of {size}" for size, count in kind.virtual_neurons) or "none"
    counts = [kind.multipliers, kind.empty, kind.partial_sums, kind.idle, kind.steps]
    return [sizes, *map(whole, counts), percent(kind.steps / profile.steps)]


def distribution_section(profile: Profile) -> Section:
    """Per operand the words that are read and sent, and how wide they are."""
    rows = []
    for operand, sent in profile.multicasts.items():
        delivered = sum(width * count for width, count in sent.words.items())
        wide, unicasts = wide_words(sent), sent.words.get(1, 0)
        if delivered:
            mean_width = f"{(delivered - unicasts) / wide:.2f}" if wide else ""
            widest = whole(max(sent.words)) if wide else ""
            counts = map(whole, (delivered, sent.packets, sent.hops))
            rows.append([operand.replace("_", " "), whole(unicasts), whole(wide), mean_width, widest, *counts])
    if profile.counters.forwards:
        rows.append(["inputs forwarded", "", "", "", "", whole(profile.counters.forwards), "", ""])
    headings = ("operand", "unicasts", "multicasts", "mean width", "widest", "delivered", "port slots", "hops")
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
            rows.append([counted(entry.name, entry.count), "not supported", *[""] * 8])
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
                percent(profile.peak_utilization),
                quantity(profile.energy),
                quantity(dram_energy(profile)),
                whole(-(-code_size(profile) // 8)),
            ]
        )
    results = report.results
    dram = math.fsum(dram_energy(each.profile) * each.layer.count for each in report.layers)
    code = sum(code_size(each.profile) for each in report.layers)
    sums = [whole(results.total_cycles), "", percent(results.total_utilization), "", quantity(results.total_energy)]
    rows.append(["total", "", "", *sums, quantity(dram), whole(-(-code // 8))])
    headings = ("layer", "limited by", "best relief", "cycles", "bound", "used", "peak", "energy", "DRAM", "code bytes")
    return Section("in total", headings, rows, words=3)


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
    result = Table(box=style, padding=(0, 1, 0, 0), pad_edge=False, show_header=section.headed)
    for place, heading in enumerate(section.headings):
        text = place < section.words
        result.add_column(heading, justify="left" if text else "right", no_wrap=not text, overflow="fold")
    for row in section.rows:
        result.add_row(*(Text(cell) for cell in row))
    return result
