"""Whether a configuration sums its virtual neurons: push one token per multiplier switch through it and look.

Nothing here knows how configurations are found. The switches do what the RTL's do: each half waits for all inputs that
its mode names, and values that nobody takes stay where they are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from maerisim.rtl.modes import HALF_INPUTS, SINGLE_INPUTS, Configuration, compatible
from maerisim.rtl.switches import INPUT_NAMES, LEFT, RIGHT, Input, Output

Tokens = Counter[int]
"""How often the product of each multiplier switch is contained in a value."""


@dataclass(frozen=True)
class Flow:
    """What became of the tokens.

    ``sums`` holds the value that each output in use drives, ``results`` those outputs whose value left to a collection
    bus, in the order of the switches, and ``problems`` one sentence for everything that is wrong.
    """

    sums: dict[Output, Tokens]
    results: tuple[Output, ...]
    problems: tuple[str, ...]


def push(configuration: Configuration, vn_size: int, vn_count: int) -> Flow:
    """Push a token from each multiplier switch of ``vn_count`` virtual neurons of ``vn_size`` and follow them all.

    Without problems every virtual neuron's tokens have met once, in one value of its own, at one result port.
    """
    tree = configuration.tree
    arrived: dict[Input, Tokens] = {}
    for leaf in range(vn_size * vn_count):
        arrived[tree.input_of_leaf(leaf)] = Counter([leaf])
    sums: dict[Output, Tokens] = {}
    results: list[Output] = []
    problems: list[str] = []
    for level in range(tree.levels - 1, -1, -1):
        switches = [("single", number) for number in tree.singles_of(level)]
        switches += [("double", number) for number in tree.doubles_of(level)]
        for kind, number in switches:
            for output, inputs, leaves in _actions(configuration, kind, number, arrived, problems):
                if not all(wire in arrived for wire in inputs):
                    continue
                value = Counter[int]()
                for wire in inputs:
                    value += arrived.pop(wire)
                sums[output] = value
                above = tree.input_above(output)
                if leaves:
                    results.append(output)
                elif above is None:
                    problems.append(f"{_listed(value)} reach the root and do not leave there")
                else:
                    arrived[above] = value
    problems += [f"{_listed(value)} wait at {_named(wire)} for ever" for wire, value in arrived.items()]
    problems += _wrong_results({output: sums[output] for output in results}, vn_size, vn_count)
    return Flow(sums, tuple(results), tuple(problems))


def _actions(
    configuration: Configuration, kind: str, number: int, arrived: dict[Input, Tokens], problems: list[str]
) -> list[tuple[Output, list[Input], bool]]:
    """What a switch would do: (output, inputs it adds, whether the sum leaves) per adder in use."""
    if kind == "single":
        single = configuration.singles[number]
        inputs = [Input("single", number, port) for port in SINGLE_INPUTS[single.mode]]
        return [(Output("single", number, LEFT), inputs, single.result)] if inputs else []
    double = configuration.doubles[number]
    if not compatible(double.left, double.right):
        if any(Input("double", number, port) in arrived for port in range(4)):
            problems.append(f"double switch {number} is told to use an input twice")
        return []
    actions = []
    for side in (LEFT, RIGHT):
        inputs = [Input("double", number, port) for port in HALF_INPUTS[side][double.mode(side)]]
        if inputs:
            actions.append((Output("double", number, side), inputs, double.result(side)))
    return actions


def _wrong_results(results: dict[Output, Tokens], vn_size: int, vn_count: int) -> list[str]:
    """Results that are not exactly one virtual neuron, and virtual neurons without or with several results."""
    problems = []
    found: defaultdict[int, list[Output]] = defaultdict(list)
    expected = {vn: Counter(range(vn * vn_size, (vn + 1) * vn_size)) for vn in range(vn_count)}
    for output, value in results.items():
        vn = min(value) // vn_size
        if value == expected[vn]:
            found[vn].append(output)
        else:
            problems.append(f"{output} sends {_listed(value)} out as a result: not a whole virtual neuron")
    problems += [
        f"virtual neuron {vn} leaves at {len(found[vn])} result ports instead of one"
        for vn in range(vn_count)
        if len(found[vn]) != 1
    ]
    return problems


def _listed(value: Tokens) -> str:
    return f"the products of multipliers {', '.join(str(leaf) for leaf in sorted(value.elements()))}"


def _named(wire: Input) -> str:
    name = INPUT_NAMES[wire.port] if wire.kind == "double" else ("the left", "the right")[wire.port]
    return f"input {name} of {wire.kind} switch {wire.switch}"
