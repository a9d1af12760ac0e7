"""A collection bus, and its arbiter: whose result goes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.queues import Queue


class CollectionBus(Component):
    """Takes one result a cycle to the global buffer, of the virtual neurons (or ports) in ``sources``.

    Round robin gives each its turn; else the one goes that went longest ago, the first of those that never did.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        number: int,
        sources: Sequence[tuple[int, Queue]],
        global_buffer: GlobalBuffer,
        *,
        least_recently_granted: bool,
    ) -> None:
        super().__init__(surroundings)
        self.number, self.sources, self.global_buffer = number, sources, global_buffer
        self.least_recently_granted = least_recently_granted

    def run(self) -> Tick:
        """Each cycle one result, if there is any."""
        order = deque(self.sources)
        while True:
            for place, (virtual_neuron, source) in enumerate(order):
                if source.items:
                    self.global_buffer.take(self.number, virtual_neuron, source.pop().value)
                    if self.least_recently_granted:
                        order.append(order[place])
                        del order[place]
                    else:
                        order.rotate(-place - 1)
                    break
            yield self.tick()
