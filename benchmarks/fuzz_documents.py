"""Documents and command lines for ``fuzz.py``: good ones, damaged ones, random ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]

MRNA = """\
Model_Name = small
Layer_Type = CONV
Layer_Number = 1
Input_parameter {
  input_batch = 1
  input_x = 6
  input_y = 6
  input_channel = 4
}
Output_parameter {
  output_x = 6
  output_y = 6
  output_channel = 4
}
Weight_parameter {
  weight_x = 3
  weight_y = 3
  weight_channel = 4
  weight_number = 4
  weight_stride = 1
}
Hidden_parameter {
  hidden_x = 0
}
"""
ENERGIES = "Energy_factors {\n  spm_eng = 6\n  dram_eng = 200\n  multiply_eng = 1.5\n}\n"
CONVOLUTIONS = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, Sparsity,
Conv1, 224, 224, 7, 7, 3, 64, 2, 2:4,
Conv2_DP, 56, 56, 3, 3, 64, 1, 1, 1:1,
FC, 1, 1, 1, 1, 512, 1000, 1, 1:1,
"""
PRODUCTS = "Layer, M, N, K,\nfirst, 10, 20, 30,\nsecond, 1, 2, 3,\n"
CONSTRAINTS = """\
all:
  tile: {K: {max: 4}, C: {min: 1, max: 8}, N: full}
  innermost: C K
  outermost: N
  utilization: {min: 0.25}
layers:
  all: {vn_size: {min: 2}, vn_count: {max: 8}, placement: G K N P Q}
"""
SWEEP = """\
name: mine
hardware: maeri-16
networks: [tiny, alexnet]
layers: {alexnet: [conv1]}
grid: {multipliers: [16, 32], distribution.bandwidth: [1/4, 8]}
objective: cycles
scale: 1000
"""
NETWORK = """\
name: all of them
layers:
  - {name: a, op: conv2d, input: [8, 14, 14], filters: 8, kernel: 3, padding: same, stride: 2, sparsity: {pattern: 2:4, seed: 1}}
  - {name: b, op: conv2d, input: [8, 7, 7], filters: 8, kernel: [1, 3], padding: [0, 1, 0, 2], groups: 2, bias: true}
  - {name: c, op: max_pool2d, input: [8, 7, 7], kernel: 2, ceil_mode: true}
  - {name: d, op: linear, inputs: 72, outputs: 10, sparsity: {density: 0.5}}
  - {name: e, op: matmul, m: 3, k: 4, n: 2, batch: 2, sparsity: {bitmap: ['0110', '1111', '0000', '1000']}}
  - {name: f, op: gru, input_size: 4, hidden_size: 3, sequence_length: 2, bidirectional: true, count: 3}
  - name: g
    op: fused
    layers:
      - {name: one, op: conv2d, input: [4, 6, 6], filters: 4, kernel: 1}
      - {name: two, op: avg_pool2d, input: [4, 6, 6], kernel: 2}
"""
TOKENS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "-",
        ":",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "#",
        "&a",
        "*a",
        "<<",
        "!!bool",
        "!!float",
        "!!set",
    ),
    *(
        "null",
        "~",
        "true",
        "no",
        "0",
        "-1",
        "1e400",
        ".nan",
        ".inf",
        "1:30",
        "2:4",
        "0x",
        "0b2",
        "1_0",
        "2001-01-01",
        "'",
        '"',
    ),
    *(
        "9" * 50,
        "1" * 5000,
        "x" * 3000,
        "é",
        "\u202e",
        "\x00",
        "\x1b[31m",
        "\ufeff",
        "\u2028",
        "%",
        "@",
        "|",
        ">",
        "? ",
        "---",
    ),
    *(
        "same",
        "linear",
        "conv2d",
        "K:4",
        "N G K C R S P Q",
        "extends",
        "name",
        "layers",
        "1.5",
        "4294967296",
        "=",
        "//",
        "{ }",
    ),
)


