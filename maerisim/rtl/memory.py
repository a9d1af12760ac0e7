"""The three files that the RTL's testbench loads, written and read.

Each is a memory image: a line ``@00`` (``@000`` for the switches), then one word of eight hexadecimal digits a line.

``Layer_Info.vmh``, 14 words of (high half | low half): for each of K, C, R, S, Y, X ``size|tile`` and ``edge|
iterations``, then ``multipliers|virtual neurons`` and ``virtual neuron size``. The testbench uses the six sizes, the
number of virtual neurons and their size. ``Tile_Info.vmh`` has the same words, and nothing reads it.

``RN_Config.vmh``: the double switches, four to a word, the first in the lowest byte (``left mode (2 bits) right mode
(2) left result right result 0 0``, from the highest bit down), then the single switches, eight to a word (``mode (2)
result 0``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maerisim import documents
from maerisim.documents import described, read_text
from maerisim.errors import DocumentError
from maerisim.rtl.modes import Configuration, Double, HalfMode, Single, SingleMode
from maerisim.rtl.switches import AdderTree

LAYER_FILE, TILE_FILE, SWITCH_FILE = "Layer_Info.vmh", "Tile_Info.vmh", "RN_Config.vmh"
DIMENSIONS = ("K", "C", "R", "S", "Y", "X")
SMALLEST, LARGEST = 16, 2048
"""Arrays: 16 is the smallest seen to run; the RTL numbers its double switches with 10 bits while it loads them."""
HALF_WORD = 0xFFFF


@dataclass(frozen=True)
class LayerInfo:
    """What the testbench is told of a layer: its sizes (Y and X of the padded input), and what is mapped at once."""

    K: int
    C: int
    R: int
    S: int
    Y: int
    X: int
    multipliers: int
    vn_count: int
    vn_size: int

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """The sizes in the order of the file."""
        return self.K, self.C, self.R, self.S, self.Y, self.X

    @property
    def outputs(self) -> int:
        """Results that the testbench counts: partial sums of different channel tiles are not added up."""
        return self.K * self.C * (self.Y - self.R + 1) * (self.X - self.S + 1)


@dataclass(frozen=True)
class Files:
    """The content of the three files."""

    layer: LayerInfo
    configuration: Configuration


def layer_words(layer: LayerInfo) -> tuple[int, ...]:
    """The 14 words of ``Layer_Info.vmh``.

    A tile holds the virtual neurons' output channels, one channel (or fold of channels), the whole filter, and one
    output; ``edge`` and ``iterations`` count whole tiles, of outputs in Y and X.
    """
    tiles = (layer.vn_count, 1, layer.R, layer.S, 1, 1)
    walked = (layer.K, layer.C, layer.R, layer.S, layer.Y - layer.R + 1, layer.X - layer.S + 1)
    words = []
    for size, tile, positions in zip(layer.sizes, tiles, walked, strict=True):
        words += [_joined(size, tile), _joined(positions % tile, positions // tile)]
    return (*words, _joined(layer.multipliers, layer.vn_count), layer.vn_size)


def switch_words(configuration: Configuration) -> tuple[int, ...]:
    """The words of ``RN_Config.vmh``."""
    bytes_ = [
        double.left << 6 | double.right << 4 | double.left_result << 3 | double.right_result << 2
        for double in configuration.doubles
    ]
    nibbles = [single.mode << 2 | single.result << 1 for single in configuration.singles]
    return (*_packed(bytes_, 8), *_packed(nibbles, 4))


def configuration_of(multipliers: int, words: Sequence[int]) -> Configuration:
    """The configuration in the words of ``RN_Config.vmh``. Raises ValueError for another number of words."""
    tree = AdderTree(multipliers)
    of_doubles, of_singles = _words_needed(tree)
    if len(words) != of_doubles + of_singles:
        msg = (
            f"expected {of_doubles + of_singles} words for the {tree.doubles} double and {tree.singles} single "
            f"switches of {multipliers} multipliers, found {len(words)}"
        )
        raise ValueError(msg)
    bytes_ = _unpacked(words[:of_doubles], 8, tree.doubles)
    nibbles = _unpacked(words[of_doubles:], 4, tree.singles)
    doubles = [Double(HalfMode(b >> 6), HalfMode(b >> 4 & 3), bool(b & 8), bool(b & 4)) for b in bytes_]
    return Configuration(tree, tuple(doubles), tuple(Single(SingleMode(n >> 2), bool(n & 2)) for n in nibbles))


def write(directory: Path, files: Files) -> dict[str, int]:
    """Write the three files; return their names and numbers of words. Raises OSError, and DocumentError for a file."""
    directory.mkdir(parents=True, exist_ok=True)
    images = {
        LAYER_FILE: ("@00", layer_words(files.layer)),
        TILE_FILE: ("@00", layer_words(files.layer)),
        SWITCH_FILE: ("@000", switch_words(files.configuration)),
    }
    for name, (start, words) in images.items():
        documents.write(directory / name, "\n".join([start, *(f"{word:08X}" for word in words)]) + "\n")
    return {name: len(words) for name, (_, words) in images.items()}


def read(directory: Path) -> Files:
    """Decode ``Layer_Info.vmh`` and ``RN_Config.vmh``. Raises DocumentError with what is wrong and where."""
    path = directory / LAYER_FILE
    words = read_words(path)
    if len(words) != 14:
        raise DocumentError([f"{path}: expected 14 words, found {len(words)}"])
    sizes = dict(zip(DIMENSIONS, (word >> 16 for word in words[0:12:2]), strict=True))
    multipliers = words[12] >> 16
    if not SMALLEST <= multipliers <= LARGEST or multipliers & (multipliers - 1):
        expected = f"expected a power of two from {SMALLEST} to {LARGEST} multipliers"
        raise DocumentError([f"{path}:14: {expected}, found {multipliers}"])
    layer = LayerInfo(**sizes, multipliers=multipliers, vn_count=words[12] & HALF_WORD, vn_size=words[13] & HALF_WORD)
    path = directory / SWITCH_FILE
    try:
        return Files(layer, configuration_of(multipliers, read_words(path)))
    except ValueError as error:
        raise DocumentError([f"{path}: {error}"]) from error


def read_words(path: Path) -> tuple[int, ...]:
    """The words of a memory image from address 0 on. Raises DocumentError with every line that is none."""
    text = read_text(path, "a memory image", "a memory image of the RTL")
    words, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        text = line.strip()
        if number == 1 and text[:1] == "@" and text[1:] and not text[1:].strip("0"):
            continue
        if number == 1:
            problems.append(f"{path}:1: expected the start address @00 or @000, found {described(text)}")
        elif len(text) == 8 and all(digit in "0123456789abcdefABCDEF" for digit in text):
            words.append(int(text, 16))
        elif text:
            problems.append(f"{path}:{number}: expected a word of 8 hexadecimal digits, found {described(text)}")
    if problems:
        raise DocumentError(problems)
    return tuple(words)


def _joined(high: int, low: int) -> int:
    return high << 16 | low


def _words_needed(tree: AdderTree) -> tuple[int, int]:
    return -(-tree.doubles // 4), -(-tree.singles // 8)


def _packed(fields: Sequence[int], bits: int) -> list[int]:
    """Fields of so many bits in words of 32, the first in the lowest bits."""
    words = [0] * -(-len(fields) * bits // 32)
    for place, field in enumerate(fields):
        word, shift = divmod(place * bits, 32)
        words[word] |= field << shift
    return words


def _unpacked(words: Iterable[int], bits: int, count: int) -> list[int]:
    fields = [word >> shift & (1 << bits) - 1 for word in words for shift in range(0, 32, bits)]
    return fields[:count]
