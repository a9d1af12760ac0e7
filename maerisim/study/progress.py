"""How whoever waits for a study is told how far it is."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[float, float, str], None]
"""Called now and then with the operations that are done, those of all layers, and what is being done."""

Tell = Callable[[str, float], None]
"""Called with what is being done with a layer, and the share of the layer that is done."""


def tell_nobody(_done: float, _total: float, _doing: str) -> None:
    """The callback of those who do not wait."""