def originals(reader: str) -> list[str]:
    """Good documents for a reader."""
    found = {
        "hardware": [path.read_text("utf-8") for path in sorted((ROOT / "configs/hardware").glob("*.yaml"))],
        "network": [NETWORK, *(path.read_text("utf-8") for path in sorted((ROOT / "configs/networks").glob("*.yaml")))],
        "mapping": [path.read_text("utf-8") for path in sorted((ROOT / "benchmarks/mappings").glob("*.yaml"))],
        "sweep": [SWEEP, *(path.read_text("utf-8") for path in sorted((ROOT / "benchmarks/sweeps").glob("*.yaml")))],
        "constraints": [CONSTRAINTS],
        "mrna": [MRNA, ENERGIES, MRNA.replace("CONV", "FC"), MRNA.replace("CONV", "MAXPOOL")],
        "scale-sim": [CONVOLUTIONS, PRODUCTS],
    }[reader]
    return [
        _shortened(text.replace("extends: maeri.yaml", "extends: maeri").replace("maeri-256.yaml", "maeri-256"))
        for text in found
    ]


def _shortened(text: str, most_lines: int = 60) -> str:
    """The first entries: long documents take long, and have no more kinds of lines."""
    lines = text.split("\n")
    if len(lines) > most_lines:
        lines = lines[:most_lines]
        while lines.pop().startswith("    "):  # the last entry may not be whole
            pass
    return "\n".join(lines) + "\n"


def mutated(text: str, chance: random.Random) -> bytes:
    """A document with some damage."""
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        text = chance.choice(_DAMAGE)(text, chance)
    content = text.encode("utf-8", errors="surrogatepass")
    if chance.random() < 0.1 and content:
        at = chance.randrange(len(content))
        content = content[:at] + bytes([chance.randrange(256)]) + content[at + chance.randrange(3) :]
    return content


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TOKENS) + text[at:]


def _replace_word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(TOKENS)
    return " ".join(words)


def _replace_value(text: str, chance: random.Random) -> str:
    """A value behind a colon, or a cell, becomes something else."""
    for mark in (": ", "= ", ", "):
        places = [at for at in range(len(text)) if text.startswith(mark, at)]
        if places:
            at = chance.choice(places) + len(mark)
            end = min((text.find(stop, at) for stop in (",", "\n", "}", "]") if text.find(stop, at) >= 0), default=at)
            return text[:at] + chance.choice(TOKENS) + text[end:]
    return text


def _cut(text: str, chance: random.Random) -> str:
    at, length = chance.randrange(len(text) + 1), chance.choice((1, 3, 20, 200))
    return text[:at] + text[at + length :]


def _of_lines(change: Callable[[list[str], random.Random], None]) -> Callable[[str, random.Random], str]:
    def changed(text: str, chance: random.Random) -> str:
        lines = text.split("\n")
        change(lines, chance)
        return "\n".join(lines)

    return changed


def _repeat(lines: list[str], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))


def _drop(lines: list[str], chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]
    lines.append("")


