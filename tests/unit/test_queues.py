"""When the event engine's queues take a word."""

from __future__ import annotations

import pytest
import simpy

from maerisim.engine.event.queues import TimedQueue


def full_queue(*, normal: bool) -> tuple[simpy.Environment, TimedQueue]:
    """A queue of two words that were pushed in cycles 0 and 1; it is cycle 2."""
    env = simpy.Environment()
    queue = TimedQueue(env, 2, normal=normal)
    for cycle in (1, 2):
        queue.push(cycle)
        env.run(until=cycle)
    return env, queue


@pytest.mark.parametrize("normal", [False, True])
def test_a_full_queue_takes_no_word(normal: bool) -> None:
    _, queue = full_queue(normal=normal)
    assert not queue.room


def test_a_pipeline_queue_takes_a_word_in_the_cycle_in_which_it_is_popped() -> None:
    _, queue = full_queue(normal=False)
    queue.pop()
    assert queue.room


def test_a_normal_queue_takes_one_in_the_next_cycle() -> None:
    env, queue = full_queue(normal=True)
    queue.pop()
    assert not queue.room
    env.run(until=3)
    assert queue.room


@pytest.mark.parametrize("normal", [False, True])
def test_a_queue_takes_one_word_a_cycle(normal: bool) -> None:
    env = simpy.Environment()
    queue = TimedQueue(env, 2, normal=normal)
    assert queue.room
    queue.push(0)
    assert not queue.room
    env.run(until=1)
    assert queue.room
