"""Which layer a loop nest is."""

from __future__ import annotations

from maerisim.errors import DocumentError, NotSupportedError
from maerisim.workload.convolutions import Conv2d
from maerisim.workload.layers import AvgPool2d, MaxPool2d
from maerisim.workload.problem import Problem


def layer_of(problem: Problem) -> Conv2d | MaxPool2d | AvgPool2d:
    """The convolution or pooling that has this loop nest. Raises NotSupportedError for one that no layer has."""
    height, width = (
        max(1, touched - 2 * padding) for touched, padding in zip((problem.H, problem.W), problem.padding, strict=True)
    )
    input, kernel = [problem.G * problem.C, height, width], (problem.R, problem.S)
    layer: Conv2d | MaxPool2d | AvgPool2d
    try:
        if problem.pools:
            kind = MaxPool2d if problem.operation == "max" else AvgPool2d
            layer = kind(input=input, kernel=kernel, stride=problem.stride, padding=problem.padding, batch=problem.N)
        else:
            layer = Conv2d(
                input=input,
                filters=problem.G * problem.K,
                kernel=kernel,
                stride=problem.stride,
                padding=problem.padding,
                dilation=problem.dilation,
                groups=problem.G,
                sparsity=problem.sparsity,
                batch=problem.N,
            )
    except DocumentError as error:
        raise NotSupportedError(f"no layer has the loop nest {problem}: {'; '.join(error.problems)}") from error
    if layer.problem != problem:
        raise NotSupportedError(f"no layer has the loop nest {problem}; the nearest has {layer.problem}")
    return layer
