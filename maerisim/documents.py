"""Reading the input documents: YAML with line positions in, frozen model or all problems at once out.

Every problem is one line ``file:line: dotted.path: message`` of a :class:`~maerisim.errors.DocumentError`. Documents
are addressed by path or by the name of a file shipped in ``configs/`` (``maeri-64``, ``alexnet``).
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, Union

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from maerisim.errors import DocumentError

Kind = Literal["hardware", "network", "mapping", "sweep", "constraints"]
KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]

_FOLDERS: dict[str, str] = {
    "hardware": "hardware",
    "network": "networks",
    "mapping": "mappings",
    "sweep": "sweeps",
    "constraints": "constraints",
}
_NOUNS: dict[str, str] = {
    "hardware": "a hardware description",
    "network": "a network description",
    "mapping": "a mapping file",
    "sweep": "a sweep",
    "constraints": "a file of constraints",
}
_PROBLEMS_ERROR = "problems"
_DEEPEST = 32


class Model(BaseModel):
    """Base of everything that can stand in a document: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Document(Model):
    """Base of a whole document. ``kind`` decides where shipped files are looked up and how messages call it."""

    kind: ClassVar[Kind]

    @classmethod
    def problems_between(cls, data: Mapping[str, Any]) -> list[Problem]:  # noqa: ARG003
        """Problems that involve several keys of the raw ``data``; values of the wrong type are to be ignored here."""
        return []


DocumentT = TypeVar("DocumentT", bound=Document)
ModelT = TypeVar("ModelT", bound=Model)


def problems_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """An error for a pydantic validator that reports several problems, each at a path below the validated model."""
    text = "; ".join(f"{dotted(path)}: {message}" if path else message for path, message in problems)
    return PydanticCustomError(_PROBLEMS_ERROR, "{text}", {"text": text, "problems": list(problems)})


def dotted(path: KeyPath) -> str:
    """``("layers", 2, "stride")`` as ``layers[2].stride``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint `` (did you mean 'x'?)`` for the known name closest to ``name`` and those about as close, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    closeness = [difflib.SequenceMatcher(None, name, match).ratio() for match in near]
    near = [match for match, ratio in zip(near, closeness, strict=True) if ratio > closeness[0] - 0.1]
    return f" (did you mean {' or '.join(repr(match) for match in near)}?)" if near else ""


# --- finding ---------------------------------------------------------------------------------------------------------


def _shipped_folder(kind: Kind) -> Path | None:
    here = Path(__file__).resolve().parent
    for root in (here / "configs", here.parent / "configs", here.parent / "benchmarks"):
        if (root / _FOLDERS[kind]).is_dir():
            return root / _FOLDERS[kind]
    return None


def shipped(kind: Kind) -> list[str]:
    """Names of the documents of this kind that come with maerisim, sorted with numbers in numeric order."""
    folder = _shipped_folder(kind)
    names = [path.stem for path in folder.glob("*.yaml")] if folder else []
    return sorted(names, key=lambda name: [(int(run or 0), word) for run, word in re.findall(r"(\d+)|(\D+)", name)])


def locate(kind: Kind, name: str | os.PathLike[str]) -> Path:
    """The file meant by ``name``: a shipped name (``maeri-64``) or a path.

    A bare word is first looked up among the shipped names; write ``./word`` for a file that is called like one.
    Raises DocumentError when there is no such file, with the nearest shipped names.
    """
    text = os.fspath(name)
    path = Path(text).expanduser()
    folder = _shipped_folder(kind)
    is_bare = os.sep not in text and "/" not in text and path.suffix not in (".yaml", ".yml")
    if is_bare and folder is not None and (folder / f"{text}.yaml").is_file():
        return _displayed(folder / f"{text}.yaml")
    if text and path.is_dir():
        raise DocumentError([f"{text}: is a directory, expected the YAML file of {_NOUNS[kind]}"])
    if path.is_file() or (path.exists() and not is_bare):
        return path
    names = shipped(kind)
    hint = nearest(path.stem if path.suffix in (".yaml", ".yml") else path.name, names)
    if names and not hint:
        hint = f" (shipped: {', '.join(names)})"
    what = f"no such file or shipped {kind}" if is_bare else f"no such file, expected {_NOUNS[kind]}"
    raise DocumentError([f"{text or repr(text)}: {what}{hint}"])


def locate_beside(kind: Kind, name: str, folder: Path) -> Path:
    """The file that a document in ``folder`` means by ``name``: one relative to the folder, else a shipped one.

    Raises DocumentError when there is no such file, with the nearest shipped names.
    """
    path = folder / Path(name).expanduser()
    if path.is_file():
        return path
    return locate(kind, name if "/" not in name and not name.endswith((".yaml", ".yml")) else path)


def _displayed(path: Path) -> Path:
    """``path`` relative to the working directory when it is below it, as the user would type it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


