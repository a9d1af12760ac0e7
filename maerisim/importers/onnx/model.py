"""An ONNX file with all shapes known: symbolic sizes fixed, functions inlined, shapes inferred, constants told from the rest."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maerisim import documents
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.text import harmless

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

TensorShape = tuple[int, ...]

ALREADY_KNOWN = ("Shape", "Size")
"""Operators whose result is known as soon as shapes are."""
STANDARD = ("", "ai.onnx")
"""Domains of the operators that ONNX defines."""
EQUATION = re.compile(r"[A-Za-z,. ]*(->[A-Za-z. ]*)?")
"""What an equation of Einsum is made of."""
LARGEST_FILE = 2**31
"""Bytes that a model can have; larger weights are in files of their own."""


BROKEN = (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What parts of onnx raise for models that are none."""


class RefusedError(Exception):
    """Why a node has no exact counterpart here. Never leaves the importer."""


@dataclass(frozen=True)
class OnnxModel:
    """The graph, the shape of each value as far as it is known, and what is known before the model runs."""

    path: Path
    graph: GraphProto
    opset: int
    inputs: Mapping[str, TensorShape]
    shapes: Mapping[str, TensorShape]
    weights: Mapping[str, TensorProto]
    makers: Mapping[str, NodeProto] = field(repr=False)
    constants: frozenset[str] = frozenset()

    @property
    def nodes(self) -> Iterator[OnnxNode]:
        """The nodes in the order in which they run."""
        for place, proto in enumerate(self.graph.node, 1):
            yield OnnxNode(self, proto, place)


@dataclass(frozen=True)
class OnnxNode:
    """A node of the graph: number ``place`` of them."""

    model: OnnxModel
    proto: NodeProto
    place: int

    @property
    def name(self) -> str:
        """Its own name, or that of its first output, or its number."""
        outputs = [name for name in self.proto.output if name]
        return self.proto.name or (outputs[0] if outputs else f"{self.op}_{self.place}")

    @property
    def op(self) -> str:
        return self.proto.op_type

    @property
    def is_standard(self) -> bool:
        return self.proto.domain in STANDARD

    def __str__(self) -> str:
        return harmless(f"{self.model.path}: node '{self.name}' ({self.op})")

    @property
    def subgraphs(self) -> list[GraphProto]:
        """What it runs inside, of control flow."""
        found = [each.g for each in self.proto.attribute if each.HasField("g")]
        return found + [graph for each in self.proto.attribute for graph in each.graphs]

    @property
    def is_constant(self) -> bool:
        """Whether all that it gives is known before the model runs."""
        return all(name in self.model.constants for name in self.proto.output if name)

    def input(self, place: int) -> str:
        """The name of an input; empty when it is left out."""
        return self.proto.input[place] if place < len(self.proto.input) else ""

    def gives_constant(self, place: int) -> bool:
        """Whether an input is known before the model runs."""
        return self.input(place) in self.model.constants

    def shape(self, place: int, ranks: Sequence[int] = ()) -> TensorShape:
        """The shape of an input, of as many dimensions as one of ``ranks``."""
        name = self.input(place)
        if not name:
            raise RefusedError(f"its input {place + 1} is missing")
        if name not in self.model.shapes:
            raise RefusedError(f"the shape of its input '{name}' is not known")
        shape = self.model.shapes[name]
        if ranks and len(shape) not in ranks:
            expected = " or ".join(map(str, ranks))
            raise RefusedError(f"expected an input of {expected} dimensions, found '{name}' of shape {list(shape)}")
        if 0 in shape:
            raise RefusedError(f"its input '{name}' of shape {list(shape)} is empty")
        return shape

    def output_shape(self, place: int = 0) -> TensorShape | None:
        """The shape of an output, if it is known."""
        outputs = self.proto.output
        return self.model.shapes.get(outputs[place]) if place < len(outputs) else None

    def elements(self, names: Sequence[str]) -> int:
        """Elements of the named values, as far as these are known."""
        return sum(_product(self.model.shapes[name]) for name in names if name in self.model.shapes)

    def _attribute(self, name: str, kind: int) -> AttributeProto | None:
        found: AttributeProto | None = next((each for each in self.proto.attribute if each.name == name), None)
        if found is not None and found.type != kind:
            raise RefusedError(f"its attribute {name} is of another type than ONNX says")
        return found

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute that is an integer."""
        found = self._attribute(name, 2)
        return default if found is None else found.i

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is a text."""
        found = self._attribute(name, 3)
        return default if found is None else found.s.decode("utf-8", "replace")

    def choice(self, name: str, known: Sequence[str]) -> str:
        """An attribute that is one of some texts, the first unless told otherwise."""
        found = self.text(name, known[0])
        if found not in known:
            raise RefusedError(f"expected {', '.join(known[:-1])} or {known[-1]} as {name}, found {found!r}")
        return found

    def integers(self, name: str, length: int, default: int) -> tuple[int, ...]:
        """An attribute that is a list of so many integers."""
        found = self._attribute(name, 7)
        if found is None or not found.ints:
            return (default,) * length
        if len(found.ints) != length:
            raise RefusedError(f"expected {length} numbers as {name}, found {list(found.ints)}")
        return tuple(found.ints)


