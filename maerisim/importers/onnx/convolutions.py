"""Convolutions and poolings of ONNX as layers of the network document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

from maerisim.importers.layers import brief
from maerisim.importers.onnx.model import OnnxNode, RefusedError, TensorShape

Fields = dict[str, Any]
AUTOMATIC = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
"""How padding may follow from the sizes."""
OPS = {1: "conv1d", 2: "conv2d", 3: "conv3d"}


class Made(NamedTuple):
    """A layer without its name: what stands behind the node's, the fields and a comment.

    ``weights`` is the place of the input that its weights are, and ``zero_point`` that of the value that stands for 0.
    """

    fields: Fields
    comment: str = ""
    suffix: str = ""
    weights: int | None = None
    zero_point: int | None = None


class Window(NamedTuple):
    """Along one axis: taps, and where they are applied."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int


STILL = Window(1, 1, 1, 1, 0, 0)
"""Along the rows of what has one."""


def windows(node: OnnxNode, spatial: TensorShape, kernel: Sequence[int]) -> list[Window]:
    """The windows of a convolution or pooling along each axis."""
    axes = len(spatial)
    strides, dilations = (node.integers(name, axes, 1) for name in ("strides", "dilations"))
    pads, automatic = node.integers("pads", 2 * axes, 0), node.choice("auto_pad", AUTOMATIC)
    found = []
    for axis, size in enumerate(spatial):
        before, after = pads[axis], pads[axis + axes]
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            covered = (kernel[axis] - 1) * dilations[axis] + 1
            total = max(0, (-(-size // strides[axis]) - 1) * strides[axis] + covered - size)
            before, after = total // 2, total - total // 2
            if automatic == "SAME_LOWER":
                before, after = after, before
        elif automatic == "VALID":
            before = after = 0
        if min(before, after) < 0 or min(strides[axis], dilations[axis], kernel[axis]) < 1:
            raise RefusedError("a negative padding, or a stride, dilation or kernel of 0")
        found.append(Window(size, kernel[axis], strides[axis], dilations[axis], before, after))
    return found


def require_kernel(node: OnnxNode, kernel: Sequence[int]) -> None:
    """Refuse a convolution whose attribute says another kernel than its weights have."""
    said = node.integers("kernel_shape", len(kernel), -1)
    if said != (-1,) * len(kernel) and said != tuple(kernel):
        raise RefusedError(f"a kernel_shape of {list(said)}, but weights of a kernel of {list(kernel)}")


def spatial_fields(axes: Sequence[Window], channels: int) -> tuple[Fields, str]:
    """Input, kernel, stride, padding and dilation, those left out that are as if they were not there.

    Uneven padding of three dimensions, for which there is no key, is input; a word says so.
    """
    before, after = [axis.before for axis in axes], [axis.after for axis in axes]
    sizes, comment = [axis.size for axis in axes], ""
    padding: object = brief(*before)
    if before != after and len(axes) == 2:
        padding = [*before, *after]
    elif before != after:
        sizes = [axis.size + abs(axis.before - axis.after) for axis in axes]
        padding = brief(*map(min, before, after))
        uneven = [f"{axis.before} and {axis.after}" for axis in axes if axis.before != axis.after]
        comment = f"padded by {', '.join(uneven)}: the difference is input"
    values = {
        "stride": (brief(*(axis.stride for axis in axes)), 1),
        "padding": (padding, 0),
        "dilation": (brief(*(axis.dilation for axis in axes)), 1),
    }
    fields: Fields = {"input": [channels, *sizes], "kernel": brief(*(axis.kernel for axis in axes))}
    return fields | {key: value for key, (value, default) in values.items() if value != default}, comment


def at(x: int, w: int, bias: int | None = None, zero_point: int | None = None) -> Callable[[OnnxNode], list[Made]]:
    """A reader of convolutions with input, weights, bias and the weights' zero point at these places."""

    def convolution(node: OnnxNode) -> list[Made]:
        batch, channels, *spatial = node.shape(x, (3, 4, 5))
        filters, of_group, *kernel = node.shape(w, (len(spatial) + 2,))
        groups = node.integer("group", 1)
        if groups < 1 or of_group * groups != channels:
            raise RefusedError(f"{groups} groups of {of_group} channels, but the input has {channels}")
        require_kernel(node, kernel)
        axes = windows(node, tuple(spatial), kernel)
        if len(axes) == 1 and axes[0].before != axes[0].after:  # a row has one padding, a plane has four
            axes = [STILL, *axes]
        fields, comment = spatial_fields(axes, channels)
        fields = {"op": OPS[len(axes)], "input": fields.pop("input"), "filters": filters, **fields}
        if groups > 1:
            fields["groups"] = groups
        return [
            Made(
                fields | common(batch, bias=bias is not None and bool(node.input(bias))),
                comment,
                weights=w,
                zero_point=zero_point,
            )
        ]

    return convolution


def common(batch: int, *, bias: bool = False) -> Fields:
    """Bias and batch, where there are any."""
    return ({"bias": True} if bias else {}) | ({"batch": batch} if batch > 1 else {})


def _cut(node: OnnxNode, axis: int, axes: int, full: int, same: int) -> tuple[int, int]:
    """Outputs that ConvTranspose leaves out at both ends of an axis, of ``full``; ``same`` are as many as inputs times stride."""
    pads, automatic = node.integers("pads", 2 * axes, 0), node.choice("auto_pad", AUTOMATIC)
    wanted = node.integers("output_shape", axes, 0)[axis] or (same if automatic.startswith("SAME") else 0)
    if wanted:
        total = full - wanted
        return (total // 2, total - total // 2) if automatic == "SAME_UPPER" else (total - total // 2, total // 2)
    return (0, 0) if automatic == "VALID" else (pads[axis], pads[axis + axes])


def transposed(node: OnnxNode) -> list[Made]:
    """ConvTranspose; one of one dimension is a row."""
    batch, channels, *spatial = node.shape(0, (3, 4, 5))
    if len(spatial) == 3:
        raise RefusedError("a transposed convolution in three dimensions, expected one or two")
    of_input, of_group, *kernel = node.shape(1, (len(spatial) + 2,))
    groups, axes = node.integer("group", 1), len(spatial)
    require_kernel(node, kernel)
    if of_input != channels:
        raise RefusedError(f"weights of {of_input} input channels, but the input has {channels}")
    strides, dilations = (node.integers(name, axes, 1) for name in ("strides", "dilations"))
    more = node.integers("output_padding", axes, 0)
    padding, beyond = [], []
    for axis, size in enumerate(spatial):
        full = (size - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        before, after = _cut(node, axis, axes, full + more[axis], size * strides[axis])
        if min(before, after) < 0:
            raise RefusedError("outputs that no input reaches, at the beginning")
        # The loops do not know where they begin: what is cut off more at the end is cut off at the other, mirrored.
        padding.append(max(before, after - more[axis]))
        beyond.append(more[axis] - before - after + 2 * padding[axis])
    row = [1] if axes == 1 else []
    fields: Fields = {"op": "conv_transpose2d", "input": [channels, *row, *spatial], "filters": of_group * groups}
    fields["kernel"] = brief(*row, *kernel)
    for key, values, default in (
        ("stride", strides, 1),
        ("padding", padding, 0),
        ("output_padding", beyond, 0),
        ("dilation", dilations, 1),
    ):
        if any(value != default for value in values):
            fields[key] = brief(*[*([default] * len(row)), *values])
    if groups > 1:
        fields["groups"] = groups
    return [Made(fields | common(batch, bias=bool(node.input(2))))]


def pooling(op: str) -> Callable[[OnnxNode], list[Made]]:
    """A reader of poolings: those of one dimension are rows, in three dimensions one has to have a kernel of 1."""

    def pool(node: OnnxNode) -> list[Made]:
        batch, channels, *spatial = node.shape(0, (3, 4, 5))
        kernel = node.integers("kernel_shape", len(spatial), 0)
        if 0 in kernel:
            raise RefusedError("a pooling without kernel_shape")
        axes = windows(node, tuple(spatial), kernel)
        if any(axis.dilation > 1 and axis.kernel > 1 for axis in axes):
            raise RefusedError("a pooling with dilated windows")
        axes = [axis._replace(dilation=1) for axis in axes]
        if len(axes) == 3:
            still = [
                place
                for place, axis in enumerate(axes)
                if axis.kernel == axis.stride == 1 and not axis.before + axis.after
            ]
            if not still:
                raise RefusedError("a pooling over three dimensions, expected a kernel of 1 along one of them")
            channels *= axes.pop(still[0]).size
        if len(axes) == 1:
            axes = [STILL, *axes]
        fields, comment = spatial_fields(axes, channels)
        if "stride" not in fields and fields["kernel"] != 1:
            fields["stride"] = 1
        elif fields.get("stride") == fields["kernel"]:
            del fields["stride"]
        if node.integer("ceil_mode"):
            fields["ceil_mode"] = True
        return [Made({"op": op} | fields | common(batch), comment)]

    return pool


def global_pooling(op: str) -> Callable[[OnnxNode], list[Made]]:
    """A reader of poolings over the whole plane."""

    def pool(node: OnnxNode) -> list[Made]:
        batch, channels, *spatial = node.shape(0, (3, 4, 5))
        plane = [prod(spatial[:-1]), spatial[-1]]
        return [Made({"op": op, "input": [channels, *plane], "kernel": brief(*plane)} | common(batch))]

    return pool
