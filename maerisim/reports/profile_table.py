"""Profiles of mappings as tables: several for each layer, and one for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maerisim.counts.tile_kinds import summed
from maerisim.mapping.notation import counted, energy_words, mapping_words, percent, whole
from maerisim.reports.findings import NetworkReport, UnsupportedLayer
from maerisim.reports.network_table import layer_label, scaled_notes, unsupported_notes
from maerisim.reports.pace import pace_of
from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural

if TYPE_CHECKING:
    from maerisim.counts.multicasts import Multicasts
    from maerisim.counts.tile_kinds import TileKind, Work
    from maerisim.hardware.energy import EnergyTable
    from maerisim.reports.profile import Profile
    from maerisim.reports.profile_report import ProfiledLayer, ProfileReport
    from maerisim.reports.relief import Relief

MOST_TILES_LISTED = 8
"""A sparse layer has a kind of tile for every fold of every set of filters."""
LABEL_COLUMNS, NUMBER_COLUMNS = 36, 14
"""Widths of the names and of the numbers where kinds of tiles stand beside one another."""


def profile_pages(report: ProfileReport, width: int) -> list[Page]:
    """What ``report`` prints, for a screen of so many columns."""
    pages = [page for each in report.layers for page in layer_pages(report, each, width)]
    return [*pages, totals_section(report)] if len(report.layers) > 1 else pages


def layer_pages(report: ProfileReport, each: ProfiledLayer, width: int) -> list[Page]:
    """All that is said of one layer."""
    profile = each.profile
    return [
        summary(report, each),
        tiles_section(profile),
        *shares_sections(profile, report.hardware.energy, width),
        distribution_section(profile),
        energy_section(profile, report.hardware.energy),
        bounds_section(profile),
        relief_section(profile),
    ]


def section(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], words: int, notes: Sequence[str] = ()
) -> Page:
    """A table whose first ``words`` columns are text and the others numbers, with a free line after the notes below it."""
    longest = [max((len(word) for row in rows for word in row[place].split()), default=0) for place in range(words)]
    columns = [
        Column(heading, number=False, wraps=place > 0, least_width=longest[place]) if place < words else Column(heading)
        for place, heading in enumerate(headings)
    ]
    return Page(title, columns, list(map(Row, rows)), [*([""] if notes else []), *notes, ""], apart=False)


def summary(report: ProfileReport, each: ProfiledLayer) -> Page:
    """A line for each figure of the whole run."""
    layer, profile = each.layer, each.profile
    stalls = profile.counters.stalls
    waits = sorted((cause for cause in stalls if stalls[cause]), key=lambda cause: -stalls[cause])
    all_cycles = profile.cycles * profile.multipliers
    energies = report.hardware.energy
    unit = f" ({energies.unit})" if energies.joules is None else ""
    rows = [
        ("mapping", mapping_words(layer.problem, layer.mapping)),
        *([("loops", loop_words(each))] if each.loops else []),
        ("cycles", f"{profile.cycles:,}, {profile.cycles / layer.estimate.bound_cycles:.2f} times the bound"),
        *time_rows(report, each),
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
        ("energy", f"{energy_words(profile.energy, energies)}{unit}, DRAM apart"),
        *dram_rows(profile, energies),
        ("code size", code_words(profile)),
    ]
    title = f"{layer_label(layer)} of {report.network} on {report.hardware.name}"
    return section(title, ("", ""), rows, words=2)


def time_rows(report: ProfileReport, each: ProfiledLayer) -> list[tuple[str, str]]:
    """What the clock says of one occurrence of a layer."""
    alone = NetworkReport(report.hardware, report.network, (replace(each.layer, count=1),))
    pace = pace_of(alone)
    return [] if pace is None else [("time", pace.words())]


def dram_rows(profile: Profile, energies: EnergyTable) -> list[tuple[str, str]]:
    """What moves from and to DRAM, where it is modelled also in how many blocks, and how long the fabric waits."""
    least, words, energy = sum(profile.dram.values()), profile.dram_words, energy_words(profile.dram_energy, energies)
    use = profile.memory
    if use is None:
        pace = f"{least / profile.cycles:.2f} words a cycle keep pace"
        return [("compulsory DRAM", f"{least:,} words, energy {energy}; {pace}")]
    waits = f"the fabric waits in {percent(use.waiting_cycles / profile.cycles)} of the cycles"
    return [
        ("DRAM", f"{words:,} words, {words / least:.2f} times the compulsory, energy {energy}; {waits}"),
        ("global buffer", f"{plural(use.blocks, 'block')}, at most {use.buffer_words:,} words"),
    ]


def loop_words(each: ProfiledLayer) -> str:
    """The loops with their tiles, those of 1 without saying so."""
    return ", ".join(
        f"{dimension} {tiles}" + (f" x {size}" if size > 1 else "") + (f" (last {last})" if last != size else "")
        for dimension, tiles, size, last in each.loops
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
    return f"{-(-profile.code_size // 8):,} bytes ({parts})"


def tiles_section(profile: Profile) -> Page:
    """The kinds of tiles; with many of them only the first, and how many more there are."""
    listed = profile.tiles[:MOST_TILES_LISTED]
    rows = [tile_row(number, kind, profile) for number, kind in enumerate(listed, 1)]
    hidden = profile.tiles[MOST_TILES_LISTED:]
    notes = []
    if hidden:
        steps = sum(kind.steps for kind in hidden)
        notes = [f"{plural(len(hidden), 'more kind')} in {steps:,} control steps; --json lists all"]
    headings = ("kind", "virtual neurons", "used", "empty", "partial sums", "idle", "control steps", "share")
    return section("kinds of tiles, in multiplier switches", headings, rows, words=2, notes=notes)


def tile_row(number: int, kind: TileKind, profile: Profile) -> list[str]:
    """One kind of tile."""
    sizes = ", ".join(f"{count} of {size}" for size, count in kind.virtual_neurons) or "none"
    counts = [kind.multipliers, kind.empty, kind.partial_sums, kind.idle, kind.steps]
    return [str(number), sizes, *map(whole, counts), percent(kind.steps / profile.steps)]


def shares_sections(profile: Profile, energies: EnergyTable, width: int) -> list[Page]:
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
    return [section("what each kind of tile does", ("", *names, "total"), rows, words=1, notes=[note])]


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
            f"{operand}: multicasts": whole(sent.wide),
            f"{operand}: mean width": mean_width(sent),
            f"{operand}: delivered": whole(sent.delivered),
            f"{operand}: port slots": whole(sent.packets),
        }
    found["inputs: forwarded"] = whole(work.traffic.forwards)
    found |= {f"{spent.component}: {spent.event}": whole(spent.count) for spent in work.traffic.spent(energies)}
    by_component = work.traffic.energy_by_component(energies)
    found |= {f"energy: {component}": energy_words(energy, energies) for component, energy in by_component.items()}
    return found | {"energy": energy_words(work.traffic.energy(energies), energies)}


def mean_width(sent: Multicasts) -> str:
    """Switches that a multicast goes to on average; nothing when there is none."""
    wide = sent.wide
    return f"{(sent.delivered - sent.words.get(1, 0)) / wide:.2f}" if wide else ""


def distribution_section(profile: Profile) -> Page:
    """Per operand the words that are read and sent, and how wide they are."""
    used = {operand: sent for operand, sent in profile.multicasts.items() if sent.words}
    by_figure: dict[str, Callable[[Multicasts], str]] = {
        "unicasts": lambda sent: whole(sent.words.get(1, 0)),
        "multicasts": lambda sent: whole(sent.wide),
        "mean width of a multicast": mean_width,
        "widest": lambda sent: whole(max(sent.words)) if sent.wide else "",
        "delivered": lambda sent: whole(sent.delivered),
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
    return section("distribution", headings, rows, words=1, notes=[note])


def energy_section(profile: Profile, energies: EnergyTable) -> Page:
    """Events and energy by component; what does not occur is left out."""
    spent = [entry for entry in profile.spent if entry.count]
    total = profile.energy
    rows = []
    for entry in spent:
        share = "" if entry.component == "dram" else percent(entry.energy / total) if total else ""
        component = entry.component.replace("_", " ")
        if entry.component == "dram":
            component = "DRAM, compulsory" if profile.memory is None else "DRAM"
        rows.append(
            [component, entry.event.replace("_", " "), whole(entry.count), energy_words(entry.energy, energies), share]
        )
    rows.append(["total", "without DRAM", "", energy_words(total, energies), ""])
    headings = ("component", "event", "count", "energy", "share")
    return section("accesses and energy", headings, rows, words=2)


def bounds_section(profile: Profile) -> Page:
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
    return section("distance from the bounds", headings, rows, words=1, notes=[note])


def relief_section(profile: Profile) -> Page:
    """What was simulated with more of each resource."""
    rows = [relief_row(relief, profile) for relief in profile.reliefs]
    headings = ("more of", "change", "cycles", "saved", "of cycles")
    notes = ["each simulated, with the same mapping unless mapped anew; a negative number costs cycles"]
    return section("what would relieve it", headings, rows, words=2, notes=notes)


def relief_row(relief: Relief, profile: Profile) -> list[str]:
    saved = profile.cycles - relief.cycles
    change = f"{relief.change}, mapped anew" if relief.remapped else relief.change
    return [relief.resource, change, whole(relief.cycles), whole(saved), percent(saved / profile.cycles)]


def totals_section(report: ProfileReport) -> Page:
    """A row for each layer and the sums over all of them, each times its count but for the code, which all share."""
    rows, energies = [], report.hardware.energy
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
                energy_words(profile.energy, energies),
                energy_words(profile.dram_energy, energies),
                whole(-(-profile.code_size // 8)),
            ]
        )
    results = report.results
    energy, of_dram = (energy_words(each, energies) for each in (results.total_energy, report.total_dram_energy))
    sums = [whole(results.total_cycles), "", percent(results.total_utilization), energy, of_dram]
    rows.append(["total", "", "", *sums, whole(-(-report.total_code_size // 8))])
    headings = ("layer", "limited by", "best relief", "cycles", "bound", "used", "energy", "DRAM", "code")
    return section("in total", headings, rows, words=3, notes=["code: bytes, once for all occurrences of a layer"])


LEAST_SAVED = 0.001
"""Share of the cycles below which it does not matter which resource saves most."""


def best_relief(profile: Profile) -> str:
    """The single resource of which twice as much, with the same mapping, saves most."""
    single = [relief for relief in profile.reliefs if not relief.remapped and relief.resource != "all of these"]
    best = min(single, key=lambda relief: relief.cycles, default=None)
    if best is None or best.cycles >= profile.cycles:
        return "none"
    saved = (profile.cycles - best.cycles) / profile.cycles
    return f"{best.resource} -{percent(saved)}" if saved >= LEAST_SAVED else f"under {percent(LEAST_SAVED)}"


def profile_notes(report: ProfileReport) -> list[str]:
    """Which layers are smaller than they are, and which did not run."""
    return [*scaled_notes(report.results), *unsupported_notes(report.results)]
