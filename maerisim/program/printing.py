"""A program as text: the configured fabric, then every thread with its loops and its templates in words."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from maerisim.arrays import Ints, Mask
from maerisim.program.program import (
    ACTIVE,
    Collect,
    CollectStep,
    Control,
    ControlRow,
    Node,
    Packets,
    Program,
    Role,
    Step,
    Thread,
    Use,
)
from maerisim.text import plural

_WIDTH = 110
_TEMPLATE_INDENT = 7
_SHOWN_VIRTUAL_NEURONS = 18
_SHOWN_TEMPLATES = 4
_SHOWN_PORTS = 3
_SHOWN_RANGES = 10

_LEGEND = """\
Reading it: every component walks the loops of its thread at its own pace. "step T3 x 26" uses template T3 in 26
control steps, one after the other unless it says how many steps apart they are; "base +9" moves the thread's base
address by 9 words after each repetition. In a template "+4 -> 0-8" sends the word at base + 4 to multiplier switches
0 to 8 (a word marked * is read from the buffer by a lower port); "2 every 9 to 29" stands for 2, 11, 20, 29."""

_USE_WORDS = {
    Use.MULTIPLY: "multiply",
    Use.PASS: "pass the input",
    Use.IDLE: "pass an empty word",
    Use.PARTIAL_SUM: "pass the partial sum",
    Use.FORWARDED_INPUT: "input from the right neighbour",
    Use.FORWARD: "forward it to the left",
    Use.RETIRE_WEIGHT: "retire weight",
    Use.NEXT_WEIGHT: "next weight",
    Use.REWIND_WEIGHTS: "back to the first weight",
    Use.RETIRE_INPUT: "retire input",
    Use.NEXT_INPUT: "next input",
    Use.REWIND_INPUTS: "back to the first input",
}


_ROW_WORDS = {
    Control.PAUSE: "nothing",
    Control.DRAINED: "wait until the distribution network is empty",
    Control.RESULTS: "wait for the results that are due",
}


def program_text(program: Program) -> str:
    """The program for a person to read; long lists are cut and say so."""
    if program.control is not None:
        return "\n".join(_lock_step_lines(program, program.control))
    neurons = plural(len(program.spans), "virtual neuron")
    lines = [
        f"{neurons} on {plural(program.multipliers_used, 'multiplier switch')}, "
        f"{plural(program.results, 'result')} to collect"
        + (", partial sums through the global buffer" if program.spills else "")
        + (", adder switches keep the larger of their words" if program.compares else ""),
        *_fusion_lines(program),
        *_LEGEND.splitlines(),
        "",
        *_configuration(program),
    ]
    lines += ["", *_thread_lines(program.partial_sums, "each distribution port", _partial_sums_lines)]
    lines += ["", *_thread_lines(program.inputs, "each distribution port", _packets_lines)]
    lines += ["", *_thread_lines(program.weights, "each distribution port", _packets_lines)]
    lines += ["", *_thread_lines(program.compute, "each multiplier switch", _uses_lines)]
    lines += ["", *_thread_lines(program.collect, "each virtual neuron", partial(_collect_lines, program.comparing))]
    return "\n".join(lines)


def _fusion_lines(program: Program) -> Iterator[str]:
    """Where the second of two layers lies, and what it waits for."""
    fusion = program.fusion
    if fusion is None:
        return
    first = f"ports from {fusion.port}, multiplier switches from {fusion.switch}"
    yield f"two layers at once: {first} and virtual neurons from {fusion.virtual_neuron} on belong to the second;"
    yield "its inputs are results of the first, each sent when it has been written to the global buffer"
    if fusion.compares:
        yield "its adder switches keep the larger of their words"


def _lock_step_lines(program: Program, control: Thread[ControlRow]) -> Iterator[str]:
    """A program whose controller drives all ports and switches together: its loops, then every row."""
    yield (
        f"one program for {plural(program.multipliers_used, 'multiplier switch')} and all ports, "
        f"{plural(program.results, 'result')} to collect at {plural(len(program.reduction.ports), 'bus port')}"
    )
    yield from (
        "Reading it: the controller walks the loops; a row that can go takes one cycle. The base address counts the",
        "results that are due at the next row that waits for them.",
        "",
        f"{control.name}: {plural(control.steps, 'row')}",
    )
    yield from _node_lines(control.nodes, 1)
    packets = {thread.name: thread.templates for thread in program.streams}
    for number, row in enumerate(control.templates):
        yield from _wrapped(f"T{number}".ljust(_TEMPLATE_INDENT - 2) + _row_words(row, packets), 2)


def _row_words(row: ControlRow, packets: Mapping[str, Sequence[Packets]]) -> str:
    if row.kind == Control.SEND:
        sent = packets[row.operand][row.packets]
        return f"send {row.operand} -> {ranges(sorted(sent.destinations.tolist())) or 'nobody'}"
    if row.roles is None:
        return _ROW_WORDS[row.kind]
    roles = [
        f"{role.name.lower().replace('_', ' ')} {ranges(np.flatnonzero(row.roles == role).tolist())}"
        for role in Role
        if (row.roles == role).any()
    ]
    return f"configure: {'; '.join(roles)}; {plural(row.products, 'product')} each"


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers as ranges: ``0-8, 12`` or, when they recur evenly, ``0-1 every 3 to 33-34``."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    strides = {after[0] - before[0] for before, after in itertools.pairwise(runs)}
    lengths = {last - first for first, last in runs}
    if len(runs) > 2 and len(strides) == len(lengths) == 1:
        return f"{texts[0]} every {strides.pop()} to {texts[-1]}"
    hidden = len(texts) - _SHOWN_RANGES
    if hidden > 1:
        return f"{', '.join(texts[:_SHOWN_RANGES])}, ... to {texts[-1]}"
    return ", ".join(texts)


def _wrapped(text: str, indent: int) -> list[str]:
    """Text at an indent, folded with its continuation further in."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_on_hyphens=False
    )


