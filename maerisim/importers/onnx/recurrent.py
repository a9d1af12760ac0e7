"""LSTM, GRU and RNN of ONNX as layers of the network document, one for each direction."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.importers.onnx.convolutions import Fields, Made, common
from maerisim.importers.onnx.model import OnnxNode, RefusedError
from maerisim.importers.onnx.products import with_weights


class Sequence(NamedTuple):
    """The sizes of a recurrent node; ``ends`` are what stands behind its name for each direction."""

    steps: int
    batch: int
    inputs: int
    cells: int
    bias: bool
    ends: tuple[str, ...]


def sequence(node: OnnxNode, gates: int) -> Sequence:
    """The sizes of a node of so many gates."""
    first, second, inputs = node.shape(0, (3,))
    steps, batch = (second, first) if node.integer("layout") else (first, second)
    directions, rows, columns = node.shape(1, (3,))
    cells = node.shape(2, (3,))[2]
    if (rows, columns) != (gates * cells, inputs) or directions not in (1, 2):
        raise RefusedError(f"weights of shape {[directions, rows, columns]} for {inputs} inputs and {cells} cells")
    direction = node.choice("direction", ("forward", "reverse", "bidirectional"))
    if (directions == 2) != (direction == "bidirectional"):
        raise RefusedError(f"weights for {directions} directions of a sequence that is {direction}")
    if node.input(4):
        raise RefusedError("sequences of different lengths in a batch")
    return Sequence(
        steps, batch, inputs, cells, bool(node.input(3)), ("",) if directions == 1 else ("/forward", "/backward")
    )


def lstm(node: OnnxNode) -> list[Made]:
    """LSTM without peepholes."""
    if node.input(7):
        raise RefusedError("peepholes")
    if node.integer("input_forget"):
        raise RefusedError("coupled input and forget gates")
    return _cells("lstm", sequence(node, 4))


def _cells(op: str, of: Sequence) -> list[Made]:
    sizes: Fields = {"input_size": of.inputs, "hidden_size": of.cells, "sequence_length": of.steps}
    return [Made({"op": op} | sizes | common(of.batch, bias=of.bias), suffix=end) for end in of.ends]


def gru(node: OnnxNode) -> list[Made]:
    """GRU; one that resets after the product with the state is a layer for each of its parts, in every time step."""
    of = sequence(node, 3)
    if not node.integer("linear_before_reset"):
        return _cells("gru", of)
    states = of.batch * of.cells
    parts = {
        "gates": with_weights(of.inputs + of.cells, 2 * of.cells, of.batch),
        "candidate_inputs": with_weights(of.inputs, of.cells, of.batch),
        "candidate_state": with_weights(of.cells, of.cells, of.batch),
        "reset": with_weights(1, 1, 1, states),
        "update": with_weights(2, 1, 1, states),
    }
    with_bias = ("gates", "candidate_inputs", "candidate_state") if of.bias else ()
    return [
        Made(
            fields | ({"bias": True} if part in with_bias else {}) | ({"count": of.steps} if of.steps > 1 else {}),
            suffix=f"{end}/{part}",
        )
        for end in of.ends
        for part, fields in parts.items()
    ]


def rnn(node: OnnxNode) -> list[Made]:
    """A plain recurrent layer: one product of input and state in every time step."""
    of = sequence(node, 1)
    fields = with_weights(of.inputs + of.cells, of.cells, of.batch) | ({"bias": True} if of.bias else {})
    return [Made(fields | ({"count": of.steps} if of.steps > 1 else {}), suffix=end) for end in of.ends]