def load(path: Path, batch: int | None, sizes: Mapping[str, int]) -> OnnxModel:
    """Read a model and find its shapes; ``batch`` and ``sizes`` (by name, or ``input.place``) are those of symbolic dimensions.

    Raises DocumentError for what is no model, for symbolic sizes that are not given and given ones that it does not have,
    and NotSupportedError without onnx.
    """
    try:
        import onnx.inliner
        import onnx.shape_inference
    except ImportError as error:
        msg = "reading ONNX models needs onnx, which is not installed (pip install 'maerisim[onnx]')"
        raise NotSupportedError(msg) from error
    model = _parsed(path)
    _fix_sizes(path, model, batch, sizes)
    for value in model.graph.output:  # a model changed by hand keeps shapes that are no longer true
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    try:
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (
        RuntimeError,
        ValueError,
        TypeError,
        onnx.shape_inference.InferenceError,
        onnx.checker.ValidationError,
    ) as error:
        text = " ".join(str(error).split())
        raise DocumentError([f"{path}: no shapes can be found: {text[:300]}"]) from None
    return _with_shapes(path, model)


def _parsed(path: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        if stat.S_ISDIR(mode):
            raise DocumentError([f"{path}: is a directory, expected an ONNX model"])
        if not stat.S_ISREG(mode) or size > LARGEST_FILE:
            raise DocumentError([f"{path}: is no file of at most 2 GiB, expected an ONNX model"])
        content = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError([f"{path}: no such file, expected an ONNX model"]) from None
    except OSError as error:
        raise DocumentError([f"{path}: cannot be read: {error.strerror}"]) from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RuntimeError) as error:
        raise DocumentError([f"{path}: is not an ONNX model: {error}"]) from None
    if not all(isinstance(text, str) for text in _texts(model.graph)):
        raise DocumentError([f"{path}: is not an ONNX model: a name in it is not text (UTF-8)"])
    if not model.graph.node or not model.opset_import:
        raise DocumentError(
            [f"{path}: is not an ONNX model: expected a graph of nodes and the version of the operators"]
        )
    equations = [a.s.decode("utf-8", "replace") for n in model.graph.node if n.op_type == "Einsum" for a in n.attribute]
    for equation in equations:
        if not EQUATION.fullmatch(equation):  # on which the inference of shapes never ends
            raise DocumentError([f"{path}: is not an ONNX model: '{harmless(equation)}' is no equation of an Einsum"])
    return model


def _texts(graph: GraphProto) -> Iterator[object]:
    """All names of a graph; those that are not UTF-8 are bytes in protobuf."""
    for value in (*graph.input, *graph.output):
        yield value.name
        yield from (size.dim_param for size in value.type.tensor_type.shape.dim)
    yield from (tensor.name for tensor in graph.initializer)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name


