"""Where words wait in the event engine: on wires, and in the operand stores of the multiplier switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import simpy

from maerisim.program.program import Use


class Word(NamedTuple):
    """A word on a wire; ``empty`` when a switch beyond the edge of its tile had nothing to contribute."""

    value: int
    empty: bool = False


class Queue(simpy.Store):
    """A bounded SimPy store used within a cycle: whoever pushes has made sure that there is room."""

    @property
    def room(self) -> bool:
        """Whether another word fits."""
        return len(self.items) < self.capacity

    def push(self, word: Any) -> None:
        """Put a word at the end."""
        if not self.put(word).triggered:
            raise AssertionError("a word was pushed on a full queue")

    def pop(self) -> Any:
        """Take the oldest word."""
        return self.get().value


class TimedQueue(Queue):
    """A queue that takes one word a cycle, and a ``normal`` one only if it was not full at the start of the cycle."""

    def __init__(self, env: simpy.Environment, depth: int, *, normal: bool) -> None:
        super().__init__(env, depth)
        self.normal = normal
        self.pushed: float = -1
        self.popped: float = -1

    @property
    def room(self) -> bool:
        """Whether another word fits in this cycle."""
        now = self._env.now
        at_start = len(self.items) + (self.popped == now)
        return super().room and self.pushed != now and not (self.normal and at_start >= self.capacity)

    def push(self, word: Any) -> None:
        """Put a word at the end."""
        super().push(word)
        self.pushed = self._env.now

    def pop(self) -> Any:
        """Take the oldest word."""
        self.popped = self._env.now
        return super().pop()


@dataclass
class OperandStore:
    """The words of one operand in a multiplier switch: a queue whose oldest words are held until retired.

    ``claimed`` counts the words present and those on their way from a port, which have their room reserved. ``together`` words are waited for and retired together.
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

    def turn_over(self, uses: int, retire: Use, following: Use, rewind: Use) -> None:
        """After a step: retire the word, go on to the next one held, or start again at the first."""
        if uses & retire:
            for _ in range(self.together):
                self.take()
            self.current = 0
        elif uses & following:
            self.current += 1
        elif uses & rewind:
            self.current = 0


@dataclass
class Multiplier:
    """The queues of one multiplier switch."""

    weights: OperandStore
    inputs: OperandStore
    forwarded: OperandStore
    partial_sums: OperandStore
    stalled_by: str = ""
    done: bool = False

    def of(self, operand: str) -> OperandStore:
        """The store that the distribution network delivers ``operand`` to."""
        return {"weights": self.weights, "inputs": self.inputs, "partial_sums": self.partial_sums}[operand]
