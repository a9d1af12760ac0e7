"""Programs as text."""

from __future__ import annotations

import re

import pytest

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.program.printing import program_text, ranges
from maerisim.program.program import Program
from maerisim.ways.way import program_of
from maerisim.workload.problem import FusedProblem, Operation, Problem

HARDWARE = Hardware(name="small", multipliers=16)
THREADS = ("partial_sums", "inputs", "weights", "compute", "collect")


def small_layer(**overrides: object) -> Program:
    """Three filters of a 2 x 2 window over two channels: tile edges in K, folds over C, a sliding window in Q."""
    problem = Problem(K=5, C=2, R=2, S=2, P=3, Q=4)
    hardware = HARDWARE.with_overrides({path.replace("__", "."): value for path, value in overrides.items()})
    return program_of(problem, Mapping.of({"K": 3, "R": 2, "S": 2}, "N G K P Q C R S"), hardware)


def sections(text: str) -> dict[str, list[str]]:
    """The lines under each thread's heading."""
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        heading, *lines = block.splitlines()
        name = heading.split(":")[0]
        if name in THREADS:
            found[name] = [heading, *lines]
    return found


def steps_of(lines: list[str]) -> int:
    """Control steps of printed loops: each step counts once for every turn of the loops that it stands under."""
    total = 0
    turns: list[tuple[int, int]] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if match := re.match(r" *(?:for ([\d,]+):|step T\d+ x ([\d,]+))", line):
            turns = [turn for turn in turns if turn[0] < indent]
            if match[1]:
                turns.append((indent, int(match[1].replace(",", ""))))
            else:
                count = int(match[2].replace(",", ""))
                for _, turn in turns:
                    count *= turn
                total += count
    return total


@pytest.mark.parametrize("overrides", [{}, {"accumulation__words": 0}])
def test_printed_loops_multiply_to_the_steps_of_each_thread(overrides: dict[str, object]) -> None:
    program = small_layer(**overrides)
    printed = sections(program_text(program))
    assert set(printed) == set(THREADS)
    for thread in (*program.streams, program.compute, program.collect):
        assert steps_of(printed[thread.name]) == thread.steps
        if thread.steps:
            assert f"{thread.steps} step" in printed[thread.name][0]


def test_configuration_names_switches_exit_and_bus_of_every_virtual_neuron() -> None:
    text = program_text(small_layer())
    assert text.startswith("3 virtual neurons on 12 multiplier switches, 60 results to collect")
    # Aligned runs of four leave the tree at its second level; four buses, one above every four switches.
    for cell in ("0: 0-3; 2.0; bus 0", "1: 4-7; 2.1; bus 1", "2: 8-11; 2.2; bus 2"):
        assert cell in text


def test_packets_tell_where_each_word_goes() -> None:
    inputs = "\n".join(sections(program_text(small_layer(multiplier__forwarding=False)))["inputs"])
    # Four distinct words of a 2 x 2 window in an image five columns wide, needed in three ports.
    assert "12 words over 3 ports to 12 registers (4 buffer reads" in inputs
    assert "port 0: +0 to +1 -> 0-1 in turn; +5 to +6 -> 2-3 in turn" in inputs
    assert "port 1: +0* to +1* -> 4-5 in turn" in inputs


def test_a_word_for_many_switches_is_one_packet() -> None:
    program = program_of(Problem(K=8, C=3), Mapping.of({"K": 8}), Hardware(name="h", multipliers=8))
    assert "port 0: +0 -> 0-3" in "\n".join(sections(program_text(program))["inputs"])


def test_words_that_stay_in_place_are_for_steps_far_apart() -> None:
    """Weights of one input channel serve a whole 13 x 13 output before those of the next one are needed."""
    problem = Problem(C=4, R=2, S=2, P=13, Q=13)
    program = program_of(problem, Mapping.of({"R": 2, "S": 2}, "N G K C R S P Q"), HARDWARE)
    assert "  step T0 x 4  base +4  169 steps apart" in sections(program_text(program))["weights"]


