"""What a search for a mapping covered, and how much better than its result any other mapping could be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from maerisim.analytic.objective import Objective

BETTER: dict[Objective, str] = {
    "cycles": "faster",
    "energy": "more frugal",
    "edp": "better",
    "energy_efficiency": "better",
}
"""What a mapping of a smaller score is called."""


@dataclass(frozen=True)
class Certificate:
    """The account of one search.

    ``tiles`` fit, and with every loop order and placement they are ``mappings``; loop orders that reuse the same are
    looked at as one. A bound ruled out all mappings of
    ``dismissed_tiles`` tiles. Of the other tiles, the mappings that differ in what they reuse are ``estimated``, but for
    those that a bound ruled out one by one: ``dismissed_by_traffic`` by the words that they need,
    ``dismissed_by_placement`` by the words that they send where they are placed. ``unseen_tiles``: not looked at when time
    or work ran out. The ``simulated`` ones of the least estimates were simulated in full.

    ``gap``: by what share of its score any other mapping could be better than the one chosen, if no estimate is further
    above the simulation than published, which is measured (:func:`maerisim.analytic.accuracy.largest_overestimate`), not proven;
    ``certain_gap``: the same without trusting the estimate, by the cycles that each mapping takes for certain, or by those of a
    simulation. 0: none is better.

    These two are about mappings with one loop a dimension. ``nest_gap``: by what share any mapping could be better, whatever
    nest of loops over blocks of whole tiles it has, without trusting the estimate; None where none may have any. ``with_blocks``
    mappings with loops over blocks were made. If one of them was chosen, it scores ``fewer`` than the best of the others, by
    this share of theirs; of what is expected of that where partial sums return, so that it was not simulated.
    """

    objective: Objective
    tiles: int
    mappings: int
    dismissed_tiles: int
    dismissed_by_traffic: int
    dismissed_by_placement: int
    estimated: int
    unseen_tiles: int
    simulated: int
    gap: float
    certain_gap: float
    with_blocks: int = 0
    fewer: float = 0.0
    nest_gap: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)

    @property
    def proof(self) -> str:
        """In a word, without trusting the estimate: that it is the best, or by how much another one could be better."""
        gap = self.certain_gap if self.nest_gap is None else max(self.certain_gap, self.nest_gap)
        return "best" if gap == 0 else f"to {_share(gap)}"

    @property
    def closed_by(self) -> str:
        """Which bounds keep others from being better, of one loop a dimension the one that leaves the least room.

        Of equal ones it is the one that does not trust the estimate.
        """
        certain = "what is certain of the times of each mapping with one loop a dimension"
        expected = "estimates of mappings with one loop a dimension, less the error that is published"
        said = f"{certain if self.certain_gap <= self.gap else expected}: {self._none(min(self.certain_gap, self.gap))}"
        if self.nest_gap is None:
            return said
        return f"{said}; with any nest of loops by what a tile has to send and multiply: {self._none(self.nest_gap)}"

    def _none(self, gap: float) -> str:
        return f"none is {BETTER[self.objective]}" + (f" by more than {_share(gap)}" if gap else "")

    def __str__(self) -> str:
        unseen = f", {self.unseen_tiles:,} tiles not looked at when the effort was spent" if self.unseen_tiles else ""
        one_by_one = self.dismissed_by_traffic + self.dismissed_by_placement
        simulated = f"{self.simulated:,} simulated in full" if self.simulated else "none simulated"
        better = BETTER[self.objective]
        if self.fewer:
            chosen = f"loops over blocks take {100 * self.fewer:.1f}% off the best"
            proof = ""
        else:
            chosen, proof = "best", f"; no other is {better}"
            if self.certain_gap > 0:
                proof += f" by more than {_share(self.certain_gap)}"
            if self.gap < self.certain_gap:
                less = "at all" if self.gap == 0 else f"by more than {_share(self.gap)}"
                proof += f", nor {less} unless its estimate is further off than published"
        if self.nest_gap is not None:
            more = f" by more than {_share(self.nest_gap)}" if self.nest_gap else ""
            proof += f"; none with any nest of loops is {better}{more}"
        return (
            f"{chosen} of {self.mappings:,} mappings ({self.tiles:,} tiles): bounds rule out {self.dismissed_tiles:,} tiles "
            f"and {one_by_one:,} mappings{unseen}; {self.estimated:,} estimated, {simulated}{proof}"
        )


def _share(gap: float) -> str:
    """A share rounded up, so that it stays true: ``0.02%``."""
    for digits in (2, 3, 4):
        if gap * 100 >= 10**-digits:
            step = 10.0**digits
            return f"{-(-gap * 100 * step // 1) / step:.{digits}f}%"
    return "0.0001%"
