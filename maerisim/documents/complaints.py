"""What pydantic finds wrong with a document, in plain words and at the keys of the document."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Union

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from maerisim.documents.models import COMPLAINTS_ERROR, Complaint, ForeignTags, KeyPath, Model, dotted
from maerisim.documents.words import described, nearest

MOST_COMPLAINTS = 1000
"""Those of a document with more are not put in words."""

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
_FOREIGN_DISCRIMINATORS = ("type", "kind", "class", "operator", "op_type", "layer_type")
"""What other tools call the key that says what a part of a document is."""

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def complaints_of(
    model: type[Model], data: dict[str, Any], error: ValidationError, extra_keys: tuple[str, ...]
) -> list[Complaint]:
    """All that is wrong with ``data`` in plain words: those pydantic found and those between keys."""
    complaints: list[Complaint] = []
    for detail in error.errors(include_url=False)[:MOST_COMPLAINTS]:
        path, annotation = _resolve(model, detail["loc"])
        complaints += [(_trim(path), text) for path, text in _translated(detail, path, annotation, extra_keys)]
    return list(dict.fromkeys([*complaints, *model.complaints_between(data)]))


def _trim(path: KeyPath) -> KeyPath:
    return tuple(part for part in path if part != "[key]")


def _translated(detail: ErrorDetails, path: KeyPath, annotation: Any, extra_keys: tuple[str, ...]) -> list[Complaint]:
    """One pydantic error as complaints in plain words; ``annotation`` is the type expected at the parent of ``path``."""
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == COMPLAINTS_ERROR:
        return [((*path, *below), message) for below, message in context["complaints"]]
    if kind == "extra_forbidden":
        known = [*getattr(annotation, "model_fields", {}), *(extra_keys if len(path) == 1 else ())]
        hint = _foreign(str(path[-1]), getattr(annotation, "foreign_keys", {})) or nearest(str(path[-1]), known)
        hint = hint or (f" (known keys: {', '.join(known)})" if known else "")
        return [(path, f"unknown key{hint}")]
    if kind == "missing":
        field = getattr(annotation, "model_fields", {}).get(path[-1])
        meaning = f": {field.description}" if field is not None and field.description else ""
        return [(path, f"this key is required but missing{meaning}")]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        limit = context[bound]
        written = f"{limit:g}" if isinstance(limit, float) else str(limit)
        return [(path, f"expected {words} {written}, found {described(found)}")]
    if kind == "literal_error":
        return [(path, f"expected {context['expected']}, found {described(found)}{_nearest_literal(found, context)}")]
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", context["expected_tags"])
        hint = _foreign(str(context["tag"]), _foreign_tags(_step(annotation, path[-1]))) or nearest(
            str(context["tag"]), tags
        )
        key = context["discriminator"].strip("'")
        return [((*path, key), f"expected one of {', '.join(tags)}, found {described(context['tag'])}{hint}")]
    if kind == "union_tag_not_found":
        key = context["discriminator"].strip("'")
        other = next((name for name in _FOREIGN_DISCRIMINATORS if isinstance(found, Mapping) and name in found), None)
        hint = f" (found {other!r}: did you mean {key!r}?)" if other else ""
        return [((*path, key), f"this key is required but missing: it says what {dotted(path)} is{hint}")]
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


def _foreign(name: str, names: Mapping[str, str]) -> str:
    """The hint for a name that other tools use, spelled in any way."""
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    meant = names.get(name.lower()) or names.get(spelled)
    return f" (did you mean {meant}?)" if meant else ""


def _foreign_tags(annotation: Any) -> Mapping[str, str]:
    found = [extra for extra in getattr(annotation, "__metadata__", ()) if isinstance(extra, ForeignTags)]
    return found[0].names if found else {}


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
