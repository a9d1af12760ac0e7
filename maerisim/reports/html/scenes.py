"""The fabric and what moves on it, as the page's script reads them.

Cycles are alike, so each text stands once in a table and cycles name it by its place. Where a character for each of many
switches is meant, runs of equal ones are counted: ``4.`` is ``....``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from maerisim.counts.counters import OPERANDS
from maerisim.engine.recording import Frame, SentWord
from maerisim.fabric.choose import topology_of
from maerisim.fabric.occupancy import Occupancy
from maerisim.fabric.topology import Place
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program
from maerisim.reports.replay import Picture, Replay

IDLE, AT_WORK = ".", "*"
LETTERS = {"collection": "c", "weights": "w", "inputs": "i", "wait": "p", "forwarding": "f", "partial_sums": "p"}
"""Of causes of stalls, and of operands."""


def fabric_json(hardware: Hardware) -> dict[str, Any]:
    """Components and links of the bare fabric; an adder switch has a column, a level and a name."""
    topology = topology_of(hardware)
    return {
        "multipliers": hardware.multipliers,
        "ports": hardware.ports,
        "buses": hardware.buses,
        "latency": hardware.distribution.latency,
        "topology": hardware.reduction.topology,
        "words": topology.in_words(),
        "adders": [[topology.column(s), topology.level(s), topology.name_switch(s)] for s in range(topology.switches)],
        "links": [
            [int(link.source.kind == "adder"), link.source.number, link.target, int(link.beside)]
            for link in topology.links()
        ],
    }


def replay_json(replay: Replay, hardware: Hardware) -> dict[str, Any]:
    """A replay: configurations of the fabric, scenes, and how busy it is all along."""
    configurations = {number: _Configuration(program, hardware) for number, program in replay.configurations.items()}
    place = {number: index for index, number in enumerate(configurations)}
    texts = Table()
    words = Table()
    scenes = [
        {
            "name": scene.name,
            "cycles": [
                [picture.cycle, place[picture.program], *_cycle(picture, configurations, hardware, texts, words)]
                for picture in scene.pictures
            ],
        }
        for scene in replay.scenes
    ]
    return {
        "cycles": replay.cycles,
        "followed": replay.followed,
        "blocks": replay.blocks,
        "configurations": [configuration.json for configuration in configurations.values()],
        "scenes": scenes,
        "texts": texts.entries,
        "words": _alike(words.entries),
        "segments": [[each.first, each.end, each.work, *each.stalls.values()] for each in replay.segments],
    }


class Table:
    """Entries that are named by their place."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._place: dict[Hashable, int] = {}

    def place(self, key: Hashable, make: Callable[[], Any]) -> int:
        """The place of the entry of a key, which is made and added if the key is new."""
        if key not in self._place:
            self._place[key] = len(self.entries)
            self.entries.append(make())
        return self._place[key]


def _neighbours(entries: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Entries alike but for their last number, which goes up by 1: [..., the first, how many]."""
    found: list[list[int]] = []
    for *alike, number in entries:
        if found and found[-1][:-2] == alike and sum(found[-1][-2:]) == number:
            found[-1][-1] += 1
        else:
            found.append([*alike, number, 1])
    return found


def _alike(words: Sequence[Sequence[int]]) -> list[list[int]]:
    """Words that go up evenly are one entry: how many, by how much port and switches go up, and the first of them."""
    found: list[list[int]] = []
    for word in words:
        if found:
            count, port, switch, *first = found[-1]
            up = word[0] - first[0], word[2] - first[2]
            if count == 1 and word == _gone_up(first, *up):
                found[-1][:3] = 2, *up
                continue
            if count > 1 and word == _gone_up(first, count * port, count * switch):
                found[-1][0] += 1
                continue
        found.append([1, 0, 0, *word])
    return found


def _gone_up(word: Sequence[int], port: int, switch: int) -> list[int]:
    """A word of a port that is so many further, to switches that are."""
    return [word[0] + port, word[1], *(at + switch if place % 3 == 0 else at for place, at in enumerate(word[2:]))]


class _Configuration:
    """The virtual neurons of a program on the fabric; ``sums`` are the uses of adder switches that can be seen."""

    def __init__(self, program: Program, hardware: Hardware) -> None:
        fabric = Occupancy.routed(hardware, program.spans, program.reduction)
        there = {(link.source, link.target): place for place, link in enumerate(topology_of(hardware).links())}
        used = set[tuple[int, int, int]]()
        for source, target, vn, _ in fabric.passages:
            back = (source, target) not in there
            way = (Place("adder", target), source.number) if back else (source, target)
            used.add((vn, int(back), there[way]))
        sums = sorted({(each.virtual_neuron, each.switch) for each in program.reduction.transfers})
        self.sums = {key: place for place, key in enumerate(sums)}
        self.json = {
            "spans": [list(span) for span in program.spans],
            "exits": list(program.reduction.exits),
            "buses": list(program.buses),
            "links": _neighbours(sorted(used)),
            "sums": _neighbours(sums),
        }


def _cycle(
    picture: Picture,
    configurations: Mapping[int, _Configuration],
    hardware: Hardware,
    texts: Table,
    words: Table,
) -> list[Any]:
    """Places of the texts of a cycle: switches, arrivals, forwarding, sums, words sent, words held, results."""
    frame, sums = picture.frame, configurations[picture.program].sums
    moved = [IDLE] * len(sums)
    for addition in frame.added:
        moved[sums[addition.virtual_neuron, addition.switch]] = AT_WORK
    parts = [
        _runs(_switches(frame, hardware.multipliers)),
        _runs(_marked(hardware.multipliers, {each.switch: LETTERS[each.operand] for each in frame.arrived})),
        _runs(_marked(hardware.multipliers, {each.switch: AT_WORK for each in frame.handed})),
        _runs(moved),
        _word_list(frame.sent, words),
        _word_list(frame.held, words),
        " ".join(f"{each.bus}:{each.virtual_neuron}{'' if each.complete else '~'}" for each in frame.collected),
    ]
    return [texts.place(text, partial(str, text)) for text in parts]


def _switches(frame: Frame, multipliers: int) -> list[str]:
    return _marked(
        multipliers,
        dict.fromkeys(frame.multiplied, AT_WORK) | {switch: LETTERS[why] for switch, why in frame.stalled.items()},
    )


def _marked(count: int, marks: Mapping[int, str]) -> list[str]:
    return [marks.get(place, IDLE) for place in range(count)]


def _runs(marks: Iterable[str]) -> str:
    """Runs of equal characters, counted."""
    found = []
    for mark, group in groupby(marks):
        length = len(list(group))
        found.append(mark if length == 1 else f"{length}{mark}")
    return "".join(found)


def _word_list(sent: Iterable[SentWord], words: Table) -> str:
    """Places in the table of words, of those that follow one another the first and the last: ``0-3 7``."""
    places = [words.place(each, partial(_word, each)) for each in sent]
    runs = [[place for _, place in run] for _, run in groupby(enumerate(places), lambda each: each[1] - each[0])]
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _word(word: SentWord) -> list[int]:
    return [word.port, OPERANDS.index(word.operand), *_strided(word.destinations)]


def _strided(switches: tuple[int, ...]) -> list[int]:
    """Switches as first, count and distance, again and again."""
    found: list[int] = []
    place = 0
    while place < len(switches):
        end = place + 1
        step = switches[end] - switches[place] if end < len(switches) else 1
        while end < len(switches) and switches[end] - switches[end - 1] == step:
            end += 1
        found += [switches[place], end - place, step]
        place = end
    return found
