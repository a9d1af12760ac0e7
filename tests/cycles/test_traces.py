"""Traces and waveforms: what they show adds up to the counters, and both engines give the same files."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from vcd.reader import TokenKind, tokenize

from maerisim import Conv2d, Fused, FusedMapping, Hardware, Mapping, MaxPool2d, Problem, simulate, trace
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.reports import waveform
from maerisim.reports.tracks import WAITS
from maerisim.rtl.switches import AdderTree
from maerisim.study import traces
from maerisim.study.given import NetworkLike
from maerisim.workload.sparsity import Sparsity

SMALL = Hardware(name="small", multipliers=16)
ONE = Conv2d(name="one", input=[2, 6, 6], filters=4, kernel=3)
OTHER = MaxPool2d(name="other", input=[4, 4, 4], kernel=2, stride=2)
ROWS = Mapping.of({"R": 3, "S": 3}, "N G K C P R S Q")


@dataclass(frozen=True)
class Case:
    """What is traced; ``events_only``: only the event engine can be watched."""

    network: NetworkLike
    mapping: Mapping | FusedMapping | None
    hardware: Hardware
    events_only: bool = False


CASES = {
    "filter rows": Case(Problem(K=3, C=2, R=3, S=3, P=2, Q=3), ROWS, SMALL),
    "folds that spill": Case(
        Problem(K=5, C=7, N=2),
        Mapping.of({"K": 2, "C": 3}, "N G K C R S P Q"),
        SMALL.with_overrides({"accumulation.words": 0, "distribution.latency": 3}),
    ),
    "max pooling": Case(
        Problem(G=3, R=3, S=2, P=2, Q=3, operation="max"),
        Mapping.of({"G": 2, "R": 2, "S": 2}, "N G K C R S P Q"),
        SMALL,
    ),
    "several programs": Case(Problem(K=24, C=6, P=2, Q=2, sparsity=Sparsity(density=0.5)), None, SMALL),
    "two fused layers": Case(
        Fused([ONE, OTHER], name="pair"),
        FusedMapping(Mapping.of({"C": 2, "S": 3}, "N G K C R S P Q"), Mapping.of({"R": 2, "S": 2}), 8),
        SMALL,
    ),
    "lock step": Case(Problem(K=2, C=2, R=3, S=3, P=4, Q=4), None, Hardware.load("maeri_rtl"), events_only=True),
}
SCALE = 2000


def traced(case: Case, folder: Path, engine: Any = "compiled", cycles: str | None = None) -> tuple[str, str]:
    """The trace and the waveform as texts."""
    to, vcd = folder / "t.json", folder / "t.vcd"
    trace(
        case.hardware, case.network, mapping=case.mapping, to=to, vcd=vcd, engine=engine, cycles=cycles, scale=SCALE
    )  # fmt: skip
    return to.read_text(), vcd.read_text()


def events_of(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["traceEvents"]
    return found


def process(events: list[dict[str, Any]], name: str) -> int:
    """The number of a process."""
    (found,) = {e["pid"] for e in events if e["name"] == "process_name" and e["args"]["name"] == name}
    return int(found)


def cycles_doing(events: list[dict[str, Any]], name: str, category: str) -> Counter[str]:
    """The cycles of all slices of a process, by what they say."""
    pid = process(events, name)
    found: Counter[str] = Counter()
    for e in events:
        if e["ph"] == "X" and e["pid"] == pid and e["cat"] == category:
            found[e["name"]] += e["dur"]
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_trace_adds_up_to_the_counters(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (layer,) = simulate(case.hardware, case.network, mapping=case.mapping, scale=SCALE).layers
    counters = layer.result.counters
    events = events_of(traced(case, tmp_path)[0])
    switches = cycles_doing(events, "multiplier switches", "work")
    assert switches["multiply"] == counters.multiplications
    assert switches["pass input"] == counters.passes
    waits = cycles_doing(events, "multiplier switches", "wait")
    assert {cause: waits[what] for cause, what in WAITS.items()} == counters.stalls
    sent = cycles_doing(events, "distribution ports", "work")
    assert {operand: sent[f"send {operand[:-1].replace('_', ' ')}"] for operand in counters.distributed} == (
        counters.distributed
    )
    assert cycles_doing(events, "distribution ports", "wait").total() == counters.port_stalls
    collected = cycles_doing(events, "collection buses", "work")
    complete = sum(cycles for what, cycles in collected.items() if what.startswith("output"))
    assert complete == counters.buffer_writes["outputs"]
    assert collected.total() - complete == counters.buffer_writes["partial_sums"]
    assert cycles_doing(events, "adder switches", "work").total() == sum(counters.busy["adder_switches"])
    arrivals = Counter(e["name"] for e in events if e["ph"] == "i")
    assert {operand: arrivals[f"{operand[:-1].replace('_', ' ')} arrives"] for operand in counters.delivered} == (
        counters.delivered
    )
    assert max(e["ts"] + e.get("dur", 0) for e in events if e["ph"] == "X") == layer.cycles


@pytest.mark.parametrize("name", CASES)
def test_events_are_what_the_format_asks_for(name: str, tmp_path: Path) -> None:
    events = events_of(traced(CASES[name], tmp_path, cycles=":80")[0])
    tracks = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    free: dict[tuple[int, int], int] = {}
    assert {e["ph"] for e in events} == {"M", "X", "i", "C"}
    for e in events:
        assert isinstance(e["pid"], int)
        assert isinstance(e["name"], str)
        if e["ph"] == "M":
            assert set(e["args"]) <= {"name", "sort_index"}
            continue
        assert isinstance(e["ts"], int)
        assert 0 <= e["ts"] <= 80
        if e["ph"] == "C":
            assert all(isinstance(value, int) and value >= 0 for value in e["args"].values())
            continue
        track = (e["pid"], e["tid"])
        assert track in tracks
        if e["ph"] == "X":
            assert e["dur"] >= 1
            assert e["ts"] >= free.get(track, 0), "slices of a track overlap, or come out of order"
            free[track] = e["ts"] + e["dur"]
        else:
            assert e["s"] == "t"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.events_only])
@pytest.mark.parametrize("window", ["0:30", "37:61"])
def test_a_window_of_the_compiled_engine_is_that_of_the_event_engine(name: str, window: str, tmp_path: Path) -> None:
    by_events = traced(CASES[name], tmp_path, engine="event", cycles=window)
    assert traced(CASES[name], tmp_path, cycles=window) == by_events


@pytest.mark.parametrize("name", ["folds that spill", "several programs", "lock step"])
def test_a_window_is_cut_from_the_whole(name: str, tmp_path: Path) -> None:
    first, end = 37, 61
    whole = events_of(traced(CASES[name], tmp_path)[0])
    window = events_of(traced(CASES[name], tmp_path, cycles=f"{first}:{end}")[0])

    def cells(events: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        """What each track does in each cycle of the window."""
        return {
            (e["pid"], e["tid"], cycle, e["name"], json.dumps(e.get("args")))
            for e in events
            if e["ph"] in "Xi"
            for cycle in range(e["ts"], e["ts"] + e.get("dur", 1))
            if first <= cycle < end
        }

    assert cells(window) == cells(whole)
    assert cells(window)


@pytest.mark.parametrize("name", CASES)
def test_a_waveform_adds_up_to_the_counters(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (layer,) = simulate(case.hardware, case.network, mapping=case.mapping, scale=SCALE).layers
    busy = busy_cycles(traced(case, tmp_path)[1])
    counters = layer.result.counters

    def cycles(place: str) -> list[int]:
        numbered = [(scope.rpartition("_")[2], each) for scope, each in busy.items() if f".{place}_" in scope]
        return [each for _, each in sorted(numbered, key=lambda pair: int(pair[0]))]

    assert cycles("subTrees") == counters.busy["ports"]
    assert cycles("multSwitches") == counters.busy["multipliers"]
    assert cycles("collectionBuses") == counters.busy["buses"]
    assert sum(sum(cycles(f"{kind}Switches")) for kind in ("adder", "dblReduction", "sglReduction")) == sum(
        counters.busy["adder_switches"]
    )


def busy_cycles(text: str) -> dict[str, int]:
    """For each instance the cycles in which its ``busy`` is high."""
    scope: list[str] = []
    names: dict[str, str] = {}
    since: dict[str, int] = {}
    found: dict[str, int] = {}
    now = 0
    for token in tokenize(io.BytesIO(text.encode())):
        if token.kind is TokenKind.SCOPE:
            scope.append(token.scope.ident)
        elif token.kind is TokenKind.UPSCOPE:
            scope.pop()
        elif token.kind is TokenKind.VAR and token.var.reference == "busy":
            names[token.var.id_code] = ".".join(scope)
            found[".".join(scope)] = 0
        elif token.kind is TokenKind.CHANGE_TIME:
            now = token.time_change
        elif token.kind is TokenKind.CHANGE_SCALAR and token.scalar_change.id_code in names:
            code = token.scalar_change.id_code
            if token.scalar_change.value == "1":
                since[code] = now
            elif code in since:
                found[names[code]] += (now - since.pop(code)) // waveform.UNITS
    for code, begun in since.items():
        found[names[code]] += (now - begun) // waveform.UNITS
    return found


def test_the_rtl_gives_instances_their_names(tmp_path: Path) -> None:
    case = CASES["lock step"]
    text = traced(case, tmp_path, cycles=":60")[1]
    scopes = list(busy_cycles(text))
    tree = AdderTree(case.hardware.multipliers)
    doubles = [scope for scope in scopes if ".rn.dblReductionSwitches_" in scope]
    singles = [scope for scope in scopes if ".rn.sglReductionSwitches_" in scope]
    assert 0 < len(doubles) <= tree.doubles
    assert 0 < len(singles) <= tree.singles
    assert scopes[0] == "MAERI_Accelerator.dn.subTrees_0"


@pytest.mark.parametrize(
    ("cycles", "message"),
    [
        ("12", "expected A:B"),
        ("-1:5", "expected A:B"),
        ("9:9", "first cycle before the last"),
        ("100000:", r"takes \d+ cycles"),
    ],
)
def test_windows_that_are_none_are_refused(cycles: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=message):
        traced(CASES["filter rows"], tmp_path, cycles=cycles)


def test_several_layers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match=r"found .*choose one with --layer"):
        trace("maeri-16", "tiny", to=tmp_path / "t.json")


def test_a_window_that_memory_does_not_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_CYCLES", 20)
    with pytest.raises(NotSupportedError, match="at most 20"):
        traced(CASES["filter rows"], tmp_path, cycles="0:21")


def test_without_pyvcd_a_waveform_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waveform, "find_spec", lambda _: None)
    with pytest.raises(NotSupportedError, match=r"maerisim\[trace\]"):
        traced(CASES["filter rows"], tmp_path)


def test_a_trace_needs_a_file() -> None:
    with pytest.raises(NotSupportedError, match="found neither"):
        trace("maeri-16", "tiny", layers="linear")