def _indent(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    lines[at] = " " * chance.choice((1, 2, 4)) + lines[at] if chance.random() < 0.5 else lines[at].lstrip()


def _truncate(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _nest(text: str, chance: random.Random) -> str:
    at, depth = chance.randrange(len(text) + 1), chance.choice((3, 40, 2000))
    return text[:at] + "[" * depth + text[at:]


_DAMAGE = (
    *(_insert, _replace_word, _replace_value, _replace_value, _cut, _truncate, _nest),
    *(_of_lines(_repeat), _of_lines(_drop), _of_lines(_indent)),
)


# --- random documents and command lines -------------------------------------------------------------------------------

_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [0, -1, 2**41, 10**30, 1.5, None, True, "", "x", "same", [], [1, 2, 3], {}, {"a": 1}]
)
_SIZE = st.integers(1, 6)
_PAIR: st.SearchStrategy[Any] = st.integers(1, 3) | st.lists(st.integers(1, 3), min_size=2, max_size=2)
_SIDES: st.SearchStrategy[Any] = (
    st.integers(0, 2) | st.just("same") | st.lists(st.integers(0, 2), min_size=4, max_size=4)
)
_POOL_SIDES: st.SearchStrategy[Any] = st.sampled_from([0, 0, 0, 1, "same", [0, 0, 1, 0]])
_ZEROS: st.SearchStrategy[Any] = st.sampled_from(
    [
        *[None] * 8,
        {"density": 0.4},
        {"pattern": "1:2", "seed": 3},
        {"pattern": "2:4"},
        {"density": 1e-9},
        {"bitmap": ["1"]},
    ]
)
_SHAPE = st.tuples(st.sampled_from([2, 4, 6]), st.integers(3, 9), st.integers(3, 9)).map(list)
_NAMES = st.sampled_from(
    ["a", "b", "é", "$x_{", "[bold]", "\x1b[31mred", "x" * 200, "-", "a/gates", "None", "1.0", "../up"]
)

_LAYERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "conv2d": {
        "input": _SHAPE, "filters": st.sampled_from([2, 4, 6]), "kernel": _PAIR, "stride": _PAIR, "padding": _SIDES, "sparsity": _ZEROS,
        "groups": st.sampled_from([1, 1, 2]), "bias": st.booleans(),
    },
    "max_pool2d": {"input": _SHAPE, "kernel": _PAIR, "padding": _POOL_SIDES, "ceil_mode": st.booleans()},
    "avg_pool2d": {"input": _SHAPE, "kernel": _PAIR, "stride": _PAIR, "padding": _POOL_SIDES},
    "linear": {"inputs": st.integers(1, 40), "outputs": st.integers(1, 40), "sparsity": _ZEROS},
    "matmul": {"m": _SIZE, "k": _SIZE, "n": _SIZE, "sparsity": _ZEROS},
    "lstm": {"input_size": _SIZE, "hidden_size": _SIZE, "sequence_length": _SIZE, "bidirectional": st.booleans()},
    "gru": {"input_size": _SIZE, "hidden_size": _SIZE, "sequence_length": _SIZE, "bidirectional": st.booleans()},
    "gemm": {"M": _SIZE},
}  # fmt: skip
_HARDWARE: dict[str, st.SearchStrategy[Any]] = {
    "multipliers": st.sampled_from([4, 8, 16, 16, 32, 64]),
    "controller.kind": st.sampled_from(["decoupled", "lock_step"]),
    "distribution.bandwidth": st.sampled_from([1, 2, 4, None]),
    "distribution.latency": st.sampled_from([1, 2, 5, 1024]),
    "multiplier.weight_registers": st.sampled_from([1, 2, 64]),
    "multiplier.forward_fifo_depth": st.sampled_from([1, 2, 65536]),
    "reduction.topology": st.sampled_from(["art", "plain_tree", "linear", "fan"]),
    "reduction.latency": st.sampled_from([1, 3, 64]),
    "reduction.fifo_depth": st.sampled_from([1, 4, 1000]),
    "collection.bandwidth": st.sampled_from([1, 2, 4, None]),
    "collection.wiring": st.sampled_from(["regional", "modulo", "pairs"]),
    "accumulation.words": st.sampled_from([0, 1, 16, None]),
    "global_buffer.words": st.sampled_from([None, None, 1, 200, 4096]),
    "dram.bandwidth": st.sampled_from([None, None, 0.5, 4]),
    "dram.latency": st.sampled_from([0, 100]),
    "clock": st.sampled_from([None, "200 MHz", "1 GHz"]),
    "energy.unit": st.sampled_from(["pJ", "apples"]),
    "energy.multiply": st.sampled_from([0, 1e300, 0.1]),
    "extends": st.sampled_from(["maeri", "maeri-16", "maeri-45nm", "stonne", "maeri_rtl", "hw.yaml"]),
}


@st.composite
def _hardware(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"name": draw(_NAMES), "multipliers": draw(_HARDWARE["multipliers"])}
    for path in draw(st.lists(st.sampled_from(sorted(_HARDWARE)), max_size=4, unique=True)):
        section, _, key = path.partition(".")
        value = draw(_HARDWARE[path] if draw(st.integers(0, 30)) else _ODD)
        if key:
            found.setdefault(section, {})[key] = value
        else:
            found[path] = value
    return found


