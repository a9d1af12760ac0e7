"""The one shape that every layer reduces to: a loop nest of eight dimensions.

Dimensions follow Timeloop: ``N`` batch, ``G`` groups, ``K`` output channels per group, ``C`` input channels per group,
``R, S`` filter height and width, ``P, Q`` output height and width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from maerisim.documents import described
from maerisim.documents.sizes import Sides, behind
from maerisim.errors import DocumentError
from maerisim.workload.sparsity import Sparsity

if TYPE_CHECKING:
    from maerisim.workload.sparsity import Mask

DIMENSIONS = ("N", "G", "K", "C", "R", "S", "P", "Q")

Operation = Literal["multiply", "add", "max"]
"""What becomes of the inputs of an output: they are multiplied by weights and added up, added up, or compared."""

LEAST = -(2**63)
"""The least integer of a datapath word."""

_FLOORS = {"P": 4, "Q": 4, "K": 4, "C": 4, "N": 2, "G": 2}


@dataclass(frozen=True, slots=True)
class Problem:
    """A layer as a loop nest of eight dimensions; ``K`` and ``C`` count channels of one group.

    ``stride``, ``dilation`` and ``padding`` are (height, width); a padding may also be (top, left, bottom, right). It is materialised in the buffer, as words that
    change no output (``identity``): it is part of ``H`` and ``W``. A pooling has no weights: ``operation`` says whether
    its outputs are sums or maxima of their inputs. With ``sparsity`` some weights are zero and take no part. Raises
    DocumentError for sizes below 1.
    """

    N: int = 1
    G: int = 1
    K: int = 1
    C: int = 1
    R: int = 1
    S: int = 1
    P: int = 1
    Q: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Sides = (0, 0)
    operation: Operation = "multiply"
    sparsity: Sparsity | None = None

    def __post_init__(self) -> None:
        sizes = dict(zip(DIMENSIONS, self.dims, strict=True))
        sizes |= {f"stride[{axis}]": size for axis, size in enumerate(self.stride)}
        sizes |= {f"dilation[{axis}]": size for axis, size in enumerate(self.dilation)}
        wrong = [
            f"problem: {name}: expected at least 1, found {described(size)}" for name, size in sizes.items() if size < 1
        ]
        if wrong or min(self.padding) < 0:
            raise DocumentError(wrong or [f"problem: padding: expected at least 0, found {described(self.padding)}"])
        if self.pools and self.sparsity is not None:
            raise DocumentError(["problem: sparsity: a pooling has no weights that could be zero"])
        if self.sparsity is not None and self.sparsity.bitmap is None:
            wrong = [text for _, text in self.sparsity.problems_for(self.G * self.K, self.C * self.R * self.S)]
            if wrong:
                raise DocumentError([f"problem: sparsity: {text}" for text in wrong])

    @property
    def dims(self) -> tuple[int, int, int, int, int, int, int, int]:
        """Sizes in the order of ``DIMENSIONS``."""
        return (self.N, self.G, self.K, self.C, self.R, self.S, self.P, self.Q)

    @property
    def H(self) -> int:
        """Rows of the padded input that are touched."""
        return (self.P - 1) * self.stride[0] + (self.R - 1) * self.dilation[0] + 1

    @property
    def W(self) -> int:
        """Columns of the padded input that are touched."""
        return (self.Q - 1) * self.stride[1] + (self.S - 1) * self.dilation[1] + 1

    @property
    def pools(self) -> bool:
        """Whether inputs are added up or compared as they are, without weights."""
        return self.operation != "multiply"

    @property
    def identity(self) -> int:
        """The input that changes no output: 0, or the least integer where inputs are compared."""
        return LEAST if self.operation == "max" else 0

    @property
    def operations(self) -> int:
        """Inputs that enter an output, summed over the outputs: each takes a multiplier switch for one control step."""
        if self.sparsity is not None:
            return self.weights * self.N * self.P * self.Q
        return math.prod(self.dims)

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations, products with padding zeros included; none in a pooling."""
        return 0 if self.pools else self.operations

    @property
    def output_shape(self) -> tuple[int, int, int, int, int]:
        """(N, G, K, P, Q)."""
        return (self.N, self.G, self.K, self.P, self.Q)

    @property
    def outputs(self) -> int:
        """Output words."""
        return math.prod(self.output_shape)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(N, G, C, H, W): the input words touched, padding included."""
        return (self.N, self.G, self.C, self.H, self.W)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(G, K, C, R, S), or nothing in a pooling."""
        return (0,) if self.pools else (self.G, self.K, self.C, self.R, self.S)

    @property
    def inputs(self) -> int:
        """Input words touched, padding included."""
        return math.prod(self.input_shape)

    @property
    def weights(self) -> int:
        """Weight words that are not known to be zero."""
        return math.prod(self.weight_shape) if self.sparsity is None else int(self.mask.sum())

    @property
    def mask(self) -> Mask:
        """Where the weights of a layer with ``sparsity`` (filters of all groups, C, R, S) are not zero."""
        assert self.sparsity is not None
        return self.sparsity.mask(self.G * self.K, self.C, self.R, self.S)

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain data, for JSON."""
        data: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return data | {"sparsity": None if self.sparsity is None else self.sparsity.model_dump(mode="json")}

    def scaled(self, limit: int) -> Problem:
        """A smaller problem of the same character with at most ``limit`` operations.

        Halves the largest of P, Q, K and C (the first of them when equal), none below min(its size, 4). When that does
        not suffice, N and G follow, none below min(its size, 2); filters keep their size. What is then still above the
        limit is returned as it is.
        """
        problem = self
        for names in (("P", "Q", "K", "C"), ("N", "G")):
            while problem.operations > limit:
                size, name = max(
                    ((getattr(problem, name), name) for name in names if getattr(problem, name) > _FLOORS[name]),
                    key=lambda candidate: candidate[0],
                    default=(0, ""),
                )
                if not name:
                    break
                problem = problem._with_size(name, max(_FLOORS[name], size // 2))
        return problem

    def _with_size(self, name: str, size: int) -> Problem:
        changes: dict[str, Any] = {name: size}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a layer that is one loop nest; it runs ``count`` times for one occurrence of the layer."""

    name: str
    problem: Problem
    count: int


