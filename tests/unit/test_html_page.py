"""What the page of a report holds: that it is what happened, and that nothing that others wrote gets out of its place."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import maerisim
from maerisim.counts.counters import OPERANDS, STALLS
from maerisim.engine.recording import CycleWindow, Frame, Recording
from maerisim.engine.run import RunOptions, run_programs
from maerisim.errors import NotSupportedError
from maerisim.fabric.choose import TOPOLOGIES
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.reports.html.contents import contents, rows
from maerisim.reports.html.page import embedded, page
from maerisim.reports.html.scenes import LETTERS, fabric_json, replay_json
from maerisim.reports.replay import MOST_SWITCH_CYCLES, Replay, replay, windows
from maerisim.ways.way import programs, simulate
from maerisim.workload.problem import Problem
from maerisim.workload.sparsity import Sparsity

SMALL = Hardware(name="small", multipliers=16)
CASES: dict[str, tuple[Problem, Mapping, Hardware]] = {
    "filter rows": (
        Problem(K=6, C=2, R=3, S=3, P=6, Q=6),
        Mapping.of({"R": 3, "S": 3}, "N G K C P R S Q"),
        SMALL.with_overrides({"multiplier.forwarding": True, "distribution.latency": 3}),
    ),
    "partial sums": (
        Problem(K=5, C=7, N=40),
        Mapping.of({"K": 2, "C": 3}, "N G K C R S P Q"),
        SMALL.with_overrides({"accumulation.words": 0, "reduction.topology": "fan"}),
    ),
    "sets of filters": (
        Problem(K=12, C=9, P=30, sparsity=Sparsity(density=0.4, seed=3)),
        Mapping.of({"K": 4, "C": 4}, "G K N P Q C R S"),
        SMALL,
    ),
    "max pooling": (
        Problem(G=3, R=3, S=2, P=7, Q=8, operation="max"),
        Mapping.of({"G": 2, "R": 2, "S": 2}, "N G K C R S P Q"),
        SMALL.with_overrides({"reduction.topology": "linear"}),
    ),
}


def followed(problem: Problem, mapping: Mapping, hardware: Hardware) -> Replay:
    return replay(problem, mapping, hardware, lambda _: None)


def spelt_out(text: str, count: int) -> str:
    """What runs of equal characters stand for."""
    found = "".join(mark * int(number or 1) for number, mark in re.findall(r"(\d*)(\D)", text))
    assert len(found) == count
    return found


def frame_of(document: dict[str, Any], cycle: list[int], multipliers: int) -> dict[str, Any]:
    """What the page says of a cycle, as an observer would."""
    _, place, *texts = cycle
    switches, arrivals, handed, sums, sent, held, collected = (document["texts"][text] for text in texts)
    configuration = document["configurations"][place]

    def words(text: str) -> list[tuple[int, str, tuple[int, ...]]]:
        found = []
        runs = [[int(place) for place in run.split("-")] for run in text.split()]
        places = [place for run in runs for place in range(run[0], run[-1] + 1)]
        every = [
            [port + n * up, operand, *(at + n * further if place % 3 == 0 else at for place, at in enumerate(strides))]
            for count, up, further, port, operand, *strides in document["words"]
            for n in range(count)
        ]
        for port, operand, *strides in (every[place] for place in places):
            strided = zip(strides[::3], strides[1::3], strides[2::3], strict=True)
            destinations = tuple(first + step * n for first, count, step in strided for n in range(count))
            found.append((port, OPERANDS[operand], destinations))
        return found

    states = dict(enumerate(spelt_out(switches, multipliers)))
    of_sums = [(first + n, vn) for vn, first, count in configuration["sums"] for n in range(count)]
    moved = spelt_out(sums, len(of_sums))
    return {
        "multiplied": [m for m, state in states.items() if state == "*"],
        "stalled": {m: state for m, state in states.items() if state not in ".*"},
        "arrived": {m: mark for m, mark in enumerate(spelt_out(arrivals, multipliers)) if mark != "."},
        "handed": [m for m, mark in enumerate(spelt_out(handed, multipliers)) if mark == "*"],
        "added": {each for each, mark in zip(of_sums, moved, strict=True) if mark == "*"},
        "sent": words(sent),
        "held": words(held),
        "collected": collected.split(),
    }


def seen(frame: Frame) -> dict[str, Any]:
    """The same of an observer's frame."""
    return {
        "multiplied": sorted(frame.multiplied),
        "stalled": {m: LETTERS[why] for m, why in sorted(frame.stalled.items())},
        "arrived": {each.switch: LETTERS[each.operand] for each in sorted(frame.arrived)},
        "handed": sorted(each.switch for each in frame.handed),
        "added": {(each.switch, each.virtual_neuron) for each in frame.added},
        "sent": [tuple(each) for each in frame.sent],
        "held": [tuple(each) for each in frame.held],
        "collected": [f"{each.bus}:{each.virtual_neuron}{'' if each.complete else '~'}" for each in frame.collected],
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_moves_is_what_the_event_engine_does(case: tuple[Problem, Mapping, Hardware]) -> None:
    problem, mapping, hardware = case
    frames: list[Frame] = []
    for program in programs(problem, mapping, hardware):
        recording = Recording(CycleWindow(0, 1 << 40))
        run_programs([program], hardware, RunOptions("event", observers=[recording]))
        frames += recording.frames
    document = json.loads(embedded(replay_json(followed(*case), hardware)))
    assert document["cycles"] == len(frames)
    assert [scene["name"] for scene in document["scenes"]] == ["start", "steady state", "end"]
    assert document["scenes"][-1]["cycles"][-1][0] == len(frames) - 1
    for scene in document["scenes"]:
        first = scene["cycles"][0][0]
        assert [cycle[0] for cycle in scene["cycles"]] == list(range(first, first + len(scene["cycles"])))
        for cycle in scene["cycles"]:
            assert frame_of(document, cycle, hardware.multipliers) == seen(frames[cycle[0]])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_summed_over_time_is_what_the_simulation_counts(case: tuple[Problem, Mapping, Hardware]) -> None:
    found, result = followed(*case), simulate(*case)
    assert found.followed == found.cycles == result.cycles
    assert [each.first for each in found.segments] == [0, *(each.end for each in found.segments[:-1])]
    assert found.segments[-1].end == result.cycles
    assert sum(each.work for each in found.segments) == result.counters.operations
    for cause in STALLS:
        assert sum(each.stalls[cause] for each in found.segments) == result.counters.stalls[cause]


def test_of_a_layer_in_blocks_one_kind_is_shown() -> None:
    hardware = SMALL.with_overrides({"global_buffer.words": 150, "dram.bandwidth": 2})
    problem, mapping = Problem(K=8, C=8, P=6, Q=6), Mapping.of({"K": 2, "C": 4})
    found = followed(problem, mapping, hardware)
    assert found.blocks > 1
    assert found.problem.operations < problem.operations
    assert sum(each.work for each in found.segments) == found.problem.operations


def test_windows_lie_at_the_start_in_the_middle_and_at_the_end() -> None:
    assert windows(100, 100, 16) == {"whole run": CycleWindow(0, 100)}
    assert windows(1000, 1000, 16) == {
        "start": CycleWindow(0, 48),
        "steady state": CycleWindow(500, 548),
        "end": CycleWindow(952, 1000),
    }
    assert windows(1000, 1000, 512)["end"] == CycleWindow(984, 1000)


def test_of_a_run_that_is_too_long_the_end_is_not_shown() -> None:
    most = MOST_SWITCH_CYCLES // 64
    found = windows(10 * most, most, 64)
    assert list(found) == ["start", "steady state"]
    assert found["steady state"].end == most


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_link_of_every_topology_is_drawn(topology: str) -> None:
    hardware = SMALL.with_overrides({"reduction.topology": topology})
    document = fabric_json(hardware)
    adders = len(document["adders"])
    assert adders == (16 if topology == "linear" else 15)
    assert all(target < adders for _, _, target, _ in document["links"])
    found = replay_json(followed(Problem(K=3, C=4, P=4), Mapping.of({"K": 3, "C": 4}), hardware), hardware)
    used = found["configurations"][0]["links"]
    assert {vn for vn, _, _, _ in used} == {0, 1, 2}
    assert max(first + count for _, _, first, count in used) <= len(document["links"])


NASTY = "</script><script>alert(1)</script><b onmouseover='x'>\"&amp;"


@pytest.fixture(scope="module")
def nasty_page() -> str:
    layer = {"name": NASTY, "op": "linear", "inputs": 8, "outputs": 4}
    return maerisim.report("maeri-16", maerisim.Network([layer]), replays=True).to_html()


def test_names_cannot_leave_their_places(nasty_page: str) -> None:
    assert NASTY not in nasty_page
    assert nasty_page.count("</script>") == 3
    assert "<b onmouseover" not in nasty_page
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', nasty_page)
    assert json.loads(data)["layers"][0]["name"] == NASTY


def test_it_is_told_whether_a_mapping_was_given_or_found_without_a_proof() -> None:
    layer = {"name": "sparse", "op": "linear", "inputs": 9, "outputs": 4, "sparsity": {"density": 0.4}}
    found = maerisim.report("maeri-16", maerisim.Network([layer]))
    given = maerisim.report("maeri-16", maerisim.Network([layer]), mapping=found.results.mappings)
    for report, word in ((found, "no"), (given, "given")):
        assert rows(report)[0]["cells"][-1][0] == word
        assert contents(report)["facts"][0]["given"] == (word == "given")


def test_nothing_is_fetched(nasty_page: str) -> None:
    assert "default-src 'none'" in nasty_page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", nasty_page)
    assert "url(" not in nasty_page
    assert "@import" not in nasty_page


def test_without_jinja_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maerisim.reports.html.page.find_spec", lambda _: None)
    report = maerisim.report("maeri-16", "tiny", layers="linear")
    with pytest.raises(NotSupportedError, match=r"maerisim\[html\]"):
        page(report)
