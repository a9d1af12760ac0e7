"""Profiles of mappings as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maerisim.counts.multicasts import Multicasts
    from maerisim.counts.tile_kinds import Share
    from maerisim.hardware.energy import EnergyTable
    from maerisim.reports.profile import Profile


def profile_json(profile: Profile, energies: EnergyTable) -> dict[str, Any]:
    """What the report adds to an entry of ``layers`` of ``simulate``, the loops apart."""
    return {
        "control_steps": profile.steps,
        "configurations": profile.configurations,
        "peak_utilization": profile.peak_utilization,
        "step_utilization": profile.step_utilization,
        "tiles": [share_json(share, energies) for share in profile.shares],
        "multicasts": multicasts_json(profile.multicasts),
        "events": [asdict(event) for event in profile.spent],
        "compulsory_dram_words": profile.dram,
        "compulsory_dram_energy": profile.dram_energy * sum(profile.dram.values()) / profile.dram_words,
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
        "events": [asdict(event) for event in share.work.traffic.spent(energies)],
        "energy": share.work.traffic.energy(energies),
    }


def multicasts_json(multicasts: Mapping[str, Multicasts]) -> dict[str, Any]:
    """Per operand the words that are read and sent."""
    return {
        operand: {
            "unicasts": sent.words.get(1, 0),
            "multicasts": sent.wide,
            "words_by_width": {str(width): count for width, count in sent.words.items()},
            "packets": sent.packets,
            "distribution_hops": sent.hops,
        }
        for operand, sent in multicasts.items()
    }
