"""Matrix products of ONNX as layers of the network document: with weights ``linear``, of two activations ``matmul``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from string import ascii_letters

from maerisim.importers.onnx.convolutions import Fields, Made, common
from maerisim.importers.onnx.model import OnnxNode, RefusedError


def product(
    node: OnnxNode,
    places: tuple[int, int],
    labels: tuple[str, str],
    kept: str,
    *,
    bias: bool = False,
    zero_points: tuple[int | None, int | None] = (None, None),
) -> list[Made]:
    """The product of two inputs whose dimensions have these ``labels``, over those that are not ``kept``.

    A size of 1 is broadcast. Dimensions of both that are kept are products of their own; those of one operand alone are
    rows or columns, so that what is broadcast stays one operand.
    """
    sizes: dict[str, int] = {}
    found: list[str] = []
    for place, of_operand in zip(places, labels, strict=True):
        shape = node.shape(place)
        if len(shape) != len(of_operand) or len(set(of_operand)) < len(of_operand):
            raise RefusedError(f"dimensions '{of_operand}' of an input of shape {list(shape)}")
        found.append("".join(label for label, size in zip(of_operand, shape, strict=True) if size > 1))
        for label, size in zip(of_operand, shape, strict=True):
            if size > 1 and sizes.setdefault(label, size) != size:
                raise RefusedError(f"sizes of {sizes[label]} and {size} that do not fit each other")
    a, b = found
    alone = [label for label in sizes if (label in a) != (label in b) and label not in kept]
    if alone:
        raise RefusedError("a sum over one operand alone")
    groups = _sizes(sizes, [label for label in a if label in b and label in kept])
    k = _sizes(sizes, [label for label in a if label in b and label not in kept])
    m, n = (
        _sizes(sizes, [label for label in mine if label not in others]) for mine, others in ((a, b), (b, a))
    )  # fmt: skip
    if k == m == n == 1:
        raise RefusedError("an element-wise product, not one of matrices")
    constant = [node.gives_constant(place) for place in places]
    if not any(constant):
        fields: Fields = {"op": "matmul", "m": m, "k": k, "n": n}
        return [Made(fields | common(groups))]
    place, rows, outputs = (1, m, n) if constant[1] else (0, n, m)
    return [
        Made(
            with_weights(k, outputs, rows, groups) | ({"bias": True} if bias else {}),
            weights=places[place],
            zero_point=zero_points[place],
        )
    ]


def with_weights(inputs: int, outputs: int, batch: int, groups: int = 1) -> Fields:
    """A fully connected layer, or ``groups`` of them side by side as a convolution of one pixel."""
    if groups == 1:
        return {"op": "linear", "inputs": inputs, "outputs": outputs} | common(batch)
    shape = {"input": [groups * inputs, 1, 1], "filters": groups * outputs, "kernel": 1, "groups": groups}
    return {"op": "conv2d"} | shape | common(batch)


def _sizes(sizes: Mapping[str, int], labels: Sequence[str]) -> int:
    return prod(sizes[label] for label in labels)


def gemm(node: OnnxNode) -> list[Made]:
    """Gemm: A or B may be transposed, C is a bias."""
    labels = ("km" if node.integer("transA") else "mk", "nk" if node.integer("transB") else "kn")
    for place in (0, 1):
        node.shape(place, (2,))
    return product(node, (0, 1), labels, "mn", bias=bool(node.input(2)))


def matmul(
    a: int, b: int, zero_points: tuple[int | None, int | None] = (None, None)
) -> Callable[[OnnxNode], list[Made]]:
    """A reader of NumPy's matmul of the inputs at these places."""

    def read(node: OnnxNode) -> list[Made]:
        left, right = len(node.shape(a)), len(node.shape(b))
        if not left or not right or max(left, right) > 20:
            raise RefusedError(f"a product of operands of {left} and {right} dimensions")
        batch = ascii_letters[: max(left, right, 2) - 2]
        labels = (
            "Z" if left == 1 else batch[len(batch) - left + 2 :] + "YZ",
            "Z" if right == 1 else batch[len(batch) - right + 2 :] + "ZX",
        )
        return product(node, (a, b), labels, batch + "YX", zero_points=zero_points)

    return read


def einsum(node: OnnxNode) -> list[Made]:
    """Einsum of two operands that is a matrix product."""
    equation = node.text("equation").replace(" ", "")
    terms, arrow, kept = equation.partition("->")
    labels = terms.split(",")
    if len(labels) != 2:
        raise RefusedError(f"'{equation}' has {len(labels)} operands, expected two")
    ranks = [len(node.shape(place)) for place in (0, 1)]
    if "..." in equation:
        free = [letter for letter in ascii_letters if letter not in equation]
        extra = [rank - len(term.replace("...", "")) for rank, term in zip(ranks, labels, strict=True)]
        most = max(0, *(size for size, term in zip(extra, labels, strict=True) if "..." in term))
        dots = "".join(free[:most])
        labels = [
            term.replace("...", dots[most - size :] if size else "") for term, size in zip(labels, extra, strict=True)
        ]
        kept = kept.replace("...", dots)
    if not arrow:
        kept = "".join(label for label in labels[0] + labels[1] if (label in labels[0]) != (label in labels[1]))
    return product(node, (0, 1), (labels[0], labels[1]), kept)


def attention(node: OnnxNode) -> list[Made]:
    """Attention of ONNX: scores of queries with keys, then of scores with values, for every head.

    Heads of queries that share one of keys are rows of one product. Masked products are computed as well.
    """
    query, key, value = (node.shape(place, (3, 4)) for place in (0, 1, 2))
    if len({len(query), len(key), len(value)}) > 1:
        raise RefusedError("queries, keys and values of different numbers of dimensions")
    if len(query) == 3:
        heads, of_keys = node.integer("q_num_heads"), node.integer("kv_num_heads")
        if heads < 1 or of_keys < 1 or query[2] % heads or key[2] % of_keys or value[2] % of_keys:
            raise RefusedError(f"{heads} heads of queries and {of_keys} of keys, which do not divide what it gets")
        batch, queries, depth = query[0], query[1], query[2] // heads
        keys, width = key[1], value[2] // of_keys
    else:
        batch, heads, queries, depth = query
        of_keys, keys, width = key[1], key[2], value[3]
    if heads % of_keys:
        raise RefusedError(f"{heads} heads of queries, which the {of_keys} of keys do not divide")
    if node.input(4):
        past = node.model.shapes.get(node.input(4))
        if past is None or len(past) != 4:
            raise RefusedError(f"the shape of its input '{node.input(4)}' is not known, or not of 4 dimensions")
        keys += past[2]
    rows, comment = queries * (heads // of_keys), "masked products are computed too"
    comment = comment if node.integer("is_causal") or node.input(3) else ""
    return [
        Made({"op": "matmul", "m": rows, "k": depth, "n": keys} | common(batch * of_keys), comment, "/scores"),
        Made({"op": "matmul", "m": rows, "k": keys, "n": width} | common(batch * of_keys), comment, "/values"),
    ]