# --- reading ---------------------------------------------------------------------------------------------------------


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, which also takes ``1e-3`` for a number (YAML 1.1 wants ``1.0e-3``)."""


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which also puts a text like ``1e-3`` in quotes."""


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
    )


def scalar(text: str) -> str:
    """``text`` as a YAML scalar on one line, in quotes where YAML would read something else."""
    flow: str = yaml.dump([text], Dumper=_Dumper, default_flow_style=True, width=10**9, allow_unicode=True)
    return flow.strip()[1:-1]


@dataclass(frozen=True)
class _File:
    """One parsed file: its data, and the nodes to find lines with."""

    name: str
    root: yaml.MappingNode

    def find(self, path: KeyPath) -> tuple[int, int]:
        """How many parts of ``path`` exist in this file, and the line (from 1) of the last one that does."""
        node: yaml.Node = self.root
        line = node.start_mark.line + 1
        for depth, part in enumerate(path):
            step = _child(node, part)
            if step is None:
                return depth, line
            node, line = step
        return len(path), line


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if key.value == part:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


@dataclass(frozen=True)
class Source:
    """Merged data of a document and the files it came from, the extending file before the extended one."""

    data: dict[str, Any]
    files: tuple[_File, ...]

    def where(self, path: KeyPath) -> tuple[str, int]:
        """File and line at which ``path`` stands, or its nearest enclosing key."""
        found = [(file.find(path), file.name) for file in self.files]
        (_, line), name = max(found, key=lambda item: item[0][0])
        return name, line

    def report(self, problems: Iterable[Problem]) -> DocumentError:
        """All problems as one error, ordered by file and line."""
        order = {file.name: index for index, file in enumerate(self.files)}
        lines = []
        for path, message in problems:
            name, line = self.where(path)
            text = f"{name}:{line}: {dotted(path)}: {message}" if path else f"{name}:{line}: {message}"
            lines.append((order[name], line, text))
        return DocumentError(list(dict.fromkeys(text for _, _, text in sorted(lines))))


def read_text(path: Path, noun: str, file: str) -> str:
    """The text of a file that holds ``noun`` ("a network description") in a ``file`` ("the YAML file of ...").

    Raises DocumentError with what was expected when it cannot be read.
    """
    if path.is_dir():
        raise DocumentError([f"{path}: is a directory, expected {file}"])
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DocumentError([f"{path}: no such file, expected {noun}"]) from None
    except OSError as error:
        raise DocumentError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise DocumentError([f"{path}: is not a text file (UTF-8), expected {file}"]) from None
    if "\0" in text:
        raise DocumentError([f"{path}: is not a text file (UTF-8), expected {file}"])
    return text


