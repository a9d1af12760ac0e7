"""How many of a layer's weights are zero, where these are stored in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maerisim.errors import DocumentError
from maerisim.importers.onnx.model import OnnxModel, OnnxNode, folder_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEEPING = ("Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "DequantizeLinear")
"""Operators that keep the number of zeros; what quantised weights have for one is their zero point."""


def nonzeros(node: OnnxNode, weights: int, zero_point: int | None) -> tuple[int, int] | None:
    """How many weights of an input are not zero, of how many; None where they are computed. Raises DocumentError."""
    zero = node.input(zero_point) if zero_point is not None else ""
    name, model = node.input(weights), node.model
    axis = -1 if node.op in ("MatMulInteger", "QLinearMatMul") else 0
    while name not in model.weights:
        maker = model.makers.get(name)
        if maker is None or maker.op_type not in KEEPING:
            return None
        if maker.op_type == "DequantizeLinear":
            through = OnnxNode(model, maker, 0)
            zero, axis = through.input(2), through.integer("axis", 1)
        name = maker.input[0]
    values = stored(model, name)
    zeros = stored(model, zero) if zero in model.weights else None
    if zeros is not None and zeros.ndim == 1 and zeros.size > 1:
        if values.ndim == 0 or values.shape[axis % values.ndim] != zeros.size:
            return None
        shape = [1] * values.ndim
        shape[axis % values.ndim] = zeros.size
        zeros = zeros.reshape(shape)
    if zeros is not None and zeros.ndim != values.ndim and zeros.size > 1:
        return None
    different = values != (0 if zeros is None else zeros.reshape(()) if zeros.size == 1 else zeros)
    return int(different.sum()), int(values.size)


def stored(model: OnnxModel, name: str) -> NDArray[np.generic]:
    """The values of an initialiser, also of one in a file of its own. Raises DocumentError."""
    import onnx

    tensor = model.weights[name]
    try:
        return onnx.numpy_helper.to_array(tensor, folder_of(model))
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, onnx.checker.ValidationError) as error:
        text = " ".join(str(error).split())
        raise DocumentError([f"{model.path}: the weights '{name}' cannot be read: {text[:200]}"]) from None
