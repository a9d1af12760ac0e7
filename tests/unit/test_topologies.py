"""Every partition into virtual neurons is summed exactly once, without two of them sharing a link or an adder."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maerisim.analytic.numbers import workspace
from maerisim.errors import NotSupportedError
from maerisim.fabric.art import AugmentedReductionTree
from maerisim.fabric.choose import TOPOLOGIES, topology_of
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.fabric.fan import ForwardingAdderNetwork
from maerisim.fabric.linear import LinearChain
from maerisim.fabric.plain_tree import PlainTree
from maerisim.fabric.topology import Place, Routing, Topology, Transfer, Wire
from maerisim.fabric.tree import BinaryTree
from maerisim.fabric.virtual_neuron import Span
from maerisim.hardware.hardware import Hardware

WAVES = 3


@st.composite
def partitions(draw: st.DrawFn, largest: int = 512) -> tuple[int, list[Span]]:
    """Multiplier switches and disjoint runs of them with gaps, in any order."""
    multipliers = draw(st.sampled_from([size for size in (2, 4, 8, 16, 32, 64, 128, 256, 512) if size <= largest]))
    longest = draw(st.sampled_from([1, 2, 3, 5, 9, 30, 200]))
    spans, free = [], 0
    while True:
        gap = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 7]))
        size = draw(st.integers(1, longest))
        if free + gap + size > multipliers:
            break
        spans.append(Span(free + gap, size))
        free += gap + size
    return multipliers, draw(st.permutations(spans)) if len(spans) < 9 else spans


def all_partitions(multipliers: int, start: int = 0) -> Iterator[list[Span]]:
    """Every way to fill switches from ``start`` on with runs and gaps."""
    if start == multipliers:
        yield []
        return
    yield from all_partitions(multipliers, start + 1)
    for size in range(1, multipliers - start + 1):
        for rest in all_partitions(multipliers, start + size):
            yield [Span(start, size), *rest]


def leaves(span: Span) -> range:
    return range(span.start, span.start + span.size)


def check_sums(reduction: Routing, spans: list[Span]) -> None:
    """Push waves of tokens through the transfers: each result is the sum of its own leaves, one wave a cycle."""
    queues: dict[Wire, deque[Counter[tuple[int, int]]]] = defaultdict(deque)
    arrivals: dict[int, list[int]] = defaultdict(list)
    for span in spans:
        for leaf in leaves(span):
            queues[Wire("product", 0, leaf)].extend(Counter([(wave, leaf)]) for wave in range(WAVES))
    expected = sum(len(queue) for queue in queues.values())
    for cycle in itertools.count(1):
        moved = False
        for transfer in reduction.receivers_first:
            if all(queues[wire] for wire in transfer.operands):
                queues[transfer.output].append(sum((queues[wire].popleft() for wire in transfer.operands), Counter()))
                moved = True
                if transfer.output == Wire("result", 0, transfer.virtual_neuron):
                    arrivals[transfer.virtual_neuron].append(cycle)
        if not moved:
            break
    found = 0
    for number, span in enumerate(spans):
        results = queues[Wire("result", 0, number)]
        assert list(results) == [Counter((wave, leaf) for leaf in leaves(span)) for wave in range(WAVES)]
        found += sum(sum(result.values()) for result in results)
        depth = reduction.depth(number)
        assert arrivals[number] == [depth + wave for wave in range(WAVES)]
    assert found == expected
    assert all(not queue for wire, queue in queues.items() if wire.kind != "result")


def check_wires(reduction: Routing, spans: list[Span]) -> None:
    """Each wire has one writer and one reader, and whoever reads it comes first in the order of work."""
    written = Counter(transfer.output for transfer in reduction.transfers)
    read = Counter(wire for transfer in reduction.transfers for wire in transfer.operands)
    assert set(written.values()) <= {1}
    assert set(read.values()) <= {1}
    products = {Wire("product", 0, leaf) for span in spans for leaf in leaves(span)}
    results = {Wire("result", 0, number) for number in range(len(spans))}
    assert set(read) == products | (set(written) - results)
    assert results <= set(written)
    order = reduction.receivers_first
    assert Counter(order) == Counter(reduction.transfers)
    place = {transfer.output: number for number, transfer in enumerate(order)}
    for number, transfer in enumerate(order):
        assert all(number < place[wire] for wire in transfer.operands if wire in place)


def is_register(transfer: Transfer) -> bool:
    """Whether a transfer only moves a word along the registers of its output wire."""
    return transfer.operands[0]._replace(stage=0) == transfer.output._replace(stage=0)


def neighbour(index: int) -> int:
    """The switch at the other end of the lateral link: odd n to n + 1, even n to n - 1."""
    return index + 1 if index % 2 else index - 1


def drives(tree: BinaryTree, reduction: Routing) -> Counter[Hashable]:
    """How often in a cycle each output of a switch is driven, and for how many VNs it adds.

    Level 1 passes two VNs of a single multiplier switch side by side to their buses, without an adder.
    """
    uses: Counter[Hashable] = Counter()
    for transfer in reduction.transfers:
        if is_register(transfer):
            continue
        level, index = tree.place(transfer.switch)
        output, operands = transfer.output, transfer.operands
        if len(operands) > 1:
            uses["adds", level, index] += 1
        if output.kind == "result":
            alone = level == 1 and operands[0].kind == "product" and len(operands) == 1
            uses["leaves", level, index, operands[0].place if alone else "adder"] += 1
        else:
            uses[output.kind, level, index] += 1
        for wire in operands:
            if wire.kind != "lateral" and wire.place // 2 != index:
                uses["lateral", level, wire.place // 2] += 1
    return uses


def check_tree_places(tree: BinaryTree, reduction: Routing, *, lateral: int | None) -> None:
    """Words only travel along links that the fabric has: from own children, or across a lateral link.

    ``lateral`` is the latency of the lateral links, None where there are none.
    """
    for transfer in reduction.transfers:
        level, index = tree.place(transfer.switch)
        assert 1 <= level <= tree.levels
        assert 0 <= index < tree.multipliers >> level
        assert len(transfer.operands) <= 3
        if transfer.output.kind != "result":
            assert transfer.output.kind in ("up", "lateral")
            assert (transfer.output.level, transfer.output.place) == (level, index)
        if is_register(transfer):
            continue
        from_lateral = 0
        for wire in transfer.operands:
            if wire.kind == "lateral":
                assert lateral is not None
                assert lateral > 0
                assert (wire.level, wire.place) == (level, neighbour(index))
                from_lateral += 1
                continue
            assert (wire.kind, wire.level) == (("product", 0) if level == 1 else ("up", level - 1))
            if wire.place // 2 != index:
                assert lateral == 0
                assert wire.place // 2 == neighbour(index)
                from_lateral += 1
        assert from_lateral <= 1
        if transfer.output.kind == "lateral":
            assert len(transfer.operands) == 1
            assert neighbour(index) in range(tree.multipliers >> level)
            assert neighbour(index) // 2 != index // 2


def common_level(span: Span) -> int:
    """The level at which a plain tree joins the whole span: half the range until one switch is left."""
    first, last, level = span.start, span.start + span.size - 1, 0
    while level == 0 or first != last:
        first, last, level = first // 2, last // 2, level + 1
    return level


def check_art(multipliers: int, spans: list[Span], latency: int, lateral_latency: int) -> Routing:
    tree = AugmentedReductionTree(multipliers, latency, lateral_latency)
    reduction = tree.route(spans)
    check_wires(reduction, spans)
    check_tree_places(tree, reduction, lateral=lateral_latency)
    assert set(drives(tree, reduction).values()) <= {1}
    for number, span in enumerate(spans):
        level, index = tree.place(reduction.exits[number])
        # Of k values at a level at least floor(k / 2) words go up, because two or three are added to one (and three
        # only at the ends); a lateral link can only save levels against the plain tree.
        assert max(1, span.size.bit_length() - 1) <= level <= common_level(span)
        assert level <= (span.size - 1).bit_length() + 1
        # Each level costs its latency, and a word that crosses a lateral link arrives that much later.
        depth = reduction.depth(number)
        assert level * latency <= depth <= level * (latency + lateral_latency)
        if lateral_latency == 0:
            assert depth == level * latency
        assert index << level <= reduction.exit_positions[number] < (index + 1) << level
    return reduction


@settings(max_examples=600, deadline=None)
@given(partitions(), st.integers(1, 2), st.integers(0, 2))
def test_art_sums_every_partition(partition: tuple[int, list[Span]], latency: int, lateral_latency: int) -> None:
    multipliers, spans = partition
    check_sums(check_art(multipliers, spans, latency, lateral_latency), spans)


@settings(max_examples=500, deadline=None)
@given(partitions(), st.integers(1, 2), st.integers(0, 2))
def test_art_routes_each_virtual_neuron_for_itself(
    partition: tuple[int, list[Span]], latency: int, lateral_latency: int
) -> None:
    """So that links and adders free for every pair of virtual neurons are free for every partition (see below)."""
    multipliers, spans = partition
    tree = AugmentedReductionTree(multipliers, latency, lateral_latency)
    together = tree.route(spans).transfers
    result = {number: Wire("result", 0, number) for number in range(len(spans))}
    alone = []
    for number, span in enumerate(spans):
        for transfer in tree.route([span]).transfers:
            output = transfer.output
            if output.kind == "result":
                output = result[number]._replace(stage=output.stage)
            operands = tuple(
                result[number]._replace(stage=wire.stage) if wire.kind == "result" else wire
                for wire in transfer.operands
            )
            alone.append(transfer._replace(virtual_neuron=number, output=output, operands=operands))
    assert Counter(together) == Counter(alone)


@pytest.mark.parametrize("lateral_latency", [0, 1, 2])
@pytest.mark.parametrize("latency", [1, 2])
def test_art_sums_all_partitions_of_eight(latency: int, lateral_latency: int) -> None:
    count = 0
    for spans in all_partitions(8):
        check_sums(check_art(8, spans, latency, lateral_latency), spans)
        count += 1
    assert count == 1597  # every second Fibonacci number: f(n) = 3 f(n - 1) - f(n - 2)


@pytest.mark.parametrize("lateral_latency", [0, 1])
@pytest.mark.parametrize("multipliers", [16, 32, 64])
def test_art_never_blocks(multipliers: int, lateral_latency: int) -> None:
    """All pairs of disjoint virtual neurons use different adders and links, hence so do all partitions."""
    tree = AugmentedReductionTree(multipliers, 1, lateral_latency)
    used: dict[Span, frozenset[Hashable]] = {}
    for start in range(multipliers):
        for size in range(1, multipliers - start + 1):
            span = Span(start, size)
            uses = drives(tree, tree.route([span]))
            assert set(uses.values()) == {1}
            used[span] = frozenset(uses)
    for one, other in itertools.combinations(sorted(used), 2):
        if one.start + one.size <= other.start:
            assert used[one].isdisjoint(used[other]), (one, other)


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("lateral_latency", [0, 1, 2])
def test_art_by_hand(latency: int, lateral_latency: int) -> None:
    """Aligned runs of 2^k take k levels; three values meet at level 1 when one of them crosses a lateral link."""
    tree = AugmentedReductionTree(16, latency, lateral_latency)
    for levels in range(1, 5):
        reduction = tree.route([Span(0, 1 << levels)])
        assert tree.place(reduction.exits[0]) == (levels, 0)
        assert reduction.depth(0) == levels * latency
    # 2 and 3 lie below switch 1.1, 4 below 1.2 whose lateral link goes to 1.1.
    reduction = tree.route([Span(2, 3)])
    assert tree.place(reduction.exits[0]) == (1, 1)
    assert reduction.depth(0) == latency + lateral_latency
    # 7 and 8 have nothing in common below the root but the lateral link from 1.3 to 1.4.
    reduction = tree.route([Span(7, 2)])
    assert tree.place(reduction.exits[0]) == (1, 4)
    # 1 and 2: switches 1.0 and 1.1 are siblings, without a link; their parent adds.
    reduction = tree.route([Span(1, 2)])
    assert tree.place(reduction.exits[0]) == (2, 0)
    assert reduction.depth(0) == 2 * latency
    # A single product passes one level.
    reduction = tree.route([Span(5, 1)])
    assert tree.place(reduction.exits[0]) == (1, 2)
    assert (reduction.depth(0), reduction.exit_positions[0]) == (latency, 5)


def test_tree_numbers_switches_level_by_level() -> None:
    tree = AugmentedReductionTree(16)
    places = [(level, index) for level in (1, 2, 3, 4) for index in range(16 >> level)]
    assert [tree.place(switch) for switch in range(tree.switches)] == places
    assert [tree.number(level, index) for level, index in places] == list(range(15))
    assert [tree.name_switch(switch) for switch in (0, 7, 8, 14)] == ["1.0", "1.7", "2.0", "4.0"]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([2, 4, 8, 16, 64, 256]), st.integers(1, 2))
def test_plain_tree_sums_aligned_subtrees(data: st.DataObject, multipliers: int, latency: int) -> None:
    tree = PlainTree(multipliers, latency)
    spans, free = [], 0
    while free < multipliers:
        block = 1 << data.draw(st.integers(0, multipliers.bit_length() - 1))
        free = -(-free // block) * block
        size = data.draw(st.integers(block // 2 + 1, block))
        if free + block > multipliers:
            break
        if data.draw(st.sampled_from([True, True, False])):
            spans.append(Span(free, size))
        free += block
    reduction = tree.route(spans)
    check_wires(reduction, spans)
    check_tree_places(tree, reduction, lateral=None)
    check_sums(reduction, spans)
    assert set(drives(tree, reduction).values()) <= {1}
    for number, span in enumerate(spans):
        level, _ = tree.place(reduction.exits[number])
        assert level == common_level(span)
        assert reduction.depth(number) == level * latency


def test_plain_tree_refuses_virtual_neurons_that_are_not_aligned() -> None:
    """Of all runs in 16 switches exactly those are routed that start at a multiple of the next power of two."""
    tree = PlainTree(16)
    for start in range(16):
        for size in range(1, 17 - start):
            block = next(power for power in (1, 2, 4, 8, 16) if power >= size)
            assert tree.block(size) == block
            if start % block == 0:
                check_sums(tree.route([Span(start, size)]), [Span(start, size)])
            else:
                with pytest.raises(NotSupportedError, match=f"must start at a multiple of {block}, not at {start}"):
                    tree.route([Span(start, size)])


@settings(max_examples=200, deadline=None)
@given(partitions(largest=128), st.integers(1, 2))
def test_chain_sums_every_partition(partition: tuple[int, list[Span]], latency: int) -> None:
    multipliers, spans = partition
    chain = LinearChain(multipliers, latency)
    reduction = chain.route(spans)
    check_wires(reduction, spans)
    check_sums(reduction, spans)
    for transfer in reduction.transfers:
        if not is_register(transfer):
            sources = [(wire.kind, wire.place) for wire in transfer.operands]
            own, before = ("product", transfer.switch), ("chain", transfer.switch - 1)
            assert sources in ([own], [own, before])
    for number, span in enumerate(spans):
        assert reduction.exits[number] == reduction.exit_positions[number] == span.start + span.size - 1
        assert reduction.depth(number) == span.size * latency


class Added(NamedTuple):
    """An adder that adds, by its number along the multiplier switches, and the adders or leaves that it takes words from."""

    adder: int
    sources: frozenset[tuple[str, int]]


def sums_by_the_rule_of_fan(multipliers: int, spans: list[Span]) -> dict[Span, list[Added]]:
    """What each adder adds by the rule in numbers: adder a lies between leaves a and a + 1, level: trailing ones of a."""
    span_of = {leaf: span for span in spans for leaf in leaves(span)}
    left_output: dict[int, tuple[str, int]] = {}
    right_output: dict[int, tuple[str, int]] = {}
    added: dict[Span, list[Added]] = {span: [] for span in spans}

    def same(one: int, other: int) -> bool:
        return one in span_of and span_of[one] == span_of.get(other)

    def choice(own: int, level: int, step: int) -> int:
        return max((k for k in range(1, level) if same(own, own + step * (1 << k))), default=0)

    adders = [(a, (~a & (a + 1)).bit_length() - 1) for a in range(multipliers - 1)]
    for a, level in sorted(adders, key=lambda entry: entry[1]):
        left, right = ("leaf", a), ("leaf", a + 1)
        if level:
            left = right_output[a - (1 << choice(a, level, -1))]
            right = left_output[a + (1 << choice(a + 1, level, 1))]
        if same(a, a + 1):
            added[span_of[a]].append(Added(a, frozenset((left, right))))
            left = right = ("adder", a)
        left_output[a], right_output[a] = left, right
    return added


def check_fan(multipliers: int, spans: list[Span], latency: int = 1, *, to_last_level: bool = False) -> Routing:
    """Links are those there are, each driven once; all words of a VN take equally long; the sums are those of the rule."""
    fan = ForwardingAdderNetwork(multipliers, latency, to_last_level=to_last_level)
    reduction = fan.route(spans)
    check_wires(reduction, spans)
    links = {(link.source, link.target) for link in fan.links()}
    writer = {transfer.output: transfer.switch for transfer in reduction.transfers}
    arrival = {Wire("product", 0, leaf): 0 for span in spans for leaf in leaves(span)}
    carried: dict[Wire, tuple[str, int]] = {wire: ("leaf", wire.place) for wire in arrival}
    used: Counter[Hashable] = Counter()
    added: dict[Span, list[Added]] = {span: [] for span in spans}
    for transfer in reversed(reduction.receivers_first):
        times = {arrival[wire] for wire in transfer.operands}
        assert len(times) == 1
        arrival[transfer.output] = times.pop() + 1
        carried[transfer.output] = carried[transfer.operands[0]]
        if is_register(transfer):
            continue
        for wire in transfer.operands:
            place = Place("adder", writer[wire]) if wire in writer else Place("multiplier", wire.place)
            assert (place, transfer.switch) in links
            used[place, transfer.switch] += 1
            below = fan.level(writer[wire]) if wire in writer else 0
            assert arrival[wire] == below * latency + (fan.level(transfer.switch) - below - 1) * latency
        if len(transfer.operands) == 2:
            adder = fan.column(transfer.switch) - 1
            sources = frozenset(carried[wire] for wire in transfer.operands)
            added[spans[transfer.virtual_neuron]].append(Added(adder, sources))
            carried[transfer.output] = ("adder", adder)
    assert set(used.values()) <= {1}
    expected = sums_by_the_rule_of_fan(multipliers, spans)
    assert {span: sorted(found, key=adder_of) for span, found in added.items()} == {
        span: sorted(found, key=adder_of) for span, found in expected.items()
    }
    for number, span in enumerate(spans):
        # A finished sum leaves at its adder of the highest level; a single product at its switch of the first level.
        level = max(fan.level(transfer.switch) for transfer in reduction.transfers if transfer.virtual_neuron == number)
        assert fan.level(reduction.exits[number]) == level
        assert reduction.depth(number) == (fan.levels if to_last_level else level) * latency
        assert reduction.exit_positions[number] in leaves(span)
    assert len(set(reduction.exit_positions)) == len(spans)
    return reduction


def adder_of(added: Added) -> int:
    return added.adder


@settings(max_examples=300, deadline=None)
@given(partitions(), st.integers(1, 2), st.booleans())
def test_fan_sums_every_partition(partition: tuple[int, list[Span]], latency: int, to_last_level: bool) -> None:
    multipliers, spans = partition
    check_sums(check_fan(multipliers, spans, latency, to_last_level=to_last_level), spans)


def all_full_partitions(multipliers: int) -> Iterator[list[Span]]:
    """Every way to cut all switches into runs."""
    for cuts in range(1 << (multipliers - 1)):
        limits = [0, *(cut + 1 for cut in range(multipliers - 1) if cuts >> cut & 1), multipliers]
        yield [Span(start, end - start) for start, end in itertools.pairwise(limits)]


@pytest.mark.parametrize("multipliers", [2, 4, 8])
def test_fan_sums_all_partitions(multipliers: int) -> None:
    for spans in all_partitions(multipliers):
        check_sums(check_fan(multipliers, spans), spans)


@pytest.mark.slow
def test_fan_sums_all_partitions_of_sixteen() -> None:
    for spans in all_full_partitions(16):
        check_fan(16, spans)


def test_fan_by_hand() -> None:
    """Leaves 3 to 8 of 16: 7 and 8 meet at the root, where 3 comes from level 1 and 4 to 7 from level 2."""
    fan = ForwardingAdderNetwork(16)
    reduction = fan.route([Span(3, 6)])
    assert [fan.name_switch(switch) for switch in reduction.exits] == ["4.0"]
    work = {
        fan.name_switch(transfer.switch): (len(transfer.operands), transfer.output.kind)
        for transfer in reduction.transfers
        if not is_register(transfer)
    }
    assert work == {
        "1.1": (1, "forward"),  # 3, to 3.0 past level 2
        "1.2": (2, "up"),
        "1.3": (2, "up"),
        "2.1": (2, "up"),
        "1.4": (1, "forward"),  # 8, to the root past levels 2 and 3
        "3.0": (2, "up"),
        "4.0": (2, "result"),
    }
    assert sum(map(is_register, reduction.transfers)) == 1 + 2
    assert reduction.depth(0) == 4


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("latency", [1, 2])
def test_the_estimate_knows_where_sums_leave(topology: str, latency: int) -> None:
    """Its kernels have a twin of each routing rule."""
    options = {"topology": topology, "latency": latency}
    variants = [{"lateral_latency": lateral} for lateral in (0, 1, 2)] if topology == "art" else [{}]
    variants += {"art": [{"crossing": "shorter_end"}], "fan": [{"exit": "last_level"}]}.get(topology, [])
    for variant in variants:
        hardware = Hardware.model_validate({"name": "h", "multipliers": 32, "reduction": {**options, **variant}})
        network, exits = topology_of(hardware), workspace(hardware).exits
        for size in range(1, 33):
            starts = range(0, 33 - size, network.block(size))
            for entry, start in enumerate(starts, exits.start[size]):
                reduction = network.route([Span(start, size)])
                (bus,) = bus_inputs(reduction, hardware)
                assert (exits.bus[entry], exits.transfers[entry]) == (bus.bus, len(reduction.transfers)), (start, size)
                # What crosses on several levels of an art may overlap, of which the kernel knows nothing.
                overlaps = hardware.reduction.topology == "art" and hardware.reduction.lateral_latency > 0
                late = exits.way[entry] - reduction.depth(0)
                assert late >= 0 if overlaps else late == 0, (variant, start, size)


@pytest.mark.parametrize(("name", "block_of_five"), [("art", 5), ("plain_tree", 8), ("linear", 5), ("fan", 5)])
def test_topology_by_name(name: str, block_of_five: int) -> None:
    hardware = Hardware.model_validate({"name": "h", "multipliers": 16, "reduction": {"topology": name, "latency": 2}})
    topology: Topology = topology_of(hardware)
    assert topology.block(5) == block_of_five
    assert topology.switches == (16 if name == "linear" else 15)
    assert topology.route([Span(0, 2)]).depth(0) == (4 if name == "linear" else 2)


def test_a_chain_of_any_length_is_ordered_from_its_end() -> None:
    ordered = LinearChain(64, latency=1024).route([Span(0, 64)]).receivers_first
    assert len(ordered) == 64 * 1024
    taken: set[Wire] = set()
    for transfer in ordered:
        assert transfer.output.kind == "result" or transfer.output in taken
        taken.update(transfer.operands)
