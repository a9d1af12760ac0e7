"""What is sent when: layers and their mappings as programs."""

from maerisim.lowering.dense import lower, padded, refusals

__all__ = ["lower", "padded", "refusals"]
