"""How what several results hold is written as JSON, and what the text looks like."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from maerisim.counts.events import dram_energy

if TYPE_CHECKING:
    from maerisim.hardware.hardware import Hardware
    from maerisim.memory.blocks import MemoryUse


def memory_json(hardware: Hardware, use: MemoryUse) -> dict[str, Any]:
    """What a layer takes of the global buffer and DRAM."""
    return {
        "blocks": use.blocks,
        "buffer_words": use.buffer_words,
        "read": use.read,
        "written": use.written,
        "energy": dram_energy(use, hardware.energy),
        "compute_cycles": use.compute_cycles,
        "channel_cycles": use.dram_cycles,
        "waiting_cycles": use.waiting_cycles,
    }


def json_text(document: dict[str, Any]) -> str:
    """Indented JSON in which a list of numbers or names takes one line."""
    text = json.dumps(document, indent=2)
    return re.sub(
        r"\[\n[^][{}]*\]", lambda flat: re.sub(r"\n *", " ", flat[0]).replace("[ ", "[").replace(" ]", "]"), text
    )
