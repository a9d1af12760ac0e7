"""The hardware at every point of a grid of parameters, and why some combinations of values are none.

A grid names hardware parameters (``distribution.bandwidth``) with their values. Parameters separated by a comma share
their values, and a text like ``1/4`` is that share of the point's multipliers.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from typing import NamedTuple

from maerisim.documents import Complaint, KeyPath
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware

Value = int | float | str | bool | None

DERIVED = {
    "distribution.bandwidth": "ports",
    "collection.bandwidth": "buses",
    "accumulation.words": "accumulation_words",
}
"""Parameters that follow from the multipliers when they are null, and the property that says what they then are."""

_ORIGIN = "point"


def parameters_of(key: str) -> list[str]:
    """The hardware parameters that a key of the grid sets: ``"a.x, b.y"`` are two."""
    return [part.strip() for part in key.split(",")]


def in_words(values: Mapping[str, Value]) -> str:
    """``multipliers 16, reduction.topology art``."""
    return ", ".join(f"{parameter} {written(value)}" for parameter, value in values.items())


def written(value: Value) -> str:
    """A value as it stands in YAML."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class GridPoint:
    """A point of the grid: the value of each parameter, in the grid's order, and the hardware that they make."""

    values: dict[str, Value]
    hardware: Hardware

    def __str__(self) -> str:
        return in_words(self.values)


class GridChoice(NamedTuple):
    """One value of a key of the grid, and its place in the key's list."""

    key: str
    place: int
    value: Value


@dataclass(frozen=True)
class Invalid:
    """A combination of values that is no hardware, and why: each text under the path of a value in the sweep."""

    choices: tuple[GridChoice, ...]
    problems: tuple[Complaint, ...]

    def __str__(self) -> str:
        return in_words(_chosen(self.choices))


@dataclass(frozen=True)
class Grid:
    """All combinations of a grid's values: those that are hardware, equal ones once, and those that are not.

    ``usable`` holds the choices that occur in a point.
    """

    points: tuple[GridPoint, ...]
    invalid: tuple[Invalid, ...]
    usable: frozenset[GridChoice]

    @classmethod
    def of(cls, values: Mapping[str, Sequence[Value]], base: Hardware) -> Grid:
        """The combinations in the order in which the values stand, the last key turning fastest, each on ``base``."""
        axes = [[GridChoice(key, place, value) for place, value in enumerate(row)] for key, row in values.items()]
        points: dict[str, GridPoint] = {}
        invalid: list[Invalid] = []
        usable: set[GridChoice] = set()
        for choices in itertools.product(*axes):
            try:
                point = point_at(choices, base)
            except DocumentError as error:
                invalid.append(Invalid(choices, tuple(_located(line, choices) for line in error.problems)))
            else:
                points.setdefault(str(point), point)
                usable.update(choices)
        return cls(tuple(points.values()), tuple(invalid), frozenset(usable))

    def problems(self, *, skip_invalid: bool) -> list[Complaint]:
        """Each distinct reason why combinations are invalid once, with what these have in common and how many they are.

        With ``skip_invalid`` only of combinations with a value that is valid in no other either: nobody can mean that.
        """
        reasons: dict[tuple[KeyPath, str, str], list[Invalid]] = {}
        for combination in self.invalid:
            skippable = self.usable.issuperset(combination.choices)
            for path, text in combination.problems if not (skippable and skip_invalid) else ():
                hint = "; skip_invalid: true leaves them out" if skippable else ""
                reasons.setdefault((path, text, hint), []).append(combination)
        return [(path, f"{text} ({_where(where)}{hint})") for (path, text, hint), where in reasons.items()]


def point_at(choices: Sequence[GridChoice], base: Hardware) -> GridPoint:
    """``base`` with the chosen values. Raises DocumentError when that is no valid hardware."""
    chosen = _chosen(choices)
    problems = []
    multipliers = chosen.get("multipliers", base.multipliers)
    for parameter, value in list(chosen.items()):
        if isinstance(multipliers, int) and isinstance(value, str) and re.fullmatch(r"[1-9]\d*/[1-9]\d*", value):
            share = Fraction(value) * multipliers
            chosen[parameter] = int(share)
            if share.denominator > 1:
                problems.append(f"{_ORIGIN}: {parameter}: {value} of {multipliers} multipliers is not a whole number")
                del chosen[parameter]
    try:
        hardware = base.with_overrides(chosen, _ORIGIN)
    except DocumentError as error:
        raise DocumentError(problems + error.problems) from None
    if problems:
        raise DocumentError(problems)
    return GridPoint({parameter: _value_of(hardware, parameter) for parameter in chosen}, hardware)


def _chosen(choices: Iterable[GridChoice]) -> dict[str, Value]:
    return {parameter: choice.value for choice in choices for parameter in parameters_of(choice.key)}


def _value_of(hardware: Hardware, parameter: str) -> Value:
    """What a parameter of valid hardware is, also when it was left to follow from the multipliers."""
    value: Value = attrgetter(parameter)(hardware)
    return getattr(hardware, DERIVED[parameter]) if value is None and parameter in DERIVED else value


def _located(line: str, choices: Iterable[GridChoice]) -> Complaint:
    """A line of ``with_overrides`` as a problem of the value in the sweep that it is about."""
    text = line.removeprefix(f"{_ORIGIN}: ")
    parameter, _, rest = text.partition(": ")
    for choice in choices:
        if parameter in parameters_of(choice.key):
            return ("grid", choice.key, choice.place), rest
    return ("grid",), text


def _where(combinations: Sequence[Invalid]) -> str:
    """What the combinations have in common, and how many they are."""
    first, *others = (combination.choices for combination in combinations)
    common = [choice for choice in first if all(choice in choices for choices in others)]
    return f"{len(combinations)} point{'s' if others else ''} at {in_words(_chosen(common))}"
