"""ONNX models: every node that multiplies matrices, convolves or pools becomes a layer, or is refused with a word.

Shapes are those that ONNX infers once symbolic sizes are numbers. What a layer cannot express exactly is refused, and so are
control flow and operators that ONNX does not define; the rest of the model is imported. Nodes that MAERI does not run are
listed with their share of the operations and words.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.importers.layers import ImportedLayer, ImportedNetwork, ModelNode, with_distinct_names
from maerisim.importers.onnx import convolutions, products, recurrent
from maerisim.importers.onnx.convolutions import Fields, Made
from maerisim.importers.onnx.host import HostWork
from maerisim.importers.onnx.model import OnnxModel, OnnxNode, RefusedError, load
from maerisim.importers.onnx.zeros import nonzeros
from maerisim.text import harmless
from maerisim.workload.layers import Layer
from maerisim.workload.network import Network
from maerisim.workload.transposed import ConvTranspose2d

READERS: Mapping[str, Callable[[OnnxNode], list[Made]]] = {
    "Conv": convolutions.at(x=0, w=1, bias=2),
    "QLinearConv": convolutions.at(x=0, w=3, bias=8, zero_point=5),
    "ConvInteger": convolutions.at(x=0, w=1, zero_point=3),
    "ConvTranspose": convolutions.transposed,
    "MaxPool": convolutions.pooling("max_pool2d"),
    "AveragePool": convolutions.pooling("avg_pool2d"),
    "GlobalMaxPool": convolutions.global_pooling("max_pool2d"),
    "GlobalAveragePool": convolutions.global_pooling("avg_pool2d"),
    "Gemm": products.gemm,
    "MatMul": products.matmul(0, 1),
    "MatMulInteger": products.matmul(0, 1, (2, 3)),
    "QLinearMatMul": products.matmul(0, 3, (2, 5)),
    "Einsum": products.einsum,
    "Attention": products.attention,
    "LSTM": recurrent.lstm,
    "GRU": recurrent.gru,
    "RNN": recurrent.rnn,
}
"""What becomes of the nodes that MAERI runs."""
SPATIAL = tuple(op for op in READERS if "Conv" in op or "Pool" in op)
"""Those whose outputs have rows and columns."""
CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
SHOWN = 3
"""Names of equal layers and nodes that are listed."""


def read(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    batch: int | None = None,
    sizes: Mapping[str, int] | None = None,
    sparsity: bool = False,
    apart: bool = False,
) -> ImportedNetwork:
    """Read a model as a network, called ``name`` or like the file.

    ``batch`` is the first dimension of every input, ``sizes`` are those of others by name (or ``input.place``). With
    ``sparsity`` stored weights that are zero count. Equal layers are one that occurs several times, unless ``apart``.
    Raises DocumentError for what is no model and for one without any layer, NotSupportedError without onnx.
    """
    model = load(Path(path), batch, sizes or {})
    reader = _Reader(model, sparsity=sparsity)
    if not reader.layers:
        problems = list(reader.refused()) or [f"{path}: none of its {len(model.graph.node)} nodes is a layer"]
        raise DocumentError(problems)
    layers, renamed = with_distinct_names(reader.layers)
    if not apart:
        layers = merged(layers)
    shown = ", ".join(f"{given} {list(shape)}" for given, shape in model.inputs.items())
    work = list(reader.work.lines())
    refused = list(reader.refused())
    origin = [f"Imported from ONNX: {Path(path).name}, operators of version {model.opset}.", f"Inputs: {shown}"]
    return ImportedNetwork(
        name or Path(path).stem,
        "\n".join([*origin, *work, *(f"Not imported: {line}" for line in refused)]),
        tuple(layers),
        (*reader.notes, *refused, *renamed, *(["\n".join(work)] if work else [])),
    )


class _Reader:
    """The layers of a model, what was refused, and all that it does."""

    def __init__(self, model: OnnxModel, *, sparsity: bool) -> None:
        self.layers: list[ImportedLayer] = []
        self.notes: list[str] = []
        self.work = HostWork()
        self._refused: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._sparsity = sparsity
        for node in model.nodes:
            if node.is_constant:
                self.work.constant()
                continue
            try:
                self._take(node)
            except RefusedError as error:
                self._refused[f"{node.model.path}: {node.op}", str(error)].append(node.name)

    def _take(self, node: OnnxNode) -> None:
        if not node.is_standard:
            raise RefusedError(f"an operator of '{node.proto.domain}', which ONNX does not define")
        if node.op in CONTROL_FLOW or node.subgraphs:
            inside = sum(len(graph.node) for graph in node.subgraphs)
            raise RefusedError(f"control flow, with {inside} nodes inside")
        read_node = READERS.get(node.op)
        if read_node is None:
            self.work.host(node)
            return
        made = [self._layer(node, each) for each in read_node(node)]
        self.layers += [layer for layer, _ in made]
        self.work.layers(node, sum(operations for _, operations in made))

    def _layer(self, node: OnnxNode, made: Made) -> tuple[ImportedLayer, int]:
        """The layer, and its operations. Refuses what the network document cannot hold, and other outputs than ONNX's."""
        fields: Fields = {"name": node.name + made.suffix, **made.fields}
        comment = made.comment
        if self._sparsity and made.weights is not None and fields["op"] in ("conv1d", "conv2d", "linear"):
            counted = nonzeros(node, made.weights, made.zero_point)
            if counted is not None and counted[0] == 0:
                self.notes.append(f"{node}: all of its weights are zero; the layer is dense here")
            elif counted is not None and counted[0] < counted[1]:
                fields["sparsity"] = {"density": float(f"{counted[0] / counted[1]:.6g}")}
                zeros = f"{counted[1] - counted[0]:,} of {counted[1]:,} weights are zero"
                comment = f"{comment}; {zeros}" if comment else zeros
        layer = validated(fields, str(node))
        expected = node.output_shape()
        if expected is not None and node.op in SPATIAL and prod(expected) != outputs_of(layer):
            raise RefusedError(f"its outputs are {list(expected)}, those of the layer {outputs_of(layer):,} in all")
        operations = layer.count * sum(stage.count * stage.problem.operations for stage in layer.stages)
        return ImportedLayer(ModelNode(str(node)), fields, comment), operations

    def refused(self) -> Iterator[str]:
        """A line for each kind of node that was not imported, with the reason."""
        for (where, reason), names in self._refused.items():
            yield harmless(f"{where} not imported: {reason} ({several(names)})")


