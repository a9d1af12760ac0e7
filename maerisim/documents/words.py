"""Values and mistakes in plain words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from maerisim.text import LONGEST, shown


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint `` (did you mean 'x'?)`` for the known name closest to ``name`` and those about as close, or nothing."""
    if len(name) > LONGEST:
        return ""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    closeness = [difflib.SequenceMatcher(None, name, match).ratio() for match in near]
    near = [match for match, ratio in zip(near, closeness, strict=True) if ratio > closeness[0] - 0.1]
    return f" (did you mean {' or '.join(repr(match) for match in near)}?)" if near else ""


_MOST_LISTED = 12


def listed(names: Iterable[str]) -> str:
    """Names that somebody chose, in a message: the first of many, and of each no more than a message has room for."""
    found = list(names)
    return ", ".join(map(shown, found[:_MOST_LISTED])) + (", ..." if len(found) > _MOST_LISTED else "")


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
        return f"the list [{', '.join(map(described, value))}]" if is_short else f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**LONGEST:
        return f"an integer of more than {LONGEST} digits"
    return shown(repr(value))
