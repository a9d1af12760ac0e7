"""Skip what repeats in the times of control steps.

Adding a constant to all times changes nothing in a recurrence of maxima and sums. So when between two iterations of a loop
all times have grown by the same amount, they do so in each further one, and what is left is multiplied.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import sections, times
from maerisim.kernels.estimating.sections import PartRanges, Sections
from maerisim.kernels.estimating.times import StepTimes, TimeRows

WORTHWHILE = 16
"""Control steps that must be left of a loop for its iterations to be compared."""
PATIENCE = 32
"""Iterations after which a loop that has not become periodic is taken to go on at the pace of the latest ones."""


@helper
def skip_repetitions(
    spills: int, rows: TimeRows, part: PartRanges, level: int, place: int, latency: int, s: Sections, t: StepTimes
) -> None:
    """Skip iterations of a loop that has become periodic.

    The first and the last iteration of a loop are not like the others. Earlier times are renewed at growing distances
    (Brent), so that any period is found. Where components have paces of their own because they hardly depend on one
    another, it may take long until those that run ahead have filled their queues. They are then left where they are
    relative to the slowest one, whose pace is that of the loop.

    Not so where only what is certain counts, which a ``latency`` from ports to switches says; else it is -1.
    """
    loop = t.loop
    index = loop[times.INDEX, level]
    left = loop[times.TURNS, level] - 1 - index
    if left * loop[times.BODY, level] < WORTHWHILE:
        return
    if loop[times.SINCE, level] < 0:
        loop[times.WINDOW, level] = 1
    else:
        period = index - loop[times.SINCE, level]
        if period <= left:
            often, pace = 0, 0
            if is_periodic(spills, rows, part, level, place, latency, s, t):
                often = left // period
            elif latency < 0 and period >= PATIENCE:
                often = left // period
                front, before = times.NEVER, times.NEVER
                for section in range(part.section, part.end_section):
                    front = max(front, t.now[times.DONE, section])
                    before = max(before, t.earlier[level, times.DONE, section])
                pace = front - before
            if often > 0:
                repeat(spills, rows, part, level, place, often, pace, t)
                loop[times.INDEX, level] += often * period
                loop[times.SINCE, level] = -1
                return
        if period < loop[times.WINDOW, level]:
            return
        loop[times.WINDOW, level] *= 2
    loop[times.SINCE, level] = index
    remember(spills, rows, part, level, place, t)


@helper
def grown(now: Ints, earlier: Ints, level: int, first: int, end: int, lane: int) -> int:
    """By how much all times of the rows have grown; -1 when they have not all alike."""
    more = now[first, lane] - earlier[level, first, lane]
    for row in range(first + 1, end):
        if now[row, lane] - earlier[level, row, lane] != more:
            return -1
    return int(more)


@helper
def grown_by_step(now: Ints, earlier: Ints, level: int, first: int, place: int, count: int, lane: int) -> int:
    """The same for the latest ``count`` steps before ``place``."""
    more = now[first + ((place - 1) & (times.RING - 1)), lane] - earlier[level, first, lane]
    for age in range(2, count + 1):
        if now[first + ((place - age) & (times.RING - 1)), lane] - earlier[level, first + age - 1, lane] != more:
            return -1
    return int(more)


@helper
def is_periodic(
    spills: int, rows: TimeRows, part: PartRanges, level: int, place: int, latency: int, s: Sections, t: StepTimes
) -> bool:
    """Whether what happened since the earlier times is sure to repeat itself.

    All times of components that had to do with one another have to have grown by the same amount; those of others are
    unchanged. A port may have left more cycles free, if it had enough for all weights that were due. Where a word
    was sent as soon as it was released, control steps have to be released at that pace as well; else they may be released
    ever longer before. Where only what is certain counts, the latest cycle of a port is a time like others; unchanged, it has to be
    past.
    """
    now, earlier, of = t.now, t.earlier, s.of
    released = now[rows.released, 0] - earlier[level, rows.released, 0]
    in_turn = now[rows.released, 1] == earlier[level, rows.released, 1]
    for section in range(part.section, part.end_section):
        more, vn, port = (
            now[times.DONE, section] - earlier[level, times.DONE, section],
            of[sections.VN, section],
            of[sections.PORT, section],
        )
        added = now[rows.added + ((place - 1) & (times.RING - 1)), vn] - earlier[level, rows.added, vn]
        held_up = now[times.HELD_UP, port] != earlier[level, times.HELD_UP, port]
        if (added and added != more) or (more and released > more) or (held_up and not (released == more and in_turn)):
            return False
        if latency >= 0:
            taken = now[times.TAKEN, port] - earlier[level, times.TAKEN, port]
            if taken and added and taken != more:
                return False
            if not taken and earlier[level, times.DONE, section] < now[times.TAKEN, port] + latency:
                return False
        for row in range(times.SENT_INPUT, times.DUE):
            sent = now[row, port] - earlier[level, row, port]
            if sent and added and (sent != more or now[times.TAKEN, port] - earlier[level, times.TAKEN, port] != more):
                return False
        retired = grown(now, earlier, level, times.RETIRED, times.USED_UP, section)
        used_up = grown(now, earlier, level, times.USED_UP, rows.returned, section)
        if (retired and retired != more) or (used_up and used_up != more):
            return False
    for port in range(part.port, part.end_port):
        if now[times.TAKEN + 1, port] != earlier[level, times.TAKEN + 1, port]:
            return False
        missed = now[times.MISSED, port] - earlier[level, times.MISSED, port]
        due = now[times.DUE, port] - earlier[level, times.DUE, port]
        if missed < 0 or (missed > 0 and earlier[level, times.MISSED, port] < due):
            return False
    for vn in range(part.vn, part.end_vn):
        more = grown_by_step(now, earlier, level, rows.added, place, times.RING - 1 if spills else part.slack, vn)
        if more < 0:
            return False
        returned = grown(now, earlier, level, rows.returned, rows.summed, vn)
        summed = grown(now, earlier, level, rows.summed, rows.taken, vn)
        taken = grown(now, earlier, level, rows.taken, rows.added, vn)
        if (returned and returned != more) or (summed and summed != more) or (taken and taken != more):
            return False
        if spills:
            written = grown_by_step(now, earlier, level, rows.written, place, times.RING - 1, vn)
            if written and written != more:
                return False
        bus = of[sections.BUS, vn]
        if taken and now[rows.bus, bus] - earlier[level, rows.bus, bus] != more:
            return False
        if now[rows.bus + 1, bus] != earlier[level, rows.bus + 1, bus]:
            return False
    return True


@helper
def remember(spills: int, rows: TimeRows, part: PartRanges, level: int, place: int, t: StepTimes) -> None:
    """Keep the present times as the earlier ones of a level; those by step with the latest first."""
    now, earlier = t.now, t.earlier
    copy(now, earlier, level, times.TAKEN, times.DONE, part.port, part.end_port)
    copy(now, earlier, level, times.DONE, rows.returned, part.section, part.end_section)
    copy(now, earlier, level, rows.returned, rows.added, part.vn, part.end_vn)
    copy(now, earlier, level, rows.bus, rows.bus + times.MISSED, part.bus, part.end_bus)
    copy(now, earlier, level, rows.released, rows.released + 1, 0, 2)
    for age in range(1, times.RING if spills else part.slack + 1):
        row = (place - age) & (times.RING - 1)
        for first in (rows.added, rows.written):
            for vn in range(part.vn, part.end_vn):
                earlier[level, first + age - 1, vn] = now[first + row, vn]


@helper
def copy(now: Ints, earlier: Ints, level: int, first: int, end: int, lane: int, end_lane: int) -> None:
    """Copy a block of the present times to the earlier ones."""
    for row in range(first, end):
        for each in range(lane, end_lane):
            earlier[level, row, each] = now[row, each]


@helper
def further(now: int, earlier: int, often: int, pace: int) -> int:
    """A time that grows as often again by as much as since the earlier one, or, if at all, by ``pace``."""
    return now + often * (pace if pace and now != earlier else now - earlier)


@helper
def repeat(
    spills: int, rows: TimeRows, part: PartRanges, level: int, place: int, often: int, pace: int, t: StepTimes
) -> None:
    """Let all times grow as often again as they have since the earlier ones; with a ``pace`` all by as much."""
    now, earlier = t.now, t.earlier
    advance(now, earlier, level, times.TAKEN, times.TAKEN + 1, part.port, part.end_port, often, pace)
    advance(now, earlier, level, times.SENT_INPUT, times.DUE, part.port, part.end_port, often, pace)
    advance(now, earlier, level, times.DUE, times.DONE, part.port, part.end_port, often, 0)
    if not pace:
        advance(now, earlier, level, times.MISSED, times.SENT_INPUT, part.port, part.end_port, often, 0)
    advance(now, earlier, level, times.DONE, rows.returned, part.section, part.end_section, often, pace)
    advance(now, earlier, level, rows.returned, rows.added, part.vn, part.end_vn, often, pace)
    advance(now, earlier, level, rows.bus, rows.bus + 1, part.bus, part.end_bus, often, pace)
    advance(now, earlier, level, rows.released, rows.released + 1, 0, 1, often, pace)
    for age in range(1, times.RING if spills else part.slack + 1):
        row = (place - age) & (times.RING - 1)
        for first in (rows.added, rows.written):
            for vn in range(part.vn, part.end_vn):
                time, before = now[first + row, vn], earlier[level, first + age - 1, vn]
                now[first + row, vn] = further(time, before, often, pace)


@helper
def advance(
    now: Ints, earlier: Ints, level: int, first: int, end: int, lane: int, end_lane: int, often: int, pace: int
) -> None:
    """Let a block of times grow."""
    for row in range(first, end):
        for each in range(lane, end_lane):
            now[row, each] = further(now[row, each], earlier[level, row, each], often, pace)