@dataclass(frozen=True, slots=True)
class FusedProblem:
    """Two layers that run at the same time: the outputs of the ``first`` are the inputs of the ``second``.

    The second takes them as channels of the same height and width or, when it is fully connected, as features.
    Its batch is that of the first. Raises DocumentError when its inputs are anything else, or when one has sparse weights.
    """

    first: Problem
    second: Problem

    def __post_init__(self) -> None:
        first, second = self.first, self.second
        wrong = []
        if first.sparsity is not None or second.sparsity is not None:
            wrong.append(
                "fused layers: sparse weights change the virtual neurons between filters, expected dense layers"
            )
        if first.N != second.N:
            wrong.append(f"fused layers: a batch of {first.N}, then one of {second.N}, expected the same")
        channels, words = second.G * second.C, first.outputs // first.N
        if channels not in (first.G * first.K, words) or (channels != first.G * first.K and second.H * second.W > 1):
            wrong.append(
                f"fused layers: the second has {channels} input channels, "
                f"expected the {first.G * first.K} output channels of the first"
            )
        if wrong:
            raise DocumentError(wrong)

    @property
    def layers(self) -> tuple[Problem, Problem]:
        """Both layers."""
        return self.first, self.second

    @property
    def intermediate_shape(self) -> tuple[int, int, int, int]:
        """(images, channels, rows, columns) of what is between the two, as the second sees it, without padding."""
        first, channels = self.first, self.second.G * self.second.C
        size = (first.P, first.Q) if channels == first.G * first.K else (1, 1)
        return (first.N, channels, *size)

    @property
    def intermediate_words(self) -> int:
        """Words that the first gives and the second takes, which do not leave the chip."""
        return self.first.outputs

    @property
    def operations(self) -> int:
        """Operations of both, see ``Problem.operations``."""
        return self.first.operations + self.second.operations

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of both."""
        return self.first.macs + self.second.macs

    @property
    def pools(self) -> bool:
        """Whether neither has weights."""
        return self.first.pools and self.second.pools

    @property
    def outputs(self) -> int:
        """Output words of the second."""
        return self.second.outputs

    def scaled(self, limit: int) -> FusedProblem:
        """Smaller layers of the same character, neither of more than ``limit`` operations where that is possible.

        Halves the largest size of either (what is between them in both), with the floors of ``Problem.scaled``.
        """
        pair = self
        while max(pair.first.operations, pair.second.operations) > limit:
            smaller = max(pair._smaller(), key=lambda option: option[0], default=None)
            if smaller is None:
                break
            pair = smaller[1]
        return pair

    def _smaller(self) -> Iterator[tuple[int, FusedProblem]]:
        """(size, layers) with one size of the layers halved."""
        first, second = self.first, self.second
        flat = self.intermediate_shape[1] != first.G * first.K

        def halved(name: str, size: int) -> int:
            return max(_FLOORS[name], size // 2)

        def large(name: str, size: int) -> bool:
            return size > _FLOORS[name]

        def option(size: int, smaller: Problem, **sizes: int) -> tuple[int, FusedProblem]:
            features = {"C": smaller.G * smaller.K * smaller.P * smaller.Q} if flat else {}
            changes: dict[str, Any] = {**sizes, **features}
            return size, FusedProblem(smaller, replace(second, **changes))

        for axis, name in enumerate("PQ"):
            size = getattr(first if flat else second, name)
            if not large(name, size):
                continue
            if flat:
                yield option(size, first._with_size(name, halved(name, size)))
                continue
            window = second._with_size(name, halved(name, size))
            touched = (window.H, window.W)[axis] - second.padding[axis] - behind(second.padding)[axis]
            given = min(getattr(first, name), max(1, touched))
            yield option(size, first._with_size(name, given), **{name: halved(name, size)})
        if large("K", second.K):
            yield option(second.K, first, K=halved("K", second.K))
        if first.G == 1 and large("C", first.C):
            yield option(first.C, first._with_size("C", halved("C", first.C)))
        if large("N", first.N):
            yield option(first.N, first._with_size("N", halved("N", first.N)), N=halved("N", first.N))
        given_by = "K" if first.G == 1 else "G"
        channels = first.G * first.K
        taken_by = "C" if second.G == 1 else "G"
        if (
            large("K", channels)
            and getattr(first, given_by) == channels
            and (flat or getattr(second, taken_by) == channels)
        ):
            fewer = halved("K", channels)
            yield option(channels, first._with_size(given_by, fewer), **({} if flat else {taken_by: fewer}))