@st.composite
def _layer(draw: st.DrawFn, number: int) -> dict[str, Any]:
    kinds = [kind for kind in _LAYERS if kind != "gemm" or draw(st.integers(0, 20)) == 0]
    op = draw(st.sampled_from(kinds))
    name = "a" if number == 0 else draw(_NAMES)
    found = {"name": f"{name}{number}", "op": op}
    found |= {key: draw(values) for key, values in _LAYERS[op].items()}
    if draw(st.integers(0, 9)) == 0:
        found["count"] = draw(st.integers(1, 3))
    if draw(st.integers(0, 25)) == 0:
        found[draw(st.sampled_from(sorted(found)))] = draw(_ODD)
    if draw(st.integers(0, 25)) == 0:
        del found[draw(st.sampled_from(sorted(found)))]
    return found


@st.composite
def _network(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 3))
    return {"name": draw(_NAMES), "layers": [draw(_layer(number)) for number in range(count)]}


_OPTIONS: dict[str, list[list[str]]] = {
    "map": [["--objective", "energy"], ["--objective", "pareto"], ["--constraints", "c.yaml"], ["-o", "out.yaml"], ["--json"],
            ["--scale", "500"], ["--time-budget", "0"], ["--layer", "a0"], ["--prove"]],
    "simulate": [["--json"], ["--check-values"], ["--engine", "event"], ["--no-fast-forward"], ["--print-program"],
                 ["--scale", "200"], ["--mapping", "out.yaml"], ["--mapping", "m.yaml"], ["--layer", "nothing"]],
    "validate": [["--json"], ["--scale", "500"], ["--mapping", "m.yaml"]],
    "report": [["--json"], ["--scale", "500"], ["--mapping", "nothing.yaml"]],
    "roofline": [["--json"], ["--scale", "500"], ["--plot", "out.txt"]],
    "compare-mappings": [["--json"], ["--scale", "500"], ["--objective", "edp"]],
}  # fmt: skip
_OTHERS: list[list[str]] = [
    ["show", "hw.yaml"], ["show", "hw.yaml", "--vn", "3x2"], ["show", "hw.yaml", "--vn", "x"], ["show", "hw.yaml", "--dot", "-"],
    ["show", "hw.yaml", "--dot", "out.yaml"], ["rtl", "hw.yaml", "net.yaml", "--layer", "a0"],
    ["rtl", "hw.yaml", "net.yaml", "--layer", "a0", "--format", "json"], ["schema", "network"], ["schema", "nothing"],
    ["import", "mrna", "net.yaml"], ["import", "scale-sim", "hw.yaml", "-o", "out.yaml"], ["sweep", "s.yaml", "--no-run"],
    ["sweep", "net.yaml", "--no-run", "--export", "csv"], ["warmup", "now"], ["nothing"], [], ["--version"], ["map"],
    ["map", "net.yaml", "hw.yaml"], ["simulate", "hw.yaml", "."], ["simulate", "hw.yaml", "net.yaml", "--scale", "-1"],
]  # fmt: skip
COMMANDS = (*_OPTIONS, *sorted({line[0] for line in _OTHERS if line and not line[0].startswith("-")} - {"nothing"}))
"""What is run."""
_FILES: dict[str, Any] = {
    "c.yaml": {"layers": {"a0": {"tile": {"K": 1}}}},
    "m.yaml": {"hardware": "h", "network": "n", "layers": {"a0": {"problem": {"K": 2}, "tile": {"K": 2}}}},
    "s.yaml": {"name": "s", "hardware": "hw.yaml", "networks": ["net.yaml"], "grid": {"multipliers": [4, 8]}},
}


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[list[str], dict[str, Any]]:
    """Arguments, and the documents by name that lie in the folder."""
    documents = {"hw.yaml": draw(_hardware()), "net.yaml": draw(_network()), **_FILES}
    if draw(st.integers(0, 7)) == 0:
        return draw(st.sampled_from(_OTHERS)), documents
    command = draw(st.sampled_from(sorted(_OPTIONS)))
    chosen = draw(st.lists(st.sampled_from(_OPTIONS[command]), max_size=2, unique_by=lambda option: option[0]))
    return [command, "hw.yaml", "net.yaml", *(word for option in chosen for word in option)], documents