def test_compute_and_collect_in_words() -> None:
    printed = sections(program_text(small_layer()))
    compute, collect = "\n".join(printed["compute"]), "\n".join(printed["collect"])
    assert "multiply, input from the right neighbour" in compute
    assert "forward it to the left" in compute
    assert "VN 0-2: start an output, keep it (3 additions of two)" in collect
    assert "complete an output, send it" in collect
    assert "VN 2: at rest" in collect


@pytest.mark.parametrize(("operation", "deed"), [("add", "addition"), ("max", "comparison")])
def test_poolings_pass_inputs_and_need_no_weights(operation: Operation, deed: str) -> None:
    problem = Problem(G=4, R=2, S=2, P=3, Q=3, stride=(2, 2), operation=operation)
    text = program_text(program_of(problem, Mapping.of({"G": 4, "R": 2, "S": 2}), HARDWARE))
    printed = sections(text)
    assert printed["weights"] == ["weights: nothing to do"]
    assert "0-15: pass the input, retire input" in "\n".join(printed["compute"])
    assert f"VN 0-3: a whole output, send it (3 {deed}s of two)" in "\n".join(printed["collect"])
    assert ("keep the larger of their words" in text) == (operation == "max")


def test_partial_sums_that_come_back() -> None:
    printed = sections(program_text(small_layer(accumulation__words=0)))
    partial_sums = "\n".join(printed["partial_sums"])
    assert "no words: the outputs begin" in partial_sums
    assert "written 1 result ago" in partial_sums
    assert "pass the partial sum" in "\n".join(printed["compute"])
    assert "send the partial sum" in "\n".join(printed["collect"])


def test_a_large_layer_takes_a_screen_or_two() -> None:
    problem = Problem(K=384, C=256, R=3, S=3, P=13, Q=13)
    mapping = Mapping.of({"K": 7, "R": 3, "S": 3}, "N G K C P R S Q")
    lines = program_text(program_of(problem, mapping, Hardware(name="h", multipliers=64))).splitlines()
    assert len(lines) <= 130
    assert max(len(line) for line in lines) <= 120
    assert any(line.startswith("Reading it:") for line in lines)


def test_other_topologies_print_too() -> None:
    assert "0: 0-3; 3; bus 0" in program_text(small_layer(reduction__topology="linear"))
    assert "0: 0-3; 2.0; bus 0" in program_text(small_layer(reduction__topology="plain_tree", reduction__latency=3))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([4], "4"),
        (range(9), "0-8"),
        ([0, 9], "0, 9"),
        (range(0, 28, 9), "0 every 9 to 27"),
        ([0, 1, 3, 4, 6, 7], "0-1 every 3 to 6-7"),
        ([0, 1, 5, 9, 10], "0-1, 5, 9-10"),
        ([n * n for n in range(14)], "0-1, 4, 9, 16, 25, 36, 49, 64, 81, 100, ... to 169"),
    ],
)
def test_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_two_layers_at_once() -> None:
    problem = FusedProblem(
        Problem(K=2, C=4, P=4, Q=4), Problem(G=2, R=2, S=2, P=2, Q=2, stride=(2, 2), operation="max")
    )
    mapping = FusedMapping(Mapping.of({"K": 2, "C": 4}), Mapping.of({"R": 2, "S": 2}), 8)
    text = program_text(program_of(problem, mapping, Hardware.load("maeri-16")))
    lines = text.splitlines()
    assert lines[0] == "3 virtual neurons on 12 multiplier switches, 40 results to collect"
    assert lines[1].startswith(
        "two layers at once: ports from 2, multiplier switches from 8 and virtual neurons from 2 on"
    )
    assert lines[3] == "its adder switches keep the larger of their words"
    assert "compute: 16 steps, walked by each multiplier switch of the first layer" in lines
    assert "  8 steps, walked by each multiplier switch of the second layer" in lines
    assert "weights: 1 step, walked by each distribution port" in lines  # a pooling has none
    assert any("VN 2: a whole output, send it (3 comparisons of two)" in line for line in lines)
    assert any("VN 0-1: a whole output, send it (3 additions of two)" in line for line in lines)
