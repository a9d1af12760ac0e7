"""What the page holds, as its template and its script read it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from maerisim.analytic.certificate import Certificate
from maerisim.counts.counters import STALLS
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.notation import dims_words, energy_words, mapping_words, percent, signed_percent, whole
from maerisim.reports.findings import LayerReport
from maerisim.reports.html.scenes import Table, fabric_json, replay_json
from maerisim.reports.network_table import layer_label, proof_words
from maerisim.reports.pace import pace_of
from maerisim.reports.profile import Profile
from maerisim.reports.profile_report import ProfiledLayer, ProfileReport
from maerisim.reports.profile_table import best_relief, layer_pages, profile_notes
from maerisim.reports.roofline import channel_of, roofline
from maerisim.reports.table import Page
from maerisim.text import harmless, plural

COLUMNS = 100
"""What tables of which parts can be put together are made for."""


def contents(report: ProfileReport) -> dict[str, Any]:
    """What the script reads: the bare fabric, the layers, what is known of each that differs, and its replay."""
    hardware = report.hardware
    facts, replays = Table(), Table()
    return {
        "hardware": harmless(hardware.name),
        "network": harmless(report.network),
        "unit": unit_of(hardware),
        "stalls": list(STALLS),
        "roof": {
            "peak": hardware.multipliers,
            "channel": channel_of(hardware),
            "bandwidth": float(hardware.dram.bandwidth or hardware.ports),
        },
        "energy": energy_of_network(report),
        "fabric": fabric_json(hardware),
        "layers": [layer_json(report, each, facts, replays) for each in report.layers],
        "facts": facts.entries,
        "replays": replays.entries,
    }


def unit_of(hardware: Hardware) -> str:
    """What energies are in."""
    return hardware.energy.unit if hardware.energy.joules is None else "J"


def figures(report: ProfileReport) -> list[tuple[str, str, str]]:
    """What is told first of the network: a label, a number, and what it is about."""
    results, energies = report.results, report.hardware.energy
    pace = pace_of(results)
    certificates = [each.layer.certificate for each in report.layers if each.layer.certificate is not None]
    told = [
        ("cycles", whole(results.total_cycles), f"{plural(sum(each.layer.count for each in report.layers), 'layer')}"),
        ("multipliers used", percent(results.total_utilization), "of all multiplier cycles"),
        ("energy", energy_words(results.total_energy, energies), f"{unit_of(report.hardware)}, DRAM apart"),
        ("DRAM energy", energy_words(report.total_dram_energy, energies), unit_of(report.hardware)),
    ]
    if pace is not None:
        told.insert(1, ("time", pace.words().split(" at ")[0], f"at {pace.clock}"))
    if results.mean_absolute_error is not None:
        told.append(("estimate off by", percent(results.mean_absolute_error, 2), "mean of the absolute errors"))
    if certificates:
        best = sum(each.proof == "best" for each in certificates)
        furthest = max(certificates, key=certain_gap)
        about = "mappings" if best == len(certificates) else f"mappings, the others {furthest.proof} at most"
        told.append(("proven best", f"{best} of {len(certificates)}", about))
    return told


def rows(report: ProfileReport) -> list[dict[str, Any]]:
    """A row of the table for each layer: what is shown, by what it is sorted, and the length of a bar."""
    total = report.results.total_cycles or 1
    most = max((each.profile.cycles * each.layer.count for each in report.layers), default=1)
    return [_row(report, each, total, most) for each in report.layers]


def _row(report: ProfileReport, each: ProfiledLayer, total: int, most: int) -> dict[str, Any]:
    layer, profile, energies = each.layer, each.profile, report.hardware.energy
    all_cycles = profile.cycles * layer.count
    energy = profile.energy * layer.count
    gap = 1.0 if layer.certificate is None else certain_gap(layer.certificate)
    cells: list[tuple[str, str | float]] = [
        (harmless(layer_label(layer)), harmless(layer.name)),
        (layer.op, layer.op),
        (whole(all_cycles), all_cycles),
        (percent(all_cycles / total), all_cycles),
        (percent(profile.utilization), profile.utilization),
        (percent(layer.estimate.bound_cycles / profile.cycles), layer.estimate.bound_cycles / profile.cycles),
        (signed_percent(layer.error), layer.error or 0.0),
        (profile.busiest.resource, profile.busiest.resource),
        (best_relief(profile), best_relief(profile)),
        (energy_words(energy, energies), energy),
        (proof_words(layer) or NOT_PROVEN[layer.candidates is None], gap),
    ]
    return {"name": harmless(layer.name), "cells": cells, "bar": all_cycles / most}


HEADINGS = (
    ("layer", False, "×n: it occurs n times; all of its figures but shares of its own are for all occurrences"),
    ("kind", False, "the layer's operation"),
    ("cycles", True, "simulated, of all occurrences"),
    ("share", True, "of the cycles of all layers"),
    ("used", True, "multipliers at work, on average over the cycles"),
    ("bound", True, "share of the cycles that no mapping could save on this hardware"),
    ("estimate", True, "error of the analytic estimate against the simulation"),
    ("limited by", False, "the resource that is at work in most cycles"),
    ("best relief", False, "the resource of which twice as much, with the same mapping, saves most"),
    ("energy", True, "of the fabric and its buffers, DRAM apart"),
    ("proven", False, "best, or by how much at most another mapping could be better"),
)
"""Of the table: name, whether it holds numbers, and what it says."""


NOT_PROVEN = {True: "given", False: "no"}
"""By whether the mapping was given: what the table says of one without a certificate."""


def certain_gap(certificate: Certificate) -> float:
    """By what share any mapping could be better, without trusting the estimate."""
    return max(certificate.certain_gap, certificate.nest_gap or 0.0)


def notes(report: ProfileReport) -> list[str]:
    """What has to be said below the table."""
    found = [harmless(note) for note in profile_notes(report)]
    if report.failure is not None:
        found.append(
            f"the run ended with an error, what was finished before it is here: {harmless(str(report.failure))}"
        )
    if report.interrupted:
        found.append("the run was interrupted; what was finished before is here")
    return found


def energy_of_network(report: ProfileReport) -> dict[str, float]:
    """By component, of all layers, each times its count."""
    parts: dict[str, list[float]] = defaultdict(list)
    for each in report.layers:
        for component, energy in energy_by_component(each.profile).items():
            parts[component].append(energy * each.layer.count)
    return {component: math.fsum(energies) for component, energies in parts.items()}


def energy_by_component(profile: Profile) -> dict[str, float]:
    """Of one occurrence; ``dram`` are the compulsory words where DRAM is not modelled."""
    parts: dict[str, float] = defaultdict(float)
    for spent in profile.spent:
        parts[spent.component] += spent.energy
    return {component: energy for component, energy in parts.items() if energy}


def layer_json(report: ProfileReport, each: ProfiledLayer, facts: Table, replays: Table) -> dict[str, Any]:
    """A layer with the places of its facts and its replay, which equal layers share."""
    layer = each.layer
    equal = (layer.problem, layer.mapping)
    found: dict[str, Any] = {
        "name": harmless(layer.name),
        "op": layer.op,
        "count": layer.count,
        "scaled": layer.scaled,
        "facts": facts.place(equal, lambda: facts_json(report, each)),
    }
    if each.replay is not None:
        shown = each.replay
        found["replay"] = replays.place(equal, lambda: replay_json(shown, report.hardware))
    return found


def facts_json(report: ProfileReport, each: ProfiledLayer) -> dict[str, Any]:
    """All that is known of a layer, of one occurrence."""
    layer, profile = each.layer, each.profile
    roof = roofline(layer, report.hardware)
    stalls = profile.counters.stalls
    return {
        "dims": dims_words(layer.problem) or "a single multiplication",
        "mapping": mapping_words(layer.problem, layer.mapping),
        "tile": [[d, size] for d, size in layer.mapping.T.items() if size > 1],
        "loops": [list(loop) for loop in each.loops],
        "sparse": layer.problem.sparsity is not None,
        "cycles": profile.cycles,
        "bound": layer.estimate.bound_cycles,
        "estimate": layer.estimate.cycles,
        "operations": profile.counters.operations,
        "stalls": [stalls[cause] for cause in STALLS],
        "energy": energy_by_component(profile),
        "reliefs": [[r.resource, r.change, r.cycles, int(r.remapped)] for r in profile.reliefs],
        "roof": [roof.intensity, roof.compulsory_intensity, roof.attained, roof.roof, roof.bound_by],
        "reason": layer.reason,
        "proof": proof(layer),
        "given": layer.candidates is None,
        "tables": [page_json(page) for page in layer_pages(report, each, COLUMNS)],
    }


def proof(layer: LayerReport) -> list[tuple[str, str, str]]:
    """How the search went, from all mappings to the one chosen: a number, what it counts, and a remark."""
    certificate = layer.certificate
    if certificate is None:
        return []
    one_by_one = certificate.dismissed_by_traffic + certificate.dismissed_by_placement
    steps = [
        (
            whole(certificate.mappings),
            "mappings fit",
            f"{plural(certificate.tiles, 'tile')}, every order and placement",
        ),
        (whole(certificate.dismissed_tiles), "tiles ruled out", "with all their mappings, by a bound"),
        (whole(one_by_one), "mappings ruled out", "one by one, by the words that they need or send"),
        (whole(certificate.estimated), "estimated", "the others that differ in what they reuse"),
        (whole(certificate.simulated), "simulated", "in full, those of the least estimates"),
    ]
    if certificate.with_blocks:
        steps.append((whole(certificate.with_blocks), "with loops over blocks", "made to what a bound allows"))
    if certificate.unseen_tiles:
        steps.append((whole(certificate.unseen_tiles), "tiles not looked at", "when the effort was spent"))
    verdict = certificate.proof
    steps.append(("the best" if verdict == "best" else verdict, "proven", certificate.closed_by))
    return steps


def page_json(page: Page) -> dict[str, Any]:
    """A table of the printed report."""
    return {
        "title": harmless(page.title),
        "columns": [[column.heading, int(column.number)] for column in page.columns],
        "rows": [[harmless(cell) for cell in row.cells] for row in page.rows],
        "notes": [harmless(note) for note in page.notes if note],
    }
