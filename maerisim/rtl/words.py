"""A configuration of the RTL's switches in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from maerisim.rtl.memory import Files
from maerisim.rtl.modes import HALF_INPUTS, Configuration, Double, HalfMode, SingleMode
from maerisim.rtl.switches import INPUT_NAMES, LEFT, RIGHT, Output
from maerisim.rtl.tokens import Flow, push

_HALF = {HalfMode.IDLE: "idle", HalfMode.PASS: "pass", HalfMode.ADD_TWO: "add two", HalfMode.ADD_THREE: "add three"}
_SINGLE = {
    SingleMode.IDLE: "idle",
    SingleMode.ADD: "add",
    SingleMode.PASS_LEFT: "pass left",
    SingleMode.PASS_RIGHT: "pass right",
}
_SINGLE_DEED = {
    SingleMode.ADD: "adds both inputs",
    SingleMode.PASS_LEFT: "passes its left input",
    SingleMode.PASS_RIGHT: "passes its right input",
}


def mode_counts(configuration: Configuration) -> tuple[dict[str, int], dict[str, int]]:
    """How many double and how many single switches are in each mode (left | right), the most frequent first."""
    doubles = Counter(
        "idle" if _rests(double) else f"{_HALF[double.left]} | {_HALF[double.right]}"
        for double in configuration.doubles
    )
    singles = Counter(_SINGLE[single.mode] for single in configuration.singles)
    return dict(doubles.most_common()), dict(singles.most_common())


def busiest_bus(files: Files, buses: int) -> int:
    """The largest number of virtual neurons whose results leave over the same collection bus."""
    flow = push(files.configuration, files.layer.vn_size, files.layer.vn_count)
    return max(Counter(files.configuration.tree.result_port(output, buses)[0] for output in flow.results).values())


def explain(files: Files, buses: int) -> list[str]:
    """Every switch's mode and result port, level by level from the multipliers to the root."""
    configuration, layer = files.configuration, files.layer
    tree = configuration.tree
    flow = push(configuration, layer.vn_size, layer.vn_count)
    lines = []
    for level in range(tree.levels - 1, -1, -1):
        place = {tree.levels - 1: " (next to the multipliers)", 0: " (the root)"}.get(level, "")
        lines.append(f"level {level}{place}")
        left, *right = tree.singles_of(level)
        lines += _single_lines(files, left, flow, buses)
        for number in tree.doubles_of(level):
            lines += _double_lines(files, number, flow, buses)
        for number in right:
            lines += _single_lines(files, number, flow, buses)
        idle = [f"double {run}" for run in _runs(n for n in tree.doubles_of(level) if _rests(configuration.doubles[n]))]
        idle += [f"single {n}" for n in tree.singles_of(level) if not configuration.singles[n].mode]
        lines += [f"  idle: {', '.join(idle)}"] if idle else []
    return lines


def _rests(double: Double) -> bool:
    return double.left == double.right == HalfMode.IDLE


def _single_lines(files: Files, number: int, flow: Flow, buses: int) -> Iterator[str]:
    single = files.configuration.singles[number]
    if single.mode != SingleMode.IDLE:
        output = Output("single", number, LEFT)
        yield f"  single {number}: {_SINGLE_DEED[single.mode]}{_whose(files, output, flow, buses)}"


def _double_lines(files: Files, number: int, flow: Flow, buses: int) -> Iterator[str]:
    double = files.configuration.doubles[number]
    deeds = []
    for side, name in ((LEFT, "left"), (RIGHT, "right")):
        inputs = HALF_INPUTS[side][double.mode(side)]
        if inputs:
            deed = f"{'adds' if len(inputs) > 1 else 'passes'} {_enumerated([INPUT_NAMES[port] for port in inputs])}"
            deeds.append(f"{name} {deed}{_whose(files, Output('double', number, side), flow, buses)}")
    if deeds:
        yield f"  double {number}: {'; '.join(deeds)}"


def _whose(files: Files, output: Output, flow: Flow, buses: int) -> str:
    """For whom a switch works and where its sum goes when it leaves."""
    value = flow.sums.get(output)
    if not value:
        return " (nothing arrives)"
    vn = min(value) // files.layer.vn_size
    text = f" of virtual neuron {vn}"
    if output in flow.results:
        bus, port = files.configuration.tree.result_port(output, buses)
        text += f" (multipliers {min(value)}-{max(value)}), result at port {port} of bus {bus}"
    return text


def _enumerated(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _runs(numbers: Iterable[int]) -> list[str]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