def _fix_sizes(path: Path, model: ModelProto, batch: int | None, sizes: Mapping[str, int]) -> None:
    """Put numbers in place of the symbolic sizes of the inputs."""
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer} | {each.values.name for each in graph.sparse_initializer}
    inputs = [value for value in graph.input if value.name not in stored and value.type.HasField("tensor_type")]
    problems: list[str] = []
    given = dict(sizes)
    if batch is not None:
        given |= _batch_sizes(path, inputs, batch, sizes, problems)
    known: set[str] = set()
    for value in inputs:
        if not value.type.tensor_type.HasField("shape"):
            problems.append(f"{path}: input '{harmless(value.name)}' has no shape, expected one")
        for place, size in enumerate(value.type.tensor_type.shape.dim):
            if size.HasField("dim_value") and size.dim_value > 0:
                continue
            name, by_place = size.dim_param, f"{value.name}.{place}"
            known |= {each for each in (name, by_place) if each}
            number = given.get(by_place, given.get(name) if name else None)
            if number is None:
                what = f"'{name}'" if name else "without a name"
                option = f"--dim {name or by_place}=N" + (" or --batch N" if place == 0 and batch is None else "")
                problems.append(
                    harmless(f"{path}: input '{value.name}': dimension {place} ({what}) has no size, give it: {option}")
                )
            else:
                size.dim_value = number
    problems += [
        harmless(f"{path}: --dim {name}: no input has this dimension{documents.nearest(name, sorted(known))}")
        for name in sizes
        if name not in known
    ]
    if problems:
        raise DocumentError(problems)


def _batch_sizes(
    path: Path, inputs: Sequence[ValueInfoProto], batch: int, sizes: Mapping[str, int], problems: list[str]
) -> dict[str, int]:
    """The sizes that --batch gives: of the first dimension of every input."""
    found: dict[str, int] = {}
    names: dict[str, str] = {}
    for value in inputs:
        for first in value.type.tensor_type.shape.dim[:1]:
            by_place = f"{value.name}.0"
            if first.HasField("dim_value") and first.dim_value > 0:
                if first.dim_value != batch:
                    text = f"input '{value.name}' has a first dimension of {first.dim_value}, not a symbolic one"
                    problems.append(
                        harmless(f"{path}: --batch {batch}: {text}; export the model with a symbolic batch")
                    )
            elif first.dim_param not in sizes and by_place not in sizes:
                found[first.dim_param or by_place] = batch
                names.setdefault(first.dim_param or by_place, value.name)
    if len([name for name in names if "." not in name]) > 1:
        begin = ", ".join(f"'{name}' of '{of}'" for name, of in names.items())
        problems.append(
            harmless(f"{path}: --batch: inputs begin with different dimensions ({begin}), give them by --dim")
        )
    return found


def _with_shapes(path: Path, model: ModelProto) -> OnnxModel:
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    shapes: dict[str, TensorShape] = {name: tuple(tensor.dims) for name, tensor in weights.items()}
    shapes |= {each.values.name: tuple(each.dims) for each in graph.sparse_initializer}
    constants = set(shapes)
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        sizes = [size.dim_value for size in tensor.shape.dim if size.HasField("dim_value")]
        if tensor.HasField("shape") and len(sizes) == len(tensor.shape.dim) and value.name not in shapes:
            shapes[value.name] = tuple(sizes)
    makers: dict[str, NodeProto] = {}
    for node in graph.node:
        makers |= dict.fromkeys((name for name in node.output if name), node)
        known = [name in constants for name in node.input if name]
        from_shapes = node.op_type in ALREADY_KNOWN and all(name in shapes for name in node.input)
        if node.domain in STANDARD and (node.op_type == "Constant" or from_shapes or (known and all(known))):
            constants |= {name for name in node.output if name}
    opset = max((each.version for each in model.opset_import if each.domain in STANDARD), default=0)
    inputs = {
        value.name: shapes[value.name] for value in graph.input if value.name in shapes and value.name not in weights
    }
    return OnnxModel(path, graph, opset, inputs, shapes, weights, makers, frozenset(constants))


def _product(shape: TensorShape) -> int:
    size = 1
    for each in shape:
        size *= each
    return size


def folder_of(model: OnnxModel) -> str:
    """Where files of weights lie."""
    return str(model.path.absolute().parent)