def validated(fields: Fields, where: str) -> Layer:
    """The layer of the network document. Refuses what it cannot hold."""
    try:
        (layer,) = documents.validate(Network, {"name": "one", "layers": [fields]}, where).layers
    except DocumentError as error:
        reasons = [problem.partition("layers[0].")[2] or problem for problem in error.problems]
        raise RefusedError("; ".join(reasons)) from None
    return layer


def outputs_of(layer: Layer) -> int:
    """Output words; in a transposed convolution also those that get no input."""
    if isinstance(layer, ConvTranspose2d):
        return layer.batch * layer.filters * prod(layer.output)
    return sum(stage.count * stage.problem.outputs for stage in layer.stages)


def merged(layers: Sequence[ImportedLayer]) -> list[ImportedLayer]:
    """Equal layers as one that occurs as often as they do together, where the first of them is."""
    equal: dict[str, list[ImportedLayer]] = defaultdict(list)
    for layer in layers:
        equal[repr({key: value for key, value in layer.fields.items() if key not in ("name", "count")})].append(layer)
    found = []
    for first, *others in equal.values():
        count = sum(int(layer.fields.get("count", 1)) for layer in (first, *others))
        also = f"also {several([layer.name for layer in others])}" if others else ""
        comment = "; ".join(text for text in (first.comment, also) if text)
        fields = {**first.fields, **({"count": count} if count > 1 else {})}
        found.append(replace(first, fields=fields, comment=comment))
    return found


def several(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
