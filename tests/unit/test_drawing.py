"""The fabric as text and as Graphviz."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from maerisim.errors import MappingError
from maerisim.fabric.drawing import text
from maerisim.fabric.graphviz import dot
from maerisim.fabric.occupancy import letter
from maerisim.hardware.hardware import Hardware

TOPOLOGIES = ("art", "plain_tree", "linear", "fan")


def hardware(multipliers: int, **reduction: object) -> Hardware:
    return Hardware.model_validate({"name": f"maeri-{multipliers}", "multipliers": multipliers, "reduction": reduction})


def row(drawing: str, label: str) -> list[str]:
    """The words of the row with this label."""
    line = next(line for line in reversed(drawing.splitlines()) if line.startswith(label))
    return line.removeprefix(label).split()


def edges(document: str) -> list[tuple[str, str, str]]:
    """(from, to, attributes) of every edge."""
    return re.findall(r"^  (\w+) -> (\w+)(.*);$", document, re.MULTILINE)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("multipliers", [2, 4, 8, 16, 64, 512, 4096])
def test_drawing_fits_the_page(multipliers: int, topology: str) -> None:
    machine = hardware(multipliers, topology=topology)
    for sizes in ((), (1,) * multipliers, (multipliers,), (3,) * (multipliers // 4)):
        lines = text(machine, sizes).splitlines()
        assert max(len(line) for line in lines) <= 100
        assert len(lines) <= 150


def test_networks_in_words() -> None:
    drawing = text(Hardware.load("maeri-64"))
    for fact in (
        "maeri-64: 64 multiplier switches",
        "16 ports",
        "switches 4p to 4p+3",
        "art: 6 levels of adder switches",
        "16 buses",
        "4,096 partial sums",
    ):
        assert fact in drawing
    # Odd switches are linked to their right neighbours: a level of 32 has 15 lateral links, one of 4 has one.
    assert " ".join(row(drawing, "level 1")) == "32 adder switches, lateral links 1-2 3-4 5-6 .. 29-30"
    assert " ".join(row(drawing, "level 4")) == "4 adder switches, lateral links 1-2"
    assert " ".join(row(drawing, "level 6")) == "1 adder switch"


def test_picture_of_an_empty_tree() -> None:
    drawing = text(hardware(16))
    assert row(drawing, "ports") == ["0", "1", "2", "3"]
    assert row(drawing, "multipliers") == [str(index) for index in range(16)]
    level_1 = row(drawing, "level 1")
    assert [word for word in level_1 if word.isdigit()] == [str(index) for index in range(8)]
    # A dotted link stands behind 1, 3 and 5 and nowhere else.
    assert [level_1[place - 1] for place, word in enumerate(level_1) if "┄" in word] == ["1", "3", "5"]
    assert "┄" not in "".join(text(hardware(16, topology="plain_tree")).splitlines()[:-2])


def test_what_each_switch_does() -> None:
    """VNs of 5, 5 and 3 by hand: A's fifth value crosses to switch 1.1, B's first passes alone, and so on."""
    drawing = text(hardware(16), [5, 5, 3])
    assert row(drawing, "multipliers")[4:6] == ["A4", "B5"]
    assert [word for word in row(drawing, "level 1") if "┄" not in word] == [
        "A2", "A3", "A<", "B1", "B2", "B2", "C3*", "C<", "7",
    ]  # fmt: skip
    assert [word for word in row(drawing, "level 2") if "┄" not in word] == ["A2*", "B3*", "B<", "3"]
    assert "A: switches 0-4, leaves at 2.0 on bus 0 (2 add2, 1 add3, 1 cross)" in drawing
    assert "C: switches 10-12, leaves at 1.5 on bus 2 (1 add3, 1 cross)" in drawing


@pytest.mark.parametrize("lateral_latency", [0, 1, 3])
@pytest.mark.parametrize("latency", [1, 3])
def test_latencies_do_not_change_the_picture(latency: int, lateral_latency: int) -> None:
    machine = hardware(16, latency=latency, lateral_latency=lateral_latency)
    drawing = text(machine, [5, 5, 3])
    assert drawing.split("ports", 2)[2] == text(hardware(16), [5, 5, 3]).split("ports", 2)[2]
    assert edges(dot(machine, [5, 5, 3])) == edges(dot(hardware(16), [5, 5, 3]))


@pytest.mark.parametrize("lateral_latency", [0, 1])
def test_two_values_that_meet_across_a_lateral_link(lateral_latency: int) -> None:
    """B has switches 3 and 4, below 1.1 and 1.2: one of its values crosses over to the other."""
    level_1 = row(text(hardware(8, lateral_latency=lateral_latency), [3, 2]), "level 1")
    assert [word for word in level_1 if "┄" not in word] == ["A2", "A1", "B>", "B2*", "3"]


def test_levels_of_a_large_array_are_listed() -> None:
    drawing = text(hardware(64), [9] * 7)
    assert row(drawing, "level 3") == ["0:", "A2*", "B2*", "C2", "C1+D>", "D2*+E1", "E1+F>", "F3*", "G2*"]
    assert "A: switches 0-8, leaves at 3.0 on bus 1 (6 add2, 1 add3, 1 cross)" in drawing


def test_chain() -> None:
    drawing = text(hardware(8, topology="linear"), [3, 2])
    adders = [word for word in re.split(r"[ →]+", drawing.split("adders")[-1].splitlines()[0]) if word]
    assert adders == ["A1", "A2", "A2*", "B1", "B2*", "5", "6", "7"]


def test_plain_tree_starts_each_virtual_neuron_at_an_aligned_subtree() -> None:
    drawing = text(hardware(16, topology="plain_tree"), [3, 5])
    assert "A: switches 0-2, leaves at 2.0" in drawing
    assert "B: switches 8-12, leaves at 3.1" in drawing


def test_fan() -> None:
    """VNs of 5, 5 and 3: A4 and B5 pass one switch side by side, and B meets at the root, which 4 and 8 are below."""
    drawing = text(hardware(16, topology="fan"), [5, 5, 3])
    assert row(drawing, "level 1") == ["A2", "A2", "A1", "B1", "B2", "B2", "C2", "C1", "7"]
    assert row(drawing, "level 2") == ["A2", "B2", "2", "3"]
    assert row(drawing, "level 3") == ["A2*", "C2*"]
    assert row(drawing, "level 4") == ["B2*"]
    assert "B: switches 5-9, leaves at 4.0 on bus 2 (4 add2, 1 pass)" in drawing
    assert "fan: 4 levels of adder switches" in drawing
    assert "sums ride on to the last level" in " ".join(text(hardware(16, topology="fan", exit="last_level")).split())
    # Each link passes at least one level; those of the outermost switches would lead out of the array.
    drawing = text(hardware(64, topology="fan"))
    assert " ".join(row(drawing, "level 1")) == "32 adder switches, forwarding links 1-3.0 2-3.0 3-4.0 .. 30-3.7"
    assert " ".join(row(drawing, "level 5")) == "2 adder switches"


def test_graphviz_of_a_fan() -> None:
    document = dot(hardware(8, topology="fan"), [3, 5])
    # 3 is B's and meets 4 to 7 at the root; 2 is A's and meets 0 and 1 there one level below.
    assert [(source, target) for source, target, style in edges(document) if "dashed" in style] == [
        ("a1_1", "a3_0"),
        ("a1_2", "a3_0"),
    ]
    used = {(source, target) for source, target, style in edges(document) if "penwidth" in style}
    assert {("a1_0", "a2_0"), ("a1_1", "a2_0"), ("a1_1", "a3_0"), ("a2_1", "a3_0")} <= used
    assert ("a1_2", "a3_0") not in used


@pytest.mark.parametrize("draw", [text, dot])
def test_virtual_neurons_that_do_not_fit(draw: Callable[[Hardware, list[int]], str]) -> None:
    with pytest.raises(MappingError, match="they take 17 multiplier switches, maeri-16 has 16"):
        draw(hardware(16), [9, 8])
    with pytest.raises(MappingError, match=r"they take 21 .*aligned subtree"):
        draw(hardware(16, topology="plain_tree"), [9, 5])


@pytest.mark.parametrize("multipliers", [2, 8, 64])
def test_graphviz_of_a_tree_has_every_link(multipliers: int) -> None:
    machine = hardware(multipliers)
    document = dot(machine, [])
    assert document.startswith(f'digraph "maeri-{multipliers}" {{')
    assert document.count("{") == document.count("}")
    found = edges(document)
    lateral = [(source, target) for source, target, style in found if "dashed" in style]
    # One link from every multiplier to its port, one from every node of the tree but the root to its parent.
    assert len(found) - len(lateral) == multipliers + (2 * multipliers - 2)
    # A level of n switches has n / 2 - 1 lateral links.
    levels = multipliers.bit_length() - 1
    assert len(lateral) == sum(max(0, (multipliers >> level) // 2 - 1) for level in range(1, levels + 1))
    assert all(f"bus{bus} [" in document for bus in range(machine.buses))


def test_graphviz_colours_virtual_neurons() -> None:
    document = dot(hardware(16), [5, 5, 3])
    color = dict(re.findall(r'^  m(\d+) \[.*fillcolor="(.*)"\]', document, re.MULTILINE))
    assert len({color["0"], color["5"], color["10"], color["13"]}) == 4
    assert color["4"] == color["0"] != color["5"]
    shared = re.search(r'a1_2 \[.*fillcolor="(.*)"\]', document)
    assert shared is not None
    assert shared[1] == f"{color['0']}:{color['5']}"
    buses = {(source, target) for source, target, _ in edges(document) if target.startswith("bus")}
    assert buses == {("a2_0", "bus0"), ("a2_1", "bus1"), ("a1_5", "bus2")}
    crossing = [style for source, target, style in edges(document) if (source, target) == ("a1_1", "a1_2")]
    assert "dir=back" in crossing[0]
    assert color["0"] in crossing[0]


def test_graphviz_of_a_chain() -> None:
    found = {(source, target) for source, target, _ in edges(dot(hardware(4, topology="linear"), []))}
    assert {("a0", "a1"), ("a1", "a2"), ("a2", "a3"), ("m3", "a3")} <= found


def test_a_name_with_quotes_is_escaped() -> None:
    machine = Hardware(name='the "big" one', multipliers=2)
    assert dot(machine, []).startswith('digraph "the \\"big\\" one" {')


def test_letters_go_on_after_z() -> None:
    assert [letter(vn) for vn in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
