"""Loop nests, reuse and multicast, each against a brute-force account of what has to happen."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from math import prod
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.forwarding import forwards
from maerisim.lowering.multicast_packets import multicast, multicasts
from maerisim.lowering.nest import Context, TemporalLoop, Turn, build_nest
from maerisim.lowering.reuse import Trips, held, temporal_loops
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Collect, Loop, Packets, Program, Step, Thread, Use, net_advance, net_period
from maerisim.ways.way import program_of, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from tests.strategies import Case, cases, powers_up_to

# --- nests


@st.composite
def loop_nests(draw: st.DrawFn) -> list[TemporalLoop]:
    names = draw(st.permutations(DIMENSIONS))[: draw(st.integers(0, 4))]
    trips = [draw(st.integers(2, 4)) for _ in names]
    return [
        TemporalLoop(
            name,
            name,
            count,
            1,
            draw(st.integers(-5, 20)),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for name, count in zip(names, trips, strict=True)
    ]


def nest_of(loops: list[TemporalLoop]) -> Thread[dict[str, Turn]]:
    """A thread whose templates are the contexts they were asked for, one per context that has to be told apart."""
    contexts: list[dict[str, Turn]] = []
    number: dict[tuple[bool, ...], int] = {}

    def template_for(context: Context) -> int:
        key = tuple(context[loop.dimension].first for loop in loops if loop.split_first)
        key += tuple(context[loop.dimension].last for loop in loops if loop.split_last)
        if key not in number:
            number[key] = len(contexts)
            contexts.append(dict(context))
        return number[key]

    nodes = build_nest(loops, {}, template_for)
    return Thread("nest", nodes, tuple(contexts))


@settings(max_examples=300, deadline=None)
@given(loop_nests())
def test_nest_visits_every_iteration_in_order(loops: list[TemporalLoop]) -> None:
    thread = nest_of(loops)
    iterations = list(itertools.product(*(range(loop.extent) for loop in loops)))
    visits = list(thread.walk())
    assert thread.steps == len(visits) == len(iterations)
    for visit, indices in zip(visits, iterations, strict=True):
        assert visit.base == sum(index * loop.advance for index, loop in zip(indices, loops, strict=True))
        inside = [prod(inner.extent for inner in loops[place + 1 :]) for place in range(len(loops))]
        assert visit.step == sum(index * period for index, period in zip(indices, inside, strict=True))
        for index, loop in zip(indices, loops, strict=True):
            turn = visit.template[loop.dimension]
            assert not loop.split_first or turn.first == (index == 0)
            assert not loop.split_last or turn.last == (index == loop.extent - 1)
    if loops:
        assert sum(net_advance(node) for node in thread.nodes) == loops[0].extent * loops[0].advance
        assert sum(net_period(node) for node in thread.nodes) == len(iterations)


@settings(max_examples=100, deadline=None)
@given(loop_nests())
def test_runs_that_do_the_same_are_merged(loops: list[TemporalLoop]) -> None:
    """With a single template every level is one node, however the loops were split."""
    nodes = build_nest(loops, {}, lambda _: 0)
    depth = 0
    while isinstance(nodes[0], Loop):
        assert len(nodes) == 1
        nodes, depth = nodes[0].body, depth + 1
    assert len(nodes) == 1
    assert isinstance(nodes[0], Step)
    assert depth == max(0, len(loops) - 1)


def test_first_and_last_iterations_are_split_off() -> None:
    loop = TemporalLoop("K", "K", 5, 1, 7, split_first=True, split_last=True)
    counts = [(node.template, node.count) for node in nest_of([loop]).nodes if isinstance(node, Step)]
    assert counts == [(0, 1), (1, 3), (2, 1)]
    short = TemporalLoop("K", "K", 2, 1, 7, split_first=True, split_last=True)
    assert [node.count for node in nest_of([short]).nodes] == [1, 1]


# --- reuse


@st.composite
def reuse_cases(draw: st.DrawFn) -> tuple[list[Trips], set[str], int]:
    names = draw(st.permutations(DIMENSIONS))[: draw(st.integers(0, 4))]
    loops = [Trips(name, draw(st.integers(2, 3)), name, 1) for name in names]
    return loops, set(draw(st.lists(st.sampled_from(DIMENSIONS)))), draw(st.integers(1, 9))


def steps_of(loops: list[Trips]) -> Iterator[dict[str, int]]:
    for indices in itertools.product(*(range(loop.trips) for loop in loops)):
        yield {loop.dimension: index for loop, index in zip(loops, indices, strict=True)}


@settings(max_examples=500, deadline=None)
@given(reuse_cases())
def test_held_words_are_there_when_needed(case: tuple[list[Trips], set[str], int]) -> None:
    """Play the rule of ``held`` on a register file: send at the first of the reused iterations, drop at the last."""
    loops, relevant, registers = case
    rule = held(loops, relevant, registers)
    trips = {loop.dimension: loop.trips for loop in loops}
    file: list[tuple[int, ...]] = []
    sent, most = 0, 0
    cache: OrderedDict[tuple[int, ...], None] = OrderedDict()
    misses = 0
    for index in steps_of(loops):
        word = tuple(index[loop.dimension] for loop in loops if loop.dimension in relevant)
        if all(index[name] == 0 for name in rule.reused):
            file.append(word)
            sent += 1
        assert word in file
        most = max(most, len(file))
        if all(index[name] == trips[name] - 1 for name in rule.reused):
            assert file.pop(0) == word
        if word not in cache:
            misses += 1
        cache[word] = None
        cache.move_to_end(word)
        if len(cache) > registers:
            cache.popitem(last=False)
    assert not file
    assert most == rule.words <= registers
    # Registers that always keep the words used last cannot do better, unless words come back from further out.
    assert sent >= misses
    inner = rule.reused | rule.ring
    if all(loop.dimension in relevant or loop.dimension in inner for loop in loops):
        assert sent == misses


class Operand(NamedTuple):
    """What a multiplier switch needs in a control step."""

    weight: int
    source: int


def boxes(problem: Problem, mapping: Mapping) -> Iterator[dict[str, range]]:
    """The tiles in the order in which the loops go through them: where each lies in each dimension."""

    def inside(loops: Sequence[tuple[str, int]], box: dict[str, range]) -> Iterator[dict[str, range]]:
        if not loops:
            yield box
            return
        dimension, step = loops[0]
        whole = box[dimension]
        for start in range(whole.start, whole.stop, step):
            yield from inside(loops[1:], box | {dimension: range(start, min(start + step, whole.stop))})

    yield from inside(mapping.loops, {name: range(size) for name, size in zip(DIMENSIONS, problem.dims, strict=True)})


def needs(problem: Problem, i: MappingOf[str, int]) -> Operand:
    """Addresses in the row-major tensors for one place of the loop nest."""
    row = i["P"] * problem.stride[0] + i["R"] * problem.dilation[0]
    column = i["Q"] * problem.stride[1] + i["S"] * problem.dilation[1]
    weights = (problem.G, problem.K, problem.C, problem.R, problem.S)
    inputs = (problem.N, problem.G, problem.C, problem.H, problem.W)
    return Operand(
        int(np.ravel_multi_index((i["G"], i["K"], i["C"], i["R"], i["S"]), weights)),
        int(np.ravel_multi_index((i["N"], i["G"], i["C"], row, column), inputs)),
    )


def received(thread: Thread[Packets], switches: int) -> list[deque[int]]:
    """The words that each switch gets, in order."""
    words: list[deque[int]] = [deque() for _ in range(switches)]
    for template, _, base in thread.walk():
        for packet in range(len(template.offset)):
            for switch in template.destinations_of(packet).tolist():
                words[switch].append(base + int(template.offset[packet]))
    return words


def coordinates(mapping: Mapping, program: Program) -> dict[int, dict[str, int]]:
    """Per worker switch its place inside the tile: VNs as placed, in each its switches by C R S, the last fastest."""
    outer, inner = mapping.placement, ("C", "R", "S")
    places = {}
    virtual_neurons = itertools.product(*(range(mapping.tile_of(name)) for name in outer))
    for span, outside in zip(program.spans, virtual_neurons, strict=True):
        workers = range(span.start + program.spills, span.start + span.size)
        for switch, inside in zip(workers, itertools.product(*(range(mapping.tile_of(n)) for n in inner)), strict=True):
            places[switch] = dict(zip(outer, outside, strict=True)) | dict(zip(inner, inside, strict=True))
    return places


def use_up(words: deque[int], current: int, uses: int, retire: Use, following: Use, rewind: Use) -> int:
    """Which held word comes next, after a step with these flags."""
    if uses & retire:
        words.popleft()
    elif uses & following:
        return current + 1
    elif uses & rewind:
        return 0
    return current


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(most_macs=400, controllers=False))
def test_every_multiplier_meets_the_operands_of_its_step(case: Case) -> None:
    """Play the flags of all switches in lockstep on the words that the packets bring, and compare with the loops."""
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    switches = program.multipliers_used
    weights, inputs = received(program.weights, switches), received(program.inputs, switches)
    forwarded: list[deque[int]] = [deque() for _ in range(switches)]
    at_weight, at_input = [0] * switches, [0] * switches
    places = coordinates(mapping, program)
    done = 0
    for number, ((flags, step, _), box) in enumerate(zip(program.compute.walk(), boxes(problem, mapping), strict=True)):
        assert step == number
        moves = []
        for switch, place in places.items():
            uses = int(flags[switch])
            inside = all(place[name] < len(box[name]) for name in DIMENSIONS)
            need = needs(problem, {name: box[name][place[name]] for name in DIMENSIONS}) if inside else None
            assert uses & (Use.MULTIPLY | Use.PASS) == (
                0 if need is None else Use.PASS if problem.pools else Use.MULTIPLY
            )
            source = forwarded[switch] if uses & Use.FORWARDED_INPUT else inputs[switch]
            if need is not None:
                assert problem.pools or weights[switch][at_weight[switch]] == need.weight
                assert source[at_input[switch]] == need.source
                if uses & Use.FORWARD:
                    moves.append((switch - 1, need.source))
                done += 1
            at_weight[switch] = use_up(
                weights[switch], at_weight[switch], uses, Use.RETIRE_WEIGHT, Use.NEXT_WEIGHT, Use.REWIND_WEIGHTS
            )
            at_input[switch] = use_up(
                source, at_input[switch], uses, Use.RETIRE_INPUT, Use.NEXT_INPUT, Use.REWIND_INPUTS
            )
            assert at_weight[switch] < hardware.multiplier.weight_registers
        for switch, word in moves:
            forwarded[switch].append(word)
            assert len(forwarded[switch]) <= hardware.multiplier.forward_fifo_depth
    assert done == problem.operations
    assert not any(itertools.chain(weights, inputs, forwarded))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(most_macs=400, controllers=False))
def test_every_output_is_started_and_completed_once(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    started: Counter[int] = Counter()
    completed: Counter[int] = Counter()
    emitted = 0
    for template, _, base in program.collect.walk():
        for vn, flags in enumerate(template.flags.tolist()):
            address = base + int(program.output_offset[vn])
            if flags & Collect.ACTIVE:
                started[address] += bool(flags & Collect.FIRST)
                assert started[address] == 1
                assert not completed[address]
                completed[address] += bool(flags & Collect.LAST)
                emitted += bool(flags & Collect.EMIT)
    assert +completed == Counter(range(problem.outputs))
    assert emitted == program.results


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(most_macs=400, controllers=False))
def test_partial_sums_wait_for_the_result_they_continue(case: Case) -> None:
    """Count each VN's results: the one that a packet waits for must be the last that went to the same address."""
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    assume(program.spills)
    last_written: dict[int, int] = {}
    results: Counter[int] = Counter()
    for template, _, base in program.partial_sums.walk():
        for packet in range(len(template.offset)):
            vn = int(program.partial_sum_of[template.destinations_of(packet)[0]])
            address = base + int(template.offset[packet])
            results[vn] += 1
            wait = int(template.wait[packet])
            if address in last_written:
                assert results[vn] - wait == last_written[address]
            else:
                assert wait == 0
            last_written[address] = results[vn]


