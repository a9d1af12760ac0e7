"""Where words wait in the event engine: the queues that wires and operand stores consist of."""

from __future__ import annotations

from typing import Any, NamedTuple

import simpy


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