def _syntax_problem(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "expected a single document" in str(error):
        problem = "more than one document; keep one per file and remove the '---' line"
    elif "\\t" in problem or "that cannot start any token" in problem:
        problem += " (indent with spaces; quote a text that starts with a special character)"
    if mark is None:
        return f"{path}: not valid YAML: {problem}"
    return f"{path}:{mark.line + 1}: not valid YAML at column {mark.column + 1}: {problem}"


def _key_problems(node: yaml.Node, path: KeyPath, name: str, seen: set[int]) -> list[str]:
    """Duplicate keys and keys that are not text, in the whole tree below ``node``."""
    if id(node) in seen:
        return []
    seen.add(id(node))
    problems = []
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            where = f"{name}:{line}: {dotted(path)}: " if path else f"{name}:{line}: "
            if key.tag != "tag:yaml.org,2002:str":
                found = key.value if isinstance(key, yaml.ScalarNode) else "a collection"
                problems.append(f"{where}expected a text as key, found {found} (put it in quotes)")
                continue
            below = (*path, key.value)
            if key.value in first:
                problems.append(f"{name}:{line}: {dotted(below)}: duplicate key, already on line {first[key.value]}")
            first.setdefault(key.value, line)
            problems += _key_problems(value, below, name, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            problems += _key_problems(value, (*path, index), name, seen)
    return problems


def _check_depth(path: Path, text: str) -> None:
    """Refuse nesting that no document has, before the parser's recursion runs out of stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise DocumentError([f"{path}:{line}: is nested more than {_DEEPEST} levels deep"])


def _read_file(path: Path, noun: str) -> tuple[dict[str, Any], _File]:
    text = read_text(path, noun, f"the YAML file of {noun}")
    loader = _Loader(text)
    try:
        _check_depth(path, text)
        root = loader.get_single_node()
        if root is None:
            raise DocumentError([f"{path}: is empty, expected {noun}"])
        if not isinstance(root, yaml.MappingNode):
            found = "a list" if isinstance(root, yaml.SequenceNode) else f"the single value {root.value[:40]!r}"
            line = root.start_mark.line + 1
            raise DocumentError([f"{path}:{line}: expected 'key: value' lines at the top level, found {found}"])
        problems = _key_problems(root, (), str(path), set())
        if problems:
            raise DocumentError(problems)
        data = loader.construct_document(root)
    except yaml.YAMLError as error:
        raise DocumentError([_syntax_problem(path, error)]) from None
    except ValueError as error:
        raise DocumentError([f"{path}: a value cannot be read: {error}"]) from None
    finally:
        loader.dispose()
    return data, _File(str(path), root)


def _merged(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """``base`` overlaid with ``top``: mappings are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def read(path: str | os.PathLike[str], kind: Kind, *, extendable: bool = False) -> Source:
    """Parse the YAML file at ``path`` without validating it; follow ``extends`` when the kind allows that.

    ``extends`` names a file relative to the extending one, or else a shipped document. Raises DocumentError for files
    that cannot be read or parsed, for duplicate keys and for circular ``extends``.
    """
    return _read_chain(Path(path), kind, extendable, ())


def _read_chain(path: Path, kind: Kind, extendable: bool, chain: tuple[Path, ...]) -> Source:
    data, file = _read_file(path, _NOUNS[kind])
    if not extendable or "extends" not in data:
        return Source(data, (file,))
    where = f"{path}:{file.find(('extends',))[1]}: extends"
    name = data.pop("extends")
    if not isinstance(name, str) or not name:
        raise DocumentError([f"{where}: expected the name of a YAML file, found {described(name)}"])
    chain = (*chain, path)
    try:
        base = locate_beside(kind, name, path.parent)
    except DocumentError as error:
        raise DocumentError([f"{where}: {problem}" for problem in error.problems]) from None
    if any(base.resolve() == earlier.resolve() for earlier in chain):
        loop = " -> ".join(str(step) for step in (*chain, base))
        raise DocumentError([f"{where}: a file cannot extend itself: {loop}"])
    below = _read_chain(base, kind, extendable, chain)
    return Source(_merged(below.data, data), (file, *below.files))


# --- validating ------------------------------------------------------------------------------------------------------


def load(model: type[DocumentT], name: str | os.PathLike[str]) -> DocumentT:
    """Locate, read and validate a document. Raises DocumentError with every problem of the file."""
    return load_with_source(model, name)[0]


def load_with_source(model: type[DocumentT], name: str | os.PathLike[str]) -> tuple[DocumentT, Source]:
    """Like ``load``, with the source for problems that show only when the document is put to use."""
    extendable = model.kind == "hardware"
    source = read(locate(model.kind, name), model.kind, extendable=extendable)
    try:
        return model.model_validate(source.data), source
    except ValidationError as error:
        extra = ("extends",) if extendable else ()
        raise source.report(_problems(model, source.data, error, extra)) from None


def validate(model: type[DocumentT], data: dict[str, Any], origin: str) -> DocumentT:
    """Validate ``data`` that did not come from a file; ``origin`` takes the place of file and line in messages."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = _problems(model, data, error, ())
        lines = [f"{origin}: {dotted(path)}: {text}" if path else f"{origin}: {text}" for path, text in problems]
        raise DocumentError(list(dict.fromkeys(lines))) from None


def described(value: object) -> str:
    """A value as it is called in messages: ``'two'``, ``2.5``, ``nothing``, ``a list``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys and values" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        is_short = len(value) <= 8 and not any(isinstance(entry, (dict, list, tuple)) for entry in value)
        return f"the list {list(value)}" if is_short else f"a list of {len(value)}"
    if isinstance(value, dt.date):
        return f"the date {value}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _problems(
    model: type[Document], data: dict[str, Any], error: ValidationError, extra_keys: tuple[str, ...]
) -> list[Problem]:
    """All problems of ``data`` in plain words: those pydantic found and those between keys."""
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        path, annotation = _resolve(model, detail["loc"])
        problems += [(_trim(path), text) for path, text in _translated(detail, path, annotation, extra_keys)]
    return list(dict.fromkeys([*problems, *model.problems_between(data)]))


def _trim(path: KeyPath) -> KeyPath:
    return tuple(part for part in path if part != "[key]")


_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "int_parsing_size": "a smaller integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def _translated(detail: ErrorDetails, path: KeyPath, annotation: Any, extra_keys: tuple[str, ...]) -> list[Problem]:
    """One pydantic error as problems in plain words; ``annotation`` is the type expected at the parent of ``path``."""
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == _PROBLEMS_ERROR:
        return [((*path, *below), message) for below, message in context["problems"]]
    if kind == "extra_forbidden":
        known = [*getattr(annotation, "model_fields", {}), *(extra_keys if len(path) == 1 else ())]
        hint = nearest(str(path[-1]), known) or (f" (known keys: {', '.join(known)})" if known else "")
        return [(path, f"unknown key{hint}")]
    if kind == "missing":
        field = getattr(annotation, "model_fields", {}).get(path[-1])
        meaning = f": {field.description}" if field is not None and field.description else ""
        return [(path, f"this key is required but missing{meaning}")]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return [(path, f"expected {words} {context[bound]:g}, found {described(found)}")]
    if kind == "literal_error":
        return [(path, f"expected {context['expected']}, found {described(found)}{_nearest_literal(found, context)}")]
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", context["expected_tags"])
        hint = nearest(str(context["tag"]), tags)
        key = context["discriminator"].strip("'")
        return [((*path, key), f"expected one of {', '.join(tags)}, found {context['tag']!r}{hint}")]
    if kind == "union_tag_not_found":
        key = context["discriminator"].strip("'")
        return [((*path, key), f"this key is required but missing: it says what {dotted(path)} is")]
    if kind in ("too_short", "too_long"):
        words, bound = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
        return [(path, f"expected {words} {context[bound]} entries, found {context['actual_length']}")]
    if kind == "string_too_short":
        return [(path, "expected a text, found an empty one")]
    if kind in _EXPECTED:
        quote = (
            " (put it in quotes)" if kind == "string_type" and not isinstance(found, (dict, list, type(None))) else ""
        )
        return [(path, f"expected {_EXPECTED[kind]}, found {described(found)}{quote}")]
    if kind in ("value_error", "assertion_error"):
        return [(path, str(context.get("error", detail["msg"])))]
    return [(path, f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {described(found)}")]


def _nearest_literal(found: object, context: dict[str, Any]) -> str:
    return nearest(found, re.findall(r"'([^']*)'", context["expected"])) if isinstance(found, str) else ""


def _resolve(model: type[BaseModel], location: KeyPath) -> tuple[KeyPath, Any]:
    """Pydantic's ``location`` without the parts that are not keys, and the type that holds the last key."""
    path: list[str | int] = []
    current: Any = model
    holder: Any = model
    for part in location:
        current, choices = _stripped(current)
        if choices is not None:
            current = choices.get(str(part))
            continue
        path.append(part)
        holder = current
        current = _step(current, part)
    return tuple(path), holder


def _stripped(annotation: Any) -> tuple[Any, dict[str, Any] | None]:
    """``annotation`` without Annotated and Optional; for a discriminated union also the models by tag."""
    tag: str | None = None
    while typing.get_origin(annotation) is typing.Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, FieldInfo) and isinstance(extra.discriminator, str):
                tag = extra.discriminator
        annotation = annotation.__origin__
    if typing.get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if tag is not None:
            return annotation, {typing.get_args(m.model_fields[tag].annotation)[0]: m for m in members}
        if len(members) == 1:
            return _stripped(members[0])
    return annotation, None


def _step(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field is not None else None
    arguments = typing.get_args(annotation)
    return arguments[-1] if arguments else None