FORWARDING = Hardware(name="h", multipliers=16)
ROW = Problem(K=4, C=3, S=3, Q=9, P=2)


@pytest.mark.parametrize(
    ("problem", "tile", "order", "overrides", "expected"),
    [
        (ROW, {"S": 3}, "N G K C P R S Q", {}, True),
        (ROW, {"S": 3, "P": 2, "K": 2}, "N G K C P R S Q", {}, True),
        (ROW, {"S": 3}, "N G K C P R S Q", {"multiplier.forwarding": False}, False),
        (ROW, {"S": 3, "Q": 2}, "N G K C P R S Q", {}, False),  # two columns at once
        (ROW, {"C": 3}, "N G K C P R S Q", {}, False),  # no window on the switches
        (Problem(S=3, Q=9, stride=(1, 2)), {"S": 3}, "N G K C P R S Q", {}, False),  # the window jumps over columns
        (Problem(S=3, Q=9, stride=(1, 2), dilation=(1, 2)), {"S": 3}, "N G K C P R S Q", {}, True),
        (Problem(S=3, Q=9, dilation=(1, 2)), {"S": 3}, "N G K C P R S Q", {}, False),
        (Problem(C=3, S=3, Q=9), {"S": 3}, "N G K P R S Q C", {}, True),  # three channels travel side by side
        (Problem(C=3, S=3, Q=9), {"S": 3}, "N G K P R S Q C", {"multiplier.forward_fifo_depth": 2}, False),
        (Problem(S=3, Q=1), {"S": 3}, "N G K C P R S Q", {}, False),  # nothing slides
    ],
)
def test_when_inputs_slide(
    problem: Problem, tile: dict[str, int], order: str, overrides: dict[str, object], expected: bool
) -> None:
    hardware, mapping = FORWARDING.with_overrides(overrides), Mapping.of(tile, order)
    loops = temporal_loops(problem, mapping)
    inputs = held(loops, set("NGCRSPQ"), hardware.multiplier.input_registers)
    assert forwards(problem, mapping, hardware, loops, inputs) is expected
    flags = np.bitwise_or.reduce(np.concatenate(program_of(problem, mapping, hardware).compute.templates))
    assert bool(flags & Use.FORWARD) is expected


