"""SCALE-Sim's topologies: CSV files of convolutions, or of matrix products (GEMM), one layer a row.

Columns are told by their headings; commas at the end of a row, empty rows, remarks behind ``#``, tabs instead of
commas, a heading that occurs twice, and rows that hold nothing but a heading are all found in the files that come with it. IFMAP sizes include the
padding. SCALE-Sim counts a last window that reaches beyond an IFMAP as one more output (``topology_utils.py``: the
number of outputs is rounded up), and so does the input written here.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.importers.layers import FileLine, ImportedLayer, ImportedNetwork, brief, whole_number, with_distinct_names

CONVOLUTION = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
PRODUCT = ("M", "N", "K")
_HEADINGS: dict[str, str] = {
    **{heading.lower(): heading for heading in (*CONVOLUTION, *PRODUCT)},
    **dict.fromkeys(("layer name", "layer"), "Layer name"),
    **dict.fromkeys(("channel", "num channels"), "Channels"),
    **dict.fromkeys(("num filters", "number of filters"), "Num Filter"),
    **dict.fromkeys(("stride", "stride height", "stride h"), "Strides"),
    **dict.fromkeys(("stride width", "stride w"), "Stride Width"),
    **dict.fromkeys(("batch", "batch size"), "Batch"),
    **dict.fromkeys(("sparsity", "sparsity ratio"), "Sparsity"),
}
"""Spellings of the headings, in lower case, and what we call them."""
_DEPTHWISE = "DP"


@dataclass(frozen=True)
class LayerLine:
    """One layer: its name and the cells by heading."""

    source: FileLine
    name: str
    cells: Mapping[str, str]


def read(paths: Sequence[str | os.PathLike[str]], name: str | None = None) -> ImportedNetwork:
    """Read the topologies as one network, called ``name`` or like the first file.

    Raises DocumentError with every problem of every file.
    """
    layers: list[ImportedLayer] = []
    notes: list[str] = []
    problems: list[str] = []
    for path in map(Path, paths):
        try:
            table = _Table(path)
        except DocumentError as error:
            problems += error.problems
            continue
        layers += table.layers
        notes += table.notes
        problems += table.problems
    if problems:
        raise DocumentError(problems)
    layers, renamed = with_distinct_names(layers)
    files = ", ".join(Path(path).name for path in paths)
    origin = f"Imported from SCALE-Sim: {files}.\nIFMAPs include the padding, which is why there is none here."
    return ImportedNetwork(name or Path(paths[0]).stem, origin, tuple(layers), (*notes, *renamed))


class _Table:
    """The layers of one file, with what is wrong (``problems``) or not taken (``notes``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layers: list[ImportedLayer] = []
        self.notes: list[str] = []
        self.problems: list[str] = []
        rows = self._rows()
        header_line, header = next(rows, (1, []))
        self.headings = [_HEADINGS.get(" ".join(cell.lower().split()), "") for cell in header]
        self._mend_headings(header_line)
        if set(CONVOLUTION) <= set(self.headings):
            convert = self._convolution
        elif set(PRODUCT) <= set(self.headings):
            convert = self._product
        else:
            found = documents.described(", ".join(header)) if header else "an empty file"
            expected = f"the headings 'Layer name, {', '.join(CONVOLUTION)}' or 'Layer, {', '.join(PRODUCT)}'"
            raise DocumentError([f"{path}:{header_line}: expected {expected}, found {found}"])
        unused = [cell for cell, heading in zip(header, self.headings, strict=True) if cell and not heading]
        if unused:
            self.notes.append(f"{path}:{header_line}: not used: {', '.join(unused)}")
        for row in self._named(rows):
            before = len(self.problems)
            fields, comment = convert(row)
            if len(self.problems) == before:
                self.layers.append(ImportedLayer(row.source, {"name": row.name, **fields}, comment))
        if not self.layers and not self.problems:
            self.problems.append(f"{path}:{header_line}: expected a layer in each row below the headings, found none")

    def _mend_headings(self, line: int) -> None:
        """SCALE-Sim goes by the places of the columns: where one bears its neighbour's heading, so do we."""
        for place, expected in enumerate(CONVOLUTION, 1):
            found = self.headings[place : place + 1]
            if found and expected not in self.headings and self.headings.count(found[0]) > 1 and found[0]:
                self.headings[place] = expected
                self.notes.append(
                    f"{self.path}:{line}: column {place + 1} is a second {found[0]}; taken for {expected}"
                )

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line numbers and cells of the rows that are not empty, without remarks."""
        text = documents.read_text(self.path, "a topology of SCALE-Sim", "a topology of SCALE-Sim (CSV)")
        first = text.partition("\n")[0]
        reader = csv.reader(text.splitlines(), delimiter="\t" if "," not in first and "\t" in first else ",")
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                remark = next((place for place, cell in enumerate(cells) if cell.startswith("#")), len(cells))
                if any(cells[:remark]):
                    yield reader.line_num, cells[:remark]
        except csv.Error as error:
            raise DocumentError([f"{self.path}:{reader.line_num}: not a CSV file: {error}"]) from None

    def _named(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[LayerLine]:
        """The layers; a row with nothing but a name is a heading, which the layers below bear before their own name."""
        heading = ""
        for line, cells in rows:
            source = FileLine(str(self.path), line)
            name = cells[0]
            if not any(cells[1:]):
                heading = f"{name}/"
                continue
            if not name:
                self.problems.append(f"{source}: expected the name of a layer in the first column, found nothing")
            named = {key: cell for key, cell in zip(self.headings, cells, strict=False) if key}
            if "Strides" in named:
                # A number in a column without a heading behind the strides is the stride of the columns.
                behind = self.headings.index("Strides") + 1
                if cells[behind : behind + 1] and not "".join(self.headings[behind : behind + 1]):
                    named["Stride Width"] = cells[behind] if cells[behind].isdecimal() else ""
            yield LayerLine(source, heading + name, {**named, "Layer name": name})

    def _number(self, row: LayerLine, heading: str, default: int | None = None) -> int:
        """A size of at least 1; 1 for one that is missing or wrong, which is then a problem."""
        text = row.cells.get(heading, "")
        if not text and default is not None:
            return default
        number = whole_number(text)
        if number is not None:
            return number
        found = documents.described(text) if text else "nothing"
        self.problems.append(f"{row.source}: {heading}: expected a whole number from 1, found {found}")
        return 1

    def _note_sparsity(self, row: LayerLine) -> None:
        ratio = re.fullmatch(r"(\d{1,9}):(\d{1,9})", row.cells.get("Sparsity", ""))
        if ratio and ratio[1] != ratio[2]:
            possible = 0 < int(ratio[1]) < int(ratio[2])
            hint = f" (with 'sparsity: {{pattern: {ratio[0]}}}' it has these zeros)" if possible else ""
            self.notes.append(f"{row.source}: Sparsity {ratio[0]} is not taken: the layer is dense here{hint}")

    def _convolution(self, row: LayerLine) -> tuple[dict[str, Any], str]:
        known = len(self.problems)
        height, width, rows, columns, channels, filters, stride = (self._number(row, name) for name in CONVOLUTION)
        strides = (stride, self._number(row, "Stride Width", stride))
        batch = self._number(row, "Batch", 1)
        self._note_sparsity(row)
        all_known = len(self.problems) == known
        for word, taps, size in (("Height", rows, height), ("Width", columns, width)):
            if taps > size and all_known:
                why = f"more than IFMAP {word} {size} (which includes the padding)"
                self.problems.append(f"{row.source}: Filter {word}: {taps} is {why}")
        touched = [
            -(-max(0, size - taps) // step) * step + taps
            for size, taps, step in zip((height, width), (rows, columns), strides, strict=True)
        ]
        of_batch = {"batch": batch} if batch > 1 else {}
        depthwise = _DEPTHWISE in row.cells["Layer name"]
        if (height, width, rows, columns) == (1, 1, 1, 1) and not depthwise:
            return {"op": "linear", "inputs": channels, "outputs": filters, **of_batch}, ""
        fields: dict[str, Any] = {
            "op": "conv2d",
            "input": [channels, *touched],
            "filters": filters,
            "kernel": brief(rows, columns),
        }
        comments = []
        if strides != (1, 1):
            fields["stride"] = brief(*strides)
        if depthwise:
            fields |= {"filters": channels * filters, "groups": channels}
            comments.append(f"depthwise: '{_DEPTHWISE}' in its name")
        if touched != [height, width]:
            comments.append(f"IFMAP {height} x {width}: the last windows reach beyond it")
        return fields | of_batch, "; ".join(comments)

    def _product(self, row: LayerLine) -> tuple[dict[str, Any], str]:
        m, n, k = (self._number(row, name) for name in PRODUCT)
        batch = self._number(row, "Batch", 1)
        self._note_sparsity(row)
        fields = {"op": "matmul", "m": m, "k": k, "n": n}
        return fields | ({"batch": batch} if batch > 1 else {}), ""
