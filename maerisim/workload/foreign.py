"""What other tools call the keys and kinds of layers, so that messages can say what is meant here.

The tools are PyTorch, Keras, ONNX, Timeloop and SCALE-Sim; names are in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping

_CONVOLUTION = ("conv", "convolution", "convolution2d", "conv2d_layer", "spatialconvolution")
_DEPTHWISE = ("depthwise_conv2d", "depthwise_conv", "depthwise", "dw_conv", "dwconv", "depthwise_convolution")
_FULLY_CONNECTED = ("fc", "dense", "fully_connected", "inner_product", "affine", "mlp")
_PRODUCT = ("mm", "bmm", "mat_mul", "batch_matmul", "dot")
_MAX_POOL = ("maxpool", "max_pool", "maxpool2d", "max_pooling2d", "global_max_pool")
_AVERAGE_POOL = (
    "avgpool",
    "avg_pool",
    "average_pool",
    "avgpool2d",
    "average_pooling2d",
    "global_average_pool",
    "mean_pool",
)

KINDS: Mapping[str, str] = {
    **dict.fromkeys(_CONVOLUTION, "'conv2d'"),
    **dict.fromkeys(("pointwise_conv2d", "pointwise", "conv1x1"), "'conv2d' with a kernel of 1"),
    **dict.fromkeys(_DEPTHWISE, "'conv2d' with as many groups as channels"),
    **dict.fromkeys(
        ("separable_conv2d", "separable_conv"), "two layers 'conv2d', the first with as many groups as channels"
    ),
    **dict.fromkeys(_FULLY_CONNECTED, "'linear'"),
    "gemm": "'linear' where one operand holds weights, else 'matmul'",
    **dict.fromkeys(_PRODUCT, "'matmul'"),
    **dict.fromkeys(_MAX_POOL, "'max_pool2d'"),
    **dict.fromkeys(_AVERAGE_POOL, "'avg_pool2d'"),
    **dict.fromkeys(("pool", "pooling", "pool2d"), "'max_pool2d' or 'avg_pool2d'"),
    "rnn": "'lstm' or 'gru'",
    **dict.fromkeys(("bilstm", "bi_lstm", "lstm_cell", "lstmcell"), "'lstm'"),
    **dict.fromkeys(("bigru", "bi_gru", "gru_cell", "grucell"), "'gru'"),
}
"""Kinds of layers."""

_KERNEL = dict.fromkeys(("kernel_size", "kernel_shape", "filter_size", "ksize", "pool_size", "window"), "'kernel'")
_PADDING = dict.fromkeys(("pad", "pads", "auto_pad"), "'padding'")
_STRIDE = {"strides": "'stride'"}
_SHAPE = dict.fromkeys(
    (
        "in_channels",
        "channels",
        "input_channels",
        "input_shape",
        "input_size",
        "ifmap",
        "height",
        "width",
        "h",
        "w",
        "c",
    ),
    "'input', [channels, height, width]",
)
_BATCH = dict.fromkeys(("batch_size", "n_batch", "minibatch"), "'batch'")
_SPARSITY = dict.fromkeys(("sparsity_ratio", "density"), "'sparsity: {density: ...}'")
_BIAS = dict.fromkeys(("use_bias", "has_bias"), "'bias'")

CONVOLUTION: Mapping[str, str] = {
    **_KERNEL, **_PADDING, **_STRIDE, **_SHAPE, **_BATCH, **_SPARSITY, **_BIAS,
    **dict.fromkeys(("out_channels", "output_channels", "num_filters", "num_filter", "num_output", "k"), "'filters'"),
    **dict.fromkeys(("dilations", "dilation_rate"), "'dilation'"),
    **dict.fromkeys(("group", "num_groups", "depth_multiplier"), "'groups'"),
}  # fmt: skip
POOLING: Mapping[str, str] = _KERNEL | _PADDING | _STRIDE | _SHAPE | _BATCH
FULLY_CONNECTED: Mapping[str, str] = {
    **_BATCH, **_SPARSITY, **_BIAS,
    **dict.fromkeys(("in_features", "input_features", "in_channels", "input_size", "input_dim", "k", "c"), "'inputs'"),
    **dict.fromkeys(("out_features", "output_features", "out_channels", "output_size", "units", "num_output"), "'outputs'"),
}  # fmt: skip
PRODUCT: Mapping[str, str] = {
    **_BATCH, **_SPARSITY,
    **dict.fromkeys(("rows",), "'m'"), **dict.fromkeys(("columns", "cols"), "'n'"),
    **{letter: f"'{letter}'" for letter in "mkn"},
}  # fmt: skip
RECURRENT: Mapping[str, str] = {
    **_BATCH, **_BIAS,
    **dict.fromkeys(("inputs", "in_features", "input_dim", "features"), "'input_size'"),
    **dict.fromkeys(("outputs", "units", "hidden", "hidden_dim", "out_features", "num_units"), "'hidden_size'"),
    **dict.fromkeys(("seq_len", "seq_length", "sequence", "time_steps", "timesteps", "length"), "'sequence_length'"),
    **dict.fromkeys(("direction", "directions", "num_directions"), "'bidirectional: true'"),
    "num_layers": "a layer of its own for each",
}  # fmt: skip