def test_loops_that_turn_once_are_left_out() -> None:
    loops = temporal_loops(Problem(K=6, C=4, Q=5), Mapping.of({"K": 4, "C": 4}, "Q P C K N G R S"))
    assert loops == (Trips("Q", 5, "Q", 1), Trips("K", 2, "K", 4))


def test_a_mapping_that_does_not_fit_is_refused() -> None:
    with pytest.raises(MappingError, match="17 multipliers, 16 are there"):
        program_of(Problem(C=17), Mapping.of({"C": 17}), FORWARDING)


# --- packets


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Hardware, list[int], list[int]]:
    multipliers = draw(powers_up_to(64).filter(lambda size: size > 1))
    ports = draw(powers_up_to(multipliers))
    hardware = Hardware.model_validate(
        {"name": "drawn", "multipliers": multipliers, "distribution": {"bandwidth": ports}}
    )
    switches = sorted(draw(st.sets(st.integers(0, multipliers - 1))))
    words = draw(st.integers(1, 12))
    return hardware, switches, [draw(st.integers(-3, words)) for _ in switches]


def branches(hardware: Hardware, leaves: list[int]) -> int:
    """Links from the root of the distribution tree to the port, and from there to all the leaves, each once.

    Nodes are numbered like a heap: the root is 1, the children of n are 2 n and 2 n + 1, leaf m is M + m.
    """
    port = hardware.ports + leaves[0] * hardware.ports // hardware.multipliers
    links = set()
    for leaf in leaves:
        node = hardware.multipliers + leaf
        while node != port:
            links.add((node // 2, node))
            node //= 2
    while port != 1:
        links.add((port // 2, port))
        port //= 2
    return len(links)


@settings(max_examples=400, deadline=None)
@given(deliveries())
def test_multicast_brings_every_switch_its_word_once(delivery: tuple[Hardware, list[int], list[int]]) -> None:
    hardware, switches, addresses = delivery
    packets = multicast(hardware, np.array(switches, np.int64), np.array(addresses, np.int64))
    got: dict[int, int] = {}
    carried = set()
    for port in range(hardware.ports):
        before = None
        for packet in packets.of_port(port):
            destinations = packets.destinations_of(packet).tolist()
            assert destinations == sorted(destinations)
            word = int(packets.offset[packet])
            assert before is None or word > before
            before = word
            assert (port, word) not in carried
            carried.add((port, word))
            for switch in destinations:
                assert switch // hardware.leaves_per_port == port
                assert switch not in got
                got[switch] = word
            assert packets.hops[packet] == branches(hardware, destinations)
    assert got == dict(zip(switches, addresses, strict=True))
    # Of the packets with the same word the one of the lowest port reads it.
    for word in set(addresses):
        reads = [int(read) for read, offset in zip(packets.reads, packets.offset, strict=True) if offset == word]
        assert reads == [1] + [0] * (len(reads) - 1)


@settings(max_examples=100, deadline=None)
@given(deliveries(), st.integers(1, 4), st.data())
def test_packets_of_several_steps_are_those_of_each(
    delivery: tuple[Hardware, list[int], list[int]], steps, data
) -> None:
    hardware, switches, addresses = delivery
    assume(switches)
    kept = [data.draw(st.lists(st.sampled_from(range(len(switches))), unique=True).map(sorted)) for _ in range(steps)]
    step = np.repeat(np.arange(steps), [len(places) for places in kept])
    places = np.array([place for each in kept for place in each], np.int64)
    at, words = np.array(switches, np.int64)[places], np.array(addresses, np.int64)[places]
    together = multicasts(hardware, steps, step, at, words)
    assert len(together) == steps
    for number, packets in enumerate(together):
        alone = multicast(hardware, at[step == number], words[step == number])
        for name, array in vars(alone).items():
            np.testing.assert_array_equal(getattr(packets, name), array, err_msg=name)