def _configuration(program: Program) -> list[str]:
    lines = ["virtual neurons (multiplier switches; adder switch where the sum leaves; collection bus)"]
    names = program.reduction.exit_names
    cells = [
        f"{vn}: {ranges(range(span.start, span.start + span.size))}; {names[vn]}; bus {program.buses[vn]}"
        for vn, span in enumerate(program.spans)
    ]
    shown = cells if len(cells) <= _SHOWN_VIRTUAL_NEURONS + 1 else cells[:_SHOWN_VIRTUAL_NEURONS]
    width = max(len(cell) for cell in shown) + 4
    columns = max(1, (_WIDTH - 2) // width)
    lines += [
        "  " + "".join(f"{cell:<{width}}" for cell in shown[start : start + columns]).rstrip()
        for start in range(0, len(shown), columns)
    ]
    if len(shown) < len(cells):
        lines.append(f"  ... {len(cells) - len(shown)} more, the last one {cells[-1]}")
    return lines


def _thread_lines(thread: Thread[Any], walker: str, describe: Callable[[Any], list[str]]) -> Iterator[str]:
    """Heading, loops, and templates of a thread."""
    if not thread.steps and not thread.second:
        yield f"{thread.name}: nothing to do"
        return
    of_first = " of the first layer" if thread.second else ""
    yield f"{thread.name}: {plural(thread.steps, 'step')}, walked by {walker}{of_first}"
    yield from _node_lines(thread.nodes, 1)
    if thread.second:
        yield f"  {plural(thread.steps_of(1), 'step')}, walked by {walker} of the second layer"
        yield from _node_lines(thread.second, 1)
    of_second = min(_templates(thread.second), default=len(thread.templates))
    for first, end in ((0, of_second), (of_second, len(thread.templates))):
        shown = end if end - first <= _SHOWN_TEMPLATES + 1 else first + _SHOWN_TEMPLATES
        for number in range(first, shown):
            heading, *details = describe(thread.templates[number])
            yield from _wrapped(f"T{number}".ljust(_TEMPLATE_INDENT - 2) + heading, 2)
            for detail in details:
                yield from _wrapped(detail, _TEMPLATE_INDENT)
        if shown < end:
            yield f"  ... T{shown} {'to' if end - shown > 2 else 'and'} T{end - 1}: alike, at other turns of the loops"


def _templates(nodes: Sequence[Node]) -> Iterator[int]:
    """The numbers of the templates that a nest uses."""
    for node in nodes:
        if isinstance(node, Step):
            yield node.template
        else:
            yield from _templates(node.body)


def _node_lines(nodes: Sequence[Node], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for node in nodes:
        travel = f"  base {node.advance:+,}" if node.advance else ""
        if isinstance(node, Step):
            apart = f"  {plural(node.period, 'step')} apart" if node.count > 1 and node.period > 1 else ""
            yield f"{indent}step T{node.template} x {node.count:,}{travel}{apart}"
        else:
            yield f"{indent}for {node.count:,}:{travel}"
            yield from _node_lines(node.body, depth + 1)


class _Packet(NamedTuple):
    """What can be told of one packet; neighbours that differ only by a fixed move are printed together."""

    offset: int
    destinations: tuple[int, ...]
    hops: int
    read: bool
    wait: int

    def follows(self, other: _Packet) -> tuple[int, int] | None:
        """(words, switches) by which this packet lies behind another of the same kind; None if it is of another."""
        if (self.hops, self.read, self.wait) != (other.hops, other.read, other.wait):
            return None
        moves = {mine - its for mine, its in zip(self.destinations, other.destinations, strict=False)}
        if len(self.destinations) != len(other.destinations) or len(moves) != 1:
            return None
        return self.offset - other.offset, moves.pop()


def _packets_lines(packets: Packets) -> list[str]:
    ports = [port for port in range(len(packets.port_start) - 1) if packets.of_port(port)]
    if not ports:
        return ["no words: all are there already"]
    words = plural(len(packets.offset), "word")
    registers = plural(len(packets.destinations), "register")
    spent = f"{plural(int(packets.reads.sum()), 'buffer read')}, {plural(int(packets.hops.sum()), 'hop')}"
    lines = [f"{words} over {plural(len(ports), 'port')} to {registers} ({spent})"]
    shown = ports if len(ports) <= _SHOWN_PORTS + 1 else ports[:_SHOWN_PORTS]
    lines += [f"port {port}: {_port_text(packets, port)}" for port in shown]
    if len(shown) < len(ports):
        rest = sum(len(packets.of_port(port)) for port in ports[len(shown) :])
        lines.append(f"... {plural(rest, 'word')} over ports {ranges(ports[len(shown) :])}")
    return lines


def _partial_sums_lines(packets: Packets) -> list[str]:
    if not packets.wait.any():
        return ["no words: the outputs begin"]
    heading, *ports = _packets_lines(packets)
    return [f"{heading}, each when the result it continues has been written", *ports]


def _port_text(packets: Packets, port: int) -> str:
    words = [
        _Packet(
            int(packets.offset[number]),
            tuple(packets.destinations_of(number).tolist()),
            int(packets.hops[number]),
            bool(packets.reads[number]),
            int(packets.wait[number]),
        )
        for number in packets.of_port(port)
    ]
    texts = []
    while words:
        length, move = 1, words[1].follows(words[0]) if len(words) > 1 else None
        while move is not None and length < len(words) and words[length].follows(words[length - 1]) == move:
            length += 1
        if length == 2 and move != (1, 1):
            length = 1
        texts.append(_run_text(words[:length]))
        words = words[length:]
    hidden = len(texts) - _SHOWN_RANGES
    if hidden > 1:
        texts = [*texts[:_SHOWN_RANGES], f"and {hidden} more"]
    return "; ".join(texts)


def _run_text(run: list[_Packet]) -> str:
    """One packet, or several that move on evenly."""
    first, last = run[0], run[-1]
    star = "" if first.read else "*"
    word, switches = f"+{first.offset:,}{star}", ranges(first.destinations)
    if len(run) > 1:
        by = (last.offset - first.offset) // (len(run) - 1)
        word += f" to +{last.offset:,}{star}" + (f" by {by:,}" if by != 1 else "")
        if len(first.destinations) == 1:
            switches = ranges(packet.destinations[0] for packet in run) + " in turn"
        else:
            switches += f" and on, the last to {ranges(last.destinations)}"
    written = f" (written {plural(first.wait, 'result')} ago)" if first.wait else ""
    return f"{word} -> {switches}{written}"


def _grouped(words: Sequence[str]) -> dict[str, list[int]]:
    """The places of equal words, in the order of the first of each."""
    groups: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        groups.setdefault(word, []).append(place)
    return groups


def _uses_lines(uses: Ints) -> list[str]:
    groups = _grouped([_use_words(int(flags)) for flags in uses])
    return [f"{ranges(places)}: {words or 'nothing'}" for words, places in groups.items()]


def _use_words(flags: int) -> str:
    words = [] if flags & ACTIVE or not flags else ["skip"]
    return ", ".join(words + [word for flag, word in _USE_WORDS.items() if flags & flag])


def _collect_lines(comparing: Mask, step: CollectStep) -> list[str]:
    deeds = ["comparison" if compares else "addition" for compares in comparing]
    rows = zip(deeds, step.flags.tolist(), step.additions_two.tolist(), step.additions_three.tolist(), strict=True)
    groups = _grouped([_collect_words(*row) for row in rows])
    return [f"VN {ranges(places)}: {words}" for words, places in groups.items()]


def _collect_words(deed: str, flags: int, two: int, three: int) -> str:
    if not flags & Collect.ACTIVE:
        return "at rest"
    words = "start an output" if flags & Collect.FIRST else "add to an output"
    if flags & Collect.LAST:
        words = "a whole output, send it" if flags & Collect.FIRST else "complete an output, send it"
    elif flags & Collect.EMIT:
        words += ", send the partial sum"
    else:
        words += ", keep it"
    sums = [f"{plural(number, deed)} of {size}" for number, size in ((two, "two"), (three, "three")) if number]
    return words + (f" ({', '.join(sums)})" if sums else "")
