"""Operand stores of the multiplier switches: the oldest words are held until they are retired."""

from __future__ import annotations

from dataclasses import dataclass

from maerisim.engine.event.queues import Queue


@dataclass
class OperandStore:
    """The words of one operand in a multiplier switch: a queue whose oldest words are held until retired.

    ``claimed`` counts the words present and those on their way from a port, which have their room reserved. ``together``
    words are waited for and retired together.
    """

    queue: Queue
    together: int = 1
    current: int = 0
    claimed: int = 0

    @property
    def room(self) -> bool:
        """Whether a port may send another word."""
        return self.claimed < self.queue.capacity

    @property
    def ready(self) -> bool:
        """Whether the word that the next step needs has arrived."""
        return len(self.queue.items) >= max(self.together, self.current + 1)

    @property
    def word(self) -> int:
        """The word that this step needs."""
        return int(self.queue.items[self.current])

    def take(self) -> int:
        """Remove the oldest word."""
        self.claimed -= 1
        return int(self.queue.pop())

    def turn_over(self, uses: int, retire: int, following: int, rewind: int) -> None:
        """After a step: retire the word, go on to the next one held, or start again at the first."""
        if uses & retire:
            for _ in range(self.together):
                self.take()
            self.current = 0
        elif uses & following:
            self.current += 1
        elif uses & rewind:
            self.current = 0
